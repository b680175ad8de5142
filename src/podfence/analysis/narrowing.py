"""The part of all connections that somebody asks for: some sources, some destinations, some ports.

Next: `cli.show` prints it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from podfence.analysis.connections import Allowed, Connections
from podfence.analysis.kinds import Pair
from podfence.analysis.questions import EVERY_PORT as ANY_PORT
from podfence.analysis.questions import PortAsked
from podfence.analysis.workloads import End
from podfence.model.cluster import Pod
from podfence.model.policy import Direction
from podfence.model.ports import WITH_PORTS, PortRange, Protocol
from podfence.model.portset import EVERY_PORT, NO_PORTS, PortSet, joined

Key = tuple[Pair, int]
"""What one end may say to another, and the number of the limit that is put on the answer."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Ends by number; None where all are wanted. A focus is wanted at one end, or in one direction.

    `listening`: only ports that containers declare.
    """

    sources: frozenset[int] | None = None
    destinations: frozenset[int] | None = None
    focus: frozenset[int] | None = None
    direction: Direction | None = None
    port: PortAsked = ANY_PORT
    listening: bool = False


EVERYTHING = Wanted()


@dataclass
class Answer:
    """Rows as they are printed. `allowed` knows the keys in them, `lines` is how many there were so far."""

    found: Connections
    wanted: Wanted = EVERYTHING
    lines: int = 0
    _limits: list[PortSet | None] = field(default_factory=lambda: [None])

    def rows(self) -> Iterator[tuple[int, list[tuple[int, Key]]]]:
        """Every source with those it reaches, in order; a source that reaches nobody has an empty row."""
        for source in range(len(self.found.ends)):
            if self.wanted.sources is None or source in self.wanted.sources:
                row = self._row(source)
                self.lines += len(row)
                yield source, row

    def allowed(self, key: Key) -> Allowed:
        pair, number = key
        whole, limit = self.found.allowed(pair), self._limits[number]
        if limit is None:
            return whole
        return Allowed(
            whole.ports & limit, {family: ports & limit for family, ports in whole.families.items()}
        )

    def _row(self, source: int) -> list[tuple[int, Key]]:
        wanted = self.reached_from(source)
        entries = self.found.row(source) if wanted is None or wanted else []
        if wanted is not None:
            entries = [entry for entry in entries if entry[0] in wanted]
        if not self._limited:
            return [(other, (pair, 0)) for other, pair in entries]
        keys = ((other, (pair, self._limit_of[other])) for other, pair in entries)
        return [(other, key) for other, key in keys if self._any[key]]

    def reached_from(self, source: int) -> frozenset[int] | None:
        """The destinations wanted of one source; None: all of them."""
        focus, wanted = self.wanted.focus, self.wanted.destinations
        if focus is None or (source in focus and self.wanted.direction is not Direction.INGRESS):
            return wanted
        if self.wanted.direction is Direction.EGRESS:
            return frozenset()
        return focus if wanted is None else focus & wanted

    @cached_property
    def _any(self) -> _Known:
        return _Known(self)

    @property
    def _limited(self) -> bool:
        return self.wanted.listening or self.wanted.port != ANY_PORT

    @cached_property
    def _limit_of(self) -> list[int]:
        """Of each end the number of its limit: few differ."""
        numbers: dict[tuple[object, ...], int] = {}
        found = []
        for end in self.found.ends:
            limit = self._limit(end)
            key = (tuple(sorted(limit.ranges.items())), limit.others)
            if key not in numbers:
                numbers[key] = len(self._limits)
                self._limits.append(limit)
            found.append(numbers[key])
        return found

    def _limit(self, end: End) -> PortSet:
        asked = ports_of(self.wanted.port, end.pods)
        if self.wanted.listening and end.addresses is None:
            return asked & declared(end.pods)
        return asked


class _Known(dict[Key, bool]):
    """Whether anything is left of an answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._answer = answer

    def __missing__(self, key: Key) -> bool:
        found = self[key] = bool(self._answer.allowed(key).ports)
        return found


def ports_of(asked: PortAsked, pods: Iterable[Pod]) -> PortSet:
    """What is asked for, at these destinations: a name may be another number on each."""
    if asked == ANY_PORT:
        return EVERY_PORT
    protocols = (asked.protocol,) if asked.protocol else WITH_PORTS
    if asked.name:
        return _numbers(
            (p, number) for pod in pods for p in protocols for number in pod.resolve(asked.name, p)
        )
    if asked.ports is None:
        return PortSet(others=True)
    return PortSet(dict.fromkeys(protocols, (asked.ports,)))


def declared(pods: Iterable[Pod]) -> PortSet:
    """The ports that containers declare, of any of these pods."""
    return _numbers((port.protocol, port.number) for pod in pods for port in pod.ports)


def _numbers(ports: Iterable[tuple[Protocol, int]]) -> PortSet:
    found = NO_PORTS
    for protocol, number in set(ports):
        found |= PortSet({protocol: joined([PortRange(number, number)])})
    return found
