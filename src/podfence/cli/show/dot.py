"""Connections as a graph for Graphviz, its nodes grouped by namespace as the field draws them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from podfence.analysis.narrowing import Answer
from podfence.analysis.workloads import End
from podfence.cli.show.lines import Entry, Form, connection, shown
from podfence.cli.text import printable


def _quoted(text: str) -> str:
    """In Graphviz a backslash in a label means something, a quote ends it."""
    return '"' + printable(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


EDGES = Form(
    _quoted,
    lambda allowed: _quoted(connection(allowed)),
    "    ",
    " -> ",
    " [label=",
    ' color="gold2" fontcolor="darkgreen"]\n',
)


def dot(answer: Answer, more: Iterable[Entry] = ()) -> Iterator[str]:
    entries = list(more)
    yield "digraph {\n"
    yield from _nodes(used(answer))
    strangers = sorted(
        {name for entry in entries for name in entry[:2]} - {e.title for e in answer.found.ends}
    )
    yield from (_node(name, name, "red2") for name in strangers)
    yield from shown(EDGES, answer, entries)
    yield "}\n"


def used(answer: Answer) -> list[End]:
    """The ends that some line is about; by namespace, the outside last."""
    numbers = set()
    for source, entries in answer.rows():
        numbers |= {source, *(other for other, _ in entries)} if entries else set()
    ends = (answer.found.ends[number] for number in numbers)
    return sorted(ends, key=lambda end: (not end.namespace, end.namespace, end.title))


def _nodes(ends: list[End]) -> Iterator[str]:
    for namespace, members in groupby(ends, key=lambda end: end.namespace):
        if not namespace:
            yield from (_node(end.title, end.title, "red2") for end in members)
            continue
        yield f"    subgraph {_quoted(f'cluster_{namespace}')} {{\n        label={_quoted(namespace)}\n"
        for end in members:
            yield "    " + _node(end.title, end.title.removeprefix(f"{namespace}/"), "blue")
        yield "    }\n"


def _node(title: str, label: str, color: str) -> str:
    return f'    {_quoted(title)} [label={_quoted(label)} color="{color}" fontcolor="{color}"]\n'
