"""The wire format: what is written can be read, and what is cut or forged is an error, never a wrong value."""

import contextlib
import errno
import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfence.netlink import codec
from podfence.netlink.codec import NetlinkError

kinds = st.integers(0, codec.KIND_MASK)


@given(st.lists(st.tuples(kinds, st.binary(max_size=40))))
def test_attributes_read_back_as_they_were_written(pairs):
    written = b"".join(codec.attr(kind, payload) for kind, payload in pairs)
    assert [(kind, bytes(payload)) for kind, payload in codec.attributes(written)] == pairs


@given(st.lists(st.tuples(st.integers(0, 65535), st.integers(0, 2**32 - 1), st.binary(max_size=40))))
def test_messages_read_back_as_they_were_written(triples):
    written = b"".join(codec.message(kind, 5, sequence, payload) for kind, sequence, payload in triples)
    assert [(m.kind, m.sequence, bytes(m.payload)) for m in codec.messages(written)] == triples


@given(st.binary(max_size=64))
def test_reading_any_bytes_ends_with_values_or_a_netlink_error(hostile):
    for read in (codec.attributes, codec.messages):
        with contextlib.suppress(NetlinkError):
            assert sum(len(item[-1]) for item in read(hostile)) <= len(hostile)


@pytest.mark.parametrize("hostile", [b"\x03\0\x01\0", b"\x09\0\x01\0abcd"])
def test_an_attribute_with_an_impossible_length_is_an_error(hostile):
    with pytest.raises(NetlinkError) as refused:
        list(codec.attributes(hostile))
    assert refused.value.errno == errno.EBADMSG


@pytest.mark.parametrize("length", [15, 17])
def test_a_message_with_an_impossible_length_is_an_error(length):
    with pytest.raises(NetlinkError) as refused:
        list(codec.messages(struct.pack("=IHHII", length, 1, 0, 0, 0)))
    assert refused.value.errno == errno.EBADMSG


def test_a_nested_attribute_is_flagged_and_reads_as_its_kind():
    written = codec.nested(3, codec.be32(1, 7))
    assert struct.unpack_from("=HH", written) == (12, 3 | codec.NESTED)
    ((kind, inner),) = codec.attributes(written)
    assert kind == 3
    assert [(k, bytes(p)) for k, p in codec.attributes(inner)] == [(1, b"\0\0\0\7")]


def test_an_attribute_too_long_for_its_length_field_is_refused_by_name():
    with pytest.raises(ValueError, match="attribute 9"):
        codec.attr(9, bytes(65532))
    assert len(codec.attr(9, bytes(65531))) == 65536


def test_a_name_with_a_zero_byte_is_refused_because_the_kernel_would_cut_it():
    with pytest.raises(ValueError, match="zero byte"):
        codec.text(1, "policy\0other")


def test_numbering_asks_for_one_acknowledgement_of_the_last_request():
    buffer = bytearray(
        codec.message(16, 0, 0, b"abc") + codec.message(17, codec.ACK, 0, b"") + codec.message(18, 0, 0, b"")
    )
    assert codec.number(buffer, 40) == 3
    numbered = list(codec.messages(buffer))
    assert [m.sequence for m in numbered] == [40, 41, 42]
    assert [bool(m.flags & codec.ACK) for m in numbered] == [False, False, True]
    assert all(m.flags & codec.REQUEST for m in numbered)


def test_a_refusal_carries_the_kernels_words_and_the_offset():
    explained = codec.text(1, "no such chain") + codec.u32(2, 36)
    payload = struct.pack("=i", -errno.ENOENT) + bytes(codec.HEADER) + explained
    answer = codec.Message(codec.ERROR, codec.ACK_CAPPED | codec.ACK_ATTRIBUTES, 1, memoryview(payload))
    refused = codec.refusal(answer)
    assert (refused.errno, refused.text, refused.offset) == (errno.ENOENT, "no such chain", 36)
    assert "no such chain" in str(refused)
    assert isinstance(refused, OSError)


def test_a_zero_acknowledgement_is_no_refusal():
    answer = codec.Message(codec.ERROR, 0, 1, memoryview(bytes(20)))
    assert codec.refusal(answer) is None


@given(st.lists(st.binary(min_size=1, max_size=20)), st.integers(1, 60))
def test_chunks_keep_every_request_in_order_and_fit(requests, limit):
    cut = list(codec.chunks(requests, limit))
    assert [each for chunk in cut for each in chunk] == requests
    assert all(sum(map(len, chunk)) <= limit or len(chunk) == 1 for chunk in cut)
    assert all(sum(map(len, chunk)) + len(after[0]) > limit for chunk, after in itertools.pairwise(cut))
