"""Netlink's wire format: attributes, messages, acknowledgements and nfnetlink batches.

Pure: bytes in, bytes out. Lengths are checked, so a cut or forged message is an error here and never a wrong value later.
`sockets` carries what is made here; `nft` and the readers beside this module give the numbers their meaning.
"""

import errno
import os
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

REQUEST, MULTI, ACK, DUMP_INTERRUPTED = 0x1, 0x2, 0x4, 0x10
DUMP = 0x300
REPLACE, EXCLUSIVE, CREATE, APPEND = 0x100, 0x200, 0x400, 0x800
NONREC, BULK = 0x100, 0x200  # the same bits, in messages that delete
ACK_CAPPED, ACK_ATTRIBUTES = 0x100, 0x200  # and in acknowledgements

NOOP, ERROR, DONE = 1, 2, 3
BATCH_BEGIN, BATCH_END = 0x10, 0x11

NESTED, BIG_ENDIAN = 0x8000, 0x4000
KIND_MASK = 0x3FFF

_ATTRIBUTE = struct.Struct("=HH")
_MESSAGE = struct.Struct("=IHHII")
_SIGNED = struct.Struct("=i")
_U16, _U32 = struct.Struct("=H"), struct.Struct("=I")
_BE16, _BE32, _BE64 = struct.Struct(">H"), struct.Struct(">I"), struct.Struct(">Q")
_NFNETLINK = struct.Struct(">BBH")
_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")

HEADER = _MESSAGE.size
NFNL_SUBSYS_NFTABLES = 10
_ERROR_TEXT, _ERROR_OFFSET = 1, 2
_BATCH_GENERATION = 1


class NetlinkError(OSError):
    """What the kernel refused, in its own words where it has any."""

    def __init__(
        self, number: int, text: str = "", offset: int | None = None, index: int | None = None
    ) -> None:
        super().__init__(number, text or os.strerror(number))
        self.text = text
        self.offset = offset
        self.index = index

    def __str__(self) -> str:
        place = "" if self.index is None else f" (message {self.index})"
        words = f": {self.text}" if self.text else ""
        return f"{os.strerror(self.errno or 0)}{words}{place}"


class Message(NamedTuple):
    """One message. A tuple rather than a dataclass: dumps make hundreds of thousands of them."""

    kind: int
    flags: int
    sequence: int
    payload: memoryview


def attr(kind: int, payload: bytes) -> bytes:
    length = len(payload)
    try:
        return _ATTRIBUTE.pack(length + 4, kind) + payload + _PADDING[length & 3]
    except struct.error:
        raise ValueError(f"netlink attribute {kind}: {length} bytes, at most 65531 fit") from None


def nested(kind: int, *attrs: bytes) -> bytes:
    return attr(kind | NESTED, b"".join(attrs))


def u8(kind: int, value: int) -> bytes:
    return attr(kind, bytes((value,)))


def u16(kind: int, value: int) -> bytes:
    return attr(kind, _U16.pack(value))


def u32(kind: int, value: int) -> bytes:
    return attr(kind, _U32.pack(value))


def be16(kind: int, value: int) -> bytes:
    return attr(kind, _BE16.pack(value))


def be32(kind: int, value: int) -> bytes:
    return attr(kind, _BE32.pack(value))


def be64(kind: int, value: int) -> bytes:
    return attr(kind, _BE64.pack(value))


def text(kind: int, value: str) -> bytes:
    """A string as the kernel reads it: up to the first zero byte, which a name must therefore not contain."""
    if "\0" in value:
        raise ValueError(f"netlink attribute {kind}: zero byte in {value!r}")
    return attr(kind, value.encode() + b"\0")


def read_text(payload: memoryview) -> str:
    return bytes(payload).partition(b"\0")[0].decode(errors="backslashreplace")


def attributes(buffer: bytes | memoryview) -> Iterator[tuple[int, memoryview]]:
    """(kind without its flag bits, payload) of each attribute in turn."""
    view, end, at = memoryview(buffer), len(buffer), 0
    unpack = _ATTRIBUTE.unpack_from
    while at + 4 <= end:
        length, kind = unpack(view, at)
        if length < 4 or at + length > end:
            raise NetlinkError(
                errno.EBADMSG, f"attribute {kind & KIND_MASK} says {length} bytes, {end - at} are left"
            )
        yield kind & KIND_MASK, view[at + 4 : at + length]
        at += length + 3 & ~3


