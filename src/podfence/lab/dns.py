"""The domain name system's wire format, as much of it as a cluster speaks. Pure: questions are hostile and never raise.

RFC 1035, RFC 3596 (AAAA), RFC 2782 (SRV), RFC 6891 (EDNS). Next: `zone` knows the answers.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from podfence.model.address import Address

Name = tuple[str, ...]
"""Labels in lower case, the most specific first. Bytes beyond ASCII are kept as surrogates."""


class Type(IntEnum):
    A = 1
    NS = 2
    CNAME = 5
    SOA = 6
    PTR = 12
    AAAA = 28
    SRV = 33
    ANY = 255


class Code(IntEnum):
    """What a response says of the question as a whole."""

    NO_ERROR = 0
    FORMAT_ERROR = 1
    NO_SUCH_NAME = 3
    NOT_IMPLEMENTED = 4
    REFUSED = 5


TTL = 5
"""Seconds, as Kubernetes' own server gives."""

_OPT, _INTERNET, _ANY_CLASS = 41, 1, 255
_HEADER = struct.Struct(">HHHHHH")
_QUESTION = struct.Struct(">HH")
_RESOURCE = struct.Struct(">HHIH")
_RESPONSE, _AUTHORITATIVE, _TRUNCATED, _DESIRED, _AVAILABLE = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080
_PLAIN_LIMIT, _STREAM_LIMIT, _OUR_LIMIT = 512, 65535, 1232
_TO_QUESTION = b"\xc0\x0c"


@dataclass(frozen=True, slots=True)
class Service:
    """An SRV record: where, and at which port."""

    target: Name
    port: int


@dataclass(frozen=True, slots=True)
class Authority:
    """A SOA record: who is asked about this zone."""

    server: Name
    contact: Name


Content = Address | Service | Authority | Name


@dataclass(frozen=True, slots=True)
class Record:
    name: Name
    type: Type
    content: Content


@dataclass(frozen=True, slots=True)
class Question:
    """`raw` is the question as it came, to be repeated as it came. `limit`: the longest datagram the sender takes."""

    number: int
    flags: int
    name: Name
    type: int
    raw: bytes
    limit: int
    extended: bool


@dataclass(frozen=True, slots=True)
class Response:
    code: Code
    answers: Sequence[Record] = ()
    authority: Sequence[Record] = ()


def name(text: str) -> Name:
    return tuple(label for label in text.lower().rstrip(".").split(".") if label)


def question(packet: bytes) -> Question | Code | None:
    """The one question of a query. None for what deserves no answer: too short, or itself a response."""
    if len(packet) < _HEADER.size:
        return None
    number, flags, questions, answers, authority, additional = _HEADER.unpack_from(packet)
    if flags & _RESPONSE:
        return None
    if flags >> 11 & 0xF:
        return Code.NOT_IMPLEMENTED
    if questions != 1 or answers or authority or (asked := _asked(packet)) is None:
        return Code.FORMAT_ERROR
    labels, end = asked
    kind, kind_class = _QUESTION.unpack_from(packet, end)
    if kind_class not in {_INTERNET, _ANY_CLASS}:
        return Code.REFUSED
    raw = packet[_HEADER.size : end + _QUESTION.size]
    size = _extended(packet, end + _QUESTION.size) if additional else None
    return Question(number, flags, labels, kind, raw, max(_PLAIN_LIMIT, size or 0), size is not None)


def _asked(packet: bytes) -> tuple[Name, int] | None:
    """The labels of the first question and where they end; nothing before it could be pointed at."""
    labels, at = [], _HEADER.size
    while at < len(packet) and (length := packet[at]):
        if length > 63 or at - _HEADER.size > 253:
            return None
        labels.append(packet[at + 1 : at + 1 + length].decode("ascii", "surrogateescape").lower())
        at += 1 + length
    return (tuple(labels), at + 1) if at + 1 + _QUESTION.size <= len(packet) else None


def _extended(packet: bytes, at: int) -> int | None:
    """The size in an OPT record, where it is the first additional one; any other is passed over."""
    if len(packet) < at + 1 + _RESOURCE.size or packet[at] != 0:
        return None
    kind, size, _, _ = _RESOURCE.unpack_from(packet, at + 1)
    return min(size, _STREAM_LIMIT) if kind == _OPT else None


def refusal(packet: bytes, code: Code) -> bytes:
    """The answer to a question that cannot be read."""
    number, flags = struct.unpack_from(">HH", packet)
    return _HEADER.pack(number, _RESPONSE | flags & 0x7900 | code, 0, 0, 0, 0)


def encode(asked: Question, said: Response, *, stream: bool) -> bytes:
    """A response that fits; where it does not, the asker is told to come again over TCP."""
    limit = _STREAM_LIMIT if stream else min(asked.limit, _OUR_LIMIT)
    content = _response(asked, said, 0)
    return content if len(content) <= limit else _response(asked, Response(said.code), _TRUNCATED)


def _response(asked: Question, said: Response, flags: int) -> bytes:
    flags |= _RESPONSE | _AUTHORITATIVE | _AVAILABLE | asked.flags & _DESIRED | said.code
    records = b"".join(_record(asked, each) for each in (*said.answers, *said.authority))
    extended = b"\0" + _RESOURCE.pack(_OPT, _OUR_LIMIT, 0, 0) if asked.extended else b""
    header = _HEADER.pack(
        asked.number, flags, 1, len(said.answers), len(said.authority), 1 if asked.extended else 0
    )
    return header + asked.raw + records + extended


def _record(asked: Question, record: Record) -> bytes:
    owner = _TO_QUESTION if record.name == asked.name and asked.name else _labels(record.name)
    content = _content(record.content)
    return owner + _RESOURCE.pack(record.type, _INTERNET, TTL, len(content)) + content


def _content(content: Content) -> bytes:
    match content:
        case Service(target, port):
            return struct.pack(">HHH", 0, 100, port) + _labels(target)
        case Authority(server, contact):
            return _labels(server) + _labels(contact) + struct.pack(">IIIII", 1, 7200, 1800, 86400, TTL)
        case Address():
            return bytes(content)
        case _:
            return _labels(content)


def _labels(labels: Name) -> bytes:
    """A name that could not be asked for is cut: it came from an object, and objects are hostile."""
    parts = (label.encode("utf-8", "surrogateescape")[:63] for label in labels)
    return b"".join(bytes((len(part),)) + part for part in parts if part)[:254] + b"\0"
