"""What the API server demands of `metadata`, in its order and words. Next: `rules` goes on with the spec."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from podfence.manifests import names
from podfence.manifests.shapes import ObjectMeta, OwnerReference
from podfence.manifests.wrong import Path, Wrong, invalid, quoted, required

ANNOTATION_BYTES = 256 * 1024

_METADATA: Path = ("metadata",)
_STANDARD_FINALIZERS = frozenset({"kubernetes", "orphan", "foregroundDeletion"})
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


def check(metadata: ObjectMeta) -> Iterator[Wrong]:
    """All rules; the namespace is set already, as kubectl does."""
    yield from _names(metadata)
    yield from _times(metadata)
    yield from check_labels(metadata.labels or {}, (*_METADATA, "labels"))
    yield from _annotations(metadata.annotations or {})
    yield from _owners(metadata.ownerReferences or [])
    yield from _finalizers(metadata.finalizers or [])


def check_name(name: str, rule: Callable[[str], names.Messages]) -> Iterator[Wrong]:
    for message in rule(name):
        yield Wrong((*_METADATA, "name"), invalid(name, message), "bad-name")


def check_namespace(namespace: str) -> Iterator[Wrong]:
    for message in names.label(namespace):
        yield Wrong((*_METADATA, "namespace"), invalid(namespace, message), "bad-name")


def check_labels(labels: Mapping[str, str], path: Path) -> Iterator[Wrong]:
    """The field is the map, never one key of it."""
    for key, value in labels.items():
        for message in names.qualified_name(key):
            yield Wrong(path, invalid(key, message), "bad-label")
        for message in names.label_value(value):
            yield Wrong(path, invalid(value, message), "bad-label")


def _times(metadata: ObjectMeta) -> Iterator[Wrong]:
    for part in ("creationTimestamp", "deletionTimestamp"):
        text = getattr(metadata, part)
        if text is not None and (detail := _not_a_time(text)):
            yield Wrong((*_METADATA, part), f"parsing time {quoted(text)}{detail}", "bad-metadata")


def _not_a_time(text: str) -> str:
    """In Go's words, which name the part; Python's begin with the same one."""
    if not _TIME.fullmatch(text):
        return ' as "2006-01-02T15:04:05Z07:00"'
    try:
        datetime.fromisoformat(text[:19])
    except ValueError as wrong:
        return f": {str(wrong).split()[0]} out of range"
    return ""


def _names(metadata: ObjectMeta) -> Iterator[Wrong]:
    """A name is made up of the prefix before either is looked at, here as there."""
    prefix = metadata.generateName or ""
    for message in names.subdomain(_masked(prefix)) if prefix else ():
        yield Wrong((*_METADATA, "generateName"), invalid(prefix, message), "bad-name")
    if metadata.name:
        yield from check_name(metadata.name, names.subdomain)
    else:
        yield Wrong((*_METADATA, "name"), required("name or generateName is required"), "bad-name")
    yield from check_namespace(metadata.namespace or "")


def _masked(prefix: str) -> str:
    """A dash at its end is fine, for the server appends to it; with it goes the letter before, as there."""
    return f"{prefix[:-2]}a" if len(prefix) > 1 and prefix.endswith("-") else prefix


def _annotations(annotations: Mapping[str, str | None]) -> Iterator[Wrong]:
    path = (*_METADATA, "annotations")
    for key in annotations:
        for message in names.qualified_name(key.lower()):
            yield Wrong(path, invalid(key, message), "bad-metadata")
    size = sum(len(key.encode()) + len((value or "").encode()) for key, value in annotations.items())
    if size > ANNOTATION_BYTES:
        message = f"Too long: may not be more than {ANNOTATION_BYTES} bytes"
        yield Wrong(path, message, "bad-metadata")


def _owners(given: list[OwnerReference]) -> Iterator[Wrong]:
    """An owner that is given twice over is one: the server drops the copy before it looks."""
    path = (*_METADATA, "ownerReferences")
    owners = [owner for index, owner in enumerate(given) if owner not in given[:index]]
    first = ""
    for index, owner in enumerate(owners):
        yield from _owner(owner, (*path, index))
        named = f"{owner.kind}/{owner.name}"
        if owner.controller and first:
            found = f'Found "true" in references for {first} and {named}'
            detail = f"Only one reference can have Controller set to true. {found}"
            yield Wrong(path, invalid([_sent(each) for each in owners], detail), "bad-metadata")
        first = first or (named if owner.controller else "")


def _sent(owner: OwnerReference) -> dict[str, object]:
    """As Go writes it: what is nil is left out."""
    every = {field: getattr(owner, field) for field in OwnerReference.__struct_fields__}
    return {field: value for field, value in every.items() if value is not None}


def _owner(owner: OwnerReference, path: Path) -> Iterator[Wrong]:
    version = owner.apiVersion
    if version and (version.count("/") > 1 or version.endswith("/")):
        message = invalid(version, "must be <group>/<version> or <version>")
        yield Wrong((*path, "apiVersion"), message, "bad-metadata")
    for part in ("apiVersion", "kind", "name", "uid"):
        if not getattr(owner, part):
            yield Wrong((*path, part), required("must not be empty"), "bad-metadata")
    if (version, owner.kind) == ("v1", "Event"):
        message = invalid(_sent(owner), "/v1, Kind=Event is disallowed from being an owner")
        yield Wrong(path, message, "bad-metadata")


def _finalizers(given: list[str | None]) -> Iterator[Wrong]:
    path = (*_METADATA, "finalizers")
    finalizers = [each or "" for each in given]
    for finalizer in finalizers:
        for message in names.qualified_name(finalizer):
            yield Wrong(path, invalid(finalizer, message), "bad-metadata")
    if {"orphan", "foregroundDeletion"} <= set(finalizers):
        detail = "finalizer orphan and foregroundDeletion cannot be both set"
        yield Wrong(path, invalid(finalizers, detail), "bad-metadata")
    for index, finalizer in enumerate(finalizers):
        if "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS:
            message = invalid(
                finalizer, "name is neither a standard finalizer name nor is it fully qualified"
            )
            yield Wrong((*path, index), message, "bad-metadata")
