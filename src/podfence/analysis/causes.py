"""Why a pair changed: the edits between two snapshots that explain it, found by taking them back and making them.

An edit is named where the answer differs if it alone is taken back, or is the new one if it alone is made. Where
that does not explain everything, more are added, none of which can be left out. Taking back all that is named gives
the old answer: a law of the tests. Pairs that policies cannot tell apart are worked out once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from itertools import islice, product
from typing import NamedTuple

from podfence.analysis.edited import Because, Moved, because_policy, change_of, moved
from podfence.analysis.mixing import DESTINATION, SOURCE, Families, Key, Member, Mixer, Mixture, Side
from podfence.analysis.ranges import regions
from podfence.analysis.workloads import End
from podfence.manifests.world import selections
from podfence.model.address import Address, AddressRange, from_number
from podfence.model.cluster import Pod, Snapshot
from podfence.model.labels import Labels
from podfence.model.policy import Policy
from podfence.model.portset import NO_PORTS

_PODS_TRIED = 3
"""Of an end, in search of a pair that is as the whole is: to its own node a pod may be an exception."""


class Corner(NamedTuple):
    """The ends of a pair on one side, None for one that is not there."""

    source: End | None
    destination: End | None


class Question(NamedTuple):
    """A pair that differs: its ends and what passes, on both sides."""

    old: Corner
    new: Corner
    before: Families
    after: Families


class Causes:
    """Between two snapshots."""

    def __init__(self, old: Snapshot, new: Snapshot) -> None:
        self._mixer = Mixer(old, new)
        self._old, self._new = self._mixer.old, self._mixer.new
        policies = [*old.policies.values(), *new.policies.values()]
        self._keys = _label_keys(policies)
        self._regions = regions(policies)
        self._taken = {a for side in (old, new) for pod in side.pods.values() for a in pod.addresses}
        self._taken |= {a for side in (old, new) for node in side.nodes.values() for a in node.addresses}
        self._known: dict[object, tuple[Because, ...]] = {}

    def of(self, question: Question) -> tuple[Because, ...]:
        """The edits that explain it; an end that came or went is explanation enough."""
        ends = tuple(zip(question.old, question.new, strict=True))
        if gone := tuple(_came_or_went(*end) for end in ends if None in end and _has_pods(end)):
            return gone
        members = tuple(self._members(*end) for end in ends)
        key = tuple(self._alike(found[0]) for found in members)
        if self._tied(*(found[0] for found in members)) or key not in self._known:
            self._known[key] = _explained(self._typical(question, *members))
        return tuple(_named(found, question.new) for found in self._known[key])

    def _members(self, old: End | None, new: End | None) -> list[Member]:
        """Pods that both sides have by name, else the first of each."""
        before, after = ({pod.key: pod for pod in end.pods} if end else {} for end in (old, new))
        if not (before or after):
            where = next(end.addresses for end in (old, new) if end and end.addresses)
            return [Member(None, None, self._free(where))]
        both = (Member(pod, after[key]) for key, pod in before.items() if key in after)
        return list(islice(both, _PODS_TRIED)) or [
            Member(next(iter(before.values())), next(iter(after.values())))
        ]

    def _free(self, where: AddressRange) -> Address:
        """An address that nobody has, where there is one."""
        numbers = range(where.first.number, where.last.number + 1)
        found = (from_number(number, where.family) for number in islice(iter(numbers), len(self._taken) + 1))
        return next((each for each in found if each not in self._taken), where.first)

    def _typical(self, question: Question, sources: list[Member], destinations: list[Member]) -> Mixture:
        """Of the first few pairs one that is as the whole; if none is, the first."""
        pairs = islice(product(sources, destinations), _PODS_TRIED)
        mixed = (self._mixer.mixture(*pair) for pair in pairs)
        first = self._mixer.mixture(sources[0], destinations[0])
        return next((each for each in mixed if _fits(each, question)), first)

    def _alike(self, member: Member) -> object:
        """Members of the same are told apart by no policy of either side."""
        if member.address is not None:
            return (member.address.family, self._regions.of(member.address))
        return (self._seen(self._old, member.old), self._seen(self._new, member.new))

    def _seen(self, side: Side, pod: Pod | None) -> object:
        if pod is None:
            return None
        shared = any(side.snapshot.pod_at(a) != pod for a in pod.addresses) and not pod.host_network
        where = tuple((address.family, self._regions.of(address)) for address in pod.addresses)
        return (
            pod.namespace,
            self._labels(pod.labels),
            pod.ports,
            pod.host_network,
            where,
            shared and pod.key,
        )

    def _labels(self, labels: Labels) -> frozenset[tuple[str, str]]:
        return frozenset(each for each in labels.items() if each[0] in self._keys)

    def _tied(self, source: Member, destination: Member) -> bool:
        """Whether the source is the destination's own node, which no kind of pod tells."""
        sides = ((self._old, source.old, destination.old), (self._new, source.new, destination.new))
        return any(
            source.address is None and here and there and _on_node(side.snapshot, here, there)
            for side, here, there in sides
        )


