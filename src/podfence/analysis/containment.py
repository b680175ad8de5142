"""Whether all that one set of policies allows is allowed by another; if not, a flow that shows it.

Snapshots are compared exactly: every flow between any two addresses is alike to one that is looked at, as addresses
that both programs treat alike are one point. Policies alone are compared on the small world that they derive
together: a difference that is shown is real, none is no proof (for one rule against another see `implication`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from podfence.analysis.reach import Reach
from podfence.compiler import compile  # noqa: A004  precedent: re.compile
from podfence.manifests.assume import complete
from podfence.manifests.loaded import Manifests
from podfence.model.address import Address, AddressSet, from_number
from podfence.model.cluster import Snapshot
from podfence.model.flow import Flow
from podfence.model.policy import Direction, Policy
from podfence.model.ports import Protocol
from podfence.model.portset import PortSet
from podfence.program import Program

Side = Snapshot | Sequence[Policy]

FAMILIES = (4, 6)


@dataclass(frozen=True, slots=True)
class Comparison:
    """True where it holds; else `flow` is a counter-example."""

    flow: Flow | None = None

    def __bool__(self) -> bool:
        return self.flow is None


def contains(wide: Side, narrow: Side) -> Comparison:
    """Whether every flow that the second allows is allowed by the first."""
    pair = _Pair(*map(compile, _snapshots(wide, narrow)))
    return Comparison(next(pair.escaping(), None))


def equivalent(one: Side, other: Side) -> Comparison:
    """Whether both allow the same flows."""
    found = contains(one, other)
    return found and contains(other, one)


def _snapshots(wide: Side, narrow: Side) -> tuple[Snapshot, Snapshot]:
    """Policies alone are put into a world that has the pods for both; a snapshot's world serves policies beside it."""
    if isinstance(wide, Snapshot):
        return wide, narrow if isinstance(narrow, Snapshot) else wide.with_policies(narrow)
    if isinstance(narrow, Snapshot):
        return narrow.with_policies(wide), narrow
    renamed = (replace(policy, name=f"{policy.name}.other") for policy in narrow)
    world = complete(Manifests(objects=(*wide, *renamed)))
    return world.with_policies(wide), world.with_policies(narrow)


class _Pair:
    """Two programs, and the points that they tell apart."""

    def __init__(self, wide: Program, narrow: Program) -> None:
        self._programs = (wide, narrow)
        self._reaches = (Reach(wide), Reach(narrow))

    def escaping(self) -> Iterator[Flow]:
        """Flows that only the narrow one allows, one for every pair of points where there are any."""
        for family in FAMILIES:
            points = self._points(family)
            yield from (flow for mine in points for theirs in points for flow in self._between(mine, theirs))
            yield from (flow for alike in points for flow in self._hairpin(alike[0]))
        yield from (flow for node, pod in self._exempt() for flow in self._extra(node, pod))

    def _points(self, family: int) -> list[list[Address]]:
        """Addresses, those together that both programs treat alike."""
        memberships = [_memberships(program) for program in self._programs]
        found: dict[object, list[Address]] = defaultdict(list)
        for address in self._addresses(family):
            found[
                tuple(self._seen(*each, address) for each in zip(self._programs, memberships, strict=True))
            ].append(address)
        return list(found.values())

    @staticmethod
    def _seen(program: Program, members: Mapping[Address, set[str]], address: Address) -> object:
        blocks = (name for name, group in program.groups.items() if address in group.addresses)
        subject = tuple(program.subjects[direction].get(address) for direction in Direction)
        return subject, frozenset([*members.get(address, ()), *blocks])

    def _addresses(self, family: int) -> Iterator[Address]:
        """Those of pods and nodes, and one of each part of the rest that groups tell apart."""
        own = {address for program in self._programs for address in _own(program) if address.family == family}
        yield from sorted(own)
        groups = [group.addresses for program in self._programs for group in program.groups.values()]
        yield from _outside(groups, family, own)

    def _between(self, sources: Sequence[Address], destinations: Sequence[Address]) -> Iterator[Flow]:
        """Any pair will do that is neither one address nor a node and its own pod."""
        for source in sources:
            for destination in destinations:
                if source != destination and not self._is_exempt(source, destination):
                    yield from self._extra(source, destination)
                    return

    def _is_exempt(self, source: Address, destination: Address) -> bool:
        return any(source in program.own_nodes.get(destination, ()) for program in self._programs)

    def _exempt(self) -> Iterator[tuple[Address, Address]]:
        for program in self._programs:
            for pod, nodes in program.own_nodes.items():
                yield from ((node, pod) for node in nodes if node.family == pod.family)

    def _hairpin(self, address: Address) -> Iterator[Flow]:
        return self._extra(address, address, hairpin=True)

    def _extra(self, source: Address, destination: Address, *, hairpin: bool = False) -> Iterator[Flow]:
        wide, narrow = (reach.ports(source, destination, hairpin=hairpin) for reach in self._reaches)
        left = narrow - wide
        if left:
            protocol, port = _example(left, source.family)
            yield Flow(source, destination, protocol, port, hairpin=hairpin)


def _memberships(program: Program) -> Mapping[Address, set[str]]:
    found: dict[Address, set[str]] = defaultdict(set)
    for name, members in program.members.items():
        for address in members:
            found[address].add(name)
    return found


def _own(program: Program) -> Iterator[Address]:
    """Whom a program knows by address."""
    for subjects in program.subjects.values():
        yield from subjects
    for members in program.members.values():
        yield from members
    for pod, nodes in program.own_nodes.items():
        yield from (pod, *nodes)


def _outside(groups: Iterable[AddressSet], family: int, own: set[Address]) -> Iterator[Address]:
    last = 2 ** (32 if family == 4 else 128)
    cuts = {0, last}
    for addresses in groups:
        for part in addresses.of(family):
            cuts |= {part.first.number, part.last.number + 1}
    ordered = sorted(cuts)
    for first, behind in pairwise(ordered):
        numbers = (from_number(number, family) for number in range(first, behind))
        if free := next((address for address in numbers if address not in own), None):
            yield free


def _example(ports: PortSet, family: int) -> tuple[Protocol, int | None]:
    for protocol, ranges in ports.ranges.items():
        return protocol, max(ranges[0].first, min(1, ranges[0].last))
    return (Protocol.ICMP if family == 4 else Protocol.ICMPV6), None


__all__ = ["Comparison", "contains", "equivalent"]
