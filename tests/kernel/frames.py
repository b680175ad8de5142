"""Packets made and read by hand: any source, any protocol, any flags, whatever the sending pod's own kernel thinks.

    send = Port(a)                                  # of a `topology.Pod`
    send.out(frame(a.four, b.four, TCP, 80))
    assert Port(b).gets(seen(a.four, b.four, TCP, 80))

A `Port` sees what arrives at the pod's link, before the pod's kernel judges it.
"""

import select
import socket
import struct
import time
from dataclasses import dataclass

from topology import GATEWAY_MAC, packed

ICMP, TCP, UDP, GRE, ICMPV6, SCTP = 1, 6, 17, 47, 58, 132
SYN, ACK, SYNACK = 0x02, 0x10, 0x12
ALL_PROTOCOLS = 3
ETHER = {4: 0x0800, 16: 0x86DD}
ECHO = {ICMP: 8, ICMPV6: 128}


@dataclass(frozen=True)
class Seen:
    """What arrived; ports and ICMP type only where the protocol has them."""

    source: bytes
    destination: bytes
    protocol: int
    source_port: int | None = None
    port: int | None = None
    icmp: int | None = None


def checksum(content: bytes) -> int:
    content += b"\0" * (len(content) % 2)
    total = sum(struct.unpack(f">{len(content) // 2}H", content))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def crc32c(content: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def frame(
    source, destination, protocol, port=0, *, source_port=40000, flags=SYN, payload=b"", hops=64, icmp=None
):
    """An Ethernet frame to the router. `icmp`: type and code, an echo request else; `flags` are TCP's."""
    source, destination = packed(source), packed(destination)
    pseudo = source + destination + struct.pack(">HH", 0, protocol)
    match protocol:
        case 6:
            body = _tcp(pseudo, source_port, port, flags, payload)
        case 17:
            head = struct.pack(">HHH", source_port, port, 8 + len(payload))
            body = head + struct.pack(">H", _with_length(pseudo, head + b"\0\0" + payload)) + payload
        case 132:
            body = _sctp_init(source_port, port)
        case 1 | 58:
            body = _icmp(pseudo, protocol, icmp or (ECHO[protocol], 0), payload or b"\0\7\0\1podfence")
        case _:
            body = struct.pack(">HH", 0, 0x0800) + payload
    return (
        GATEWAY_MAC
        + bytes(6)
        + struct.pack(">H", ETHER[len(source)])
        + network(source, destination, protocol, body, hops)
    )


def network(source: bytes, destination: bytes, protocol: int, body: bytes, hops: int = 64) -> bytes:
    """A network packet around a transport segment."""
    if len(source) == 16:
        return struct.pack(">IHBB", 6 << 28, len(body), protocol, hops) + source + destination + body
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0x4000, hops, protocol, 0)
    total = checksum(head + source + destination)
    return head[:10] + struct.pack(">H", total) + source + destination + body


def _with_length(pseudo: bytes, segment: bytes) -> int:
    return checksum(pseudo + struct.pack(">I", len(segment)) + segment)


def _tcp(pseudo: bytes, source_port: int, port: int, flags: int, payload: bytes) -> bytes:
    head = struct.pack(
        ">HHIIBBHHH", source_port, port, 1000, 2000 if flags & ACK else 0, 0x50, flags, 65535, 0, 0
    )
    total = _with_length(pseudo, head + payload)
    return head[:16] + struct.pack(">H", total) + head[18:] + payload


def _icmp(pseudo: bytes, protocol: int, kind: tuple[int, int], payload: bytes) -> bytes:
    head = bytes((*kind, 0, 0))
    total = checksum(head + payload) if protocol == ICMP else _with_length(pseudo, head + payload)
    return head[:2] + struct.pack(">H", total) + payload


def _sctp_init(source_port: int, port: int) -> bytes:
    chunk = struct.pack(">BBHIIHHI", 1, 0, 20, 7, 65536, 1, 1, 1)
    head = struct.pack(">HHI", source_port, port, 0)
    return head + struct.pack("<I", crc32c(head + bytes(4) + chunk)) + chunk


class Port:
    """Both ways of a pod's link."""

    def __init__(self, pod, name="eth0"):
        with pod.inside():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
            self._socket.bind((name, ALL_PROTOCOLS))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.send = self._socket.send

    def fileno(self):
        return self._socket.fileno()

    def out(self, *frames: bytes) -> None:
        for each in frames:
            self.send(each)

    def arrived(self, seconds=0.0) -> list[Seen]:
        """Everything that came in so far, or the first that comes within `seconds`."""
        found: list[Seen] = []
        while select.select([self._socket], [], [], 0 if found else seconds)[0]:
            content, (_, _, kind, *_) = self._socket.recvfrom(2048)
            if kind != socket.PACKET_OUTGOING and (seen := read(content[14:])):
                found.append(seen)
        return found

    def gets(self, wanted: Seen, seconds=5.0) -> bool:
        """Whether a packet like this comes in time."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if wanted in self.arrived(left):
                return True
        return False


class Delivered:
    """What the router itself is sent, behind its input hook: addresses need to be asked for by family."""

    def __init__(self):
        protocols = (ICMP, TCP, UDP, GRE, ICMPV6, SCTP)
        self._sockets = [
            socket.socket(family, socket.SOCK_RAW, protocol)
            for family in (socket.AF_INET, socket.AF_INET6)
            for protocol in protocols
        ]
        for each in self._sockets[len(protocols) :]:
            each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)

    def arrived(self) -> list[Seen]:
        return [seen for each in self._sockets for seen in _delivered(each)]


def _delivered(raw: socket.socket):
    while select.select([raw], [], [], 0)[0]:
        content, ancillary, _, sender = raw.recvmsg(2048, 256)
        if raw.family == socket.AF_INET:
            yield read(content)
            continue
        source = socket.inet_pton(socket.AF_INET6, sender[0].partition("%")[0])
        yield _seen(source, ancillary[0][2][:16], raw.proto, content)


def read(packet: bytes) -> Seen | None:
    if packet[0] >> 4 == 4:
        return _seen(packet[12:16], packet[16:20], packet[9], packet[20:])
    if packet[0] >> 4 == 6:
        return _seen(packet[8:24], packet[24:40], packet[6], packet[40:])
    return None


def _seen(source: bytes, destination: bytes, protocol: int, rest: bytes) -> Seen:
    if protocol in (TCP, UDP, SCTP):
        return Seen(source, destination, protocol, *struct.unpack(">HH", rest[:4]))
    return Seen(source, destination, protocol, icmp=rest[0] if protocol in ECHO else None)


def seen(source, destination, protocol, port=None, source_port=40000, icmp=None) -> Seen:
    """What `frame` with these arguments looks like where it arrives."""
    source, destination = packed(source), packed(destination)
    if protocol in (TCP, UDP, SCTP):
        return Seen(source, destination, protocol, source_port, port)
    return Seen(source, destination, protocol, icmp=icmp or ECHO.get(protocol))
