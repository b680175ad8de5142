"""The datapath-neutral result of compiling: what any datapath runs, packet by packet.

address → combination → port class → stages of (group, action). The number of policies, rules and pods does
not appear in the cost of a packet. Combinations and groups are named by their definition, never by their
members: equal ones are shared, and a definition never changes under its name. `compiler` makes programs,
`nft.render` prints them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import NamedTuple, TypeVar

from podfence.model.address import EVERYWHERE, NOWHERE, Address, AddressSet
from podfence.model.flow import Flow, Verdict
from podfence.model.labels import Selector
from podfence.model.policy import Action, Direction, NetworkPeer, PodSelection
from podfence.model.ports import PortRange, Protocol

K = TypeVar("K")
V = TypeVar("V")


class NamedPort(NamedTuple):
    """A condition on a pod: it declares this name and protocol with this number."""

    name: str
    protocol: Protocol
    number: int


@dataclass(frozen=True, slots=True)
class Term:
    """Pods taken into a group: by labels (None: any pod), and where a rule names a port, by what they call it.

    `within`: only such of their addresses (a rule that joins an ipBlock with a named port).
    """

    selection: PodSelection | None = None
    port: NamedPort | None = None
    within: NetworkPeer | None = None
    _hash: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Terms are looked up far more often than made."""
        object.__setattr__(self, "_hash", hash((self.selection, self.port, self.within)))

    def __hash__(self) -> int:
        return self._hash

    @property
    def definition(self) -> list[object]:
        return [_selection(self.selection), self.port, str(self.within or "")]


def _selection(selection: PodSelection | None) -> list[object]:
    if selection is None:
        return []
    where = selection.namespaces
    return [where if isinstance(where, str) else [_selector(where)], _selector(selection.pods)]


def _selector(selector: Selector) -> list[object]:
    return [(r.key, r.operator, r.values) for r in selector.requirements]


@dataclass(frozen=True)
class Group:
    """Who is admitted: anyone; or the pods of its terms, and addresses."""

    terms: frozenset[Term] = frozenset()
    addresses: AddressSet = NOWHERE
    anyone: bool = False

    @cached_property
    def name(self) -> str:
        terms = sorted(json.dumps(term.definition) for term in self.terms)
        return digest(terms, [str(block) for block in self.addresses], self.anyone)


ANYONE = Group(anyone=True)


def group(terms: Iterable[Term], addresses: AddressSet = NOWHERE) -> Group:
    return ANYONE if addresses == EVERYWHERE else Group(frozenset(terms), addresses)


@dataclass(frozen=True, slots=True)
class Entry:
    """One match of a stage: whether the peer is in the group, and what then."""

    group: Group
    action: Action


@dataclass(frozen=True, slots=True)
class Stage:
    """One tier: the first matching entry acts. If none does, an isolating stage denies, another hands on."""

    entries: tuple[Entry, ...]
    isolates: bool = False

    @property
    def definition(self) -> list[object]:
        return [[(entry.group.name, entry.action.value) for entry in self.entries], self.isolates]


Stages = tuple[Stage, ...]
"""Tiers in order. Behind the last one everything is allowed."""


def stages_name(stages: Stages) -> str:
    return digest(*(stage.definition for stage in stages))


class PortClass(NamedTuple):
    """Ports of one protocol that all rules treat alike."""

    protocol: Protocol
    ports: PortRange
    stages: Stages


@dataclass(frozen=True)
class Combination:
    """What pods with the same policies share in one direction.

    `classes` are disjoint and sorted; `rest` is for every other port and protocol.
    """

    direction: Direction
    classes: tuple[PortClass, ...]
    rest: Stages

    @cached_property
    def name(self) -> str:
        classes = [(c.protocol, c.ports.first, c.ports.last, stages_name(c.stages)) for c in self.classes]
        return digest(self.direction.value, classes, stages_name(self.rest))

    @property
    def groups(self) -> frozenset[Group]:
        everywhere = [self.rest, *(c.stages for c in self.classes)]
        return frozenset(entry.group for stages in everywhere for stage in stages for entry in stage.entries)

    @property
    def idle(self) -> bool:
        """Whether it allows everything, so that no datapath needs it."""
        return not self.classes and passes_all(self.rest)

    def stages(self, protocol: Protocol, port: int | None) -> Stages:
        found = (
            c.stages for c in self.classes if c.protocol == protocol and port is not None and port in c.ports
        )
        return next(found, self.rest)


