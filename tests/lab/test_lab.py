"""From up to down, as people do it: real packets, real programs."""

import json
import re
import subprocess
import sys

import pytest
from labs import MAIN, manifests, pod, policy

pytestmark = pytest.mark.kernel

WORLD = manifests(
    pod("shop", "web", "http:8080", "9000/UDP"),
    pod("shop", "db", "5432"),
    pod("other", "client", "8080"),
)
DENY = manifests(policy("shop", "deny", podSelector={"matchLabels": {"app": "db"}}, policyTypes=["Ingress"]))
ALLOW = manifests(
    policy(
        "shop",
        "deny",
        podSelector={"matchLabels": {"app": "db"}},
        ingress=[{"from": [{"podSelector": {"matchLabels": {"role": "reader"}}}]}],
    )
)


@pytest.fixture(scope="module")
def lab(labs):
    """The world without policies; every test leaves it so."""
    said = labs.said("up", "-", given=WORLD)
    assert re.match(r"lab is up: 2 nodes, 4 pods, 1 service, no policies \(\d+\.\d s\)\n", said)
    return labs


@pytest.fixture
def denied(lab):
    yield lab.said("apply", "-f", "-", given=DENY)
    lab.said("delete", "networkpolicy", "-A", "--all")


def test_without_policies_everyone_reaches_everyone(lab):
    found = lab.probes()
    assert {each["measured"] for each in found} == {"allowed"}
    assert {(each["src"], each["dst"]) for each in found} >= {
        ("shop/web", "shop/db"),
        ("192.0.2.1", "shop/db"),
    }
    assert {(each["port"], each["protocol"]) for each in found if each["dst"] == "shop/web"} == {
        (8080, "TCP"),
        (9000, "UDP"),
    }
    assert any(each["families"] == [4, 6] for each in found)


def test_a_policy_changes_exactly_what_it_says(lab, denied):
    lines = denied.splitlines()
    assert lines[0] == "networkpolicy.networking.k8s.io/deny created  (namespace shop)"
    assert re.fullmatch(r"in force on both nodes after \d+\.\d ms", lines[1])
    assert lines[2].startswith("5 of ")
    assert sum("allowed → denied" in line for line in lines) == 5
    for each in lab.probes():
        assert (each["measured"] == "denied") == (each["dst"] == "shop/db"), each
        assert each["expected"] == each["measured"]


def test_a_label_opens_what_the_policy_allows(lab, denied):
    lab.said("apply", "-f", "-", given=ALLOW)
    said = lab.said("label", "pod/web", "-n", "shop", "role=reader")
    assert "shop/web → shop/db  TCP 5432  denied → allowed" in said
    assert {e["src"] for e in lab.probes("--to", "shop/db") if e["measured"] == "allowed"} == {"shop/web"}
    refused = lab.run("label", "pod", "web", "-n", "shop", "role=writer", status=2).stderr
    assert "add --overwrite" in refused
    lab.said("label", "pod", "web", "-n", "shop", "role-")
    assert {e["measured"] for e in lab.probes("--to", "shop/db")} == {"denied"}


def test_denial_is_silence_and_a_reply_is_http(lab, denied):
    assert lab.inside("other/client", "curl", "-s", "-m", "5", "http://web.shop.svc.x", status=6) == ""
    address = _address(lab, "shop/web")
    assert lab.inside("other/client", "curl", "-s", f"http://{address}:8080/path") == "shop/web /path\n"
    lab.inside("other/client", "curl", "-s", "-m", "1", f"http://{_address(lab, 'shop/db')}:5432/", status=28)


def test_exit_status_and_streams_are_the_programs(lab):
    assert lab.inside("shop/web", "sh", "-c", "exit 7", status=7) == ""
    assert lab.run("exec", "shop/web", "--", "cat", given="through").stdout == "through"
    assert lab.inside("shop/web", "/etc/hostname", status=126) == ""
    assert lab.inside("shop/web", "no-such-program", status=127) == ""
    assert lab.inside("shop/nobody", "true", status=125) == ""
    assert lab.inside("shop/web", "hostname") == "web\n"


