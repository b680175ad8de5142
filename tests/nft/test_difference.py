"""The laws of a transaction, over every pair of a few tables; what the stages hold and how they print."""

from itertools import permutations

import pytest

from nft.samples import EMPTY, EVERYTHING, ip
from podfence.nft.difference import diff
from podfence.nft.fake import Fake
from podfence.nft.keys import KeyType
from podfence.nft.references import references
from podfence.nft.statements import AddressIn, AddressMap, Count, End, Family
from podfence.nft.table import Chain, Hook, HookPoint, Set, Table
from podfence.nft.transaction import (
    AddChain,
    AddElements,
    AddSet,
    DeleteChain,
    DeleteElements,
    ReplaceRules,
    Transaction,
)
from podfence.nft.verdicts import DROP, RETURN, goto, jump

ONE, TWO, THREE = (ip(f"10.0.0.{last}") for last in (1, 2, 3))


def world(generation, members, pods, *, layout=1):
    """A table as the product makes them: groups named by content, pods dispatched to chains."""
    peers = Set(f"peers{len(members)}", (KeyType.IPV4,), dict.fromkeys(members))
    dispatch = Set(
        "pods", (KeyType.IPV4,), {pod: jump(f"chain{len(members)}") for pod in pods}, verdicts=True
    )
    group = Chain(
        f"group{len(members)}",
        ((AddressIn(Family.IPV4, End.DESTINATION, peers.name), RETURN), (Count("denied"), DROP)),
    )
    chain = Chain(f"chain{len(members)}", ((goto(group.name),),))
    mark = (AddressIn(Family.IPV4, End.SOURCE, peers.name), RETURN) if generation == 2 else (RETURN,)
    base = Chain("forward", ((AddressMap(Family.IPV4, End.SOURCE, "pods"),), mark), Hook(HookPoint.FORWARD))
    return Table.of(
        "podfence", layout, counters=("denied",), sets=(peers, dispatch), chains=(group, chain, base)
    )


TABLES = (
    None,
    EMPTY,
    EVERYTHING,
    world(1, (ONE,), (TWO,)),
    world(2, (ONE,), (TWO, THREE)),
    world(1, (ONE, TWO), (THREE,)),
    world(2, (), ()),
    world(1, (ONE,), (ONE,), layout=2),
)
PAIRS = [(actual, wanted) for actual, wanted in permutations(TABLES, 2) if wanted is not None]


def fake(table):
    datapath = Fake()
    if table is not None:
        datapath.apply(diff(table, None))
    return datapath


@pytest.mark.parametrize(("actual", "wanted"), PAIRS)
def test_applying_the_difference_gives_what_is_wanted(actual, wanted):
    datapath = fake(actual)
    assert datapath.read() == actual
    datapath.apply(diff(wanted, actual))
    assert datapath.read() == wanted


@pytest.mark.parametrize("table", [table for table in TABLES if table])
def test_there_is_no_difference_between_equals(table):
    assert diff(table, table) == Transaction("podfence")
    assert not diff(table, fake(table).read())


def new_chains(batch):
    return {operation.chain.name for operation in batch if isinstance(operation, AddChain)}


@pytest.mark.parametrize(("actual", "wanted"), PAIRS)
def test_a_chain_never_comes_with_what_makes_it_reachable(actual, wanted):
    transaction = diff(wanted, actual)
    if actual is not None and actual.layout != wanted.layout:
        return  # replaced whole: no packet in the old table can look into the new one
    existing = set(actual.sets) if actual else set()
    for batch in (*transaction.prepare, transaction.switch, *transaction.retire):
        live = [each for each in batch if isinstance(each, AddElements) and each.set.name in existing]
        pointed = {verdict.chain for each in live for verdict in each.elements.values() if verdict}
        assert not new_chains(batch) & pointed


@pytest.mark.parametrize(("actual", "wanted"), PAIRS)
def test_preparing_and_retiring_touch_nothing_that_is_in_force(actual, wanted):
    transaction = diff(wanted, actual)
    for stage, table in (("prepare", actual), ("retire", wanted)):
        used = reachable(table) if table else set()
        touched = {name for batch in getattr(transaction, stage) for name in changed(batch)}
        assert not touched & used


def reachable(table):
    found = {chain.name for chain in table.chains.values() if chain.hook}
    for chain in table.chains.values():
        found |= {target for _, target in references(chain.rules)}
    return found


def changed(batch):
    for operation in batch:
        match operation:
            case AddElements(described, _) | DeleteElements(described, _) | AddSet(described):
                yield described.name
            case AddChain(chain) | ReplaceRules(chain):
                yield chain.name
            case DeleteChain(name):
                yield name


def test_one_member_more_is_one_element_and_nothing_else():
    before, after = world(1, (ONE,), (TWO,)), world(1, (ONE,), (TWO, THREE))
    transaction = diff(after, before)
    assert (transaction.prepare, transaction.retire) == ((), ())
    assert transaction.switch == (AddElements(after.sets["pods"].shape(), {THREE: jump("chain1")}),)


def test_a_changed_rule_of_a_base_chain_is_switched():
    transaction = diff(world(2, (ONE,), (TWO,)), world(1, (ONE,), (TWO,)))
    assert [type(each) for each in transaction.switch] == [ReplaceRules]
    assert (transaction.prepare, transaction.retire) == ((), ())


def test_a_new_policy_prints_as_three_stages():
    assert (
        str(diff(world(1, (ONE, TWO), (THREE,)), world(1, (ONE,), (THREE,))))
        == """\
# prepare
add chain inet podfence group2
add chain inet podfence chain2
add set inet podfence peers2 { type ipv4_addr; }
add element inet podfence peers2 { 10.0.0.1, 10.0.0.2 }
flush chain inet podfence group2
add rule inet podfence group2 ip daddr @peers2 return
add rule inet podfence group2 counter name "denied" drop
flush chain inet podfence chain2
add rule inet podfence chain2 goto group2

# switch
delete element inet podfence pods { 10.0.0.3 }
add element inet podfence pods { 10.0.0.3 : jump chain2 }

# retire
flush chain inet podfence group1
flush chain inet podfence chain1
delete set inet podfence peers1
delete chain inet podfence group1
delete chain inet podfence chain1
"""
    )
