"""What a rule can ask of conntrack, and the one thing it can write there: the mark.

The mark carries the generation of the rules that accepted a connection, in the bits of a mask; all other
bits belong to others and are kept.
Next: `statements.py` names all parts of a rule together.
"""

from dataclasses import dataclass
from enum import IntEnum, IntFlag

from podfence.nft import names

ALL_BITS = 0xFFFFFFFF


class State(IntFlag):
    """Conntrack's view of a packet; the bits are the kernel's."""

    INVALID = 1
    ESTABLISHED = 2
    RELATED = 4
    NEW = 8
    UNTRACKED = 64


class Side(IntEnum):
    """Which way a packet goes within its connection."""

    ORIGINAL = 0
    REPLY = 1


@dataclass(frozen=True, slots=True)
class CtState:
    """`ct state established,related`: any of these."""

    states: State

    def __post_init__(self) -> None:
        if not self.states:
            raise ValueError("ct state needs at least one state")

    def __str__(self) -> str:
        return "ct state " + ",".join((each.name or "").lower() for each in State if each & self.states)


@dataclass(frozen=True, slots=True)
class CtDirection:
    side: Side

    def __str__(self) -> str:
        return f"ct direction {self.side.name.lower()}"


@dataclass(frozen=True, slots=True)
class CtMark:
    """`ct mark & mask == value`; nft prints a mask of leading bits as a prefix."""

    mask: int
    value: int

    def __post_init__(self) -> None:
        _check_mask(self.mask, self.value)

    def __str__(self) -> str:
        leading = f"{self.mask:032b}".rstrip("0")
        if "0" not in leading:
            return f"ct mark 0x{self.value:08x}/{len(leading)}"
        return f"ct mark & 0x{self.mask:08x} == 0x{self.value:08x}"


@dataclass(frozen=True, slots=True)
class SetCtMark:
    """Stamp the connection: `ct mark set (ct mark & ~mask) | value`, other bits stay."""

    mask: int
    value: int

    def __post_init__(self) -> None:
        _check_mask(self.mask, self.value)

    def __str__(self) -> str:
        keep = ~self.mask & ALL_BITS
        kept = "" if self.value == self.mask else f" & 0x{keep | self.value:08x}"
        return f"ct mark set ct mark{kept}" + (f" | 0x{self.value:08x}" if self.value else "")


def _check_mask(mask: int, value: int) -> None:
    names.in_range(mask, ALL_BITS - 1, "ct mark mask", first=1)
    if value & ~mask:
        raise ValueError(f"mark 0x{value:08x} has bits outside its mask 0x{mask:08x}")
