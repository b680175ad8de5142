"""Packets that the kernel logged, read in bulk: who sent what to whom, which rule's prefix, and how many were lost.

The kernel collects up to `threshold` packets, or for `flush_after` seconds, into one datagram. Packets are hostile: what
cannot be read is None, never an exception. Next: `node` explains what is read here; `lab` counts it.
"""

import errno
import struct
import time
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import NamedTuple, Self

from podfence.netlink import codec, packets
from podfence.netlink.codec import NetlinkError
from podfence.netlink.layout import FIRST_ATTRIBUTE, Layout, learn
from podfence.netlink.sockets import NETFILTER, Socket

SUBSYSTEM = 4
_PACKET, _CONFIGURE = SUBSYSTEM << 8, SUBSYSTEM << 8 | 1
_COMMAND, _MODE, _BUFFER, _TIMEOUT, _THRESHOLD, _FLAGS = 1, 2, 3, 4, 5, 6
_BIND, _COPY_PACKET, _WITH_SEQUENCE = 1, 2, 1
_DATAGRAM = (
    15 << 10
)  # holds 32 packets; with what the kernel adds it fills the 16 KiB that count against our buffer

_MESSAGE = struct.Struct("=IH")
_U16 = struct.Struct("=H")
_BE32 = struct.Struct(">I")
_TIMESTAMP = struct.Struct(">QQ")
_BEGINNING = FIRST_ATTRIBUTE + 8  # behind the attribute that every message has first
_MOST_LAYOUTS = 16  # hooks differ in what they know of a packet, and local senders add their own number
_FAMILIES = {0: 0, 4: 4, 16: 6}
_make = tuple.__new__  # a third of the cost of calling Logged


class Logged(NamedTuple):
    """One logged packet. A tuple rather than a dataclass: they come by the hundred thousand a second."""

    time: float
    prefix: str
    hook: int
    in_index: int
    out_index: int
    family: int
    protocol: int | None
    source: bytes
    destination: bytes
    source_port: int | None
    destination_port: int | None
    icmp_type: int | None
    icmp_code: int | None


@dataclass(frozen=True, slots=True)
class Tuning:
    """How eagerly the kernel hands packets over. Flush times are its ticks: below 0.01 s means at the next one (1-10 ms)."""

    flush_after: float = 0.1
    threshold: int = 32
    snap_length: int = 96
    receive_buffer: int = 16 << 20


class LogReader:
    """The one reader of a log group in the network namespace where it was made; a context manager.

    `lost` counts packets that never came, by the gaps in their numbers; `overflows` how often the kernel said so itself.
    """

    def __init__(self, group: int, tuning: Tuning = Tuning()) -> None:
        self.lost = self.overflows = 0
        self._expected: int | None = None
        self._layouts: dict[bytes, list[Layout]] = {}
        self._socket = Socket(NETFILTER, receive_buffer=tuning.receive_buffer)
        try:
            self._socket.request(*_bind(group, tuning))
        except NetlinkError as error:
            self._socket.close()
            if error.errno not in {errno.EPERM, errno.EBUSY}:
                raise
            reason = f"log group {group} has another reader in this namespace, or CAP_NET_ADMIN is missing"
            raise NetlinkError(error.errno, reason) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def read(self, timeout: float | None = None) -> list[Logged]:
        """The packets of the next datagram; none when nothing came in time, or when the kernel only said that it lost some."""
        try:
            datagram = self._socket.datagram(timeout)
        except TimeoutError:
            return []
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            self.overflows += 1
            return []
        return self._decode(datagram)

    def _decode(self, datagram: bytes) -> list[Logged]:
        now, at, end, found = time.time(), 0, len(datagram), []
        while at + FIRST_ATTRIBUTE <= end:
            length, kind = _MESSAGE.unpack_from(datagram, at)
            if length < FIRST_ATTRIBUTE or at + length > end:
                break
            if kind == _PACKET:
                layout = self._layout(datagram, at, at + length)
                if layout.sequence:
                    self._count(_BE32.unpack_from(datagram, at + layout.sequence)[0])
                found.append(_logged(datagram, at, at + length, layout, now))
            at += length + 3 & ~3
        return found

    def _layout(self, datagram: bytes, at: int, end: int) -> Layout:
        """The layout known for messages of this beginning, which is the length of their prefix; else learned now."""
        known = self._layouts.setdefault(datagram[at + _BEGINNING : at + _BEGINNING + 4], [])
        for layout in known:
            if layout.fits(datagram, at, end):
                return layout
        known.insert(0, learn(datagram, at, end))
        del known[_MOST_LAYOUTS:]
        return known[0]

    def _count(self, sequence: int) -> None:
        if self._expected is not None and sequence != self._expected:
            self.lost += sequence - self._expected & 0xFFFFFFFF
        self._expected = sequence + 1 & 0xFFFFFFFF


def _bind(group: int, tuning: Tuning) -> tuple[bytes, bytes]:
    """The kernel reads the command of a message first, so binding and configuring are two."""
    header = codec.nfgen(0, group)
    mode = codec.attr(_MODE, struct.pack(">IBB", tuning.snap_length, _COPY_PACKET, 0))
    settings = (
        mode,
        codec.be32(_BUFFER, _DATAGRAM),
        codec.be32(_TIMEOUT, int(tuning.flush_after * 100)),
        codec.be32(_THRESHOLD, tuning.threshold),
        codec.be16(_FLAGS, _WITH_SEQUENCE),
    )
    bind = codec.message(_CONFIGURE, 0, 0, header + codec.u8(_COMMAND, _BIND))
    return bind, codec.message(_CONFIGURE, 0, 0, header + b"".join(settings))


def _logged(datagram: bytes, at: int, end: int, layout: Layout, now: float) -> Logged:
    header = packets.UNREADABLE
    if layout.payload:
        begin = at + layout.payload
        stated = _U16.unpack_from(datagram, begin - 4)[0] - 4
        header = packets.read(datagram, begin, min(end, begin + stated))
    if layout.time:
        seconds, microseconds = _TIMESTAMP.unpack_from(datagram, at + layout.time)
        now = seconds + microseconds * 1e-6
    return _make(
        Logged,
        (
            now,
            _text(datagram[at + layout.prefix : at + layout.prefix_end]),
            datagram[at + layout.hook] if layout.hook else 0,
            _BE32.unpack_from(datagram, at + layout.into)[0] if layout.into else 0,
            _BE32.unpack_from(datagram, at + layout.out)[0] if layout.out else 0,
            _FAMILIES[len(header[1])],
            *header,
        ),
    )


@lru_cache(1024)
def _text(raw: bytes) -> str:
    """There are as many prefixes as there are rules that log."""
    return raw.rstrip(b"\0").decode(errors="backslashreplace")
