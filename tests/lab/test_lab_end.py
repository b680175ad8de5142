"""However a lab ends, nothing of it is left; and labs do not meet each other."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from labs import MAIN, Labs, manifests, pod

pytestmark = pytest.mark.kernel

ONE, OTHER = manifests(pod("a", "one", "8080")), manifests(pod("a", "other", "8080"))


def namespaces_of(pid: int) -> set[str]:
    """The network namespaces a process holds by descriptors."""
    links = Path(f"/proc/{pid}/fd").iterdir()
    return {found for link in links if (found := str(link.readlink())).startswith("net:")}


def held() -> set[str]:
    """The network namespaces that any process is in or holds, as far as we may look."""
    found = set()
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                found |= {str((process / "ns/net").readlink()), *namespaces_of(int(process.name))}
            except OSError:
                continue
    return found


def ended(pid: int) -> bool:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if not Path(f"/proc/{pid}").exists() or " Z " in Path(f"/proc/{pid}/stat").read_text():
            return True
        time.sleep(0.02)
    return False


def test_two_labs_at_once_do_not_see_each_other(labs):
    labs.said("up", "-", "--name", "one", given=ONE)
    labs.said("up", "-", "--name", "other", given=OTHER)
    assert [line.split()[0] for line in labs.said("list").splitlines()] == ["one", "other"]
    assert {e["src"] for e in labs.probes("--name", "one")} & {"a/one", "a/other"} == {"a/one"}
    labs.inside("a/one", "true", status=125, name="other")
    assert labs.said("down", "--all").splitlines() == ["one is down", "other is down"]
    assert labs.said("list") == ""


def test_a_killed_daemon_leaves_nothing(labs):
    labs.said("up", "-", given=ONE)
    pid = labs.pid()
    mine = namespaces_of(pid)
    assert len(mine) > 3
    assert mine <= held()
    os.kill(pid, signal.SIGKILL)
    assert ended(pid)
    assert not mine & held()
    assert labs.said("list") == ""
    assert not (labs.runtime / "podfence" / "lab").exists()


def test_a_name_is_free_again_after_a_kill(labs):
    labs.said("up", "-", given=ONE)
    os.kill(labs.pid(), signal.SIGKILL)
    assert ended(labs.pid())
    assert labs.said("up", "-", given=ONE).startswith("lab is up")
    labs.said("down")


def test_a_lab_ends_with_the_process_it_was_tied_to(labs):
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        labs.said("up", "-", "--until-exit", str(other.pid), given=ONE)
        pid = labs.pid()
    finally:
        other.kill()
        other.communicate()
    assert ended(pid)
    assert labs.said("list") == ""


def test_a_name_is_started_once_however_many_try(labs):
    command = [sys.executable, "-c", MAIN, "lab", "up", "-"]
    tries = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         env=labs.environment)
        for _ in range(3)
    ]  # fmt: skip
    for each in tries:
        each.stdin.write(ONE)
        each.stdin.close()
    assert sorted(each.wait(timeout=60) for each in tries) == [0, 2, 2]
    for each in tries:
        each.stdout.close()
        each.stderr.close()
    labs.said("down")


def test_a_directory_that_others_can_enter_is_refused(labs, tmp_path):
    elsewhere = Labs(tmp_path / "run")
    (elsewhere.runtime / "podfence").mkdir(mode=0o755)
    assert "not a directory of yours alone" in elsewhere.run("up", "-", given=ONE, status=2).stderr


def test_what_cannot_come_up_says_why_and_leaves_nothing(labs):
    said = labs.run("up", "-", "--host", "x=10.96.0.10", given=ONE, status=2).stderr
    assert "belongs to the cluster" in said
    assert labs.said("list") == ""
    assert "NAME=ADDRESS" in labs.run("up", "-", "--host", "x", given=ONE, status=2).stderr
    assert "no such process" in labs.run("up", "-", "--until-exit", "999999999", given=ONE, status=2).stderr


def program_of(pid: int, name: str) -> int:
    """The child of a process, once it has become that program."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            if Path(f"/proc/{child}/comm").read_text().strip() == name:
                return int(child)
        time.sleep(0.02)
    raise AssertionError(f"no {name} was started")


@pytest.mark.parametrize("end", ["down", "kill"])
def test_a_program_in_a_pod_ends_with_the_lab(labs, end):
    labs.said("up", "-", given=ONE)
    words = [sys.executable, "-c", MAIN, "lab", "exec", "a/one", "--", "sleep", "100"]
    with subprocess.Popen(words, env=labs.environment, stderr=subprocess.PIPE) as running:
        program = program_of(running.pid, "sleep")
        if end == "down":
            labs.said("down")
        else:
            os.kill(labs.pid(), signal.SIGKILL)
        assert running.wait(20) == 128 + signal.SIGKILL
        assert b"the lab ended" in running.stderr.read()
    assert ended(program)


def test_a_program_in_a_pod_ends_with_the_command_that_started_it(labs):
    labs.said("up", "-", given=ONE)
    words = [sys.executable, "-c", MAIN, "lab", "exec", "a/one", "--", "sleep", "100"]
    with subprocess.Popen(words, env=labs.environment) as running:
        program = program_of(running.pid, "sleep")
        running.kill()
        running.wait(20)
    assert ended(program)
