"""Pods that stand in for workload templates, named and labelled as Kubernetes would, but the same every time.

Names follow from the workload and the number of the replica, never from labels or from other workloads, so that
an edit elsewhere renames nothing. Only for `assume`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from zlib import crc32

from podfence.model.cluster import Owner, Pod, Template
from podfence.model.labels import Labels

MOST_REPLICAS = 1_000
"""Of one workload: a typing error must not fill the memory."""

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""As Kubernetes has it: no vowels, hence no words; nothing that looks like something else."""

_LONGEST_STEM = 58
"""Names that Kubernetes generates are cut so that 63 characters hold stem and suffix."""


def stand_ins(
    templates: Iterable[Template], given: Iterable[Pod], nodes: Sequence[str], *, at_least: int
) -> Iterator[Pod]:
    """Pods of every workload that has none, spread over nodes."""
    pods = list(given)
    staffed = {(pod.namespace, pod.owner) for pod in pods}
    taken = {pod.key for pod in pods}
    for template in _makers(templates):
        if (template.namespace, template.owner) not in staffed:
            yield from _pods(template, nodes, at_least, taken)


def _makers(templates: Iterable[Template]) -> list[Template]:
    """One template for each workload: the workload itself, else the largest of those it made."""
    found: dict[tuple[str, Owner], Template] = {}
    for template in sorted(templates, key=lambda t: (t.controller is None, t.replicas, t.key)):
        found[template.namespace, template.owner] = template
    return sorted(found.values(), key=lambda template: template.key)


def _pods(
    template: Template, nodes: Sequence[str], at_least: int, taken: set[tuple[str, str]]
) -> Iterator[Pod]:
    stem, labels = _stem(template), {**template.labels, **_added(template)}
    for index, node in enumerate(_nodes(template, nodes, at_least)):
        name = _name(template, stem, index, node if template.per_node else "", taken)
        taken.add((template.namespace, name))
        yield Pod(
            template.namespace,
            name,
            {**labels, **_numbered(name)} if template.kind == "StatefulSet" else labels,
            node=node,
            ports=template.ports,
            host_network=template.host_network,
            owner=template.owner,
            service_account=template.service_account,
            annotations=template.annotations,
            assumed=frozenset({"pod"} if template.node else {"pod", "node"}),
        )


def _nodes(template: Template, nodes: Sequence[str], at_least: int) -> list[str]:
    """Where each pod runs: replicas take turns, from a node that depends on the workload's name."""
    places = [template.node] if template.node else list(nodes)
    start = number(*template.key)
    turns = min(max(template.replicas, at_least), MOST_REPLICAS)
    return places if template.per_node else [places[(start + turn) % len(places)] for turn in range(turns)]


def number(*words: object) -> int:
    """32 bits that depend on nothing but these words."""
    return crc32("\0".join(map(str, words)).encode())


def _name(template: Template, stem: str, index: int, node: str, taken: set[tuple[str, str]]) -> str:
    """Another suffix where one is taken, by a pod that is given or by chance. A DaemonSet's goes by the node."""
    if template.first_ordinal is not None:
        return f"{template.name}-{template.first_ordinal + index}"
    start = number(*template.key, node or index)
    suffixes = (_letters(number(start, attempt)) for attempt in count())
    names = (f"{stem[:_LONGEST_STEM]}{suffix}" for suffix in suffixes)
    return next(name for name in names if (template.namespace, name) not in taken)


def _stem(template: Template) -> str:
    """A Deployment's pods belong to a ReplicaSet, a CronJob's to a Job, whose names they carry."""
    match template.kind:
        case "Deployment":
            return f"{template.name}-{_template_hash(template)}-"
        case "CronJob":
            return f"{_job_name(template)}-"
        case _:
            return f"{template.name}-"


def _added(template: Template) -> Labels:
    """What the control plane writes on such pods, where selectors can rely on it."""
    match template.kind:
        case "Deployment":
            return {"pod-template-hash": _template_hash(template)}
        case "Job" | "CronJob":
            job = _job_name(template)
            return {"batch.kubernetes.io/job-name": job, "job-name": job}
        case _:
            return {}


def _numbered(name: str) -> Labels:
    """The same for a StatefulSet, whose pods are told apart."""
    return {
        "apps.kubernetes.io/pod-index": name.rpartition("-")[2],
        "statefulset.kubernetes.io/pod-name": name,
    }


def _job_name(template: Template) -> str:
    """A CronJob numbers its Jobs by the minute."""
    minute = 29_000_000 + number(*template.key) % 1_000_000
    return f"{template.name}-{minute}" if template.kind == "CronJob" else template.name


def _template_hash(template: Template) -> str:
    return "".join(_ALPHABET[ord(digit) % len(_ALPHABET)] for digit in str(number(*template.key)))


def _letters(value: int) -> str:
    return "".join(_ALPHABET[value // len(_ALPHABET) ** place % len(_ALPHABET)] for place in range(5))
