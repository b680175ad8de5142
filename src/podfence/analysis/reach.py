"""Who reaches whom, and on which ports: exact, for every protocol and port, not probed.

Computed on the compiled program, so that the work grows with what policies distinguish, not with pods.
"""

from __future__ import annotations

from podfence.model.address import Address
from podfence.model.policy import Action, Direction
from podfence.model.ports import WITH_PORTS, PortRange, Protocol
from podfence.model.portset import EVERY_PORT, PortSet, joined
from podfence.program import Combination, Group, Program, Stages


class Reach:
    """Answers for one program; what pairs have in common is worked out once."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._admitted: dict[tuple[str, frozenset[str]], PortSet] = {}
        self._groups: dict[Address, frozenset[str]] = {}

    def ports(self, source: Address, destination: Address, *, hairpin: bool = False) -> PortSet:
        """What a packet may be from one address to another, of one family."""
        if source == destination and not hairpin:
            return EVERY_PORT
        sent = self._in(Direction.EGRESS, source, destination)
        if source in self._program.own_nodes.get(destination, ()):
            return sent
        return sent & self._in(Direction.INGRESS, destination, source)

    def _in(self, direction: Direction, subject: Address, peer: Address) -> PortSet:
        name = self._program.subjects[direction].get(subject)
        if name is None:
            return EVERY_PORT
        key = (name, self._member_of(peer))
        if key not in self._admitted:
            self._admitted[key] = admitted(self._program.combinations[name], key[1])
        return self._admitted[key]

    def _member_of(self, peer: Address) -> frozenset[str]:
        """The groups an address is in: all that a program can tell of a peer."""
        if peer not in self._groups:
            groups = self._program.groups
            self._groups[peer] = frozenset(name for name, group in groups.items() if self._holds(group, peer))
        return self._groups[peer]

    def _holds(self, group: Group, peer: Address) -> bool:
        return group.anyone or peer in self._program.members[group.name] or peer in group.addresses


def admitted(combination: Combination, groups: frozenset[str]) -> PortSet:
    """The ports on which a combination lets a peer of these groups pass."""
    rest = _passes(combination.rest, groups)
    return PortSet(
        {
            protocol: ranges
            for protocol in WITH_PORTS
            if (ranges := _ranges(combination, protocol, groups, rest=rest))
        },
        rest,
    )


def _ranges(
    combination: Combination, protocol: Protocol, groups: frozenset[str], *, rest: bool
) -> tuple[PortRange, ...]:
    """Classes that pass, and where the rest passes everything between the classes that do not."""
    classes = [found for found in combination.classes if found.protocol == protocol]
    passing = [found.ports for found in classes if _passes(found.stages, groups)]
    if not rest:
        return joined(passing)
    refused = PortSet({protocol: joined(found.ports for found in classes)})
    return (EVERY_PORT - refused | PortSet({protocol: joined(passing)})).ranges.get(protocol, ())


def _passes(stages: Stages, groups: frozenset[str]) -> bool:
    for stage in stages:
        action = next((e.action for e in stage.entries if e.group.anyone or e.group.name in groups), None)
        if action in {Action.ACCEPT, Action.DENY}:
            return action is Action.ACCEPT
        if action is None and stage.isolates:
            return False
    return True
