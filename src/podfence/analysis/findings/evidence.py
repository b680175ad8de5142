"""What findings are judged by: the policies, and whatever pods, namespaces and Services the input has.

Pods alike in all that can matter are one `Alike`, so that the work grows with workloads and not with replicas.
Nothing is assumed here but the pods of workloads: what the input does not have is not judged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from podfence.analysis.nearest import GENERATED_LABELS
from podfence.manifests.loaded import Manifests, ObjectKey
from podfence.manifests.standins import stand_ins
from podfence.model.change import snapshot
from podfence.model.cluster import Namespace, Node, Pod, PodKey, Service, Snapshot
from podfence.model.labels import NAMESPACE_NAME_LABEL, Labels, Operator, Selector
from podfence.model.policy import Direction, Place, PodSelection, Policy, Rule, Tier

ALWAYS_THERE = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})
"""Namespaces of every cluster, whether or not the input has them."""


@dataclass(frozen=True, eq=False)
class Alike:
    """Pods of one namespace with the same labels and ports; `pod` is the first of them. Compared as an object."""

    pod: Pod
    pods: tuple[Pod, ...]

    @property
    def title(self) -> str:
        """How people know them: the workload, or the pod that stands alone."""
        owner = self.pod.owner
        return f"{self.pod.namespace}/{owner.name}" if owner else self.pod.title


@dataclass(frozen=True)
class Evidence:
    """`pods` are live ones: a finished pod is nobody. `namespaces` has those that are given."""

    policies: tuple[Policy, ...]
    pods: tuple[Pod, ...] = ()
    namespaces: Mapping[str, Namespace] = field(default_factory=dict)
    services: tuple[Service, ...] = ()
    nodes: tuple[Node, ...] = ()
    places: Mapping[ObjectKey, Place] = field(default_factory=dict)

    @cached_property
    def alike(self) -> tuple[Alike, ...]:
        kept = frozenset(key for policy in self.policies for key in _keys(policy))
        found: dict[object, list[Pod]] = defaultdict(list)
        for pod in self.pods:
            labels = frozenset(
                (k, v) for k, v in pod.labels.items() if k in kept or k not in GENERATED_LABELS
            )
            found[pod.namespace, labels, frozenset(pod.ports), pod.host_network].append(pod)
        return tuple(Alike(pods[0], tuple(pods)) for pods in found.values())

    @cached_property
    def by_namespace(self) -> Mapping[str, Sequence[Alike]]:
        found: dict[str, list[Alike]] = defaultdict(list)
        for alike in self.alike:
            found[alike.pod.namespace].append(alike)
        return dict(found)

    @cached_property
    def _by_label(self) -> Mapping[tuple[str, str], Sequence[Alike]]:
        found: dict[tuple[str, str], list[Alike]] = defaultdict(list)
        for alike in self.alike:
            for label in alike.pod.labels.items():
                found[label].append(alike)
        return dict(found)

    @cached_property
    def _selected(self) -> dict[PodSelection, tuple[Alike, ...]]:
        return {}

    @cached_property
    def _homes(self) -> dict[Selector, frozenset[str]]:
        return {}

    @cached_property
    def names(self) -> frozenset[str]:
        """Of namespaces that are given or hold a pod."""
        return frozenset({*self.namespaces, *self.by_namespace})

    @cached_property
    def inhabited(self) -> frozenset[str]:
        """Namespaces that anything but a policy says to be its home."""
        services = (service.namespace for service in self.services)
        return frozenset({*self.by_namespace, *services})

    def namespace_labels(self, name: str) -> Labels:
        given = self.namespaces.get(name)
        return given.labels if given else {NAMESPACE_NAME_LABEL: name}

    def homes(self, selection: PodSelection) -> frozenset[str]:
        """The namespaces, of those known, that a selection looks into."""
        where = selection.namespaces
        if isinstance(where, str):
            return frozenset({where})
        if where not in self._homes:
            self._homes[where] = frozenset(n for n in self.names if where.matches(self.namespace_labels(n)))
        return self._homes[where]

    def matching(self, selection: PodSelection) -> tuple[Alike, ...]:
        """Those whose labels match, also on the host network, where no policy sees them."""
        if selection not in self._selected:
            self._selected[selection] = self._matching(selection)
        return self._selected[selection]

    def _matching(self, selection: PodSelection) -> tuple[Alike, ...]:
        homes = self.homes(selection)
        wanted = (r for r in selection.pods.requirements if r.operator is Operator.IN)
        if first := next(wanted, None):
            candidates = [a for v in first.values for a in self._by_label.get((first.key, v), ())]
        else:
            candidates = [alike for home in homes for alike in self.by_namespace.get(home, ())]
        return tuple(
            a for a in candidates if a.pod.namespace in homes and selection.pods.matches(a.pod.labels)
        )

    def selected(self, selection: PodSelection) -> tuple[Alike, ...]:
        return tuple(alike for alike in self.matching(selection) if not alike.pod.host_network)

    @cached_property
    def _services(self) -> Mapping[str, Sequence[Service]]:
        found: dict[str, list[Service]] = defaultdict(list)
        for service in self.services:
            found[service.namespace].append(service)
        return dict(found)

    def services_of(self, alike: Alike) -> Iterator[Service]:
        """The Services that lead to such pods."""
        return (s for s in self._services.get(alike.pod.namespace, ()) if s.selects(alike.pod))

    @cached_property
    def applying(self) -> Mapping[Direction, Mapping[Alike, tuple[Policy, ...]]]:
        """The policies that isolate, for everyone who is isolated."""
        found: dict[Direction, dict[Alike, list[Policy]]] = {d: defaultdict(list) for d in Direction}
        for policy in self.policies:
            for alike in self.selected(policy.subject):
                for direction in policy.directions:
                    found[direction][alike].append(policy)
        return {d: {alike: tuple(several) for alike, several in rows.items()} for d, rows in found.items()}


def evidence(manifests: Manifests) -> Evidence:
    """Of an input: its pods, and the stand-ins for workloads of which it has none."""
    given = snapshot(manifests.objects)
    found = _evidence(given, (*given.pods.values(), *_made(manifests, given.pods)))
    return replace(found, places=manifests.places)


def evidence_of(given: Snapshot) -> Evidence:
    """Of a snapshot, which has everything."""
    return _evidence(given, given.pods.values())


def _made(manifests: Manifests, pods: Mapping[PodKey, Pod]) -> Iterable[Pod]:
    """A DaemonSet's pods differ in nothing that is judged here: one node will do."""
    nodes = tuple(sorted({pod.node for pod in pods.values() if pod.node}))[:1] or ("node-1",)
    templates = (replace(t, node="") for t in manifests.templates)
    return stand_ins(templates, pods.values(), nodes, at_least=1)


def _evidence(given: Snapshot, pods: Iterable[Pod]) -> Evidence:
    policies = (p for p in given.policies.values() if p.tier is Tier.NETWORK_POLICY)
    return Evidence(
        tuple(sorted(policies, key=lambda policy: policy.key)),
        tuple(sorted((pod for pod in pods if not pod.finished), key=lambda pod: pod.key)),
        given.namespaces,
        tuple(given.services[key] for key in sorted(given.services)),
        tuple(given.nodes[name] for name in sorted(given.nodes)),
    )


def _keys(policy: Policy) -> Iterable[str]:
    yield from policy.subject.pods.keys
    for rule in (*policy.ingress, *policy.egress):
        yield from (key for peer in selections(rule) for key in peer.pods.keys)


def selections(rule: Rule) -> tuple[PodSelection, ...]:
    return tuple(peer for peer in rule.peers or () if isinstance(peer, PodSelection))
