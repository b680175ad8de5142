"""The compiler proper: a change of the cluster becomes a patch of the program, at the cost of what it touches.

Invariant: between two calls of `apply`, `program` equals the program compiled from all changes so far, whatever
their order. What a change may touch is collected first (identities, addresses); then the state of those is
computed anew and compared with what was said last. `nft.render` turns patches into transactions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from podfence.compiler.catalogue import Catalogue
from podfence.compiler.combine import combine
from podfence.compiler.identities import Identity
from podfence.compiler.members import Members
from podfence.compiler.places import Places, Touched
from podfence.compiler.said import NOBODY, UNKNOWN, Said, State
from podfence.model.address import Address
from podfence.model.change import Change
from podfence.model.cluster import Namespace, Node, Pod, precedence
from podfence.model.labels import Selector
from podfence.model.policy import Direction, PodSelection, Policy, PolicyKey, Tier
from podfence.model.ports import Protocol
from podfence.program import Combination, Patch, Program, Term

TIERS = {tier: number for number, tier in enumerate(Tier)}


class Combining(NamedTuple):
    """All that a combination depends on."""

    direction: Direction
    policies: tuple[PolicyKey, ...]
    numbers: tuple[tuple[str, Protocol, tuple[int, ...]], ...]


class Compiler:
    """Of one node, or with `node=None` of all nodes together."""

    def __init__(self, node: str | None = None) -> None:
        self._places = Places(node)
        self._index = self._places.index
        self._nodes: dict[str, frozenset[Address]] = {}
        self._policies: dict[PolicyKey, Policy] = {}
        self._subjects: defaultdict[Term, set[PolicyKey]] = defaultdict(set)
        self._catalogue = Catalogue()
        self._members = Members(self._index, self._catalogue)
        self._combined: dict[Combining, Combination] = {}
        self._in_use: dict[Identity, dict[Direction, Combination]] = {}
        self._states: dict[Address, State] = {}

    @property
    def program(self) -> Program:
        """The whole program as it is now."""
        said = self._states.items()
        return Program(
            {
                Direction.EGRESS: {address: state.egress for address, state in said if state.egress},
                Direction.INGRESS: {address: state.ingress for address, state in said if state.ingress},
            },
            dict(self._catalogue.combinations),
            dict(self._catalogue.groups),
            {name: frozenset(self._members.of(group)) for name, group in self._catalogue.groups.items()},
            {address: state.own_node for address, state in said if state.own_node},
        )

    @property
    def indexed(self) -> int:
        """How many identities and terms are known: what a run that never ends must not let grow."""
        return len(self._index.identities) + len(self._index.takers)

    def apply(self, changes: Iterable[Change]) -> Patch:
        """Take changes in together; the patch from the program before to the program after them."""
        touched = Touched()
        take: dict[type, Any] = {
            Pod: self._places.take,
            Policy: self._take_policy,
            Namespace: self._take_namespace,
            Node: self._take_node,
        }
        for change in changes:
            if change.kind in take:
                take[change.kind](change.key, change.value, touched)
        return self._settle(touched)

    def _take_policy(self, key: PolicyKey, policy: Policy | None, touched: Touched) -> None:
        old = self._policies.pop(key, None)
        self._combined = {used: made for used, made in self._combined.items() if key not in used.policies}
        if old is not None:
            self._touch_subjects(old, touched)
            self._subjects[Term(old.subject)].discard(key)
        if policy is not None:
            self._policies[key] = policy
            fresh = self._index.mention(
                _selectors(policy), {name for d in Direction for name, _ in _named(policy, d)}
            )
            self._places.look_closer(fresh, touched)
            self._subjects[Term(policy.subject)].add(key)
            self._index.add(Term(policy.subject))
            self._touch_subjects(policy, touched)
        if old is not None:
            self._forget(Term(old.subject))

    def _take_namespace(self, name: str, namespace: Namespace | None, touched: Touched) -> None:
        self._places.relabel(name, namespace.labels if namespace else None, touched)

    def _take_node(self, name: str, node: Node | None, touched: Touched) -> None:
        before = self._nodes.pop(name, NOBODY)
        if node is not None:
            self._nodes[name] = frozenset(node.addresses)
        if before != self._nodes.get(name, NOBODY):
            touched.addresses |= {
                address for address, placed in self._places.at.items() if placed.node == name
            }

    def _touch_subjects(self, policy: Policy, touched: Touched) -> None:
        touched.identities |= self._index.takers.get(Term(policy.subject), set())

    def _forget(self, term: Term) -> None:
        """Drop a term that neither a policy nor a group in use needs."""
        if not self._subjects.get(term) and term not in self._catalogue.fed and term in self._index.takers:
            self._subjects.pop(term, None)
            self._index.discard(term)

    def _settle(self, touched: Touched) -> Patch:
        """Recompute what was touched; only differences go into the patch."""
        self._places.sweep(touched)
        for policy in self._policies.values() if touched.names else ():
            if any(name in touched.names for name, _ in _named(policy, Direction.EGRESS)):
                self._touch_subjects(policy, touched)
        self._choose(touched)
        said = Said(self._catalogue)
        said.fill(self._members.came())
        for address in touched.addresses:
            self._say(address, said)
        self._members.settle(touched.identities)
        for group in (*self._catalogue.came.groups.values(), *self._catalogue.went.groups.values()):
            for term in group.terms:
                self._forget(term)
        patch = said.patch()
        self._catalogue.settled()
        return patch

    def _choose(self, touched: Touched) -> None:
        """The combinations of the touched identities; the new are held before the old are let go."""
        released: list[Combination] = []
        for identity in touched.identities:
            before = self._in_use.pop(identity, {})
            now = self._combinations(identity)
            if now:
                self._in_use[identity] = now
            if _names(now) != _names(before):
                touched.addresses |= identity.addresses
            for combination in now.values():
                self._catalogue.use(combination)
            released += before.values()
        for combination in released:
            self._catalogue.release(combination)

    def _combinations(self, identity: Identity) -> dict[Direction, Combination]:
        if not identity.local:
            return {}
        keys = {key for term in identity.terms for key in self._subjects.get(term, ())}
        policies = sorted(
            (self._policies[key] for key in keys), key=lambda p: (TIERS[p.tier], *precedence(p))
        )
        found = {direction: self._combination(identity, direction, policies) for direction in Direction}
        return {direction: made for direction, made in found.items() if made and not made.idle}

    def _combination(
        self, identity: Identity, direction: Direction, policies: list[Policy]
    ) -> Combination | None:
        applying = [policy for policy in policies if direction in policy.directions]
        if not applying:
            return None
        names = sorted({used for policy in applying for used in _named(policy, direction)})
        numbers = {used: tuple(sorted(self._resolve(identity, direction, *used))) for used in names}
        known = tuple((*used, found) for used, found in numbers.items())
        combining = Combining(direction, tuple(policy.key for policy in applying), known)
        if combining not in self._combined:
            self._combined[combining] = combine(direction, applying, lambda *used: numbers[used])
        return self._combined[combining]

    def _resolve(
        self, identity: Identity, direction: Direction, name: str, protocol: Protocol
    ) -> Iterable[int]:
        """Ingress: what the subject calls so. Egress: what any pod calls so; the group checks which."""
        if direction is Direction.EGRESS:
            return self._places.numbers(name, protocol)
        return {port.number for port in identity.ports if (port.name, port.protocol) == (name, protocol)}

    def _say(self, address: Address, said: Said) -> None:
        before, now = self._states.pop(address, UNKNOWN), self._state(address)
        if now != UNKNOWN:
            self._states[address] = now
        groups = self._members.before(before.identity, address), self._members.now(now.identity, address)
        self._members.move(address, *groups)
        said.members(address, *groups)
        said.state(address, before, now)

    def _state(self, address: Address) -> State:
        placed = self._places.at.get(address)
        if placed is None or not self._places.is_local(placed.node):
            return State(placed.identity) if placed else UNKNOWN
        names = _names(self._in_use.get(placed.identity, {}))
        own = self._nodes.get(placed.node, NOBODY) if Direction.INGRESS in names else NOBODY
        return State(placed.identity, names.get(Direction.EGRESS), names.get(Direction.INGRESS), own)


def _names(combinations: dict[Direction, Combination]) -> dict[Direction, str]:
    return {direction: combination.name for direction, combination in combinations.items()}


def _selectors(policy: Policy) -> Iterator[Selector]:
    """Every selector that looks at pods' labels."""
    yield policy.subject.pods
    for rule in (*policy.ingress, *policy.egress):
        yield from (peer.pods for peer in rule.peers or () if isinstance(peer, PodSelection))


def _named(policy: Policy, direction: Direction) -> Iterator[tuple[str, Protocol]]:
    """The port names a policy's rules use."""
    for rule in policy.rules(direction):
        for entry in rule.ports or ():
            if isinstance(entry.port, str):
                yield (entry.port, entry.protocol)
