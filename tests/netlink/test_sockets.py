"""Sockets against the real kernel: refusals in its words, the largest send, dumps, notifications."""

import errno
import struct

import pytest

from podfence.netlink import codec, routes
from podfence.netlink.codec import NetlinkError
from podfence.netlink.sockets import NETFILTER, ROUTE, Socket
from sandbox import in_sandbox, run

NEW_TABLE, NEW_CHAIN, INET = 0xA00, 0xA03, 1


def table(name):
    return codec.message(NEW_TABLE, codec.CREATE, 0, codec.nfgen(INET) + codec.text(1, name))


def chain(table_name, name):
    content = codec.nfgen(INET) + codec.text(1, table_name) + codec.text(3, name)
    return codec.message(NEW_CHAIN, codec.CREATE, 0, content)


@in_sandbox
def test_a_batch_is_carried_out_as_a_whole():
    with Socket(NETFILTER) as nfnetlink:
        nfnetlink.batch(table("one") + table("two"))
    assert run("nft list tables") == "table inet one\ntable inet two\n"


@in_sandbox
def test_a_refused_batch_changes_nothing_and_says_which_message_it_was():
    with Socket(NETFILTER) as nfnetlink:
        with pytest.raises(NetlinkError) as refused:
            nfnetlink.batch(table("one") + chain("missing", "c") + table("two"))
        assert (refused.value.errno, refused.value.index) == (errno.ENOENT, 1)
        assert run("nft list tables") == ""
        nfnetlink.batch(table("after"))
    assert run("nft list tables") == "table inet after\n"


@in_sandbox
def test_a_batch_for_an_older_generation_is_refused():
    with Socket(NETFILTER) as nfnetlink:
        nfnetlink.batch(table("one"))
        with pytest.raises(NetlinkError) as refused:
            nfnetlink.batch(table("two"), generation=1)
    assert refused.value.errno == errno.ERESTART


@in_sandbox
def test_a_request_that_the_kernel_explains_carries_its_words():
    with Socket(ROUTE) as rtnetlink, pytest.raises(NetlinkError) as refused:
        rtnetlink.request(routes.set_up(1), routes.add_route(routes.Route(bytes(4), 0, 99)))
    assert refused.value.index == 1
    assert refused.value.errno == errno.ENODEV


@in_sandbox(rootless=True)
@pytest.mark.parametrize("buffer", [4096, 106_496, 64 << 20])
def test_send_limit_is_the_largest_batch_the_kernel_takes(buffer):
    with Socket(NETFILTER, send_buffer=buffer) as nfnetlink:
        frame = len(codec.batch_begin()) + len(codec.batch_end())
        assert nfnetlink.send_limit < 16 << 20
        nfnetlink.batch(filled(nfnetlink.send_limit - frame))
        over = filled(nfnetlink.send_limit - frame + 4)
        with pytest.raises(NetlinkError, match="wmem_max") as refused:
            nfnetlink.batch(over)
        assert refused.value.errno == errno.EMSGSIZE
        nfnetlink.send_limit += 4
        with pytest.raises(OSError, match="Message too long"):
            nfnetlink.batch(over)


def filled(size):
    """Tables of exactly `size` bytes in all; the last name is as long as it takes."""
    plain = table("full" * 8)
    whole = size // len(plain) - 2
    return plain * whole + table("x" * (size - whole * len(plain) - 25))


@in_sandbox
def test_a_dump_returns_every_entry():
    wanted = {f"t{n}" for n in range(2000)}
    with Socket(NETFILTER) as nfnetlink:
        nfnetlink.batch(b"".join(map(table, wanted)))
        found = nfnetlink.request(codec.message(0xA01, codec.DUMP, 0, codec.nfgen(INET)))
    assert {codec.read_text(dict(codec.attributes(m.payload[4:]))[1]) for m in found} == wanted


@in_sandbox
def test_many_failing_requests_leave_a_socket_that_still_works():
    with Socket(ROUTE, receive_buffer=4096) as rtnetlink:
        with pytest.raises(OSError, match=r"No such device|No buffer space"):
            rtnetlink.request(*[routes.set_up(99)] * 2000)
        assert [link.name for link in routes.links(rtnetlink)] == ["lo"]


@in_sandbox
def test_receive_gives_up_in_time():
    with Socket(NETFILTER, groups=1 << 6) as notified, pytest.raises(TimeoutError):
        notified.receive(timeout=0.05)


@in_sandbox
def test_an_answer_that_the_kernel_did_not_send_is_not_believed():
    forged = codec.message(codec.ERROR, 0, 1, struct.pack("=i", -errno.EPERM) + bytes(codec.HEADER))
    with Socket(NETFILTER) as nfnetlink, Socket(NETFILTER) as forger:
        forger._socket.sendto(forged, (nfnetlink.port, 0))
        nfnetlink.batch(table("one"))
    assert run("nft list tables") == "table inet one\n"


class Scripted(Socket):
    """A socket whose kernel says what it is told to say; each answer is for the newest request."""

    def __init__(self, *answers):
        self.answers, self.sent = list(answers), 0
        self._sequence, self.send_limit = 0, 1 << 20

    def _send(self, content):
        self.sent += 1

    def _read(self):
        kind, flags, payload = self.answers.pop(0)
        return codec.message(kind, flags, self._sequence, payload)

    def _forget(self):
        self.answers.clear()


LIST = codec.message(0xA01, codec.DUMP, 0, codec.nfgen(INET))
ENTRY, END = (0xA00, 0, b"entry"), (codec.DONE, 0, bytes(4))
HOLED = (0xA00, codec.DUMP_INTERRUPTED, b"holed")


def test_a_dump_that_changed_meanwhile_is_asked_again():
    scripted = Scripted(HOLED, END, ENTRY, END)
    assert [bytes(answer.payload) for answer in scripted.request(LIST)] == [b"entry"]
    assert scripted.sent == 2


def test_a_change_told_only_at_the_end_of_a_dump_counts_too():
    scripted = Scripted(ENTRY, (codec.DONE, codec.DUMP_INTERRUPTED, bytes(4)), END)
    assert scripted.request(LIST) == []


def test_a_dump_that_keeps_changing_is_an_error():
    with pytest.raises(NetlinkError, match="kept changing") as refused:
        Scripted(*[HOLED, END] * 50).request(LIST)
    assert refused.value.errno == errno.EINTR


def test_an_error_at_the_end_of_a_dump_is_raised():
    with pytest.raises(NetlinkError) as refused:
        Scripted(ENTRY, (codec.DONE, 0, struct.pack("=i", -errno.ENOMEM))).request(LIST)
    assert refused.value.errno == errno.ENOMEM


def test_a_kernel_that_does_not_answer_is_an_error_in_time():
    class Silent(Scripted):
        def _read(self):
            raise BlockingIOError

    with pytest.raises(NetlinkError, match="did not answer") as refused:
        Silent().request(LIST)
    assert refused.value.errno == errno.ETIMEDOUT


def test_an_answer_to_an_earlier_or_a_later_request_is_passed_over():
    class Stray(Scripted):
        def _read(self):
            kind, flags, payload, shift = self.answers.pop(0)
            return codec.message(kind, flags, self._sequence + shift, payload)

    stray = Stray((0xA00, 0, b"early", -1), (0xA00, 0, b"later", 1), (*ENTRY, 0), (*END, 0))
    assert [bytes(answer.payload) for answer in stray.request(LIST)] == [b"entry"]


def test_sending_nothing_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="nothing to send"):
        Scripted().request()
