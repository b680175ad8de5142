"""The kernel's expressions, as plain tuples, to netlink and back.

An expression is its name followed by its fields in the order given here, e.g. ("meta", 1, Meta.L4PROTO);
what the kernel leaves out reads as the default. Attributes not listed here make an expression opaque.
Next: `lowering.py` writes rules in these terms, `lifting.py` recognises them again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, IntEnum, auto
from functools import lru_cache

from podfence.netlink import codec
from podfence.nft.verdicts import Code, Verdict


class ForeignError(ValueError):
    """The kernel holds something that we never write."""


Value = str | int | bytes | Verdict | None
Expression = tuple[Value, ...]

REGISTER = 1  # where everything is loaded; parts of a concatenation follow in 32-bit registers
SECOND, THIRD = 9, 10  # behind an address of four bytes in REGISTER
AFTER_IPV6, AFTER_IPV6_AND_PROTOCOL = 2, 13
VERDICT_REGISTER = 0


class Meta(IntEnum):
    IIFNAME = 6
    OIFNAME = 7
    NFPROTO = 15
    L4PROTO = 16


class Ct(IntEnum):
    STATE = 0
    DIRECTION = 1
    MARK = 3


class Cmp(IntEnum):
    EQ = 0
    NEQ = 1
    LTE = 3
    GTE = 5


class Base(IntEnum):
    NETWORK = 1
    TRANSPORT = 2


class Kind(Enum):
    U16 = auto()
    U32 = auto()
    U64 = auto()
    TEXT = auto()
    DATA = auto()  # a value, or in the verdict register a verdict


@dataclass(frozen=True, slots=True)
class Field:
    attribute: int
    kind: Kind
    default: Value = None


def _u32(attribute: int, default: Value = None) -> Field:
    return Field(attribute, Kind.U32, default)


_FIELDS = {
    "meta": (_u32(1), _u32(2)),  # register, key
    "ct": (_u32(1), _u32(2), _u32(4)),  # to register, key, from register
    "cmp": (_u32(1), _u32(2), Field(3, Kind.DATA)),
    # from, to, length, mask, xor, operation
    "bitwise": (_u32(1), _u32(2), _u32(3), Field(4, Kind.DATA), Field(5, Kind.DATA), _u32(6, 0)),
    "payload": (_u32(1), _u32(2), _u32(3), _u32(4)),  # register, base, offset, length
    "lookup": (Field(1, Kind.TEXT), _u32(2), _u32(3), _u32(5, 0)),  # set, register, to register, inverted
    "immediate": (_u32(1), Field(2, Kind.DATA)),
    "counter": (Field(2, Kind.U64, 0), Field(1, Kind.U64, 0)),  # packets, bytes
    "objref": (_u32(1), Field(2, Kind.TEXT)),
    # rate, unit in seconds, burst, of packets or bytes, inverted
    "limit": (Field(1, Kind.U64), Field(2, Kind.U64), _u32(3), _u32(4, 0), _u32(5, 0)),
    # group, prefix, snaplen, queue threshold
    "log": (Field(1, Kind.U16), Field(2, Kind.TEXT), _u32(3, 0), Field(4, Kind.U16, 0)),
    "numgen": (_u32(1), _u32(2), _u32(3), _u32(4, 0)),  # register, modulus, kind, offset
    # kind, family, address from and to, port from and to, flags
    "nat": (_u32(1), _u32(2), _u32(3), _u32(4), _u32(5), _u32(6), _u32(7, 0)),
    "masq": (),
    "fib": (_u32(1), _u32(2), _u32(3)),  # register, result, flags
}
_PADDING = {"counter": 3, "limit": 6}
_LENGTHS = {Kind.U16: 2, Kind.U32: 4, Kind.U64: 8}


def encode(expressions: tuple[Expression, ...]) -> bytes:
    """The elements of an expression list."""
    return b"".join(map(_encode, expressions))


@lru_cache(4096)
def _encode(expression: Expression) -> bytes:
    """Rules differ in little, so most expressions are met again and again."""
    name, values = str(expression[0]), expression[1:]
    fields = _FIELDS[name]
    attributes = b"".join(
        _attribute(field, value)
        for field, value in zip(fields, values, strict=True)
        if value is not None and value != field.default
    )
    return codec.nested(1, codec.text(1, name), codec.nested(2, attributes))


def _attribute(field: Field, value: Value) -> bytes:
    if isinstance(value, int):
        return codec.attr(field.attribute, value.to_bytes(_LENGTHS[field.kind], "big"))
    if isinstance(value, str):
        return codec.text(field.attribute, value)
    return codec.nested(field.attribute, encode_value(value))


def encode_value(value: bytes | Verdict | None) -> bytes:
    """What stands inside a piece of data: bytes as they are, or a verdict."""
    if isinstance(value, Verdict):
        chain = codec.text(2, value.chain) if value.chain else b""
        return codec.nested(2, codec.be32(1, value.code & 0xFFFFFFFF), chain)
    return codec.attr(1, value or b"")


def decode(expressions: memoryview) -> Iterator[Expression]:
    for _, payload in codec.attributes(expressions):
        found = dict(codec.attributes(payload))
        yield _decode(codec.read_text(found[1]), found.get(2, memoryview(b"")))


def _decode(name: str, payload: memoryview) -> Expression:
    """An expression with anything we do not know reads as its bytes, so that it equals none of ours."""
    found = dict(codec.attributes(payload))
    found.pop(_PADDING.get(name, 0), None)
    fields = _FIELDS.get(name, ())
    if not found.keys() <= {field.attribute for field in fields}:
        return name, bytes(payload)
    return name, *(
        _read(field, found[field.attribute]) if field.attribute in found else field.default
        for field in fields
    )


def _read(field: Field, payload: memoryview) -> Value:
    if field.kind is Kind.TEXT:
        return codec.read_text(payload)
    if field.kind is Kind.DATA:
        return decode_value(payload)
    return int.from_bytes(payload, "big")


def decode_value(payload: memoryview) -> bytes | Verdict:
    (kind, content), *_ = codec.attributes(payload)
    if kind == 1:
        return bytes(content)
    found = dict(codec.attributes(content))
    code = int.from_bytes(found[1], "big", signed=True)
    return Verdict(Code(code), codec.read_text(found[2]) if 2 in found else "")
