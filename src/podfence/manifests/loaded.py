"""What the door hands on: model objects, workload templates, and every problem at once.

`problems` refuse the input; `warnings` were accepted all the same. Next: `assume.complete` makes a Snapshot of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from podfence.model.change import Object
from podfence.model.cluster import Namespace, Node, Pod, Service, Template
from podfence.model.policy import Place, Policy
from podfence.model.route import Route


class Severity(StrEnum):
    """How much something weighs; `check --fail-on` takes the same words."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where, and with which object. `field: message` reads as the API server prints it.

    `code` is a row of docs/problems.md. `object` is for people: `NetworkPolicy default/x`.
    """

    file: str
    line: int
    column: int
    object: str
    field: str
    message: str
    code: str
    severity: Severity = Severity.ERROR

    @property
    def place(self) -> Place:
        return Place(self.file, self.line, self.column)

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return ": ".join(part for part in (where, self.field, self.message) if part)


ObjectKey = tuple[str, str, str]
"""Kind, namespace (empty for cluster-wide kinds) and name."""

KINDS: Mapping[type, str] = {
    Namespace: "Namespace",
    Node: "Node",
    Pod: "Pod",
    Policy: "NetworkPolicy",
    Service: "Service",
}


def object_key(value: Object | Template | Route) -> ObjectKey:
    """What the same name twice is decided by."""
    if isinstance(value, Template | Route):
        return (value.kind, value.namespace, value.name)
    return (KINDS[type(value)], getattr(value, "namespace", ""), value.name)


@dataclass(frozen=True, slots=True)
class Manifests:
    """The answer of the door. Of one key there is one object: the last that was read."""

    objects: tuple[Object, ...] = ()
    templates: tuple[Template, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    places: Mapping[ObjectKey, Place] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()

    @property
    def refused(self) -> bool:
        """For files it is all or nothing."""
        return bool(self.problems)
