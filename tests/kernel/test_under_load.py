"""Changing rules under steady traffic loses no allowed packet and lets no denied one through, whatever is changed.

`PODFENCE_LOAD=1` makes the runs as long as the figures ask for: 4,000 moves, a million packets; `make test` takes less.
"""

import os
import random
import signal
import time

from kernel.cases import A4, B4, C4, EGRESS, comes, pod, policy, port, world
from kernel.frames import UDP, frame
from kernel.traffic import steady_traffic
from kernel.worlds import SETTINGS, small_world
from podfence.model.address import address
from podfence.model.labels import selector
from podfence.model.policy import PodSelection, Rule
from podfence.nft.kernel import Kernel
from podfence.nft.render import Settings
from podfence.node import Enforcement
from sandbox import in_sandbox

LOAD = float(os.environ.get("PODFENCE_LOAD", "0.2"))
A, B, C = (address(text) for text in (A4, B4, C4))


def traffic(net):
    """a sends to b, which is allowed, and to c, which is not."""
    frames = frame(A4, B4, UDP, 53), frame(A4, C4, UDP, 53)
    return steady_traffic(net.ports[A], frames, bytes(B), bytes(C))


def to_b(number):
    """What a may send: to b, in words that make another definition of it for each number."""
    rule = Rule((PodSelection("x", selector(name="b")),), (port(53), port(1000 + number)))
    return policy("a-to-b", EGRESS, rule, name="a")


@in_sandbox(seconds=200)
def test_1_moves_into_combinations_that_are_new_lose_and_leak_nothing():
    moves = int(4000 * LOAD)
    with small_world() as net:
        net.become(world(to_b(0)))
        with traffic(net) as measured:
            number = 0
            while number < moves or measured.sent <= 50 * moves:
                number += 1
                net.enforcement.apply(comes(to_b(number % 60_000)))
                if net.enforcement.due == 0:
                    net.enforcement.tick()
        print(number, measured)
        assert (measured.lost, measured.leaked) == (0, 0)
        assert not net.enforcement.verify()


@in_sandbox(seconds=200)
def test_swapping_the_whole_table_loses_and_leaks_nothing():
    with small_world() as net:
        net.become(world(to_b(0)))
        net.enforcement.close()
        until = time.monotonic() + 20 * LOAD
        with traffic(net) as measured:
            swaps = 0
            while time.monotonic() < until or swaps <= 20 or measured.sent <= 20_000:
                swaps += 1
                with Enforcement(Settings(log_limit=None, log_group=10 + swaps % 2)) as other:
                    assert other.start(world(to_b(swaps))).generation
        print(swaps, measured)
        assert (measured.lost, measured.leaked) == (0, 0)


@in_sandbox(seconds=60)
def test_the_traffic_of_these_tests_would_show_a_leak_and_a_loss():
    """The negative control: a table taken away and put back in two steps."""
    with small_world() as net:
        net.become(world(to_b(0)))
        with traffic(net) as measured:
            net.enforcement.remove()
            measured.flow()
            net.enforcement.start(world(policy("nothing", EGRESS)))
            measured.flow()
        assert measured.leaked > 0
        assert measured.lost > 0


@in_sandbox(seconds=120)
def test_killed_at_any_step_the_node_is_left_with_the_old_rules_or_the_new():
    """Under traffic that both allow and both deny; whoever comes next adopts what is there."""
    chance = random.Random(1)
    with small_world() as net:
        net.become(world(to_b(0)))
        net.enforcement.close()
        with traffic(net) as measured:
            for _ in range(int(60 * LOAD)):
                child = os.fork()
                if child == 0:
                    change_for_ever(chance.random())
                time.sleep(0.03 + chance.random() * 0.04)
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
        assert (measured.lost, measured.leaked) == (0, 0)
        with Enforcement(SETTINGS) as heir:
            heir.start(world(to_b(1)))
            assert not heir.verify()


def change_for_ever(start):
    """In a child, until it is killed."""
    signal.alarm(60)
    with Enforcement(SETTINGS) as enforcement:
        number = int(start * 30_000)
        enforcement.start(world(to_b(number)))
        while True:
            number += 1
            enforcement.apply(comes(to_b(number)))
            enforcement.tick()


@in_sandbox
def test_a_restart_adopts_what_is_there_and_changes_only_what_differs():
    with small_world() as net:
        net.become(world(to_b(0)))
        net.enforcement.close()
        with Kernel() as kernel:
            before, commits = kernel.read(), kernel.generation()
            with Enforcement(SETTINGS) as same:
                started = same.start(world(to_b(0)))
                assert started.generation == net.enforcement.generation
                assert kernel.generation() == commits, "nothing was written"
            with Enforcement(SETTINGS) as other:
                more = world(
                    to_b(0), pods=(*world().pods.values(), pod("d", [address("10.0.0.4")], name="b"))
                )
                assert other.start(more).generation == net.enforcement.generation + 1
            assert kernel.read().chains.keys() == before.chains.keys()
