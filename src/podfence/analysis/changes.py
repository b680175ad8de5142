"""What differs between two snapshots: every pair whose ports changed, the workloads that came or went, and why.

    for found in differences(old, new).pairs:
        print(found.kind, found.source.title, found.destination.title, found.before.ports, found.after.ports)

Replicas are told apart on both sides where they are on one, and the outside is cut wherever either side tells
addresses apart. Port 0, which no program can use, makes no difference. Next: `causes` says which edits did it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from podfence.analysis.admission import USABLE
from podfence.analysis.causes import Causes, Corner, Question
from podfence.analysis.connections import NOTHING, Allowed, Connections, View, connections
from podfence.analysis.edited import Because
from podfence.analysis.kinds import Pair
from podfence.analysis.workloads import End, Workload, workload
from podfence.model.address import Address
from podfence.model.cluster import Snapshot
from podfence.model.portset import PortSet


class Kind(StrEnum):
    """Of a difference: of a pair, or of a workload that came or went."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class PairDifference:
    """One pair of ends. An end that one side does not have says and hears nothing there."""

    source: End
    destination: End
    before: Allowed
    after: Allowed
    because: tuple[Because, ...] = ()

    @property
    def kind(self) -> Kind:
        if not self.before.ports:
            return Kind.ADDED
        return Kind.CHANGED if self.after.ports else Kind.REMOVED

    @property
    def widened(self) -> bool:
        """Whether anything passes that did not, in any family."""
        return any(opened(self.before, self.after).values())


@dataclass(frozen=True, slots=True)
class Differences:
    """In order of source and destination. Equal when there are none."""

    pairs: tuple[PairDifference, ...]
    came: tuple[End, ...]
    went: tuple[End, ...]

    def __bool__(self) -> bool:
        return bool(self.pairs or self.came or self.went)

    @property
    def widened(self) -> bool:
        return any(pair.widened for pair in self.pairs)


def opened(before: Allowed, after: Allowed) -> Mapping[int, PortSet]:
    """By family what is allowed after, and was not before."""
    return {
        family: ports - before.families.get(family, NOTHING.ports) for family, ports in after.families.items()
    }


def differences(old: Snapshot, new: Snapshot, *, because: bool = True) -> Differences:
    """`because`: also work out which edits explain each pair."""
    before, after = _comparable(old, new)
    pairs = tuple(_Comparison(before, after).pairs())
    if because and pairs:
        causes = Causes(old, new)
        pairs = tuple(replace(pair, because=causes.of(_question(pair, before, after))) for pair in pairs)
    inside = [{end.title: end for end in side.ends if end.pods} for side in (before, after)]
    came = tuple(end for title, end in inside[1].items() if title not in inside[0])
    went = tuple(end for title, end in inside[0].items() if title not in inside[1])
    return Differences(pairs, came, went)


def _comparable(old: Snapshot, new: Snapshot) -> tuple[Connections, Connections]:
    """With the same ranges and the same replicas apart; a side that has them already is not worked out again."""
    found = (connections(old), connections(new))
    views = [View(cuts=_starts(side), apart=_apart(side)) for side in found]
    common = View(cuts=views[0].cuts | views[1].cuts, apart=views[0].apart | views[1].apart)
    before, after = (
        side if view == common else connections(snapshot, common)
        for side, view, snapshot in zip(found, views, (old, new), strict=True)
    )
    return before, after


def _starts(found: Connections) -> frozenset[Address]:
    return frozenset(end.addresses.first for end in found.ends if end.addresses)


def _apart(found: Connections) -> frozenset[Workload]:
    owners = (workload(end.pods[0]) for end in found.ends if end.kind == "Pod")
    return frozenset(which for which in owners if which[1].kind != "Pod")


def _question(pair: PairDifference, before: Connections, after: Connections) -> Question:
    """The ends as each side knows them."""
    old, new = (Corner(_end(side, pair.source), _end(side, pair.destination)) for side in (before, after))
    return Question(old, new, pair.before.families, pair.after.families)


def _end(side: Connections, end: End) -> End | None:
    number = side.numbers.get(end.title)
    return None if number is None else side.ends[number]


class _Comparison:
    """Row by row; what two rows have in common is looked at once for each two answers."""

    def __init__(self, before: Connections, after: Connections) -> None:
        self._before = before
        self._after = after
        self._known: dict[tuple[Pair | None, Pair | None], tuple[Allowed, Allowed] | None] = {}

    def pairs(self) -> Iterator[PairDifference]:
        titles = {end.title: end for side in (self._before, self._after) for end in side.ends}
        for title in sorted(titles):
            mine, theirs = self._row(self._before, title), self._row(self._after, title)
            for other in sorted({*mine, *theirs}):
                if found := self._compared(mine.get(other), theirs.get(other)):
                    yield PairDifference(titles[title], titles[other], *found)

    def _row(self, side: Connections, title: str) -> dict[str, Pair]:
        number = side.numbers.get(title)
        return {} if number is None else {side.ends[other].title: pair for other, pair in side.row(number)}

    def _compared(self, mine: Pair | None, theirs: Pair | None) -> tuple[Allowed, Allowed] | None:
        """None where no flow of a usable port tells them apart."""
        key = (mine, theirs)
        if key not in self._known:
            both = (_usable(self._before, mine), _usable(self._after, theirs))
            self._known[key] = None if _alike(*both) else both
        return self._known[key]


def _usable(side: Connections, pair: Pair | None) -> Allowed:
    allowed = NOTHING if pair is None else side.allowed(pair)
    families = {family: ports & USABLE for family, ports in allowed.families.items()}
    return Allowed(allowed.ports & USABLE, families)


def _alike(one: Allowed, other: Allowed) -> bool:
    """A family that one side does not have is one in which nothing passes."""
    families = {*one.families, *other.families}
    return all(one.families.get(f, NOTHING.ports) == other.families.get(f, NOTHING.ports) for f in families)
