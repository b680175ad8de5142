"""Decoding into shapes with every fault at once: unknown fields and wrong types, each with its field path.

`msgspec` says yes or no fast and stops at its first fault; only then is the document walked here.
What is faulty is left out of the cleaned value, so that the rest can still be judged. Next: `rules`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from podfence.errors import did_you_mean
from podfence.manifests.wrong import Path, Wrong, field, json_word

Shape = TypeVar("Shape", bound=msgspec.Struct)


def convert(value: Any, shape: type[Shape]) -> tuple[Shape, list[Wrong]]:
    """The shape of as much of a value as is right, and all that is wrong with the rest."""
    try:
        return msgspec.convert(value, shape), []
    except (msgspec.ValidationError, OverflowError, RecursionError):
        walk = _Walk()
        cleaned = walk.clean(value, _type(shape), (), _Struct(shape.__name__, {}, {}))
        return msgspec.convert({} if cleaned is None else cleaned, shape), walk.wrong


@lru_cache(maxsize=256)
def _type(shape: type[msgspec.Struct]) -> inspect.Type:
    return inspect.type_info(shape)


class _Struct:
    """The struct a field belongs to, and the fields known above it: for messages."""

    __slots__ = ("above", "fields", "name")

    def __init__(self, name: str, fields: Mapping[str, Any], above: Mapping[str, Any]) -> None:
        self.name, self.fields, self.above = name, fields, above


_LEFT_OUT = object()


class _Walk:
    """Collects what is wrong while it copies what is right."""

    def __init__(self) -> None:
        self.wrong: list[Wrong] = []

    def clean(self, value: Any, kind: inspect.Type, path: Path, inside: _Struct) -> Any:
        """The value without its faults; None where nothing is left of it, so that items keep their numbers."""
        choices = _choices(kind)
        if value is None and any(isinstance(choice, inspect.NoneType) for choice in choices):
            return None
        for choice in choices:
            if _fits(value, choice):
                return self._children(value, choice, path, inside)
        self.wrong.append(_mismatch(value, choices[0], path, inside))
        return None

    def _children(self, value: Any, kind: inspect.Type, path: Path, inside: _Struct) -> Any:
        match kind:
            case inspect.StructType():
                return self._struct(value, kind, path, inside)
            case inspect.ListType(item_type=item):
                return [self.clean(each, item, (*path, index), inside) for index, each in enumerate(value)]
            case inspect.DictType(value_type=item):
                return self._map(value, item, path, inside)
            case _:
                return value

    def _struct(self, value: dict[str, Any], kind: inspect.StructType, path: Path, inside: _Struct) -> Any:
        fields = {each.encode_name: each.type for each in kind.fields}
        here = _Struct(kind.cls.__name__, fields, inside.fields)
        cleaned = {}
        for key, child in value.items():
            if key in fields:
                kept = self.clean(child, fields[key], (*path, key), here)
                if kept is not None:
                    cleaned[key] = kept
            elif kind.forbid_unknown_fields:
                self.wrong.append(_unknown((*path, key), here))
        return cleaned

    def _map(self, value: dict[str, Any], item: inspect.Type, path: Path, inside: _Struct) -> Any:
        """The server names the map of a bad value, never its key."""
        cleaned = {}
        for key, child in value.items():
            kept = _LEFT_OUT
            if child is None and not _fits(None, item):
                self.wrong.append(Wrong((*path, key), _null(key), "null-value"))
            elif not any(_fits(child, choice) for choice in _choices(item)):
                self.wrong.append(_mismatch(child, item, path, inside)._replace(path=(*path, key)))
            else:
                kept = child
            if kept is not _LEFT_OUT:
                cleaned[key] = kept
        return cleaned


def _choices(kind: inspect.Type) -> tuple[inspect.Type, ...]:
    return tuple(kind.types) if isinstance(kind, inspect.UnionType) else (kind,)


def _plain(kind: inspect.Type) -> inspect.Type:
    return kind.type if isinstance(kind, inspect.Metadata) else kind


def _fits(value: Any, kind: inspect.Type) -> bool:
    """Whether a value has the outer type; a struct's fields and a list's items are looked at one by one."""
    match _plain(kind):
        case inspect.AnyType():
            return True
        case inspect.NoneType():
            return value is None
        case inspect.StructType() | inspect.DictType():
            return isinstance(value, dict)
        case inspect.ListType():
            return isinstance(value, list)
        case inspect.BoolType():
            return isinstance(value, bool)
        case inspect.IntType(ge=least, le=most):
            return _whole(value) and -(1 << 63) <= value < 1 << 63 and _within(value, least, most)
        case _:
            return isinstance(value, str)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _within(value: int, least: int | None, most: int | None) -> bool:
    return (least is None or least <= value) and (most is None or value <= most)


def _mismatch(value: Any, kind: inspect.Type, path: Path, inside: _Struct) -> Wrong:
    """As Go's decoder says it: the path without indices, and the number only where a number was wanted."""
    names = ".".join(part for part in path if isinstance(part, str))
    wanted = _go_name(kind)
    word = json_word(value)
    if word == "number" and wanted.startswith("int"):
        word = f"number {value}"
    where = f"Go struct field {inside.name}.{names}" if names else "Go value"
    return Wrong(path, f"json: cannot unmarshal {word} into {where} of type {wanted}", "wrong-type")


def _go_name(kind: inspect.Type) -> str:
    match kind:
        case inspect.Metadata(extra=dict() as extra):
            return str(extra["go"])
        case inspect.UnionType(types=types):
            return _go_name(types[0])
        case inspect.StructType():
            return f"v1.{kind.cls.__name__}"
        case inspect.ListType(item_type=item):
            return f"[]{_go_name(item)}"
        case inspect.DictType(value_type=item):
            return f"map[string]{_go_name(item)}"
        case inspect.BoolType():
            return "bool"
        case inspect.IntType():
            return "int64"
        case _:
            return "string"


def _null(key: str) -> str:
    return (
        f'the value of "{key}" is null: kubectl apply drops the key, kubectl create stores an empty value; '
        'write "" or remove the key'
    )


def _unknown(path: Path, inside: _Struct) -> Wrong:
    message = f'strict decoding error: unknown field "{field(path)}"'
    return Wrong(path, message + _advice(str(path[-1]), inside), "unknown-field")


def _advice(key: str, inside: _Struct) -> str:
    if key in inside.above:
        beside = next((name for name in inside.above if name != key), key)
        return f'; it belongs one level up (the level of "{beside}"): check the indentation'
    return did_you_mean(key, inside.fields)
