"""What a verdict depends on besides policies: namespaces, pods, nodes, services; and all of it, a Snapshot.

Mappings inside values are never changed after construction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from podfence.model.address import Address, Network
from podfence.model.labels import Labels
from podfence.model.policy import NOWHERE_KNOWN, Direction, Place, PodSelection, Policy, PolicyKey, Tier
from podfence.model.ports import Protocol


@dataclass(frozen=True, slots=True)
class Namespace:
    """`labels` include `kubernetes.io/metadata.name`: the door sees to it."""

    name: str
    labels: Labels = field(default_factory=dict, hash=False)
    annotations: Labels = field(default_factory=dict, compare=False, repr=False)

    @property
    def key(self) -> str:
        return self.name


class ContainerPort(NamedTuple):
    """A declared port; `name` may be empty."""

    name: str
    protocol: Protocol
    number: int


class Owner(NamedTuple):
    """The workload a pod belongs to, at the top: the Deployment, not its ReplicaSet."""

    kind: str
    name: str


PodKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Pod:
    """`ports` are those of containers and restartable init containers. `assumed` names what no input gave."""

    namespace: str
    name: str
    labels: Labels = field(default_factory=dict, hash=False)
    addresses: tuple[Address, ...] = ()
    node: str = ""
    ports: tuple[ContainerPort, ...] = ()
    host_network: bool = False
    finished: bool = False
    created: str = ""
    owner: Owner | None = None
    service_account: str = "default"
    annotations: Labels = field(default_factory=dict, hash=False, repr=False)
    assumed: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def key(self) -> PodKey:
        return (self.namespace, self.name)

    @property
    def title(self) -> str:
        return f"{self.namespace}/{self.name}"

    @property
    def on_pod_network(self) -> bool:
        """Whether policies see a pod here: a finished one is nobody, one on the host network is its node."""
        return not self.finished and not self.host_network

    def resolve(self, name: str, protocol: Protocol) -> frozenset[int]:
        """The numbers of a named port: any container that declares name and protocol counts."""
        return frozenset(p.number for p in self.ports if p.name == name and p.protocol == protocol)


@dataclass(frozen=True, slots=True)
class Template:
    """A workload whose pods are not all given: what each pod it makes would be like.

    `replicas` as written, 0 included. `first_ordinal`: its pods are numbered from there (StatefulSet).
    `per_node`: one pod on every node (DaemonSet). `controller` is the object that made this one.
    """

    namespace: str
    kind: str
    name: str
    labels: Labels = field(default_factory=dict, hash=False)
    ports: tuple[ContainerPort, ...] = ()
    host_network: bool = False
    replicas: int = 1
    first_ordinal: int | None = None
    per_node: bool = False
    service_account: str = "default"
    node: str = ""
    annotations: Labels = field(default_factory=dict, hash=False, repr=False)
    controller: Owner | None = None
    place: Place = field(default=NOWHERE_KNOWN, compare=False)

    @property
    def owner(self) -> Owner:
        """The workload at the top: the Deployment, not its ReplicaSet."""
        return self.controller or Owner(self.kind, self.name)

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.kind, self.namespace, self.name)

    @property
    def title(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Node:
    name: str
    labels: Labels = field(default_factory=dict, hash=False)
    addresses: tuple[Address, ...] = ()
    pod_blocks: tuple[Network, ...] = ()

    @property
    def key(self) -> str:
        return self.name


class ServicePort(NamedTuple):
    """`target` is a number, or the name of a port of each pod behind the Service."""

    name: str
    protocol: Protocol
    number: int
    target: int | str


@dataclass(frozen=True, slots=True)
class Service:
    """`selector` None: no pods are behind it. `addresses` are its cluster addresses; a headless one has none."""

    namespace: str
    name: str
    ports: tuple[ServicePort, ...] = ()
    selector: Labels | None = field(default=None, hash=False)
    addresses: tuple[Address, ...] = ()
    headless: bool = False
    external_name: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return (self.namespace, self.name)

    @property
    def title(self) -> str:
        return f"{self.namespace}/{self.name}"

    def selects(self, pod: Pod) -> bool:
        """An empty selector selects nothing, unlike a policy's."""
        wanted = self.selector
        same = bool(wanted) and pod.namespace == self.namespace and not pod.finished
        return same and all(pod.labels.get(k) == v for k, v in (wanted or {}).items())


@dataclass(frozen=True)
class Snapshot:
    """Everything a verdict depends on, at one moment. Keys are carried, never cut out of strings."""

    namespaces: Mapping[str, Namespace] = field(default_factory=dict)
    pods: Mapping[PodKey, Pod] = field(default_factory=dict)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    services: Mapping[tuple[str, str], Service] = field(default_factory=dict)
    policies: Mapping[PolicyKey, Policy] = field(default_factory=dict)

    @cached_property
    def _holders(self) -> Mapping[Address, Pod]:
        """Who holds an address on the pod network: of several claims the youngest, then by name."""
        claims = sorted((p for p in self.pods.values() if p.on_pod_network), key=claim)
        return {address: pod for pod in claims for address in pod.addresses}

    @cached_property
    def _subjects(self) -> dict[tuple[PodKey, Tier, Direction], tuple[Policy, ...]]:
        return {}

    def pod_at(self, address: Address) -> Pod | None:
        """The pod whose address this is. Pods on the host network and finished pods are nobody's address."""
        return self._holders.get(address)

    def node_addresses(self, name: str) -> tuple[Address, ...]:
        node = self.nodes.get(name)
        return node.addresses if node else ()

    def namespace_labels(self, name: str) -> Labels | None:
        """None for a namespace not seen: no selector matches it."""
        namespace = self.namespaces.get(name)
        return namespace.labels if namespace else None

    def policies_for(self, pod: Pod, tier: Tier, direction: Direction) -> tuple[Policy, ...]:
        """The policies that apply to a pod in a direction, in order of evaluation (and of the telling)."""
        found = self._subjects.get((pod.key, tier, direction))
        if found is None:
            applying = (p for p in self.policies.values() if p.tier is tier and direction in p.directions)
            found = tuple(sorted((p for p in applying if self.selects(p.subject, pod)), key=precedence))
            self._subjects[pod.key, tier, direction] = found
        return found

    def selects(self, selection: PodSelection, pod: Pod) -> bool:
        """Whether a selection takes a pod in. Its own policies do, whether or not we have seen its namespace."""
        seen = self.namespace_labels(pod.namespace)
        return pod.on_pod_network and selection.selects(pod.namespace, seen, pod.labels)

    def with_policies(self, policies: Iterable[Policy]) -> Snapshot:
        return replace(self, policies={policy.key: policy for policy in policies})


def claim(pod: Pod) -> tuple[str, str, str]:
    """Orders claims to one address; the last one holds it."""
    return (pod.created, pod.namespace, pod.name)


def precedence(policy: Policy) -> tuple[int, str, str]:
    return (policy.priority, policy.namespace, policy.name)
