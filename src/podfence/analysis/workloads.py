"""The ends that `reach` lists: workloads, pods or namespaces, and ranges of addresses outside. And how they are named.

Next: `connections` numbers them; `ends` finds them again by what is printed here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from podfence.model.address import AddressRange
from podfence.model.cluster import Owner, Pod


class Level(StrEnum):
    """What a line of the answer stands for."""

    POD = "pod"
    WORKLOAD = "workload"
    NAMESPACE = "namespace"


@dataclass(frozen=True, slots=True)
class End:
    """One end of a connection: pods that no policy tells apart, or (at that level) all of a namespace; or a range.

    `kind` is the word in its brackets. `namespace` is empty outside.
    """

    title: str
    kind: str
    namespace: str = ""
    pods: tuple[Pod, ...] = ()
    addresses: AddressRange | None = None


Workload = tuple[str, Owner]
"""Its namespace, kind and name. A pod without an owner is a workload of its own, of the kind Pod."""


def workload(pod: Pod) -> Workload:
    """A pod that its node made itself (a static pod) is nobody's replica."""
    owned = pod.owner is not None and pod.owner.kind != "Node"
    return (pod.namespace, pod.owner if pod.owner and owned else Owner("Pod", pod.name))


def listed(pods: Iterable[Pod]) -> list[Pod]:
    """Those that are somebody in the network: finished pods and pods without an address are not."""
    return sorted((pod for pod in pods if pod.addresses and not pod.finished), key=lambda pod: pod.key)


def by_workload(pods: Iterable[Pod]) -> dict[Workload, list[Pod]]:
    found: dict[Workload, list[Pod]] = {}
    for pod in pods:
        found.setdefault(workload(pod), []).append(pod)
    return found


def pod_end(pod: Pod) -> End:
    return End(f"{pod.title}[Pod]", "Pod", pod.namespace, (pod,))


def workload_end(which: Workload, pods: Iterable[Pod]) -> End:
    namespace, (kind, name) = which
    return End(f"{namespace}/{name}[{kind}]", kind, namespace, tuple(pods))


def namespace_end(name: str, pods: Iterable[Pod]) -> End:
    return End(f"{name}[Namespace]", "Namespace", name, tuple(pods))


def outside_end(block: AddressRange) -> End:
    """One address is a range too."""
    return End(f"{block.first}-{block.last}[External]", "External", addresses=block)
