"""Which blocks of addresses to assume, and free addresses in them.

An assumed address must mean nothing: where a policy names part of a block, another block is taken, else the part
is left out. Addresses follow from names, so that one more pod renumbers no other unless they meet. Only for `assume`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple
from zlib import crc32

from podfence.errors import PodfenceError
from podfence.model.address import (
    NOWHERE,
    Address,
    AddressSet,
    Network,
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
        *("192.168.0.0/20", "172.30.0.0/20", "100.112.0.0/20", "203.0.113.0/24"),
        *("fd00:192:168::/64", "fd52:192:168::/64", "2001:db8:168::/64"),
    ),
)


@dataclass(frozen=True)
class Named:
    """What policies say about addresses, each peer once."""

    peers: frozenset[NetworkPeer]

    @cached_property
    def sets(self) -> tuple[AddressSet, ...]:
        return tuple(peer.addresses for peer in self.peers)

    def meets(self, block: Network) -> tuple[int, int]:
        """How many peers hold a part of a block, and how many all of it: the fewer, the less an address means."""
        parts = [_held(addresses, block) for addresses in self.sets]
        return sum(held is False for held in parts), sum(held is True for held in parts)

    def partly(self, block: Network) -> AddressSet:
        """The addresses of a block that peers tell apart from the rest of it."""
        found = [addresses for addresses in self.sets if _held(addresses, block) is False]
        return (
            address_set(r for addresses in found for r in addresses) & address_set([block])
            if found
            else NOWHERE
        )


def named(policies: Iterable[Policy]) -> Named:
    rules = (rule for policy in policies for direction in Direction for rule in policy.rules(direction))
    return Named(frozenset(p for rule in rules for p in rule.peers or () if isinstance(p, NetworkPeer)))


def _held(addresses: AddressSet, block: Network) -> bool | None:
    """Whether a set holds a block: all of it, a part (False), nothing (None)."""
    for held in addresses:
        if held.family == block.family and held.first <= block.last and block.base <= held.last:
            return held.first <= block.base and block.last <= held.last
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
