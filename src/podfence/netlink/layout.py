"""Where a log message keeps what we read, learned once for each kind of message.

The messages of a rule have the same attributes in the same order and differ in their values alone. So their places are
found by walking once, and of each later message only the attribute headers are compared, all in one step: half the time.
Whatever does not compare is walked again, so a wrong place is never read. Next: `nflog` reads messages with it.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from podfence.netlink.codec import KIND_MASK

FIRST_ATTRIBUTE = 20  # behind the headers of netlink and nfnetlink
HEADER, TIME, IN, OUT, PAYLOAD, PREFIX, SEQUENCE = 1, 3, 4, 5, 9, 10, 12

_HEADER = struct.Struct("=HH")
_HOOK = 2  # its place in the content of HEADER
_SIZES = {HEADER: 4, TIME: 16, IN: 4, OUT: 4, SEQUENCE: 4}


@dataclass(frozen=True, slots=True)
class Layout:
    """Offsets from the start of a message; 0 where it has no such attribute. `frame` reads its attribute headers."""

    frame: struct.Struct
    shape: tuple[int, ...]
    least: int
    hook: int
    prefix: int
    prefix_end: int
    into: int
    out: int
    time: int
    sequence: int
    payload: int

    def fits(self, datagram: bytes, at: int, end: int) -> bool:
        """Whether the message at `datagram[at:end]` is laid out like this one."""
        return at + self.least <= end and self.frame.unpack_from(datagram, at) == self.shape


class _Attribute(NamedTuple):
    offset: int
    length: int
    kind: int

    @property
    def end(self) -> int:
        return self.offset + self.length


def learn(datagram: bytes, at: int, end: int) -> Layout:
    """The layout of one message."""
    found = list(_attributes(datagram[at:end]))
    places = {each.kind & KIND_MASK: each for each in found if each.length >= 4 + _least_size(each)}
    hook = _content(places, HEADER)
    return Layout(
        frame=_frame(found),
        shape=tuple(number for each in found for number in _compared(each)),
        least=max(
            (each.offset + 4 if _is_payload(each) else each.end for each in found), default=FIRST_ATTRIBUTE
        ),
        hook=hook + _HOOK if hook else 0,
        prefix=_content(places, PREFIX),
        prefix_end=places[PREFIX].end if PREFIX in places else 0,
        into=_content(places, IN),
        out=_content(places, OUT),
        time=_content(places, TIME),
        sequence=_content(places, SEQUENCE),
        payload=_content(places, PAYLOAD),
    )


def _attributes(message: bytes) -> Iterator[_Attribute]:
    """Each attribute up to the payload, which the kernel writes last; what is malformed ends the walk."""
    at = FIRST_ATTRIBUTE
    while at + 4 <= len(message):
        found = _Attribute(at, *_HEADER.unpack_from(message, at))
        if found.length < 4 or found.end > len(message):
            return
        yield found
        if _is_payload(found):
            return
        at += found.length + 3 & ~3


def _frame(found: list[_Attribute]) -> struct.Struct:
    pattern, behind = "=", 0
    for each in found:
        pattern += f"{each.offset - behind}x" + ("2xH" if _is_payload(each) else "HH")
        behind = each.offset + 4
    return struct.Struct(pattern)


def _compared(attribute: _Attribute) -> tuple[int, ...]:
    """Kind and length; of the payload the kind alone, for packets differ in length."""
    return (attribute.kind,) if _is_payload(attribute) else (attribute.length, attribute.kind)


def _is_payload(attribute: _Attribute) -> bool:
    return attribute.kind & KIND_MASK == PAYLOAD


def _least_size(attribute: _Attribute) -> int:
    return _SIZES.get(attribute.kind & KIND_MASK, 0)


def _content(places: dict[int, _Attribute], kind: int) -> int:
    return places[kind].offset + 4 if kind in places else 0
