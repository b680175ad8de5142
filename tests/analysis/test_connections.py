"""Connections are what every single flow says: between pods, workloads, namespaces and the outside, in both families."""

from dataclasses import replace
from itertools import pairwise, product

from hypothesis import given
from hypothesis import strategies as st

from podfence.analysis.connections import NOTHING, View, connections
from podfence.analysis.reach import Reach
from podfence.analysis.workloads import Level, workload
from podfence.compiler import compile  # noqa: A004  precedent: re.compile
from podfence.model.cluster import Owner
from podfence.model.flow import Flow, Verdict
from podfence.model.portset import NO_PORTS
from podfence.semantics import decide
from profiles import examples
from strategies import OUTSIDE, protocols_asked, worlds

BY_POD = View(by=Level.POD)


def addresses(end):
    """One address from outside for a range that has one, else those of its pods."""
    if end.addresses is None:
        return [pod.addresses for pod in end.pods]
    return [(each,) for each in OUTSIDE if each in end.addresses]


def asked(world):
    """Every pair of ends that a flow can be asked about, with what each pod may say to each: by family."""
    found = connections(world, BY_POD)
    allowed = table(found)
    for source, destination in product(found.ends, repeat=2):
        inside = source.addresses is None or destination.addresses is None
        for mine, theirs in product(addresses(source), addresses(destination)) if inside else ():
            if source != destination:
                yield allowed.get((source.title, destination.title), NOTHING), mine, theirs


def table(found):
    return {(source.title, destination.title): allowed for source, destination, allowed in found}


def by_family(mine, theirs):
    pairs = [(a, b) for a, b in product(mine, theirs) if a.family == b.family]
    return {
        family: [(a, b) for a, b in pairs if a.family == family] for family in {a.family for a, _ in pairs}
    }


@examples(100)
@given(worlds())
def test_connections_are_what_every_flow_says(world):
    for allowed, mine, theirs in asked(world):
        for family, pairs in by_family(mine, theirs).items():
            ports = allowed.families.get(family, NO_PORTS)
            for protocol, port in protocols_asked(family):
                flows = [Flow(*pair, protocol, port) for pair in pairs]
                truth = any(decide(world, flow).verdict is Verdict.ALLOWED for flow in flows)
                assert ((protocol, port) in ports) is truth, flows


@examples(100)
@given(worlds())
def test_connections_are_exact_to_the_port(world):
    reach = Reach(compile(world))
    for allowed, mine, theirs in asked(world):
        union = NO_PORTS
        for pairs in by_family(mine, theirs).values():
            for pair in pairs:
                union |= reach.ports(*pair)
        assert allowed.ports == union


def owned(world, owners):
    """The same world, its pods made by some workload."""
    pods = {
        key: replace(pod, namespace="x", owner=owner)
        for (key, pod), owner in zip(world.pods.items(), owners, strict=True)
    }
    return replace(world, pods={pod.key: pod for pod in pods.values()})


OWNERS = st.tuples(*[st.sampled_from([Owner("Deployment", "d"), Owner("Deployment", "d"), None])] * 3)


@examples(60)
@given(worlds(), OWNERS)
def test_replicas_are_one_end_only_where_all_of_them_may_say_the_same(world, owners):
    world = owned(world, owners)
    each = table(connections(world, BY_POD))
    nodes = {address for node in world.nodes.values() for address in node.addresses}
    found = connections(world)
    grouped = table(found)
    for source, destination in product(found.ends, repeat=2):
        allowed = grouped.get((source.title, destination.title), NOTHING)
        if source == destination or nodes & {a for pod in source.pods for a in pod.addresses}:
            continue
        for mine, theirs in product(titles(source), titles(destination)):
            if not (shares(source, destination)):
                assert each.get((mine, theirs), NOTHING).ports == allowed.ports, (mine, theirs)


def shares(source, destination):
    """Two pods that claim one address: the pair is particular, which replicas as a whole are not."""
    mine = {address for pod in source.pods for address in pod.addresses}
    return any(address in mine for pod in destination.pods for address in pod.addresses)


def titles(end):
    return [f"{pod.title}[Pod]" for pod in end.pods] if end.addresses is None else [end.title]


@examples(60)
@given(worlds())
def test_a_namespace_may_what_any_of_its_pods_may(world):
    expected = {}
    for source, destination, allowed in connections(world, BY_POD):
        pair = tuple(end.namespace or end.title for end in (source, destination))
        expected[pair] = expected.get(pair, NO_PORTS) | allowed.ports
    found = {
        tuple(end.namespace or end.title for end in (source, destination)): allowed.ports
        for source, destination, allowed in connections(world, View(by=Level.NAMESPACE))
    }
    assert found == {pair: ports for pair, ports in expected.items() if pair[0] != pair[1]}


@examples(100)
@given(worlds())
def test_ranges_part_the_address_space_and_neighbours_differ(world):
    found = connections(world, BY_POD)
    allowed = table(found)
    for family in (4, 6):
        ends = sorted(
            (e for e in found.ends if e.addresses and e.addresses.family == family), key=lambda e: e.addresses
        )
        if not ends:
            assert not any(a.family == family for pod in found.kinds.pods for a in pod.addresses)
            continue
        assert ends[0].addresses.first.number == 0
        assert ends[-1].addresses.last.number == 2 ** (32 if family == 4 else 128) - 1
        for left, right in pairwise(ends):
            assert left.addresses.last.number + 1 == right.addresses.first.number
            assert seen(found, allowed, left) != seen(found, allowed, right)


def seen(found, allowed, end):
    others = [other.title for other in found.ends if other.pods]
    return [(allowed.get((end.title, other)), allowed.get((other, end.title))) for other in others]


@examples(60)
@given(worlds())
def test_a_workload_is_its_pods_owner_or_the_pod(world):
    found = connections(world)
    assert sorted(pod.key for end in found.ends for pod in end.pods) == [pod.key for pod in found.kinds.pods]
    assert all(workload(pod)[0] == end.namespace for end in found.ends for pod in end.pods)
