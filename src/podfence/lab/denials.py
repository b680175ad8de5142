"""What was denied, for those who ask a lab: one line for each flow, counted, with the policies that isolate.

Next: `exec` tells the last one, `flows` follows them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from podfence.model.address import Address
from podfence.model.cluster import Pod
from podfence.model.flow import Because, Flow
from podfence.model.policy import Direction
from podfence.node import Denial

MOST = 4096


@dataclass(frozen=True, slots=True)
class Denied:
    """`first` and `last` are seconds since the epoch. `why` is a sentence's end: "by ui/default-deny (egress; …)"."""

    first: float
    last: float
    count: int
    source: str
    destination: str
    flow: Flow
    direction: Direction
    policies: tuple[str, ...]
    why: str
    stale: bool

    @property
    def line(self) -> str:
        port = "" if self.flow.port is None else f" {self.flow.port}"
        return f"{self.source} → {self.destination} {self.flow.protocol}{port}  {self.why}"


class DenyLog:
    """The last few thousand denied flows, the newest at the end."""

    def __init__(self) -> None:
        self._found: OrderedDict[tuple[Flow, Direction, tuple[str, ...]], Denied] = OrderedDict()
        self.total = 0

    def add(self, denial: Denial) -> Denied:
        self.total += 1
        policies = tuple(policy.title for policy in denial.walk.isolating)
        key = (denial.flow, denial.direction, policies)
        known = self._found.pop(key, None)
        fresh = _denied(denial, policies)
        self._found[key] = replace(fresh, first=known.first, count=known.count + 1) if known else fresh
        if len(self._found) > MOST:
            self._found.popitem(last=False)
        return self._found[key]

    def since(self, moment: float) -> Iterator[Denied]:
        return (each for each in self._found.values() if each.last >= moment)


def _denied(denial: Denial, policies: tuple[str, ...]) -> Denied:
    return Denied(
        denial.time,
        denial.time,
        1,
        _title(denial.source, denial.flow.source),
        _title(denial.destination, denial.flow.destination),
        denial.flow,
        denial.direction,
        policies,
        _why(denial, policies),
        denial.stale,
    )


def _title(pod: Pod | None, address: Address) -> str:
    return pod.title if pod else str(address)


def _why(denial: Denial, policies: tuple[str, ...]) -> str:
    """The policies and what they lack; a denial that no snapshot of its moment explains says so."""
    direction = denial.direction
    if denial.stale:
        return f"({direction.value}; policies that are no longer in force)"
    if denial.walk.because is Because.RULE and denial.walk.match:
        return f"by {denial.walk.match.policy.title} ({direction.value}; {denial.walk.match.path})"
    rules = sum(len(policy.rules(direction)) for policy in denial.walk.isolating)
    lack = "no rule matches" if rules else ("it has no rules" if len(policies) == 1 else "they have no rules")
    return f"by {', '.join(policies)} ({direction.value}; {lack})"
