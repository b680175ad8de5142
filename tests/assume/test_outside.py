"""External hosts stand in every region of addresses that policies tell apart."""

from ipaddress import ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from podfence.manifests.outside import external_addresses, external_ports, regions
from podfence.model.address import EVERYWHERE, Network, address, from_number, network
from podfence.model.change import snapshot
from podfence.model.cluster import Node, Pod
from podfence.model.policy import Direction, NetworkPeer, PodSelection, Policy, Rule
from podfence.model.ports import PortMatch, PortRange, Protocol
from profiles import examples

steady = examples(200)
BASE = {4: address("198.18.7.0").number, 6: address("2001:db8:7::").number}


def towards(*peers, ports=None):
    rule = Rule(peers, ports)
    return Policy("x", "p", PodSelection("x"), frozenset({Direction.EGRESS}), egress=(rule,))


@st.composite
def tiny_blocks(draw, family):
    """Blocks among 256 addresses."""
    width = 32 if family == 4 else 128
    bits = draw(st.integers(0, 8))
    offset = draw(st.integers(0, 255)) >> bits << bits
    return Network(from_number(BASE[family] + offset, family), width - bits)


def signature(number, blocks, family):
    """Which blocks hold an address, as the standard library sees it."""
    asked = ip_address(number) if family == 4 else ip_address(f"{address_of(number, family)}")
    return frozenset(block for block in blocks if asked in ip_network(str(block)))


def address_of(number, family):
    return from_number(number, family)


@steady
@given(st.sampled_from([4, 6]), st.data())
def test_the_hosts_cover_every_region(family, drawn):
    blocks = drawn.draw(st.lists(tiny_blocks(family), max_size=6, unique=True))
    held = drawn.draw(st.lists(st.integers(0, 255), max_size=4, unique=True))
    pods = [Pod("x", f"p{n}", addresses=(from_number(BASE[family] + n, family),)) for n in held] or [
        Pod("x", "far", addresses=(address("10.9.9.9" if family == 4 else "fd00::9"),))
    ]
    hosts = external_addresses(snapshot([towards(*map(NetworkPeer, blocks)), *pods])).addresses
    free = [BASE[family] + n for n in range(256) if n not in held]
    wanted = {signature(number, blocks, family) for number in free} | {frozenset()}
    reached = [signature(host.number, blocks, family) for host in hosts]
    assert sorted(map(sorted_names, reached)) == sorted(map(sorted_names, wanted))
    assert not set(hosts) & {a for pod in pods for a in pod.addresses}


def sorted_names(blocks):
    return sorted(map(str, blocks))


@steady
@given(st.lists(tiny_blocks(4), max_size=6), st.lists(tiny_blocks(6), max_size=6))
def test_regions_are_disjoint_and_together_everything(four, six):
    parts = [left for family in (4, 6) for _, _, left in regions([*four, *six], family)]
    whole = parts[0]
    for part in parts[1:]:
        assert not whole & part
        whole |= part
    assert whole == EVERYWHERE


def test_hosts_stand_inside_just_beyond_and_in_each_exception():
    seed = towards(NetworkPeer(network("172.17.0.0/16"), (network("172.17.1.0/24"),)))
    found = external_addresses(snapshot([seed, Pod("x", "a", addresses=(address("10.244.0.2"),))]))
    assert [str(host) for host in found.addresses] == ["172.17.1.1", "172.17.2.1", "172.18.0.1"]
    assert found.left_out == 0


def test_a_base_address_is_the_last_resort():
    pair = towards(NetworkPeer(network("203.0.113.8/31")), NetworkPeer(network("203.0.113.9/32")))
    hosts = external_addresses(snapshot([pair, Pod("x", "a", addresses=(address("10.244.0.2"),))])).addresses
    assert address("203.0.113.8") in hosts
    wide = external_addresses(snapshot([towards(NetworkPeer(network("203.0.113.0/24")))])).addresses
    assert address("203.0.113.0") not in wide


def test_no_host_stands_where_none_can():
    blocks = (
        "0.0.0.0/8",
        "127.0.0.0/8",
        "224.0.0.0/4",
        "169.254.0.0/16",
        "255.255.255.255/32",
        "::1/128",
        "ff00::/8",
    )
    found = external_addresses(snapshot([towards(*(NetworkPeer(network(block)) for block in blocks))]))
    assert [str(host) for host in found.addresses] == ["1.0.0.1", "2001:db8::1"]


def test_no_host_stands_on_a_node_or_in_its_block():
    node = Node("n", addresses=(address("192.0.2.1"),), pod_blocks=(network("203.0.113.0/24"),))
    around = towards(NetworkPeer(network("203.0.0.0/16")), NetworkPeer(network("192.0.2.1/32")))
    hosts = external_addresses(snapshot([around, node])).addresses
    assert node.addresses[0] not in hosts
    assert not any(host in node.pod_blocks[0] for host in hosts)


def test_no_host_stands_where_a_service_or_a_pod_may_come():
    below = towards(NetworkPeer(network("10.95.0.0/16")), NetworkPeer(network("10.243.0.0/16")))
    hosts = external_addresses(snapshot([below])).addresses
    assert not any(host in network(block) for host in hosts for block in ("10.96.0.0/16", "10.244.0.0/16"))


def test_both_families_without_pods_and_the_pods_families_with_them():
    assert [str(host) for host in external_addresses(snapshot([])).addresses] == ["192.0.2.1", "2001:db8::1"]
    six = Pod("x", "a", addresses=(address("fd00::1"),))
    assert [str(host) for host in external_addresses(snapshot([six])).addresses] == ["2001:db8::1"]


def test_the_cap_is_said_and_fair_to_both_families():
    many = towards(*(NetworkPeer(network(f"203.0.{n}.0/24")) for n in range(100)))
    found = external_addresses(snapshot([many]), most=10)
    assert (len(found.addresses), found.regions, found.left_out) == (10, 102, 92)
    assert any(host.family == 6 for host in found.addresses)


def test_hosts_listen_where_egress_rules_lead_and_beside_it():
    https = towards(
        NetworkPeer(network("10.0.0.0/24")), ports=(PortMatch(Protocol.TCP, PortRange(443, 443)),)
    )
    listened = {(port.protocol, port.number) for port in external_ports(snapshot([https]))}
    assert listened == {(Protocol.TCP, 80), (Protocol.TCP, 443), (Protocol.TCP, 444), (Protocol.UDP, 443)}


def test_a_named_port_is_nothing_outside():
    named = towards(NetworkPeer(network("10.0.0.0/24")), ports=(PortMatch(Protocol.TCP, "http"),))
    assert [port.number for port in external_ports(snapshot([named]))] == [80]
