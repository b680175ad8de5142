"""An edit that explains a difference, and the rules of a policy that have to do with it. Next: `cli.diff` prints it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from podfence.analysis.admission import Asked, admits, ends, rule_ports
from podfence.analysis.mixing import Families, Mixture, Parts, world_of
from podfence.model.cluster import Snapshot
from podfence.model.policy import NOWHERE_KNOWN, Action, Direction, Place, Policy, Rule, Tier
from podfence.model.portset import NO_PORTS, PortSet


class RuleConcerned(NamedTuple):
    """`was`: a rule that went; its place is in the old input."""

    path: str
    place: Place
    was: bool


@dataclass(frozen=True, slots=True)
class Because:
    """One edit. `alone`: taken back or made by itself, it explains all of the difference.

    `what` is the kind of its object, `change` added, removed or edited. For a policy: where it stands, its rules
    that have to do with it, the directions in which it newly isolates the subject, or no longer does.
    """

    what: str
    name: str
    change: str
    alone: bool = True
    tier: Tier | None = None
    place: Place = NOWHERE_KNOWN
    rules: tuple[RuleConcerned, ...] = ()
    isolates: tuple[Direction, ...] = ()
    releases: tuple[Direction, ...] = ()


class Moved(NamedTuple):
    """By family what passes that did not, and what does not that did."""

    opened: Families
    closed: Families


def moved(before: Families, after: Families) -> Moved:
    return Moved(_beyond(after, before), _beyond(before, after))


def _beyond(here: Families, there: Families) -> Mapping[int, PortSet]:
    return {family: ports - there.get(family, NO_PORTS) for family, ports in here.items()}


class Version(NamedTuple):
    """A policy as it was or is, in the world it stands in, and the other version of it."""

    policy: Policy
    parts: Parts
    other: Policy | None
    was: bool


def because_policy(mixture: Mixture, old: Policy | None, new: Policy | None, what: Moved) -> Because:
    """Without saying yet whether it is alone."""
    versions = []
    if new:
        versions.append(Version(new, mixture.new, old, was=False))
    if old:
        versions.append(Version(old, mixture.old, new, was=True))
    rules = tuple(rule for version in versions for rule in _concerned(mixture, version, what))
    policy = versions[0].policy
    isolated = [_isolated(mixture, each, parts) for each, parts in ((old, mixture.old), (new, mixture.new))]
    gained, lost = (tuple(d for d in Direction if d in isolated[n] - isolated[1 - n]) for n in (1, 0))
    return Because(
        "NetworkPolicy" if policy.tier is Tier.NETWORK_POLICY else "ClusterNetworkPolicy",
        policy.title,
        change_of(old, new),
        tier=policy.tier,
        place=policy.place(""),
        rules=rules,
        isolates=gained if any(what.closed.values()) else (),
        releases=lost if any(what.opened.values()) else (),
    )


def change_of(old: object | None, new: object | None) -> str:
    if old is None:
        return "added"
    return "removed" if new is None else "edited"


def _isolated(mixture: Mixture, policy: Policy | None, parts: Parts) -> frozenset[Direction]:
    """The directions in which a policy isolates the subject of this pair."""
    if policy is None or policy.tier is not Tier.NETWORK_POLICY:
        return frozenset()
    world, pairs = world_of(parts), list(mixture.pairs(parts))
    return frozenset(
        direction
        for direction in policy.directions
        if any(_selects(world, policy, (direction, *pair)) for pair in pairs)
    )


def _selects(world: Snapshot, policy: Policy, asked: Asked) -> bool:
    pod = world.pod_at(ends(*asked)[0])
    return pod is not None and world.selects(policy.subject, pod)


def _concerned(mixture: Mixture, version: Version, what: Moved) -> Iterator[RuleConcerned]:
    """Rules that the other version does not have, and that say something of the ports in question."""
    world, pairs = world_of(version.parts), list(mixture.pairs(version.parts))
    for direction in Direction:
        others = version.other.rules(direction) if version.other else ()
        for index, rule in enumerate(version.policy.rules(direction)):
            asked = [(direction, *pair) for pair in pairs if rule not in others]
            subject = any(_selects(world, version.policy, each) for each in asked)
            if subject and any(_speaks(world, rule, each, _effect(rule, version, what)) for each in asked):
                path = f"spec.{direction.value}[{index}]"
                yield RuleConcerned(path, version.policy.place(path), version.was)


def _effect(rule: Rule, version: Version, what: Moved) -> tuple[Families, ...]:
    """What a rule that came, or went, can have opened or closed."""
    if rule.action is Action.PASS:
        return (what.opened, what.closed)
    opens = (rule.action is Action.ACCEPT) is not version.was
    return (what.opened if opens else what.closed,)


def _speaks(world: Snapshot, rule: Rule, asked: Asked, effects: tuple[Families, ...]) -> bool:
    """Whether a rule takes in the peer, on any of the ports that moved."""
    ports = rule_ports(world, rule, asked[2])
    family = asked[2].family
    return admits(world, rule, asked) and any(ports & each.get(family, NO_PORTS) for each in effects)
