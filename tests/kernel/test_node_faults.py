"""What a node meets seldom: other people in its table while it writes, its own leftovers, marks of other settings.

Nothing here waits for a moment to pass: rivals write between two steps of ours, and clocks are put forward by hand.
"""

import pytest

from kernel.cases import A4, B4, C4, INGRESS, PODS, comes, goes, pod, policy, world
from kernel.worlds import ClockByHand, small_world
from podfence.model.labels import selector
from podfence.model.policy import PodSelection, Rule
from podfence.nft.difference import diff
from podfence.nft.kernel import Kernel
from podfence.nft.render import Settings, render
from podfence.nft.table import Chain, Table
from podfence.node import Enforcement, generations
from podfence.program import Program
from sandbox import in_sandbox, run

DENY_B = policy("deny-b", INGRESS, name="b")
FRIENDS = policy("friends", INGRESS, Rule((PodSelection("x", selector(role="friend")),)), name="b")
FRIENDLY_A, FRIENDLY_C = (pod(each.name, each.addresses, role="friend") for each in (PODS[0], PODS[2]))

BEFORE = Settings(mark=0x03FF3F00, log_limit=None)
AFTERWARDS = Settings(mark=0x05FF3F00, log_limit=None)
"""The highest bit has moved up: numbers that differ only there look alike to the other."""


def nft(*commands):
    for command in commands:
        run(f"nft {command}")


def stamps(settings, generation):
    """As if the table of these settings had come to this generation."""
    with Kernel() as kernel:
        kernel.apply(diff(render(Program(), settings, generation), kernel.read()))


def test_a_table_that_stamps_other_bits_has_no_generation_of_ours():
    table = render(Program(), BEFORE, 3)
    assert generations.current(table, BEFORE) == 3
    assert generations.current(table, AFTERWARDS) is None


@in_sandbox(rootless=True)
def test_a_mark_in_other_bits_admits_nothing_when_it_reads_like_our_generation():
    with small_world(BEFORE) as net:
        stamps(BEFORE, 2)
        assert net.reaches(A4, B4)
        stamps(BEFORE, 1 + (BEFORE.last_generation + 1) // 2)  # the flow was idle meanwhile
        net.enforcement.close()
        with Enforcement(AFTERWARDS) as later:
            later.start(world(DENY_B))
            net.denials.history = later.history
            assert later.generation == 2, "the number that the flow's mark reads like"
            assert not net.reaches(A4, B4)
            assert not later.verify()


@in_sandbox(rootless=True)
@pytest.mark.parametrize(
    ("damage", "rival"),
    [
        (["add element inet podfence ingress4 { 10.0.0.3 : return }"],
         ["delete element inet podfence ingress4 { 10.0.0.3 }"]),
        (["delete element inet podfence ingress4 { 10.0.0.2 }"],
         ["add element inet podfence ingress4 { 10.0.0.2 : return }"]),
        (["add chain inet podfence theirs"],
         ["add chain inet podfence other", "add rule inet podfence other jump theirs"]),
    ],
    ids=["gone-already", "there-already", "in-use"],
)  # fmt: skip
def test_a_table_that_changes_between_reading_and_writing_is_read_again(monkeypatch, damage, rival):
    with small_world() as net:
        net.become(world(DENY_B))
        kernel, rivals = net.enforcement._kernel, [rival]
        read = kernel.read

        def read_before_a_rival_writes():
            found = read()
            nft(*(rivals.pop() if rivals else ()))
            return found

        nft(*damage)
        monkeypatch.setattr(kernel, "read", read_before_a_rival_writes)
        assert net.enforcement.repair()
        assert not rivals
        assert not net.enforcement.verify()
        assert not net.reaches(A4, B4)


@in_sandbox(rootless=True)
def test_a_group_that_comes_back_has_lost_who_left_it_meanwhile():
    """What is orphaned is not kept up, so the group must be made anew, not found."""
    with small_world(clock=ClockByHand()) as net:
        net.become(world(FRIENDS, pods=(FRIENDLY_A, PODS[1], FRIENDLY_C)))
        assert net.reaches(A4, B4)
        net.enforcement.apply(goes(FRIENDS))
        net.enforcement.apply(comes(PODS[0]))
        net.clock.sleep(1)
        assert net.enforcement.apply(comes(FRIENDS)).cutting
        assert not net.reaches(A4, B4)
        assert net.reaches(C4, B4)
        assert not net.enforcement.verify()


@in_sandbox(rootless=True)
def test_what_comes_back_is_not_removed_with_what_had_gone():
    with small_world(clock=ClockByHand()) as net:
        net.become(world(DENY_B))
        net.enforcement.apply(goes(DENY_B))
        net.clock.sleep(1)
        generation = net.enforcement.apply(comes(DENY_B)).generation
        net.clock.sleep(1)
        net.enforcement.tick()
        assert net.enforcement.generation == generation, "nothing had to be repaired"
        assert not net.enforcement.verify()
        assert not net.reaches(A4, B4)


@in_sandbox(rootless=True)
def test_what_goes_is_still_there_while_packets_under_way_are_waited_for():
    old, new = (Table.of("podfence", 1, chains=(Chain(name),)) for name in ("old", "new"))
    seen = []
    with Kernel(grace=lambda: seen.append(run("nft list table inet podfence"))) as kernel:
        kernel.apply(diff(old, None))
        assert not seen, "nothing went, so nobody waits"
        kernel.apply(diff(new, old))
        (meanwhile,) = seen
        assert "chain old" in meanwhile
        assert "chain new" in meanwhile
        assert kernel.read() == new
