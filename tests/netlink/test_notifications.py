"""Others' transactions are noticed, one value each; our own are never even queued."""

import os

from podfence.netlink import codec
from podfence.netlink.notifications import Change, Watch
from podfence.netlink.sockets import NETFILTER, Socket
from sandbox import in_sandbox, run

INET = 1


def table(name):
    return codec.message(0xA00, codec.CREATE, 0, codec.nfgen(INET) + codec.text(1, name))


def changes(watch):
    """What is reported until it is quiet."""
    found = []
    while read := watch.read(0.2):
        found += read
    return found


@in_sandbox(rootless=True)
def test_a_foreign_transaction_is_one_change_with_its_tables_and_writer():
    with Watch() as watch:
        run("nft 'add table inet one; add table ip two; add chain inet one c'")
        run("nft flush ruleset")
        run("nft add table inet three")
        first, second, third = changes(watch)
    assert first.tables == second.tables == {"one", "two"}
    assert third.tables == {"three"}
    assert (first.program, second.program) == ("nft", "nft")
    assert second.generation == first.generation + 1
    assert first.pid > 0
    assert first.may_touch("one")
    assert not first.may_touch("three")


@in_sandbox
def test_the_writer_is_named_by_the_kernels_number():
    with Watch() as watch, Socket(NETFILTER) as writer:
        writer.batch(table("one"))
        (change,) = changes(watch)
    assert (change.pid, change.tables) == (os.getpid(), {"one"})


@in_sandbox(rootless=True)
def test_our_own_transactions_are_not_reported_whichever_socket_made_them():
    with Socket(NETFILTER) as first, Socket(NETFILTER) as later, Watch(first) as watch:
        first.batch(table("one"))
        watch.ignore(later)
        later.batch(table("two"))
        first.batch(table("three"))
        run("nft add table inet foreign")
        (change,) = changes(watch)
    assert change.tables == {"foreign"}


@in_sandbox
def test_an_element_put_into_our_set_by_another_is_told_by_the_time_its_writer_is_answered():
    run("nft 'add table inet ours; add set inet ours s { type ipv4_addr; }'")
    with Watch() as watch:
        run("nft add element inet ours s { 10.0.0.1 }")
        (change,) = watch.read(0)
    assert change.may_touch("ours")


@in_sandbox
def test_dropped_notifications_mean_that_anything_may_have_changed():
    with Watch(receive_buffer=4096) as watch, Socket(NETFILTER) as writer:
        for number in range(2000):
            writer.batch(table(f"t{number}"))
        found = changes(watch)
    assert Change(None) in found
    assert Change(None).may_touch("whatever")


@in_sandbox
def test_a_quiet_kernel_is_an_empty_answer():
    with Watch() as watch:
        assert watch.read(0.05) == []
