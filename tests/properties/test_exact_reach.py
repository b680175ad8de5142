"""Who reaches whom, interval by interval, is what every single flow says; and port sets obey the laws of sets."""

from hypothesis import given
from hypothesis import strategies as st

from podfence.analysis.reach import Reach
from podfence.compiler import compile  # noqa: A004  precedent: re.compile
from podfence.model.flow import Flow, Verdict
from podfence.model.ports import LAST_PORT, WITH_PORTS, PortRange, Protocol
from podfence.model.portset import EVERY_PORT, NO_PORTS, PortSet
from podfence.semantics import decide
from profiles import examples
from strategies import every_flow, port_sets, worlds


@examples(200)
@given(worlds())
def test_reach_is_what_every_flow_says(world):
    reach = Reach(compile(world))
    for flow in every_flow(world):
        ports = reach.ports(flow.source, flow.destination, hairpin=flow.hairpin)
        assert ((flow.protocol, flow.port) in ports) is (decide(world, flow).verdict is Verdict.ALLOWED), flow


@examples(60)
@given(worlds(), st.integers(0, 10**6))
def test_reach_is_exact_at_and_beside_every_border(world, pick):
    reach, flows = Reach(compile(world)), list(every_flow(world))
    flow = flows[pick % len(flows)]
    ports = reach.ports(flow.source, flow.destination)
    for protocol in WITH_PORTS:
        for port in _borders(ports, protocol):
            asked = Flow(flow.source, flow.destination, protocol, port)
            assert ((protocol, port) in ports) is (decide(world, asked).verdict is Verdict.ALLOWED), asked


def _borders(ports, protocol):
    edges = {
        edge + step
        for r in ports.ranges.get(protocol, ())
        for edge in (r.first, r.last)
        for step in (-1, 0, 1)
    }
    return sorted({0, 1, LAST_PORT, *(port for port in edges if 0 <= port <= LAST_PORT)})


ASKED = [(protocol, port) for protocol in WITH_PORTS for port in range(20)] + [(Protocol.ICMP, None)]


@examples(200)
@given(port_sets(), port_sets())
def test_port_sets_are_sets(one, other):
    for asked in ASKED:
        mine, theirs = asked in one, asked in other
        assert (asked in one & other, asked in one | other, asked in one - other) == (
            mine and theirs,
            mine or theirs,
            mine and not theirs,
        )
    assert one & other == other & one
    assert one - other | one & other == one
    assert EVERY_PORT - (EVERY_PORT - one) == one


def test_port_sets_print_as_the_field_prints_them():
    some = PortSet(
        {Protocol.UDP: (PortRange(53, 53),), Protocol.TCP: (PortRange(80, 80), PortRange(90, 100))}
    )
    assert str(some) == "TCP 80,90-100,UDP 53"
    assert str(EVERY_PORT) == "All Connections"
    assert str(NO_PORTS) == "No Connections"
    assert str(PortSet({Protocol.TCP: (PortRange(0, LAST_PORT),)})) == "TCP 1-65535"
