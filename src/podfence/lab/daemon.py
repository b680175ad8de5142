"""The process that is a lab. It holds every namespace and every listener; when it ends, nothing of the lab is left.

It is forked by `lab up`, so that it begins with what `up` has read. Next: `client` talks to it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

from podfence.errors import PodfenceError
from podfence.lab import namespaces, protocol, requests, telling
from podfence.lab.desired import Desired
from podfence.lab.directory import Directory
from podfence.lab.protocol import Connection, ProtocolError
from podfence.lab.running import Hosts, Running


@dataclass(frozen=True, slots=True)
class Order:
    """What to run. `until_exit`: the lab ends with that process."""

    directory: Directory
    lock: int
    desired: Desired
    hosts: Hosts = field(default_factory=dict)
    until_exit: int | None = None


def launch(order: Order) -> Iterator[dict[str, Any]]:
    """Fork the daemon; what it says until it is up, line by line."""
    reader, writer = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    if os.fork() == 0:
        _become_daemon(order, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as lines:
        for line in lines:
            yield json.loads(line)


def _become_daemon(order: Order, report: int) -> NoReturn:
    """Never returns: what the parent would do at its end is the parent's alone."""
    status = 1
    try:
        os.setsid()
        _leave_the_terminal(order, report)
        order.directory.write_pid()
        namespaces.enter_sandbox()
        namespaces.raise_file_limit()
        asyncio.run(_Daemon(order, report).run())
        status = 0
    except PodfenceError as error:
        _say(report, {"error": error.message, "details": list(error.details)})
    except BaseException as error:  # noqa: BLE001  the log is all that is left to tell
        traceback.print_exc()
        _say(report, {"error": f"the lab could not run: {error}", "details": [f"see {order.directory.log}"]})
    finally:
        sys.stderr.flush()
        os._exit(status)


def _leave_the_terminal(order: Order, report: int) -> None:
    """Keep nothing of the caller's open: not its terminal, and no pipe that somebody waits on."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    log, nothing = os.open(order.directory.log, flags, 0o600), os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    first, second = sorted((report, order.lock))
    for begin, end in ((3, first), (first + 1, second), (second + 1, os.sysconf("SC_OPEN_MAX"))):
        os.closerange(begin, end)
    os.chdir("/")


def _say(report: int, message: dict[str, Any]) -> None:
    """To whoever waits for the lab to be up; who has gone away misses nothing."""
    try:
        os.write(report, json.dumps(message).encode() + b"\n")
    except BrokenPipeError:
        return


class _Daemon:
    def __init__(self, order: Order, report: int) -> None:
        self._order = order
        self._report = report
        self._end = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end.set)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self._watch_process()
        running = Running(self._order.hosts)
        unreached = await running.start(self._order.desired)
        self._order.directory.socket.unlink(missing_ok=True)
        listening = protocol.listen(self._order.directory.socket)
        accepting = loop.create_task(self._accept(listening, running))
        self._announce(running, unreached)
        await self._end.wait()
        accepting.cancel()
        self._order.directory.clear()
        running.close()

    def _watch_process(self) -> None:
        """A pidfd becomes readable when its process ends, whatever way."""
        if self._order.until_exit is None:
            return
        try:
            watched = os.pidfd_open(self._order.until_exit)
        except ProcessLookupError:
            raise PodfenceError(f"--until-exit {self._order.until_exit}: there is no such process") from None
        asyncio.get_running_loop().add_reader(watched, self._end.set)

    def _announce(self, running: Running, unreached: list[str]) -> None:
        problems = sorted(running.listeners.problems.values())
        told = {"unreached": unreached, "problems": problems, "notes": telling.notes(running)}
        _say(
            self._report,
            {"done": True, **telling.counts(running.snapshot), **told, "try": telling.something(running)},
        )
        os.close(self._report)

    async def _accept(self, listening: Any, running: Running) -> None:
        loop = asyncio.get_running_loop()
        while True:
            accepted, _ = await loop.sock_accept(listening)
            task = loop.create_task(self._serve(Connection(accepted), running))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: Connection, running: Running) -> None:
        try:
            request = await connection.request()
            if request.get("command") == "down":
                await connection.say({"done": True})
                self._end.set()
                return
            await connection.say(await requests.answer(running, request, connection))
        except (ProtocolError, OSError) as error:
            print(f"a request came to nothing: {error}", file=sys.stderr, flush=True)
        except Exception:  # noqa: BLE001  one request must not end the lab: the asker and the log are told
            traceback.print_exc()
            await connection.say({"error": f"this is a fault of podfence: see {self._order.directory.log}"})
        finally:
            connection.close()
