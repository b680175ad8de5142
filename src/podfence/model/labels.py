"""Labels and the selectors that say yes or no to them.

Shape and meaning: `metav1.LabelSelector`. A selector here is valid: the door (`manifests`) has refused the
others, so `matches` is total. An absent selector is not a value of this module: the door resolves it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

Labels = Mapping[str, str]

NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name"
"""Set by the control plane on every Namespace and immutable."""


class Operator(StrEnum):
    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


@dataclass(frozen=True, slots=True, order=True)
class Requirement:
    """One clause of a selector. `values` is sorted and without duplicates."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def matches(self, labels: Labels) -> bool:
        """`NotIn` and `DoesNotExist` are true of labels that lack the key."""
        match self.operator:
            case Operator.IN:
                return labels.get(self.key) in self.values
            case Operator.NOT_IN:
                return labels.get(self.key) not in self.values
            case Operator.EXISTS:
                return self.key in labels
            case _:
                return self.key not in labels

    def __str__(self) -> str:
        match self.operator:
            case Operator.IN if len(self.values) == 1:
                return f"{self.key}={self.values[0]}"
            case Operator.IN:
                return f"{self.key} in ({', '.join(self.values)})"
            case Operator.NOT_IN:
                return f"{self.key} not in ({', '.join(self.values)})"
            case Operator.EXISTS:
                return self.key
            case _:
                return f"!{self.key}"


def requirement(key: str, operator: Operator, *values: str) -> Requirement:
    return Requirement(key, operator, tuple(sorted(set(values))))


@dataclass(frozen=True, slots=True)
class Selector:
    """All requirements must hold; none means everything. Sorted, so that equal means equal."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Labels) -> bool:
        return all(requirement.matches(labels) for requirement in self.requirements)

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(requirement.key for requirement in self.requirements)

    def __str__(self) -> str:
        return ", ".join(map(str, self.requirements)) or "any"


EVERYTHING = Selector()


def selector(*requirements: Requirement, **equals: str) -> Selector:
    """`selector(role="db")`; keyword names are label keys as they stand."""
    wanted = [requirement(key, Operator.IN, value) for key, value in equals.items()]
    return Selector(tuple(sorted({*requirements, *wanted})))
