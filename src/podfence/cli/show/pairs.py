"""What the page shows, as tables of numbers: ends by namespace, port sets, and a row of them for every source.

Rows are runs, [number, length, number, length, …], because neighbours mostly say the same. Number 0 is no port,
-1 is a pair that nobody asks about: an end and itself, two ends outside, a pair that the command left out.
Next: `reasons` explains them, `html` writes the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any

from podfence.analysis.connections import NOTHING, Allowed
from podfence.analysis.narrowing import Answer, Key
from podfence.analysis.workloads import End
from podfence.cli.show.dot import used
from podfence.cli.show.lines import FAMILY_NAMES, Entry, connection, ports_json
from podfence.cli.show.placing import placed
from podfence.cli.text import printable

Json = dict[str, Any]
Mapped = dict[int, int]

UNASKED = -1


@dataclass(frozen=True)
class Pairs:
    """`ends` as the page orders them: by namespace, the outside last, and then whoever `more` lines name."""

    answer: Answer
    ends: list[End]
    more: list[Entry]
    sets: list[Allowed] = field(default_factory=lambda: [NOTHING])
    _numbers: dict[Key, int] = field(default_factory=dict)

    def tables(self) -> Json:
        namespaces = sorted({end.namespace for end in self.ends}, key=lambda name: (not name, name))
        number = {name: n for n, name in enumerate(namespaces)}
        plan = placed(len(namespaces))
        rows = list(self._rows())
        return {
            "namespaces": [
                {"name": printable(name), "x": spot.x, "y": spot.y}
                for name, spot in zip(namespaces, plan.spots, strict=True)
            ],
            "map": {"width": plan.width, "height": plan.height, "ring": plan.ring},
            "ends": [_end(end, number) for end in self.ends],
            "rows": rows,
            "ports": [_ports(allowed) for allowed in self.sets],
        }

    def _rows(self) -> Iterator[list[int]]:
        found: dict[int, Mapped] = {n: {} for n in range(len(self.ends))}
        asked = set()
        for source, entries in self.answer.rows():
            here = self._place[source]
            if here is not None:
                asked.add(here)
                found[here] = dict(self._mapped(entries))
        for entry in self.more:
            found[self._titled[entry.source]][self._titled[entry.destination]] = self._number(entry.allowed)
        yield from (_runs(self._row(n, found[n], asked=n in asked)) for n in range(len(self.ends)))

    def _mapped(self, entries: Iterable[tuple[int, Key]]) -> Iterator[tuple[int, int]]:
        for other, key in entries:
            place = self._place[other]
            if place is not None:
                yield place, self._number_of(key)

    def _row(self, source: int, row: Mapped, *, asked: bool) -> list[int]:
        """What is not allowed is denied, where the command asked and policies have a say."""
        cells = self._blank(source) if asked else [UNASKED] * len(self.ends)
        for place, number in row.items():
            cells[place] = number
        if source not in row:
            cells[source] = UNASKED
        return cells

    def _blank(self, source: int) -> list[int]:
        end = self.ends[source]
        wanted = self.answer.reached_from(self.answer.found.numbers[end.title])
        if wanted is None:
            return list(self._blank_for(end))
        places = {self._place[number] for number in wanted}
        return [each if n in places else UNASKED for n, each in enumerate(self._blank_for(end))]

    def _blank_for(self, end: End) -> list[int]:
        return self._everybody if end.namespace else self._inside

    @cached_property
    def _everybody(self) -> list[int]:
        return [UNASKED if end.kind == STRANGER else 0 for end in self.ends]

    @cached_property
    def _inside(self) -> list[int]:
        """Whom policies judge when they are reached from outside."""
        return [0 if end.namespace else UNASKED for end in self.ends]

    @cached_property
    def _titled(self) -> dict[str, int]:
        return {end.title: n for n, end in enumerate(self.ends)}

    @cached_property
    def _place(self) -> list[int | None]:
        """Of each end that was found, its row here."""
        return [self._titled.get(end.title) for end in self.answer.found.ends]

    def _number_of(self, key: Key) -> int:
        if key not in self._numbers:
            self._numbers[key] = self._number(self.answer.allowed(key))
        return self._numbers[key]

    def _number(self, allowed: Allowed) -> int:
        if allowed not in self.sets:
            self.sets.append(allowed)
        return self.sets.index(allowed)


STRANGER = "Elsewhere"


def pairs(answer: Answer, more: Iterable[Entry] = ()) -> Pairs:
    """Everybody, or where the command chose some those that it chose."""
    entries = list(more)
    wanted = answer.wanted
    chosen = any(part is not None for part in (wanted.sources, wanted.destinations, wanted.focus))
    ends = used(answer) if chosen else by_namespace(answer.found.ends)
    known = {end.title for end in ends}
    missing = [end for end in answer.found.ends if end.title not in known and _named(end, entries)]
    known |= {end.title for end in missing}
    strangers = sorted({name for entry in entries for name in entry[:2]} - known)
    ends = by_namespace([*ends, *missing])
    return Pairs(answer, [*ends, *(End(title, STRANGER) for title in strangers)], entries)


def _named(end: End, entries: Sequence[Entry]) -> bool:
    return any(end.title in entry[:2] for entry in entries)


def by_namespace(ends: Iterable[End]) -> list[End]:
    return sorted(ends, key=lambda end: (not end.namespace, end.namespace, _bare(end), end.title))


def _bare(end: End) -> str:
    return end.title.removesuffix(f"[{end.kind}]")


def _end(end: End, number: dict[str, int]) -> Json:
    """`label` is what is left of the title inside of its namespace."""
    title = printable(end.title)
    label = printable(_bare(end)).removeprefix(f"{printable(end.namespace)}/")
    return {
        "title": title,
        "label": label,
        "kind": end.kind,
        "namespace": number[end.namespace],
        "pods": len(end.pods),
    }


def _ports(allowed: Allowed) -> Json:
    families = {FAMILY_NAMES[family]: str(ports) for family, ports in allowed.families.items()}
    told = {"text": connection(allowed), "all": allowed.ports.all_ports, **ports_json(allowed.ports)}
    return {**told, **({"families": families} if allowed.differs else {})}


def _runs(cells: Iterable[int]) -> list[int]:
    return [part for value, run in groupby(cells) for part in (value, sum(1 for _ in run))]
