"""What a table does with one packet: an independent reading of the statements, without a kernel.

    outcome = run(table, "forward", Packet(source, destination, protocol=6, destination_port=80))
    assert outcome.verdict is ACCEPT and outcome.mark == 0x10000

It knows nothing of how statements are printed or encoded. `tests/kernel/test_nft_simulate.py` holds it to packets.
"""

from collections import Counter as Tally
from collections.abc import Callable
from dataclasses import dataclass, field

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
    ServiceMap,
    SetCtMark,
    Side,
    State,
    Verdict,
)
from podfence.nft.table import Chain, Table
from podfence.nft.verdicts import ACCEPT, Code


@dataclass(frozen=True)
class Packet:
    source: bytes
    destination: bytes
    protocol: int = 6
    source_port: int = 40000
    destination_port: int = 0
    input: str = "veth0"
    output: str = "veth1"
    state: State = State.NEW
    side: Side = Side.ORIGINAL
    mark: int = 0
    hop_limit: int = 64
    icmp_type: int = 0
    return_path: bool = True

    def address(self, end: End) -> bytes:
        return self.source if end is End.SOURCE else self.destination

    def port(self, end: End) -> int:
        return self.source_port if end is End.SOURCE else self.destination_port

    def link(self, end: End) -> str:
        return self.input if end is End.SOURCE else self.output

    @property
    def family(self) -> Family:
        return Family.IPV4 if len(self.source) == 4 else Family.IPV6


@dataclass
class Outcome:
    """`mark` is the connection's afterwards; `counted` has named counters and (chain, rule) for the others."""

    mark: int
    verdict: Verdict = ACCEPT
    counted: Tally = field(default_factory=Tally)
    logs: list[str] = field(default_factory=list)
    path: list[str] = field(default_factory=list)
    translated: Dnat | None = None
    masqueraded: bool = False


class _Verdict(Exception):  # noqa: N818 - the way a packet leaves, not an error
    pass


@dataclass
class _Walk:
    table: Table
    packet: Packet
    outcome: Outcome
    limited: bool
    draw: Callable[[int], int]


def run(
    table: Table,
    base: str,
    packet: Packet,
    *,
    limited: bool = False,
    draw: Callable[[int], int] = lambda modulus: 0,
) -> Outcome:
    """The packet from a base chain to its verdict. `limited`: every rate limit is used up; `draw` plays chance."""
    outcome = Outcome(packet.mark)
    chain = table.chains[base]
    assert chain.hook, f"{base} is not a base chain"
    try:
        _chain(_Walk(table, packet, outcome, limited, draw), chain)
        outcome.verdict = chain.hook.policy
    except _Verdict as final:
        (outcome.verdict,) = final.args
    return outcome


def _chain(walk: _Walk, chain: Chain) -> None:
    """Returns where the packet goes on in the calling chain."""
    walk.outcome.path.append(chain.name)
    assert len(walk.outcome.path) < 100, "jumps in a circle"
    for index, rule in enumerate(chain.rules):
        verdict = _rule(walk, (chain.name, index), rule)
        if verdict is None or verdict.code is Code.CONTINUE:
            continue
        if verdict.code is Code.RETURN:
            return
        if verdict.code in (Code.ACCEPT, Code.DROP):
            raise _Verdict(verdict)
        _chain(walk, walk.table.chains[verdict.chain])
        if verdict.code is Code.GOTO:
            return


def _rule(walk: _Walk, place, rule) -> Verdict | None:
    """The verdict of the rule, None where something does not match or nothing is decided."""
    for statement in rule:
        if isinstance(statement, Verdict):
            return statement
        if _is_map(statement):
            return walk.table.sets[statement.map].elements.get(
                _found(walk, statement.map, _map_key(walk, statement))
            )
        if not (_acts(walk, place, statement) or _matches(walk, statement)):
            return None
    return None


def _is_map(statement) -> bool:
    return isinstance(statement, AddressMap | ServiceMap | AddressServiceMap | PortMap)


def _map_key(walk: _Walk, statement) -> bytes | None:
    packet = walk.packet
    service = bytes((packet.protocol, 0, 0, 0)) + packet.port(statement.end).to_bytes(2, "big") + b"\0\0"
    match statement:
        case AddressMap(family, end, _):
            return packet.address(end) if packet.family is family else None
        case ServiceMap():
            return service
        case AddressServiceMap(family, end, _):
            return packet.address(end) + service if packet.family is family else None
        case PortMap(protocol, end, _):
            return packet.port(end).to_bytes(2, "big") if packet.protocol == protocol else None


def _found(walk: _Walk, name: str, key: bytes | None):
    """The element that holds the key, or None."""
    looked_into = walk.table.sets[name]
    if key is None or not looked_into.interval:
        return key if key in looked_into.elements else None
    return next((span for span in looked_into.elements if span[0] <= key <= span[1]), None)


def _acts(walk: _Walk, place, statement) -> bool:
    """Whether it was an action, which never stops a rule; translating an address ends the walk."""
    outcome = walk.outcome
    match statement:
        case Counter():
            outcome.counted[place] += 1
        case Count(name):
            assert name in walk.table.counters, name
            outcome.counted[name] += 1
        case Log():
            outcome.logs.append(statement.prefix)
        case SetCtMark(mask, value):
            outcome.mark = outcome.mark & ~mask | value
        case Dnat():
            outcome.translated = statement
            raise _Verdict(ACCEPT)
        case Masquerade():
            outcome.masqueraded = True
            raise _Verdict(ACCEPT)
        case _:
            return False
    return True


def _matches(walk: _Walk, statement) -> bool:  # noqa: C901, PLR0912 - a line or two for each kind of match
    packet = walk.packet
    match statement:
        case CtState(states):
            return bool(states & packet.state)
        case CtDirection(side):
            return packet.side is side
        case CtMark(mask, value):
            return walk.outcome.mark & mask == value
        case Interface(end, name, negated):
            link = packet.link(end)
            return (link.startswith(name[:-1]) if name.endswith("*") else link == name) != negated
        case InterfaceIn(end, name, negated):
            return (_found(walk, name, packet.link(end).encode().ljust(16, b"\0")) is not None) != negated
        case ReturnPath(exists):
            return packet.return_path == exists
        case Nfproto(family):
            return packet.family is family
        case L4Proto(protocol, negated):
            return (packet.protocol == protocol) != negated
        case L4ProtoIn(name, negated):
            return (_found(walk, name, bytes((packet.protocol,))) is not None) != negated
        case Address(end, wanted, negated):
            return len(wanted) == len(packet.source) and (packet.address(end) == wanted) != negated
        case AddressIn(family, end, name, negated):
            there = _found(walk, name, packet.address(end)) is not None
            return packet.family is family and there != negated
        case Port(protocol, end, first, last):
            return packet.protocol == protocol and first <= packet.port(end) <= last
        case HopLimit(value):
            return packet.family is Family.IPV6 and packet.hop_limit == value
        case Icmp6Type(first, last):
            return (
                packet.family is Family.IPV6 and packet.protocol == 58 and first <= packet.icmp_type <= last
            )
        case Limit():
            return not walk.limited
        case Chance(modulus, value):
            return walk.draw(modulus) == value
    raise AssertionError(f"no reading for {statement}")
