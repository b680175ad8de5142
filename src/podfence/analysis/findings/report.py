"""All findings of an input, in the order in which it reads; what was suppressed; and what could not be judged.

`judge` is the whole of it. Next: `cli.check` prints reports.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from podfence.analysis.findings import ways_in
from podfence.analysis.findings.catalogue import FAMILIES, ON_REQUEST
from podfence.analysis.findings.evidence import Evidence, evidence
from podfence.analysis.findings.finding import Finding, accepted, order
from podfence.analysis.findings.suppression import Ignore, Ignored, suppressed, unknown_codes
from podfence.manifests.loaded import Manifests


@dataclass(frozen=True, slots=True)
class Report:
    """`notes`: sentences, one for each kind that is missing and what was not judged for want of it."""

    findings: tuple[Finding, ...] = ()
    ignored: int = 0
    notes: tuple[str, ...] = ()


def judge(manifests: Manifests, ignore: Iterable[Ignore] = (), *, spare: bool = False) -> Report:
    """What the door doubted, then every family; `spare`: also what the given pods have no need of."""
    facts = evidence(manifests)
    doubted = [accepted(warning) for warning in manifests.warnings]
    null = {(each.object, each.field) for each in doubted if each.code == "null-item"}
    families = (*FAMILIES, ON_REQUEST) if spare else FAMILIES
    judged = chain(*(family(facts) for family in families), ways_in.find(manifests))
    found = [each for each in judged if (each.object, each.field) not in null]
    by_object = suppressed(manifests)
    every = sorted([*doubted, *found, *unknown_codes(manifests)], key=order)
    kept = tuple(each for each in every if not _is_ignored(each, by_object, tuple(ignore)))
    return Report(kept, len(every) - len(kept), tuple(_notes(facts)))


def _is_ignored(finding: Finding, by_object: Mapping[str, Ignored], ignore: tuple[Ignore, ...]) -> bool:
    said = by_object.get(finding.object, frozenset())
    return finding.code in said or any(each.covers(finding) for each in ignore)


def _notes(facts: Evidence) -> Iterator[str]:
    """Only of input that has policies: otherwise there was nothing to judge."""
    if not facts.policies:
        return
    if not facts.pods:
        yield "no pods are given: whether selectors and ports meet any was not checked"
    if not facts.namespaces:
        yield "no namespaces are given: whether namespaceSelectors select any was not checked"
    if not facts.services:
        yield "no services are given: whether their ports are mistaken for those of pods was not checked"
