"""Labels that look like booleans, which YAML and people read in different ways. Next: `blocks`."""

from __future__ import annotations

from collections.abc import Iterator

from podfence.analysis.findings.evidence import Evidence
from podfence.analysis.findings.finding import Finding, Spot, about, note, peers
from podfence.analysis.findings.labels import listed
from podfence.model.labels import Selector
from podfence.model.policy import PodSelection

TRUE = frozenset({"true", "yes", "on", "y"})
FALSE = frozenset({"false", "no", "off", "n"})
LOOSE = (TRUE | FALSE) - {"true", "false"}
"""Words that some readers of YAML take for text and others for a boolean."""


def find(evidence: Evidence) -> Iterator[Finding]:
    values = _values(evidence)
    for policy in evidence.policies:
        yield from _selection(values, Spot(policy, "spec.podSelector"), policy.subject)
        for spot, _, peer in peers(policy):
            if isinstance(peer, PodSelection):
                yield from _selection(values, spot, peer)


def _values(evidence: Evidence) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    every = [*(alike.pod.labels for alike in evidence.alike), *map(evidence.namespace_labels, evidence.names)]
    for labels in every:
        for key, value in labels.items():
            found.setdefault(key, set()).add(value)
    return found


def _selection(values: dict[str, set[str]], spot: Spot, selection: PodSelection) -> Iterator[Finding]:
    where = selection.namespaces
    for selector in (selection.pods, where) if isinstance(where, Selector) else (selection.pods,):
        for wanted in selector.requirements:
            if wanted.key in {"true", "false"} and wanted.key not in values:
                message = f"the key {wanted.key!r} is what YAML makes of an unquoted on, off, yes or no"
                yield about(spot, "boolean-label", message, "put the key in quotes")
            for value in wanted.values:
                yield from _value(spot, f"{wanted.key}={value}", value, values.get(wanted.key, set()))


def _value(spot: Spot, label: str, value: str, known: set[str]) -> Iterator[Finding]:
    """Known by another word of the same meaning; or a word that one day loses its quotes."""
    if value.lower() not in TRUE | FALSE:
        return
    meaning = TRUE if value.lower() in TRUE else FALSE
    others = sorted(word for word in known if word.lower() in meaning)
    if others and value not in known:
        message = f"{label} is no label here, but {listed(others)} is: labels are text, and compared letter by letter"
        yield about(spot, "boolean-label", message, f"write {others[0]!r}, in quotes")
    elif value.lower() in LOOSE and not known:
        message = f"{label} reads as a boolean where quotes get lost, and never matches then"
        yield note(spot, "boolean-label", message, "prefer a word such as enabled")
