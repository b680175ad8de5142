"""What has been read so far, from one source or several: of one key the last object, and a note that says so.

Next: `owners` settles who owns what, then it is Manifests.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from podfence.manifests.loaded import Manifests, ObjectKey, Problem, Severity, object_key
from podfence.model.change import Object
from podfence.model.cluster import Template
from podfence.model.policy import Place
from podfence.model.route import Route


@dataclass(slots=True)
class Gathered:
    """`source` counts SOURCEs: replacing an object of an earlier one is what several are for.

    `seen` counts objects of any kind, also of those that nobody reads.
    """

    source: int = 0
    seen: int = 0
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    _values: dict[ObjectKey, Object | Template | Route] = field(default_factory=dict)
    _places: dict[ObjectKey, tuple[Place, int]] = field(default_factory=dict)

    def add(self, value: Object | Template | Route, place: Place, title: str) -> None:
        key = object_key(value)
        if key in self._values:
            self.warnings.append(self._replaced(key, place, title))
            del self._values[key]
        self._values[key] = value
        self._places[key] = (place, self.source)

    def include(self, other: Manifests) -> None:
        """What a source that is no file has read: a lab or a cluster."""
        self.seen += 1  # the source itself: a live one may well be empty
        self.problems += other.problems
        self.warnings += other.warnings
        for value in (*other.objects, *other.templates, *other.routes):
            kind, namespace, name = key = object_key(value)
            title = f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"
            self.add(value, other.places.get(key, Place()), title)

    def _replaced(self, key: ObjectKey, place: Place, title: str) -> Problem:
        before, source = self._places[key]
        severity = Severity.WARNING if source == self.source else Severity.INFO
        message = f"given twice: this one counts, not the one in {before}"
        return Problem(
            place.file, place.line, place.column, title, "metadata.name", message, "duplicate-name", severity
        )

    def manifests(self) -> Manifests:
        values = self._values.values()
        return Manifests(
            objects=tuple(value for value in values if not isinstance(value, Template | Route)),
            templates=tuple(value for value in values if isinstance(value, Template)),
            problems=tuple(self.problems),
            warnings=tuple(self.warnings),
            routes=tuple(value for value in values if isinstance(value, Route)),
            places={key: place for key, (place, _) in self._places.items()},
        )
