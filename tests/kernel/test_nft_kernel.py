"""The kernel's side alone: sockets that take little, other people's tables, readers and packets under way."""

import errno
import os
import signal
import socket
import threading
import time

import pytest

from nft.samples import EVERYTHING, ip
from podfence.netlink import sockets
from podfence.nft.datapath import DatapathError
from podfence.nft.difference import diff
from podfence.nft.grace import wait_for_packets_under_way
from podfence.nft.kernel import Kernel
from podfence.nft.keys import KeyType
from podfence.nft.statements import Address, AddressMap, End, Family
from podfence.nft.table import Chain, Hook, HookPoint, Set, Table
from podfence.nft.transaction import (
    AddChain,
    AddElements,
    DeleteChain,
    DeleteElements,
    ReplaceRules,
    Transaction,
)
from podfence.nft.verdicts import DROP, RETURN, jump
from sandbox import in_sandbox, run

SMALL = 64 << 10


def small_socket():
    """As a stock kernel gives it to a process without privilege, or less."""
    return sockets.Socket(sockets.NETFILTER, send_buffer=SMALL)


def big_table(count=20_000):
    members = dict.fromkeys((0x0A000000 + number).to_bytes(4, "big") for number in range(count))
    return Table.of("podfence", 1, sets=(Set("peers", (KeyType.IPV4,), members),))


@in_sandbox(rootless=True)
def test_what_is_prepared_goes_through_a_small_socket_in_parts():
    with Kernel(socket=small_socket()) as kernel:
        kernel.apply(diff(big_table(), None))
        assert kernel.read() == big_table()
        kernel.apply(diff(EVERYTHING, kernel.read()))
        assert kernel.read() == EVERYTHING


@in_sandbox
def test_a_switch_too_big_for_the_socket_is_refused_whole_and_says_the_way_out():
    peers = big_table().sets["peers"]
    with Kernel(socket=sockets.Socket(sockets.NETFILTER)) as kernel:
        kernel.apply(diff(big_table(0), None))
    stock = sockets.Socket(sockets.NETFILTER)
    stock.send_limit = SMALL
    with Kernel(socket=stock) as kernel:
        with pytest.raises(DatapathError, match=r"switch was refused: .*net\.core\.wmem_max") as refusal:
            kernel.apply(Transaction("podfence", switch=(AddElements(peers.shape(), peers.elements),)))
        assert (refusal.value.number, refusal.value.stale) == (errno.EMSGSIZE, False)
        assert kernel.read() == big_table(0)


@in_sandbox
def test_tables_of_others_stay_as_they_are():
    run("nft add table ip podfence")
    run("nft add table inet other")
    run("nft add chain inet other elsewhere { type filter hook forward priority 0; policy drop; }")
    run("nft add rule inet other elsewhere counter accept")
    before = run("nft list ruleset")
    with Kernel() as kernel:
        kernel.apply(diff(EVERYTHING, None))
        assert kernel.read() == EVERYTHING
        kernel.remove()
    assert run("nft list ruleset") == before


@in_sandbox
def test_counters_tell_what_was_counted():
    with Kernel() as kernel:
        kernel.apply(diff(EVERYTHING, None))
        assert {name: each.packets for name, each in kernel.counters().items()} == {
            "invalid": 0,
            "spoofed": 0,
        }
        run("nft delete counter inet podfence spoofed")
        run("nft add counter inet podfence spoofed { packets 7 bytes 420 }")
        spoofed = kernel.counters()["spoofed"]
        assert (spoofed.packets, spoofed.bytes) == (7, 420)


@in_sandbox
def test_a_table_that_changes_while_it_is_read_is_read_as_it_was_at_one_moment():
    shape = Set("peers", (KeyType.IPV4,), verdicts=True)
    chains = [Chain(f"chain{number}") for number in range(2)]
    states = [
        Table.of("podfence", 1, sets=(Set("peers", (KeyType.IPV4,), elements, verdicts=True),), chains=chains)
        for elements in (
            {(number + base).to_bytes(4, "big"): jump(f"chain{side}") for number in range(2000)}
            for side, base in ((0, 1), (1, 5000))
        )
    ]
    stop = threading.Event()

    def writer():
        with Kernel() as kernel:
            for turn in range(1, 10_000):
                old, new = states[(turn + 1) % 2], states[turn % 2]
                gone = DeleteElements(shape, tuple(old.sets["peers"].elements))
                new_elements = AddElements(shape, new.sets["peers"].elements)
                kernel.apply(Transaction("podfence", switch=(gone, new_elements)))
                if stop.wait(pause):  # a reader that is disturbed each time gives up
                    return

    found = []
    with Kernel() as kernel:
        kernel.apply(diff(states[0], None))
        began = time.monotonic()
        kernel.read()
        pause = max(0.05, 5 * (time.monotonic() - began))
        thread = threading.Thread(target=writer)
        thread.start()
        try:
            while len(found) < 40 or not all(state in found for state in states):
                found.append(kernel.read())
        finally:
            stop.set()
            thread.join()
    assert all(table in states for table in found)


