"""One YAML document built out of libyaml's events: plain values, and beside them where every key and item stands.

Iterative and with a budget for aliases, so that time and memory stay proportional to the text.
Next: `yamlevents` does it for every document of a text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from yaml import events as yaml_events

from podfence.manifests import scalars

DEEPEST = 1000
"""No Kubernetes object nests a tenth of this."""
EXPANDED = 400_000
"""Nodes that aliases may stand for, whatever the size of the document; go-yaml's figure."""
EXPANSION = 10

Spots = int | tuple[int, Any]
"""A position, and for a container also its children's: a dict or list of Spots of the shape of the value."""


class Fault(NamedTuple):
    """Something wrong with the text itself."""

    line: int
    column: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Document:
    """`value` is None for a document without content, and for one that is not readable."""

    value: Any
    spots: Spots
    faults: tuple[Fault, ...] = ()


def position(line: int, column: int) -> int:
    """Both count from 1; one number, because there is one for every key."""
    return line << 32 | column


def unpacked(spot: Spots) -> tuple[int, int]:
    packed = spot if isinstance(spot, int) else spot[0]
    return packed >> 32, packed & 0xFFFFFFFF


class Refused(Exception):  # noqa: N818  a document is refused; nothing failed
    def __init__(self, mark: Any, code: str, message: str) -> None:
        super().__init__(message)
        self.mark, self.code, self.message = mark, code, message


_NO_KEY: Any = object()
_QUOTED = (False, True)


class _Frame:
    """A container that is still open."""

    __slots__ = ("anchor", "at", "key", "key_at", "merged", "merging", "size", "spots", "value")

    def __init__(self, value: dict[str, Any] | list[Any], at: int, anchor: str | None) -> None:
        self.value: Any = value
        self.spots: Any = type(value)()
        self.at = at
        self.anchor = anchor
        self.key: Any = _NO_KEY
        self.key_at: Any = 0
        self.merging = False
        self.merged: set[str] = set()
        self.size = 1


class _Node(NamedTuple):
    """A finished value: `size` counts its nodes as if every alias were written out."""

    value: Any
    spots: Spots
    size: int


