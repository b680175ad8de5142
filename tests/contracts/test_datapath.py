"""One contract, two datapaths: what the kernel refuses the fake refuses, with the same number, and nothing more."""

import errno

import pytest

from podfence.nft.datapath import DatapathError
from podfence.nft.difference import diff
from podfence.nft.fake import Fake
from podfence.nft.kernel import Kernel
from podfence.nft.keys import KeyType
from podfence.nft.statements import AddressIn, AddressMap, Count, End, Family
from podfence.nft.table import Chain, Hook, HookPoint, Set, Table
from podfence.nft.transaction import (
    AddChain,
    AddElements,
    AddSet,
    AddTable,
    DeleteChain,
    DeleteCounter,
    DeleteElements,
    DeleteSet,
    DeleteTable,
    ReplaceRules,
    Transaction,
)
from podfence.nft.verdicts import ACCEPT, DROP, RETURN, goto, jump
from sandbox import in_sandbox

ONE, TWO, THREE = (bytes((10, 0, 0, last)) for last in (1, 2, 3))
PEERS = Set("peers", (KeyType.IPV4,), dict.fromkeys((ONE, TWO)))
PODS = Set("pods", (KeyType.IPV4,), {ONE: jump("combination")}, verdicts=True)
NETS = Set("nets", (KeyType.IPV4,), {(TWO, THREE): None}, interval=True)
GROUP = Chain("group", ((AddressIn(Family.IPV4, End.DESTINATION, "peers"), RETURN), (Count("denied"), DROP)))
COMBINATION = Chain("combination", ((goto("group"),),))
FORWARD = Chain("forward", ((AddressMap(Family.IPV4, End.SOURCE, "pods"),),), Hook(HookPoint.FORWARD))
TABLE = Table.of(
    "podfence", 1, counters=("denied",), sets=(PEERS, PODS, NETS), chains=(GROUP, COMBINATION, FORWARD)
)


def switch(*operations):
    return Transaction("podfence", switch=operations)


def retire(*operations):
    return Transaction("podfence", retire=(operations,))


def refused(number, datapath, *operations):
    before = datapath.read()
    with pytest.raises(DatapathError) as refusal:
        datapath.apply(switch(*operations))
    assert errno.errorcode[refusal.value.number] == errno.errorcode[number]
    assert datapath.read() == before, "a refused batch leaves nothing behind"


def loaded(datapath):
    datapath.apply(diff(TABLE, None))
    return datapath


def promise_in_kernel(promise):
    with Kernel() as kernel:
        promise(kernel)


def contract(promise):
    """The promise as a test of both; the kernel's runs in a network of its own."""

    def test(kind):
        if kind == "fake":
            promise(Fake())
        else:
            in_sandbox(lambda: promise_in_kernel(promise))()

    test.__name__ = test.__qualname__ = promise.__name__
    return pytest.mark.kernel(pytest.mark.parametrize("kind", ["fake", "kernel"])(test))


@contract
def test_nothing_is_there_at_first(datapath):
    assert datapath.read() is None
    assert datapath.counters() == {}


@contract
def test_what_was_applied_is_read(datapath):
    assert loaded(datapath).read() == TABLE
    assert list(datapath.counters()) == ["denied"]


@contract
def test_the_difference_of_what_was_applied_is_nothing(datapath):
    transaction = diff(TABLE, loaded(datapath).read())
    assert not transaction
    datapath.apply(transaction)
    assert datapath.read() == TABLE


@contract
def test_applying_twice_is_harmless_where_nothing_is_deleted(datapath):
    datapath.apply(diff(TABLE, None))
    datapath.apply(Transaction("podfence", prepare=diff(TABLE, None).prepare))
    assert datapath.read() == TABLE


@contract
def test_every_commit_has_its_own_generation(datapath):
    first = datapath.generation()
    loaded(datapath)
    assert datapath.generation() != first
    second = datapath.generation()
    datapath.read()
    assert datapath.generation() == second


@contract
def test_removing_removes_and_may_be_repeated(datapath):
    loaded(datapath).remove()
    assert datapath.read() is None
    datapath.remove()
    assert datapath.read() is None


@contract
def test_a_transaction_for_another_table_is_a_mistake(datapath):
    with pytest.raises(ValueError, match="cannot change podfence"):
        datapath.apply(Transaction("other", switch=(AddTable(1),)))


