"""Names that people give to the ends that an answer lists. Next: `narrowing`."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from podfence.analysis import ends
from podfence.analysis.connections import Connections
from podfence.errors import UsageError
from podfence.model.address import AddressRange
from podfence.model.cluster import PodKey


@dataclass(frozen=True)
class Chooser:
    """`namespace` is for names that have none."""

    found: Connections
    namespace: str = "default"
    _chosen: dict[str, frozenset[int]] = field(default_factory=dict)

    def among(self, texts: tuple[str, ...]) -> frozenset[int] | None:
        """The ends that any of these names; None where nobody is named, so that all are wanted."""
        words = [word for text in texts for word in text.split(",") if word]
        return frozenset[int]().union(*map(self._choose, words)) if words else None

    def _choose(self, text: str) -> frozenset[int]:
        """As an end is printed; else whatever it means to `explain`: a workload told apart is all of its pods."""
        if text in self.found.numbers:
            return frozenset({self.found.numbers[text]})
        if f"{text}[Namespace]" in self.found.numbers:
            return frozenset({self.found.numbers[f"{text}[Namespace]"]})
        members = self._ends.find(text).members
        pods = {member.pod.key for member in members if member.pod}
        outside = [address for member in members if not member.pod for address in member.addresses]
        inside = (self._of_pod.get(key) for key in pods)
        ranges = (n for n, block in self._ranges if any(address in block for address in outside))
        chosen = frozenset((*(number for number in inside if number is not None), *ranges))
        if not chosen:
            raise UsageError(f"{text} is nowhere in the answer: no pod of it has an address of its own")
        return chosen

    @cached_property
    def _ends(self) -> ends.Ends:
        return ends.Ends(self.found.kinds.snapshot, self.namespace)

    @cached_property
    def _of_pod(self) -> dict[PodKey, int]:
        return {pod.key: number for number, end in enumerate(self.found.ends) for pod in end.pods}

    @cached_property
    def _ranges(self) -> list[tuple[int, AddressRange]]:
        return [(n, end.addresses) for n, end in enumerate(self.found.ends) if end.addresses]
