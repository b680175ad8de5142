"""Tables as values: what cannot be built, what is equal, what is printed."""

from itertools import product

import pytest

from nft.samples import EVERYTHING, M, ip, members, ports, span
from podfence.nft import keys, verdicts
from podfence.nft.keys import KeyType, interface_key, service_key
from podfence.nft.statements import (
    Address,
    AddressIn,
    Chance,
    Count,
    Counter,
    CtMark,
    CtState,
    Dnat,
    End,
    Family,
    HopLimit,
    Icmp6Type,
    Interface,
    L4Proto,
    Limit,
    Log,
    Nfproto,
    Port,
    PortMap,
    ServiceMap,
    SetCtMark,
    State,
    Unknown,
)
from podfence.nft.table import Chain, Hook, HookPoint, Set, Table
from podfence.nft.verdicts import ACCEPT, DROP, RETURN, Code, Verdict

HOSTILE = (
    'a"b',
    "a\nb",
    "a b",
    "",
    "1a",
    "a;b",
    "a{b",
    "a\0b",
    "é",
    "a" * 128,
    "-a",
    "$a",
    "@a",
    "a`b",
    "a\\b",
)
V4, SRC = Family.IPV4, End.SOURCE

NAMED = (
    Chain,
    lambda name: Set(name, (KeyType.IPV4,)),
    lambda name: Table(name, 1),
    lambda name: Table.of("t", 1, counters=(name,)),
    verdicts.jump,
    Count,
    lambda name: AddressIn(V4, SRC, name),
    lambda name: ServiceMap(SRC, name),
    lambda name: PortMap(6, SRC, name),
)


@pytest.mark.parametrize(("make", "name"), list(product(NAMED, HOSTILE)))
def test_no_name_can_leave_its_place_in_the_text(make, name):
    with pytest.raises(ValueError, match=r"cannot be used|name a chain"):
        make(name)


@pytest.mark.parametrize("prefix", ['a"b', "a\nb", "", "a" * 128, "a\\", "$(x)"])
def test_no_log_prefix_can_leave_its_quotes(prefix):
    with pytest.raises(ValueError, match="log prefix"):
        Log(1, prefix)


@pytest.mark.parametrize("name", ['a"', "a\n", "", "a" * 16, "a/b", "*", "a*b", "a b"])
def test_no_interface_can_leave_its_quotes(name):
    with pytest.raises(ValueError, match="an interface is"):
        Interface(SRC, name)
    with pytest.raises(ValueError, match="an interface is"):
        interface_key(name)


IMPOSSIBLE = (
    lambda: CtState(State(0)),
    lambda: CtMark(0, 0),
    lambda: CtMark(0xFFFFFFFF, 0),
    lambda: CtMark(M, 1),
    lambda: SetCtMark(M, 1),
    lambda: Address(SRC, b"\x0a\0\0"),
    lambda: Dnat(b"", 80),
    lambda: Dnat(ip("10.0.0.1"), 0),
    lambda: Port(1, SRC, 80, 80),
    lambda: Port(6, SRC, 80, 79),
    lambda: Port(6, SRC, 80, 65536),
    lambda: PortMap(58, SRC, "m"),
    lambda: L4Proto(256),
    lambda: HopLimit(256),
    lambda: Icmp6Type(133, 133),
    lambda: Limit(0),
    lambda: Limit(1, 0),
    lambda: Log(65536, "a"),
    lambda: Chance(3, 3),
    lambda: Chance(0),
    lambda: Verdict(Code.JUMP),
    lambda: Verdict(Code.DROP, "chain"),
    lambda: Hook(HookPoint.INPUT, policy=RETURN),
    lambda: Hook(HookPoint.INPUT, kind="route"),
    lambda: Chain("c", ((DROP, Counter()),)),
    lambda: Chain("c", ((ServiceMap(SRC, "m"), Counter()),)),
    lambda: Chain("c", ((Nfproto(V4), AddressIn(V4, SRC, "s"), DROP),)),
    lambda: Chain("c", ((L4Proto(6), Port(6, SRC, 1, 2), DROP),)),
    lambda: Chain("c", ((AddressIn(V4, SRC, "s"), HopLimit(255), DROP),)),
    lambda: Chain("c", ((Port(6, SRC, 1, 2), Port(17, SRC, 1, 2), DROP),)),
    lambda: Set("s", ()),
    lambda: Set("s", (KeyType.IPV4,), size=0),
    lambda: Set("s", (KeyType.IPV4,), size=4, interval=True),
    lambda: Set("s", (KeyType.PROTOCOL, KeyType.PORT), interval=True),
    lambda: Set("s", (KeyType.IPV4,), members(ip("fd00::1"))),
    lambda: Set("s", (KeyType.IPV4,), members(span("10.0.0.1", "10.0.0.2"))),
    lambda: Set("s", (KeyType.IPV4,), members(ip("10.0.0.1")), interval=True),
    lambda: Set("s", (KeyType.IPV4,), {ip("10.0.0.1"): DROP}),
    lambda: Set("s", (KeyType.IPV4,), {ip("10.0.0.1"): None}, verdicts=True),
    lambda: service_key(256, 80),
    lambda: service_key(6, 65536),
)


