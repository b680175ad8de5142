"""Tracked connections of real flows: listed as they are, marks found and cleared, single ones forgotten."""

import errno
import socket
import time

import pytest

from podfence.netlink import conntrack
from podfence.netlink.codec import NetlinkError
from podfence.netlink.conntrack import Tuple
from podfence.netlink.sockets import NETFILTER, Socket
from sandbox import in_sandbox, run
from topology import packed, pods

TCP, UDP = 6, 17


def track(*rules):
    """Connection tracking in the router, with marks set as `rules` say."""
    run("nft add table inet t")
    run("nft 'add chain inet t c { type filter hook forward priority 0; }'")
    for rule in ("ct state invalid drop", *rules):
        run(f"nft add rule inet t c {rule}")


def listed():
    with Socket(NETFILTER) as nfnetlink:
        return {entry.original.destination_port: entry for entry in conntrack.entries(nfnetlink)}


def send(pod, address, *ports):
    with pod.open(address, socket.SOCK_DGRAM) as sender:
        for port in ports:
            sender.sendto(b"x", (address, port))


@in_sandbox(rootless=True)
@pytest.mark.parametrize("family", ["four", "six"])
def test_a_connection_is_listed_as_both_ends_know_it(family):
    with pods(2) as (a, b):
        track("ct mark set 0x00120080")
        b.serve(80)
        source, destination = getattr(a, family), getattr(b, family)
        with a.open(source) as client:
            client.bind((source, 4000))
            client.connect((destination, 80))
            entry = listed()[80]
        there = Tuple(TCP, packed(source), packed(destination), 4000, 80)
        back = Tuple(TCP, packed(destination), packed(source), 80, 4000)
        assert (entry.original, entry.reply, entry.mark) == (there, back, 0x00120080)
        assert entry.status & conntrack.ASSURED
        assert entry.family == (socket.AF_INET if family == "four" else socket.AF_INET6)


@in_sandbox
def test_a_translated_connection_shows_both_addresses():
    with pods(2) as (a, b):
        track()
        run("nft 'add chain inet t d { type nat hook prerouting priority -100; }'")
        run(f"nft add rule inet t d ip daddr 10.96.0.1 udp dport 53 dnat ip to {b.four}:5353")
        send(a, "10.96.0.1", 53)
        entry = listed()[53]
    assert (entry.original.destination, entry.original.destination_port) == (packed("10.96.0.1"), 53)
    assert (entry.reply.source, entry.reply.source_port) == (packed("10.0.0.2"), 5353)
    assert entry.status & conntrack.DESTINATION_NAT


@in_sandbox
def test_an_icmp_flow_has_no_ports():
    with pods(2) as (a, b):
        track()
        with a.inside(), socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as sender:
            sender.sendto(b"\x08\0\xf7\xff\0\0\0\0", (b.four, 0))
        (entry,) = listed().values()
    assert entry.original == Tuple(1, packed("10.0.0.1"), packed("10.0.0.2"), 0, 0)


@in_sandbox
def test_marks_in_use_are_those_under_the_mask():
    with pods(2) as (a, b):
        track(
            "udp dport 1 ct mark set 0x00010080",
            "udp dport 2 ct mark set 0x00020000",
            "udp dport 3 ct mark set 0x80",
        )
        send(a, b.four, 1, 2, 3, 4)
        assert conntrack.marks_in_use(0xFFFF0000) == {0x00010000, 0x00020000}
        assert conntrack.marks_in_use(0xFF) == {0x80}
        assert conntrack.marks_in_use(0xFF00) == set()
        assert [conntrack.carried(mark << 16, 0xFFFF0000) for mark in (1, 2, 3)] == [True, True, False]


@in_sandbox
@pytest.mark.parametrize("family", ["four", "six"])
def test_the_short_way_to_read_a_tuple_says_what_the_long_way_says(family, monkeypatch):
    with pods(2) as (a, b):
        track()
        send(a, getattr(b, family), 1, 2, 3)
        short = listed()
        monkeypatch.setattr(conntrack, "_SHAPES", {})
        assert listed() == short
        assert set(short) == {1, 2, 3}


@in_sandbox(rootless=True)
def test_clearing_marks_leaves_everybody_elses_bits_alone():
    with pods(2) as (a, b):
        track(
            "udp dport 1 ct mark set 0x00010080",
            "udp dport 2 ct mark set 0x00020000",
            "udp dport 3 ct mark set 0x80",
        )
        send(a, b.four, 1, 2, 3, 4)
        send(a, b.six, 1)
        assert conntrack.clear_marks(0xFFFF0000) == 3
        assert {port: entry.mark for port, entry in listed().items()} == {1: 0x80, 2: 0, 3: 0x80, 4: 0}
        assert conntrack.clear_marks(0xFFFF0000) == 0


@in_sandbox
def test_a_forgotten_connection_is_a_new_flow_at_its_next_packet():
    with pods(2) as (a, b):
        track("ct mark 0 counter ct mark set 1")
        with a.open(b.four, socket.SOCK_DGRAM) as sender:
            for port in (1, 2, 1):
                sender.sendto(b"x", (b.four, port))
            assert "packets 2 " in run("nft list chain inet t c")
            assert conntrack.forget(lambda entry: entry.original.destination_port == 1) == 1
            assert list(listed()) == [2]
            sender.sendto(b"x", (b.four, 1))
        assert "packets 3 " in run("nft list chain inet t c")


@in_sandbox
def test_a_connection_that_ended_meanwhile_is_not_counted_nor_its_successor_touched():
    def end_the_other_way(entry):
        if entry.original.destination_port == 1:
            conntrack.forget(lambda other: other.original.destination_port == 1)
            send(a, b.four, 3)
        return True

    with pods(2) as (a, b):
        track()
        send(a, b.four, 1, 2)
        assert conntrack.forget(end_the_other_way) == 1
        assert list(listed()) == [3]


@in_sandbox
def test_thousands_of_connections_are_listed_and_cleared_quickly():
    with pods(2) as (a, b):
        track("ct mark set 0x00010000")
        send(a, b.four, *range(1, 10_001))
        began = time.process_time()
        assert conntrack.marks_in_use(0xFFFF0000) == {0x10000}
        scanned = time.process_time() - began
        assert len(listed()) == 10_000
        assert conntrack.clear_marks(0xFFFF0000) == 10_000
        assert conntrack.marks_in_use(0xFFFF0000) == set()
    assert scanned < 0.2, f"{scanned:.3f} s for 10,000"


def test_a_change_that_is_refused_is_an_error():
    class Refusing:
        def attempt(self, *changes):
            return [NetlinkError(errno.EPERM)]

    with pytest.raises(NetlinkError, match="tracked connection") as refused:
        conntrack._change(Refusing(), [b"change"])
    assert refused.value.errno == errno.EPERM