@contract
def test_without_a_table_everything_is_refused(datapath):
    refused(errno.ENOENT, datapath, AddChain(Chain("alone")))
    refused(errno.ENOENT, datapath, AddSet(PEERS.shape()))
    refused(errno.ENOENT, datapath, DeleteTable())


@contract
def test_an_element_that_is_there_does_no_harm(datapath):
    loaded(datapath).apply(switch(AddElements(PEERS, {ONE: None})))
    datapath.apply(switch(AddElements(PODS, {ONE: jump("combination")})))
    assert datapath.read() == TABLE


@contract
def test_an_element_with_another_verdict_is_refused(datapath):
    refused(errno.EEXIST, loaded(datapath), AddElements(PODS, {ONE: DROP}))


@contract
def test_an_element_changes_its_verdict_by_going_and_coming(datapath):
    loaded(datapath).apply(switch(DeleteElements(PODS, (ONE,)), AddElements(PODS, {ONE: DROP, TWO: ACCEPT})))
    assert datapath.read().sets["pods"].elements == {ONE: DROP, TWO: ACCEPT}


@contract
def test_an_element_that_is_not_there_cannot_go(datapath):
    refused(errno.ENOENT, loaded(datapath), DeleteElements(PEERS, (ONE, THREE)))


@contract
def test_an_element_needs_its_set_and_its_chain(datapath):
    refused(errno.ENOENT, loaded(datapath), AddElements(Set("none", (KeyType.IPV4,)), {ONE: None}))
    refused(errno.ENOENT, datapath, AddElements(PODS, {TWO: jump("none")}))


@contract
def test_nothing_jumps_to_a_base_chain(datapath):
    refused(errno.EOPNOTSUPP, loaded(datapath), AddElements(PODS, {TWO: jump("forward")}))
    refused(errno.EOPNOTSUPP, datapath, ReplaceRules(Chain("group", ((jump("forward"),),))))


@contract
def test_intervals_do_not_overlap_and_may_touch(datapath):
    refused(errno.EEXIST, loaded(datapath), AddElements(NETS, {(ONE, TWO): None}))
    datapath.apply(switch(AddElements(NETS, {(ONE, ONE): None})))
    assert datapath.read().sets["nets"].elements == {(ONE, ONE): None, (TWO, THREE): None}
    datapath.apply(switch(DeleteElements(NETS, ((ONE, ONE),))))
    assert datapath.read() == TABLE


@contract
def test_the_first_and_the_last_address_are_addresses(datapath):
    ends = {(bytes(4), bytes(4)): None, (b"\xff" * 4, b"\xff" * 4): None}
    loaded(datapath).apply(switch(AddElements(NETS, ends)))
    assert datapath.read().sets["nets"].elements == {(TWO, THREE): None, **ends}
    datapath.apply(switch(DeleteElements(NETS, tuple(ends))))
    assert datapath.read() == TABLE


@contract
def test_all_addresses_are_one_interval(datapath):
    every = {(bytes(4), b"\xff" * 4): None}
    loaded(datapath).apply(switch(DeleteElements(NETS, ((TWO, THREE),)), AddElements(NETS, every)))
    assert datapath.read().sets["nets"].elements == every
    datapath.apply(switch(DeleteElements(NETS, tuple(every))))
    assert datapath.read().sets["nets"].elements == {}


@contract
def test_a_set_with_a_size_is_full_at_it_and_one_without_grows(datapath):
    small = Set("small", (KeyType.IPV4,), size=2)
    loaded(datapath).apply(switch(AddSet(small), AddElements(small, dict.fromkeys((ONE, TWO)))))
    refused(errno.ENFILE, datapath, AddElements(small, {THREE: None}))
    many = {number.to_bytes(4, "big"): None for number in range(1, 3000)}
    datapath.apply(switch(AddElements(PEERS, many)))
    assert len(datapath.read().sets["peers"].elements) == 3001


@contract
def test_a_set_of_another_shape_is_refused(datapath):
    refused(errno.EEXIST, loaded(datapath), AddSet(Set("peers", (KeyType.IPV6,))))


@contract
def test_a_chain_with_another_hook_is_refused(datapath):
    refused(errno.EEXIST, loaded(datapath), AddChain(Chain("forward", (), Hook(HookPoint.INPUT))))


@contract
def test_a_chain_that_a_map_points_at_stays(datapath):
    refused(errno.EBUSY, loaded(datapath), DeleteChain("combination"))
    datapath.apply(retire(DeleteElements(PODS, (ONE,)), DeleteChain("combination")))
    assert "combination" not in datapath.read().chains


