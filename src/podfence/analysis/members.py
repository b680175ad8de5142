"""Everybody as policies see them: addresses sorted into kinds, and which kinds a policy's groups take in.

A kind is what an address cannot be told from: its identity (labels and named ports that policies mention), and its
region of the address space. Pods with several addresses have a face for each, a kind for all of them together.
Ten thousand pods are some hundred kinds. Next: `matrix`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from operator import or_
from typing import NamedTuple

from podfence.analysis.ranges import FAMILIES, Regions
from podfence.compiler.identities import Identity
from podfence.model.address import Address
from podfence.model.policy import NetworkPeer
from podfence.program import Group, Term

Takers = dict[Term, set[Identity]]


class Slot(NamedTuple):
    """The first IPv4 address of a pod, its second IPv6 address: what is compared with what."""

    family: int
    order: int = 0


class Face(NamedTuple):
    """An address as policies see it. `identity` is None where no pod of the pod network has the address."""

    slot: Slot
    identity: Identity | None
    region: int


Kind = tuple[Face, ...]


def kind_of(addresses: Iterable[Address], regions: Regions, identity: dict[Address, Identity]) -> Kind:
    """`identity`: of every address of the pod network."""
    seen = dict.fromkeys(FAMILIES, 0)
    faces = []
    for each in addresses:
        slot = Slot(each.family, seen[each.family])
        seen[each.family] += 1
        faces.append(Face(slot, identity.get(each), regions.of(each)))
    return tuple(faces)


@dataclass
class Members:
    """`kinds` are numbered: first those of pods, then every region of both families in order, for the outside."""

    kinds: list[Kind]
    regions: Regions
    takers: Takers
    _masks: dict[tuple[Group, Slot], int] = field(default_factory=dict)
    _bases: dict[tuple[Term, Slot], int] = field(default_factory=dict)

    @cached_property
    def slots(self) -> list[Slot]:
        return sorted({face.slot for kind in self.kinds for face in kind})

    @cached_property
    def all(self) -> dict[Slot, int]:
        """The kinds that have a slot at all."""
        return {slot: below[-1] for slot, below in self._below.items()}

    def of(self, group: Group, slot: Slot) -> int:
        """The kinds whose address in a slot is in a group."""
        key = (group, slot)
        if key not in self._masks:
            self._masks[key] = self.all[slot] if group.anyone else self._members(group, slot)
        return self._masks[key]

    def _members(self, group: Group, slot: Slot) -> int:
        blocks = group.addresses.of(slot.family)
        spans = (self._in_regions(self.regions.spanned(block), slot) for block in blocks)
        return _union(spans) | _union(self._of_term(term, slot) for term in group.terms)

    def _of_term(self, term: Term, slot: Slot) -> int:
        mask = self._taken(Term(term.selection, term.port), slot)
        return mask & self._within(term.within, slot) if term.within else mask

    def _taken(self, base: Term, slot: Slot) -> int:
        """Terms that differ in their block alone are many, and whom they could take in is worked out once."""
        key = (base, slot)
        if key not in self._bases:
            found = self._by_identity[slot]
            self._bases[key] = _union(found[each] for each in self.takers[base] if each in found)
        return self._bases[key]

    def _within(self, peer: NetworkPeer, slot: Slot) -> int:
        blocks = peer.addresses.of(slot.family)
        return _union(self._in_regions(self.regions.spanned(block), slot) for block in blocks)

    def _in_regions(self, span: range, slot: Slot) -> int:
        """Every kind is in one region of a slot, so that those of a span are a difference."""
        below = self._below[slot]
        return below[span.stop] ^ below[span.start]

    @cached_property
    def _below(self) -> dict[Slot, list[int]]:
        """The kinds in the regions before each region."""
        found: dict[Slot, list[int]] = {}
        for slot in self.slots:
            inside = defaultdict[int, int](int)
            for number, face in self._faces():
                if face.slot == slot:
                    inside[face.region] |= 1 << number
            amount = len(self.regions.starts[slot.family])
            found[slot] = list(accumulate((inside[region] for region in range(amount)), or_, initial=0))
        return found

    @cached_property
    def _by_identity(self) -> dict[Slot, dict[Identity, int]]:
        found: dict[Slot, dict[Identity, int]] = {slot: defaultdict(int) for slot in self.slots}
        for number, face in self._faces():
            if face.identity:
                found[face.slot][face.identity] |= 1 << number
        return found

    def _faces(self) -> Iterator[tuple[int, Face]]:
        return ((number, face) for number, kind in enumerate(self.kinds) for face in kind)


def _union(masks: Iterable[int]) -> int:
    union = 0
    for mask in masks:
        union |= mask
    return union
