"""Operations as netlink messages, in the order in which the kernel must meet them.

Everything written here can be repeated without harm, except deletions and a verdict that differs: those the
kernel refuses, and with them the whole batch.
Next: `kernel.py` sends the messages; `reading.py` is the way back.
"""

import struct
from collections.abc import Iterable, Iterator
from enum import IntEnum

from podfence.netlink import codec
from podfence.nft import elements, expressions, keys
from podfence.nft.keys import KeyType
from podfence.nft.lowering import lower
from podfence.nft.table import Chain, Hook, Set
from podfence.nft.transaction import (
    AddChain,
    AddCounter,
    AddElements,
    AddSet,
    AddTable,
    Batch,
    DeleteChain,
    DeleteCounter,
    DeleteElements,
    DeleteSet,
    DeleteTable,
    Operation,
    ReplaceRules,
)

INET = 1
COUNTER = 1
INTERVAL_FLAG, MAP_FLAG = 0x4, 0x8
VERDICT_TYPE = 0xFFFFFF00
_CONCATENATION_BITS = 6
_HOST_ORDER = bytes((0, 4)) + struct.pack("=I", 1)  # a note for nft: names are not big-endian numbers


class Nft(IntEnum):
    """Message kinds within the nftables subsystem."""

    NEW_TABLE = 0
    GET_TABLE = 1
    DELETE_TABLE = 2
    NEW_CHAIN = 3
    GET_CHAIN = 4
    DELETE_CHAIN = 5
    NEW_RULE = 6
    GET_RULE = 7
    DELETE_RULE = 8
    NEW_SET = 9
    GET_SET = 10
    DELETE_SET = 11
    NEW_ELEMENTS = 12
    GET_ELEMENTS = 13
    DELETE_ELEMENTS = 14
    GET_GENERATION = 16
    NEW_OBJECT = 18
    GET_OBJECT = 19
    DELETE_OBJECT = 20


def message(kind: Nft, *attributes: bytes, flags: int = 0) -> bytes:
    body = codec.nfgen(INET) + b"".join(attributes)
    return codec.message(codec.NFNL_SUBSYS_NFTABLES << 8 | kind, codec.REQUEST | flags, 0, body)


def create(kind: Nft, *attributes: bytes) -> bytes:
    return message(kind, *attributes, flags=codec.CREATE)


def batch(table: str, operations: Batch) -> Iterator[bytes]:
    """All messages of a batch, one by one, so that a long one can be cut between them."""
    for operation in operations:
        yield from encode(table, operation)


def encode(table: str, operation: Operation) -> Iterable[bytes]:
    place = codec.text(1, table)
    match operation:
        case AddTable(layout):
            return [create(Nft.NEW_TABLE, place, *_comment(layout))]
        case DeleteTable():
            return [message(Nft.DELETE_TABLE, place)]
        case AddCounter(name):
            return [create(Nft.NEW_OBJECT, place, *_counter(name), codec.nested(4))]
        case DeleteCounter(name):
            return [message(Nft.DELETE_OBJECT, place, *_counter(name))]
        case AddChain() | ReplaceRules() | DeleteChain():
            return _encode_chain(place, operation)
        case AddSet() | DeleteSet() | AddElements() | DeleteElements():
            return _encode_set(place, operation)


def _encode_chain(place: bytes, operation: AddChain | ReplaceRules | DeleteChain) -> Iterable[bytes]:
    match operation:
        case AddChain(chain):
            return [create(Nft.NEW_CHAIN, place, codec.text(3, chain.name), *_hook(chain.hook))]
        case ReplaceRules(chain):
            return _rules(place, chain)
        case DeleteChain(name):
            return [message(Nft.DELETE_CHAIN, place, codec.text(3, name))]


def _encode_set(
    place: bytes, operation: AddSet | DeleteSet | AddElements | DeleteElements
) -> Iterable[bytes]:
    name = codec.text(2, operation.set.name)
    match operation:
        case AddSet(described):
            return [create(Nft.NEW_SET, place, name, *_set(described))]
        case DeleteSet():
            return [message(Nft.DELETE_SET, place, name)]
        case AddElements(described, wanted):
            lists = elements.encode(described, wanted)
            return (create(Nft.NEW_ELEMENTS, place, name, codec.nested(3, each)) for each in lists)
        case DeleteElements(described, gone):
            lists = elements.encode_keys(described, gone)
            return (message(Nft.DELETE_ELEMENTS, place, name, codec.nested(3, each)) for each in lists)


def _comment(layout: int) -> list[bytes]:
    """As nft keeps it: kind, length and text with its zero, in bytes."""
    if not layout:
        return []
    text = f"layout {layout}".encode() + b"\0"
    return [codec.attr(6, bytes((0, len(text))) + text)]


def _counter(name: str) -> list[bytes]:
    return [codec.text(2, name), codec.be32(3, COUNTER)]


def _set(described: Set) -> list[bytes]:
    flags = INTERVAL_FLAG * described.interval | MAP_FLAG * described.verdicts
    attributes = [
        codec.be32(3, flags),
        codec.be32(4, type_number(described.types)),
        codec.be32(5, keys.width(described.types)),
        codec.be32(10, 1),  # an identifier the kernel insists on; we refer to sets by name
    ]
    if described.types == (KeyType.INTERFACE,):
        attributes.append(codec.attr(13, _HOST_ORDER))
    if described.verdicts:
        attributes.append(codec.be32(6, VERDICT_TYPE))
    if described.size is not None:
        attributes.append(codec.nested(9, codec.be32(1, described.size)))
    return attributes


def type_number(types: tuple[KeyType, ...]) -> int:
    """A concatenation is described by its types side by side."""
    number = 0
    for each in types:
        number = number << _CONCATENATION_BITS | each.number
    return number


def _hook(hook: Hook | None) -> list[bytes]:
    if hook is None:
        return []
    where = codec.be32(1, hook.point), codec.be32(2, hook.priority & 0xFFFFFFFF)
    return [codec.nested(4, *where), codec.be32(5, hook.policy.code), codec.text(7, hook.kind)]


def _rules(place: bytes, chain: Chain) -> Iterator[bytes]:
    """First none, then all: the packets see either the old rules or the new."""
    head = place + codec.text(2, chain.name)
    yield message(Nft.DELETE_RULE, head)
    for rule in chain.rules:
        encoded = expressions.encode(lower(rule))
        yield message(Nft.NEW_RULE, head, codec.nested(4, encoded), flags=codec.CREATE | codec.APPEND)
