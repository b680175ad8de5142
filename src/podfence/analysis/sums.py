"""Rows over namespaces: what any pod of one may say to any pod of another. Next: `connections`.

Masks of kinds are added up before anything is expanded: a hundred thousand pods are some hundred rows.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property

from podfence.analysis.bits import mask_of
from podfence.analysis.kinds import ABSENT, Kinds, Pair
from podfence.analysis.listing import Listed
from podfence.analysis.particular import Particulars
from podfence.analysis.rows import Entries


class Sums:
    """Of ends for each of which all its kinds speak together."""

    def __init__(self, kinds: Kinds, listed: list[Listed]) -> None:
        self._kinds = kinds
        self._listed = listed
        self._particulars = Particulars(kinds, listed)
        self._unions: dict[frozenset[Pair], Pair] = {}

    def of(self, source: int) -> Entries:
        found: defaultdict[int, set[Pair]] = defaultdict(set)
        for pair, mask in self._total(self._listed[source].kinds).items():
            for number, wanted in enumerate(self._masks):
                if mask & wanted:
                    found[number].add(pair)
        for other, pair in self._particulars.any_of(source):
            found[other].add(pair)
        entries = ((other, self._union(frozenset(pairs))) for other, pairs in found.items())
        return sorted((other, pair) for other, pair in entries if other != source and max(pair) > 0)

    def _total(self, kinds: tuple[int, ...]) -> dict[Pair, int]:
        total: defaultdict[Pair, int] = defaultdict(int)
        for kind in kinds:
            for pair, mask in self._kinds.row(kind).items():
                total[pair] |= mask
        return total

    @cached_property
    def _masks(self) -> list[int]:
        return [mask_of(each.kinds) for each in self._listed]

    def _union(self, pairs: frozenset[Pair]) -> Pair:
        if pairs not in self._unions:
            union = (ABSENT, ABSENT)
            for pair in pairs:
                union = self._kinds.either(union, pair)
            self._unions[pairs] = union
        return self._unions[pairs]
