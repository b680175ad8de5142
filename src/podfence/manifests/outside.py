"""Hosts outside of the cluster, one for every region of addresses that policies tell apart.

Blocks and exceptions of policies either nest or are disjoint, so the regions are: each block without the blocks
inside it, and what is in none. Where one block ends the host stands just beyond it, where mistakes show.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, zip_longest

from podfence.manifests.blocks import NODES, PODS, SERVICES, named
from podfence.manifests.contrast import DEFAULT_PORT, MOST_PORTS, listeners
from podfence.model.address import (
    Address,
    AddressRange,
    AddressSet,
    Network,
    address_set,
    from_number,
    network,
)
from podfence.model.cluster import ContainerPort, Snapshot
from podfence.model.policy import Direction, NetworkPeer, Policy, Rule

MOST_HOSTS = 64

EVERYTHING = {4: network("0.0.0.0/0"), 6: network("::/0")}

UNUSABLE = address_set(
    map(
        network,
        [
            *("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32"),
            *("::/96", "fe80::/10", "ff00::/8"),
        ],
    )
) | address_set([AddressRange(Address(bytes(10) + b"\xff\xff" + bytes(4)), Address(bytes(10) + b"\xff" * 6))])
"""No host can be there: this network, loopback, link-local, multicast, broadcast, IPv4 in IPv6 clothes."""

DOCUMENTATION = tuple(map(network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")))
"""Where a host stands when policies leave the choice: RFC 5737, RFC 3849."""


CLUSTERS = (*PODS.blocks, *SERVICES.blocks, *NODES.blocks)
"""Where the addresses of a cluster usually are, those that are yet to come too."""


@dataclass(frozen=True, slots=True)
class Hosts:
    """`regions` counts those that hold a usable address; more of them than addresses means the cap was reached."""

    addresses: tuple[Address, ...]
    regions: int

    @property
    def left_out(self) -> int:
        return self.regions - len(self.addresses)


def external_addresses(snapshot: Snapshot, most: int = MOST_HOSTS) -> Hosts:
    """One host for each region, in the families that pods have (both where none has an address)."""
    found = [list(_representatives(snapshot, family)) for family in _families(snapshot)]
    fairly = [host for hosts in zip_longest(*found) for host in hosts if host is not None]
    return Hosts(tuple(sorted(fairly[:most], key=lambda host: (host.family, host))), len(fairly))


def external_ports(snapshot: Snapshot) -> tuple[ContainerPort, ...]:
    """Where such hosts listen: at the numbers of egress rules that may lead to them, and beside those."""
    rules = [r for p in snapshot.policies.values() for r in p.rules(Direction.EGRESS) if _leads_outside(r)]
    numbered = (tuple(e for e in r.ports or () if not isinstance(e.port, str)) for r in rules)
    found = {DEFAULT_PORT, *chain.from_iterable(listeners(entries, {}) for entries in numbered)}
    return tuple(sorted(found, key=lambda port: (port.protocol, port.number)))[:MOST_PORTS]


def _leads_outside(rule: Rule) -> bool:
    return rule.peers is None or any(isinstance(peer, NetworkPeer) for peer in rule.peers)


def named_blocks(policies: Iterable[Policy]) -> frozenset[Network]:
    """Every block and exception in any rule."""
    return frozenset(block for peer in named(policies).peers for block in (peer.block, *peer.excepts))


def regions(
    blocks: Iterable[Network], family: int
) -> Iterator[tuple[Network, tuple[Network, ...], AddressSet]]:
    """(block, the blocks directly inside it, what is left of it), the outermost first; those left empty are not there."""
    inside: dict[Network, list[Network]] = {}
    around: list[Network] = []
    mine = {EVERYTHING[family], *(block for block in blocks if block.family == family)}
    for block in sorted(mine, key=lambda block: (block.base, block.length)):
        while around and block.base not in around[-1]:
            around.pop()
        if around:
            inside[around[-1]].append(block)
        inside[block] = []
        around.append(block)
    for block, holes in inside.items():
        if left := address_set([block]) - address_set(holes):
            yield block, tuple(holes), left


def _families(snapshot: Snapshot) -> list[int]:
    used = {address.family for pod in snapshot.pods.values() for address in pod.addresses}
    return sorted(used) or [4, 6]


def _representatives(snapshot: Snapshot, family: int) -> Iterator[Address]:
    taken = frozenset(_taken(snapshot))
    routed = address_set(chain(CLUSTERS, *(node.pod_blocks for node in snapshot.nodes.values())))
    for block, holes, whole in regions(named_blocks(snapshot.policies.values()), family):
        usable = whole - UNUSABLE
        # Such an address may be routed to a node or become a Service's, so it serves only where there is no other.
        elsewhere = _first(usable - routed, block, holes, taken)
        if found := elsewhere or _first(usable, block, holes, taken):
            yield found


def _taken(snapshot: Snapshot) -> Iterator[Address]:
    for holders in (snapshot.pods, snapshot.nodes, snapshot.services):
        for holder in holders.values():
            yield from holder.addresses


def _first(
    usable: AddressSet, block: Network, holes: tuple[Network, ...], taken: frozenset[Address]
) -> Address | None:
    """Just beyond a hole, else in a documentation block, else near the beginning; the base address comes last."""
    beyond = (number + 2 for hole in holes if (number := hole.last.number) + 2 <= block.last.number)
    reserved = (example.base.number + 1 for example in DOCUMENTATION if example.family == block.family)
    begun = (n for r in usable for n in range(r.first.number + 1, r.last.number + 1))
    ends = (r.first.number for r in usable if r.first != block.base)
    for number in chain(beyond, reserved, begun, ends, [block.base.number]):
        host = from_number(number, block.family)
        if host in usable and host not in taken:
            return host
    return None
