"""Tables in which every statement, key type and shape of set occurs: text and wire are tested on the same ones."""

from ipaddress import ip_address

from podfence.nft.keys import KeyType, address_service_key, interface_key, service_key
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
)
from podfence.nft.table import Chain, Hook, HookPoint, Set, Table
from podfence.nft.verdicts import ACCEPT, CONTINUE, DROP, RETURN, goto, jump

SRC, DST = End.SOURCE, End.DESTINATION
V4, V6 = Family.IPV4, Family.IPV6
TCP, UDP, SCTP, GRE = 6, 17, 132, 47
M = 0xFFFF0000


def ip(text: str) -> bytes:
    return ip_address(text).packed


def span(first: str, last: str) -> tuple[bytes, bytes]:
    return ip(first), ip(last)


def ports(first: int, last: int) -> tuple[bytes, bytes]:
    return first.to_bytes(2, "big"), last.to_bytes(2, "big")


def members(*keys: object) -> dict:
    return dict.fromkeys(keys)


SETS = (
    Set("empty4", (KeyType.IPV4,)),
    Set("sized4", (KeyType.IPV4,), size=1024),
    Set("pods4", (KeyType.IPV4,), members(*(ip(f"10.0.0.{last}") for last in (9, 10, 1, 2, 255)))),
    Set("pods6", (KeyType.IPV6,), members(ip("fd00::1"), ip("::ffff:1.2.3.4"), ip("::1.2.3.4"))),
    Set("protocols", (KeyType.PROTOCOL,), members(*(bytes((n,)) for n in (1, 6, 17, 47, 58, 132, 253)))),
    Set(
        "plainports",
        (KeyType.PORT,),
        members(*(n.to_bytes(2, "big") for n in (1, 255, 256, 53, 8080, 65535))),
    ),
    Set("links", (KeyType.INTERFACE,), members(*map(interface_key, ("eth0", "veth1234", "a", "cni0")))),
    Set(
        "nets4",
        (KeyType.IPV4,),
        members(
            span("0.0.0.0", "9.255.255.255"),
            span("10.0.0.0", "10.255.255.255"),
            span("11.0.0.0", "11.0.0.0"),
            span("192.168.1.1", "192.168.1.7"),
            span("224.0.0.0", "255.255.255.255"),
        ),
        interval=True,
    ),
    Set("all4", (KeyType.IPV4,), members(span("0.0.0.0", "255.255.255.255")), interval=True),
    Set("empty6", (KeyType.IPV6,), interval=True),
    Set(
        "nets6",
        (KeyType.IPV6,),
        members(
            span("::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            span("fd00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            span("fe80::1", "fe80::9"),
            span("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ),
        interval=True,
    ),
    Set(
        "egress4",
        (KeyType.IPV4,),
        {
            ip("10.0.0.1"): jump("other"),
            ip("10.0.0.2"): goto("last"),
            ip("10.0.0.3"): DROP,
            ip("10.0.0.4"): ACCEPT,
            ip("10.0.0.5"): RETURN,
            ip("10.0.0.6"): CONTINUE,
        },
        verdicts=True,
    ),
    Set("egress6", (KeyType.IPV6,), {ip("fd00::1"): jump("other")}, verdicts=True),
    Set(
        "services",
        (KeyType.PROTOCOL, KeyType.PORT),
        {
            service_key(TCP, 80): goto("last"),
            service_key(TCP, 256): goto("other"),
            service_key(UDP, 53): DROP,
            service_key(SCTP, 9): RETURN,
        },
        verdicts=True,
    ),
    Set(
        "portranges",
        (KeyType.PORT,),
        {
            ports(53, 53): DROP,
            ports(80, 90): goto("last"),
            ports(91, 91): ACCEPT,
            ports(1024, 65535): goto("other"),
        },
        interval=True,
        verdicts=True,
    ),
    Set("anyport", (KeyType.PORT,), {ports(0, 65535): ACCEPT}, interval=True, verdicts=True),
    Set(
        "cluster4",
        (KeyType.IPV4, KeyType.PROTOCOL, KeyType.PORT),
        {address_service_key(ip("10.96.0.10"), UDP, 53): goto("last")},
        verdicts=True,
        size=64,
    ),
    Set(
        "cluster6",
        (KeyType.IPV6, KeyType.PROTOCOL, KeyType.PORT),
        {address_service_key(ip("fd00::10"), TCP, 443): goto("other")},
        verdicts=True,
    ),
)

RULES: tuple[Rule, ...] = (
    (CtState(State.INVALID), Count("invalid"), DROP),
    (CtState(State.ESTABLISHED | State.RELATED), ACCEPT),
    (CtState(State.INVALID | State.NEW | State.UNTRACKED | State.RELATED), ACCEPT),
    (CtState(State.RELATED), CtMark(M, 0x00010000), ACCEPT),
    (CtDirection(Side.REPLY), goto("last")),
    (CtDirection(Side.ORIGINAL), RETURN),
    (CtMark(M, 0x12340000), ACCEPT),
    (CtMark(0x00FFFF00, 0x00000100), ACCEPT),
    (CtMark(0x0000FFFF, 0x0000FFFF), ACCEPT),
    (CtMark(0x80000000, 0), jump("other")),
    (SetCtMark(M, 0x12340000), ACCEPT),
    (SetCtMark(0x00FFFF00, 0x00123400),),
    (SetCtMark(M, 0),),
    (SetCtMark(M, M),),
    (Interface(SRC, "veth*"), DROP),
    (Interface(SRC, "veth*", negated=True), DROP),
    (Interface(SRC, "eth0"), DROP),
    (Interface(DST, "abcdefghijklmno", negated=True), DROP),
    (Interface(DST, "abcdefghijklmn*"), DROP),
    (InterfaceIn(SRC, "links"), RETURN),
    (InterfaceIn(DST, "links", negated=True), RETURN),
    (Interface(SRC, "veth*"), ReturnPath(exists=False), Counter(), DROP),
    (ReturnPath(exists=True), RETURN),
    (L4Proto(TCP), DROP),
    (L4Proto(GRE, negated=True), DROP),
    (L4Proto(58), DROP),
    (L4Proto(253), DROP),
    (L4ProtoIn("protocols"), DROP),
    (L4ProtoIn("protocols", negated=True), DROP),
    (Nfproto(V4), jump("other")),
    (Nfproto(V6), L4Proto(1), DROP),
    (Address(SRC, ip("10.0.0.1")), RETURN),
    (Address(DST, ip("10.0.0.1"), negated=True), RETURN),
    (Address(SRC, ip("fd00::1")), DROP),
    (Address(DST, ip("fd00::1"), negated=True), DROP),
    (Address(SRC, ip("10.0.0.1")), Address(DST, ip("10.0.0.2")), Port(TCP, DST, 80, 80), ACCEPT),
    (AddressIn(V4, SRC, "pods4"), RETURN),
    (AddressIn(V4, DST, "nets4", negated=True), ACCEPT),
    (AddressIn(V6, SRC, "nets6"), goto("last")),
    (AddressIn(V6, DST, "pods6"), jump("other")),
    (AddressIn(V4, DST, "pods4"), L4Proto(TCP), ACCEPT),
    (L4Proto(TCP), AddressIn(V4, DST, "pods4"), ACCEPT),
    (AddressMap(V4, SRC, "egress4"),),
    (AddressMap(V4, DST, "egress4"),),
    (AddressMap(V6, SRC, "egress6"),),
    (AddressMap(V6, DST, "egress6"),),
    (ServiceMap(DST, "services"),),
    (ServiceMap(SRC, "services"),),
    (PortMap(TCP, DST, "portranges"),),
    (PortMap(UDP, SRC, "portranges"),),
    (PortMap(SCTP, DST, "anyport"),),
    (Port(UDP, DST, 53, 53), ACCEPT),
    (Port(SCTP, SRC, 80, 90), ACCEPT),
    (HopLimit(255), Icmp6Type(133, 137), ACCEPT),
    (HopLimit(1), DROP),
    (Icmp6Type(133, 137), ACCEPT),
    (AddressIn(V6, SRC, "pods6"), Icmp6Type(1, 4), ACCEPT),
    (Counter(), DROP),
    (Counter(3, 180), Limit(10, 20), Log(5, "podfence e 1a2b gen 7", 128, 32)),
    (Limit(1000), Log(65535, "d")),
    (Limit(1, 1), DROP),
    (AddressServiceMap(V4, DST, "cluster4"),),
    (AddressServiceMap(V6, DST, "cluster6"),),
    (Chance(3), goto("last")),
    (Chance(3, 2), goto("last")),
)

ENDPOINTS = (
    Chain("endpoint4", ((L4Proto(TCP), Dnat(ip("10.0.0.1"), 8080)),)),
    Chain("endpoint6", ((L4Proto(UDP), Dnat(ip("fd00::1"), 53)),)),
)

NAT = (
    Chain(
        "prerouting",
        ((Nfproto(V4), goto("endpoint4")), (goto("endpoint6"),)),
        Hook(HookPoint.PREROUTING, -100, kind="nat"),
    ),
    Chain(
        "postrouting",
        ((AddressIn(V4, SRC, "pods4"), Masquerade()), (Masquerade(),)),
        Hook(HookPoint.POSTROUTING, 100, kind="nat"),
    ),
)

EVERYTHING = Table.of(
    "podfence",
    1,
    counters=("invalid", "spoofed"),
    sets=SETS,
    chains=(
        Chain("last"),
        Chain("other", ((RETURN,),)),
        *ENDPOINTS,
        Chain("forward", RULES, Hook(HookPoint.FORWARD)),
        Chain("input", (), Hook(HookPoint.INPUT, 10, DROP)),
        Chain("output", (), Hook(HookPoint.OUTPUT, -145)),
        Chain("early", (), Hook(HookPoint.PREROUTING, -299)),
        Chain("odd", (), Hook(HookPoint.PREROUTING, 77)),
        Chain("late", (), Hook(HookPoint.FORWARD, -100)),
        *NAT,
    ),
)

EMPTY = Table.of("podfence", 1)
