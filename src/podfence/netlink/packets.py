"""The few bytes of a packet that a verdict depends on: addresses, protocol, ports or ICMP type.

Every byte is the sender's choice and the packet may be cut anywhere, so what is missing is None and nothing here raises.
Next: `nflog` reads logged packets with it.
"""

import struct
from typing import NamedTuple

_PORTS = struct.Struct(">HH")
_FOUR = struct.Struct(">B5xHxB2x4s4s")
_SIX = struct.Struct(">6xBx16s16s")
_LATER_FRAGMENT = 0x1FFF
_WITH_TYPES = frozenset((1, 58))  # ICMP of either family
_WITH_PORTS = frozenset((6, 17, 33, 132, 136))  # TCP, UDP, DCCP, SCTP, UDP-Lite
_FRAGMENT, _AUTHENTICATION = 44, 51
_EXTENSIONS = frozenset((0, 43, _FRAGMENT, _AUTHENTICATION, 60, 135, 139, 140))
_MOST_EXTENSIONS = 16  # a 96-byte copy of a packet holds seven


class Header(NamedTuple):
    """Who sends what to whom, as far as the packet says."""

    protocol: int | None = None
    source: bytes = b""
    destination: bytes = b""
    source_port: int | None = None
    destination_port: int | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None


UNREADABLE = Header()
_make = tuple.__new__  # a third of the cost of calling Header


def read(packet: bytes, at: int, end: int) -> Header:
    """The header of the packet at `packet[at:end]`."""
    if at + 20 <= end and packet[at] >> 4 == 4:
        return _read_four(packet, at, end)
    if at + 40 <= end and packet[at] >> 4 == 6:
        return _read_six(packet, at, end)
    return UNREADABLE


def _read_four(packet: bytes, at: int, end: int) -> Header:
    first, fragment, protocol, source, destination = _FOUR.unpack_from(packet, at)
    length = (first & 15) * 4
    if fragment & _LATER_FRAGMENT or length < 20:
        return _make(Header, (protocol, source, destination, None, None, None, None))
    return _with_transport((protocol, source, destination), packet, at + length, end)


def _read_six(packet: bytes, at: int, end: int) -> Header:
    protocol, source, destination = _SIX.unpack_from(packet, at)
    place = at + 40
    if protocol in _EXTENSIONS:
        protocol, place = _behind_extensions(packet, protocol, at + 40, end)
    return _with_transport((protocol, source, destination), packet, place, end)


def _behind_extensions(packet: bytes, protocol: int, at: int, end: int) -> tuple[int | None, int]:
    """The transport protocol and where it begins: at `end` for a later fragment, which has none; no protocol when cut before."""
    for _ in range(_MOST_EXTENSIONS):
        if protocol not in _EXTENSIONS:
            return protocol, at
        if at + 8 > end:
            return None, end
        if protocol == _FRAGMENT and (packet[at + 2] or packet[at + 3] & 0xF8):
            return packet[at], end
        protocol, at = packet[at], at + _extension_length(protocol, packet[at + 1])
    return None, end


def _extension_length(protocol: int, stated: int) -> int:
    if protocol == _FRAGMENT:
        return 8
    return (stated + 2) * 4 if protocol == _AUTHENTICATION else (stated + 1) * 8


def _with_transport(known: tuple[int | None, bytes, bytes], packet: bytes, at: int, end: int) -> Header:
    protocol = known[0]
    if at + 4 <= end and protocol in _WITH_PORTS:
        return _make(Header, (*known, *_PORTS.unpack_from(packet, at), None, None))
    if at + 2 <= end and protocol in _WITH_TYPES:
        return _make(Header, (*known, None, None, packet[at], packet[at + 1]))
    return _make(Header, (*known, None, None, None, None))
