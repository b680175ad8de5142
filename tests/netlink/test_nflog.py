"""Logged packets: what the reader says is what was sent, what was lost is counted, and hostile bytes change nothing."""

import os
import re
import socket
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfence.netlink import codec
from podfence.netlink.codec import NetlinkError
from podfence.netlink.nflog import LogReader, Tuning
from podfence.netlink.routes import family_of
from sandbox import in_sandbox, run
from topology import packed, pods

SOON = Tuning(flush_after=0.005)


def log_forwarded(rule, prefix="deny:1:e_2"):
    if "table inet t" not in run("nft list tables"):
        run("nft add table inet t")
        run("nft 'add chain inet t c { type filter hook forward priority 0; }'")
    run(f"""nft 'add rule inet t c {rule} log prefix "{prefix}" group 5 snaplen 96 drop'""")


def read_all(reader, count, seconds=5):
    found, until = [], time.monotonic() + seconds
    while len(found) < count and time.monotonic() < until:
        found += reader.read(0.2)
    return found


@in_sandbox(rootless=True)
@pytest.mark.parametrize("family", ["four", "six"])
def test_a_logged_datagram_is_told_as_it_was_sent(family):
    with pods(2) as (a, b), LogReader(5, SOON) as reader:
        log_forwarded("udp dport 53")
        source, destination = getattr(a, family), getattr(b, family)
        began = time.time()
        with a.open(source, socket.SOCK_DGRAM) as sender:
            sender.bind((source, 4000))
            sender.sendto(b"x" * 200, (destination, 53))
        (logged,) = read_all(reader, 1)
        assert (logged.source, logged.destination) == (packed(source), packed(destination))
        assert (logged.protocol, logged.source_port, logged.destination_port) == (17, 4000, 53)
        assert (logged.prefix, logged.hook, logged.family) == ("deny:1:e_2", 2, 4 if family == "four" else 6)
        assert (logged.in_index, logged.out_index) == (a.index, b.index)
        assert (logged.icmp_type, logged.icmp_code) == (None, None)
        assert began - 0.1 < logged.time < time.time() + 0.1


@in_sandbox
def test_a_ping_is_told_with_its_type():
    with pods(2) as (a, b), LogReader(5, SOON) as reader:
        log_forwarded("meta l4proto { icmp, icmpv6 }")
        ping(a, b.four, socket.IPPROTO_ICMP, b"\x08\0\xf7\xff\0\0\0\0")
        ping(a, b.six, socket.IPPROTO_ICMPV6, b"\x80\0\0\0\0\0\0\0")
        found = [
            (logged.family, logged.protocol, logged.icmp_type, logged.icmp_code)
            for logged in read_all(reader, 2)
        ]
    assert found == [(4, 1, 8, 0), (6, 58, 128, 0)]


def ping(pod, address, protocol, message):
    with pod.inside(), socket.socket(family_of(packed(address)), socket.SOCK_RAW, protocol) as sender:
        sender.sendto(message, (address, 0))


@in_sandbox
def test_packets_of_many_rules_and_hooks_keep_their_own_prefix():
    with pods(2) as (a, b), LogReader(5, SOON) as reader:
        prefixes = [f"{'p' * (port % 7)}{port}" for port in range(100, 140)]
        for port, prefix in zip(range(100, 140), prefixes, strict=True):
            log_forwarded(f"udp dport {port}", prefix)
        run("nft 'add chain inet t o { type filter hook output priority 0; }'")
        run("""nft 'add rule inet t o udp dport 100 log prefix "out" group 5'""")
        with (
            a.open(b.four, socket.SOCK_DGRAM) as sender,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own,
        ):
            for port in range(100, 140):
                sender.sendto(b"x", (b.four, port))
            own.sendto(b"x", (b.four, 100))
        found = read_all(reader, 41)
    assert [(logged.prefix, logged.destination_port) for logged in found] == [
        *zip(prefixes, range(100, 140), strict=True),
        ("out", 100),
    ]
    assert [(logged.hook, logged.in_index) for logged in found[-2:]] == [(2, 101), (3, 0)]


@in_sandbox
def test_what_the_reader_was_too_slow_for_is_counted():
    small = Tuning(flush_after=0.005, receive_buffer=4096)
    with pods(2) as (a, b), LogReader(5, small) as reader:
        log_forwarded("udp dport 53 counter")
        flood(a, b, 5000)
        read = 0
        while read + reader.lost < logged_so_far():
            flood(a, b, 1)  # its number tells how many are missing before it
            read += len(read_all(reader, 1))
        assert reader.overflows >= 1
        assert reader.lost > 0
        assert read + reader.lost == logged_so_far()


