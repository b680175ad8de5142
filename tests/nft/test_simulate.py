"""The simulator itself, by hand-made cases; the kernel checks it with packets elsewhere."""

from nft.samples import EVERYTHING, ip
from nft.simulate import Packet, run
from podfence.nft.statements import (
    Address,
    AddressIn,
    AddressMap,
    Count,
    Counter,
    CtMark,
    End,
    Family,
    Limit,
    Log,
    PortMap,
    ServiceMap,
    SetCtMark,
)
from podfence.nft.table import Chain, Hook, HookPoint, Table
from podfence.nft.verdicts import ACCEPT, DROP, RETURN, goto, jump

A, B = ip("10.0.0.1"), ip("10.0.0.2")
SRC, DST = End.SOURCE, End.DESTINATION


def table(*rules, policy=ACCEPT, chains=()):
    base = Chain("forward", rules, Hook(HookPoint.FORWARD, policy=policy))
    return Table.of(
        "podfence", 1, counters=("denied",), sets=EVERYTHING.sets.values(), chains=(base, *chains)
    )


def verdict(wanted, packet):
    return run(wanted, "forward", packet).verdict


def test_the_policy_of_the_base_chain_is_the_last_word():
    assert verdict(table(), Packet(A, B)) is ACCEPT
    assert verdict(table(policy=DROP), Packet(A, B)) is DROP


def test_return_from_a_jump_goes_on_behind_it_and_from_a_goto_behind_the_jump_before():
    inner = Chain("inner", ((RETURN,),))
    going = Chain("going", ((goto("inner"),), (DROP,)))
    assert (
        verdict(table((jump("going"),), (ACCEPT,), policy=DROP, chains=(inner, going)), Packet(A, B))
        is ACCEPT
    )
    jumping = Chain("jumping", ((jump("inner"),), (DROP,)))
    assert verdict(table((jump("jumping"),), (ACCEPT,), chains=(inner, jumping)), Packet(A, B)) is DROP


def test_a_map_without_the_element_decides_nothing():
    rules = ((AddressMap(Family.IPV4, SRC, "egress4"),), (DROP,))
    other = Chain("other", ((ACCEPT,),))
    assert verdict(table(*rules, chains=(other,)), Packet(A, B)) is ACCEPT
    assert verdict(table(*rules, chains=(other,)), Packet(ip("10.9.9.9"), B)) is DROP
    assert verdict(table(*rules, chains=(other,)), Packet(ip("fd00::1"), ip("fd00::2"))) is DROP


def test_ports_are_looked_up_with_their_protocol():
    rules = ((ServiceMap(DST, "services"),), (PortMap(6, DST, "portranges"),), (ACCEPT,))
    chains = (Chain("last", ((DROP,),)), Chain("other", ((DROP,),)))
    allowed = [
        (protocol, port)
        for protocol in (6, 17)
        for port in (53, 79, 80, 81, 91, 1023, 1024)
        if verdict(table(*rules, chains=chains), Packet(A, B, protocol, destination_port=port)) is ACCEPT
    ]
    assert allowed == [(6, 79), (6, 91), (6, 1023), *((17, port) for port in (79, 80, 81, 91, 1023, 1024))]


def test_what_is_noted_on_the_way_is_in_the_outcome():
    wanted = table(
        (SetCtMark(0xFFFF0000, 0x00070000),),
        (Counter(), Count("denied"), Limit(10), Log(3, "denied e"), Address(SRC, A), DROP),
    )
    outcome = run(wanted, "forward", Packet(A, B, mark=0x80))
    assert (outcome.verdict, outcome.mark, outcome.logs) == (DROP, 0x00070080, ["denied e"])
    assert outcome.counted == {("forward", 1): 1, "denied": 1}
    assert run(wanted, "forward", Packet(A, B), limited=True).logs == []
    assert run(wanted, "forward", Packet(B, A)).verdict is ACCEPT


def test_negation_and_masks():
    rules = (
        (AddressIn(Family.IPV4, DST, "nets4", negated=True), DROP),
        (CtMark(0xFFFF0000, 0x00070000), DROP),
    )
    assert verdict(table(*rules), Packet(A, ip("172.16.0.1"))) is DROP
    assert verdict(table(*rules), Packet(A, ip("10.1.2.3"))) is ACCEPT
    assert verdict(table(*rules), Packet(A, ip("10.1.2.3"), mark=0x00070080)) is DROP
