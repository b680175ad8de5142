"""Rows over listed ends: whom each end reaches, in order. Next: `connections`.

A row holds numbers, because thousands of lines share a few answers: `Kinds` and `Connections.allowed` know them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property, lru_cache

from podfence.analysis.bits import bits, mask_of
from podfence.analysis.kinds import Kinds, Pair
from podfence.analysis.listing import Listed
from podfence.analysis.particular import Particulars

_ROWS_KEPT = 8
"""Pods of one workload follow each other and mostly have their row in common."""

Entries = list[tuple[int, Pair]]
"""(number of an end, what it may be told), in order; who may be told nothing is not in it."""


class Rows:
    """Of ends for each of which one kind speaks."""

    def __init__(self, kinds: Kinds, listed: list[Listed]) -> None:
        self._kinds = kinds
        self._listed = listed
        self._expanded = lru_cache(_ROWS_KEPT)(self._expand)
        self._particulars = Particulars(kinds, listed)

    def of(self, source: int) -> Entries:
        entries = self._expanded(self._listed[source].kinds)
        if particular := self._particulars.row(source):
            found = {**dict(entries), **particular}
            entries = sorted((other, pair) for other, pair in found.items() if max(pair) > 0)
        return [each for each in entries if each[0] != source]

    def _expand(self, kinds: tuple[int, ...]) -> Entries:
        speaking = self._speaking
        return sorted(
            (end, pair)
            for pair, mask in self._kinds.row(*kinds).items()
            for kind in bits(mask & self._spoken_for)
            for end in speaking[kind]
        )

    @cached_property
    def _speaking(self) -> Mapping[int, list[int]]:
        """Kind → the ends that it speaks for."""
        found: defaultdict[int, list[int]] = defaultdict(list)
        for number, each in enumerate(self._listed):
            for kind in each.kinds:
                found[kind].append(number)
        return found

    @cached_property
    def _spoken_for(self) -> int:
        return mask_of(self._speaking)
