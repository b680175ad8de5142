"""A requirement holds where every flow is as it says; where not, the example is a flow that is not."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from podfence.analysis.questions import PortAsked
from podfence.analysis.requirements import Must, Requirement, judge
from podfence.analysis.selecting import EndAsked
from podfence.analysis.workloads import listed
from podfence.model.address import AddressRange
from podfence.model.flow import Flow, Verdict
from podfence.model.ports import PortRange, Protocol
from podfence.semantics import decide
from profiles import examples
from strategies import BLOCKS, NAMESPACES, OUTSIDE, protocols_asked, selectors, worlds

PORTS = (
    PortAsked(Protocol.TCP, PortRange(80, 80)),
    PortAsked(Protocol.TCP, PortRange(80, 81)),
    PortAsked(Protocol.UDP),
    PortAsked(None, name="http"),
    PortAsked(Protocol.ICMP, None),
)


def ends():
    blocks = st.sampled_from([AddressRange(each.base, each.last) for each in BLOCKS])
    return st.one_of(
        st.just(EndAsked("anyone", anyone=True)),
        st.just(EndAsked("outside", outside=True)),
        st.sampled_from(NAMESPACES).map(lambda name: EndAsked(name, namespaces=(name,))),
        selectors().map(lambda labels: EndAsked("pods", pods=labels)),
        blocks.map(lambda block: EndAsked("block", addresses=(block,))),
    )


def requirements():
    ports = st.lists(st.sampled_from(PORTS), min_size=1, max_size=2, unique=True).map(tuple)
    either = st.sampled_from([Must.REACH, Must.NOT_REACH])
    return st.one_of(
        st.builds(Requirement, st.just("r"), ends(), ends(), either, st.one_of(st.just(()), ports)),
        st.builds(Requirement, st.just("r"), ends(), ends(), st.just(Must.REACH_ONLY), ports),
    )


def members(world, end):
    """Pods, and the addresses outside that flows are asked about."""
    pods = [pod for pod in listed(world.pods.values()) if _in(world, end, pod)]
    hosts = [
        host for host in OUTSIDE if end.anyone or end.outside or any(host in each for each in end.addresses)
    ]
    return [*pods, *hosts]


def _in(world, end, pod):
    alone = any(AddressRange(a, a) in end.addresses for a in pod.addresses)
    labels = end.pods is not None and end.pods.matches(pod.labels)
    return end.anyone or alone or pod.namespace in end.namespaces or labels


def addresses(member):
    return member.addresses if hasattr(member, "addresses") else (member,)


def asked(required, destination, family):
    """Every (protocol, port) that is asked about, and whether the requirement means it."""
    for protocol, port in protocols_asked(family):
        meant = [_means(each, destination, protocol, port) for each in required.ports]
        unported = required.must is Must.REACH and port is None
        yield protocol, port, any(meant) if required.ports else not unported


def _means(port, destination, protocol, number):
    if port.name:
        declared = getattr(destination, "ports", ())
        return any(
            (each.name, each.protocol, each.number) == (port.name, protocol, number) for each in declared
        )
    if port.ports is None:
        return number is None
    return protocol == port.protocol and number is not None and number in port.ports


def violations(world, required):
    """Pairs of members with a flow that is not as required: any address of one family for a reachable port."""
    for source, destination in product(members(world, required.source), members(world, required.destination)):
        if source == destination or not (hasattr(source, "key") or hasattr(destination, "key")):
            continue
        for family in (4, 6):
            pairs = [
                (a, b)
                for a, b in product(addresses(source), addresses(destination))
                if a.family == b.family == family
            ]
            meant = list(asked(required, destination, family))
            if not pairs or (required.must is not Must.NOT_REACH and not any(each[2] for each in meant)):
                continue
            for protocol, port, wanted in meant:
                flows = [Flow(*pair, protocol, port) for pair in pairs]
                passes = any(decide(world, flow).verdict is Verdict.ALLOWED for flow in flows)
                must = wanted and required.must is not Must.NOT_REACH
                may_not = (
                    wanted
                    if required.must is Must.NOT_REACH
                    else required.must is Must.REACH_ONLY and not wanted
                )
                if (must and not passes) or (may_not and passes):
                    yield source, destination, protocol, port


@examples(150)
@given(worlds(), requirements())
def test_no_flow_is_wrong_where_a_requirement_holds(world, required):
    [outcome] = judge(world, (required,))
    if outcome.holds:
        assert not list(violations(world, required))


@examples(150)
@given(worlds(), requirements())
def test_the_example_is_a_flow_that_is_not_as_required(world, required):
    [outcome] = judge(world, (required,))
    if outcome.example:
        assert not outcome.holds
        verdict = Verdict.DENIED if required.must is Must.REACH else Verdict.ALLOWED
        found = decide(world, outcome.example.flow).verdict
        assert found is outcome.example.verdict
        assert required.must is Must.REACH_ONLY or found is verdict


@examples(100)
@given(worlds(), requirements())
def test_whoever_speaks_of_nobody_does_not_hold(world, required):
    [outcome] = judge(world, (required,))
    if not outcome.pairs:
        assert not outcome.holds
        assert outcome.reason
