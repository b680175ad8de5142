"""Policies → Combination: the protocol by port space cut where some rule begins or ends. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import NamedTuple

from podfence.model.address import NOWHERE
from podfence.model.policy import Direction, NetworkPeer, Policy, Rule, Tier
from podfence.model.ports import LAST_PORT, WITH_PORTS, PortRange, Protocol
from podfence.program import (
    ANYONE,
    Combination,
    Entry,
    Group,
    NamedPort,
    PortClass,
    Stage,
    Stages,
    Term,
    group,
)

Numbers = Callable[[str, Protocol], Iterable[int]]
"""The numbers a named port may have: of the subject for ingress, of any destination for egress."""


class Span(NamedTuple):
    """Ports of one protocol at which a rule applies; `port`: only to destinations that call it so."""

    protocol: Protocol
    first: int
    last: int
    rule: int
    port: NamedPort | None


Active = frozenset[tuple[int, NamedPort | None]]
"""The rules that apply at a port, by number, each with its condition on the destination."""


def combine(direction: Direction, policies: Sequence[Policy], numbers: Numbers) -> Combination:
    """`policies` are all that apply to a subject in this direction, in order of evaluation."""
    cut = _Cut(direction, tuple(policies))
    spans = [
        span
        for number, (_, rule) in enumerate(cut.rules)
        for span in _spans(direction, number, rule, numbers)
    ]
    always: Active = frozenset((n, None) for n, (_, rule) in enumerate(cut.rules) if rule.ports is None)
    memo = {always: cut.stages(always)}
    classes: list[PortClass] = []
    for protocol in WITH_PORTS:
        for ports, active in _pieces([span for span in spans if span.protocol == protocol]):
            here = active | always
            stages = memo.setdefault(here, memo.get(here) or cut.stages(here))
            classes.append(PortClass(protocol, ports, stages))
    rest = memo[always]
    return Combination(direction, tuple(_joined(c for c in classes if c.stages != rest)), rest)


def _spans(direction: Direction, number: int, rule: Rule, numbers: Numbers) -> Iterator[Span]:
    for entry in rule.ports or ():
        if isinstance(entry.port, PortRange):
            yield Span(entry.protocol, entry.port.first, entry.port.last, number, None)
            continue
        for port in numbers(entry.port, entry.protocol):
            named = NamedPort(entry.port, entry.protocol, port) if direction is Direction.EGRESS else None
            yield Span(entry.protocol, port, port, number, named)


def _pieces(spans: list[Span]) -> Iterator[tuple[PortRange, Active]]:
    """Cut at every begin and end; between two cuts the same rules apply."""
    begins = {point: list(found) for point, found in groupby(sorted(spans, key=_first), key=_first)}
    ends = {point: list(found) for point, found in groupby(sorted(spans, key=_behind), key=_behind)}
    cuts = sorted({*begins, *ends})
    active: set[Span] = set()
    for point, following in pairwise([*cuts, LAST_PORT + 1]):
        active.difference_update(ends.get(point, ()))
        active.update(begins.get(point, ()))
        if active:
            yield PortRange(point, following - 1), frozenset((span.rule, span.port) for span in active)


def _first(span: Span) -> int:
    return span.first


def _behind(span: Span) -> int:
    return span.last + 1


def _joined(classes: Iterable[PortClass]) -> Iterator[PortClass]:
    """Neighbours that mean the same become one."""
    last: PortClass | None = None
    for here in classes:
        if last and (last.protocol, last.stages, last.ports.last + 1) == (
            here.protocol,
            here.stages,
            here.ports.first,
        ):
            last = last._replace(ports=PortRange(last.ports.first, here.ports.last))
            continue
        if last:
            yield last
        last = here
    if last:
        yield last


@dataclass(frozen=True)
class _Cut:
    """The rules of a direction, numbered in order of evaluation, and what some of them admit together."""

    direction: Direction
    policies: tuple[Policy, ...]

    @property
    def rules(self) -> list[tuple[Tier, Rule]]:
        return [(policy.tier, rule) for policy in self.policies for rule in policy.rules(self.direction)]

    def stages(self, active: Active) -> Stages:
        rules = self.rules
        conditions: dict[int, list[NamedPort | None]] = {}
        for number, named in active:
            conditions.setdefault(number, []).append(named)
        entries: dict[Tier, list[Entry]] = {tier: [] for tier in Tier}
        for number in sorted(conditions):
            tier, rule = rules[number]
            entries[tier].append(
                Entry(_union(_group(rule, named) for named in conditions[number]), rule.action)
            )
        isolated = any(policy.tier is Tier.NETWORK_POLICY for policy in self.policies)
        stages = (Stage(_merged(entries[t]), isolated and t is Tier.NETWORK_POLICY) for t in Tier)
        return tuple(stage for stage in stages if stage.entries or stage.isolates)


def _group(rule: Rule, named: NamedPort | None) -> Group:
    """Whom a rule admits, where its port must be called by a name also that."""
    if rule.peers is None:
        return group([Term(None, named)]) if named else ANYONE
    blocks = [peer for peer in rule.peers if isinstance(peer, NetworkPeer)]
    pods = [Term(peer, named) for peer in rule.peers if not isinstance(peer, NetworkPeer)]
    if named:
        return group([*pods, *(Term(None, named, block) for block in blocks)])
    addresses = NOWHERE
    for block in blocks:
        addresses |= block.addresses
    return group(pods, addresses)


def _union(groups: Iterable[Group]) -> Group:
    found = list(groups)
    if any(one.anyone for one in found):
        return ANYONE
    addresses = NOWHERE
    for one in found:
        addresses |= one.addresses
    return group(frozenset[Term]().union(*(one.terms for one in found)), addresses)


def _merged(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Neighbours with the same action become one; what admits nobody goes."""
    merged = (
        Entry(_union(entry.group for entry in found), action)
        for action, found in groupby(entries, key=lambda entry: entry.action)
    )
    return tuple(
        entry for entry in merged if entry.group.anyone or entry.group.terms or entry.group.addresses
    )