@pytest.mark.parametrize("make", IMPOSSIBLE)
def test_what_makes_no_sense_cannot_be_made(make):
    with pytest.raises(ValueError, match=r"."):
        make()


def test_a_counter_is_equal_whatever_it_has_counted():
    assert Counter(3, 180) == Counter()
    assert hash(Counter(3, 180)) == hash(Counter())
    assert str(Counter(3, 180)) != str(Counter())


def test_order_of_creation_is_printed_and_not_compared():
    one, two = Chain("one"), Chain("two")
    assert Table.of("t", 1, chains=(one, two)) == Table.of("t", 1, chains=(two, one))
    assert str(Table.of("t", 1, chains=(one, two))) != str(Table.of("t", 1, chains=(two, one)))


def test_tables_differ_in_everything_else():
    assert Table.of("t", 1) != Table.of("t", 2)
    assert Chain("a", ((DROP,),)) != Chain("a", ((ACCEPT,),))
    assert Chain("a", ((Unknown(("meta",)),),)) != Chain("a", ((DROP,),))
    sized = Set("s", (KeyType.IPV4,), size=8)
    assert sized != Set("s", (KeyType.IPV4,))
    assert sized.shape() == Set("s", (KeyType.IPV4,), members(ip("10.0.0.1")), size=8).shape()


@pytest.mark.parametrize(
    ("types", "key", "shown"),
    [
        ((KeyType.IPV4,), span("10.0.0.0", "10.0.0.255"), "10.0.0.0/24"),
        ((KeyType.IPV4,), span("10.0.0.1", "10.0.1.0"), "10.0.0.1-10.0.1.0"),
        ((KeyType.IPV4,), span("10.0.0.7", "10.0.0.7"), "10.0.0.7"),
        ((KeyType.IPV4,), span("0.0.0.0", "255.255.255.255"), "0.0.0.0/0"),
        ((KeyType.IPV6,), span("fd00::", "fd00::f"), "fd00::/124"),
        ((KeyType.PORT,), ports(1024, 2047), "1024-2047"),
        ((KeyType.PROTOCOL, KeyType.PORT), service_key(132, 9), "sctp . 9"),
        ((KeyType.PROTOCOL, KeyType.PORT), service_key(253, 9), "253 . 9"),
        ((KeyType.INTERFACE,), interface_key("eth0"), '"eth0"'),
    ],
)
def test_a_key_prints_as_nft_writes_it(types, key, shown):
    assert keys.text(types, key) == shown


def test_a_whole_table_prints_readably():
    assert str(EVERYTHING).splitlines()[:8] == [
        "table inet podfence {",
        '\tcomment "layout 1"',
        "\tcounter invalid {",
        "\t\tpackets 0 bytes 0",
        "\t}",
        "",
        "\tcounter spoofed {",
        "\t\tpackets 0 bytes 0",
    ]
