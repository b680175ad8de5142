"""Requirements: who must reach whom, who must not; and whether they hold, with a flow that shows it where not.

Every pod is asked, on every port and in every family, through `connections`. A requirement about nobody does not
hold, unless it says that it may be empty: a misspelt label must not read as success. `requirements_file` reads them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from itertools import product
from operator import or_
from typing import NamedTuple

from podfence.analysis.admission import USABLE
from podfence.analysis.connections import NOTHING, Allowed, Connections, View, connections
from podfence.analysis.questions import PortAsked
from podfence.analysis.selecting import EndAsked, Selected, Selecting
from podfence.analysis.workloads import Level
from podfence.model.cluster import Pod, Snapshot
from podfence.model.flow import Flow, Verdict
from podfence.model.policy import NOWHERE_KNOWN, Place
from podfence.model.ports import WITH_PORTS, PortRange, Protocol
from podfence.model.portset import NO_PORTS, PortSet, joined
from podfence.semantics import decide


class Must(StrEnum):
    """What is required of every pair."""

    REACH = "reach"
    NOT_REACH = "not reach"
    REACH_ONLY = "reach only"


@dataclass(frozen=True, slots=True)
class Requirement:
    """`ports` empty: all of them; REACH then leaves out protocols without ports, NOT_REACH does not."""

    name: str
    source: EndAsked
    destination: EndAsked
    must: Must
    ports: tuple[PortAsked, ...] = ()
    may_be_empty: bool = False
    place: Place = NOWHERE_KNOWN


@dataclass(frozen=True, slots=True)
class Example:
    """A flow that a requirement forbids and policies allow, or the other way round: `verdict` is theirs."""

    source: Selected
    destination: Selected
    flow: Flow
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Outcome:
    """`reason` says why it does not hold; `pairs` is how many were judged."""

    requirement: Requirement
    pairs: int
    reason: str = ""
    example: Example | None = None

    @property
    def holds(self) -> bool:
        return not self.reason


def judge(snapshot: Snapshot, required: tuple[Requirement, ...], namespace: str = "default") -> list[Outcome]:
    """In their order. `namespace` is that of names that name none."""
    ends = (end for each in required for end in (each.source, each.destination))
    cuts = frozenset(cut for end in ends for cut in end.cuts)
    found = connections(snapshot, View(Level.POD, cuts))
    selecting = Selecting(snapshot, found.ends, namespace)
    return [_Judge(snapshot, found, selecting, each).outcome() for each in required]


class _Meeting(NamedTuple):
    source: Selected
    destination: Selected
    allowed: Allowed
    asked: PortSet


@dataclass(frozen=True)
class _Judge:
    """Of one requirement."""

    snapshot: Snapshot
    found: Connections
    selecting: Selecting
    required: Requirement

    def outcome(self) -> Outcome:
        if (missing := self._missing()) and not self.required.may_be_empty:
            return Outcome(self.required, 0, missing)
        judged = 0
        for meeting in self._meetings():
            judged += 1
            if example := self._example(meeting):
                return Outcome(self.required, judged, self._reason(example), example)
        nobody = (
            "" if judged or self.required.may_be_empty else "nothing to judge: no family or port in common"
        )
        return Outcome(self.required, judged, nobody)

    def _missing(self) -> str:
        """Who is spoken of and is not there."""
        for word, end in (("from", self.required.source), ("to", self.required.destination)):
            if missing := self.selecting.missing(end):
                return f"`{word}` speaks of nobody: {missing}"
        return ""

    def _meetings(self) -> Iterator[_Meeting]:
        """Those that can meet: not one with itself, not two outside."""
        for source in self.selecting.of(self.required.source):
            row = dict(self.found.row(source.number))
            for destination in self.selecting.of(self.required.destination):
                if not can_meet(source, destination):
                    continue
                if asked := self._asked(destination.pod):
                    pair = row.get(destination.number)
                    yield _Meeting(source, destination, self.found.allowed(pair) if pair else NOTHING, asked)

    def _asked(self, destination: Pod | None) -> PortSet:
        if self.required.ports:
            return reduce(or_, (_ports(each, destination) for each in self.required.ports), NO_PORTS) & USABLE
        return USABLE if self.required.must is Must.NOT_REACH else USABLE - PortSet(others=True)

    def _example(self, meeting: _Meeting) -> Example | None:
        """A flow that is not as required, in any family."""
        for family in sorted(meeting.source.families & meeting.destination.families):
            allowed = meeting.allowed.families.get(family, NO_PORTS) & USABLE
            passing, missing = self._wrong(allowed, meeting.asked)
            if wrong := passing or missing:
                verdict = Verdict.ALLOWED if passing else Verdict.DENIED
                flow = self._flow(meeting, family, wrong, verdict)
                return Example(meeting.source, meeting.destination, flow, verdict)
        return None

    def _wrong(self, allowed: PortSet, asked: PortSet) -> tuple[PortSet, PortSet]:
        """(what passes and must not, what must pass and does not)."""
        match self.required.must:
            case Must.REACH:
                return NO_PORTS, asked - allowed
            case Must.NOT_REACH:
                return allowed & asked, NO_PORTS
            case Must.REACH_ONLY:
                return allowed - asked, asked - allowed

    def _flow(self, meeting: _Meeting, family: int, wrong: PortSet, verdict: Verdict) -> Flow:
        """Of several addresses of a family the first pair that shows it."""
        both = product(meeting.source.of(family), meeting.destination.of(family))
        flows = [Flow(*pair, *_first(wrong, family)) for pair in both]
        shown = (flow for flow in flows if decide(self.snapshot, flow).verdict is verdict)
        return next(shown, flows[0])

    def _reason(self, example: Example) -> str:
        return (
            f"{_PASSES[example.verdict]}: {example.source.title} → {example.destination.title}, for example"
        )


_PASSES = {
    Verdict.ALLOWED: "something passes that must not",
    Verdict.DENIED: "something is denied that must pass",
}


def can_meet(source: Selected, destination: Selected) -> bool:
    inside = source.pod is not None or destination.pod is not None
    return source.number != destination.number and inside and bool(source.families & destination.families)


def _first(ports: PortSet, family: int) -> tuple[Protocol, int | None]:
    for protocol in WITH_PORTS:
        if found := ports.ranges.get(protocol):
            return protocol, found[0].first
    return (Protocol.ICMP if family == 4 else Protocol.ICMPV6), None


def _ports(asked: PortAsked, destination: Pod | None) -> PortSet:
    """A name is looked up at the destination."""
    protocols = WITH_PORTS if asked.protocol is None else (asked.protocol,)
    if asked.name:
        numbers = {p: destination.resolve(asked.name, p) if destination else frozenset() for p in protocols}
        found = {p: joined(PortRange(n, n) for n in numbers[p]) for p in protocols if numbers[p]}
        return PortSet(found)
    if asked.ports is None:
        return PortSet(others=True)
    return PortSet(dict.fromkeys(protocols, (asked.ports,)))
