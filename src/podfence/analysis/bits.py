"""Sets of small numbers as the bits of one integer: the form in which thousands of rows are intersected fast.

Next: `members`, `matrix` and `connections` number what they hold and keep sets of it so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import compress

_ZERO_OR_ONE = bytes.maketrans(b"01", b"\x00\x01")
_SPARSE = 8
"""From one bit in so many on it is faster to look at each than to search for the next."""


def bits(mask: int) -> Iterator[int]:
    """The numbers in a set, in order."""
    text = bin(mask)[:1:-1]
    if mask.bit_count() * _SPARSE > len(text):
        yield from compress(range(len(text)), text.encode().translate(_ZERO_OR_ONE))
        return
    at = text.find("1")
    while at >= 0:
        yield at
        at = text.find("1", at + 1)


def mask_of(numbers: Iterable[int]) -> int:
    mask = 0
    for number in numbers:
        mask |= 1 << number
    return mask
