"""One pair of addresses by definition, but all protocols and ports at once: `semantics.decide` over port sets.

Slow for a cluster (`connections` is for that), exact and direct for a few: it needs no program, so that worlds
which differ in one policy can be asked one after the other. Next: `causes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from operator import or_

from podfence.model.address import Address
from podfence.model.cluster import Snapshot
from podfence.model.policy import Action, Direction, Policy, Rule, Tier
from podfence.model.ports import LAST_PORT, WITH_PORTS, PortMatch, PortRange
from podfence.model.portset import EVERY_PORT, NO_PORTS, PortSet
from podfence.semantics import matches_peer

USABLE = PortSet({each: (PortRange(1, LAST_PORT),) for each in WITH_PORTS}, others=True)
"""Every port but 0, which no program can use."""


def ports_between(snapshot: Snapshot, source: Address, destination: Address) -> PortSet:
    """What a packet may be from one address to another, of one family."""
    if source == destination:
        return EVERY_PORT
    sent, received = (_admitted(snapshot, each, source, destination) for each in Direction)
    return sent & received


def _admitted(snapshot: Snapshot, direction: Direction, source: Address, destination: Address) -> PortSet:
    """(S4) is the one exemption: what reaches a pod from its own node."""
    subject, peer = ends(direction, source, destination)
    pod = snapshot.pod_at(subject)
    own_node = direction is Direction.INGRESS and pod and peer in snapshot.node_addresses(pod.node)
    if pod is None or own_node:
        return EVERY_PORT
    allowed, undecided = NO_PORTS, EVERY_PORT
    for tier in Tier:
        policies = snapshot.policies_for(pod, tier, direction)
        accepted, undecided = _in_tier(snapshot, policies, (direction, source, destination), undecided)
        allowed |= accepted
    return allowed | undecided


Asked = tuple[Direction, Address, Address]


def _in_tier(
    snapshot: Snapshot, policies: tuple[Policy, ...], asked: Asked, undecided: PortSet
) -> tuple[PortSet, PortSet]:
    """(accepted here, left to the next tier); the first rule that matches a port decides it."""
    accepted, passed = NO_PORTS, NO_PORTS
    for rule in _matching(snapshot, policies, asked):
        ports = undecided & rule_ports(snapshot, rule, asked[2])
        undecided -= ports
        accepted |= ports if rule.action is Action.ACCEPT else NO_PORTS
        passed |= ports if rule.action is Action.PASS else NO_PORTS
    isolated = any(policy.tier is Tier.NETWORK_POLICY for policy in policies)
    return accepted, passed if isolated else passed | undecided


def _matching(snapshot: Snapshot, policies: Iterable[Policy], asked: Asked) -> Iterator[Rule]:
    for policy in policies:
        for rule in policy.rules(asked[0]):
            if admits(snapshot, rule, asked):
                yield rule


def admits(snapshot: Snapshot, rule: Rule, asked: Asked) -> bool:
    """Whether a rule's peers take in the other side."""
    peer = ends(*asked)[1]
    return rule.peers is None or any(matches_peer(snapshot, each, peer) for each in rule.peers)


def ends(direction: Direction, source: Address, destination: Address) -> tuple[Address, Address]:
    """(subject, peer) of a direction."""
    return (source, destination) if direction is Direction.EGRESS else (destination, source)


def rule_ports(snapshot: Snapshot, rule: Rule, destination: Address) -> PortSet:
    """The ports of a rule; names are looked up at the destination."""
    if rule.ports is None:
        return EVERY_PORT
    return reduce(or_, (_ports(snapshot, entry, destination) for entry in rule.ports), NO_PORTS)


def _ports(snapshot: Snapshot, entry: PortMatch, destination: Address) -> PortSet:
    if isinstance(entry.port, PortRange):
        return PortSet({entry.protocol: (entry.port,)})
    pod = snapshot.pod_at(destination)
    numbers = pod.resolve(entry.port, entry.protocol) if pod else ()
    each = (PortSet({entry.protocol: (PortRange(number, number),)}) for number in numbers)
    return reduce(or_, each, NO_PORTS)
