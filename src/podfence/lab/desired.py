"""What a lab was told to hold, by kind, namespace and name, and the edits that `kubectl` knows: pure values throughout.

What a person writes over derived objects (labels of a pod that a template made) is kept beside them, as the API server keeps
it beside what was applied. Next: `running` completes this to a snapshot and makes it so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from podfence.errors import PodfenceError, did_you_mean
from podfence.lab.kinds import KINDS, resource
from podfence.manifests.loaded import Manifests, ObjectKey, object_key
from podfence.model.change import Object
from podfence.model.cluster import Namespace, Pod, Snapshot, Template
from podfence.model.labels import Labels

Thing = Object | Template
Labelled = TypeVar("Labelled", Pod, Namespace)
RESTARTS = "lab.podfence.dev/restarts"
"""Counted in a template's annotations, so that its pods get new names, as a rollout gives them."""


@dataclass(frozen=True, slots=True)
class Desired:
    """`labels`: what `label` has set (or removed, None) on pods and namespaces."""

    things: Mapping[ObjectKey, Thing] = field(default_factory=dict)
    labels: Mapping[ObjectKey, Mapping[str, str | None]] = field(default_factory=dict)

    def manifests(self) -> Manifests:
        found = self.things.values()
        return Manifests(
            tuple(each for each in found if not isinstance(each, Template)),
            tuple(each for each in found if isinstance(each, Template)),
        )

    def overlaid(self, completed: Snapshot) -> Snapshot:
        """The snapshot with the labels a person has set."""
        pods = {key: self._labelled(pod) for key, pod in completed.pods.items()}
        spaces = {key: self._labelled(space) for key, space in completed.namespaces.items()}
        return replace(completed, pods=pods, namespaces=spaces)

    def _labelled(self, thing: Labelled) -> Labelled:
        edits = self.labels.get(object_key(thing))
        return replace(thing, labels=edited(thing.labels, edits)) if edits else thing


@dataclass(frozen=True, slots=True)
class Done:
    """What happened to one object, as kubectl says it."""

    key: ObjectKey
    what: str

    @property
    def line(self) -> str:
        kind, _, name = self.key
        return f"{resource(kind)}/{name} {self.what}"


Edit = tuple[Desired, tuple[Done, ...]]


def edited(labels: Labels, edits: Mapping[str, str | None]) -> Labels:
    merged = {**labels, **edits}
    return {key: value for key, value in merged.items() if value is not None}


def applied(desired: Desired, manifests: Manifests) -> Edit:
    """Created, configured or unchanged, object by object."""
    things = dict(desired.things)
    done = []
    for thing in (*manifests.objects, *manifests.templates):
        key = object_key(thing)
        before = things.get(key)
        things[key] = _still_restarted(before, thing)
        done.append(Done(key, _applied(before, things[key])))
    return replace(desired, things=things), tuple(done)


def _applied(before: Thing | None, now: Thing) -> str:
    if before is None:
        return "created"
    return "unchanged" if before == now else "configured"


def _still_restarted(before: Thing | None, now: Thing) -> Thing:
    """Applying the same again is no rollout."""
    count = before.annotations.get(RESTARTS) if isinstance(before, Template) else None
    if count is None or not isinstance(now, Template):
        return now
    return replace(now, annotations={**now.annotations, RESTARTS: count})


def deleted(desired: Desired, keys: Iterable[ObjectKey]) -> Edit:
    """A namespace takes with it what is inside."""
    found = list(keys)
    gone = {key for key in desired.things for wanted in found if key == wanted or _inside(key, wanted)} | set(
        found
    )
    things = {key: thing for key, thing in desired.things.items() if key not in gone}
    labels = {key: edits for key, edits in desired.labels.items() if key not in gone}
    return Desired(things, labels), tuple(Done(key, "deleted") for key in found)


def _inside(key: ObjectKey, namespace: ObjectKey) -> bool:
    return namespace[0] == "Namespace" and key[1] == namespace[2]


def labelled(
    desired: Desired, key: ObjectKey, now: Labels, edits: Mapping[str, str | None], *, overwrite: bool
) -> Edit:
    """Refused, as kubectl does, where a label has another value already."""
    taken = [name for name, value in edits.items() if value is not None and now.get(name, value) != value]
    if taken and not overwrite:
        raise PodfenceError(f"{taken[0]!r} already has a value ({now[taken[0]]}): add --overwrite")
    all_edits = {**desired.labels, key: {**desired.labels.get(key, {}), **edits}}
    what = "labeled" if edited(now, edits) != now else "not labeled"
    return replace(desired, labels=all_edits), (Done(key, what),)


def scaled(desired: Desired, key: ObjectKey, replicas: int) -> Edit:
    template = _template(desired, key)
    if template.per_node:
        raise PodfenceError(f"{resource(key[0])}/{key[2]} has one pod on every node: it cannot be scaled")
    return _replaced(desired, key, replace(template, replicas=replicas), "scaled")


def restarted(desired: Desired, key: ObjectKey) -> Edit:
    template = _template(desired, key)
    count = int(template.annotations.get(RESTARTS, "0")) + 1
    annotations = {**template.annotations, RESTARTS: str(count)}
    return _replaced(desired, key, replace(template, annotations=annotations), "restarted")


def _replaced(desired: Desired, key: ObjectKey, thing: Thing, what: str) -> Edit:
    return replace(desired, things={**desired.things, key: thing}), (Done(key, what),)


def _template(desired: Desired, key: ObjectKey) -> Template:
    found = desired.things.get(key)
    if not isinstance(found, Template):
        raise PodfenceError(
            f"{resource(key[0])}/{key[2]} in namespace {key[1]} has no pod template: name a Deployment, StatefulSet, …"
        )
    return found


def find(desired: Desired, snapshot: Snapshot, kind: str, namespace: str, name: str) -> ObjectKey:
    """The key of an object that exists, given or made up; an error names the nearest."""
    cluster_wide = KINDS[kind].cluster_wide
    key = (kind, "" if cluster_wide else namespace, name)
    known = {*desired.things, *map(object_key, existing(snapshot))}
    if key in known:
        return key
    near = did_you_mean(name, (each[2] for each in known if each[:2] == key[:2]))
    where = "" if cluster_wide else f" in namespace {namespace}"
    raise PodfenceError(f'{resource(kind)} "{name}" not found{where}{near}')


def existing(snapshot: Snapshot) -> Iterable[Object]:
    for objects in (snapshot.namespaces, snapshot.nodes, snapshot.pods, snapshot.services, snapshot.policies):
        yield from objects.values()
