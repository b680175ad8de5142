"""Connections as a picture that needs nothing but a browser: who, in columns by namespace; arcs say who reaches whom.

The layout follows from the names alone, so that the same answer is the same picture. Two pairs that mirror each
other are two arcs; what an arc allows is its title, which browsers show where the pointer rests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from itertools import groupby
from typing import NamedTuple

from podfence.analysis.narrowing import Answer
from podfence.analysis.workloads import End
from podfence.cli.show.dot import used
from podfence.cli.show.lines import Entry, connection
from podfence.cli.text import printable

WIDTH, HEIGHT = 300, 26
GAP, ROW, TOP, MARGIN = 120, 44, 60, 30
SHIFT = 5

STYLE = (
    "text{font:13px sans-serif;fill:#222}.name{font-weight:bold}"
    "rect{fill:#eef3fb;stroke:#4a6fa5}.outside rect{fill:#fdf0ee;stroke:#b5482f}"
    "path{fill:none;stroke:#7a8793;stroke-opacity:.55}path:hover{stroke:#c2410c;stroke-width:2.5;stroke-opacity:1}"
)
ARROW = (
    '<marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0L8 4L0 8z" style="fill:#7a8793;stroke:none"/></marker>'
)


class Box(NamedTuple):
    """Where an end is drawn."""

    x: int
    y: int
    column: int


def svg(answer: Answer, more: Iterable[Entry] = ()) -> Iterator[str]:
    entries = list(more)
    columns = _columns(used(answer), entries)
    boxes = {
        title: Box(MARGIN + column * (WIDTH + GAP), TOP + row * ROW, column)
        for column, (_, titles) in enumerate(columns)
        for row, title in enumerate(titles)
    }
    width = 2 * MARGIN + len(columns) * (WIDTH + GAP)
    height = TOP + MARGIN + ROW * max((len(titles) for _, titles in columns), default=1)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">\n'
        f"<title>who reaches whom</title><style>{STYLE}</style><defs>{ARROW}</defs>\n"
    )
    for column, (name, titles) in enumerate(columns):
        yield from _column(name, MARGIN + column * (WIDTH + GAP), [(title, boxes[title]) for title in titles])
    yield from _arcs(answer, entries, boxes)
    yield "</svg>\n"


def _columns(ends: list[End], entries: list[Entry]) -> list[tuple[str, list[str]]]:
    """A namespace each; the outside, and whoever else is not in the cluster, last."""
    inside = [end for end in ends if end.namespace]
    known = {end.title for end in inside}
    outside = {end.title for end in ends if not end.namespace}
    outside |= {name for entry in entries for name in entry[:2] if name not in known}
    groups = groupby(inside, key=lambda end: end.namespace)
    found = [(namespace, [end.title for end in members]) for namespace, members in groups]
    return [*found, *([("outside", sorted(outside))] if outside else [])]


def _column(name: str, x: int, boxes: list[tuple[str, Box]]) -> Iterator[str]:
    yield f'<g class="{"outside" if name == "outside" else "inside"}">\n'
    yield f'<text class="name" x="{x}" y="{TOP - 20}">{_text(name)}</text>\n'
    for title, box in boxes:
        label = title.removeprefix(f"{name}/")
        yield f'<rect x="{box.x}" y="{box.y}" width="{WIDTH}" height="{HEIGHT}" rx="5"/>'
        yield f'<text x="{box.x + 8}" y="{box.y + 17}">{_text(_short(label))}<title>{_text(title)}</title></text>\n'
    yield "</g>\n"


def _arcs(answer: Answer, entries: list[Entry], boxes: Mapping[str, Box]) -> Iterator[str]:
    ends = answer.found.ends
    for source, row in answer.rows():
        for other, key in row:
            said = connection(answer.allowed(key))
            yield _arc((ends[source].title, ends[other].title), said, boxes)
    for entry in entries:
        yield _arc((entry.source, entry.destination), connection(entry.allowed), boxes)


def _arc(pair: tuple[str, str], said: str, boxes: Mapping[str, Box]) -> str:
    """Between the sides that face each other; in one column both on the right. Arcs end a little above where they begin."""
    here, there = boxes[pair[0]], boxes[pair[1]]
    leaves, enters = _sides(here, there)
    x1, y1 = here.x + leaves * WIDTH, here.y + HEIGHT // 2 + SHIFT
    x2, y2 = there.x + enters * WIDTH, there.y + HEIGHT // 2 - SHIFT
    bend = GAP // 2
    control = f"{x1 + (bend if leaves else -bend)} {y1}, {x2 + (bend if enters else -bend)} {y2}"
    title = _text(f"{pair[0]} => {pair[1]} : {said}")
    return (
        f'<path d="M{x1} {y1} C{control}, {x2} {y2}" marker-end="url(#arrow)"><title>{title}</title></path>\n'
    )


def _sides(here: Box, there: Box) -> tuple[int, int]:
    """0 is left, 1 is right."""
    return (int(here.column <= there.column), int(here.column >= there.column))


def _short(label: str) -> str:
    """What fits into a box; the whole name is its title."""
    return label if len(label) <= 40 else f"{label[:39]}…"


def _text(text: str) -> str:
    return escape(printable(text))
