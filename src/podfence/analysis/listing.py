"""Which ends an answer lists, and the kind that speaks for each. Next: `connections`.

Replicas of a workload are one end unless a policy makes a difference between them; neighbouring regions outside are
one range on the same condition.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from podfence.analysis.kinds import Kinds
from podfence.analysis.workloads import (
    End,
    Level,
    Workload,
    by_workload,
    namespace_end,
    outside_end,
    pod_end,
    workload_end,
)
from podfence.model.address import Address, AddressRange
from podfence.model.cluster import Pod


class Listed(NamedTuple):
    """Every kind of a namespace speaks for it; of another end one does."""

    end: End
    kinds: tuple[int, ...]


def ends(kinds: Kinds, by: Level, apart: frozenset[Workload], cuts: frozenset[Address]) -> list[Listed]:
    """In the order of their titles."""
    inside = _namespaces(kinds) if by is Level.NAMESPACE else _workloads(kinds, by, apart)
    return sorted((*inside, *_outside(kinds, cuts)), key=lambda listed: listed.end.title)


def _namespaces(kinds: Kinds) -> Iterator[Listed]:
    found: dict[str, list[Pod]] = {}
    for pod in kinds.pods:
        found.setdefault(pod.namespace, []).append(pod)
    for name, pods in found.items():
        yield Listed(namespace_end(name, pods), _kinds_of(kinds, pods))


def _workloads(kinds: Kinds, by: Level, apart: frozenset[Workload]) -> Iterator[Listed]:
    for which, pods in by_workload(kinds.pods).items():
        found = _kinds_of(kinds, pods)
        if by is Level.POD or which in apart or told_apart(kinds, found):
            yield from (Listed(pod_end(pod), (kinds.of_pod[pod.key],)) for pod in pods)
        else:
            yield Listed(workload_end(which, pods), found[:1])


def _kinds_of(kinds: Kinds, pods: Iterable[Pod]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(kinds.of_pod[pod.key] for pod in pods))


def told_apart(kinds: Kinds, found: tuple[int, ...]) -> bool:
    """Whether policies make a difference between these kinds, and not only name them differently."""
    first = kinds.behaviour(found[0]) if len(found) > 1 else None
    return any(kinds.behaviour(other) != first for other in found[1:])


def _outside(kinds: Kinds, cuts: frozenset[Address]) -> Iterator[Listed]:
    """Ranges of each family; neighbours that behave the same are one, except where a cut is asked for."""
    last: tuple[AddressRange, int] | None = None
    before: object = None
    for kind in kinds.outside:
        (face,) = kinds.members.kinds[kind]
        here = kinds.regions.addresses(face.slot.family, face.region)
        behaviour = kinds.behaviour(kind)
        if last and here.first not in cuts and behaviour == before:
            last = (AddressRange(last[0].first, here.last), last[1])
            continue
        if last:
            yield Listed(outside_end(last[0]), last[1:])
        last, before = (here, kind), behaviour
    if last:
        yield Listed(outside_end(last[0]), last[1:])
