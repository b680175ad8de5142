"""The lab's pure parts: what is sent, said, planned and edited."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfence.errors import PodfenceError, UsageError
from podfence.lab import services, wire
from podfence.lab.answers import Speech, reply
from podfence.lab.desired import Desired, applied, deleted, labelled, restarted, scaled
from podfence.lab.kinds import references
from podfence.lab.settling import Settled, settle
from podfence.lab.telling import connections
from podfence.lab.topology import OUTSIDE, difference, host_place, node_place, plan, pod_place
from podfence.manifests.loaded import Manifests
from podfence.model.address import address, network
from podfence.model.change import snapshot
from podfence.model.cluster import ContainerPort, Node, Pod, Service, ServicePort, Template
from podfence.model.policy import Direction, NetworkPeer, PodSelection, Policy, Rule
from podfence.model.ports import Protocol
from strategies import worlds

WEB = Template(
    "a", "Deployment", "web", {"app": "web"}, (ContainerPort("http", Protocol.TCP, 80),), replicas=2
)
DB = Template("a", "StatefulSet", "db", {"app": "db"}, first_ordinal=0)
SERVICE = Service("a", "web", (ServicePort("", Protocol.TCP, 80, "http"),), {"app": "web"})


def held(*things) -> Desired:
    objects = tuple(t for t in things if not isinstance(t, Template))
    return applied(Desired(), Manifests(objects, tuple(t for t in things if isinstance(t, Template))))[0]


@given(worlds())
def test_a_snapshot_survives_the_wire(world):
    assert wire.decode(json.loads(json.dumps(wire.encode(world)))) == world


@pytest.mark.parametrize(
    "content", [["Pod"], ["os.system", ["x"]], ["Pod", [1]], [1, 2, 3], ["kind", "str"], [[], []]]
)
def test_nothing_but_model_values_comes_off_the_wire(content):
    with pytest.raises(ValueError, match="not a value of the model"):
        wire.decode(content)


def test_http_is_answered_with_pod_and_path_or_with_what_was_set():
    whole = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    assert reply(Speech("a/b"), whole).content.endswith(b"\r\n\r\na/b /health\n")
    assert reply(Speech("a/b", body="OK"), whole).content.endswith(b"\r\n\r\nOK\n")
    assert not reply(Speech("a/b"), whole).ends
    assert reply(Speech("a/b"), whole.replace(b"1.1", b"1.0")).ends
    assert reply(Speech("a/b"), whole[:-2]).content == b""


@given(st.binary(max_size=300))
def test_whatever_arrives_is_answered_or_waited_for(arrived):
    said = reply(Speech("a/b"), arrived)
    assert said.used <= len(arrived)
    assert said.content or said.used == 0


def test_a_plan_puts_each_pod_behind_its_node():
    world = snapshot([
        Node("n", addresses=(address("192.0.2.1"),)),
        Pod("a", "x", addresses=(address("10.0.0.1"),), node="n"),
        Pod("a", "host", addresses=(address("192.0.2.1"),), node="n", host_network=True),
        Pod("a", "done", addresses=(address("10.0.0.9"),), node="n", finished=True),
    ])  # fmt: skip
    planned = plan(world, [address("198.51.100.1")])
    assert {place: s.router for place, s in planned.stations.items()} == {
        pod_place(world.pods["a", "x"]): node_place("n"),
        host_place(address("198.51.100.1")): OUTSIDE,
    }
    assert planned.home(world.pods["a", "host"]) == node_place("n")


def test_stations_move_with_their_node_and_nobody_else_moves():
    stays, goes = (
        Pod("a", n, addresses=(address(f"10.0.0.{i}"),), node=n) for i, n in ((1, "one"), (2, "two"))
    )
    one, two = Node("one", addresses=(address("192.0.2.1"),)), Node("two", addresses=(address("192.0.2.2"),))
    old = plan(snapshot([one, two, stays, goes]))
    steps = difference(
        old, plan(snapshot([one, replace(two, addresses=(address("192.0.2.3"),)), stays, goes]))
    )
    assert [s.place for s in steps.gone] == [s.place for s in steps.come] == [pod_place(goes)]
    assert difference(old, old) == difference(plan(snapshot([])), plan(snapshot([])))


def test_no_edit_moves_who_runs_already():
    first = settle(held(WEB, DB, SERVICE), Settled())
    where = first.snapshot.pods["a", "db-0"].addresses[0]
    rule = Rule((NetworkPeer(network(f"{where}/32")),))
    naming = Policy("a", "p", PodSelection("a"), frozenset({Direction.EGRESS}), egress=(rule,))
    second = settle(held(WEB, DB, SERVICE, naming, replace(WEB, name="more")), first)
    for key, pod in first.snapshot.pods.items():
        assert second.snapshot.pods[key].addresses == pod.addresses
    assert second.snapshot.services["a", "web"] == first.snapshot.services["a", "web"]


def test_a_restart_gives_new_pods_new_addresses():
    first = settle(held(WEB), Settled())
    edited, done = restarted(held(WEB), ("Deployment", "a", "web"))
    second = settle(edited, first)
    mine = [{p.addresses for p in s.snapshot.pods.values() if p.namespace == "a"} for s in (first, second)]
    assert not mine[0] & mine[1]
    assert len(mine[1]) == 2
    assert done[0].line == "deployment.apps/web restarted"
    assert applied(edited, Manifests((), (WEB,)))[1][0].what == "unchanged"


def test_scaling_and_deleting_are_what_kubectl_makes_of_them():
    none, _ = scaled(held(WEB), ("Deployment", "a", "web"), 0)
    assert {p.namespace for p in settle(none, Settled()).snapshot.pods.values()} == {"kube-system"}
    left, _ = deleted(held(WEB, DB, SERVICE), [("Namespace", "", "a")])
    assert not left.things
    with pytest.raises(PodfenceError, match="has no pod template"):
        scaled(held(SERVICE), ("Service", "a", "web"), 1)


def test_a_label_that_is_there_is_not_overwritten_by_accident():
    key = ("Pod", "a", "x")
    with pytest.raises(PodfenceError, match="--overwrite"):
        labelled(Desired(), key, {"app": "x"}, {"app": "y"}, overwrite=False)
    same, done = labelled(Desired(), key, {"app": "x"}, {"app": "x"}, overwrite=False)
    assert done[0].what == "not labeled"
    assert same.labels[key] == {"app": "x"}


def test_references_are_read_as_kubectl_reads_them():
    assert references(("netpol", "a", "b")) == [("NetworkPolicy", "a"), ("NetworkPolicy", "b")]
    assert references(("deploy/a", "po/b")) == [("Deployment", "a"), ("Pod", "b")]
    with pytest.raises(UsageError, match="did you mean"):
        references(("deploymant/a",))


def test_a_service_is_spread_evenly_and_only_its_own_nodes_pods_are_masqueraded():
    pods = [Pod("a", f"p{n}", {"app": "web"}, (address(f"10.0.0.{n}"),), f"n{n % 2}",
                (ContainerPort("http", Protocol.TCP, 8000 + n),)) for n in (1, 2, 3)]  # fmt: skip
    table = services.table(snapshot([*pods, replace(SERVICE, addresses=(address("10.96.0.1"),))]), "n1")
    (spread,) = (chain for name, chain in table.chains.items() if name.startswith("spread"))
    assert [str(rule[-1]) for rule in spread.rules] == [
        f"dnat ip to 10.0.0.{n}:{8000 + n}" for n in (1, 2, 3)
    ]
    assert [str(rule[1]) for rule in spread.rules[:-1]] == ["numgen random mod 3 0", "numgen random mod 2 0"]
    assert set(table.sets["selves4"].elements) == {bytes(pods[0].addresses[0]), bytes(pods[2].addresses[0])}


def test_ports_are_told_together():
    assert connections([(Protocol.TCP, 53), (Protocol.UDP, 53)]) == "TCP, UDP 53"
    assert connections([(Protocol.TCP, 80), (Protocol.TCP, 443), (Protocol.UDP, 53)]) == "TCP 80,443; UDP 53"