def passes_all(stages: Stages) -> bool:
    """Whether the first entry to act is met by anyone and accepts, or nothing ever acts."""
    for stage in stages:
        if stage.entries:
            return stage.entries[0] == Entry(ANYONE, Action.ACCEPT)
        if stage.isolates:
            return False
    return True


@dataclass(frozen=True)
class Program:
    """Who is subject to what.

    `subjects`: pod address → name of its combination; `members`: group name → addresses of its pods now;
    `own_nodes`: subject of ingress → addresses of its own node, which may always reach it.
    """

    subjects: Mapping[Direction, Mapping[Address, str]] = field(
        default_factory=lambda: {direction: {} for direction in Direction}
    )
    combinations: Mapping[str, Combination] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    members: Mapping[str, frozenset[Address]] = field(default_factory=dict)
    own_nodes: Mapping[Address, frozenset[Address]] = field(default_factory=dict)

    def run(self, flow: Flow) -> Verdict:
        """What a datapath does with the first packet of a flow."""
        allowed = all(self._allows(flow, direction) for direction in Direction)
        return Verdict.ALLOWED if allowed else Verdict.DENIED

    def _allows(self, flow: Flow, direction: Direction) -> bool:
        subject, peer = flow.ends(direction)
        name = self.subjects[direction].get(subject)
        if name is None or self._exempt(flow, direction):
            return True
        for stage in self.combinations[name].stages(flow.protocol, flow.port):
            action = next((e.action for e in stage.entries if self._admits(e.group, peer)), None)
            if action in {Action.ACCEPT, Action.DENY}:
                return action is Action.ACCEPT
            if action is None and stage.isolates:
                return False
        return True

    def _exempt(self, flow: Flow, direction: Direction) -> bool:
        if flow.source == flow.destination and not flow.hairpin:
            return True
        return direction is Direction.INGRESS and flow.source in self.own_nodes.get(flow.destination, ())

    def _admits(self, group: Group, peer: Address) -> bool:
        return group.anyone or peer in self.members[group.name] or peer in group.addresses


@dataclass(frozen=True, slots=True)
class Patch:
    """The difference between two programs. `None` stands for what is gone; a new group comes with its members.

    `tightens`: something that was allowed may now be denied, so established flows are to be judged again.
    """

    combinations: Mapping[str, Combination | None] = field(default_factory=dict)
    groups: Mapping[str, Group | None] = field(default_factory=dict)
    joined: Mapping[str, frozenset[Address]] = field(default_factory=dict)
    left: Mapping[str, frozenset[Address]] = field(default_factory=dict)
    subjects: Mapping[Direction, Mapping[Address, str | None]] = field(default_factory=dict)
    own_nodes: Mapping[Address, frozenset[Address] | None] = field(default_factory=dict)
    tightens: bool = False

    def __bool__(self) -> bool:
        maps = (self.combinations, self.groups, self.joined, self.left, self.own_nodes)
        return any(maps) or any(self.subjects.values())


def patched(program: Program, patch: Patch) -> Program:
    """The program after a patch."""
    members = {name: program.members.get(name, frozenset()) for name in {**program.members, **patch.joined}}
    for name in {*patch.joined, *patch.left}:
        members[name] = (members[name] - patch.left.get(name, frozenset())) | patch.joined.get(
            name, frozenset()
        )
    groups = _edited(program.groups, patch.groups)
    return Program(
        {d: _edited(program.subjects[d], patch.subjects.get(d, {})) for d in Direction},
        _edited(program.combinations, patch.combinations),
        groups,
        {name: members.get(name, frozenset()) for name in groups},
        _edited(program.own_nodes, patch.own_nodes),
    )


def _edited(before: Mapping[K, V], changes: Mapping[K, V | None]) -> dict[K, V]:
    return {k: v for k, v in {**before, **changes}.items() if v is not None}


def digest(*parts: object) -> str:
    """A name from a definition: 128 bits, so that nobody can make two definitions meet."""
    text = json.dumps(parts, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=16).hexdigest()
