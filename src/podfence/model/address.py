"""IP addresses, networks and sets of addresses, for both families.

An address is its packed bytes (4 or 16), the form in which packets, kernel sets and dictionaries want it.
Sets are sorted, disjoint, non-adjacent ranges, so that equal sets are equal values. RFC 4632, RFC 4291.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton

MAPPED_PREFIX = bytes(10) + b"\xff\xff"
"""::ffff:0:0/96, the IPv4-mapped addresses of RFC 4291 2.5.5.2: IPv4 written as IPv6."""


class Address(bytes):
    """4 bytes are IPv4, 16 are IPv6. Orders as bytes do: IPv4 and IPv6 interleave, a family is in order."""

    __slots__ = ()

    @property
    def family(self) -> int:
        """4 or 6."""
        return 4 if len(self) == 4 else 6

    @property
    def number(self) -> int:
        return int.from_bytes(self, "big")

    def __str__(self) -> str:
        return inet_ntop(AF_INET if len(self) == 4 else AF_INET6, bytes(self))

    def __repr__(self) -> str:
        return f"Address({self!s})"


def address(text: str) -> Address:
    """Parse an address as Go does (no leading zeros, no zone); ValueError names the text."""
    try:
        return Address(inet_pton(AF_INET6 if ":" in text else AF_INET, text))
    except (OSError, ValueError, UnicodeEncodeError):
        raise ValueError(f"{text!r} is not an IP address") from None


def from_number(number: int, family: int) -> Address:
    return Address(number.to_bytes(4 if family == 4 else 16, "big"))


@dataclass(frozen=True, slots=True)
class Network:
    """A CIDR block: the base address has no bits beyond the prefix length."""

    base: Address
    length: int

    @property
    def family(self) -> int:
        return self.base.family

    @property
    def last(self) -> Address:
        bits = len(self.base) * 8
        return from_number(self.base.number | ((1 << (bits - self.length)) - 1), self.family)

    def __contains__(self, item: Address) -> bool:
        return len(item) == len(self.base) and self.base <= item <= self.last

    def __str__(self) -> str:
        return f"{self.base}/{self.length}"


@lru_cache(maxsize=8192)
def network(text: str) -> Network:
    """Parse `address/length`; host bits are cleared, an IPv4-mapped block of /96 or longer is its IPv4 block."""
    base, slash, length = text.partition("/")
    if not slash or not length.isascii() or not length.isdigit():
        raise ValueError(f"{text!r} is not a CIDR block")
    return masked(address(base), int(length))


def masked(base: Address, length: int) -> Network:
    """The block of that length around an address. ValueError when the family has no such length."""
    bits = len(base) * 8
    if not 0 <= length <= bits:
        raise ValueError(f"/{length} is not a prefix length of {base}")
    if base.startswith(MAPPED_PREFIX) and len(base) == 16 and length >= 96:
        return masked(Address(base[12:]), length - 96)
    host = bits - length
    return Network(from_number(base.number >> host << host, base.family), length)


@dataclass(frozen=True, slots=True, order=True)
class AddressRange:
    """Both ends belong to it and are of one family."""

    first: Address
    last: Address

    @property
    def family(self) -> int:
        return self.first.family

    def __contains__(self, item: Address) -> bool:
        return len(item) == len(self.first) and self.first <= item <= self.last

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


Span = tuple[int, int]
Combine = Callable[[list[Span], list[Span]], list[Span]]


@dataclass(frozen=True, slots=True)
class AddressSet:
    """IPv4 ranges, then IPv6 ranges, each sorted and neither overlapping nor adjacent."""

    ranges: tuple[AddressRange, ...] = ()

    def __contains__(self, item: Address) -> bool:
        return any(item in block for block in self.ranges)

    def __iter__(self) -> Iterator[AddressRange]:
        return iter(self.ranges)

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def of(self, family: int) -> tuple[AddressRange, ...]:
        return tuple(block for block in self.ranges if block.family == family)

    def __or__(self, other: AddressSet) -> AddressSet:
        if not other.ranges or not self.ranges:
            return self if self.ranges else other
        return _by_family(self, other, lambda mine, theirs: _joined([*mine, *theirs]))

    def __sub__(self, other: AddressSet) -> AddressSet:
        return _by_family(self, other, _without)

    def __and__(self, other: AddressSet) -> AddressSet:
        return self - (self - other)

    def __str__(self) -> str:
        return ", ".join(map(str, self.ranges)) or "nothing"


NOWHERE = AddressSet()


def address_set(items: Iterable[Address | Network | AddressRange]) -> AddressSet:
    """The union of addresses, blocks and ranges, in any order."""
    ranges = [_range(item) for item in items]
    return _from_spans({family: _joined(_spans(ranges, family)) for family in (4, 6)})


def _range(item: Address | Network | AddressRange) -> AddressRange:
    match item:
        case AddressRange():
            return item
        case Network():
            return AddressRange(item.base, item.last)
        case _:
            return AddressRange(item, item)


def _by_family(mine: AddressSet, theirs: AddressSet, combine: Combine) -> AddressSet:
    return _from_spans({f: combine(_spans(mine.ranges, f), _spans(theirs.ranges, f)) for f in (4, 6)})


def _spans(ranges: Iterable[AddressRange], family: int) -> list[Span]:
    return [(block.first.number, block.last.number) for block in ranges if block.family == family]


def _from_spans(spans: dict[int, list[Span]]) -> AddressSet:
    return AddressSet(
        tuple(
            AddressRange(from_number(first, family), from_number(last, family))
            for family, found in sorted(spans.items())
            for first, last in found
        )
    )


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Overlapping and adjacent spans become one."""
    joined: list[Span] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined


def _without(mine: list[Span], theirs: list[Span]) -> list[Span]:
    """What is left of sorted spans when other sorted spans are cut out of them."""
    left: list[Span] = []
    at = 0
    for start, last in mine:
        first = start
        while at < len(theirs) and theirs[at][1] < first:
            at += 1
        cut = at
        while cut < len(theirs) and theirs[cut][0] <= last:
            if first < theirs[cut][0]:
                left.append((first, theirs[cut][0] - 1))
            first = theirs[cut][1] + 1
            cut += 1
        if first <= last:
            left.append((first, last))
    return left


EVERYWHERE = address_set([network("0.0.0.0/0"), network("::/0")])
