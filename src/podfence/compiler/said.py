"""What a program says of an address, and how the differences between two sayings add up to a patch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple, TypeVar

from podfence.compiler.catalogue import Catalogue
from podfence.compiler.identities import Identity
from podfence.model.address import Address
from podfence.model.policy import Direction
from podfence.program import Combination, Group, Patch

NOBODY: frozenset[Address] = frozenset()
D = TypeVar("D", Combination, Group)


class State(NamedTuple):
    """What a program says of one address; of its groups, by way of the identity."""

    identity: Identity | None = None
    egress: str | None = None
    ingress: str | None = None
    own_node: frozenset[Address] = NOBODY


UNKNOWN = State()


class Said:
    """Collects differences, and whether any of them may take a permission away."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._joined: defaultdict[str, set[Address]] = defaultdict(set)
        self._left: defaultdict[str, set[Address]] = defaultdict(set)
        self._subjects: dict[Direction, dict[Address, str | None]] = {
            direction: {} for direction in Direction
        }
        self._own_nodes: dict[Address, frozenset[Address] | None] = {}
        self._tightens = False

    def fill(self, members: Mapping[str, set[Address]]) -> None:
        """Groups that came into use, with all their members."""
        self._joined.update({name: set(found) for name, found in members.items() if found})

    def state(self, address: Address, before: State, now: State) -> None:
        self._subject(Direction.EGRESS, address, before.egress, now.egress)
        self._subject(Direction.INGRESS, address, before.ingress, now.ingress)
        if before.own_node != now.own_node:
            self._own_nodes[address] = now.own_node or None
            self._tightens |= bool(before.own_node - now.own_node)

    def members(self, address: Address, before: frozenset[str], now: frozenset[str]) -> None:
        """Groups that are new or gone come and go with their combinations, which speak for themselves."""
        came = self._catalogue.came.groups
        for name in now - before:
            self._joined[name].add(address)
            self._tightens |= name not in came and self._catalogue.refuses(name)
        for name in before - now:
            if name in self._catalogue.groups:
                self._left[name].add(address)
                self._tightens |= self._catalogue.accepts(name)

    def _subject(self, direction: Direction, address: Address, before: str | None, now: str | None) -> None:
        """To become subject to a combination may take a permission away; to be subject to none cannot."""
        if before != now:
            self._subjects[direction][address] = now
            self._tightens |= now is not None

    def patch(self) -> Patch:
        came, went = self._catalogue.came, self._catalogue.went
        return Patch(
            _edits(came.combinations, went.combinations),
            _edits(came.groups, went.groups),
            {name: frozenset(found) for name, found in self._joined.items()},
            {name: frozenset(found) for name, found in self._left.items()},
            {direction: found for direction, found in self._subjects.items() if found},
            self._own_nodes,
            self._tightens,
        )


def _edits(came: Mapping[str, D], went: Mapping[str, D]) -> dict[str, D | None]:
    return {**dict.fromkeys(went), **came}
