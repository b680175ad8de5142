"""Tracked connections: what they are, which marks they carry, and how to clear marks or forget connections.

A mark outlives the table that set it, so before a generation is used (again) no connection may carry it: `marks_in_use`
says which are taken, `clear_marks` frees them all without touching anybody else's bits. Everything streams: a node tracks
hundreds of thousands of connections. Next: `node` chooses generations with this.
"""

import errno
import socket
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from podfence.netlink import codec
from podfence.netlink.codec import DUMP, NetlinkError
from podfence.netlink.sockets import NETFILTER, Socket

SUBSYSTEM = 1
_NEW, _GET, _DELETE = SUBSYSTEM << 8, SUBSYSTEM << 8 | 1, SUBSYSTEM << 8 | 2
_ORIGINAL, _REPLY, _STATUS, _MARK, _ID, _ZONE, _MARK_MASK = 1, 2, 3, 8, 12, 18, 21
_TUPLE_ADDRESSES, _TUPLE_PROTOCOL = 1, 2
_PROTOCOL_PART, _TCP, _TCP_STATE = 4, 1, 1
_SOURCE, _DESTINATION = (1, 3), (2, 4)  # of either family
_NUMBER, _SOURCE_PORT, _DESTINATION_PORT = 1, 2, 3
_BE16, _BE32, _ATTRIBUTE = struct.Struct(">H"), struct.Struct(">I"), struct.Struct("=HH")
_FAMILY_HEADER = 4
# A tuple with ports has one shape for each family, so it need not be walked.
_SHAPES = {s.size: s for s in (struct.Struct(f">8x{n}s4x{n}s8xB7xH6xH2x") for n in (4, 16))}
_WITH_PORTS = frozenset((6, 17, 33, 132, 136))
_PROTOCOL_FROM_END = 20
_AT_ONCE = 256  # changes in one send; even all refused, the answers fit the smallest buffer

TCP_ESTABLISHED = 3
SEEN_REPLY, ASSURED, CONFIRMED, SOURCE_NAT, DESTINATION_NAT = 0x2, 0x4, 0x8, 0x10, 0x20


@dataclass(frozen=True, slots=True)
class Tuple:
    """One direction of a connection. Ports are 0 for protocols without."""

    protocol: int
    source: bytes
    destination: bytes
    source_port: int
    destination_port: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A tracked connection; `key` is what the kernel finds it by again."""

    original: Tuple
    reply: Tuple
    mark: int
    status: int
    family: int
    key: bytes
    tcp_state: int = 0
    """TCP's own; 0 for any other protocol."""

    @property
    def established(self) -> bool:
        return self.tcp_state == TCP_ESTABLISHED


def entries(nfnetlink: Socket) -> Iterator[Entry]:
    """Every tracked connection of the socket's namespace, of both families. Read it to its end."""
    for family, found in _listed(nfnetlink):
        yield Entry(
            original=_tuple(found[_ORIGINAL]),
            reply=_tuple(found[_REPLY]),
            mark=_mark(found),
            status=_BE32.unpack(found[_STATUS])[0] if _STATUS in found else 0,
            family=family,
            key=_key(found),
            tcp_state=_tcp_state(found),
        )


def marks_in_use(mask: int) -> set[int]:
    """The values under `mask` that connections carry; 0, which is no mark, left out."""
    with Socket(NETFILTER) as nfnetlink:
        return {mark & mask for mark, _ in _marked(nfnetlink)} - {0}


def carried(mark: int, mask: int) -> bool:
    """Whether any connection carries `mark` under `mask`. The kernel looks for it, so this costs a tenth of reading all."""
    wanted = codec.be32(_MARK, mark & mask) + codec.be32(_MARK_MASK, mask)
    with Socket(NETFILTER) as nfnetlink:
        return any(found & mask == mark & mask for found, _ in _marked(nfnetlink, wanted))


def clear_marks(mask: int) -> int:
    """Set the bits under `mask` to 0 wherever any is set; returns on how many connections.

    A packet on its way may still be the first of its connection: what stamps the old value must be gone before.
    """
    unmarked = codec.be32(_MARK, 0) + codec.be32(_MARK_MASK, mask)
    with Socket(NETFILTER) as nfnetlink:
        connections = [payload for mark, payload in _marked(nfnetlink) if mark & mask]
        return _change(nfnetlink, (_update(payload, unmarked) for payload in connections))


