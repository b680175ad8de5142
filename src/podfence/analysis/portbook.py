"""Port sets by number: matrices hold many thousands of them, few of which differ.

What two of them have in common is worked out once. Next: `matrix`.
"""

from __future__ import annotations

from collections.abc import Callable

from podfence.model.portset import EVERY_PORT, NO_PORTS, PortSet

NONE, ALL = 0, 1


class PortBook:
    """`sets[n]` is the port set of number n."""

    def __init__(self) -> None:
        self.sets: list[PortSet] = []
        self._numbers: dict[object, int] = {}
        self._both: dict[tuple[int, int], int] = {}
        self._either: dict[tuple[int, int], int] = {}
        self.number(NO_PORTS)
        self.number(EVERY_PORT)

    def number(self, ports: PortSet) -> int:
        key = (tuple(sorted(ports.ranges.items())), ports.others)
        found = self._numbers.setdefault(key, len(self.sets))
        if found == len(self.sets):
            self.sets.append(ports)
        return found

    def both(self, one: int, other: int) -> int:
        """What is in both of them."""
        if other in {one, ALL}:
            return one
        if one == ALL:
            return other
        return self._combined(self._both, one, other, PortSet.__and__) if one and other else NONE

    def either(self, one: int, other: int) -> int:
        """What is in one of them at least."""
        if one in {other, ALL} or not other:
            return one
        if not one or other == ALL:
            return other
        return self._combined(self._either, one, other, PortSet.__or__)

    def _combined(
        self,
        known: dict[tuple[int, int], int],
        one: int,
        other: int,
        combine: Callable[[PortSet, PortSet], PortSet],
    ) -> int:
        key = (one, other) if one < other else (other, one)
        if key not in known:
            known[key] = self.number(combine(self.sets[one], self.sets[other]))
        return known[key]
