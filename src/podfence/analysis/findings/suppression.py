"""Findings that somebody has looked at and wants no more: by an annotation on the object, or by configuration.

`podfence.dev/ignore: selects-nothing, label-typo` on a policy, pod, workload, namespace or route;
`selects-nothing` or `selects-nothing:default/web` in podfence.toml. Next: `report` leaves them out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from podfence.analysis.findings.catalogue import CODES
from podfence.analysis.findings.finding import Finding
from podfence.errors import UsageError, did_you_mean
from podfence.manifests.loaded import Manifests, Severity, object_key
from podfence.model.cluster import Namespace, Pod, Template
from podfence.model.policy import Place, Policy
from podfence.model.route import Route

ANNOTATION = "podfence.dev/ignore"

AT_THE_DOOR = frozenset(
    {
        "duplicate-name",
        "loose-cidr",
        "not-judged",
        "not-rendered",
        "null-item",
        "old-version",
        "uncanonical-cidr",
    }
)
"""Codes of docs/problems.md that the door accepts all the same."""

Ignored = frozenset[str]


@dataclass(frozen=True, slots=True)
class Ignore:
    """A code, everywhere or on the objects of one name: `namespace/name`, or a name of the cluster's."""

    code: str
    title: str = ""

    def covers(self, finding: Finding) -> bool:
        return finding.code == self.code and self.title in {"", finding.title}


def ignore(text: str) -> Ignore:
    """`code` or `code:namespace/name`; UsageError for a code that does not exist."""
    code, _, title = (part.strip() for part in text.partition(":"))
    if not _is_known(code):
        raise UsageError(f"{text!r} ignores a code that does not exist{did_you_mean(code, CODES)}")
    return Ignore(code, title)


def _is_known(code: str) -> bool:
    return code in CODES or code in AT_THE_DOOR


def suppressed(manifests: Manifests) -> Mapping[str, Ignored]:
    """Codes by the object that carries the annotation, named as findings name it."""
    return {title: frozenset(codes) for title, _, codes in _annotated(manifests)}


def unknown_codes(manifests: Manifests) -> Iterator[Finding]:
    """A code with a typing error would suppress nothing, silently."""
    for title, place, codes in _annotated(manifests):
        for code in codes:
            if not _is_known(code):
                message = f"{ANNOTATION} names {code!r}, which is no code{did_you_mean(code, CODES)}"
                where = "metadata.annotations"
                yield Finding("unknown-code", Severity.WARNING, place, title, where, message, "write a code")


def _annotated(manifests: Manifests) -> Iterator[tuple[str, Place, list[str]]]:
    for value in (*manifests.objects, *manifests.templates, *manifests.routes):
        if isinstance(value, Policy | Namespace | Pod | Template | Route) and ANNOTATION in value.annotations:
            kind, namespace, name = object_key(value)
            title = f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"
            place = manifests.places.get(object_key(value), Place())
            codes = (code.strip() for code in value.annotations[ANNOTATION].split(","))
            yield title, place, [code for code in codes if code]
