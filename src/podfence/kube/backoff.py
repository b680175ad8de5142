"""How long to wait before asking again: full jitter, so that many clients do not come back together.

Next: `client` waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

FIRST = 0.8
LONGEST = 30.0


@dataclass(frozen=True, slots=True)
class Patience:
    """`chance` gives numbers from 0 to 1. After `attempts` requests the answer stands."""

    chance: Callable[[], float]
    attempts: int = 6

    def waits(self) -> Iterator[float]:
        """Seconds to wait after each refusal but the last."""
        for attempt in range(self.attempts - 1):
            yield self.chance() * min(FIRST * 2**attempt, LONGEST)


def asked_for(retry_after: str | None) -> float:
    """Seconds that the server asks for, and no more than we are ready to give. A date counts as nothing."""
    return min(float(retry_after), LONGEST) if retry_after and retry_after.isdigit() else 0.0
