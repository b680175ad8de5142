"""Where labs leave word of themselves: one private directory for each, with its socket, lock and log.

A lab is running as long as somebody holds its lock; the kernel lets go of it whatever way the daemon ends, so what a dead
daemon left behind is recognised and cleared. Next: `client` finds labs here, `daemon` lives here.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from podfence.errors import PodfenceError, UsageError

DEFAULT_NAME = "lab"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,49}")
_LOCK, _SOCKET, _LOG, _PID = "lock", "socket", "log", "pid"


@dataclass(frozen=True, slots=True)
class Directory:
    """The directory of one lab."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def socket(self) -> Path:
        return self.path / _SOCKET

    @property
    def log(self) -> Path:
        return self.path / _LOG

    def take(self) -> int | None:
        """The lock as a descriptor, or None while somebody runs this lab. It lasts as long as the descriptor."""
        self.path.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        if os.fstat(lock).st_nlink == 0:
            # Somebody cleared the directory between our opening the lock and taking it.
            os.close(lock)
            return self.take()
        return lock

    def running(self) -> bool:
        """Whether a daemon is alive; never waits."""
        try:
            lock = os.open(self.path / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def write_pid(self) -> None:
        (self.path / _PID).write_text(f"{os.getpid()}\n")

    def pid(self) -> int:
        return int((self.path / _PID).read_text())

    def clear(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


def root(environment: Mapping[str, str] = os.environ) -> Path:
    """The directory of this user's labs: made where it is not there, refused where it is not ours alone."""
    given = environment.get("XDG_RUNTIME_DIR")
    path = Path(given, "podfence") if given else Path(tempfile.gettempdir(), f"podfence-{os.geteuid()}")
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        _require_ours(path)
    except FileNotFoundError:
        raise PodfenceError(
            f"{path.parent} does not exist: unset XDG_RUNTIME_DIR, or set it to a directory"
        ) from None
    return path


def _require_ours(path: Path) -> None:
    """Under a directory that all may write to, somebody else may have been first."""
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise PodfenceError(
            f"{path} is not a directory of yours alone: remove it, or set XDG_RUNTIME_DIR to one that is"
        )


def directory(name: str | None = None) -> Directory:
    """The directory of a lab by name: as given, else `$PODFENCE_LAB`, else `lab`."""
    chosen = name or os.environ.get("PODFENCE_LAB") or DEFAULT_NAME
    if not _NAME.fullmatch(chosen):
        raise UsageError(f"{chosen!r} cannot name a lab: letters, digits, '.', '_' and '-', at most 50")
    return Directory(root() / chosen)


def labs() -> list[Directory]:
    """The labs that run, by name. What dead ones left is cleared on the way."""
    found = [Directory(path) for path in sorted(root().iterdir()) if path.is_dir()]
    for each in found:
        if not each.running():
            _clear_if_dead(each)
    return [each for each in found if each.running()]


def _clear_if_dead(found: Directory) -> None:
    """Only with its lock in hand: somebody may be starting it this moment."""
    if (lock := found.take()) is not None:
        found.clear()
        os.close(lock)
