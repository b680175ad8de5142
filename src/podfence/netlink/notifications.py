"""Who changed nftables: one value for each transaction of somebody else, so that a node can look at its own table again.

Our own transactions are dropped by a filter in the kernel, before they are queued: a node that writes 10,000 elements does
not read 10,000 notifications. Next: `node` repairs what a `Change` says may be damaged.
"""

import errno
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from podfence.netlink import codec
from podfence.netlink.codec import Message
from podfence.netlink.sockets import NETFILTER, Socket

_GROUP_NFTABLES = 7
_NEW_GENERATION = codec.NFNL_SUBSYS_NFTABLES << 8 | 15
_GENERATION, _PROCESS, _PROGRAM = 1, 2, 3
_TABLE_NAME = 1
_FAMILY_HEADER = 4
_BE32 = struct.Struct(">I")
_INSTRUCTION = struct.Struct("=HBBI")
_LOAD_WORD, _JUMP_EQUAL, _RETURN = 0x20, 0x15, 0x06
_PORT_OFFSET = 12  # in the header of a message


@dataclass(frozen=True, slots=True)
class Change:
    """One transaction. `tables` is None when the kernel had to drop notifications: then anything may have changed."""

    tables: frozenset[str] | None
    generation: int = 0
    pid: int = 0
    program: str = ""

    def may_touch(self, table: str) -> bool:
        return self.tables is None or table in self.tables


class Watch:
    """The transactions in the namespace where it was made, but those of the sockets it is told to ignore; a context manager."""

    def __init__(self, *ours: Socket, receive_buffer: int = 4 << 20) -> None:
        self._tables: set[str] = set()
        self._ignored: list[int] = []
        self._socket = Socket(NETFILTER, 1 << _GROUP_NFTABLES - 1, receive_buffer=receive_buffer)
        for own in ours:
            self.ignore(own)

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

    def ignore(self, own: Socket) -> None:
        """Never report what `own` writes from now on. A process id would not do: inside a container it is another one."""
        self._ignored.append(own.port)
        self._socket.filter(_accept_all_but(self._ignored))

    def read(self, timeout: float | None = None) -> list[Change]:
        """The next transaction, and those told in the same breath; none when nothing came in time."""
        found: list[Change] = []
        while not found:  # a long transaction takes several datagrams, and its end is already on the way
            try:
                messages = self._socket.receive(timeout)
            except TimeoutError:
                return []
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                return [Change(None)]
            found = [change for each in messages if (change := self._follow(each))]
        return found

    def _follow(self, message: Message) -> Change | None:
        """A transaction is told object by object, and its generation ends it."""
        found = dict(codec.attributes(message.payload[_FAMILY_HEADER:]))
        if message.kind != _NEW_GENERATION:
            self._tables.add(codec.read_text(found[_TABLE_NAME]))
            return None
        tables, self._tables = frozenset(self._tables), set()
        return Change(
            tables, _number(found[_GENERATION]), _number(found[_PROCESS]), codec.read_text(found[_PROGRAM])
        )


def _number(content: memoryview) -> int:
    return int(_BE32.unpack(content)[0])


def _accept_all_but(ports: Sequence[int]) -> bytes:
    """A classic BPF program: load the port of the writer from the first message, compare, keep all of it or none."""
    load = _INSTRUCTION.pack(_LOAD_WORD, 0, 0, _PORT_OFFSET)
    compared = (
        _INSTRUCTION.pack(_JUMP_EQUAL, len(ports) - at, 0, socket.htonl(port))
        for at, port in enumerate(ports)
    )
    return (
        load
        + b"".join(compared)
        + _INSTRUCTION.pack(_RETURN, 0, 0, 0xFFFFFFFF)
        + _INSTRUCTION.pack(_RETURN, 0, 0, 0)
    )
