"""Who reaches whom among kinds: a row for everything one kind may send, a column for all it may receive.

A combination says the same to all it has nothing particular to say to, which is nearly everybody: that is kept as
its default, and only exceptions are filed by peer. So a row costs what is in it, not the number of combinations.
Next: `connections`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property

from podfence.analysis.bits import bits
from podfence.analysis.members import Members, Slot
from podfence.analysis.portbook import ALL, NONE, PortBook
from podfence.analysis.reach import admitted
from podfence.analysis.subjects import Subjects
from podfence.model.policy import Direction
from podfence.program import Combination

Pieces = dict[int, int]
"""Number of a port set → the kinds it holds for. Disjoint; who is nowhere has no port."""

OPPOSITE = {Direction.EGRESS: Direction.INGRESS, Direction.INGRESS: Direction.EGRESS}


@dataclass
class Heard:
    """What the subjects of one direction say to each peer: `usual` to everybody, but for `exceptions`."""

    usual: Pieces
    holders: list[int]
    exceptions: dict[int, list[tuple[int, int]]] = field(default_factory=dict)

    def by(self, peer: int) -> Pieces:
        """Of one peer: what each subject lets it say, or says to it."""
        found = dict(self.usual)
        own: defaultdict[int, int] = defaultdict(int)
        moved = 0
        for combination, ports in self.exceptions.get(peer, ()):
            own[ports] |= self.holders[combination]
            moved |= self.holders[combination]
        if moved:
            found = {ports: left for ports, mask in found.items() if (left := mask & ~moved)}
        for ports, mask in own.items():
            found[ports] = found.get(ports, 0) | mask
        return found


@dataclass
class Matrix:
    """Of `members.kinds`, each with each."""

    members: Members
    subjects: Subjects
    book: PortBook = field(default_factory=PortBook)
    worked: int = 0
    """How many pieces have been looked at: what must grow with what is printed, not with its square."""
    _pieces: dict[tuple[int, Slot], Pieces] = field(default_factory=dict)
    _heard: dict[tuple[Direction, Slot, Slot], Heard] = field(default_factory=dict)

    def row(self, kind: int, here: Slot, there: Slot) -> Pieces:
        """What a kind may send from one slot to another of the same family."""
        return self._meeting(Direction.EGRESS, kind, here, there)

    def column(self, kind: int, here: Slot, there: Slot) -> Pieces:
        """What a kind may receive in one slot from another."""
        return self._meeting(Direction.INGRESS, kind, here, there)

    def said(self, direction: Direction, kind: int, here: Slot, there: Slot) -> Pieces:
        """What the kind's own policies allow in a direction, whatever the peers' say."""
        return self._said(self._holding[direction][here].get(kind), there)

    def _meeting(self, direction: Direction, kind: int, here: Slot, there: Slot) -> Pieces:
        """What both ends allow."""
        own = self.said(direction, kind, here, there)
        heard = self._listen(OPPOSITE[direction], there, here).by(kind)
        self.worked += len(own) * len(heard)
        found: defaultdict[int, int] = defaultdict(int)
        for mine, wanted in own.items():
            for theirs, given in heard.items():
                if (mask := wanted & given) and (ports := self.book.both(mine, theirs)):
                    found[ports] |= mask
        return dict(found)

    def _listen(self, direction: Direction, subject: Slot, peer: Slot) -> Heard:
        key = (direction, subject, peer)
        if key not in self._heard:
            self._heard[key] = self._collected(*key)
        return self._heard[key]

    def _collected(self, direction: Direction, subject: Slot, peer: Slot) -> Heard:
        holders: defaultdict[int | None, int] = defaultdict(int)
        for kind in bits(self.members.all[subject]):
            holders[self._holding[direction][subject].get(kind)] |= 1 << kind
        usual: defaultdict[int, int] = defaultdict(int)
        found = Heard(usual, [holders.get(number, 0) for number in range(len(self._combinations))])
        filed: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        for number, held in holders.items():
            pieces = self._said(number, peer, whole=True)
            common = max(pieces, key=lambda ports: pieces[ports].bit_count())
            usual[common] |= held
            for ports, mask in pieces.items():
                if ports != common and number is not None:
                    for kind in bits(mask):
                        filed[kind].append((number, ports))
        usual.pop(NONE, None)
        found.exceptions.update(filed)
        return found

    def _said(self, number: int | None, peer: Slot, *, whole: bool = False) -> Pieces:
        """`whole`: with the peers that get no port at all."""
        if number is None:
            return {ALL: self.members.all[peer]}
        key = (number, peer)
        if key not in self._pieces:
            self._pieces[key] = self._cut(self._combinations[number], peer)
        found = self._pieces[key]
        return found if whole else {ports: mask for ports, mask in found.items() if ports}

    def _cut(self, combination: Combination, peer: Slot) -> Pieces:
        """Peers in the same groups are admitted on the same ports."""
        pieces: dict[frozenset[str], int] = {frozenset(): self.members.all[peer]}
        for group in combination.groups:
            inside = 0 if group.anyone else self.members.of(group, peer)
            for names, mask in tuple(pieces.items()) if inside else ():
                if both := mask & inside:
                    pieces[names | {group.name}] = both
                    pieces[names] = mask ^ both
        self.worked += len(pieces)
        found: defaultdict[int, int] = defaultdict(int)
        for names, mask in pieces.items():
            if mask:
                found[self.book.number(admitted(combination, names))] |= mask
        return dict(found)

    @cached_property
    def _holding(self) -> dict[Direction, dict[Slot, dict[int, int]]]:
        """Direction and slot → kind → number of its combination, where it is subject to one."""
        found: dict[Direction, dict[Slot, dict[int, int]]] = {
            direction: {slot: {} for slot in self.members.slots} for direction in Direction
        }
        for number, kind in enumerate(self.members.kinds):
            for face in kind:
                for direction in Direction:
                    combination = self.subjects.combination(face.identity, direction)
                    if combination is not None:
                        found[direction][face.slot][number] = self._number(combination)
        return found

    @cached_property
    def _combinations(self) -> list[Combination]:
        return []

    @cached_property
    def _numbers(self) -> dict[int, int]:
        return {}

    def _number(self, combination: Combination) -> int:
        """`subjects` gives out the same object for the same combination."""
        found = self._numbers.setdefault(id(combination), len(self._combinations))
        if found == len(self._combinations):
            self._combinations.append(combination)
        return found
