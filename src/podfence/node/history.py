"""What was in force when: a denial read from the log is explained by the snapshot of its moment, not by ours.

Changes are only noted; a snapshot is made of them when somebody asks. Old ones melt into the oldest snapshot.
Next: `denials.py` asks.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from podfence.model.change import Change, after
from podfence.model.cluster import Snapshot

_KEPT, _MELTED = 96, 64
_BLUR = 0.05
"""Seconds by which the time of a packet and the time of a change may be out of step."""


class History:
    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._oldest = Snapshot()
        self._later: list[tuple[float, Sequence[Change]]] = []
        self._made: dict[int, Snapshot] = {}

    def begin(self, snapshot: Snapshot) -> None:
        self._oldest, self._later, self._made = snapshot, [], {}

    def add(self, changes: Sequence[Change]) -> None:
        self._later.append((self._clock(), changes))
        if len(self._later) > _KEPT:
            self._oldest = self._snapshot(_MELTED)
            self._later, self._made = self._later[_MELTED:], {}

    def at(self, moment: float) -> Iterator[Snapshot]:
        """The snapshot in force at a moment, then those in force shortly after or before it."""
        newest = self._count(moment)
        around = range(self._count(moment - _BLUR), self._count(moment + _BLUR) + 1)
        for count in (newest, *(each for each in reversed(around) if each != newest)):
            yield self._snapshot(count)

    def _count(self, moment: float) -> int:
        return sum(since <= moment for since, _ in self._later)

    def _snapshot(self, count: int) -> Snapshot:
        """With the first `count` of the changes."""
        if not count:
            return self._oldest
        if count not in self._made:
            begun = max((made for made in self._made if made < count), default=0)
            missing = chain.from_iterable(changes for _, changes in self._later[begun:count])
            self._made[count] = after(self._made.get(begun, self._oldest), missing)
        return self._made[count]