class Builder:
    """Builds one document out of its events."""

    def __init__(self, next_event: Any, first_line: int) -> None:
        self._next = next_event
        self._first_line = first_line
        self._open: list[_Frame] = []
        self._anchors: dict[str, _Node | None] = {}
        self._faults: list[Fault] = []
        self._written = 0
        self._expanded = 0
        self._root = _Node(None, 0, 0)

    def build(self) -> Document:
        take = {
            yaml_events.ScalarEvent: self._scalar,
            yaml_events.MappingStartEvent: self._mapping,
            yaml_events.SequenceStartEvent: self._sequence,
            yaml_events.MappingEndEvent: self._end,
            yaml_events.SequenceEndEvent: self._end,
            yaml_events.AliasEvent: self._alias,
        }
        while type(event := self._next()) is not yaml_events.DocumentEndEvent:
            take[type(event)](event)
        return Document(self._root.value, self._root.spots, tuple(self._faults))

    def _at(self, event: Any) -> int:
        mark = event.start_mark
        return position(mark.line + self._first_line, mark.column + 1)

    def _scalar(self, event: Any) -> None:
        """Most events are scalars, so this one is written for speed."""
        self._written += 1
        text = event.value
        value = self._tagged(event) if event.tag else scalars.plain(text) if event.implicit[0] else text
        mark = event.start_mark
        at = (mark.line + self._first_line) << 32 | mark.column + 1
        if event.anchor:
            self._anchors[event.anchor] = _Node(value, at, 1)
        self._add(_Node(value, at, 1), event)

    def _tagged(self, event: Any) -> scalars.Scalar:
        try:
            return scalars.tagged(event.tag, event.value)
        except ValueError as wrong:
            raise Refused(event.start_mark, "yaml-syntax", str(wrong)) from None

    def _mapping(self, event: Any) -> None:
        self._enter({}, event)

    def _sequence(self, event: Any) -> None:
        self._enter([], event)

    def _enter(self, value: dict[str, Any] | list[Any], event: Any) -> None:
        self._written += 1
        if len(self._open) >= DEEPEST:
            message = f"nested deeper than {DEEPEST} levels"
            raise Refused(event.start_mark, "nested-too-deeply", message)
        if event.anchor:
            self._anchors[event.anchor] = None
        self._open.append(_Frame(value, self._at(event), event.anchor))

    def _end(self, event: Any) -> None:
        frame = self._open.pop()
        node = _Node(frame.value, (frame.at, frame.spots), frame.size)
        if frame.anchor:
            self._anchors[frame.anchor] = node
        self._add(node, event)

    def _alias(self, event: Any) -> None:
        self._written += 1
        name = event.anchor
        if name not in self._anchors:
            raise Refused(event.start_mark, "yaml-syntax", f"unknown anchor '{name}' referenced")
        node = self._anchors[name]
        if node is None:
            raise Refused(event.start_mark, "excessive-aliasing", f"anchor '{name}' value contains itself")
        self._expanded += node.size
        if self._expanded > max(EXPANDED, EXPANSION * self._written):
            message = "document contains excessive aliasing"
            raise Refused(event.start_mark, "excessive-aliasing", message)
        inside = node.spots if isinstance(node.spots, int) else node.spots[1]
        spots = self._at(event) if isinstance(node.spots, int) else (self._at(event), inside)
        self._add(node._replace(spots=spots), event)

    def _add(self, node: _Node, event: Any) -> None:
        """Put a finished node where it belongs: the root, an item, a key or a value."""
        if not self._open:
            self._root = node
            return
        frame = self._open[-1]
        frame.size += node[2]
        if frame.key is not _NO_KEY:
            self._take_value(frame, node, event)
        elif type(frame.value) is dict:
            self._take_key(frame, node, event)
        else:
            frame.value.append(node[0])
            frame.spots.append(node[1])

    def _take_key(self, frame: _Frame, node: _Node, event: Any) -> None:
        value = node[0]
        if type(value) is str:
            frame.key = value
            frame.key_at = node[1]
            frame.merging = value == "<<" and getattr(event, "implicit", _QUOTED)[0]
            return
        if isinstance(value, (dict, list)):
            raise Refused(
                event.start_mark, "bad-key", "a key is a mapping or a list (a template? render it first)"
            )
        try:
            frame.key = scalars.key(value)
        except ValueError as wrong:
            raise Refused(event.start_mark, "bad-key", str(wrong)) from None
        frame.key_at = node[1]
        frame.merging = False

    def _take_value(self, frame: _Frame, node: _Node, event: Any) -> None:
        key, frame.key = frame.key, _NO_KEY
        if frame.merging:
            self._merge(frame, node, event)
            return
        if key in frame.value:
            if key not in frame.merged:
                self._duplicate(frame, key)
            frame.merged.discard(key)
        value, spots, _ = node
        frame.value[key] = value
        frame.spots[key] = frame.key_at if isinstance(spots, int) else (frame.key_at, spots[1])

    def _duplicate(self, frame: _Frame, key: str) -> None:
        line, column = unpacked(frame.key_at)
        first_line, first_column = unpacked(frame.spots[key])
        message = f'key "{key}" already set in map (first at {first_line}:{first_column})'
        self._faults.append(Fault(line, column, "duplicate-key", message))

    def _merge(self, frame: _Frame, node: _Node, event: Any) -> None:
        """`<<`: keys written out later win; of several mappings the first."""
        several = isinstance(node.value, list)
        values = node.value if several else [node.value]
        spots = node.spots[1] if several and not isinstance(node.spots, int) else [node.spots]
        for value, spot in zip(values, spots, strict=True):
            if not isinstance(value, dict):
                message = "map merge requires map or sequence of maps as the value"
                raise Refused(event.start_mark, "bad-key", message)
            for key in value:
                self._merge_key(frame, key, value[key], spot[1][key])

    def _merge_key(self, frame: _Frame, key: str, value: Any, spots: Spots) -> None:
        if key in frame.merged:
            return
        if key in frame.value:
            # go-yaml lets `<<` overwrite what stands above it, YAML says the opposite: neither is guessed
            self._duplicate(frame, key)
            return
        frame.merged.add(key)
        frame.value[key] = value
        frame.spots[key] = spots
