"""Running a program of this machine inside a pod: its network, its resolver, its host name; everything else as outside.

A child of the caller enters the lab's namespaces, so terminal, standard input and signals need nobody in between. It ends
when the lab does, however that ends, and with the caller: a program left behind would keep the pod's network alive.
Next: `cli.lab` exits with the status this returns.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from podfence.errors import PodfenceError
from podfence.lab import client, namespaces, protocol
from podfence.lab.client import Client

FAILED, CANNOT_RUN, NOT_FOUND = 125, 126, 127
_SETTLE = 0.05
"""Seconds in which the kernel's log of a denial reaches the lab."""

_FILES = {"nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n"}
"""Names are asked of the pod's server alone: not of a cache or a resolver of the machine, reached by a path."""
_CACHES = ("/run/nscd", "/var/run/nscd", "/run/systemd/resolve")


@dataclass(frozen=True, slots=True)
class Entered:
    """What the lab handed out: descriptors of namespaces, and what the pod's files say."""

    user: int
    network: int
    name: str
    host_name: str
    files: dict[str, str]
    moment: float


def run(name: str | None, end: str, namespace: str, program: Sequence[str]) -> int:
    """The program's exit status. On a terminal a failure is followed by the denial that may explain it."""
    lab = Client(name)
    entered, watched = _ask(lab, end, namespace), lab.connect()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _enter_and_run(lab, entered, program)
    status, ended = _wait(child, watched)
    if ended:
        print("error: the lab ended, and the program with it", file=sys.stderr)
    elif status and sys.stderr.isatty():
        time.sleep(_SETTLE)
        found = client.ask(watched, "denials", since=entered.moment, of=entered.name)["denials"]
        if found:
            print(f"denied  {found[-1]['line']}", file=sys.stderr)
    return status


def _ask(lab: Client, end: str, namespace: str) -> Entered:
    with lab.connect() as asked:
        asked.sendall(protocol.line({"command": "enter", "end": end, "namespace": namespace}))
        found = protocol.descriptors(asked)
        told: dict[str, Any] = client.final(asked)
    if len(found) != 2:
        raise PodfenceError("the lab handed out no namespaces: it may be of another version")
    user, network = found
    return Entered(user, network, told["name"], told["host_name"], told["files"], told["moment"])


def _wait(child: int, lab: socket.socket) -> tuple[int, bool]:
    """The program's status, and whether the lab ended first. Keyboard signals go to the program: it decides what they mean."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGQUIT, signal.SIG_IGN)
    program = os.pidfd_open(child)
    readable, _, _ = select.select([program, lab.fileno()], [], [])
    ended = program not in readable
    if ended:
        signal.pidfd_send_signal(program, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return (code if code >= 0 else 128 - code), ended


def _enter_and_run(lab: Client, entered: Entered, program: Sequence[str]) -> NoReturn:
    """Never returns: either this process becomes the program, or it says why not and exits."""
    status = FAILED
    try:
        _enter(lab, entered)
        # Not before: the kernel forgets this wish with the change of user.
        namespaces.end_with_parent()
        status = _become(program)
    except (OSError, PodfenceError) as error:
        print(f"error: cannot enter {entered.name}: {error}", file=sys.stderr)
    finally:
        sys.stderr.flush()
        os._exit(status)


def _become(program: Sequence[str]) -> int:
    """Returns only when it cannot, with the status a shell would give."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    try:
        # A directory of the path that may not be looked into is no reason for 126: so says every shell.
        found = program[0] if "/" in program[0] else shutil.which(program[0])
        if found is None:
            raise FileNotFoundError
        os.execv(found, list(program))  # noqa: S606  the point of it
    except FileNotFoundError:
        print(f"error: {program[0]}: no such program on this machine", file=sys.stderr)
        return NOT_FOUND
    except OSError as error:
        print(f"error: {program[0]}: {error.strerror}", file=sys.stderr)
        return CANNOT_RUN


def _enter(lab: Client, entered: Entered) -> None:
    here = Path.cwd()
    namespaces.setns(entered.user, namespaces.CLONE_NEWUSER)
    namespaces.setns(entered.network, namespaces.CLONE_NEWNET)
    namespaces.unshare(namespaces.CLONE_NEWNS | namespaces.CLONE_NEWUTS)
    namespaces.set_host_name(entered.host_name[:63])
    namespaces.keep_mounts_private()
    _furnish(lab.directory.path, {**_FILES, **entered.files})
    os.chdir(here)


def _furnish(over: Path, files: dict[str, str]) -> None:
    """Files of the pod's own, in memory and in this mount namespace alone, laid over those of the machine."""
    namespaces.mount("podfence", str(over), "tmpfs")
    for name, content in files.items():
        own = over / name
        own.write_text(content, encoding="utf-8", errors="backslashreplace")
        target = Path("/etc", name).resolve()
        if not target.exists():
            raise PodfenceError(
                f"/etc/{name} does not exist on this machine: create it, so that a pod's can be shown there"
            )
        namespaces.bind(str(own), str(target))
    for cache in _CACHES:
        if Path(cache).is_dir():
            namespaces.mount("podfence", cache, "tmpfs")
