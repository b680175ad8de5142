"""The fields that are read of kinds other than policies; whatever else they have passes.

Next: `pods` and `cluster` make values of the model of them.
"""

from __future__ import annotations

from typing import Any, TypeVar

from msgspec import Struct

from podfence.manifests.shapes import Int32, ProtocolText

Element = TypeVar("Element")


class Kind(Struct, frozen=True):
    """An object of its own."""

    apiVersion: Any = None  # noqa: N815
    kind: Any = None


class OwnerReference(Struct, frozen=True, gc=False):
    kind: str | None = None
    name: str | None = None
    controller: bool | None = None


class ObjectMeta(Struct, frozen=True):
    name: str | None = None
    generateName: str | None = None  # noqa: N815
    namespace: str | None = None
    uid: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str | None] | None = None
    creationTimestamp: str | None = None  # noqa: N815
    ownerReferences: list[OwnerReference | None] | None = None  # noqa: N815


class ContainerPort(Struct, frozen=True, gc=False):
    name: str | None = None
    containerPort: Int32 | None = None  # noqa: N815
    protocol: ProtocolText | None = None


class Container(Struct, frozen=True):
    ports: list[ContainerPort | None] | None = None
    restartPolicy: str | None = None  # noqa: N815


class PodSpec(Struct, frozen=True):
    nodeName: str | None = None  # noqa: N815
    hostNetwork: bool | None = None  # noqa: N815
    serviceAccountName: str | None = None  # noqa: N815
    serviceAccount: str | None = None  # noqa: N815
    containers: list[Container | None] | None = None
    initContainers: list[Container | None] | None = None  # noqa: N815


class PodIP(Struct, frozen=True, gc=False):
    ip: str | None = None


class PodStatus(Struct, frozen=True):
    phase: str | None = None
    podIP: str | None = None  # noqa: N815
    podIPs: list[PodIP | None] | None = None  # noqa: N815


class Pod(Kind, frozen=True):
    metadata: ObjectMeta | None = None
    spec: PodSpec | None = None
    status: PodStatus | None = None


class PodTemplateSpec(Struct, frozen=True):
    metadata: ObjectMeta | None = None
    spec: PodSpec | None = None


class Ordinals(Struct, frozen=True):
    start: Int32 | None = None


class WorkloadSpec(Struct, frozen=True):
    """What Deployment, ReplicaSet, StatefulSet, DaemonSet, Job and ReplicationController have in common."""

    replicas: Int32 | None = None
    parallelism: Int32 | None = None
    ordinals: Ordinals | None = None
    template: PodTemplateSpec | None = None


class Workload(Kind, frozen=True):
    metadata: ObjectMeta | None = None
    spec: WorkloadSpec | None = None


class JobTemplate(Struct, frozen=True):
    spec: WorkloadSpec | None = None


class CronJobSpec(Struct, frozen=True):
    jobTemplate: JobTemplate | None = None  # noqa: N815


class CronJob(Kind, frozen=True):
    metadata: ObjectMeta | None = None
    spec: CronJobSpec | None = None


class Namespace(Kind, frozen=True):
    metadata: ObjectMeta | None = None


class ServicePort(Struct, frozen=True, gc=False):
    name: str | None = None
    port: Int32 | None = None
    protocol: ProtocolText | None = None
    targetPort: Int32 | str | None = None  # noqa: N815


class ServiceSpec(Struct, frozen=True):
    type: str | None = None
    selector: dict[str, str] | None = None
    ports: list[ServicePort | None] | None = None
    clusterIP: str | None = None  # noqa: N815
    clusterIPs: list[str | None] | None = None  # noqa: N815
    externalName: str | None = None  # noqa: N815


class Service(Kind, frozen=True):
    metadata: ObjectMeta | None = None
    spec: ServiceSpec | None = None


class NodeSpec(Struct, frozen=True):
    podCIDR: str | None = None  # noqa: N815
    podCIDRs: list[str | None] | None = None  # noqa: N815


class NodeAddress(Struct, frozen=True, gc=False):
    type: str | None = None
    address: str | None = None


class NodeStatus(Struct, frozen=True):
    addresses: list[NodeAddress | None] | None = None


class Node(Kind, frozen=True):
    metadata: ObjectMeta | None = None
    spec: NodeSpec | None = None
    status: NodeStatus | None = None


EMPTY_METADATA = ObjectMeta()


def given(items: list[Element | None] | None) -> list[tuple[int, Element]]:
    """The items that are not null, with their indices."""
    if not items:
        return []
    return [(index, item) for index, item in enumerate(items or ()) if item is not None]