def logged_so_far():
    """As the rule itself has counted: a busy machine may drop packets before they come to it."""
    return int(re.search(r"counter packets (\d+)", run("nft list chain inet t c"))[1])


def flood(a, b, count):
    with a.open(b.four, socket.SOCK_DGRAM) as sender:
        sender.connect((b.four, 53))
        for _ in range(count):
            sender.send(b"x")


@in_sandbox
def test_a_group_has_one_reader_and_the_second_is_told():
    with LogReader(5), pytest.raises(NetlinkError, match="group 5 has another reader"):
        LogReader(5)
    LogReader(5).close()


@in_sandbox
def test_a_quiet_log_is_an_empty_answer():
    with LogReader(5) as reader:
        assert reader.read(0.05) == []
        assert (reader.lost, reader.overflows) == (0, 0)


@in_sandbox
def test_a_hundred_thousand_a_second_are_read_without_loss():
    """Counted in the reader's own processor time, the best of some rounds: the sender and others share these cores."""
    with pods(2) as (a, b), LogReader(5) as reader:
        log_forwarded("udp dport 53 counter")
        rounds = [read_while_flooded(a, b, reader) for _ in range(4)]
        assert sum(read for read, _ in rounds) == logged_so_far()
        assert (reader.lost, reader.overflows) == (0, 0)
    best = max(read / took for read, took in rounds)
    assert best > 100_000, f"{best:,.0f} a second"


def read_while_flooded(a, b, reader, count=15_000):
    """How many, and in how many seconds of ours."""
    child = os.fork()
    if child == 0:
        flood(a, b, count)
        os._exit(0)
    began = time.process_time()
    read = len(read_all(reader, count, seconds=10))
    took = time.process_time() - began
    os.waitpid(child, 0)
    return read, took


class Deaf(LogReader):
    """The decoding alone."""

    def __init__(self):
        self.lost = self.overflows = 0
        self._expected = None
        self._layouts = {}


def message(packet, prefix=b"p\0", sequence=1, link=4):
    parts = (
        codec.attr(1, b"\x08\0\x02\0"),
        codec.attr(10, prefix),
        codec.be32(link, 5),
        codec.attr(3, struct.pack(">QQ", 1000, 500_000)),
        codec.be32(12, sequence),
        codec.attr(9, packet),
    )
    return codec.message(0x400, 0, 0, codec.nfgen(2) + b"".join(parts))


PACKET = bytes.fromhex("4500001c000000004011 0000 0a000001 0a000002 0fa0 0035 0008 0000".replace(" ", ""))


def test_the_time_is_the_kernels_where_it_says_so():
    (logged,) = Deaf()._decode(message(PACKET))
    assert (logged.time, logged.in_index, logged.out_index, logged.destination_port) == (1000.5, 5, 0, 53)


def test_messages_of_one_length_and_another_layout_are_told_apart():
    forwarded, sent = Deaf()._decode(message(PACKET) + message(PACKET, link=5, sequence=2))
    assert (forwarded.in_index, forwarded.out_index) == (5, 0)
    assert (sent.in_index, sent.out_index) == (0, 5)


def test_sequence_gaps_are_losses_also_where_the_numbers_wrap():
    reader = Deaf()
    for sequence in (0xFFFFFFFE, 0xFFFFFFFF, 2, 3):
        reader._decode(message(PACKET, sequence=sequence))
    assert reader.lost == 2


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=12), st.integers(0, 250))
def test_no_datagram_raises(changes, cut):
    whole = bytearray(message(PACKET) + message(PACKET, b"other\0"))
    for at, value in changes:
        if at < len(whole):
            whole[at] = value
    reader = Deaf()
    reader._decode(message(PACKET))
    found = reader._decode(bytes(whole)[: len(whole) - cut])
    assert len(found) <= 16
    assert all(logged.family in {0, 4, 6} for logged in found)


@given(st.binary(max_size=96))
def test_packets_of_any_content_are_one_entry_each(packet):
    (first, second) = Deaf()._decode(message(packet) + message(PACKET, sequence=2))
    assert second.destination_port == 53
    assert first.prefix == "p"
