"""Talking to a lab that runs: find it, ask it, print what went wrong in its own words. Next: `cli.lab`, `exec`."""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from typing import Any

from podfence.errors import PodfenceError
from podfence.lab import protocol
from podfence.lab.directory import Directory, directory, labs
from podfence.lab.protocol import ProtocolError

_PATIENCE = 10.0


class Client:
    """One lab by name; an error says how to start it where it does not run."""

    def __init__(self, name: str | None = None) -> None:
        self.directory = directory(name)

    def connect(self) -> socket.socket:
        try:
            return protocol.connect(self.directory.socket)
        except (FileNotFoundError, ConnectionRefusedError):
            raise PodfenceError(f"no lab {self.directory.name!r} is running{_others()}") from None

    def ask(self, command: str, **request: Any) -> dict[str, Any]:
        """The final answer; a refusal is raised."""
        with self.connect() as asked:
            return ask(asked, command, **request)

    def down(self) -> None:
        """End the lab, and wait until nothing of it is left."""
        watched = _pidfd(self.directory)
        try:
            self.ask("down")
        except (PodfenceError, OSError):
            if watched is None or not self.directory.running():
                raise
            # It does not listen any more; it is still ours to end, and the descriptor names no other process.
            signal.pidfd_send_signal(watched, signal.SIGKILL)
        if watched is not None:
            select.select([watched], [], [], _PATIENCE)
            os.close(watched)
        _await_end(self.directory)


def ask(asked: socket.socket, command: str, **request: Any) -> dict[str, Any]:
    asked.sendall(protocol.line({"command": command, **request}))
    return final(asked)


def final(asked: socket.socket) -> dict[str, Any]:
    try:
        for answer in protocol.answers(asked):
            if error := answer.get("error"):
                raise PodfenceError(error, *answer.get("details", ()))
            if answer.get("done"):
                return answer
    except (ProtocolError, ConnectionResetError) as error:
        raise PodfenceError(f"the lab broke off: {error}") from error
    raise PodfenceError("the lab ended before it answered: podfence lab list says whether it runs")


def _pidfd(found: Directory) -> int | None:
    try:
        return os.pidfd_open(found.pid())
    except (OSError, ValueError):
        return None


def _await_end(found: Directory) -> None:
    """The lock is let go of by the kernel, last of all."""
    until = time.monotonic() + _PATIENCE
    while found.running():
        if time.monotonic() > until:
            raise PodfenceError(f"lab {found.name!r} does not end: see {found.log}")
        time.sleep(0.01)
    found.clear()


def _others() -> str:
    running = [each.name for each in labs()]
    if running:
        return f"; running: {', '.join(running)} (choose with --name)"
    return ": start one with podfence lab up SOURCE"
