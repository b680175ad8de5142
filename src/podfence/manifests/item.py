"""One object of an input: its value, decoded as asked, and where each of its fields stands.

YAML comes with its positions. JSON is decoded from its bytes and only read a second time, by the YAML reader,
when somebody asks where something stands. Next: `kinds` makes model values of items.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, TypeVar

import msgspec

from podfence.manifests import scalars
from podfence.manifests.typed import convert
from podfence.manifests.wrong import Path, Wrong
from podfence.manifests.yamlbuild import Document, Fault, Spots, unpacked
from podfence.manifests.yamlevents import documents
from podfence.model.policy import Place

Shape = TypeVar("Shape", bound=msgspec.Struct)


class Head(msgspec.Struct, frozen=True):
    """What every object says of itself. Any types: the reader tells what is wrong with them."""

    apiVersion: Any = None  # noqa: N815  the API's name
    kind: Any = None


class _Listed(msgspec.Struct, frozen=True):
    items: list[msgspec.Raw] | None = None


class Item(ABC):
    """An object in a file."""

    file: str
    faults: tuple[Fault, ...]
    """Keys that are written twice, as far as the reading of the file found them."""

    @property
    @abstractmethod
    def start(self) -> Place: ...

    @abstractmethod
    def is_object(self) -> bool: ...

    @abstractmethod
    def children(self) -> list[Item] | None:
        """The items of a List object, None when they are not a list."""

    @property
    @abstractmethod
    def spots(self) -> Spots: ...

    @abstractmethod
    def decode(self, shape: type[Shape]) -> tuple[Shape, list[Wrong]]:
        """As much of it as has that shape, and what is wrong with the rest."""

    @abstractmethod
    def duplicates(self) -> tuple[Fault, ...]:
        """Keys that are written twice, where reading the file did not look for them."""

    @abstractmethod
    def kept(self) -> Item:
        """The same item, fit to be kept: it holds on to no more of the input than itself."""

    def at(self, line: int, column: int) -> Place:
        return Place(self.file, line, column)

    def place(self, path: Path) -> Place:
        """Where a field stands, or the nearest one above it that stands anywhere."""
        if not path:
            return self.start
        spots = self.spots
        for part in path:
            inside = _child(spots, part)
            if inside is None:
                break
            spots = inside
        return self.at(*unpacked(spots)) if spots else Place(self.file)

    def spot(self, path: Path) -> Place | None:
        """Where a field stands, None when it is not written."""
        spots: Spots | None = self.spots
        for part in path:
            spots = _child(spots, part) if spots is not None else None
        return None if spots is None else self.at(*unpacked(spots))


def _child(spots: Spots, part: str | int) -> Spots | None:
    """The spots of a key or an item."""
    match (None if isinstance(spots, int) else spots[1], part):
        case (dict() as fields, str()):
            return fields.get(part)
        case (list() as items, int()) if part < len(items):
            found: Spots = items[part]
            return found
        case _:
            return None


@dataclass(frozen=True, eq=False)
class YamlItem(Item):
    """From a document that was read with its positions; the reader has found duplicate keys already."""

    file: str
    value: Any
    positions: Spots
    faults: tuple[Fault, ...] = ()

    @property
    def spots(self) -> Spots:
        return self.positions

    @property
    def start(self) -> Place:
        return self.at(*unpacked(self.positions))

    def is_object(self) -> bool:
        return isinstance(self.value, dict)

    def children(self) -> list[Item] | None:
        given = self.value.get("items") or []
        if not isinstance(given, list):
            return None
        inside = _child(self.positions, "items")
        spots = inside[1] if isinstance(inside, tuple) else []
        return [YamlItem(self.file, each, at) for each, at in zip(given, spots, strict=True)]

    def decode(self, shape: type[Shape]) -> tuple[Shape, list[Wrong]]:
        return convert(self.value, shape)

    def duplicates(self) -> tuple[Fault, ...]:
        return ()

    def kept(self) -> YamlItem:
        return self


_LONG_LINE = 4096
"""Columns are not counted on longer lines: JSON on one line would cost the square of its length."""


@dataclass(frozen=True, eq=False)
class JsonItem(Item):
    """From the bytes of one JSON object; `line` and `column` are where they begin."""

    file: str
    raw: bytes | msgspec.Raw
    line: int
    column: int
    faults: tuple[Fault, ...] = ()

    def decode(self, shape: type[Shape]) -> tuple[Shape, list[Wrong]]:
        try:
            return _decoder(shape).decode(self.raw), []
        except (msgspec.DecodeError, RecursionError):
            return convert(self.value, shape)

    def kept(self) -> JsonItem:
        return replace(self, raw=bytes(self.raw))

    @property
    def start(self) -> Place:
        return Place(self.file, self.line, self.column)

    def is_object(self) -> bool:
        return bytes(memoryview(self.raw)[:1]) == b"{"

    def children(self) -> list[Item] | None:
        """Their bytes are slices of these; where they begin is counted on the way."""
        try:
            found = _decoder(_Listed).decode(self.raw).items or []
        except msgspec.ValidationError:
            return None
        return list(self._slices(bytes(self.raw), found))

    def _slices(self, text: bytes, slices: list[msgspec.Raw]) -> Iterator[JsonItem]:
        line, at = self.line, 0
        for each in slices:
            start = text.index(memoryview(each), at)
            line += text.count(b"\n", at, start)
            above = text.rfind(b"\n", 0, start)
            first = self.column if above < 0 else 1
            column = first + len(text[above + 1 : start].decode()) if start - above < _LONG_LINE else 0
            yield JsonItem(self.file, each, line, column)
            at = start + memoryview(each).nbytes

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
        first = self.column - 1 if line == 1 else 0
        return Place(self.file, line + self.line - 1, column + first)

    def duplicates(self) -> tuple[Fault, ...]:
        """The second reading only when there are any."""
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


_PART = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


class Places(Mapping[str, Place]):
    """Field paths of an item to where they stand, found when they are asked for. "" is the object."""

    __slots__ = ("_item",)

    def __init__(self, item: Item) -> None:
        self._item = item

    def __getitem__(self, path: str) -> Place:
        parts = (int(index) if index else name for index, name in _PART.findall(path))
        found = self._item.spot(tuple(parts))
        if found is None:
            raise KeyError(path)
        return found

    def __iter__(self) -> Iterator[str]:
        yield from _paths("", self._item.spots)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _paths(path: str, spots: Spots) -> Iterator[str]:
    """As deep as the shapes go, which is not deep."""
    yield path
    match None if isinstance(spots, int) else spots[1]:
        case dict() as fields:
            for key, inside in fields.items():
                yield from _paths(f"{path}.{key}".removeprefix("."), inside)
        case list() as items:
            for index, inside in enumerate(items):
                yield from _paths(f"{path}[{index}]", inside)