@in_sandbox
def test_where_nobody_can_wait_the_switch_counts_and_nothing_is_retired():
    def refuse():
        raise OSError(errno.EPERM, "membarrier: not permitted")

    with Kernel(grace=refuse) as kernel:
        kernel.apply(diff(EVERYTHING, None))
        wanted = Table.of("podfence", 1, chains=(Chain("output", (), Hook(HookPoint.OUTPUT, -145)),))
        with pytest.raises(DatapathError, match="the switch is in force") as refusal:
            kernel.apply(diff(wanted, EVERYTHING))
        assert not refusal.value.stale
        assert [chain.name for chain in kernel.read().chains.values() if chain.hook] == ["output"]
    with Kernel() as kernel:
        kernel.apply(diff(wanted, kernel.read()))
        assert kernel.read() == wanted


@in_sandbox
def test_waiting_for_packets_under_way_ends_soon():
    start = time.monotonic()
    wait_for_packets_under_way()
    assert time.monotonic() - start < 20


@in_sandbox(seconds=120)
def test_four_thousand_swaps_of_chains_lose_and_leak_nothing():
    """Hazard 1: a new chain is prepared before the element that leads to it, so no packet meets it empty."""
    pods = Set("pods", (KeyType.IPV4,), {ip("127.0.0.1"): jump("chain0")}, verdicts=True)
    base = Chain("output", ((AddressMap(Family.IPV4, End.SOURCE, "pods"),),), Hook(HookPoint.OUTPUT))
    with Kernel() as kernel:
        kernel.apply(diff(Table.of("podfence", 1, sets=(pods,), chains=(generation(0), base)), None))
        sender, results = start_sender()
        for number in range(1, 4001):
            kernel.apply(swap(pods, number))
            if number % 500 == 0:
                kernel.apply(retired(range(number - 500, number)))
        os.kill(sender, signal.SIGTERM)
        allowed, lost, denied, leaked = map(int, os.read(results, 200).split())
        os.waitpid(sender, 0)
        assert list(kernel.read().chains) == ["output", "chain4000"]
    assert (lost, leaked) == (0, 0)
    assert min(allowed, denied) > 5000, "the packets were there to be lost and leaked"


def generation(number):
    return Chain(f"chain{number}", ((Address(End.DESTINATION, ip("127.0.0.2")), RETURN), (DROP,)))


def swap(pods, number):
    chain, pod = generation(number), ip("127.0.0.1")
    return Transaction(
        "podfence",
        prepare=((AddChain(Chain(chain.name)), ReplaceRules(chain)),),
        switch=(DeleteElements(pods, (pod,)), AddElements(pods, {pod: jump(chain.name)})),
    )


def retired(numbers):
    gone = [f"chain{number}" for number in numbers]
    flushed = [ReplaceRules(Chain(name)) for name in gone]
    return Transaction("podfence", retire=((*flushed, *map(DeleteChain, gone)),))


def start_sender():
    """A process that sends one allowed and one denied packet in turn, and counts, until it is told to stop."""
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        return child, reader
    counts = [0, 0, 0, 0]

    def stop(*_):
        os.write(writer, " ".join(map(str, counts)).encode())
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        sending.bind(("127.0.0.1", 0))
        while True:
            counts[0 if passes(sending, "127.0.0.2") else 1] += 1
            counts[3 if passes(sending, "127.0.0.3") else 2] += 1


def passes(sending, address):
    try:
        sending.sendto(b"?", (address, 9))
    except PermissionError:
        return False
    except ConnectionRefusedError:
        pass  # nobody listens, as somebody answered: the packet before this one arrived
    return True
