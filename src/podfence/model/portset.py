"""Sets of ports over all protocols: what one end may say to another.

Ranges are sorted, disjoint and not adjacent, so that equal sets are equal values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from podfence.model.ports import ALL_PORTS, WITH_PORTS, PortRange, Protocol

Ranges = tuple[PortRange, ...]


@dataclass(frozen=True, slots=True)
class PortSet:
    """`ranges` has a row for each protocol that has any; `others`: protocols without ports, ICMP among them."""

    ranges: Mapping[Protocol, Ranges] = field(default_factory=dict, hash=False)
    others: bool = False

    def __contains__(self, asked: tuple[Protocol, int | None]) -> bool:
        protocol, port = asked
        if port is None or not protocol.has_ports:
            return self.others
        return any(port in found for found in self.ranges.get(protocol, ()))

    def __bool__(self) -> bool:
        return self.others or bool(self.ranges)

    def __and__(self, other: PortSet) -> PortSet:
        return self._with(other, _common, self.others and other.others)

    def __or__(self, other: PortSet) -> PortSet:
        return self._with(other, lambda mine, theirs: joined([*mine, *theirs]), self.others or other.others)

    def __sub__(self, other: PortSet) -> PortSet:
        return self._with(other, _without, self.others and not other.others)

    def _with(self, other: PortSet, combine: Callable[[Ranges, Ranges], Ranges], others: bool) -> PortSet:  # noqa: FBT001
        pairs = ((p, combine(self.ranges.get(p, ()), other.ranges.get(p, ()))) for p in WITH_PORTS)
        return PortSet({protocol: ranges for protocol, ranges in pairs if ranges}, others)

    @property
    def all_ports(self) -> bool:
        """Every port a program can use, of every protocol that has ports: port 0 is not one of them."""
        return all(any(1 in r and ALL_PORTS.last in r for r in self.ranges.get(p, ())) for p in WITH_PORTS)

    def __str__(self) -> str:
        """`SCTP 7,TCP 80,90-100`; the names the field uses for everything and nothing."""
        if self.all_ports:
            return "All Connections"
        rows = sorted((str(protocol), ranges) for protocol, ranges in self.ranges.items())
        return ",".join(f"{name} {_printed(ranges)}" for name, ranges in rows) or "No Connections"


NO_PORTS = PortSet()
EVERY_PORT = PortSet(dict.fromkeys(WITH_PORTS, (ALL_PORTS,)), others=True)


def _printed(ranges: Ranges) -> str:
    shown = (PortRange(max(1, found.first), found.last) for found in ranges if found.last)
    return ",".join(map(str, shown)) or "0"


def joined(ranges: Iterable[PortRange]) -> Ranges:
    """Sorted; what overlaps or touches becomes one."""
    merged: list[PortRange] = []
    for found in sorted(ranges):
        if merged and found.first <= merged[-1].last + 1:
            merged[-1] = PortRange(merged[-1].first, max(merged[-1].last, found.last))
        else:
            merged.append(found)
    return tuple(merged)


def _common(mine: Ranges, theirs: Ranges) -> Ranges:
    overlaps = ((max(a.first, b.first), min(a.last, b.last)) for a in mine for b in theirs)
    return joined(PortRange(first, last) for first, last in overlaps if first <= last)


def _without(mine: Ranges, theirs: Ranges) -> Ranges:
    left = list(mine)
    for hole in theirs:
        cut = ((part.first, min(part.last, hole.first - 1)) for part in left)
        behind = ((max(part.first, hole.last + 1), part.last) for part in left)
        left = [PortRange(first, last) for first, last in (*cut, *behind) if first <= last]
    return joined(left)
