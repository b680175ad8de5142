"""An object in JSON: decoded straight from its bytes, because what servers give out can be large.

It is read a second time, by the YAML reader, only when somebody asks where something stands.
Next: `reader` finds the objects of a file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import msgspec

from podfence.manifests import scalars
from podfence.manifests.item import Item, Shape
from podfence.manifests.kinds import READERS, group_version_kind
from podfence.manifests.typed import convert
from podfence.manifests.wrong import Wrong
from podfence.manifests.yamlbuild import Document, Fault, Spots
from podfence.manifests.yamlevents import documents
from podfence.model.policy import Place

_LONG_LINE = 4096
"""Columns are not counted on longer lines: JSON on one line would cost the square of its length."""

_WORD = rb'"([A-Za-z0-9./-]+)"'
_HEAD = re.compile(rb'\{\s*"apiVersion"\s*:\s*' + _WORD + rb'\s*,\s*"kind"\s*:\s*' + _WORD)
_BETWEEN = re.compile(rb"[\s,]*")


class _Head(msgspec.Struct, frozen=True):
    apiVersion: Any = None  # noqa: N815  the API's name
    kind: Any = None


class _Listed(_Head, frozen=True):
    items: list[msgspec.Raw] | None = None


@dataclass(frozen=True, eq=False)
class JsonItem(Item):
    """The bytes of one JSON object; `line` and `column` are where they begin."""

    file: str
    raw: bytes | msgspec.Raw
    line: int
    column: int
    faults: tuple[Fault, ...] = ()

    @property
    def start(self) -> Place:
        return Place(self.file, self.line, self.column)

    def is_object(self) -> bool:
        return bytes(memoryview(self.raw)[:1]) == b"{"

    def head(self) -> tuple[Any, Any]:
        """The first two keys where `decode` will make sure that they do not come again; else all is gone through."""
        words = self._first_keys
        if words and group_version_kind(*words) in READERS:
            return words
        head = self.listed or _decoder(_Head).decode(self.raw)
        return head.apiVersion, head.kind

    @cached_property
    def _first_keys(self) -> tuple[str, str] | None:
        found = _HEAD.match(memoryview(self.raw))
        return (found[1].decode(), found[2].decode()) if found else None

    @cached_property
    def listed(self) -> _Listed | None:
        """All of it, gone through once; None when its items are not a list. DecodeError when this is not JSON."""
        try:
            found: _Listed = _decoder(_Listed).decode(self.raw)
        except msgspec.ValidationError:
            return None
        return found

    def children(self) -> list[Item] | None:
        return list(self._slices(bytes(self.raw), self.listed.items or [])) if self.listed else None

    def _slices(self, text: bytes, slices: list[msgspec.Raw]) -> Iterator[JsonItem]:
        """The items are slices of these bytes; where each begins is counted on the way."""
        line, at = self.line, 0
        for each in slices:
            # only the first has to be looked for: between items there is nothing but white space and a comma
            start = _BETWEEN.match(text, at).end() if at else text.index(memoryview(each))  # type: ignore[union-attr]
            line += text.count(b"\n", at, start)
            yield JsonItem(self.file, each, line, self._column(text, start))
            line, at = line + text.count(b"\n", start, start + len(each)), start + len(each)

    def _column(self, text: bytes, start: int) -> int:
        """From 1; 0, unknown, on a very long line."""
        above = text.rfind(b"\n", max(0, start - _LONG_LINE), start)
        if above < 0:
            return self.column + len(text[:start].decode()) if start < _LONG_LINE else 0
        return 1 + len(text[above + 1 : start].decode())

    def decode(self, shape: type[Shape]) -> tuple[Shape, list[Wrong]]:
        found, wrong = self._decoded(shape)
        last = (getattr(found, "apiVersion", None), getattr(found, "kind", None))
        if self._first_keys not in (None, last):
            raise ValueError("apiVersion or kind is written twice")
        return found, wrong

    def _decoded(self, shape: type[Shape]) -> tuple[Shape, list[Wrong]]:
        try:
            return _decoder(shape).decode(self.raw), []
        except (msgspec.DecodeError, RecursionError):
            return convert(self.value, shape)

    def kept(self) -> JsonItem:
        return replace(self, raw=bytes(self.raw))

    @cached_property
    def value(self) -> Any:
        """A whole float is an integer, as in YAML: kubectl sends it as one. ValueError when it is not JSON."""
        found = json.loads(bytes(self.raw), parse_float=scalars.plain, parse_constant=_refuse_constant)
        msgspec.json.encode(found)  # raises for a lone surrogate, which Python's own reader lets in
        return found

    @cached_property
    def _document(self) -> Document:
        return next(documents(bytes(self.raw).decode()), Document(None, 0))

    @property
    def spots(self) -> Spots:
        return self._document.spots

    def at(self, line: int, column: int) -> Place:
        """From a position in these bytes to one in the file; a column from an unknown one is unknown."""
        if line > 1:
            return Place(self.file, line + self.line - 1, column)
        return Place(self.file, self.line, column + self.column - 1 if self.column else 0)

    def duplicates(self) -> tuple[Fault, ...]:
        """Where they stand is looked for only when there are any."""
        try:
            json.loads(bytes(self.raw), object_pairs_hook=_once)
        except _TwiceError as twice:
            found = tuple(f for f in self._document.faults if f.code == "duplicate-key")
            return found or (Fault(1, 1, "duplicate-key", f'duplicate field "{twice}"'),)
        return ()


@cache
def _decoder(shape: type[Shape]) -> msgspec.json.Decoder[Shape]:
    return msgspec.json.Decoder(shape)


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


class _TwiceError(ValueError):
    """Names the key."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _TwiceError(next(key for key in keys if keys.count(key) > 1))
    return found