def forget(unwanted: Callable[[Entry], bool]) -> int:
    """Delete the connections that `unwanted` picks; returns how many. Their next packets are new flows."""
    with Socket(NETFILTER) as nfnetlink:
        picked = [entry for entry in entries(nfnetlink) if unwanted(entry)]
        return _change(
            nfnetlink,
            (codec.message(_DELETE, 0, 0, codec.nfgen(entry.family) + entry.key) for entry in picked),
        )


def _listed(nfnetlink: Socket) -> Iterator[tuple[int, dict[int, memoryview]]]:
    """Family and attributes of each connection."""
    for answer in nfnetlink.stream(codec.message(_GET, DUMP, 0, codec.nfgen(socket.AF_UNSPEC))):
        yield answer.payload[0], dict(codec.attributes(answer.payload[_FAMILY_HEADER:]))


def _marked(nfnetlink: Socket, wanted: bytes = b"") -> Iterator[tuple[int, memoryview]]:
    """Mark (0 for none) and message of each connection; nothing else is decoded."""
    for answer in nfnetlink.stream(codec.message(_GET, DUMP, 0, codec.nfgen(socket.AF_UNSPEC) + wanted)):
        yield _find_mark(answer.payload), answer.payload


def _find_mark(payload: memoryview) -> int:
    """`codec.attributes` unrolled up to the mark: every connection of the node passes here."""
    at, end = _FAMILY_HEADER, len(payload)
    while at + 8 <= end:
        length, kind = _ATTRIBUTE.unpack_from(payload, at)
        if kind == _MARK:
            return int(_BE32.unpack_from(payload, at + 4)[0])
        at += max(length, 4) + 3 & ~3
    return 0


def _update(payload: memoryview, change: bytes) -> bytes:
    key = _key(dict(codec.attributes(payload[_FAMILY_HEADER:])))
    return codec.message(_NEW, 0, 0, codec.nfgen(payload[0]) + key + change)


def _change(nfnetlink: Socket, changes: Iterable[bytes]) -> int:
    """Carry out changes; a connection that ended in the meantime needs none."""
    waiting = list(changes)
    done = len(waiting)
    for start in range(0, len(waiting), _AT_ONCE):
        for refused in nfnetlink.attempt(*waiting[start : start + _AT_ONCE]):
            if refused.errno != errno.ENOENT:
                raise NetlinkError(refused.errno or 0, f"changing a tracked connection: {refused.text}")
            done -= 1
    return done


def _key(found: dict[int, memoryview]) -> bytes:
    """The original tuple as the kernel wrote it, with its zone; the number tells most newer connections of that tuple apart."""
    wanted = ((_ORIGINAL, codec.NESTED), (_ZONE, 0), (_ID, 0))
    return b"".join(codec.attr(kind | flag, bytes(found[kind])) for kind, flag in wanted if kind in found)


def _mark(found: dict[int, memoryview]) -> int:
    return int(_BE32.unpack(found[_MARK])[0]) if _MARK in found else 0


def _tcp_state(found: dict[int, memoryview]) -> int:
    """Of the protocol's own part, where that is TCP's."""
    own = dict(codec.attributes(found[_PROTOCOL_PART])) if _PROTOCOL_PART in found else {}
    state = dict(codec.attributes(own[_TCP])) if _TCP in own else {}
    return state[_TCP_STATE][0] if state.get(_TCP_STATE) else 0


def _tuple(content: memoryview) -> Tuple:
    shape = _SHAPES.get(len(content))
    if shape and content[shape.size - _PROTOCOL_FROM_END] in _WITH_PORTS:
        source, destination, protocol, source_port, destination_port = shape.unpack(content)
        return Tuple(protocol, source, destination, source_port, destination_port)
    return _walked_tuple(content)


def _walked_tuple(content: memoryview) -> Tuple:
    parts = dict(codec.attributes(content))
    addresses = dict(codec.attributes(parts[_TUPLE_ADDRESSES]))
    protocol = dict(codec.attributes(parts[_TUPLE_PROTOCOL]))
    return Tuple(
        protocol=protocol[_NUMBER][0],
        source=_either(addresses, _SOURCE),
        destination=_either(addresses, _DESTINATION),
        source_port=_port(protocol, _SOURCE_PORT),
        destination_port=_port(protocol, _DESTINATION_PORT),
    )


def _either(addresses: dict[int, memoryview], kinds: tuple[int, int]) -> bytes:
    four, six = kinds
    return bytes(addresses[four] if four in addresses else addresses[six])


def _port(protocol: dict[int, memoryview], kind: int) -> int:
    return int(_BE16.unpack(protocol[kind])[0]) if kind in protocol else 0
