"""Rules recognised in the kernel's terms: the way back from expressions to statements.

Nothing is believed: what was recognised is lowered again and must give the same expressions. Whatever does
not is one `Unknown` statement, which equals nothing that we could have written.
Next: `wire.py` reads tables with this.
"""

import struct
from collections.abc import Sequence

from podfence.nft.expressions import (
    VERDICT_REGISTER,
    Base,
    Cmp,
    Ct,
    Expression,
    Meta,
)
from podfence.nft.lowering import COUNTER_OBJECT, address_at, lower
from podfence.nft.statements import (
    Address,
    AddressIn,
    AddressMap,
    AddressServiceMap,
    Chance,
    Count,
    Counter,
    CtDirection,
    CtMark,
    CtState,
    Dnat,
    End,
    Family,
    HopLimit,
    Icmp6Type,
    Interface,
    InterfaceIn,
    L4Proto,
    L4ProtoIn,
    Limit,
    Log,
    Masquerade,
    Nfproto,
    Port,
    PortMap,
    ReturnPath,
    Rule,
    ServiceMap,
    SetCtMark,
    Side,
    State,
    Statement,
    Unknown,
    Verdict,
    check,
    implied,
)

_ALL = 0xFFFFFFFF
_LINKS: dict[object, End] = {Meta.IIFNAME: End.SOURCE, Meta.OIFNAME: End.DESTINATION}
_PORTS: dict[object, End] = {0: End.SOURCE, 2: End.DESTINATION}
_ADDRESSES: dict[object, tuple[Family, End]] = {
    address_at(family, end): (family, end) for family in Family for end in End
}

Found = tuple[Statement, int]


def lift(expressions: tuple[Expression, ...]) -> Rule:
    try:
        rule = _without_implied(_lift(expressions))
        check(rule)
        if lower(rule) == expressions:
            return rule
    except (ValueError, KeyError, struct.error):
        pass  # not one of ours, which is what Unknown says
    return (Unknown(tuple(str(expression[0]) for expression in expressions)),)


def _lift(expressions: tuple[Expression, ...]) -> list[Statement]:
    statements: list[Statement] = []
    protocol = 0
    at = 0
    while at < len(expressions):
        statement, length = _next(expressions[at:], protocol)
        if isinstance(statement, L4Proto):
            protocol = statement.protocol
        statements.append(statement)
        at += length
    return statements


def _without_implied(statements: list[Statement]) -> Rule:
    return tuple(
        statement
        for at, statement in enumerate(statements)
        if not any(implied(statement, after) for after in statements[at + 1 :])
    )


def _next(rest: Sequence[Expression], protocol: int) -> Found:
    for lifting in (_conntrack, _meta, _network, _actions):
        if (found := lifting(rest)) is not None:
            return found
    if (transport := _transport(rest, protocol)) is not None:
        return transport
    raise ValueError(f"no statement begins with {rest[0]}")


def _conntrack(rest: Sequence[Expression]) -> Found | None:
    match rest:
        case [("ct", _, Ct.STATE, None), ("bitwise", _, _, _, bytes(mask), *_), ("cmp", *_), *_]:
            return CtState(State(_number(mask))), 3
        case [("ct", _, Ct.DIRECTION, None), ("cmp", _, _, bytes(side)), *_]:
            return CtDirection(Side(side[0])), 2
        case [
            ("ct", _, Ct.MARK, None),
            ("bitwise", _, _, _, bytes(mask), *_),
            ("cmp", _, _, bytes(value)),
            *_,
        ]:
            return CtMark(_number(mask), _number(value)), 3
        case [
            ("ct", _, Ct.MARK, None),
            ("bitwise", _, _, _, bytes(mask), bytes(value), _),
            ("ct", None, Ct.MARK, _),
            *_,
        ]:
            return SetCtMark(~_number(mask) & _ALL, _number(value)), 3
    return None


