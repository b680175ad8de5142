"""What a rule can ask of a packet: its interface, addresses, protocol and ports.

What a match needs to know first (an address its family, a port its protocol) belongs to the match:
it is neither written nor printed twice. Maps are matches too: they end the rule where an element is found.
Next: `statements.py` names all parts of a rule together.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum

from podfence.nft import keys, names

_NOT = {False: "", True: "!= "}


class Family(IntEnum):
    """The network protocol, by the number `meta nfproto` compares."""

    IPV4 = 2
    IPV6 = 10

    @property
    def word(self) -> str:
        return "ip" if self is Family.IPV4 else "ip6"

    @classmethod
    def of(cls, packed: bytes) -> "Family":
        lengths = {4: cls.IPV4, 16: cls.IPV6}
        if len(packed) not in lengths:
            raise ValueError(f"an address has 4 or 16 bytes, not {len(packed)}")
        return lengths[len(packed)]


class End(Enum):
    """The source or the destination of a packet: of its address, port or interface alike."""

    SOURCE = ("saddr", "sport", "iifname")
    DESTINATION = ("daddr", "dport", "oifname")

    def __init__(self, address: str, port: str, interface: str) -> None:
        self.address = address
        self.port = port
        self.interface = interface


@dataclass(frozen=True, slots=True)
class Interface:
    """`iifname "veth*"` or an exact name; a star at the end matches what begins so."""

    end: End
    name: str
    negated: bool = False

    def __post_init__(self) -> None:
        names.interface(self.name.removesuffix("*"))

    def __str__(self) -> str:
        return f'{self.end.interface} {_NOT[self.negated]}"{self.name}"'


@dataclass(frozen=True, slots=True)
class InterfaceIn:
    end: End
    set: str
    negated: bool = False

    def __post_init__(self) -> None:
        names.name(self.set)

    def __str__(self) -> str:
        return f"{self.end.interface} {_NOT[self.negated]}@{self.set}"


@dataclass(frozen=True, slots=True)
class ReturnPath:
    """Whether the packet's source is routed back through the interface it came from."""

    exists: bool

    def __str__(self) -> str:
        return f"fib saddr . iif oif {'exists' if self.exists else 'missing'}"


@dataclass(frozen=True, slots=True)
class Nfproto:
    family: Family

    def __str__(self) -> str:
        return f"meta nfproto {self.family.name.lower()}"


@dataclass(frozen=True, slots=True)
class L4Proto:
    protocol: int
    negated: bool = False

    def __post_init__(self) -> None:
        names.in_range(self.protocol, 255, "protocol")

    def __str__(self) -> str:
        return f"meta l4proto {_NOT[self.negated]}{keys.protocol(self.protocol)}"


@dataclass(frozen=True, slots=True)
class L4ProtoIn:
    set: str
    negated: bool = False

    def __post_init__(self) -> None:
        names.name(self.set)

    def __str__(self) -> str:
        return f"meta l4proto {_NOT[self.negated]}@{self.set}"


@dataclass(frozen=True, slots=True)
class Address:
    """`ip saddr 10.0.0.1`; the family is that of the packed address."""

    end: End
    packed: bytes
    negated: bool = False

    def __post_init__(self) -> None:
        Family.of(self.packed)

    @property
    def family(self) -> Family:
        return Family.of(self.packed)

    def __str__(self) -> str:
        return f"{self.family.word} {self.end.address} {_NOT[self.negated]}{keys.address(self.packed)}"


@dataclass(frozen=True, slots=True)
class AddressIn:
    """`ip saddr @peers`: the address is in a set, of single addresses or of ranges."""

    family: Family
    end: End
    set: str
    negated: bool = False

    def __post_init__(self) -> None:
        names.name(self.set)

    def __str__(self) -> str:
        return f"{self.family.word} {self.end.address} {_NOT[self.negated]}@{self.set}"


@dataclass(frozen=True, slots=True)
class AddressMap:
    """`ip saddr vmap @pods`: the address chooses the verdict; no element, no verdict."""

    family: Family
    end: End
    map: str

    def __post_init__(self) -> None:
        names.name(self.map)

    def __str__(self) -> str:
        return f"{self.family.word} {self.end.address} vmap @{self.map}"


@dataclass(frozen=True, slots=True)
class ServiceMap:
    """`meta l4proto . th dport vmap @ports`: protocol and port choose together."""

    end: End
    map: str

    def __post_init__(self) -> None:
        names.name(self.map)

    def __str__(self) -> str:
        return f"meta l4proto . th {self.end.port} vmap @{self.map}"


@dataclass(frozen=True, slots=True)
class AddressServiceMap:
    """`ip daddr . meta l4proto . th dport vmap @services`."""

    family: Family
    end: End
    map: str

    def __post_init__(self) -> None:
        names.name(self.map)

    def __str__(self) -> str:
        return f"{self.family.word} {self.end.address} . meta l4proto . th {self.end.port} vmap @{self.map}"


@dataclass(frozen=True, slots=True)
class Port:
    """`tcp dport 80` or `tcp dport 80-90`."""

    protocol: int
    end: End
    first: int
    last: int

    def __post_init__(self) -> None:
        _check_ports_of(self.protocol)
        names.in_range(self.first, 65535, "port")
        names.in_range(self.last, 65535, "last port", first=self.first)

    def __str__(self) -> str:
        ports = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return f"{keys.protocol(self.protocol)} {self.end.port} {ports}"


@dataclass(frozen=True, slots=True)
class PortMap:
    """`tcp dport vmap @ranges`: a map of port ranges, for one protocol."""

    protocol: int
    end: End
    map: str

    def __post_init__(self) -> None:
        _check_ports_of(self.protocol)
        names.name(self.map)

    def __str__(self) -> str:
        return f"{keys.protocol(self.protocol)} {self.end.port} vmap @{self.map}"


def _check_ports_of(protocol: int) -> None:
    if protocol not in (6, 17, 33, 132, 136):
        raise ValueError(f"{keys.protocol(protocol)} has no ports")


@dataclass(frozen=True, slots=True)
class HopLimit:
    value: int

    def __post_init__(self) -> None:
        names.in_range(self.value, 255, "hop limit")

    def __str__(self) -> str:
        return f"ip6 hoplimit {self.value}"


@dataclass(frozen=True, slots=True)
class Icmp6Type:
    """`icmpv6 type 133-137`; a range, because nft prints single types by name."""

    first: int
    last: int

    def __post_init__(self) -> None:
        names.in_range(self.first, 254, "icmpv6 type")
        names.in_range(self.last, 255, "last icmpv6 type", first=self.first + 1)

    def __str__(self) -> str:
        return f"icmpv6 type {self.first}-{self.last}"
