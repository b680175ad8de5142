"""A probe can fail: what it says comes from packets, not from the policies."""

import asyncio
import contextlib
import io
import os
import pty
import sys

import pytest
from labs import MAIN, manifests, pod, policy

from podfence.cli import lab_text
from podfence.lab import matrix
from podfence.lab.desired import Desired, applied
from podfence.lab.running import Running
from podfence.lab.topology import node_place
from podfence.manifests.loaded import Manifests
from podfence.model.cluster import ContainerPort, Pod
from podfence.model.policy import Direction, PodSelection, Policy
from podfence.model.ports import Protocol
from sandbox import in_sandbox, run

TCP, UDP = Protocol.TCP, Protocol.UDP
PORTS = (ContainerPort("", TCP, 80), ContainerPort("", UDP, 53))
PODS = tuple(Pod("a", name, {"app": name}, ports=PORTS) for name in ("one", "two"))
DENY = Policy("a", "deny", PodSelection("a"), frozenset({Direction.INGRESS}))


async def _started() -> Running:
    running = Running({})
    assert await running.start(applied(Desired(), Manifests(PODS))[0]) == []
    await running.change(lambda held, _: applied(held, Manifests((DENY,))))
    return running


async def _measured(running: Running) -> dict[tuple[str, str, int], tuple[str, str, str]]:
    ends = [end for end in running.ends() if end.title in {"a/one", "a/two"}]
    asked = list(matrix.direct(ends, ends))
    found = matrix.answers(running.snapshot, asked, await running.prober.measure([a.probe for a in asked]))
    return {(a.source, a.destination, a.port): (a.expected, a.measured, a.reason) for a in found}


def _lab(scenario):
    async def play():
        running = await _started()
        try:
            await scenario(running)
        finally:
            running.close()

    asyncio.run(play())


@in_sandbox
def test_denied_is_what_the_log_shows():
    async def scenario(running):
        assert set((await _measured(running)).values()) == {("denied", "denied", "")}

    _lab(scenario)


@in_sandbox
def test_without_the_rules_the_packet_arrives_and_that_is_told():
    async def scenario(running):
        for name in running.snapshot.nodes:
            with running.fabric.inside(node_place(name)):
                run("nft delete table inet podfence")
        # Before the loop has seen that somebody else wrote, which would repair it.
        assert {m[:2] for m in (await _measured_at_once(running)).values()} == {("denied", "allowed")}

    _lab(scenario)


async def _measured_at_once(running: Running):
    for name in tuple(running.enforcers._nodes):
        running.enforcers.end(name)
    return await _measured(running)


@in_sandbox
def test_a_table_somebody_else_removed_is_put_back():
    async def scenario(running):
        for name in running.snapshot.nodes:
            with running.fabric.inside(node_place(name)):
                run("nft delete table inet podfence")
        await asyncio.sleep(0.2)
        assert {m[1] for m in (await _measured(running)).values()} == {"denied"}

    _lab(scenario)


@in_sandbox
def test_silence_is_an_error_and_not_a_denial():
    async def scenario(running):
        for name in running.snapshot.nodes:
            with running.fabric.inside(node_place(name)):
                run("nft add table inet other")
                run("nft add chain inet other raw { type filter hook prerouting priority -300 ; }")
                run("nft add rule inet other raw meta l4proto udp drop")
        found = await _measured(running)
        assert {m[1] for (*_, port), m in found.items() if port == 80} == {"denied"}
        assert {m[1:] for (*_, port), m in found.items() if port == 53} == {
            ("error", "neither arrived nor seen in the drop log")
        }

    _lab(scenario)


@in_sandbox
def test_a_port_that_nobody_listens_at_is_an_error_with_its_reason():
    async def scenario(running):
        await running.change(
            lambda held, _: (Desired({k: v for k, v in held.things.items() if v != DENY}), ())
        )
        ends = [end for end in running.ends() if end.title in {"a/one", "a/two"}]
        running.listeners.close([key for key in running.listeners.wanted() if key[2] == 80])
        asked = [a for a in matrix.direct(ends, ends) if a.probe.port == 80]
        found = await running.prober.measure([a.probe for a in asked])
        assert {(m.verdict, m.reason) for m in found} == {("error", "Connection refused")}

    _lab(scenario)


@pytest.mark.parametrize(
    ("expected", "measured", "status"),
    [("allowed", "allowed", 0), ("denied", "allowed", 1), ("allowed", "denied", 1), ("denied", "error", 2)],
)
def test_the_exit_status_tells_differences_from_errors(expected, measured, status):
    assert lab_text.probe_status({"probes": [{"expected": expected, "measured": measured}]}) == status


@pytest.mark.kernel
def test_on_a_terminal_a_failure_is_followed_by_its_denial(labs):
    labs.said("up", "-", "--name", "tty", given=manifests(pod("a", "one", "80"), pod("a", "two", "80")))
    deny = policy("a", "deny", podSelector={}, policyTypes=["Egress"])
    labs.said("apply", "-f", "-", "--name", "tty", given=manifests(deny))
    words = ["lab", "exec", "--name", "tty", "a/one", "--", "curl", "-s", "-m", "1", "http://x.a/"]
    child, terminal = pty.fork()
    if child == 0:
        os.execve(sys.executable, [sys.executable, "-c", MAIN, *words], labs.environment)
    said = io.BytesIO()
    with contextlib.suppress(OSError):  # a terminal whose other side is closed ends with an error
        while part := os.read(terminal, 4096):
            said.write(part)
    os.close(terminal)
    _, ended = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(ended) == 28
    assert (
        "denied  a/one → kube-system/coredns UDP 53  by a/deny (egress; it has no rules)"
        in said.getvalue().decode()
    )


@pytest.mark.kernel
def test_pods_on_the_host_network_are_their_node_and_finished_ones_nobody(labs):
    done = {**pod("a", "done", "80"), "status": {"phase": "Succeeded"}}
    given = manifests(
        pod("a", "proxy", "8080", hostNetwork=True),
        pod("a", "one", "80", "132/SCTP"),
        pod("a", "two", "80"),
        done,
    )
    told = labs.said("up", "-", "--name", "host", given=given)
    assert "SCTP ports are not listened at" in told
    labs.said(
        "apply", "-f", "-", "--name", "host", given=manifests(policy("a", "deny", podSelector={}, ingress=[]))
    )
    found = labs.probes("--name", "host")
    assert "a/done" not in {each["src"] for each in found}
    assert all(each["expected"] == each["measured"] for each in found)
    to_proxy = {each["measured"] for each in found if each["dst"] == "a/proxy"}
    from_proxy = {
        each["measured"] for each in found if each["src"] == "a/proxy" and each["dst"] in {"a/one", "a/two"}
    }
    assert to_proxy == {"allowed"}
    assert from_proxy
    labs.said("down", "--name", "host")
