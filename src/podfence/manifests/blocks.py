"""Which blocks of addresses to assume, and free addresses in them.

An assumed address must mean nothing: where a policy names part of a block, another block is taken, else the part
is left out. Addresses follow from names, so that one more pod renumbers no other unless they meet. Only for `assume`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import NamedTuple
from zlib import crc32

from podfence.errors import PodfenceError
from podfence.model.address import (
    NOWHERE,
    Address,
    AddressSet,
    Network,
    Span,
    address_set,
    from_number,
    network,
)
from podfence.model.policy import Direction, NetworkPeer, Policy

Choice = tuple[Network, ...]


class Candidates(NamedTuple):
    """Blocks of one purpose, the favourite first. `option` is what people set to choose for themselves."""

    purpose: str
    option: str
    blocks: Choice

    def favourite(self, family: int) -> Network:
        return next(block for block in self.blocks if block.family == family)


def _networks(*texts: str) -> Choice:
    return tuple(map(network, texts))


SERVICES = Candidates(
    "Services",
    "--service-cidr",
    _networks(
        *("10.96.0.0/16", "172.29.0.0/16", "100.96.0.0/16", "198.19.0.0/16"),
        *("fd00:96::/112", "fd52:96::/112", "2001:db8:96::/112"),
    ),
)
PODS = Candidates(
    "pods",
    "--pod-cidr",
    _networks(
        *("10.244.0.0/16", "172.28.0.0/16", "100.80.0.0/16", "198.18.0.0/16"),
        *("fd00:244::/48", "fd52:244::/48", "2001:db8:244::/48"),
    ),
)
NODES = Candidates(
    "nodes",
    "--node-cidr",
    _networks(
        *("192.168.0.0/20", "172.30.0.0/20", "100.112.0.0/20", "172.27.0.0/20"),
        *("fd00:192:168::/64", "fd52:192:168::/64", "2001:db8:168::/64"),
    ),
)


@dataclass(frozen=True)
class Named:
    """What policies say about addresses, each peer once."""

    peers: frozenset[NetworkPeer]

    @cached_property
    def _spans(self) -> dict[int, list[tuple[NetworkPeer, list[Span]]]]:
        """As numbers, by family: thousands of peers are asked about a dozen blocks."""
        found: dict[int, list[tuple[NetworkPeer, list[Span]]]] = {4: [], 6: []}
        for peer in self.peers:
            spans = [(held.first.number, held.last.number) for held in peer.addresses]
            found[peer.block.family].append((peer, spans))
        return found

    def meets(self, block: Network) -> tuple[int, int]:
        """How many peers hold a part of a block, and how many all of it: the fewer, the less an address means."""
        asked = (block.base.number, block.last.number)
        parts = [_held(spans, asked) for _, spans in self._spans[block.family]]
        return parts.count(False), parts.count(True)

    def partly(self, block: Network) -> AddressSet:
        """The addresses of a block that peers tell apart from the rest of it."""
        asked = (block.base.number, block.last.number)
        found = [peer for peer, spans in self._spans[block.family] if _held(spans, asked) is False]
        return address_set(chain.from_iterable(peer.addresses for peer in found)) & address_set([block])


def named(policies: Iterable[Policy]) -> Named:
    rules = (rule for policy in policies for direction in Direction for rule in policy.rules(direction))
    return Named(frozenset(p for rule in rules for p in rule.peers or () if isinstance(p, NetworkPeer)))


def _held(spans: list[Span], asked: Span) -> bool | None:
    """Whether spans hold the one asked about: all of it, a part (False), nothing (None)."""
    for first, last in spans:
        if first <= asked[1] and asked[0] <= last:
            return first <= asked[0] and asked[1] <= last
    return None


def choose(candidates: Candidates, family: int, policies: Named, occupied: Choice) -> Network:
    """The first block of which policies say least, apart from blocks in use."""
    free = [b for b in candidates.blocks if b.family == family and not any(overlap(b, o) for o in occupied)]
    if not free:
        raise PodfenceError(
            f"every block for the IPv{family} addresses of {candidates.purpose} is in use: "
            f"choose one with {candidates.option}"
        )
    return min(free, key=policies.meets)


def overlap(one: Network, other: Network) -> bool:
    return one.base in other or other.base in one


def divided(block: Network, amount: int, length: int) -> Iterator[Network]:
    """Equal parts of the length wished for, or so long that there are enough, as far as addresses go."""
    width = len(block.base) * 8
    length = min(max(length, block.length + (amount - 1).bit_length()), width)
    step = 1 << (width - length)
    for base in range(block.base.number, block.last.number + 1, step):
        yield Network(from_number(base, block.family), length)


@dataclass(frozen=True, slots=True)
class Room:
    """Blocks to take addresses from. `taken` are no longer free and grow; `avoid` are those that policies tell apart."""

    option: str
    taken: set[Address]
    avoid: AddressSet = NOWHERE

    def place(self, name: str, blocks: Choice, first: int) -> tuple[Address, ...]:
        """The same offset in every block, from `first` on and not the last: from the name, else the next free one."""
        size = min(_size(blocks), 1 << 20)
        start = crc32(name.encode())
        for step in range(span := size - first - 1):
            offset = first + (start + step) % span
            found = tuple(from_number(block.base.number + offset, block.family) for block in blocks)
            if not any(address in self.taken or address in self.avoid for address in found):
                self.taken.update(found)
                return found
        raise self._full(name, blocks)

    def count_up(self, blocks: Choice, first: int) -> Iterator[tuple[Address, ...]]:
        """Offsets that are free in every block, in order."""
        for offset in range(first, _size(blocks) - 1):
            found = tuple(from_number(block.base.number + offset, block.family) for block in blocks)
            if not self.taken.intersection(found):
                self.taken.update(found)
                yield found
        raise self._full("another node", blocks)

    def _full(self, name: str, blocks: Choice) -> PodfenceError:
        where = ", ".join(map(str, blocks))
        return PodfenceError(
            f"no address is left for {name} in {where}: choose a larger block with {self.option}"
        )


def _size(blocks: Choice) -> int:
    return min(1 << (len(block.base) * 8 - block.length) for block in blocks)
