"""Values that every engine shares, against oracles that share nothing with them: no equality test sees their faults."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfence.model.address import Network, address_set, from_number, network
from podfence.model.change import snapshot
from podfence.model.cluster import ContainerPort, Pod
from podfence.model.flow import Flow
from podfence.model.labels import Operator
from podfence.model.policy import NetworkPeer, Rule
from podfence.model.ports import PortMatch, PortRange, Protocol
from podfence.semantics import matches_peer, matches_ports
from strategies import network_peers, peers, port_matches, selectors


@given(
    selectors(), st.dictionaries(st.sampled_from(["app", "role", "env"]), st.sampled_from(["web", "", "x"]))
)
def test_selectors_match_as_their_words_say(selector, labels):
    meaning = {
        Operator.IN: lambda has, value, values: has and value in values,
        Operator.NOT_IN: lambda has, value, values: not (has and value in values),
        Operator.EXISTS: lambda has, value, values: has,
        Operator.DOES_NOT_EXIST: lambda has, value, values: not has,
    }
    expected = all(
        meaning[r.operator](r.key in labels, labels.get(r.key), r.values) for r in selector.requirements
    )
    assert selector.matches(labels) == expected


def blocks(family):
    bits = 32 if family == 4 else 128
    number = st.integers(0, 2**bits - 1)
    return st.builds(lambda n, length: _block(n, length, family), number, st.integers(0, bits))


def _block(number, length, family):
    base = from_number(number, family)
    return ipaddress.ip_network(f"{base}/{length}", strict=False)


@pytest.mark.parametrize("family", [4, 6])
@given(data=st.data())
def test_a_block_holds_what_ipaddress_says_it_holds(family, data):
    oracle = data.draw(blocks(family))
    mine = network(str(oracle))
    near = [int(oracle[0]) - 1, int(oracle[0]), int(oracle[-1]), int(oracle[-1]) + 1]
    for number in near:
        if 0 <= number < 1 << (32 if family == 4 else 128):
            item = from_number(number, family)
            assert (item in mine) == (ipaddress.ip_address(str(item)) in oracle)


@pytest.mark.parametrize("family", [4, 6])
@given(data=st.data())
def test_sets_of_addresses_subtract_as_ipaddress_does(family, data):
    oracle, hole = data.draw(blocks(family)), data.draw(blocks(family))
    left = address_set([network(str(oracle))]) - address_set([network(str(hole))])
    if hole.overlaps(oracle):
        rest = list(oracle.address_exclude(hole)) if hole.subnet_of(oracle) else []
    else:
        rest = [oracle]
    assert left == address_set(network(str(one)) for one in rest)


@given(network_peers())
def test_the_addresses_of_a_peer_are_those_it_contains(peer):
    edges = {number for block in (peer.block, *peer.excepts) for number in _edges(block)}
    bits = 32 if peer.block.family == 4 else 128
    for number in edges:
        if 0 <= number < 1 << bits:
            item = from_number(number, peer.block.family)
            assert (item in peer.addresses) == (item in peer)


def _edges(block):
    return {block.base.number - 1, block.base.number, block.last.number, block.last.number + 1}


def _asked(protocol, port):
    here = from_number(1, 4)
    return Flow(here, from_number(2, 4), protocol, port)


@given(st.lists(port_matches(), max_size=3), st.sampled_from([53, 80, 81, 82, 65535]))
def test_ports_match_as_lists_of_numbers_do(entries, port):
    """Against plain lists of numbers, on a destination that names some."""
    world, names = _listening()
    for protocol in (Protocol.TCP, Protocol.UDP, Protocol.SCTP):
        numbers = [_numbers(entry, names) for entry in entries if entry.protocol == protocol]
        expected = any(port in listed for listed in numbers)
        assert matches_ports(world, Rule(ports=tuple(entries)), _asked(protocol, port)) == expected


def _numbers(entry, names):
    if isinstance(entry.port, str):
        return names.get((entry.port, entry.protocol), ())
    return range(entry.port.first, entry.port.last + 1)


def _listening():
    ports = (ContainerPort("http", Protocol.TCP, 80), ContainerPort("dns", Protocol.UDP, 53))
    pod = Pod("x", "a", addresses=(from_number(2, 4),), ports=ports)
    return snapshot([pod]), {("http", Protocol.TCP): (80,), ("dns", Protocol.UDP): (53,)}


@given(peers("x"))
def test_a_peer_of_pods_never_matches_an_address_nobody_has(peer):
    world, _ = _listening()
    assert isinstance(peer, NetworkPeer) or not matches_peer(world, peer, from_number(9, 4))


@given(st.integers(0, 65535), st.integers(0, 65535), st.integers(0, 65535))
def test_a_range_of_ports_is_what_range_says(first, last, port):
    assert (port in PortRange(first, last)) == (port in range(first, last + 1))


def test_the_mapped_block_of_six_is_its_block_of_four():
    assert network("::ffff:10.0.0.0/104") == Network(from_number(10 << 24, 4), 8)


def test_an_entry_prints_as_people_write_it():
    assert str(PortMatch(Protocol.TCP, PortRange(80, 90))) == "TCP 80-90"
