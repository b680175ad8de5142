"""Links, addresses, routes and neighbours: messages for a rtnetlink socket, as many as one likes in one send.

Each function makes one message; nothing happens until `apply(rtnetlink, messages)`, which the kernel answers once.
Links are made with an index of our choosing, so addresses and routes can go out in the same send as the link they name.
Addresses are packed (`socket.inet_pton`); their length is their family. Next: `readiness` waits until
what was made carries packets; `lab` builds its network with both.
"""

import socket
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from podfence.netlink.codec import (
    CREATE,
    DUMP,
    EXCLUSIVE,
    REPLACE,
    attr,
    attributes,
    chunks,
    message,
    nested,
    read_text,
    text,
    u32,
)
from podfence.netlink.sockets import ROUTE, Socket

LOOPBACK = 1

_NEW_LINK, _DELETE_LINK, _GET_LINK, _SET_LINK = 16, 17, 18, 19
_NEW_ADDRESS, _DELETE_ADDRESS = 20, 21
_NEW_ROUTE, _DELETE_ROUTE = 24, 25
_NEW_NEIGHBOUR, _DELETE_NEIGHBOUR = 28, 29

_LINK = struct.Struct("=BxHiII")
_ADDRESS = struct.Struct("=BBBBI")
_ROUTE = struct.Struct("=BBBBBBBBI")
_NEIGHBOUR = struct.Struct("=BxxxiHBB")

_UP = 1
_IFLA_ADDRESS, _IFLA_NAME, _IFLA_MASTER, _IFLA_INFO, _IFLA_NAMESPACE = 1, 3, 10, 18, 28
_INFO_KIND, _INFO_DATA, _VETH_PEER = 1, 2, 1
_IFA_ADDRESS, _IFA_LOCAL, _IFA_FLAGS = 1, 2, 8
_NO_DAD = 0x02  # a new address may speak at once: nobody else here could have it
_RTA_DESTINATION, _RTA_LINK, _RTA_GATEWAY, _RTA_SOURCE = 1, 4, 5, 7
_TABLE_MAIN, _PROTOCOL_STATIC, _SCOPE_UNIVERSE, _SCOPE_LINK, _UNICAST = 254, 4, 0, 253, 1
_ON_LINK = 4
_NDA_DESTINATION, _NDA_LINK_LAYER, _PERMANENT = 1, 2, 0x80


@dataclass(frozen=True, slots=True)
class End:
    """One end of a pair of links: its name and index, and the namespace it is made in (None: the socket's own)."""

    name: str
    index: int
    namespace: int | None = None
    mac: bytes = b""


@dataclass(frozen=True, slots=True)
class Link:
    """A link as the kernel lists it."""

    index: int
    name: str
    up: bool
    mac: bytes


@dataclass(frozen=True, slots=True)
class Route:
    """Where packets for `network`/`length` go: out of link `index`, to `via` where given, which need not be on it (onlink)."""

    network: bytes
    length: int
    index: int
    via: bytes = b""
    source: bytes = b""


def apply(rtnetlink: Socket, messages: Iterable[bytes]) -> None:
    """Carry out messages in order, in as few sends as the socket takes; stops at the send in which one was refused."""
    for chunk in chunks(messages, rtnetlink.send_limit):
        rtnetlink.request(*chunk)


def family_of(address: bytes) -> int:
    return socket.AF_INET if len(address) == 4 else socket.AF_INET6


def veth(near: End, far: End) -> bytes:
    """A pair of links, either end in whatever namespace; the near one is up, the far one cannot be before it has a peer."""
    peer = attr(_VETH_PEER, _end(far, 0))
    kind = nested(_IFLA_INFO, text(_INFO_KIND, "veth"), nested(_INFO_DATA, peer))
    return message(_NEW_LINK, CREATE | EXCLUSIVE, 0, _end(near) + kind)


def bridge(near: End) -> bytes:
    kind = nested(_IFLA_INFO, text(_INFO_KIND, "bridge"))
    return message(_NEW_LINK, CREATE | EXCLUSIVE, 0, _end(near) + kind)


