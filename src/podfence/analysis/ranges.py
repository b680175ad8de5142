"""The address space, cut into the regions that policies can tell apart: wherever one of their blocks begins or ends.

Between two cuts all addresses are alike to every block, so one number says all there is to say of an address.
Next: `members`, and `connections`, which joins regions again that turn out to behave the same.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from podfence.model.address import Address, AddressRange, Network, address, from_number
from podfence.model.policy import NetworkPeer, Policy

FAMILIES = (4, 6)
_FIRST = {4: address("0.0.0.0"), 6: address("::")}  # noqa: S104  the first of all addresses, not one to listen on
_LAST = {4: address("255.255.255.255"), 6: address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")}


@dataclass(frozen=True, slots=True)
class Regions:
    """`starts`: for each family where its regions begin, in order; the first is the family's first address."""

    starts: dict[int, list[Address]]

    def of(self, where: Address) -> int:
        """The number of the region of an address, within its family."""
        return bisect_right(self.starts[where.family], where) - 1

    def spanned(self, block: AddressRange) -> range:
        """The regions that a range of whole regions consists of."""
        return range(self.of(block.first), self.of(block.last) + 1)

    def addresses(self, family: int, number: int) -> AddressRange:
        starts = self.starts[family]
        last = before(starts[number + 1]) if number + 1 < len(starts) else _LAST[family]
        return AddressRange(starts[number], last)


def regions(policies: Iterable[Policy], more: Iterable[Address] = ()) -> Regions:
    """As policies cut them, and wherever `more` says."""
    cuts = {*more, *(cut for block in _blocks(policies) for cut in _edges(block))}
    return Regions({family: sorted({_FIRST[family], *_of(cuts, family)}) for family in FAMILIES})


def _of(cuts: Iterable[Address], family: int) -> Iterator[Address]:
    return (cut for cut in cuts if cut.family == family)


def _blocks(policies: Iterable[Policy]) -> set[Network]:
    peers = (peer for policy in policies for rule in _rules(policy) for peer in rule)
    return {block for peer in peers for block in (peer.block, *peer.excepts)}


def _rules(policy: Policy) -> Iterator[list[NetworkPeer]]:
    for rule in (*policy.ingress, *policy.egress):
        yield [peer for peer in rule.peers or () if isinstance(peer, NetworkPeer)]


def _edges(block: Network) -> Iterator[Address]:
    yield block.base
    if block.last != _LAST[block.family]:
        yield from_number(block.last.number + 1, block.family)


def before(where: Address) -> Address:
    return from_number(where.number - 1, where.family)
