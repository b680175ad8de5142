"""Netlink sockets: requests, dumps, nfnetlink batches and notifications, with the kernel's own words for what it refuses.

A socket belongs to the network namespace in which it was made, whatever its thread does later, and to one thread at a time.
Next: `nft` applies transactions through `Socket.batch`; `routes`, `conntrack` and `notifications` are beside this module.
"""

import errno
import select
import socket
import struct
from array import array
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from podfence.netlink import codec
from podfence.netlink.codec import DONE, DUMP_INTERRUPTED, ERROR, Message, NetlinkError

ROUTE, NETFILTER = 0, 12

_SOL_NETLINK = 270
_CAP_ACK, _EXT_ACK = 10, 11
_SO_ATTACH_FILTER, _INSTRUCTION_SIZE = 26, 8
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33
_ENDS = (ERROR, DONE)
_READ_SIZE = 1 << 16  # dumps are cut by the kernel into at most 32 KiB
_DUMP_ATTEMPTS = 16
_PATIENCE = 60  # seconds; an answer is there when the send returns, unless the kernel is in trouble
_SEND_OVERHEAD = 32  # what netlink_sendmsg() keeps back from the buffer


class Socket:
    """A connection to one netlink protocol; a context manager. One that listens to groups should make no requests.

    `send_limit` is the most that one send may hold: what the kernel grants of `send_buffer`, twice, less its overhead.
    """

    def __init__(
        self, protocol: int, groups: int = 0, *, send_buffer: int = 64 << 20, receive_buffer: int = 8 << 20
    ) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        self._sequence = 0
        try:
            self._prepare(send_buffer, receive_buffer)
            self._socket.bind((0, groups))
        except OSError:
            self._socket.close()
            raise
        self.port: int = self._socket.getsockname()[0]
        self.send_limit = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) - _SEND_OVERHEAD

    def _prepare(self, send_buffer: int, receive_buffer: int) -> None:
        self._socket.setsockopt(_SOL_NETLINK, _CAP_ACK, 1)
        self._socket.setsockopt(_SOL_NETLINK, _EXT_ACK, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", _PATIENCE, 0))
        _enlarge(self._socket, _SO_SNDBUFFORCE, socket.SO_SNDBUF, send_buffer)
        _enlarge(self._socket, _SO_RCVBUFFORCE, socket.SO_RCVBUF, receive_buffer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def request(self, *requests: bytes) -> list[Message]:
        """Send requests in one go and return all they answer; raises the first refusal, whose `index` names the request.

        The kernel carries out the requests after a refused one all the same. A dump must be a request of its own.
        """
        content = b"".join(requests)
        for _ in range(_DUMP_ATTEMPTS):
            try:
                return list(self.stream(content))
            except NetlinkError as error:
                if error.errno != errno.EINTR:
                    raise
        raise NetlinkError(
            errno.EINTR, f"what was listed kept changing, {_DUMP_ATTEMPTS} times in a row; try again"
        )

    def stream(self, requests: bytes) -> Iterator[Message]:
        """The same, an answer at a time: a long dump need not fit into memory, but must be read to its end.

        Raises EINTR at the end when what was listed changed meanwhile, so that the list may have holes.
        """
        changed = 0
        for answer in self._exchange(bytearray(requests)):
            if refused := _refusal(answer):
                raise self._placed(refused)
            changed |= answer.flags & DUMP_INTERRUPTED
            if answer.kind not in _ENDS:
                yield answer
        if changed:
            raise NetlinkError(errno.EINTR, "what was listed changed meanwhile")

    def attempt(self, *requests: bytes) -> list[NetlinkError]:
        """Carry out requests that answer nothing, each on its own, and return what was refused."""
        return [
            refused
            for answer in self._exchange(bytearray(b"".join(requests)))
            if (refused := _refusal(answer))
        ]

    def batch(self, requests: bytes, generation: int | None = None) -> None:
        """Carry out all of `requests` (without begin and end) as one nfnetlink transaction, or none of them."""
        if not requests:
            return
        content = bytearray(codec.batch_begin(generation)) + requests
        for answer in self._exchange(content, codec.batch_end()):
            if refused := _refusal(answer):
                raise self._placed(refused, leading=1)

    def receive(self, timeout: float | None = None) -> list[Message]:
        """The next notifications. TimeoutError when none came in time; ENOBUFS when the kernel had to drop some."""
        return list(codec.messages(self.datagram(timeout)))

    def filter(self, program: bytes) -> None:
        """Let a classic BPF program choose which notifications are queued at all."""
        code = array("B", program)
        address, size = code.buffer_info()
        fprog = struct.pack("@HP", size // _INSTRUCTION_SIZE, address)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, fprog)

    def datagram(self, timeout: float | None = None) -> bytes:
        """The same as the kernel sent it, for readers who decode many at a time."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        if not poll.poll(None if timeout is None else timeout * 1000):
            raise TimeoutError(f"no netlink notification within {timeout} s")
        return self._read()

    def _exchange(self, content: bytearray, trailer: bytes = b"") -> Iterator[Message]:
        """Send, then yield answers up to the one that ends the last request, refusals with their place among the messages."""
        first, last = self._number(content)
        self._send(content + trailer)
        while True:
            for answer in codec.messages(self._answers()):
                if not first <= answer.sequence <= last:
                    continue  # left over from a request that failed
                ends = answer.kind in _ENDS
                yield answer._replace(sequence=answer.sequence - first) if ends else answer
                if ends and answer.sequence == last:
                    return

    def _number(self, content: bytearray) -> tuple[int, int]:
        """Number the messages; numbers start afresh long before they would wrap."""
        first = self._sequence + 1 if self._sequence < 1 << 31 else 1
        count = codec.number(content, first)
        if not count:
            raise ValueError("nothing to send: no whole netlink message")
        self._sequence = first + count - 1
        return first, self._sequence

    def _send(self, content: bytearray) -> None:
        if len(content) > self.send_limit:
            raise NetlinkError(
                errno.EMSGSIZE,
                f"{len(content)} bytes in one send, this socket takes {self.send_limit}; "
                "send less at once, or raise the sysctl net.core.wmem_max",
            )
        self._socket.sendto(content, (0, 0))

    def _read(self) -> bytes:
        """One datagram, if the kernel sent it: what any other sender says counts as empty."""
        content, _, flags, sender = self._socket.recvmsg(_READ_SIZE)
        if flags & socket.MSG_TRUNC:
            raise NetlinkError(errno.EMSGSIZE, f"an answer longer than {_READ_SIZE} bytes was cut")
        return content if sender[0] == 0 else b""

    def _answers(self) -> bytes:
        try:
            return self._read()
        except BlockingIOError:
            raise NetlinkError(errno.ETIMEDOUT, f"the kernel did not answer within {_PATIENCE} s") from None
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
        self._forget()
        raise NetlinkError(errno.ENOBUFS, "more answers than this socket holds; send fewer requests at once")

    def _placed(self, refused: NetlinkError, leading: int = 0) -> NetlinkError:
        """The refusal as its caller counts messages, and nothing left unread behind it."""
        self._forget()
        index = (refused.index or 0) - leading
        refused.index = index if index >= 0 else None
        return refused

    def _forget(self) -> None:
        """Take everything off the queue, and the kernel's note that some did not fit into it."""
        while True:
            try:
                self._socket.recv(_READ_SIZE, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise


def _refusal(answer: Message) -> NetlinkError | None:
    """What an ending answer refuses; `_exchange` has put the place of the message where its number was."""
    if answer.kind not in _ENDS:
        return None
    refused = codec.refusal(answer)
    if refused:
        refused.index = answer.sequence
    return refused


def _enlarge(target: socket.socket, forced: int, plain: int, size: int) -> None:
    """Beyond the system's limit where we may; in a user namespace the kernel refuses that and silently caps the rest."""
    try:
        target.setsockopt(socket.SOL_SOCKET, forced, size)
    except PermissionError:
        target.setsockopt(socket.SOL_SOCKET, plain, size)