def _meta(rest: Sequence[Expression]) -> Found | None:
    match rest:
        case [("meta", _, Meta.IIFNAME | Meta.OIFNAME as link), ("cmp", _, op, bytes(name)), *_]:
            shown = name.rstrip(b"\0").decode("ascii") + ("" if len(name) == 16 else "*")
            return Interface(_LINKS[link], shown, op == Cmp.NEQ), 2
        case [("meta", _, Meta.IIFNAME | Meta.OIFNAME as link), ("lookup", str(name), _, _, flags), *_]:
            return InterfaceIn(_LINKS[link], name, flags == 1), 2
        case [("fib", *_), ("cmp", _, _, bytes(exists)), *_]:
            return ReturnPath(_number(exists) == 1), 2
        case [("meta", _, Meta.NFPROTO), ("cmp", _, _, bytes(family)), *_]:
            return Nfproto(Family(family[0])), 2
        case [("meta", _, Meta.L4PROTO), ("cmp", _, op, bytes(protocol)), *_]:
            return L4Proto(protocol[0], op == Cmp.NEQ), 2
        case [("meta", _, Meta.L4PROTO), ("lookup", str(name), _, _, flags), *_]:
            return L4ProtoIn(name, flags == 1), 2
        case [("meta", _, Meta.L4PROTO), ("payload", _, _, port, _), ("lookup", str(name), *_), *_]:
            return ServiceMap(_PORTS[port], name), 3
    return None


def _network(rest: Sequence[Expression]) -> Found | None:
    match rest:
        case [("payload", _, Base.NETWORK, 7, 1), ("cmp", _, _, bytes(value)), *_]:
            return HopLimit(value[0]), 2
        case [("payload", _, Base.NETWORK, offset, length), ("cmp", _, op, bytes(value)), *_]:
            return Address(_ADDRESSES[offset, length][1], value, op == Cmp.NEQ), 2
        case [("payload", _, Base.NETWORK, offset, length), ("lookup", str(name), _, to, flags), *_]:
            family, end = _ADDRESSES[offset, length]
            if to == VERDICT_REGISTER:
                return AddressMap(family, end, name), 2
            return AddressIn(family, end, name, flags == 1), 2
        case [
            ("payload", _, Base.NETWORK, offset, length),
            ("meta", _, Meta.L4PROTO),
            ("payload", _, Base.TRANSPORT, _, _),
            ("lookup", str(name), *_),
            *_,
        ]:
            return AddressServiceMap(*_ADDRESSES[offset, length], name), 4
    return None


def _transport(rest: Sequence[Expression], protocol: int) -> Found | None:
    match rest:
        case [
            ("payload", _, Base.TRANSPORT, offset, size),
            ("cmp", _, Cmp.GTE, bytes(low)),
            ("cmp", _, Cmp.LTE, bytes(high)),
            *_,
        ]:
            first, last = int.from_bytes(low, "big"), int.from_bytes(high, "big")
            found = Icmp6Type(first, last) if size == 1 else Port(protocol, _PORTS[offset], first, last)
            return found, 3
        case [("payload", _, Base.TRANSPORT, offset, 2), ("cmp", _, _, bytes(port)), *_]:
            number = int.from_bytes(port, "big")
            return Port(protocol, _PORTS[offset], number, number), 2
        case [("payload", _, Base.TRANSPORT, offset, 2), ("lookup", str(name), *_), *_]:
            return PortMap(protocol, _PORTS[offset], name), 2
    return None


def _actions(rest: Sequence[Expression]) -> Found | None:
    match rest:
        case [("counter", int(packets), int(size)), *_]:
            return Counter(packets, size), 1
        case [("objref", kind, str(name)), *_] if kind == COUNTER_OBJECT:
            return Count(name), 1
        case [("limit", int(rate), _, int(burst), *_), *_]:
            return Limit(rate, burst), 1
        case [("log", int(group), str(prefix), int(snaplen), int(threshold)), *_]:
            return Log(group, prefix, snaplen, threshold), 1
        case [("numgen", _, int(modulus), *_), ("cmp", _, _, bytes(value)), *_]:
            return Chance(modulus, _number(value)), 2
        case [("immediate", _, bytes(packed)), ("immediate", _, bytes(port)), ("nat", *_), *_]:
            return Dnat(packed, int.from_bytes(port, "big")), 3
        case [("masq",), *_]:
            return Masquerade(), 1
        case [("immediate", _, Verdict() as verdict), *_]:
            return verdict, 1
    return None


def _number(native: bytes) -> int:
    number: int = struct.unpack("=I", native)[0]
    return number
