"""Which labels the input knows, and the selector that somebody may have meant. Next: `selecting`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from podfence.analysis.findings.evidence import Evidence
from podfence.analysis.findings.spelling import Spelling, is_typo
from podfence.analysis.nearest import GENERATED_LABELS
from podfence.model.labels import Labels, Operator, Requirement, Selector
from podfence.model.policy import PodSelection

Known = Mapping[str, frozenset[str]]
"""Values by key."""


@dataclass(frozen=True)
class Vocabulary:
    """The words that labels of the input are made of."""

    evidence: Evidence

    @cached_property
    def pods(self) -> Known:
        return _known(alike.pod.labels for alike in self.evidence.alike)

    @cached_property
    def namespaces(self) -> Known:
        return _known(map(self.evidence.namespace_labels, self.evidence.names))

    @cached_property
    def _spellings(self) -> dict[tuple[bool, str], Spelling]:
        return {}

    def near(self, requirement: Requirement, *, of_pods: bool) -> Iterator[Requirement]:
        """The same requirement, with a known word for one that is written nearly so."""
        known = self.pods if of_pods else self.namespaces
        (value,) = requirement.values
        for word in self._spelling(requirement.key, known, of_pods=of_pods).near(value):
            yield replace(requirement, values=(word,))
        for key, values in known.items():
            if value in values and is_typo(requirement.key, key):
                yield replace(requirement, key=key)

    def _spelling(self, key: str, known: Known, *, of_pods: bool) -> Spelling:
        if (of_pods, key) not in self._spellings:
            self._spellings[of_pods, key] = Spelling(known.get(key, ()))
        return self._spellings[of_pods, key]


def _known(every: Iterable[Labels]) -> Known:
    found: dict[str, set[str]] = defaultdict(set)
    for labels in every:
        for key, value in labels.items():
            if key not in GENERATED_LABELS:
                found[key].add(value)
    return {key: frozenset(values) for key, values in sorted(found.items())}


def corrected(
    words: Vocabulary, selector: Selector, selection: PodSelection | None = None
) -> tuple[str, str] | None:
    """What to say where one near word makes the selector select; `selection`: pods are meant, not namespaces."""
    for wanted in selector.requirements:
        if wanted.operator is not Operator.IN or len(wanted.values) != 1:
            continue
        for near in words.near(wanted, of_pods=selection is not None):
            others = (each for each in selector.requirements if each != wanted)
            meant = Selector(tuple(sorted({*others, near})))
            if _selects(words.evidence, meant, selection):
                what = "pod" if selection else "namespace"
                return f"no {what} here has {wanted}, but {near} exists", f"write {near} if that is meant"
    return None


def _selects(evidence: Evidence, meant: Selector, selection: PodSelection | None) -> bool:
    if selection is None:
        return any(meant.matches(evidence.namespace_labels(name)) for name in evidence.names)
    return bool(evidence.matching(replace(selection, pods=meant)))


def seen_values(known: Known, selector: Selector) -> str:
    """What the input has instead: `role is backend or frontend here`."""
    told = (
        f"{key} is {listed(sorted(known[key]), last=' or ')}" for key in sorted(selector.keys & known.keys())
    )
    absent = (f"none has {key}" for key in sorted(selector.keys - known.keys()))
    return "; ".join((*told, *absent)) or "none is given"


def listed(names: Iterable[str], most: int = 4, last: str = " and ") -> str:
    """`a, b and c`; of many the first few, and how many more."""
    every = list(names)
    shown = every if len(every) <= most else [*every[: most - 1], f"{len(every) - most + 1} more"]
    shown = [name or '""' for name in shown]
    return last.join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)
