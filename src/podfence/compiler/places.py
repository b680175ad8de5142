"""Who is at which address, as which identity. `incremental` keeps one and asks it what a change touched."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from podfence.compiler.identities import Identity, Index
from podfence.model.address import Address
from podfence.model.cluster import Pod, PodKey, claim
from podfence.model.labels import Labels
from podfence.model.ports import Protocol


class Placed(NamedTuple):
    identity: Identity
    node: str


@dataclass
class Touched:
    """What a batch of changes may have changed. `names`: ports whose name got or lost a number."""

    identities: set[Identity] = field(default_factory=set)
    addresses: set[Address] = field(default_factory=set)
    names: set[str] = field(default_factory=set)

    def whole(self, identity: Identity) -> None:
        self.identities.add(identity)
        self.addresses |= identity.addresses


class Places:
    """`node`: whose pods count as local; None counts all."""

    def __init__(self, node: str | None) -> None:
        self.node = node
        self.namespaces: dict[str, Labels] = {}
        self.index = Index(self.namespaces)
        self.at: dict[Address, Placed] = {}
        self._pods: dict[PodKey, Pod] = {}
        self._claims: defaultdict[Address, set[PodKey]] = defaultdict(set)
        self._numbers: defaultdict[tuple[str, Protocol], Counter[int]] = defaultdict(Counter)

    def is_local(self, node: str) -> bool:
        return self.node is None or self.node == node

    def numbers(self, name: str, protocol: Protocol) -> list[int]:
        """What pods anywhere call so."""
        return [number for number, count in self._numbers[name, protocol].items() if count]

    def take(self, key: PodKey, pod: Pod | None, touched: Touched) -> None:
        """A pod came, changed or went."""
        old = self._pods.pop(key, None)
        if pod is not None:
            self._pods[key] = pod
        for address in _addresses(old):
            self._claims[address].discard(key)
        for address in _addresses(pod):
            self._claims[address].add(key)
        for address in {*_addresses(old), *_addresses(pod)}:
            self._place(address, touched)

    def look_closer(self, fresh: frozenset[str], touched: Touched) -> None:
        """Labels or port names are looked at that were not before: pods that have them are placed anew."""
        for pod in self._pods.values() if fresh else ():
            if not fresh.isdisjoint(pod.labels) or any(port.name in fresh for port in pod.ports):
                for address in _addresses(pod):
                    self._place(address, touched)

    def relabel(self, namespace: str, labels: Labels | None, touched: Touched) -> None:
        """A namespace came, changed or (None) went."""
        before = self.namespaces.pop(namespace, None)
        if labels is not None:
            self.namespaces[namespace] = labels
        for identity in self.index.within(namespace) if before != labels else ():
            self.index.judge(identity)
            touched.whole(identity)

    def sweep(self, touched: Touched) -> None:
        """Identities that have lost their last pod go."""
        for identity in touched.identities:
            if not identity.addresses and self.index.identities.get(identity.key) is identity:
                self.index.drop(identity)
                self._count(identity, -1, touched)

    def _place(self, address: Address, touched: Touched) -> None:
        """Give an address to the pod that holds it; of several claims the youngest, as in a Snapshot."""
        holder = max((self._pods[key] for key in self._claims[address]), key=claim, default=None)
        now = Placed(self._identity(holder, touched), holder.node) if holder else None
        before = self.at.get(address)
        if now == before:
            return
        touched.addresses.add(address)
        if before:
            self._leave(address, before, touched)
        if now:
            self._enter(address, now, touched)
        else:
            del self._claims[address]

    def _leave(self, address: Address, placed: Placed, touched: Touched) -> None:
        del self.at[address]
        placed.identity.addresses.discard(address)
        placed.identity.local -= self.is_local(placed.node)
        touched.identities.add(placed.identity)

    def _enter(self, address: Address, placed: Placed, touched: Touched) -> None:
        self.at[address] = placed
        placed.identity.addresses.add(address)
        placed.identity.local += self.is_local(placed.node)
        touched.identities.add(placed.identity)

    def _identity(self, pod: Pod, touched: Touched) -> Identity:
        identity = self.index.identity(pod)
        if not identity.addresses and identity not in touched.identities:
            self._count(identity, 1, touched)
        return identity

    def _count(self, identity: Identity, step: int, touched: Touched) -> None:
        for port in identity.ports:
            numbers = self._numbers[port.name, port.protocol]
            before = numbers[port.number]
            numbers[port.number] += step
            if not before or not numbers[port.number]:
                touched.names.add(port.name)


def _addresses(pod: Pod | None) -> tuple[Address, ...]:
    """What policies see of a pod's addresses: nothing once it is finished, or on the host network."""
    return pod.addresses if pod and pod.on_pod_network else ()
