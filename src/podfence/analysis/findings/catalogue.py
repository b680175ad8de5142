"""Every code, with the line that lists show of it, and the modules that find. docs/findings.md explains them.

Next: `report`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from podfence.analysis.findings import (
    blocks,
    booleans,
    coverage,
    directions,
    names,
    ports,
    redundancy,
    selecting,
    spare,
    wide,
)
from podfence.analysis.findings.evidence import Evidence
from podfence.analysis.findings.finding import Finding

CODES: Mapping[str, str] = {
    "selects-nothing": "A policy or a peer selects no pod.",
    "unknown-namespace": "A namespaceSelector selects no namespace.",
    "label-typo": "A label differs from an existing one as a typing error does.",
    "no-such-port-name": "No selected pod has a port of that name and protocol.",
    "port-not-exposed": "No selected pod declares the port.",
    "service-port": "A Service's port stands where the pod's port is meant.",
    "redundant-policy": "Another policy contains this one.",
    "redundant-rule": "Another rule contains this one.",
    "redundant-here": "Others allow the same to the pods that are given.",
    "allows-everything": "A rule allows everyone and every port.",
    "ignored-rules": "Rules in a direction that policyTypes leaves out.",
    "egress-without-dns": "Egress is isolated, and names cannot be asked for.",
    "separate-peers": "Two peers where one with both selectors was meant.",
    "empty-list": "An empty list that says the opposite of what it looks like.",
    "implied-ingress": "A policy for egress that denies all ingress, unsaid.",
    "host-network-pods": "Selected pods share their node's network, so that no policy applies.",
    "empty-block": "The exceptions of a block leave nothing of it.",
    "exception-undone": "What a block excepts is let in by another one.",
    "metadata-address": "A block holds the address that gives out a node's credentials.",
    "service-address": "A block holds a Service's address, which no rule ever sees.",
    "block-holds-pods": "A block holds addresses of pods or nodes.",
    "overlapping-blocks": "A block is inside of another one, or makes one with it.",
    "open-to-world": "Every address may come in.",
    "missing-namespace": "A policy in a namespace that does not exist.",
    "default-namespace": "A policy in namespace default, because it names none.",
    "boolean-label": "A label that YAML may read as a boolean.",
    "no-default-deny": "A namespace in which no policy isolates every pod.",
    "unprotected-pods": "Pods that no policy selects.",
    "route-blocked": "An Ingress or HTTPRoute leads to pods whose policies let no controller in.",
    "unknown-code": "An annotation ignores a code that does not exist.",
}
"""In order of the documentation: what matters most comes first."""

ON_REQUEST = spare.find
"""For `check --redundant`."""

FAMILIES: tuple[Callable[[Evidence], Iterator[Finding]], ...] = (
    selecting.find,
    ports.find,
    directions.find,
    names.find,
    wide.find,
    booleans.find,
    blocks.find,
    coverage.find,
    redundancy.find,
)
