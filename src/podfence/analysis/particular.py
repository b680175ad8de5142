"""Pairs of addresses that no policy has the last word on: a node always reaches its own pods, an address itself.

Kinds know nothing of nodes, and need not: the pairs concerned are few, and are worked out one by one. Between
workloads such a pair counts where it is so for every replica of both, wherever they run. Next: `rows`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cached_property
from itertools import product
from typing import NamedTuple

from podfence.analysis.kinds import ABSENT, Kinds, Pair
from podfence.analysis.listing import Listed
from podfence.analysis.members import Slot
from podfence.analysis.portbook import ALL, NONE
from podfence.model.address import Address
from podfence.model.cluster import Pod
from podfence.model.policy import Direction

Tie = Address | str
"""What makes a pair particular: an address that both have, or the node that one is and the other is on."""


class Face(NamedTuple):
    """An address of a pod: what it may tie it to others by. `shared` is None where nobody else has the address."""

    slot: Slot
    shared: Address | None
    host: str
    nodes: frozenset[str]


class Party(NamedTuple):
    """A pod, as far as it matters here. Pods on the host network of one node are one."""

    kind: int
    faces: tuple[Face, ...]

    @property
    def reaching(self) -> frozenset[Tie]:
        return frozenset({*self._shared, *(name for face in self.faces for name in face.nodes)})

    @property
    def reached(self) -> frozenset[Tie]:
        return frozenset({*self._shared, *(face.host for face in self.faces if face.host)})

    @property
    def _shared(self) -> Iterator[Address]:
        return (face.shared for face in self.faces if face.shared is not None)


class Particulars:
    """Of listed ends."""

    def __init__(self, kinds: Kinds, listed: list[Listed]) -> None:
        self._kinds = kinds
        self._listed = listed
        self._known: dict[tuple[Party, Party], Pair] = {}

    def row(self, source: int) -> dict[int, Pair]:
        """What an end may say to others, where policies are not all that counts."""
        others = self._others(source)
        found = {other: self._together(self._parties[source], self._parties[other]) for other in others}
        return {other: pair for other, pair in found.items() if pair is not None}

    def any_of(self, source: int) -> Iterator[tuple[int, Pair]]:
        """The same, for ends of which any pod counts."""
        for other in self._others(source):
            for pair in product(self._parties[source], self._parties[other]):
                if not pair[0].reaching.isdisjoint(pair[1].reached):
                    yield other, self.pair(*pair)

    def _others(self, source: int) -> set[int]:
        ties = {tie for party in self._parties[source] for tie in party.reaching} if self._tied else set()
        return {other for tie in ties for other in self._reached_by.get(tie, ())} - {source}

    def _together(self, mine: tuple[Party, ...], theirs: tuple[Party, ...]) -> Pair | None:
        """What every replica may say to every other; None where kinds know that better."""
        found: Pair | None = None
        for source, destination in product(mine, theirs):
            if source.reaching.isdisjoint(destination.reached):
                return None
            pair = self.pair(source, destination)
            found = pair if found is None else self._kinds.both(found, pair)
        return found

    def pair(self, source: Party, destination: Party) -> Pair:
        """What one pod may say to another, over each family."""
        key = (source, destination)
        if key not in self._known:
            found = (ABSENT, ABSENT)
            for here, there in product(source.faces, destination.faces):
                if here.slot.family == there.slot.family:
                    found = self._kinds.either(found, self._meeting(*key, here, there))
            self._known[key] = found
        return self._known[key]

    def _meeting(self, source: Party, destination: Party, here: Face, there: Face) -> Pair:
        ports = self._ports(source, destination, here, there)
        return (ports, ABSENT) if here.slot.family == 4 else (ABSENT, ports)

    def _ports(self, source: Party, destination: Party, here: Face, there: Face) -> int:
        if here.shared is not None and here.shared == there.shared:
            return ALL
        matrix, slots = self._kinds.matrix, (here.slot, there.slot)
        own = there.host in here.nodes
        row = matrix.said(Direction.EGRESS, source.kind, *slots) if own else matrix.row(source.kind, *slots)
        return next((ports for ports, mask in row.items() if mask >> destination.kind & 1), NONE)

    @cached_property
    def _parties(self) -> list[tuple[Party, ...]]:
        """Of each end, by number."""
        return [tuple(dict.fromkeys(map(self._party, each.end.pods))) for each in self._listed]

    def _party(self, pod: Pod) -> Party:
        kind = self._kinds.of_pod[pod.key]
        slots = (face.slot for face in self._kinds.members.kinds[kind])
        return Party(kind, tuple(map(self._face, slots, pod.addresses)))

    def _face(self, slot: Slot, address: Address) -> Face:
        holder = self._kinds.snapshot.pod_at(address)
        shared = address if self._claims[address] > 1 else None
        return Face(slot, shared, holder.node if holder else "", self._nodes.get(address, frozenset()))

    @cached_property
    def _reached_by(self) -> dict[Tie, list[int]]:
        found: defaultdict[Tie, list[int]] = defaultdict(list)
        for number, parties in enumerate(self._parties):
            for tie in {tie for party in parties for tie in party.reached}:
                found[tie].append(number)
        return found

    @cached_property
    def _tied(self) -> bool:
        """Whether there is any such pair at all."""
        return any(self._claims[each] > 1 or each in self._nodes for each in self._claims)

    @cached_property
    def _claims(self) -> Counter[Address]:
        return Counter(address for pod in self._kinds.pods for address in pod.addresses)

    @cached_property
    def _nodes(self) -> dict[Address, frozenset[str]]:
        """The nodes that have an address."""
        found: defaultdict[Address, set[str]] = defaultdict(set)
        for name, node in self._kinds.snapshot.nodes.items():
            for address in node.addresses:
                found[address].add(name)
        return {address: frozenset(names) for address, names in found.items()}
