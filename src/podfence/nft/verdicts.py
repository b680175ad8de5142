"""What a rule or a map element says shall happen to a packet.

The invariant: only `jump` and `goto` name a chain, and they always do.
Next: `statements.py` ends rules with these, `table.py` keeps them in verdict maps.
"""

from dataclasses import dataclass
from enum import IntEnum

from podfence.nft import names


class Code(IntEnum):
    """The kernel's own numbers, so that encoding needs no table."""

    DROP = 0
    ACCEPT = 1
    CONTINUE = -1
    JUMP = -3
    GOTO = -4
    RETURN = -5


@dataclass(frozen=True, slots=True)
class Verdict:
    code: Code
    chain: str = ""

    def __post_init__(self) -> None:
        if (self.code in (Code.JUMP, Code.GOTO)) != bool(self.chain):
            raise ValueError(f"only jump and goto name a chain, not {self.code.name.lower()} {self.chain!r}")
        if self.chain:
            names.name(self.chain)

    def __str__(self) -> str:
        return f"{self.code.name.lower()} {self.chain}".rstrip()


DROP = Verdict(Code.DROP)
ACCEPT = Verdict(Code.ACCEPT)
CONTINUE = Verdict(Code.CONTINUE)
RETURN = Verdict(Code.RETURN)


def jump(chain: str) -> Verdict:
    return Verdict(Code.JUMP, chain)


def goto(chain: str) -> Verdict:
    return Verdict(Code.GOTO, chain)
