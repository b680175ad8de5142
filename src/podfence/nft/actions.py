"""What a rule can do beside deciding: count, log, limit, spread, translate addresses.

Next: `statements.py` names all parts of a rule together.
"""

from dataclasses import dataclass, field

from podfence.nft import keys, names
from podfence.nft.conntrack import ALL_BITS
from podfence.nft.matches import Family


@dataclass(frozen=True, slots=True)
class Counter:
    """Counts what reaches it. The numbers are the kernel's and say nothing about equality."""

    packets: int = field(default=0, compare=False)
    bytes: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"counter packets {self.packets} bytes {self.bytes}"


@dataclass(frozen=True, slots=True)
class Count:
    """Adds to a counter of the table."""

    counter: str

    def __post_init__(self) -> None:
        names.name(self.counter)

    def __str__(self) -> str:
        return f'counter name "{self.counter}"'


@dataclass(frozen=True, slots=True)
class Log:
    """Sends the first `snaplen` bytes of the packet to whoever listens on the group; 0 is all of it."""

    group: int
    prefix: str
    snaplen: int = 0
    queue_threshold: int = 0

    def __post_init__(self) -> None:
        names.log_prefix(self.prefix)
        names.in_range(self.group, 65535, "log group")
        names.in_range(self.snaplen, ALL_BITS, "snaplen")
        names.in_range(self.queue_threshold, 65535, "queue threshold")

    def __str__(self) -> str:
        return f'log prefix "{self.prefix}" group {self.group}' + "".join(
            f" {word} {number}"
            for word, number in (("snaplen", self.snaplen), ("queue-threshold", self.queue_threshold))
            if number
        )


@dataclass(frozen=True, slots=True)
class Dnat:
    """Sends the connection to another address and port; only behind a match on a protocol with ports."""

    packed: bytes
    port: int

    def __post_init__(self) -> None:
        Family.of(self.packed)
        names.in_range(self.port, 65535, "port", first=1)

    @property
    def family(self) -> Family:
        return Family.of(self.packed)

    def __str__(self) -> str:
        address = keys.address(self.packed)
        shown = address if self.family is Family.IPV4 else f"[{address}]"
        return f"dnat {self.family.word} to {shown}:{self.port}"


@dataclass(frozen=True, slots=True)
class Masquerade:
    def __str__(self) -> str:
        return "masquerade"


@dataclass(frozen=True, slots=True)
class Limit:
    """Matches at most `rate` packets a second, after a burst; nft does not print its default of five."""

    rate: int
    burst: int = 5

    def __post_init__(self) -> None:
        names.in_range(self.rate, 10**9, "rate", first=1)
        names.in_range(self.burst, ALL_BITS, "burst", first=1)

    def __str__(self) -> str:
        return f"limit rate {self.rate}/second" + ("" if self.burst == 5 else f" burst {self.burst} packets")


@dataclass(frozen=True, slots=True)
class Chance:
    """`numgen random mod 3 0`: one packet in `modulus`; used in sequence it spreads evenly."""

    modulus: int
    value: int = 0

    def __post_init__(self) -> None:
        names.in_range(self.modulus, ALL_BITS, "modulus", first=1)
        names.in_range(self.value, self.modulus - 1, "remainder")

    def __str__(self) -> str:
        return f"numgen random mod {self.modulus} {self.value}"
