"""The small part of two snapshots that one pair depends on, and worlds mixed of both: some objects as they were.

A pair depends on its two ends, their namespaces and nodes, and the policies that select them. Next: `causes` takes
edits back one by one and asks again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

from podfence.analysis.admission import USABLE, ports_between
from podfence.model.address import Address
from podfence.model.cluster import Namespace, Node, Pod, Snapshot
from podfence.model.policy import Policy, PolicyKey
from podfence.model.portset import NO_PORTS, PortSet

Families = Mapping[int, PortSet]
"""What passes, over each family that both ends have."""

Key = tuple[str, ...]
"""What an object is in such a world, and its name: `("Namespace", "shop")`, `("source",)`."""

SOURCE: Key = ("source",)
DESTINATION: Key = ("destination",)

Part = Namespace | Node | Pod | Policy
Parts = Mapping[Key, Part]


class Member(NamedTuple):
    """What speaks for an end: a pod of it on each side, or an address outside, which is there on both."""

    old: Pod | None
    new: Pod | None
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class Mixture:
    """All that a pair depends on, as it was and as it is."""

    old: Parts
    new: Parts
    source: Member
    destination: Member

    @property
    def edits(self) -> tuple[Key, ...]:
        """What differs, as far as verdicts can tell."""
        keys = sorted({*self.old, *self.new})
        return tuple(key for key in keys if _essence(self.old.get(key)) != _essence(self.new.get(key)))

    def without(self, taken_back: Iterable[Key]) -> Parts:
        """The new world, but for some edits that were never made."""
        found = dict(self.new)
        for key in taken_back:
            found.pop(key, None)
            if key in self.old:
                found[key] = self.old[key]
        return found

    def passes(self, taken_back: Iterable[Key]) -> Families:
        parts = self.without(taken_back)
        world = world_of(parts)
        found: dict[int, PortSet] = {}
        for source, destination in self.pairs(parts):
            ports = ports_between(world, source, destination) & USABLE
            found[source.family] = found.get(source.family, NO_PORTS) | ports
        return found

    def pairs(self, parts: Parts) -> Iterator[tuple[Address, Address]]:
        """Of addresses of one family."""
        both = product(
            _addresses(self.source, parts.get(SOURCE)), _addresses(self.destination, parts.get(DESTINATION))
        )
        return ((here, there) for here, there in both if here.family == there.family)


def world_of(parts: Parts) -> Snapshot:
    values = parts.values()
    return Snapshot(
        namespaces={each.key: each for each in values if isinstance(each, Namespace)},
        pods={each.key: each for each in values if isinstance(each, Pod)},
        nodes={each.key: each for each in values if isinstance(each, Node)},
        policies={each.key: each for each in values if isinstance(each, Policy)},
    )


def _addresses(member: Member, pod: Part | None) -> tuple[Address, ...]:
    if member.address is not None:
        return (member.address,)
    return pod.addresses if isinstance(pod, Pod) else ()


def _essence(part: Part | None) -> object:
    """Without what no verdict depends on: names that a rollout changes, annotations, blocks of nodes."""
    match part:
        case Pod():
            return (part.namespace, part.labels, part.ports, part.addresses, part.node, part.host_network)
        case Node():
            return part.addresses
        case _:
            return part


class Side:
    """One of the two snapshots, and where it holds what a pair depends on."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._policies: dict[str, list[Policy]] = {}
        for policy in snapshot.policies.values():
            where = policy.subject.namespaces
            self._policies.setdefault(where if isinstance(where, str) else "", []).append(policy)

    def candidates(self, namespace: str) -> Iterator[Policy]:
        """The policies that may select a pod of a namespace."""
        for where in {"", namespace}:
            yield from self._policies.get(where, ())

    def selected(self, policy: Policy, pod: Pod) -> bool:
        return self.snapshot.selects(policy.subject, pod)

    def holders(self, pod: Pod) -> Iterator[Pod]:
        """Who else has its addresses, and is judged in its place."""
        found = (self.snapshot.pod_at(address) for address in pod.addresses)
        yield from (holder for holder in found if holder and holder.key != pod.key)

    def around(self, pod: Pod) -> Iterator[tuple[Key, Part]]:
        """Its namespace and its node."""
        if namespace := self.snapshot.namespaces.get(pod.namespace):
            yield ("Namespace", namespace.name), namespace
        if node := self.snapshot.nodes.get(pod.node):
            yield ("Node", node.name), node


class Mixer:
    """Of two snapshots. Which policies select a pod is asked once for each pod."""

    def __init__(self, old: Snapshot, new: Snapshot) -> None:
        self.old, self.new = Side(old), Side(new)
        self._selecting: dict[int, frozenset[PolicyKey]] = {}

    def mixture(self, source: Member, destination: Member) -> Mixture:
        """Of one pair of members."""
        before = _pods(self.old, source.old, destination.old)
        after = _pods(self.new, source.new, destination.new)
        keys = {key for pod in (*before.values(), *after.values()) for key in self._policies(pod)}
        return Mixture(_parts(self.old, before, keys), _parts(self.new, after, keys), source, destination)

    def _policies(self, pod: Pod) -> frozenset[PolicyKey]:
        """By identity, since pods of one name differ; both snapshots keep theirs alive."""
        if id(pod) not in self._selecting:
            near = (policy for side in (self.old, self.new) for policy in side.candidates(pod.namespace))
            self._selecting[id(pod)] = frozenset(
                policy.key
                for policy in near
                if self.old.selected(policy, pod) or self.new.selected(policy, pod)
            )
        return self._selecting[id(pod)]


def _pods(side: Side, source: Pod | None, destination: Pod | None) -> Mapping[Key, Pod]:
    """The ends, and whoever else has their addresses."""
    ends = {key: pod for key, pod in ((SOURCE, source), (DESTINATION, destination)) if pod}
    own = {pod.key for pod in ends.values()}
    holders = (holder for pod in ends.values() for holder in side.holders(pod) if holder.key not in own)
    return {**{("Pod", *holder.key): holder for holder in holders}, **ends}


def _parts(side: Side, pods: Mapping[Key, Pod], keys: Iterable[PolicyKey]) -> Parts:
    around = {key: part for pod in pods.values() for key, part in side.around(pod)}
    policies: dict[Key, Part] = {
        ("Policy", *key): side.snapshot.policies[key] for key in keys if key in side.snapshot.policies
    }
    return {**around, **policies, **pods}
