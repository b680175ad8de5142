"""Identities: pods alike in everything any policy can see; and the index that pairs them with terms.

An identity is made of labels and named ports that policies mention, never of names. Each pair of term and
identity is judged once, found through a label or the namespace. `compiler` keeps one index.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from podfence.model.address import Address
from podfence.model.cluster import ContainerPort, Pod
from podfence.model.labels import Labels, Operator, Selector
from podfence.model.ports import Protocol
from podfence.program import Term

Slot = tuple[str, ...]
"""Where a term is filed: under a label it needs, else its namespace, else with those that may match any pod."""

IdentityKey = tuple[str, tuple[tuple[str, str], ...], frozenset[ContainerPort]]


@dataclass(eq=False, slots=True)
class Identity:
    """`addresses` are those of its pods, `local` how many of them a compiler's node has; `terms` take them in.

    `groups` are those said to hold all of its addresses. Compared by being the same object.
    """

    key: IdentityKey
    labels: Labels
    addresses: set[Address] = field(default_factory=set)
    local: int = 0
    terms: set[Term] = field(default_factory=set)
    groups: frozenset[str] = frozenset()

    @property
    def namespace(self) -> str:
        return self.key[0]

    @property
    def ports(self) -> frozenset[ContainerPort]:
        return self.key[2]


@dataclass
class Index:
    """Terms and identities, each knowing the other. `namespaces` is the caller's: labels by name, absent unseen."""

    namespaces: Mapping[str, Labels]
    identities: dict[IdentityKey, Identity] = field(default_factory=dict)
    takers: dict[Term, set[Identity]] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    _slots: dict[Slot, set[Term]] = field(default_factory=dict)
    _filed: dict[Slot, set[Identity]] = field(default_factory=dict)

    def key(self, pod: Pod) -> IdentityKey:
        """What policies can see of a pod. Grows finer as policies mention more; never coarser."""
        labels = pod.labels
        seen = tuple(sorted((k, labels[k]) for k in self.keys & labels.keys()))
        return (pod.namespace, seen, frozenset(p for p in pod.ports if p.name and p.name in self.names))

    def identity(self, pod: Pod) -> Identity:
        """The identity of a pod, made when it is the first of its kind."""
        key = self.key(pod)
        found = self.identities.get(key)
        return found or self._made(Identity(key, dict(key[1])))

    def within(self, namespace: str) -> list[Identity]:
        return list(self._filed.get(("namespace", namespace), ()))

    def _made(self, identity: Identity) -> Identity:
        self.identities[identity.key] = identity
        for slot in _shelves(identity):
            self._filed.setdefault(slot, set()).add(identity)
        self.judge(identity)
        return identity

    def drop(self, identity: Identity) -> None:
        del self.identities[identity.key]
        for slot in _shelves(identity):
            self._filed[slot].discard(identity)
        for term in identity.terms:
            self.takers[term].discard(identity)

    def judge(self, identity: Identity) -> None:
        """Pair an identity anew with all terms: it is new, or its namespace has changed."""
        for term in identity.terms:
            self.takers[term].discard(identity)
        candidates = (term for slot in _shelves(identity) for term in self._slots.get(slot, ()))
        identity.terms = {term for term in candidates if self._takes(term, identity)}
        for term in identity.terms:
            self.takers[term].add(identity)

    def add(self, term: Term) -> set[Identity]:
        """Pair a term, unless it is known, with all identities; who is taken."""
        if term in self.takers:
            return self.takers[term]
        slots = _slots(term)
        for slot in slots:
            self._slots.setdefault(slot, set()).add(term)
        candidates = (identity for slot in slots for identity in self._filed.get(slot, ()))
        self.takers[term] = {identity for identity in candidates if self._takes(term, identity)}
        for identity in self.takers[term]:
            identity.terms.add(term)
        return self.takers[term]

    def discard(self, term: Term) -> None:
        for slot in _slots(term):
            self._slots[slot].discard(term)
        for identity in self.takers.pop(term):
            identity.terms.discard(term)

    def _takes(self, term: Term, identity: Identity) -> bool:
        if term.port and not any(
            p == (term.port.name, term.port.protocol, term.port.number) for p in identity.ports
        ):
            return False
        if term.selection is None:
            return True
        seen = self.namespaces.get(identity.namespace)
        return term.selection.selects(identity.namespace, seen, identity.labels)

    def mention(self, selectors: Iterable[Selector], names: Iterable[str]) -> frozenset[str]:
        """Label keys and port names a policy looks at; those not seen before, for which pods must be re-placed."""
        keys = frozenset(key for selector in selectors for key in selector.keys) - self.keys
        ports = frozenset(names) - self.names
        self.keys |= keys
        self.names |= ports
        return keys | ports


def _shelves(identity: Identity) -> Iterator[Slot]:
    yield from (("label", key, value) for key, value in identity.labels.items())
    yield from (_port_slot(port.name, port.protocol, port.number) for port in identity.ports)
    yield ("namespace", identity.namespace)
    yield ("any",)


def _slots(term: Term) -> tuple[Slot, ...]:
    """One label that the selector cannot do without; else the namespace; else the port; else anywhere."""
    pods = term.selection.pods.requirements if term.selection else ()
    for wanted in pods:
        if wanted.operator is Operator.IN:
            return tuple(("label", wanted.key, value) for value in wanted.values)
    where = term.selection.namespaces if term.selection else None
    if isinstance(where, str):
        return (("namespace", where),)
    return (_port_slot(*term.port),) if term.port else (("any",),)


def _port_slot(name: str, protocol: Protocol, number: int) -> Slot:
    return ("port", name, str(int(protocol)), str(number))
