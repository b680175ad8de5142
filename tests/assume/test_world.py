"""A world derived from policies has somebody on both sides of every clause."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfence.manifests.assume import complete
from podfence.manifests.contrast import listeners, matching, near_misses, numbers_for_names
from podfence.manifests.loaded import Manifests
from podfence.manifests.world import MOST_PODS, derive, selections
from podfence.model.change import snapshot
from podfence.model.cluster import Namespace, Pod
from podfence.model.flow import Flow
from podfence.model.labels import NAMESPACE_NAME_LABEL, Operator, Selector, requirement, selector
from podfence.model.policy import Direction, PodSelection, Policy, Rule
from podfence.model.ports import PortMatch, PortRange, Protocol
from podfence.semantics import matches_ports
from profiles import examples
from strategies import namespace_selectors, policies, selectors

steady = examples(200)
few = examples(50)


def isolating(subject, *rules, name="p"):
    """A policy of namespace x for ingress."""
    return Policy("x", name, PodSelection("x", subject), frozenset({Direction.INGRESS}), ingress=rules)


def one_peer(peer):
    return isolating(Selector(), Rule((peer,)))


def label_sets(found: Selector):
    """Every labelling of the selector's keys that it could tell apart: absent, each value, another value."""
    values = {r.key: [None, "other"] for r in found.requirements}
    for r in found.requirements:
        values[r.key] += r.values
    for chosen in product(*values.values()):
        yield {key: value for key, value in zip(values, chosen, strict=True) if value is not None}


@steady
@given(selectors())
def test_labels_that_match_are_found_whenever_there_are_any(wanted):
    found = matching(wanted)
    possible = [labels for labels in label_sets(wanted) if wanted.matches(labels)]
    assert (found is not None) == bool(possible)
    assert found is None or wanted.matches(found)


@steady
@given(selectors())
def test_a_near_miss_breaks_the_selector_and_as_little_as_it_can(wanted):
    if matching(wanted) is None:
        return
    misses = list(near_misses(wanted))
    assert len(misses) == len(wanted.requirements)
    for broken, labels in zip(wanted.requirements, misses, strict=True):
        assert not broken.matches(labels)
        kept = [r for r in wanted.requirements if r.key != broken.key]
        assert Selector(tuple(kept)).matches(labels)


def sides(world, selection):
    seen = snapshot(world.objects)
    return {seen.selects(selection, pod) for pod in seen.pods.values()}


@steady
@given(st.builds(PodSelection, st.one_of(st.sampled_from("xy"), namespace_selectors()), selectors()))
def test_one_peer_has_a_pod_on_each_side_that_can_exist(peer):
    spaces = Selector() if isinstance(peer.namespaces, str) else peer.namespaces
    names = [{NAMESPACE_NAME_LABEL: "other"}]
    named = [labels for labels in label_sets(spaces) if NAMESPACE_NAME_LABEL in labels]
    spaces_possible = named or [labels | names[0] for labels in label_sets(spaces)]
    possible = {
        spaces.matches(n) and peer.pods.matches(p) for n in spaces_possible for p in label_sets(peer.pods)
    }
    if isinstance(peer.namespaces, str):
        possible.add(False)
    if True in possible:
        assert possible <= sides(derive([one_peer(peer)]), peer)
    else:
        assert sides(derive([one_peer(peer)]), peer) == {False}


@few
@given(st.lists(policies(), min_size=1, max_size=3))
def test_what_several_policies_make_impossible_together_is_said(found):
    world = derive(found)
    for policy in snapshot(found).policies.values():
        for selection in selections(policy):
            if sides(world, selection) != {True, False} and selection != PodSelection():
                assert any(str(selection) in note for note in world.notes)


@few
@given(st.lists(policies(), min_size=1, max_size=3))
def test_the_world_does_not_depend_on_the_order_of_policies(found):
    unique = list(snapshot(found).policies.values())
    assert derive(unique) == derive(unique[::-1])