def _end(end: End, flags: int = _UP) -> bytes:
    name = text(_IFLA_NAME, end.name)
    namespace = b"" if end.namespace is None else u32(_IFLA_NAMESPACE, end.namespace)
    mac = attr(_IFLA_ADDRESS, end.mac) if end.mac else b""
    return _LINK.pack(socket.AF_UNSPEC, 0, end.index, flags, flags) + name + namespace + mac


def set_up(index: int, *, up: bool = True) -> bytes:
    return _change_link(index, b"", _UP if up else 0, _UP)


def rename(index: int, name: str) -> bytes:
    return _change_link(index, text(_IFLA_NAME, name))


def enslave(index: int, bridge_index: int) -> bytes:
    return _change_link(index, u32(_IFLA_MASTER, bridge_index))


def _change_link(index: int, change: bytes, flags: int = 0, mask: int = 0) -> bytes:
    return message(_SET_LINK, 0, 0, _LINK.pack(socket.AF_UNSPEC, 0, index, flags, mask) + change)


def delete_link(index: int) -> bytes:
    return message(_DELETE_LINK, 0, 0, _LINK.pack(socket.AF_UNSPEC, 0, index, 0, 0))


def address(index: int, packed: bytes, length: int) -> bytes:
    return message(
        _NEW_ADDRESS, CREATE | REPLACE, 0, _address(index, packed, length) + u32(_IFA_FLAGS, _NO_DAD)
    )


def delete_address(index: int, packed: bytes, length: int) -> bytes:
    return message(_DELETE_ADDRESS, 0, 0, _address(index, packed, length))


def _address(index: int, packed: bytes, length: int) -> bytes:
    header = _ADDRESS.pack(family_of(packed), length, _NO_DAD, _SCOPE_UNIVERSE, index)
    return header + attr(_IFA_LOCAL, packed) + attr(_IFA_ADDRESS, packed)


def add_route(route: Route) -> bytes:
    return message(_NEW_ROUTE, CREATE | REPLACE, 0, _route(route))


def delete_route(route: Route) -> bytes:
    return message(_DELETE_ROUTE, 0, 0, _route(route))


def _route(route: Route) -> bytes:
    scope, flags = (_SCOPE_UNIVERSE, _ON_LINK) if route.via else (_SCOPE_LINK, 0)
    family = family_of(route.network)
    header = _ROUTE.pack(family, route.length, 0, 0, _TABLE_MAIN, _PROTOCOL_STATIC, scope, _UNICAST, flags)
    parts = (
        (_RTA_DESTINATION, route.network if route.length else b""),
        (_RTA_GATEWAY, route.via),
        (_RTA_SOURCE, route.source),
    )
    return (
        header
        + u32(_RTA_LINK, route.index)
        + b"".join(attr(kind, packed) for kind, packed in parts if packed)
    )


def neighbour(index: int, packed: bytes, mac: bytes) -> bytes:
    """A permanent entry: who answers for `packed` on this link is never asked."""
    return message(
        _NEW_NEIGHBOUR, CREATE | REPLACE, 0, _neighbour(index, packed) + attr(_NDA_LINK_LAYER, mac)
    )


def delete_neighbour(index: int, packed: bytes) -> bytes:
    return message(_DELETE_NEIGHBOUR, 0, 0, _neighbour(index, packed))


def _neighbour(index: int, packed: bytes) -> bytes:
    return _NEIGHBOUR.pack(family_of(packed), index, _PERMANENT, 0, 0) + attr(_NDA_DESTINATION, packed)


def links(rtnetlink: Socket) -> Iterator[Link]:
    """The links of the socket's namespace."""
    for found in rtnetlink.request(message(_GET_LINK, DUMP, 0, _LINK.pack(socket.AF_UNSPEC, 0, 0, 0, 0))):
        _, _, index, flags, _ = _LINK.unpack_from(found.payload)
        named = dict(attributes(found.payload[_LINK.size :]))
        yield Link(
            index, read_text(named[_IFLA_NAME]), bool(flags & _UP), bytes(named.get(_IFLA_ADDRESS, b""))
        )


def raise_loopback() -> None:
    """Let the thread's network namespace speak to itself."""
    with Socket(ROUTE) as rtnetlink:
        rtnetlink.request(set_up(LOOPBACK))
