"""The sandbox tells the truth: bodies run, failures come back, nothing stays behind."""

import os
import time
from pathlib import Path

import pytest

from podfence.lab import namespaces
from podfence.lab.trouble import trouble
from podfence.netlink import routes
from sandbox import in_child, in_sandbox, run

OUTSIDE = os.getuid()


@in_sandbox
@pytest.mark.parametrize("number", [1, 2])
def test_a_body_sees_its_parameters_and_an_empty_network(number, tmp_path):
    (tmp_path / "seen").write_text(str(number))
    assert os.geteuid() == 0
    assert [line.split()[1] for line in run("ip -o link").splitlines()] == ["lo:"]


@in_sandbox(rootless=True)
def test_a_body_may_do_without_real_root():
    assert os.geteuid() == 0
    assert Path("/proc/self/uid_map").read_text().split()[1] == ("65534" if OUTSIDE == 0 else str(OUTSIDE))
    namespaces.sysctl("net/ipv4/ip_forward", 1)
    os.close(namespaces.new_network_namespace())


def test_a_failure_inside_comes_back_with_its_traceback():
    def wrong():
        found = 41
        assert found == 42

    with pytest.raises(pytest.fail.Exception, match="assert 41 == 42"):
        in_child(wrong)


def test_a_body_without_end_is_ended_with_what_it_started(tmp_path):
    def endless():
        (tmp_path / "pid").write_text(str(os.fork() or os.getpid()))
        time.sleep(60)

    with pytest.raises(pytest.fail.Exception, match=r"within 0\.5 s"):
        in_child(endless, seconds=0.5)
    assert ended(int((tmp_path / "pid").read_text()))


def ended(pid):
    for _ in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def test_a_value_comes_back_even_when_a_grandchild_lives_on():
    def leaves_a_sleeper():
        if os.fork() == 0:
            time.sleep(30)
        return 7

    began = time.monotonic()
    assert in_child(leaves_a_sleeper, seconds=20) == 7
    assert time.monotonic() - began < 10


def test_a_skip_inside_is_a_skip_outside():
    with pytest.raises(pytest.skip.Exception, match="not today"):
        in_child(lambda: pytest.skip("not today"))


def own_network():
    return Path("/proc/thread-self/ns/net").stat().st_ino


@in_sandbox
def test_a_namespace_lives_as_long_as_its_descriptor_and_the_thread_comes_back():
    here = own_network()
    fd = namespaces.new_network_namespace()
    assert own_network() == here
    with namespaces.inside(fd):
        assert own_network() == os.fstat(fd).st_ino != here
        routes.raise_loopback()
        assert "UP" in run("ip -o link")
    with pytest.raises(RuntimeError), namespaces.inside(fd):
        raise RuntimeError
    assert own_network() == here


@in_sandbox
def test_a_sysctl_belongs_to_the_namespace_it_was_set_in():
    fd = namespaces.new_network_namespace()
    with namespaces.inside(fd):
        namespaces.sysctl("net/ipv4/ip_forward", 1)
        assert Path("/proc/sys/net/ipv4/ip_forward").read_text() == "1\n"
    assert Path("/proc/sys/net/ipv4/ip_forward").read_text() == "0\n"


@in_sandbox
def test_a_sysctl_that_cannot_be_written_names_itself_and_the_way_out():
    namespaces.mount("/proc/sys", "/proc/sys", flags=0x1000)
    namespaces.mount("/proc/sys", "/proc/sys", flags=0x1000 | 0x20 | 0x1)
    with pytest.raises(OSError, match=r"ip_forward.*systempaths=unconfined"):
        namespaces.sysctl("net/ipv4/ip_forward", 1)


@in_sandbox
def test_host_name_mounts_and_file_limit_stay_inside(tmp_path):
    (tmp_path / "file").write_text("pod")
    (tmp_path / "shown").write_text("")
    namespaces.bind(str(tmp_path / "file"), str(tmp_path / "shown"))
    namespaces.set_host_name("pod-1")
    assert ((tmp_path / "shown").read_text(), os.uname().nodename) == ("pod", "pod-1")
    assert namespaces.raise_file_limit() >= 1024


def test_nothing_is_in_the_way_of_a_lab_here():
    assert trouble() == []


@in_sandbox
def test_no_user_namespaces_is_said_with_the_remedy():
    namespaces.sysctl("user/max_user_namespaces", 0)
    (line,) = trouble()
    assert "user.max_user_namespaces=10000" in line


@in_sandbox
def test_no_network_namespaces_is_said_with_the_remedy():
    namespaces.sysctl("user/max_net_namespaces", 2)
    (line,) = trouble()
    assert "user.max_net_namespaces" in line
    namespaces.sysctl("user/max_net_namespaces", 0)
    (line,) = trouble()
    assert "user.max_net_namespaces=10000" in line
