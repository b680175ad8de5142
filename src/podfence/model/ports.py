"""Protocols and ports, as rules name them and as packets carry them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

_NAMES = {1: "ICMP", 6: "TCP", 17: "UDP", 58: "ICMPv6", 132: "SCTP"}


class Protocol(int):
    """An IP protocol number that knows its name. TCP, UDP and SCTP have ports; no other does here."""

    __slots__ = ()

    TCP: ClassVar[Protocol]
    UDP: ClassVar[Protocol]
    SCTP: ClassVar[Protocol]
    ICMP: ClassVar[Protocol]
    ICMPV6: ClassVar[Protocol]

    @property
    def has_ports(self) -> bool:
        return self in WITH_PORTS

    def __str__(self) -> str:
        return _NAMES.get(self, f"protocol {int(self)}")

    def __repr__(self) -> str:
        return f"Protocol({self!s})"


Protocol.TCP = Protocol(6)
Protocol.UDP = Protocol(17)
Protocol.SCTP = Protocol(132)
Protocol.ICMP = Protocol(1)
Protocol.ICMPV6 = Protocol(58)

WITH_PORTS = (Protocol.TCP, Protocol.UDP, Protocol.SCTP)
LAST_PORT = 65535


def protocol(text: str) -> Protocol:
    """`tcp`, `TCP`, `ICMPv6` or a number; ValueError for anything else."""
    for number, name in _NAMES.items():
        if text.lower() == name.lower():
            return Protocol(number)
    if text.isascii() and text.isdigit() and int(text) < 256:
        return Protocol(int(text))
    raise ValueError(f"{text!r} is not a protocol: TCP, UDP, SCTP, ICMP or a number up to 255")


@dataclass(frozen=True, slots=True, order=True)
class PortRange:
    """Both ends belong to it."""

    first: int
    last: int

    def __contains__(self, port: int) -> bool:
        return self.first <= port <= self.last

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


ALL_PORTS = PortRange(0, LAST_PORT)
"""What an entry without `port` means: every port of its protocol."""


@dataclass(frozen=True, slots=True)
class PortMatch:
    """One entry of a rule's `ports`: a protocol, and a range or the name of a port of the destination pod.

    A name with no protocol (ClusterNetworkPolicy's destinationNamedPort) is one match per protocol.
    """

    protocol: Protocol
    port: PortRange | str = ALL_PORTS

    def __str__(self) -> str:
        return f"{self.protocol}" if self.port == ALL_PORTS else f"{self.protocol} {self.port}"
