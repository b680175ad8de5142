"""What an operator chooses about the rules, and the tag that tells one choice from another.

Names in the table stand for content, and settings shape that content: so chains carry a tag of them in their
names. Under other settings everything is made anew beside what is there, and then switched to: to replace the
table itself lets a packet under way look into sets that have just gone.
Next: `base.py` and `combinations.py` write rules with them.
"""

from dataclasses import dataclass, field
from enum import Enum

from podfence.errors import PodfenceError
from podfence.nft import names
from podfence.program import digest

LAYOUT = 1
"""Counts our ways to arrange rules. Raise it when equal names would no longer mean equal content."""

HOOKS = 1
"""Written into the table itself, as its layout. Raise it when base chains hook elsewhere: only that replaces a table."""

FOREIGN_MARKS = {0x80: "the AWS VPC CNI", 0x4000: "kube-proxy", 0x8000: "kube-proxy"}
FEWEST_BITS = 16


class Existing(Enum):
    """What becomes of an established connection when a change no longer allows it."""

    REEVALUATE = "reevaluate"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Settings:
    """`tag` names the choices. `log_limit`: denials a second that each combination may log, None for all of them.

    `mark`: the bits of the conntrack mark that are ours. `pod_interfaces`: names of routed pod links, a star at
    the end for any ending; on these nobody may use a source address that is not routed back to it.
    """

    table: str = "podfence"
    mark: int = 0xFFFF0000
    log_group: int = 5
    log_limit: int | None = 10
    pod_interfaces: tuple[str, ...] = ()
    existing: Existing = Existing.REEVALUATE
    tag: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        self._check()
        choices = (self.mark, self.log_group, self.log_limit, self.pod_interfaces, self.existing.value)
        object.__setattr__(self, "tag", digest(LAYOUT, *choices)[:8])

    def _check(self) -> None:
        for bit, owner in FOREIGN_MARKS.items():
            if self.mark & bit:
                raise PodfenceError(
                    f"mark {self.mark:#x} contains {bit:#x}, which {owner} uses; choose other bits"
                )
        if not 0 < self.mark < 1 << 32 or self.mark.bit_count() < FEWEST_BITS:
            raise PodfenceError(
                f"mark {self.mark:#x} leaves {self.mark.bit_count()} of 32 bits; at least {FEWEST_BITS} are needed"
            )
        for pattern in self.pod_interfaces:
            names.interface(pattern.removesuffix("*"))

    @property
    def last_generation(self) -> int:
        return (1 << self.mark.bit_count()) - 1

    def marked(self, generation: int) -> int:
        """The generation in the bits of the mark, wherever these lie."""
        if not 1 <= generation <= self.last_generation:
            raise ValueError(f"generation {generation} is not between 1 and {self.last_generation}")
        value, left = 0, generation
        for bit in (1 << at for at in range(32)):
            if self.mark & bit:
                value |= bit if left & 1 else 0
                left >>= 1
        return value

    def generation_of(self, mark: int) -> int:
        """The way back: what a connection's mark says; 0 when it has never been stamped."""
        ours = [mark >> at & 1 for at in range(32) if self.mark >> at & 1]
        return sum(bit << place for place, bit in enumerate(ours))

    def after(self, generation: int) -> int:
        """The next generation; behind the last comes the first, since 0 means never stamped."""
        return generation % self.last_generation + 1
