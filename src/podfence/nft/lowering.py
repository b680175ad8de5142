"""Rules in the kernel's terms: each statement becomes the expressions nft itself would use for its text.

What a statement needs to know first is asked once a rule: two matches on IPv4 addresses share one question.
Next: `expressions.py` encodes the result; `lifting.py` is the way back.
"""

import struct

from podfence.nft.expressions import (
    AFTER_IPV6,
    AFTER_IPV6_AND_PROTOCOL,
    REGISTER,
    SECOND,
    THIRD,
    VERDICT_REGISTER,
    Base,
    Cmp,
    Ct,
    Expression,
    Meta,
)
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
    Statement,
    Unknown,
    Verdict,
    needs,
)

COUNTER_OBJECT = 1
RANDOM = 1
DNAT, ADDRESS_AND_PORT = 1, 0x1 | 0x2
FIB_OIF, FIB_SOURCE_IIF_EXISTS = 1, 0x1 | 0x8 | 0x20
_ALL = 0xFFFFFFFF


def lower(rule: Rule) -> tuple[Expression, ...]:
    family: int | None = None
    protocol: int | None = None
    lowered: list[Expression] = []
    for statement in rule:
        wanted_family, wanted_protocol = needs(statement)
        if wanted_family is not None and family is None:
            lowered += _nfproto(wanted_family)
        if wanted_protocol is not None and protocol is None:
            lowered += _l4proto(wanted_protocol, negated=False)
        family, protocol = wanted_family or family, wanted_protocol or protocol
        lowered += _lower(statement)
    return tuple(lowered)


def native(number: int) -> bytes:
    """A number as the kernel keeps it in a register of its own byte order."""
    return struct.pack("=I", number)


def wildcard(name: str) -> bytes:
    """An interface name is compared whole, with its zeros; a beginning without them."""
    return name[:-1].encode() if name.endswith("*") else name.encode().ljust(16, b"\0")


def address_at(family: Family, end: End) -> tuple[int, int]:
    """Offset and length in the network header."""
    if family is Family.IPV4:
        return (12, 4) if end is End.SOURCE else (16, 4)
    return (8, 16) if end is End.SOURCE else (24, 16)


def _lower(statement: Statement) -> list[Expression]:
    for lowering in (_conntrack, _interfaces, _addresses, _transport, _actions):
        if (found := lowering(statement)) is not None:
            return found
    raise ValueError(f"{statement} cannot be written: it was read from a foreign rule")


def _conntrack(statement: Statement) -> list[Expression] | None:
    match statement:
        case CtState(states):
            return [_ct(Ct.STATE), _mask(states, 0), _cmp(native(0), Cmp.NEQ)]
        case CtDirection(side):
            return [_ct(Ct.DIRECTION), _cmp(bytes((side,)))]
        case CtMark(mask, value):
            return [_ct(Ct.MARK), _mask(mask, 0), _cmp(native(value))]
        case SetCtMark(mask, value):
            return [_ct(Ct.MARK), _mask(~mask & _ALL, value), ("ct", None, Ct.MARK, REGISTER)]
    return None


def _interfaces(statement: Statement) -> list[Expression] | None:
    match statement:
        case Interface(end, name, negated):
            return [_meta(_link(end)), _cmp(wildcard(name), Cmp.NEQ if negated else Cmp.EQ)]
        case InterfaceIn(end, name, negated):
            return [_meta(_link(end)), _lookup(name, negated=negated)]
        case ReturnPath(exists):
            return [("fib", REGISTER, FIB_OIF, FIB_SOURCE_IIF_EXISTS), _cmp(native(exists))]
        case Nfproto(family):
            return _nfproto(family)
    return None