def _on_node(snapshot: Snapshot, here: Pod, there: Pod) -> bool:
    return not set(snapshot.node_addresses(there.node)).isdisjoint(here.addresses)


def _label_keys(policies: Iterable[Policy]) -> frozenset[str]:
    """Those that some selector of pods mentions."""
    return frozenset(key for policy in policies for each in selections(policy) for key in each.pods.keys)


def _has_pods(end: tuple[End | None, End | None]) -> bool:
    return any(each and each.pods for each in end)


def _came_or_went(old: End | None, new: End | None) -> Because:
    title = next(end.title for end in (old, new) if end)
    return Because("Workload", title, change_of(old, new))


def _fits(found: Mixture, question: Question) -> bool:
    return _same(found.passes(found.edits), question.before) and _same(found.passes(()), question.after)


def _same(one: Families, other: Families) -> bool:
    families = {*one, *other}
    return all(one.get(family, NO_PORTS) == other.get(family, NO_PORTS) for family in families)


def _explained(found: Mixture) -> tuple[Because, ...]:
    """The edits that count, in order of their keys."""
    edits = frozenset(found.edits)
    passes = cache(found.passes)
    before, after = passes(edits), passes(frozenset())

    def restores(taken_back: frozenset[Key]) -> bool:
        return _same(passes(taken_back), before)

    def makes(edit: Key) -> bool:
        return _same(passes(edits - {edit}), after)

    single = frozenset(e for e in edits if makes(e) or not _same(passes(frozenset({e})), after))
    needed = single if restores(single) else _smallest(edits, single, restores)
    alone = {edit for edit in needed if makes(edit) or restores(frozenset({edit}))}
    what = moved(before, after)
    return tuple(replace(_because(found, edit, what), alone=edit in alone) for edit in sorted(needed))


def _smallest(
    edits: frozenset[Key], kept: frozenset[Key], enough: Callable[[frozenset[Key]], bool]
) -> frozenset[Key]:
    """Fewer of the edits that are still enough: no other one can be left out."""
    for edit in sorted(edits - kept):
        if enough(edits - {edit}):
            edits -= {edit}
    return edits


def _because(found: Mixture, edit: Key, what: Moved) -> Because:
    old, new = found.old.get(edit), found.new.get(edit)
    was, now = (each if isinstance(each, Policy) else None for each in (old, new))
    if was or now:
        return because_policy(found, was, now, what)
    return Because(edit[0], "/".join(edit[1:]), change_of(old, new))


def _named(found: Because, ends: Corner) -> Because:
    """What holds for all pairs alike, said of this one."""
    end = {SOURCE[0]: ends.source, DESTINATION[0]: ends.destination}.get(found.what)
    return replace(found, what="Workload", name=end.title) if end else found
