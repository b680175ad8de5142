"""Words that differ as typing errors do: one letter more, less, other or swapped; capitals; separators.

Words that differ in digits alone are two names, not one name and a mistake. Next: `selecting` asks for labels.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

SHORTEST = 4
"""Shorter words are near to too many others."""

_SEPARATORS = str.maketrans("_.", "--")
_DIGITS = re.compile(r"\d+")


class Spelling:
    """Known words, filed under what is left of them without one letter."""

    def __init__(self, words: Iterable[str]) -> None:
        filed: dict[str, set[str]] = defaultdict(set)
        for word in words:
            for left in _shortened(word):
                filed[left].add(word)
        self._filed: Mapping[str, set[str]] = dict(filed)

    def near(self, word: str) -> tuple[str, ...]:
        """Known words that this one may be meant to be, in order of the alphabet; never itself."""
        found = {known for left in _shortened(word) for known in self._filed.get(left, ())}
        return tuple(sorted(known for known in found if is_typo(word, known)))


def is_typo(word: str, known: str) -> bool:
    if word == known or _DIGITS.sub("", word) == _DIGITS.sub("", known):
        return False
    mine, theirs = _folded(word), _folded(known)
    return mine == theirs or (min(len(mine), len(theirs)) >= SHORTEST and _one_apart(mine, theirs))


def _one_apart(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    at = next((n for n, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(long) - len(short) == 1:
        return short[at:] == long[at + 1 :]
    swapped = short[at : at + 2] == long[at : at + 2][::-1] and short[at + 2 :] == long[at + 2 :]
    return len(short) == len(long) and (short[at + 1 :] == long[at + 1 :] or swapped)


def _folded(word: str) -> str:
    return word.lower().translate(_SEPARATORS)


def _shortened(word: str) -> Iterator[str]:
    folded = _folded(word)
    yield folded
    yield from (folded[:n] + folded[n + 1 :] for n in range(len(folded)))
