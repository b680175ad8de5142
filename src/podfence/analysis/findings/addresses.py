"""Addresses that the input gives to pods, nodes and Services, found by block. Next: `blocks`."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from podfence.analysis.findings.evidence import Evidence
from podfence.model.address import Address, Network, address, masked
from podfence.model.policy import NetworkPeer

METADATA = (address("169.254.169.254"), address("fd00:ec2::254"))
"""Where instances of clouds ask who they are."""

_DELIBERATE = {4: 16, 6: 32}
"""Whoever writes a block this small around them knows what is in it."""


def metadata_in(peer: NetworkPeer) -> Address | None:
    wide = peer.block.length < _DELIBERATE[peer.block.family]
    return next((found for found in METADATA if wide and found in peer), None)


def merged(one: NetworkPeer, other: NetworkPeer) -> Network | None:
    """The block that two halves without exceptions make."""
    mine, theirs = one.block, other.block
    if one.excepts or other.excepts or mine.length != theirs.length or mine == theirs or not mine.length:
        return None
    if mine.family != theirs.family:
        return None
    whole = masked(mine.base, mine.length - 1)
    return whole if theirs.base in whole else None


class Book:
    """Who has which address, in order, so that a block is two look-ups."""

    def __init__(self, rows: Iterable[tuple[Address, str]]) -> None:
        every = sorted((len(address), address, name) for address, name in rows)
        self._keys = [(length, address) for length, address, _ in every]
        self._names = [name for _, _, name in every]

    def within(self, peer: NetworkPeer) -> list[str]:
        """The names of those who have an address in it, in order of the alphabet."""
        found: set[str] = set()
        for block in peer.addresses:
            size = len(block.first)
            first = bisect_left(self._keys, (size, block.first))
            found.update(self._names[first : bisect_right(self._keys, (size, block.last))])
        return sorted(found)


@dataclass(frozen=True)
class Known:
    """The books of an input. Pods are told by their workloads; those on the host network are their nodes."""

    evidence: Evidence

    @cached_property
    def pods(self) -> Book:
        every = (alike for alike in self.evidence.alike if not alike.pod.host_network)
        return Book((found, a.title) for a in every for pod in a.pods for found in pod.addresses)

    @cached_property
    def nodes(self) -> Book:
        return Book((found, node.name) for node in self.evidence.nodes for found in node.addresses)

    @cached_property
    def services(self) -> Book:
        return Book((found, s.title) for s in self.evidence.services for found in s.addresses)
