"""What is read of a packet: right for every shape that passes a firewall, and never an exception."""

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfence.netlink import packets
from podfence.netlink.packets import UNREADABLE, Header

FOUR = (bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2)))
SIX = (socket.inet_pton(socket.AF_INET6, "fd00::1"), socket.inet_pton(socket.AF_INET6, "fd00::2"))
PORTS = struct.pack(">HH", 4000, 80) + bytes(16)


def four(protocol, payload, *, options=b"", fragment=0):
    header = struct.pack(">BBHHHBBH", 0x45 + len(options) // 4, 0, 0, 0, fragment, 64, protocol, 0)
    return header + FOUR[0] + FOUR[1] + options + payload


def six(protocol, payload):
    return struct.pack(">IHBB", 6 << 28, len(payload), protocol, 64) + SIX[0] + SIX[1] + payload


def extension(following, words=0):
    return bytes((following, words)) + bytes(6 + 8 * words)


def fragment(following, offset):
    return struct.pack(">BBHI", following, 0, offset << 3 | 1, 1)


def read(packet):
    return packets.read(b"\xff" * 3 + packet + b"\xff" * 60, 3, 3 + len(packet))


@pytest.mark.parametrize("protocol", [6, 17, 33, 132, 136])
def test_ports_are_read_of_every_protocol_that_has_them(protocol):
    assert read(four(protocol, PORTS)) == Header(protocol, *FOUR, 4000, 80)
    assert read(six(protocol, PORTS)) == Header(protocol, *SIX, 4000, 80)


def test_icmp_has_a_type_and_a_code_and_no_ports():
    assert read(four(1, b"\x08\x01\0\0")) == Header(1, *FOUR, None, None, 8, 1)
    assert read(six(58, b"\x80\x03\0\0")) == Header(58, *SIX, None, None, 128, 3)


def test_a_protocol_without_ports_has_none():
    assert read(four(47, PORTS)) == Header(47, *FOUR)


def test_ip_options_are_skipped():
    assert read(four(6, PORTS, options=bytes(40))) == Header(6, *FOUR, 4000, 80)


@pytest.mark.parametrize("flags", [1, 185, 0x1FFF])
def test_a_later_fragment_has_no_ports(flags):
    assert read(four(17, PORTS, fragment=flags)) == Header(17, *FOUR)
    assert read(six(44, fragment(17, flags) + PORTS)) == Header(17, *SIX)


def test_a_first_fragment_has_ports():
    assert read(four(17, PORTS, fragment=0x2000)) == Header(17, *FOUR, 4000, 80)
    assert read(six(44, fragment(17, 0) + PORTS)) == Header(17, *SIX, 4000, 80)


@pytest.mark.parametrize("kind", [0, 43, 60, 135, 139, 140])
def test_extension_headers_are_skipped(kind):
    assert read(six(kind, extension(6) + PORTS)) == Header(6, *SIX, 4000, 80)
    assert read(six(kind, extension(0, 2) + extension(6) + PORTS)) == Header(6, *SIX, 4000, 80)


def test_an_authentication_header_counts_in_words_of_its_own():
    assert read(six(51, bytes((6, 4)) + bytes(22) + PORTS)) == Header(6, *SIX, 4000, 80)


def test_a_chain_of_extensions_that_is_cut_has_no_protocol():
    assert read(six(0, extension(0) + extension(0, 200))) == Header(None, *SIX)
    assert read(six(0, extension(0) * 40)) == Header(None, *SIX)


@pytest.mark.parametrize(
    "packet", [b"", b"\x45", four(6, b"")[:19], six(6, b"")[:39], b"\x00" * 60, b"\x75" * 60]
)
def test_what_is_not_a_whole_header_is_unreadable(packet):
    assert read(packet) == UNREADABLE


def test_ports_that_were_cut_off_are_none():
    assert read(four(6, b"\x0f\xa0\0")) == Header(6, *FOUR)
    assert read(four(1, b"\x08")) == Header(1, *FOUR)


def test_an_ip_header_shorter_than_itself_has_no_ports():
    assert read(b"\x44" + four(6, PORTS)[1:]) == Header(6, *FOUR)


@given(st.binary(max_size=120), st.sampled_from([b"", b"\x45", b"\x4f", b"\x60"]))
def test_no_packet_raises_or_is_read_beyond_its_end(tail, head):
    packet = head + tail
    assert read(packet) == packets.read(packet, 0, len(packet))
