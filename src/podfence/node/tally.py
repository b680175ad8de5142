"""What the kernel counted since the start, over the life of combinations: counters go with theirs.

Next: `enforcement.py` notes counters before it removes them and adds up when asked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from podfence.nft.actions import Counter
from podfence.nft.render.base import SPOOFED, STRAY
from podfence.nft.render.denials import DENIED, INVALID, LOGGED


@dataclass(frozen=True, slots=True)
class Tally:
    """Packets. `denied` and `logged` are those of policies; the others belong to no flow that a policy could allow."""

    denied: int = 0
    logged: int = 0
    invalid: int = 0
    spoofed: int = 0
    stray_errors: int = 0

    @property
    def suppressed(self) -> int:
        """Denied, but beyond the limit of the log."""
        return self.denied - self.logged

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.denied + other.denied,
            self.logged + other.logged,
            self.invalid + other.invalid,
            self.spoofed + other.spoofed,
            self.stray_errors + other.stray_errors,
        )


def tally(counters: Mapping[str, Counter], names: Collection[str]) -> Tally:
    """Of the counters with these names."""
    there = {name: counters[name].packets for name in names if name in counters}
    return Tally(
        sum(packets for name, packets in there.items() if name.startswith(DENIED)),
        sum(packets for name, packets in there.items() if name.startswith(LOGGED)),
        there.get(INVALID, 0),
        there.get(SPOOFED, 0),
        there.get(STRAY, 0),
    )
