"""The ends that a requirement speaks of: pods by workload, namespace or labels, addresses, the outside, anyone.

Next: `requirements` asks every pair of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

from podfence.analysis.ends import Ends
from podfence.analysis.outside import representatives
from podfence.analysis.workloads import End
from podfence.errors import UsageError, did_you_mean
from podfence.manifests.outside import UNUSABLE
from podfence.model.address import Address, AddressRange, address_set, from_number
from podfence.model.cluster import Pod, PodKey, Snapshot
from podfence.model.labels import Selector


@dataclass(frozen=True, slots=True)
class EndAsked:
    """Whoever one of these takes in, without `excepts`. Only `pods` and `spaces` narrow each other.

    `workloads` as `explain` takes them; `namespaces` by name; `spaces` by labels.
    """

    text: str
    anyone: bool = False
    outside: bool = False
    workloads: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    spaces: Selector | None = None
    pods: Selector | None = None
    addresses: tuple[AddressRange, ...] = ()
    excepts: tuple[EndAsked, ...] = ()

    @property
    def cuts(self) -> Iterator[Address]:
        """Where the outside has to be cut, so that every range is wholly in it or not at all."""
        for block in self.addresses:
            yield block.first
            if any(byte != 0xFF for byte in block.last):
                yield from_number(block.last.number + 1, block.family)
        for each in self.excepts:
            yield from each.cuts


@dataclass(frozen=True, slots=True)
class Selected:
    """An end by its number among all, and its addresses: of a range one that nobody in the cluster has."""

    number: int
    title: str
    addresses: tuple[Address, ...]
    pod: Pod | None = None

    @property
    def families(self) -> frozenset[int]:
        return frozenset(address.family for address in self.addresses)

    def of(self, family: int) -> list[Address]:
        return [address for address in self.addresses if address.family == family]


@dataclass(frozen=True)
class Selecting:
    """Among the ends of one answer, by pod."""

    snapshot: Snapshot
    ends: tuple[End, ...]
    namespace: str = "default"
    _found: dict[EndAsked, tuple[Selected, ...]] = field(default_factory=dict, compare=False)

    def of(self, asked: EndAsked) -> tuple[Selected, ...]:
        if asked not in self._found:
            left_out = {each.number for part in asked.excepts for each in self.of(part)}
            taken = (each for each in self._all if each.number not in left_out)
            keys = self._named(asked.workloads)
            self._found[asked] = tuple(each for each in taken if self._is_in(each, asked, keys))
        return self._found[asked]

    def missing(self, asked: EndAsked) -> str:
        """Why it takes in nobody, or less than it names: a misspelt name must not make a requirement easier."""
        for text in asked.workloads:
            if isinstance(found := self._pods_of(text), str):
                return found
        for name in asked.namespaces:
            if not any(pod.namespace == name for pod in self._pods):
                known = {pod.namespace for pod in self._pods}
                return f"no pod is in namespace {name}{did_you_mean(name, known)}"
        if not self.of(asked):
            return f"{asked.text} takes in no pod, and no address outside of the cluster"
        return ""

    @cached_property
    def _pods(self) -> tuple[Pod, ...]:
        return tuple(each.pod for each in self._all if each.pod)

    @cached_property
    def _all(self) -> tuple[Selected, ...]:
        """Without ranges that consist of addresses of the cluster: who is there is a pod or a node."""
        made = (self._selected(number, end) for number, end in enumerate(self.ends))
        return tuple(each for each in made if each.addresses)

    def _selected(self, number: int, end: End) -> Selected:
        if end.addresses is None:
            (pod,) = end.pods
            return Selected(number, pod.title, pod.addresses, pod)
        usable = (*(address_set([end.addresses]) - UNUSABLE), end.addresses)
        found = (one for block in usable for one in representatives(self.snapshot, block)[:1])
        return Selected(number, end.title, tuple(islice(found, 1)))

    def _named(self, texts: Iterable[str]) -> frozenset[PodKey]:
        found = (self._pods_of(text) for text in texts)
        return frozenset(key for keys in found if not isinstance(keys, str) for key in keys)

    def _pods_of(self, text: str) -> frozenset[PodKey] | str:
        """The pods of a workload, or why there are none."""
        try:
            end = self._ends.find(text)
        except UsageError as unknown:
            return unknown.message
        if end.service or any(member.pod is None for member in end.members):
            return f"{text} is no workload: name a pod, or write `addresses` for addresses"
        return frozenset(member.pod.key for member in end.members if member.pod)

    @cached_property
    def _ends(self) -> Ends:
        return Ends(self.snapshot, self.namespace)

    def _is_in(self, each: Selected, asked: EndAsked, keys: frozenset[PodKey]) -> bool:
        if asked.anyone:
            return True
        if each.pod is None:
            return asked.outside or self._within(self.ends[each.number].addresses, asked.addresses)
        alone = {AddressRange(address, address) for address in each.addresses}
        return each.pod.key in keys or self._matches(each.pod, asked) or not alone.isdisjoint(asked.addresses)

    @staticmethod
    def _within(block: AddressRange | None, blocks: Iterable[AddressRange]) -> bool:
        return block is not None and any(block.first in each and block.last in each for each in blocks)

    def _matches(self, pod: Pod, asked: EndAsked) -> bool:
        """Labels of the pod and of its namespace, as far as they are asked for."""
        if not (asked.namespaces or asked.spaces or asked.pods):
            return False
        labels = self.snapshot.namespace_labels(pod.namespace)
        here = not asked.namespaces or pod.namespace in asked.namespaces
        there = asked.spaces is None or (labels is not None and asked.spaces.matches(labels))
        return here and there and (asked.pods is None or asked.pods.matches(pod.labels))
