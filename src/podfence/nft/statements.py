"""The parts of a rule, as values: what it matches, what it notes, what it decides.

A rule is a tuple of statements, read from left to right; the first that does not match ends the rule.
`str` of each is what `nft list` prints for it.
Next: `table.py` puts rules into chains; `expressions.py` turns them into the kernel's expressions.
"""

from dataclasses import dataclass

from podfence.nft.actions import Chance, Count, Counter, Dnat, Limit, Log, Masquerade
from podfence.nft.conntrack import CtDirection, CtMark, CtState, SetCtMark, Side, State
from podfence.nft.matches import (
    Address,
    AddressIn,
    AddressMap,
    AddressServiceMap,
    End,
    Family,
    HopLimit,
    Icmp6Type,
    Interface,
    InterfaceIn,
    L4Proto,
    L4ProtoIn,
    Nfproto,
    Port,
    PortMap,
    ReturnPath,
    ServiceMap,
)
from podfence.nft.verdicts import Verdict

__all__ = [
    "Address", "AddressIn", "AddressMap", "AddressServiceMap", "Chance", "Count", "Counter", "CtDirection",
    "CtMark", "CtState", "Dnat", "End", "Family", "HopLimit", "Icmp6Type", "Interface", "InterfaceIn",
    "L4Proto", "L4ProtoIn", "Limit", "Log", "Masquerade", "Nfproto", "Port", "PortMap", "ReturnPath", "Rule",
    "ServiceMap", "SetCtMark", "Side", "State", "Statement", "Unknown", "Verdict", "check", "implied", "needs",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something in our table that we did not write; equal to nothing we can write."""

    expressions: tuple[str, ...]

    def __str__(self) -> str:
        return "# unknown: " + ", ".join(self.expressions)


Map = AddressMap | ServiceMap | AddressServiceMap | PortMap
Match = (
    CtState | CtDirection | CtMark | Interface | InterfaceIn | ReturnPath | Nfproto | L4Proto | L4ProtoIn
    | Address | AddressIn | Port | HopLimit | Icmp6Type | Limit | Chance
)  # fmt: skip
Statement = Match | Map | SetCtMark | Counter | Count | Log | Dnat | Masquerade | Verdict | Unknown
Rule = tuple[Statement, ...]


def needs(statement: Statement) -> tuple[Family | None, int | None]:
    """The family and the protocol a packet must have before this statement can look at it."""
    match statement:
        case Address() | AddressIn() | AddressMap() | AddressServiceMap():
            return statement.family, None
        case HopLimit():
            return Family.IPV6, None
        case Icmp6Type():
            return Family.IPV6, 58
        case Port() | PortMap():
            return None, statement.protocol
        case _:
            return None, None


def check(rule: Rule) -> None:
    """Refuse what nft would print otherwise than we do, and what can never match."""
    family: Family | None = None
    protocol: int | None = None
    for at, statement in enumerate(rule):
        wanted_family, wanted_protocol = needs(statement)
        if isinstance(statement, Verdict | Map) and at < len(rule) - 1:
            raise ValueError(f"nothing can follow {str(statement)!r} in a rule")
        if _differ(family, wanted_family) or _differ(protocol, wanted_protocol):
            raise ValueError(f"{str(statement)!r} contradicts the statements before it")
        if any(implied(before, statement) for before in rule[:at]):
            raise ValueError(f"{str(statement)!r} implies a meta match before it: leave that out")
        family, protocol = wanted_family or family, wanted_protocol or protocol


def implied(before: Statement, after: Statement) -> bool:
    """Whether `before` only says what `after` needs anyway."""
    family, protocol = needs(after)
    return (isinstance(before, Nfproto) and family is not None) or (
        isinstance(before, L4Proto) and not before.negated and protocol is not None
    )


def _differ(known: int | None, wanted: int | None) -> bool:
    return known is not None and wanted is not None and known != wanted
