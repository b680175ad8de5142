"""The types of set keys: how long they are, how the kernel names them, how nft prints and sorts them.

A key is packed `bytes` exactly as it lies in the kernel's registers: a concatenation pads every part to
four bytes. An interval is a pair (first, last) of such keys, both included.
Next: `table.py`, whose sets are mappings from keys.
"""

import socket
from enum import Enum

from podfence.nft import names

# The names nft prints where /etc/protocols is installed; numbers elsewhere are read back as well.
PROTOCOLS = {
    1: "icmp", 2: "igmp", 4: "ipencap", 6: "tcp", 17: "udp", 33: "dccp", 41: "ipv6", 47: "gre",
    50: "esp", 51: "ah", 58: "ipv6-icmp", 89: "ospf", 115: "l2tp", 132: "sctp", 136: "udplite",
}  # fmt: skip

Key = bytes | tuple[bytes, bytes]


class KeyType(Enum):
    """nft's name, its number in the kernel's description of a set, and the length in bytes."""

    IPV4 = ("ipv4_addr", 7, 4)
    IPV6 = ("ipv6_addr", 8, 16)
    PROTOCOL = ("inet_proto", 12, 1)
    PORT = ("inet_service", 13, 2)
    INTERFACE = ("ifname", 41, 16)

    def __init__(self, word: str, number: int, length: int) -> None:
        self.word = word
        self.number = number
        self.length = length

    @property
    def per_line(self) -> int:
        """How many elements nft prints on one line."""
        return {KeyType.IPV4: 2, KeyType.PROTOCOL: 5, KeyType.PORT: 5}.get(self, 1)


def address(packed: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)


def protocol(number: int) -> str:
    return PROTOCOLS.get(number, str(number))


def service_key(number: int, port: int) -> bytes:
    """A key of `inet_proto . inet_service`."""
    return bytes((names.in_range(number, 255, "protocol"), 0, 0, 0)) + _padded_port(port)


def address_service_key(packed: bytes, number: int, port: int) -> bytes:
    """A key of `ipv4_addr . inet_proto . inet_service`, or the same with ipv6_addr."""
    return packed + service_key(number, port)


def interface_key(text: str) -> bytes:
    return names.interface(text).encode().ljust(16, b"\0")


def _padded_port(port: int) -> bytes:
    return names.in_range(port, 65535, "port").to_bytes(2, "big") + b"\0\0"


def width(types: tuple[KeyType, ...]) -> int:
    """The length of a key: parts of a concatenation fill whole registers."""
    return types[0].length if len(types) == 1 else sum(-(-each.length // 4) * 4 for each in types)


def parts(types: tuple[KeyType, ...], key: bytes) -> list[bytes]:
    found, at = [], 0
    for each in types:
        found.append(key[at : at + each.length])
        at += -(-each.length // 4) * 4
    return found


def order(types: tuple[KeyType, ...], key: Key) -> int:
    """Where nft puts this key in a listing.

    Addresses and ports stand by number, names and concatenations by their bytes read as one
    little-endian number.
    """
    if isinstance(key, tuple):
        return int.from_bytes(key[0], "big")
    if len(types) > 1 or types[0] is KeyType.INTERFACE:
        return int.from_bytes(b"".join(parts(types, key)), "little")
    return int.from_bytes(key, "big")


def text(types: tuple[KeyType, ...], key: Key) -> str:
    if isinstance(key, tuple):
        return _interval(types[0], *key)
    return " . ".join(_PRINT[each](part) for each, part in zip(types, parts(types, key), strict=True))


def _interval(kind: KeyType, first: bytes, last: bytes) -> str:
    """A single key, a prefix where addresses make one, else a range."""
    if first == last:
        return _PRINT[kind](first)
    low, size = int.from_bytes(first, "big"), int.from_bytes(last, "big") - int.from_bytes(first, "big") + 1
    if kind in {KeyType.IPV4, KeyType.IPV6} and size & (size - 1) == 0 and low % size == 0:
        return f"{address(first)}/{8 * kind.length - size.bit_length() + 1}"
    return f"{_PRINT[kind](first)}-{_PRINT[kind](last)}"


def _interface(packed: bytes) -> str:
    return f'"{names.interface(packed.rstrip(bytes(1)).decode("ascii", "replace"))}"'


_PRINT = {
    KeyType.IPV4: address,
    KeyType.IPV6: address,
    KeyType.PROTOCOL: lambda packed: protocol(packed[0]),
    KeyType.PORT: lambda packed: str(int.from_bytes(packed, "big")),
    KeyType.INTERFACE: _interface,
}