@few
@given(st.lists(policies(), min_size=1, max_size=2))
def test_a_subject_listens_on_both_sides_of_each_port_of_its_ingress_rules(found):
    world = complete(Manifests(tuple(snapshot(found).policies.values())))
    for policy in world.policies.values():
        subjects = [pod for pod in world.pods.values() if world.selects(policy.subject, pod)]
        entries = {entry for rule in policy.rules(Direction.INGRESS) for entry in rule.ports or ()}
        for entry in entries if subjects else ():
            assert any(judged(world, pod, Rule(None, (entry,))) == {True, False} for pod in subjects)


def judged(world, pod, rule):
    address = pod.addresses[0]
    flows = [Flow(address, address, port.protocol, port.number) for port in pod.ports]
    return {matches_ports(world, rule, flow) for flow in flows}


def test_an_egress_rule_gives_its_peers_and_their_neighbours_listeners():
    web = PodSelection("x", selector(app="web"))
    rule = Rule((web,), (PortMatch(Protocol.TCP, PortRange(8000, 8002)),))
    egress = Policy("x", "p", PodSelection("x"), frozenset({Direction.EGRESS}), egress=(rule,))
    pods = {value.name: value for value in derive([egress]).objects if isinstance(value, Pod)}
    for name in ("web", "not-web"):
        listened = {(port.protocol, port.number) for port in pods[name].ports}
        assert listened >= {(Protocol.TCP, n) for n in (8000, 8002, 8003)} | {(Protocol.UDP, 8000)}


def test_a_port_beyond_the_last_is_the_one_before_the_first():
    found = set(listeners((PortMatch(Protocol.TCP, PortRange(60000, 65535)),), {}))
    assert {port.number for port in found if port.protocol == Protocol.TCP} == {59999, 60000, 65535}


def test_names_get_numbers_that_no_rule_names():
    entries = [PortMatch(Protocol.TCP, "http"), PortMatch(Protocol.TCP, PortRange(8080, 8090))]
    assert numbers_for_names([*entries, PortMatch(Protocol.UDP, "dns")]) == {"dns": 8091, "http": 8092}


def test_the_right_labels_in_the_wrong_namespace_are_a_near_miss():
    pods = {
        (value.namespace, value.name)
        for value in derive([isolating(selector(role="db"))]).objects
        if isinstance(value, Pod)
    }
    assert pods == {("x", "db"), ("x", "not-db"), ("elsewhere", "db")}


@pytest.mark.parametrize(
    ("wanted", "miss"),
    [
        (requirement("team", Operator.EXISTS), {}),
        (requirement("team", Operator.DOES_NOT_EXIST), {"team": "team"}),
        (requirement("team", Operator.NOT_IN, "a", "b"), {"team": "b"}),
        (requirement("team", Operator.IN, "a", "b"), {"team": "not-a"}),
        (requirement("team", Operator.IN, ""), {"team": "team"}),
    ],
)
def test_each_operator_is_missed_narrowly(wanted, miss):
    assert list(near_misses(Selector((wanted,)))) == [miss]


def test_a_namespace_asked_for_by_name_is_one_with_that_name():
    peer = PodSelection(selector(requirement(NAMESPACE_NAME_LABEL, Operator.IN, "kube-system")))
    names = {value.name for value in derive([one_peer(peer)]).objects if isinstance(value, Namespace)}
    assert names == {"x", "elsewhere", "kube-system", "not-kube-system"}


def test_contradictions_are_said():
    never = selector(requirement("a", Operator.EXISTS), requirement("a", Operator.DOES_NOT_EXIST))
    assert derive([isolating(never)]).notes == ("x/p: no derived pod matches pods !a, a in namespace x",)


def test_a_large_world_is_cut_off_and_says_so():
    many = [isolating(selector(app=f"a{n}"), name=f"p{n}") for n in range(100)]
    world = derive(many)
    assert sum(isinstance(value, Pod) for value in world.objects) == MOST_PODS
    assert "cut off at 60 pods: 240" in world.notes[0]


def test_hostile_label_values_become_harmless_names():
    long = "A" * 63
    pods = [p for p in derive([isolating(selector(a=long, b="..", c="x_y.Z"))]).objects if isinstance(p, Pod)]
    assert all(
        pod.name.replace("-", "").isalnum() and pod.name.islower() and len(pod.name) <= 50 for pod in pods
    )
    assert len({pod.key for pod in pods}) == len(pods)