def message(kind: int, flags: int, sequence: int, payload: bytes) -> bytes:
    """One message. `Socket.request` and `Socket.batch` number messages themselves, so 0 does for `sequence`."""
    length = len(payload)
    return _MESSAGE.pack(HEADER + length, kind, flags, sequence, 0) + payload + _PADDING[length & 3]


def messages(buffer: bytes | memoryview) -> Iterator[Message]:
    view, end, at = memoryview(buffer), len(buffer), 0
    while at + HEADER <= end:
        length, kind, flags, sequence, _ = _MESSAGE.unpack_from(view, at)
        if length < HEADER or at + length > end:
            raise NetlinkError(errno.EBADMSG, f"message {kind} says {length} bytes, {end - at} are left")
        yield Message(kind, flags, sequence, view[at + HEADER : at + length])
        at += length + 3 & ~3


def chunks(requests: Iterable[bytes], limit: int) -> Iterator[list[bytes]]:
    """Requests in as few sends of at most `limit` bytes as their order allows; a longer one is alone."""
    chunk: list[bytes] = []
    size = 0
    for each in requests:
        if chunk and size + len(each) > limit:
            yield chunk
            chunk, size = [], 0
        chunk.append(each)
        size += len(each)
    if chunk:
        yield chunk


def number(buffer: bytearray, first: int) -> int:
    """Number the requests in `buffer` from `first`, ask for one acknowledgement, of the last; returns how many there are."""
    at = count = last = 0
    while at + HEADER <= len(buffer):
        length, kind, flags, _, port = _MESSAGE.unpack_from(buffer, at)
        if length < HEADER:
            raise ValueError(f"netlink message {kind}: length {length} is shorter than its header")
        _MESSAGE.pack_into(buffer, at, length, kind, flags & ~ACK | REQUEST, first + count & 0xFFFFFFFF, port)
        last, at, count = at, at + (length + 3 & ~3), count + 1
    if count:
        flags = _U16.unpack_from(buffer, last + 6)[0]
        _U16.pack_into(buffer, last + 6, flags | ACK)
    return count


def refusal(answer: Message) -> NetlinkError | None:
    """The error that an acknowledgement or the end of a dump carries; None where all went well."""
    if len(answer.payload) < 4:
        return (
            None
            if answer.kind == DONE
            else NetlinkError(errno.EBADMSG, "an acknowledgement without a number")
        )
    code = _SIGNED.unpack_from(answer.payload)[0]
    if code >= 0:
        return None
    found = dict(_explanation(answer))
    words = read_text(found[_ERROR_TEXT]) if _ERROR_TEXT in found else ""
    offset = _U32.unpack(found[_ERROR_OFFSET])[0] if _ERROR_OFFSET in found else None
    return NetlinkError(-code, words, offset)


def _explanation(answer: Message) -> Iterator[tuple[int, memoryview]]:
    """The attributes behind an error: after the request it repeats, or after its header alone when it is capped."""
    if not answer.flags & ACK_ATTRIBUTES:
        return iter(())
    if answer.kind == DONE:
        return attributes(answer.payload[4:])
    repeated = HEADER if answer.flags & ACK_CAPPED else _U32.unpack_from(answer.payload, 4)[0]
    return attributes(answer.payload[4 + (repeated + 3 & ~3) :])


def nfgen(family: int, resource: int = 0) -> bytes:
    """The header that every nfnetlink message begins with."""
    return _NFNETLINK.pack(family, 0, resource)


def batch_begin(generation: int | None = None, subsystem: int = NFNL_SUBSYS_NFTABLES) -> bytes:
    """Opens a batch; with a generation the kernel refuses it (ERESTART) when anyone has written since."""
    condition = b"" if generation is None else be32(_BATCH_GENERATION, generation)
    return message(BATCH_BEGIN, REQUEST, 0, nfgen(0, subsystem) + condition)


def batch_end(subsystem: int = NFNL_SUBSYS_NFTABLES) -> bytes:
    return message(BATCH_END, REQUEST, 0, nfgen(0, subsystem))
