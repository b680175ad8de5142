"""One file's bytes to model values: every object through the reader of its kind, every problem at once.

Next: `sources` finds the files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from podfence.manifests import kinds, reader
from podfence.manifests.gathered import Gathered
from podfence.manifests.item import Item
from podfence.manifests.loaded import Manifests, Problem, Severity
from podfence.manifests.owners import settled
from podfence.manifests.reader import Found
from podfence.manifests.reading import Context
from podfence.manifests.wrong import Wrong, field
from podfence.manifests.yamlbuild import Fault

DEFAULT = Context()


@dataclass(frozen=True, slots=True)
class File:
    """`outright`: somebody named it, so nothing in it is passed over."""

    name: str
    content: bytes
    outright: bool = True


def load(content: bytes, file: str = "-", context: Context = DEFAULT) -> Manifests:
    """Everything in one text."""
    gathered = Gathered()
    take(File(file, content), context, gathered)
    return settled(gathered.manifests())


def take(file: File, context: Context, gathered: Gathered) -> None:
    """Add what a file holds to what there is already."""
    for item in reader.items(file.content, file.name):
        if isinstance(item, Problem):
            gathered.problems.append(item)
        elif file.outright or _is_manifest(item):
            gathered.problems += (reader.problem(file.name, fault) for fault in item.faults)
            _take_document(item, context, gathered)


def _is_manifest(item: Item) -> bool:
    """Anything else in a directory is somebody else's file."""
    found = next(reader.objects(item), None) if item.is_object() else None
    return isinstance(found, Found) and bool(found.api_version and found.kind)


class _About(NamedTuple):
    """The object that something is said of. `stored`: a server gave it out."""

    item: Item
    title: str
    stored: bool = False


def _take_document(item: Item, context: Context, gathered: Gathered) -> None:
    for found in reader.objects(item):
        gathered.seen += 1
        if isinstance(found, Problem):
            gathered.problems.append(found)
        elif not (found.api_version and found.kind):
            _report(_unnamed(found), _About(found.item, ""), gathered)
        else:
            take_object(found, context, gathered)


def _unnamed(found: Found) -> Wrong:
    """Kubectl applies nothing without both."""
    words = {"apiVersion": found.api_version, "kind": found.kind}
    missing = " and ".join(name for name, value in words.items() if not value)
    return Wrong((), f"{missing} not set: not a Kubernetes object", "missing-kind")


def take_object(found: Found, context: Context, gathered: Gathered) -> None:
    """One object, wherever it comes from."""
    key = kinds.group_version_kind(found.api_version, found.kind)
    if key in kinds.READERS:
        _take_known(found, key, context, gathered)
    elif said := kinds.without_reader(key):
        _report(said, _About(found.item, found.kind), gathered)


def _take_known(found: Found, key: kinds.GroupVersionKind, context: Context, gathered: Gathered) -> None:
    try:
        reading = kinds.READERS[key](found.item, context)
        twice = found.item.duplicates() if key in kinds.STRICT else ()
    except ValueError as trouble:  # text that msgspec and Python agree is not JSON
        wrong = Wrong((), f"invalid JSON: {trouble}", "json-syntax")
        _report(wrong, _About(found.item, found.kind), gathered)
        return
    path = f"{reading.namespace}/{reading.name}" if reading.namespace else reading.name
    about = _About(found.item, f"{found.kind} {path}", reading.stored)
    for wrong in _causes(reading.wrong):
        _report(wrong, about, gathered)
    gathered.problems += (_twice(fault, about) for fault in twice)
    gathered.add(reading.value, found.item.start, about.title)


def _causes(wrong: Sequence[Wrong]) -> list[Wrong]:
    """Without complaints that a field is missing which is there, only of another type."""
    mistyped = {each.path for each in wrong if each.code == "wrong-type"}
    return [each for each in wrong if each.code == "wrong-type" or each.path not in mistyped]


def _report(wrong: Wrong, about: _About, gathered: Gathered) -> None:
    """What a server stored it has accepted, whatever we think of it."""
    found = located(wrong, about.item, about.title)
    if wrong.accepted:
        gathered.warnings.append(found)
    elif about.stored:
        gathered.warnings.append(replace(found, severity=Severity.WARNING))
    else:
        gathered.problems.append(found)


def located(wrong: Wrong, item: Item, title: str) -> Problem:
    at = item.place(wrong.path)
    path = field(wrong.path)
    return Problem(at.file, at.line, at.column, title, path, wrong.message, wrong.code, wrong.severity)


def _twice(fault: Fault, about: _About) -> Problem:
    at = about.item.at(fault.line, fault.column)
    return Problem(at.file, at.line, at.column, about.title, "", fault.message, fault.code)
