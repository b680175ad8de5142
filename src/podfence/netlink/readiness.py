"""Wait until new links and addresses really work, which is later than the kernel lists them.

A link's queue starts some time after its other end came up, and packets for a new IPv6 address are accepted some time
after it was added, both from a kernel thread that a busy machine delays. What comes before is lost without a trace, and
TCP tries again only after a second. Next: `lab` settles its network before it says that it is up.
"""

import errno
import socket
import struct
import time
from collections.abc import Sequence

from podfence.netlink.codec import NetlinkError, attr, attributes, message, read_text, u32
from podfence.netlink.routes import family_of
from podfence.netlink.sockets import Socket

_GET_LINK, _GET_ROUTE = 18, 26
_LINK = struct.Struct("=BxHiII")
_ROUTE = struct.Struct("=BBBBBBBBI")
_IFLA_QUEUE, _IFLA_STATE, _IFLA_EXT_MASK, _RTA_DESTINATION = 6, 16, 29, 1
_SKIP_STATISTICS, _STATE_UP, _NO_QUEUE_YET = 8, b"\6", "noop"
_ROUTE_KIND_AT, _LOCAL = 7, 2
_AT_ONCE = 64  # links asked for in one send, so that the answers fit the smallest buffer


def settle(
    rtnetlink: Socket, indexes: Sequence[int], addresses: Sequence[bytes] = (), patience: float = 5.0
) -> None:
    """Return when links carry packets and addresses of the socket's namespace are answered; TimeoutError names which is not."""
    until = time.monotonic() + patience
    links_left, addresses_left = list(indexes), list(addresses)
    while links_left or addresses_left:
        links_left = _not_carrying(rtnetlink, links_left)
        addresses_left = [packed for packed in addresses_left if not _is_local(rtnetlink, packed)]
        if time.monotonic() > until:
            _give_up(links_left, addresses_left, patience)
        if links_left or addresses_left:
            time.sleep(0.001)


def _give_up(indexes: Sequence[int], addresses: Sequence[bytes], patience: float) -> None:
    if indexes:
        raise TimeoutError(f"link {indexes[0]} carries no packets after {patience:g} s: is its other end up?")
    if addresses:
        shown = socket.inet_ntop(family_of(addresses[0]), addresses[0])
        raise TimeoutError(f"{shown} is not answered here after {patience:g} s: was it added?")


def _is_local(rtnetlink: Socket, packed: bytes) -> bool:
    """Whether packets for an address end here, which is more than that the address is listed."""
    header = _ROUTE.pack(family_of(packed), len(packed) * 8, 0, 0, 0, 0, 0, 0, 0)
    try:
        (found,) = rtnetlink.request(message(_GET_ROUTE, 0, 0, header + attr(_RTA_DESTINATION, packed)))
    except NetlinkError as error:
        if error.errno not in {errno.ENETUNREACH, errno.EHOSTUNREACH}:
            raise
        return False
    return found.payload[_ROUTE_KIND_AT] == _LOCAL


def _not_carrying(rtnetlink: Socket, indexes: Sequence[int]) -> list[int]:
    asked = [
        message(
            _GET_LINK,
            0,
            0,
            _LINK.pack(socket.AF_UNSPEC, 0, index, 0, 0) + u32(_IFLA_EXT_MASK, _SKIP_STATISTICS),
        )
        for index in indexes
    ]
    found = [
        answer.payload
        for at in range(0, len(asked), _AT_ONCE)
        for answer in rtnetlink.request(*asked[at : at + _AT_ONCE])
    ]
    return [index for index, payload in zip(indexes, found, strict=True) if not _carries(payload)]


def _carries(payload: memoryview) -> bool:
    named = dict(attributes(payload[_LINK.size :]))
    return bytes(named[_IFLA_STATE]) == _STATE_UP and read_text(named[_IFLA_QUEUE]) != _NO_QUEUE_YET
