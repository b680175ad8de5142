"""How open each workload is: to the outside, to pods that are not in the input, and where no policy protects it.

Only its own policies are asked, because nothing is known of those of strangers. Next: `cli.show.exposure`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from podfence.analysis.connections import Allowed
from podfence.analysis.narrowing import Answer, ports_of
from podfence.analysis.strangers import ENTIRE_CLUSTER, selections, title, to_anyone, to_taken
from podfence.analysis.workloads import End
from podfence.model.policy import Direction, PodSelection
from podfence.model.portset import PortSet
from podfence.program import Combination, Term


class Exposure(NamedTuple):
    """`other` is a range outside, ENTIRE_CLUSTER, or a description of pods. `protected`: some policy selects it."""

    workload: End
    direction: Direction
    other: str
    allowed: Allowed
    protected: bool


def exposures(answer: Answer) -> Iterator[Exposure]:
    """Of every listed workload, egress first: strangers, then the outside."""
    outside = _outside(answer)
    for number, end in enumerate(answer.found.ends):
        for direction in Direction if end.pods and _asked(answer, number) else ():
            if answer.wanted.direction in {None, direction}:
                yield from _of(answer, number, direction)
                yield from outside.get((direction, number), ())


def _asked(answer: Answer, number: int) -> bool:
    return answer.wanted.focus is None or number in answer.wanted.focus


def _of(answer: Answer, number: int, direction: Direction) -> Iterator[Exposure]:
    """A description is left out where a pod of the input matches it, or whatever pod may do as much."""
    end = answer.found.ends[number]
    identity, limit = answer.found.identity(number), ports_of(answer.wanted.port, end.pods)
    subjects = answer.found.kinds.matrix.subjects
    combination = subjects.combination(identity, direction)
    protected = bool(subjects.applying(identity, direction))
    anyone = to_anyone(combination) & limit
    if anyone:
        yield Exposure(end, direction, ENTIRE_CLUSTER, Allowed(anyone), protected)
    for selection, ports in _described(combination, answer):
        if (ports & limit) - anyone:
            yield Exposure(end, direction, title(selection), Allowed(ports & limit), protected)


def _described(combination: Combination | None, answer: Answer) -> Iterator[tuple[PodSelection, PortSet]]:
    """Selections that nobody in the input matches. Terms that a named port goes with were filed as such."""
    if combination is not None:
        index = answer.found.kinds.matrix.subjects.index
        for selection in selections(combination):
            if not index.add(Term(selection)):
                yield selection, to_taken(combination, selection)


def _outside(answer: Answer) -> dict[tuple[Direction, int], list[Exposure]]:
    """What the lines of the answer say of ranges outside."""
    found: dict[tuple[Direction, int], list[Exposure]] = {}
    ends = answer.found.ends
    for source, row in answer.rows():
        for other, key in row:
            for direction, here, there in (
                (Direction.EGRESS, source, other),
                (Direction.INGRESS, other, source),
            ):
                if ends[there].addresses:
                    protected = _protected(answer, here, direction)
                    exposure = Exposure(
                        ends[here], direction, ends[there].title, answer.allowed(key), protected
                    )
                    found.setdefault((direction, here), []).append(exposure)
    return found


def _protected(answer: Answer, number: int, direction: Direction) -> bool:
    subjects = answer.found.kinds.matrix.subjects
    return bool(subjects.applying(answer.found.identity(number), direction))


def unprotected(answer: Answer) -> Iterator[tuple[End, Direction]]:
    """Workloads that no policy selects, in either direction."""
    for number, end in enumerate(answer.found.ends):
        for direction in Direction if end.pods and _asked(answer, number) else ():
            if answer.wanted.direction in {None, direction} and not _protected(answer, number, direction):
                yield end, direction
