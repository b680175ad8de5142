"""Rules that change nothing for the pods that are given: others, taken together, allow the same to them.

`redundancy` is true whatever pods there are; this is true of these, so it is told only when asked for
(`check --redundant`). Rules that are told are not held against others: all of them can go at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from podfence.analysis.findings import redundancy
from podfence.analysis.findings.evidence import Alike, Evidence, selections
from podfence.analysis.findings.finding import Finding, Spot, note
from podfence.analysis.findings.labels import listed
from podfence.analysis.findings.redundancy import Stated, stated
from podfence.analysis.implication import addresses_of
from podfence.model.address import EVERYWHERE, Address, AddressSet, from_number
from podfence.model.cluster import Pod
from podfence.model.policy import Direction, Policy, Rule
from podfence.model.ports import PortRange
from podfence.model.portset import EVERY_PORT, NO_PORTS, PortSet, joined


def find(evidence: Evidence) -> Iterator[Finding]:
    """In the order of policies, beside what `redundancy` tells."""
    gone = _Gone(frozenset((each.title, each.field) for each in redundancy.find(evidence)))
    for policy in evidence.policies:
        for direction in Direction:
            for one in stated(policy, direction):
                if not gone.has(one) and (witnesses := _witnesses(evidence, gone, one)):
                    gone.found.add(_name(one))
                    yield _told(one, witnesses)


@dataclass(slots=True)
class _Gone:
    """What has been told: `before` by policy and field, where no field stands for a whole policy."""

    before: frozenset[tuple[str, str]]
    found: set[tuple[str, str]] = field(default_factory=set)

    def has(self, one: Stated) -> bool:
        return not {(one.policy.title, ""), _name(one)}.isdisjoint(self.before | self.found)


def _name(one: Stated) -> tuple[str, str]:
    return (one.policy.title, one.path)


def _told(one: Stated, witnesses: Sequence[Stated]) -> Finding:
    names = [w.path if w.policy is one.policy else f"{w.path} of {w.policy.title}" for w in witnesses]
    verb = "allows" if len(names) == 1 else "allow"
    message = f"for the pods that are given {listed(names)} {verb} all that this rule allows"
    return note(
        Spot(one.policy, one.path), "redundant-here", message, "remove it, if other pods need it neither"
    )


def _witnesses(evidence: Evidence, gone: _Gone, one: Stated) -> list[Stated]:
    """The rules that allow all of it to every subject; none where some subject would miss it, or nobody has it."""
    found: dict[tuple[str, str], Stated] = {}
    subjects = evidence.selected(one.policy.subject)
    if not subjects or not _admits_anybody(evidence, one.rule):
        return []
    for subject in subjects:
        applying = evidence.applying[one.direction][subject]
        others = [other for other in _others(applying, one) if not gone.has(other)]
        if not _covered(_Case(evidence, one.direction, subject), one.rule, [other.rule for other in others]):
            return []
        found |= {_name(other): other for other in others if _meet(evidence, one.rule, other.rule)}
    return list(found.values())


def _others(applying: Sequence[Policy], one: Stated) -> Iterator[Stated]:
    every = chain.from_iterable(stated(policy, one.direction) for policy in applying)
    return (each for each in every if each != one)


def _admits_anybody(evidence: Evidence, rule: Rule) -> bool:
    return rule.peers is None or bool(addresses_of(rule)) or any(_pods(evidence, rule))


def _meet(evidence: Evidence, one: Rule, other: Rule) -> bool:
    """Whether the other one admits any of the same peers, for the telling."""
    if one.peers is None or other.peers is None or addresses_of(one) & addresses_of(other):
        return True
    return not set(_pods(evidence, one)).isdisjoint(_pods(evidence, other)) or bool(addresses_of(other))


def _pods(evidence: Evidence, rule: Rule) -> Iterator[Alike]:
    return (alike for peer in selections(rule) for alike in evidence.selected(peer))


@dataclass(frozen=True, slots=True)
class _Case:
    """A subject and a direction, for which a rule is compared with others."""

    evidence: Evidence
    direction: Direction
    subject: Alike

    def ports(self, rule: Rule, peer: Pod | None) -> PortSet:
        """Names are those of the destination: outside of the cluster there are none."""
        destination = self.subject.pod if self.direction is Direction.INGRESS else peer
        return EVERY_PORT if rule.ports is None else _resolved(rule, destination)

    def admitting(self, rule: Rule, alike: Alike) -> bool:
        """Whether a rule admits all of such pods, by their labels or by every address of theirs."""
        if rule.peers is None or any(alike in self.evidence.selected(peer) for peer in selections(rule)):
            return True
        inside = addresses_of(rule)
        addresses = [address for pod in alike.pods for address in pod.addresses]
        return bool(addresses) and all(address in inside for address in addresses)


def _resolved(rule: Rule, pod: Pod | None) -> PortSet:
    found = NO_PORTS
    for entry in rule.ports or ():
        numbers = pod.resolve(entry.port, entry.protocol) if pod and isinstance(entry.port, str) else ()
        ranges = [entry.port] if isinstance(entry.port, PortRange) else [PortRange(n, n) for n in numbers]
        found |= PortSet({entry.protocol: joined(ranges)} if ranges else {})
    return found


def _covered(case: _Case, rule: Rule, others: Sequence[Rule]) -> bool:
    """Whoever has an address of a block is covered as that address is, but for the names of its own ports."""
    blocks = EVERYWHERE if rule.peers is None else addresses_of(rule)
    named = blocks and case.direction is Direction.EGRESS and _has_names(rule)
    inside = (alike for alike in case.evidence.alike if _touches(alike, blocks)) if named else ()
    return all(_address_covered(case, address, rule, others) for address in _regions(blocks, others)) and all(
        _pod_covered(case, alike, rule, others) for alike in chain(_pods(case.evidence, rule), inside)
    )


def _has_names(rule: Rule) -> bool:
    return any(isinstance(entry.port, str) for entry in rule.ports or ())


def _touches(alike: Alike, blocks: AddressSet) -> bool:
    """A pod without an address may get one anywhere."""
    return any(not pod.addresses or any(found in blocks for found in pod.addresses) for pod in alike.pods)


def _pod_covered(case: _Case, alike: Alike, rule: Rule, others: Sequence[Rule]) -> bool:
    left = case.ports(rule, alike.pod)
    for other in others:
        if left and case.admitting(other, alike):
            left -= case.ports(other, alike.pod)
    return not left


def _address_covered(case: _Case, address: Address, rule: Rule, others: Sequence[Rule]) -> bool:
    left = case.ports(rule, None)
    for other in others:
        if other.peers is None or address in addresses_of(other):
            left -= case.ports(other, None)
    return not left


def _regions(blocks: AddressSet, others: Sequence[Rule]) -> Iterator[Address]:
    """One address of each part of the blocks that the other rules may tell apart."""
    borders = {(part.family, part.first.number) for other in others for part in addresses_of(other)}
    borders |= {(part.family, part.last.number + 1) for other in others for part in addresses_of(other)}
    for block in blocks:
        yield block.first
        first, last = block.first.number, block.last.number
        inside = (number for family, number in borders if family == block.family and first < number <= last)
        yield from (from_number(number, block.family) for number in inside)
