"""One object of an input: its value, decoded as asked, and where each of its fields stands.

YAML comes with its positions; `jsonitem` has the other one. Next: `kinds` makes model values of items.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from podfence.manifests.typed import convert
from podfence.manifests.wrong import Path, Wrong
from podfence.manifests.yamlbuild import Fault, Spots, unpacked
from podfence.model.policy import Place

Shape = TypeVar("Shape", bound=msgspec.Struct)


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
    def head(self) -> tuple[Any, Any]:
        """ApiVersion and kind as they are written, None for what is not."""

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
            inside = child(spots, part)
            if inside is None:
                break
            spots = inside
        return self.at(*unpacked(spots)) if spots else Place(self.file)

    def spot(self, path: Path) -> Place | None:
        """Where a field stands, None when it is not written."""
        spots: Spots | None = self.spots
        for part in path:
            spots = child(spots, part) if spots is not None else None
        return None if spots is None else self.at(*unpacked(spots))


def child(spots: Spots, part: str | int) -> Spots | None:
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

    def head(self) -> tuple[Any, Any]:
        return self.value.get("apiVersion"), self.value.get("kind")

    def children(self) -> list[Item] | None:
        given = self.value.get("items") or []
        if not isinstance(given, list):
            return None
        inside = child(self.positions, "items")
        spots = inside[1] if isinstance(inside, tuple) else []
        return [YamlItem(self.file, each, at) for each, at in zip(given, spots, strict=True)]

    def decode(self, shape: type[Shape]) -> tuple[Shape, list[Wrong]]:
        return convert(self.value, shape)

    def duplicates(self) -> tuple[Fault, ...]:
        return ()

    def kept(self) -> YamlItem:
        return self


_NAME = re.compile(r"[^.\[\]]+")
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
        yield from _paths(self._item.spots)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _paths(spots: Spots) -> Iterator[str]:
    """Keys that a field path cannot spell (labels with dots) are left out."""
    waiting = [("", spots)]
    while waiting:
        path, here = waiting.pop()
        yield path
        match None if isinstance(here, int) else here[1]:
            case dict() as fields:
                spelled = ((key, inside) for key, inside in fields.items() if _NAME.fullmatch(key))
                waiting += ((f"{path}.{key}".removeprefix("."), inside) for key, inside in spelled)
            case list() as items:
                waiting += ((f"{path}[{index}]", inside) for index, inside in enumerate(items))