def test_the_pods_resolver_is_its_own(lab):
    said = lab.inside("shop/web", "cat", "/etc/resolv.conf")
    assert said.splitlines() == [
        "nameserver 10.96.0.10",
        "search shop.svc.cluster.local svc.cluster.local cluster.local",
        "options ndots:5",
    ]


@pytest.mark.parametrize("port", [8080, 5432])
def test_who_waits_to_be_spoken_to_is_spoken_to(lab, port):
    """A telnet says nothing first."""
    name = "shop/web" if port == 8080 else "shop/db"
    script = f"import socket; s = socket.create_connection(('{_address(lab, name)}', {port}), 5); print(s.recv(99))"
    assert lab.inside("other/client", sys.executable, "-c", script) == f"b'{name}\\n'\n"


def test_a_datagram_is_answered(lab):
    script = (
        "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5); "
        f"s.sendto(b'hello', ('{_address(lab, 'shop/web')}', 9000)); print(s.recv(99))"
    )
    assert lab.inside("other/client", sys.executable, "-c", script) == "b'shop/web\\n'\n"


def test_a_live_connection_is_cut_and_told(lab):
    script = (
        "import socket, sys; s = socket.create_connection(('{}', 5432), 5); print('open', flush=True); "
        "s.settimeout(1.5); sys.stdin.readline(); s.sendall(b'again\\n'); print(s.recv(99))"
    )
    command = [sys.executable, "-c", MAIN, "lab", "exec", "other/client", "--"]
    held = subprocess.Popen(
        [*command, sys.executable, "-c", script.format(_address(lab, "shop/db"))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=lab.environment,
    )  # fmt: skip
    try:
        assert held.stdout.readline() == "open\n"
        said = lab.said("apply", "-f", "-", given=DENY)
        assert "1 live connection cut" in said
        assert "cut  other/client → shop/db TCP 5432" in said
        out, err = held.communicate("\n", timeout=20)
        # What the listener said before the cut may still be unread; nothing comes after it.
        assert held.returncode == 1 or out == "b'shop/db\\n'\n", (out, err)
    finally:
        held.kill()
        held.wait()
        lab.said("delete", "networkpolicy", "-A", "--all")


def test_a_refused_file_changes_nothing(lab):
    before = json.loads(lab.said("status", "-o", "json"))["policies"]
    bad = manifests(policy("shop", "bad", podSelector={}, ingress=[{"ports": [{"port": 0}]}]))
    assert "must be between 1 and 65535" in lab.run("apply", "-f", "-", given=bad, status=2).stderr
    assert json.loads(lab.said("status", "-o", "json"))["policies"] == before


def test_a_new_pod_is_judged_from_its_first_packet(lab, denied):
    said = lab.said("apply", "-f", "-", given=manifests(pod("other", "late", "8080")))
    assert "new:  other/late" in said
    assert {e["measured"] for e in lab.probes("--from", "other/late", "--to", "shop/db")} == {"denied"}
    assert "gone: other/late" in lab.said("delete", "pod/late", "-n", "other")


def test_a_running_lab_is_a_source(lab, denied):
    ended = subprocess.run(
        [sys.executable, "-c", MAIN, "explain", "lab:", "--from", "other/client", "--to", "shop/db", "--port", "5432"],
        capture_output=True, text=True, timeout=30, env=lab.environment, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout.split()[0]) == (1, "DENIED"), ended


def test_up_on_a_running_name_names_the_way_out(lab):
    assert "podfence lab down" in lab.run("up", "-", given=WORLD, status=2).stderr


def _address(lab, name: str) -> str:
    ends = json.loads(lab.said("status", "-o", "json"))["ends"]
    return next(end["addresses"][0] for end in ends if end["name"] == name)
