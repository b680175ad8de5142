"""A snapshot, its addresses sorted into kinds, and what each kind may send, both families together.

Kinds of pods come first, then one for every region of the address space, for the outside. Next: `listing`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cached_property

from podfence.analysis.matrix import Matrix, Pieces
from podfence.analysis.members import Face, Kind, Members, Slot, kind_of
from podfence.analysis.portbook import NONE
from podfence.analysis.ranges import FAMILIES, regions
from podfence.analysis.subjects import Subjects
from podfence.analysis.workloads import listed
from podfence.model.address import Address
from podfence.model.cluster import PodKey, Snapshot

ABSENT = -1
"""In place of a port set: one of the two has no address of that family."""

Pair = tuple[int, int]
"""Number of the port set over IPv4, and over IPv6."""

Row = dict[Pair, int]
"""For each pair of port sets the kinds it holds for. Disjoint; who is nowhere has no port."""

Behaviour = tuple[object, ...]
"""All that a kind may send and receive, slot by slot: equal where no policy makes a difference."""


class Kinds:
    """`cuts`: addresses at which the outside is cut, besides those that policies give."""

    def __init__(self, snapshot: Snapshot, cuts: Iterable[Address] = ()) -> None:
        self.snapshot = snapshot
        self.pods = listed(snapshot.pods.values())
        self.regions = regions(snapshot.policies.values(), cuts)
        subjects = Subjects(snapshot)
        numbers: dict[Kind, int] = {}
        self.of_pod: dict[PodKey, int] = {}
        for pod in self.pods:
            kind = kind_of(pod.addresses, self.regions, subjects.identities)
            self.of_pod[pod.key] = numbers.setdefault(kind, len(numbers))
        families = sorted({face.slot.family for kind in numbers for face in kind})
        starts = {family: range(len(self.regions.starts[family])) for family in families}
        outside = [(Face(Slot(family), None, region),) for family in families for region in starts[family]]
        self.inside = (1 << len(numbers)) - 1
        self.outside = range(len(numbers), len(numbers) + len(outside))
        self.members = Members([*numbers, *outside], self.regions, subjects.index.takers)
        self.matrix = Matrix(self.members, subjects)

    def row(self, kind: int) -> Row:
        """What a kind may send; nothing between two ends outside."""
        rows = {family: self._sent(kind, family) for family in FAMILIES}
        seen = {family: self._seen(kind, family) for family in FAMILIES}
        row = _both(rows[4], rows[6], seen[4], seen[6]) if seen[4] and seen[6] else _one(rows[4], rows[6])
        within = self.inside if kind in self.outside else -1
        return {pair: left for pair, mask in row.items() if (left := mask & within)}

    def behaviour(self, kind: int) -> Behaviour:
        """Towards pods and the outside alike; an end outside is judged by the pods."""
        within = self.inside if kind in self.outside else -1
        meetings = [
            (face.slot, there) for face in self.members.kinds[kind] for there in self._slots[face.slot]
        ]
        return tuple(
            (
                pair,
                _within(self.matrix.row(kind, *pair), within),
                _within(self.matrix.column(kind, *pair), within),
            )
            for pair in meetings
        )

    def either(self, one: Pair, other: Pair) -> Pair:
        """What one of the two allows. A family that one has not counts as the other has it."""
        either = self.matrix.book.either
        return (_counted(either, one[0], other[0]), _counted(either, one[1], other[1]))

    def both(self, one: Pair, other: Pair) -> Pair:
        """What each of the two allows, over families that both have."""
        both = self.matrix.book.both
        four, six = zip(one, other, strict=True)
        return (both(*four) if min(four) >= 0 else ABSENT, both(*six) if min(six) >= 0 else ABSENT)

    @cached_property
    def _slots(self) -> dict[Slot, list[Slot]]:
        """For each slot those of its family."""
        found: defaultdict[Slot, list[Slot]] = defaultdict(list)
        for here in self.members.slots:
            found[here] = [there for there in self.members.slots if there.family == here.family]
        return found

    def _seen(self, kind: int, family: int) -> int:
        """The kinds that have an address of this family, if this one has."""
        if all(face.slot.family != family for face in self.members.kinds[kind]):
            return 0
        union = 0
        for slot, mask in self.members.all.items():
            union |= mask if slot.family == family else 0
        return union

    def _sent(self, kind: int, family: int) -> Pieces:
        """Any address to any address: what one of them may say, the kind may say."""
        found: Pieces = {}
        for face in self.members.kinds[kind]:
            for there in self._slots[face.slot] if face.slot.family == family else ():
                found = self._either(found, self.matrix.row(kind, face.slot, there))
        return found

    def _either(self, one: Pieces, other: Pieces) -> Pieces:
        if not one:
            return other
        found: defaultdict[int, int] = defaultdict(int)
        for (mine, theirs), mask in _both(one, other, -1, -1).items():
            found[self.matrix.book.either(mine, theirs)] |= mask
        return dict(found)


def _counted(either: Callable[[int, int], int], one: int, other: int) -> int:
    return max(one, other) if ABSENT in (one, other) else either(one, other)


def _within(pieces: Pieces, mask: int) -> Pieces:
    return {ports: left for ports, found in pieces.items() if (left := found & mask)}


def _one(four: Pieces, six: Pieces) -> Row:
    """At most one family is there."""
    return {(ports, ABSENT): mask for ports, mask in four.items()} or {
        (ABSENT, ports): mask for ports, mask in six.items()
    }


def _both(four: Pieces, six: Pieces, seen_four: int, seen_six: int) -> Row:
    """`seen`: who has the family at all. Not to be reached in it is something else than not to have it."""
    row: defaultdict[Pair, int] = defaultdict(int)
    for mine, wanted in _whole(four, seen_four).items():
        for theirs, given in _whole(six, seen_six).items():
            if mine > NONE or theirs > NONE:
                row[mine, theirs] |= wanted & given
    return {pair: mask for pair, mask in row.items() if mask}


def _whole(pieces: Pieces, seen: int) -> Pieces:
    """With those who get nothing, and those who are not there."""
    reached = 0
    for mask in pieces.values():
        reached |= mask
    return {**pieces, NONE: seen & ~reached, ABSENT: ~seen}