def _addresses(statement: Statement) -> list[Expression] | None:
    match statement:
        case Address(end, packed, negated):
            return [_address(statement.family, end), _cmp(packed, Cmp.NEQ if negated else Cmp.EQ)]
        case AddressIn(family, end, name, negated):
            return [_address(family, end), _lookup(name, negated=negated)]
        case AddressMap(family, end, name):
            return [_address(family, end), _vmap(name)]
        case AddressServiceMap(family, end, name):
            registers = (SECOND, THIRD) if family is Family.IPV4 else (AFTER_IPV6, AFTER_IPV6_AND_PROTOCOL)
            return [
                _address(family, end),
                _meta(Meta.L4PROTO, registers[0]),
                _port(end, registers[1]),
                _vmap(name),
            ]
        case HopLimit(value):
            return [("payload", REGISTER, Base.NETWORK, 7, 1), _cmp(bytes((value,)))]
    return None


def _transport(statement: Statement) -> list[Expression] | None:
    match statement:
        case L4Proto(protocol, negated):
            return _l4proto(protocol, negated=negated)
        case L4ProtoIn(name, negated):
            return [_meta(Meta.L4PROTO), _lookup(name, negated=negated)]
        case ServiceMap(end, name):
            return [_meta(Meta.L4PROTO), _port(end, SECOND), _vmap(name)]
        case Port(_, end, first, last):
            return [_port(end), *_between(first.to_bytes(2, "big"), last.to_bytes(2, "big"))]
        case PortMap(_, end, name):
            return [_port(end), _vmap(name)]
        case Icmp6Type(first, last):
            kind: Expression = ("payload", REGISTER, Base.TRANSPORT, 0, 1)
            return [kind, *_between(bytes((first,)), bytes((last,)))]
    return None


def _actions(statement: Statement) -> list[Expression] | None:
    match statement:
        case Counter(packets, size):
            return [("counter", packets, size)]
        case Count(name):
            return [("objref", COUNTER_OBJECT, name)]
        case Limit(rate, burst):
            return [("limit", rate, 1, burst, 0, 0)]
        case Log(group, prefix, snaplen, threshold):
            return [("log", group, prefix, snaplen, threshold)]
        case Chance(modulus, value):
            return [("numgen", REGISTER, modulus, RANDOM, 0), _cmp(native(value))]
        case Dnat(packed, port):
            return [
                ("immediate", REGISTER, packed),
                ("immediate", AFTER_IPV6, port.to_bytes(2, "big")),
                (
                    "nat",
                    DNAT,
                    statement.family,
                    REGISTER,
                    REGISTER,
                    AFTER_IPV6,
                    AFTER_IPV6,
                    ADDRESS_AND_PORT,
                ),
            ]
        case Masquerade():
            return [("masq",)]
        case Verdict():
            return [("immediate", VERDICT_REGISTER, statement)]
        case Unknown():
            return None
    return None


def _nfproto(family: int) -> list[Expression]:
    return [_meta(Meta.NFPROTO), _cmp(bytes((family,)))]


def _l4proto(protocol: int, *, negated: bool) -> list[Expression]:
    return [_meta(Meta.L4PROTO), _cmp(bytes((protocol,)), Cmp.NEQ if negated else Cmp.EQ)]


def _link(end: End) -> Meta:
    return Meta.IIFNAME if end is End.SOURCE else Meta.OIFNAME


def _meta(key: Meta, register: int = REGISTER) -> Expression:
    return "meta", register, key


def _ct(key: Ct) -> Expression:
    return "ct", REGISTER, key, None


def _cmp(value: bytes, operation: Cmp = Cmp.EQ) -> Expression:
    return "cmp", REGISTER, operation, value


def _between(first: bytes, last: bytes) -> list[Expression]:
    return [_cmp(first)] if first == last else [_cmp(first, Cmp.GTE), _cmp(last, Cmp.LTE)]


def _mask(keep: int, add: int) -> Expression:
    return "bitwise", REGISTER, REGISTER, 4, native(keep), native(add), 0


def _address(family: Family, end: End) -> Expression:
    return "payload", REGISTER, Base.NETWORK, *address_at(family, end)


def _port(end: End, register: int = REGISTER) -> Expression:
    return "payload", register, Base.TRANSPORT, 0 if end is End.SOURCE else 2, 2


def _lookup(name: str, *, negated: bool) -> Expression:
    return "lookup", name, REGISTER, None, int(negated)


def _vmap(name: str) -> Expression:
    return "lookup", name, REGISTER, VERDICT_REGISTER, 0
