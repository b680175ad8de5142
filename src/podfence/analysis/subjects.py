"""Which combinations of policies pods are subject to, worked out an identity at a time.

The same identities and combinations as `compiler` has, without what a node needs and a question does not: patches,
names of groups, members by address. Tests hold the two equal. Next: `members` and `matrix`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property

from podfence.compiler.combine import combine
from podfence.compiler.identities import Identity, Index
from podfence.model.address import Address
from podfence.model.cluster import Pod, PodKey, Snapshot, precedence
from podfence.model.labels import Selector
from podfence.model.policy import Direction, PodSelection, Policy, PolicyKey, Tier
from podfence.model.ports import Protocol
from podfence.program import Combination, Term

_TIERS = {tier: number for number, tier in enumerate(Tier)}
_Combining = tuple[Direction, tuple[PolicyKey, ...], tuple[tuple[int, ...], ...]]


class Subjects:
    """`combination(identity, direction)`: what its pods are subject to, None where everything passes."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._policies = sorted(snapshot.policies.values(), key=lambda p: (_TIERS[p.tier], *precedence(p)))
        self.index = Index({name: each.labels for name, each in snapshot.namespaces.items()})
        self.index.mention(*_mentioned(self._policies))
        self._combined: dict[_Combining, Combination | None] = {}

    @cached_property
    def identities(self) -> dict[Address, Identity]:
        """Of every address of the pod network; filled once, before terms are filed."""
        found: dict[Address, Identity] = {}
        pods: dict[PodKey, Identity] = {}
        for pod in self._snapshot.pods.values():
            for address in pod.addresses if pod.on_pod_network else ():
                holder = self._snapshot.pod_at(address) or pod
                found[address] = pods.get(holder.key) or pods.setdefault(holder.key, self._identity(holder))
        return found

    def _identity(self, pod: Pod) -> Identity:
        return self.index.identity(pod)

    @cached_property
    def _applying(self) -> dict[Identity, list[Policy]]:
        """In order of evaluation."""
        found: dict[Identity, list[Policy]] = {identity: [] for identity in self.identities.values()}
        for policy in self._policies:
            for identity in self.index.add(Term(policy.subject)):
                found[identity].append(policy)
        return found

    def applying(self, identity: Identity | None, direction: Direction) -> list[Policy]:
        """The policies that select it, in order of evaluation; none for what is not on the pod network."""
        found = self._applying[identity] if identity else []
        return [policy for policy in found if direction in policy.directions]

    def combination(self, identity: Identity | None, direction: Direction) -> Combination | None:
        policies = self.applying(identity, direction)
        if identity is None or not policies:
            return None
        names = dict.fromkeys(used for policy in policies for used in _named(policy, direction))
        numbers = {used: self._numbers(identity, direction, *used) for used in names}
        key = (direction, tuple(policy.key for policy in policies), tuple(numbers.values()))
        if key not in self._combined:
            made = combine(direction, policies, lambda *used: numbers[used])
            self._combined[key] = None if made.idle else self._taken(made)
        return self._combined[key]

    def _taken(self, combination: Combination) -> Combination:
        """Every term of its groups finds its identities now."""
        for group in combination.groups:
            for term in group.terms:
                self.index.add(Term(term.selection, term.port))
        return combination

    def _numbers(
        self, identity: Identity, direction: Direction, name: str, protocol: Protocol
    ) -> tuple[int, ...]:
        """Ingress: what the subject calls so. Egress: what any pod calls so; the group checks which."""
        if direction is Direction.EGRESS:
            return self._known_numbers.get((name, protocol), ())
        called = {port.number for port in identity.ports if (port.name, port.protocol) == (name, protocol)}
        return tuple(sorted(called))

    @cached_property
    def _known_numbers(self) -> dict[tuple[str, Protocol], tuple[int, ...]]:
        found: defaultdict[tuple[str, Protocol], set[int]] = defaultdict(set)
        for identity in set(self.identities.values()):
            for port in identity.ports:
                found[port.name, port.protocol].add(port.number)
        return {called: tuple(sorted(numbers)) for called, numbers in found.items()}


def _mentioned(policies: Iterable[Policy]) -> tuple[list[Selector], list[str]]:
    """Selectors of labels, and names of ports, that some policy looks at."""
    selectors = [selector for policy in policies for selector in _selectors(policy)]
    names = [name for policy in policies for direction in Direction for name, _ in _named(policy, direction)]
    return selectors, names


def _selectors(policy: Policy) -> Iterator[Selector]:
    yield policy.subject.pods
    for rule in (*policy.ingress, *policy.egress):
        yield from (peer.pods for peer in rule.peers or () if isinstance(peer, PodSelection))


def _named(policy: Policy, direction: Direction) -> Iterator[tuple[str, Protocol]]:
    for rule in policy.rules(direction):
        for entry in rule.ports or ():
            if isinstance(entry.port, str):
                yield (entry.port, entry.protocol)