@contract
def test_a_chain_that_a_rule_points_at_stays(datapath):
    refused(errno.EBUSY, loaded(datapath), DeleteChain("group"))


@contract
def test_a_set_that_a_rule_looks_into_stays(datapath):
    refused(errno.EBUSY, loaded(datapath), DeleteSet(PEERS))


@contract
def test_a_counter_that_a_rule_adds_to_stays(datapath):
    refused(errno.EBUSY, loaded(datapath), DeleteCounter("denied"))


@contract
def test_what_is_not_there_cannot_be_deleted(datapath):
    loaded(datapath)
    for operation in (DeleteChain("none"), DeleteSet(Set("none", (KeyType.IPV4,))), DeleteCounter("none")):
        refused(errno.ENOENT, datapath, operation)


@contract
def test_rules_need_what_they_name(datapath):
    loaded(datapath)
    for rule in ((goto("none"),), (Count("none"), DROP), (AddressIn(Family.IPV4, End.SOURCE, "none"), DROP)):
        refused(errno.ENOENT, datapath, ReplaceRules(Chain("group", (rule,))))


@contract
def test_rules_need_their_chain(datapath):
    refused(errno.ENOENT, loaded(datapath), ReplaceRules(Chain("none", ((DROP,),))))


@contract
def test_rules_are_replaced_and_repeated_without_doubling(datapath):
    changed = Chain("group", ((DROP,),))
    loaded(datapath).apply(switch(ReplaceRules(changed)))
    datapath.apply(switch(ReplaceRules(changed)))
    assert datapath.read().chains["group"] == changed


@contract
def test_jumps_in_a_circle_are_refused(datapath):
    with pytest.raises(DatapathError) as refusal:
        loaded(datapath).apply(switch(ReplaceRules(Chain("group", ((goto("combination"),),)))))
    assert refusal.value.number in {errno.EMLINK, errno.ELOOP}
    assert datapath.read() == TABLE


def ladder(jumps):
    """A base chain and so many jumps from it, one below the other."""
    steps = [Chain(f"step{at}", ((jump(f"step{at + 1}"),),)) for at in range(1, jumps)]
    base = Chain("forward", ((jump("step1"),),), Hook(HookPoint.FORWARD))
    return Table.of("podfence", 1, chains=(*steps, Chain(f"step{jumps}"), base))


@contract
def test_jumps_go_fifteen_deep_and_no_deeper(datapath):
    datapath.apply(diff(ladder(15), None))
    assert datapath.read() == ladder(15)
    datapath.remove()
    with pytest.raises(DatapathError) as refusal:
        datapath.apply(diff(ladder(16), None))
    assert refusal.value.number == errno.EMLINK


@contract
def test_what_nothing_points_at_any_more_is_retired(datapath):
    smaller = Table.of("podfence", 1, sets=(PODS.shape(),), chains=(FORWARD,))
    datapath.apply(diff(smaller, loaded(datapath).read()))
    assert datapath.read() == smaller


@contract
def test_the_next_generation_comes_and_the_last_one_goes(datapath):
    group = Chain("group2", ((AddressIn(Family.IPV4, End.DESTINATION, "peers2"), RETURN), (DROP,)))
    peers = Set("peers2", (KeyType.IPV4,), {THREE: None})
    pods = Set("pods", (KeyType.IPV4,), {ONE: jump("group2"), TWO: DROP}, verdicts=True)
    wanted = Table.of("podfence", 1, sets=(peers, pods, NETS), chains=(group, FORWARD))
    datapath.apply(diff(wanted, loaded(datapath).read()))
    assert datapath.read() == wanted


@contract
def test_another_layout_replaces_the_table(datapath):
    wanted = Table.of("podfence", 7, sets=(PODS.shape(),), chains=(FORWARD,))
    datapath.apply(diff(wanted, loaded(datapath).read()))
    assert datapath.read() == wanted


@contract
def test_another_shape_or_hook_replaces_the_table(datapath):
    pods = Set("pods", (KeyType.IPV4,), size=64, verdicts=True)
    forward = Chain("forward", FORWARD.rules, Hook(HookPoint.FORWARD, 5))
    for wanted in (
        Table.of("podfence", 1, sets=(pods,), chains=(FORWARD,)),
        Table.of("podfence", 1, sets=(PODS.shape(),), chains=(forward,)),
    ):
        datapath.apply(diff(wanted, datapath.read()))
        assert datapath.read() == wanted
