"""One object that came, changed or went; and snapshots as sums of changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from podfence.model.cluster import Namespace, Node, Pod, Service, Snapshot
from podfence.model.policy import Policy

Object = Namespace | Node | Pod | Service | Policy

FIELDS: Mapping[type, str] = {
    Namespace: "namespaces",
    Node: "nodes",
    Service: "services",
    Policy: "policies",
    Pod: "pods",
}
"""Where a Snapshot keeps each kind, in the order in which a cold start takes them."""


@dataclass(frozen=True, slots=True)
class Change:
    """`value` is the object as it is now, None when it is gone. The same change twice changes nothing."""

    kind: type
    key: Any
    value: Object | None = None


def put(value: Object) -> Change:
    return Change(type(value), value.key, value)


def gone(value: Object) -> Change:
    return Change(type(value), value.key)


def snapshot(objects: Iterable[Object]) -> Snapshot:
    """Of several objects of one key the last counts."""
    found: dict[str, Any] = {field: {} for field in FIELDS.values()}
    for value in objects:
        found[FIELDS[type(value)]][value.key] = value
    return Snapshot(**found)


def after(before: Snapshot, changes: Iterable[Change]) -> Snapshot:
    """The snapshot when the changes have happened, in order."""
    edited: dict[str, Any] = {}
    for change in changes:
        field = FIELDS[change.kind]
        objects = edited.setdefault(field, dict(getattr(before, field)))
        if change.value is None:
            objects.pop(change.key, None)
        else:
            objects[change.key] = change.value
    return replace(before, **edited)


def between(old: Snapshot, new: Snapshot) -> Iterator[Change]:
    """The changes that lead from one snapshot to another, kind by kind."""
    for kind, field in FIELDS.items():
        mine, theirs = getattr(old, field), getattr(new, field)
        yield from (Change(kind, key) for key in mine if key not in theirs)
        yield from (Change(kind, key, theirs[key]) for key in theirs if mine.get(key) != theirs[key])
