"""Who is at the top of an owner chain: the Deployment of a pod's ReplicaSet, the CronJob of its Job.

From the objects in between where they are given, else from the hash that a Deployment puts into names.
Next: `assume.complete` asks which templates have their pods already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from podfence.manifests.loaded import Manifests
from podfence.model.cluster import Owner, Pod, Template
from podfence.model.labels import Labels

HASH_LABEL = "pod-template-hash"

Tops = Mapping[tuple[str, str, str], Owner]


def settled(manifests: Manifests) -> Manifests:
    """Pods with the owner at the top; templates that another given template makes are left out."""
    tops = {each.key: each.controller for each in manifests.templates if each.controller}
    pods = {index: _topped(pod, tops) for index, pod in _owned(manifests)}
    objects = tuple(pods.get(index, value) for index, value in enumerate(manifests.objects))
    given = {each.key for each in manifests.templates}
    templates = tuple(each for each in manifests.templates if not _made_by(each, given))
    return replace(manifests, objects=objects, templates=templates)


def _owned(manifests: Manifests) -> list[tuple[int, Pod]]:
    """Only these kinds are made by another one."""
    return [
        (index, value)
        for index, value in enumerate(manifests.objects)
        if isinstance(value, Pod) and value.owner and value.owner.kind in ("ReplicaSet", "Job")
    ]


def _topped(pod: Pod, tops: Tops) -> Pod:
    owner = pod.owner
    if owner is None:
        return pod
    return replace(pod, owner=tops.get((owner.kind, pod.namespace, owner.name), owner))


def by_hash(owner: Owner, labels: Labels) -> Owner:
    """A Deployment names its ReplicaSets after itself and the hash, and puts the hash on their pods."""
    ending = f"-{labels.get(HASH_LABEL, '')}"
    if owner.kind != "ReplicaSet" or ending == "-" or not owner.name.endswith(ending):
        return owner
    return Owner("Deployment", owner.name.removesuffix(ending))


def _made_by(template: Template, given: set[tuple[str, str, str]]) -> bool:
    """An old ReplicaSet is scaled to zero; one whose Deployment is given says nothing that it does not say."""
    maker = template.controller
    if maker is None:
        return False
    return (maker.kind, template.namespace, maker.name) in given or template.replicas == 0
