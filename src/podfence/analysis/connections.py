"""All pairs and their ports, exact, at the level of workloads, pods or namespaces. What `reach` prints.

    for source, destination, allowed in connections(snapshot):
        print(f"{source.title} => {destination.title} : {allowed.ports}")

Kinds are compared with kinds (`kinds`, `matrix`), ends are made of them (`listing`). A row is worked out when it is
asked for, so that a question about one workload costs one row. `diff` compares two of these, `assert` asks one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from podfence.analysis.kinds import ABSENT, Kinds, Pair
from podfence.analysis.listing import ends
from podfence.analysis.portbook import NONE
from podfence.analysis.ranges import FAMILIES
from podfence.analysis.rows import Entries, Rows
from podfence.analysis.sums import Sums
from podfence.analysis.workloads import End, Level, Workload
from podfence.compiler.identities import Identity
from podfence.model.address import Address
from podfence.model.cluster import Snapshot
from podfence.model.portset import NO_PORTS, PortSet


@dataclass(frozen=True, slots=True)
class View:
    """`cuts`: addresses at which ranges are cut, whatever policies say; `apart`: workloads to list by pod."""

    by: Level = Level.WORKLOAD
    cuts: frozenset[Address] = frozenset()
    apart: frozenset[Workload] = frozenset()


BY_WORKLOAD = View()


@dataclass(frozen=True, slots=True)
class Allowed:
    """What one end may say to another. `families`: the same for each family that both have addresses of."""

    ports: PortSet
    families: Mapping[int, PortSet] = field(default_factory=dict, hash=False)

    @property
    def differs(self) -> bool:
        """Whether the family makes a difference."""
        return any(ports != self.ports for ports in self.families.values())


NOTHING = Allowed(NO_PORTS)


class Connection(NamedTuple):
    source: End
    destination: End
    allowed: Allowed


def connections(snapshot: Snapshot, view: View = BY_WORKLOAD) -> Connections:
    """Who reaches whom, on which ports."""
    kinds = Kinds(snapshot, view.cuts)
    listed = ends(kinds, view.by, view.apart, view.cuts)
    rows = Sums(kinds, listed) if view.by is Level.NAMESPACE else Rows(kinds, listed)
    return Connections(kinds, tuple(each.end for each in listed), rows)


@dataclass(frozen=True)
class Connections:
    """`ends` in the order of their titles. Iterating gives every pair that has any port, self pairs left out."""

    kinds: Kinds
    ends: tuple[End, ...]
    _rows: Rows | Sums
    _allowed: dict[Pair, Allowed] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Connection]:
        for number, source in enumerate(self.ends):
            for other, pair in self.row(number):
                yield Connection(source, self.ends[other], self.allowed(pair))

    def between(self, source: End, destination: End) -> Allowed:
        """What one end may say to another, both of `ends`; NOTHING to itself."""
        wanted = self.numbers[destination.title]
        found = (pair for other, pair in self.row(self.numbers[source.title]) if other == wanted)
        return next(map(self.allowed, found), NOTHING)

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """Of each end, by its title: rows speak of numbers."""
        return {end.title: number for number, end in enumerate(self.ends)}

    def identity(self, number: int) -> Identity | None:
        """As what policies select the pods of an end; None outside, and on the host network."""
        pods = self.ends[number].pods
        return self.kinds.members.kinds[self.kinds.of_pod[pods[0].key]][0].identity if pods else None

    def row(self, source: int) -> Entries:
        """Whom an end reaches, in order, with numbers that `allowed` knows: thousands of lines share few of them."""
        return self._rows.of(source)

    def allowed(self, pair: Pair) -> Allowed:
        if pair not in self._allowed:
            sets = self.kinds.matrix.book.sets
            numbers = zip(FAMILIES, pair, strict=True)
            families = {family: sets[number] for family, number in numbers if number != ABSENT}
            ports = sets[self.kinds.matrix.book.either(*(max(number, NONE) for number in pair))]
            self._allowed[pair] = Allowed(ports, families)
        return self._allowed[pair]
