"""How a lab is spoken to: JSON lines over its socket, one request a connection, any number of answers, the last one final.

An answer may carry file descriptors: that is how `lab exec` gets hold of a pod's namespaces.
Requests are `{"command": …}`; answers end with `{"done": true, …}` or `{"error": …, "details": […]}`.
Next: `client` asks, `daemon` answers.
"""

from __future__ import annotations

import array
import asyncio
import os
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

MOST_DESCRIPTORS = 4
_READ = 1 << 16
_LONGEST = 1 << 28


class ProtocolError(Exception):
    """The other side said something that is no answer."""


def line(message: Any) -> bytes:
    return msgspec.json.encode(message) + b"\n"


def read_line(content: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise ProtocolError(f"not a line of JSON: {error}") from error
    return found


def at(path: Path) -> tuple[int, str]:
    """A socket's address that is short however long the path is: through a descriptor of its directory, to be closed."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    return folder, f"/proc/self/fd/{folder}/{path.name}"


def connect(path: Path) -> socket.socket:
    folder, short = at(path)
    made = socket.socket(socket.AF_UNIX)
    try:
        made.connect(short)
    except OSError:
        made.close()
        raise
    finally:
        os.close(folder)
    return made


def listen(path: Path) -> socket.socket:
    folder, short = at(path)
    made = socket.socket(socket.AF_UNIX)
    try:
        made.bind(short)
        path.chmod(0o600)
        made.listen(64)
    finally:
        os.close(folder)
    made.setblocking(False)
    return made


class Connection:
    """The daemon's side of one request."""

    def __init__(self, accepted: socket.socket) -> None:
        self._socket = accepted
        self._socket.setblocking(False)
        self._loop = asyncio.get_running_loop()

    async def request(self) -> dict[str, Any]:
        parts: list[bytes] = []
        size = 0
        while not parts or not parts[-1].endswith(b"\n"):
            part = await self._loop.sock_recv(self._socket, _READ)
            size += len(part)
            if not part or size > _LONGEST:
                raise ProtocolError("the request ended before its line did")
            parts.append(part)
        return read_line(b"".join(parts))

    async def say(self, message: Any) -> None:
        await self._loop.sock_sendall(self._socket, line(message))

    def pass_on(self, descriptors: Sequence[int]) -> None:
        """One byte that carries descriptors; the line that explains them comes behind it."""
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
        self._socket.sendmsg([b"\0"], rights)

    async def closed(self) -> None:
        """Wait until the asker has gone away."""
        while await self._loop.sock_recv(self._socket, _READ):
            continue

    def close(self) -> None:
        self._socket.close()


def answers(asked: socket.socket) -> Iterator[dict[str, Any]]:
    """The asker's side: lines as they come, until the daemon closes."""
    with asked.makefile("rb") as lines:
        for found in lines:
            yield read_line(found)


def descriptors(asked: socket.socket) -> list[int]:
    """The descriptors that `pass_on` sent, or none where an error came instead: its line is then still unread."""
    if asked.recv(1, socket.MSG_PEEK) != b"\0":
        return []
    _, found, _, _ = socket.recv_fds(asked, 1, MOST_DESCRIPTORS)
    return list(found)
