"""Run a test inside a fresh user, mount, UTS and network namespace, as root or as anyone else.

    from sandbox import in_sandbox

    @in_sandbox
    def test_a_dropped_packet_is_counted(): ...

    @in_sandbox(seconds=20, rootless=True)
    @pytest.mark.parametrize("family", [4, 6])
    def test_it_works_without_root(family, tmp_path): ...

The body runs in a forked child, which is root of an empty network (loopback up) and may make namespaces, links and tables
at will: all of it disappears with the child. `rootless=True` gives up real root first, as on a laptop:
files of other users are closed, so import what you need at the top. In every sandbox socket buffers end at the system's
limit. `topology.pods` puts a router and pods into it. Fixtures and parameters work as usual, but are made
before the child and outside its namespaces. What the child prints is captured; its failure is shown with its own
traceback; when `seconds` are over it is killed with everything it started. Where the machine has no user namespaces the
test is skipped with the remedy, in CI (variable CI) it fails. `in_child(function)` does the same for a plain
function and returns its value. Commands of this machine (ip, nft, curl) run inside through `run("nft list ruleset")`.
"""

import functools
import os
import pickle
import selectors
import shlex
import signal
import subprocess
import sys
import time
import traceback
import warnings
from collections.abc import Callable

import pytest

from podfence.lab import namespaces
from podfence.lab.trouble import trouble
from podfence.netlink import routes

NOBODY = 65534
LIMIT = 60.0


def in_sandbox(test=None, *, seconds=LIMIT, rootless=False):
    """Decorate a test so that its body runs in a sandbox of its own; see the module."""
    if test is None:
        return functools.partial(in_sandbox, seconds=seconds, rootless=rootless)

    @functools.wraps(test)
    def sandboxed(*args, **kwargs):
        __tracebackhide__ = True
        require_sandbox()
        return in_child(lambda: test(*args, **kwargs), seconds=seconds, rootless=rootless)

    return pytest.mark.kernel(sandboxed)


def in_child(function: Callable, *, seconds=LIMIT, rootless=False):
    """The value of `function()`, called in a forked child inside a new sandbox."""
    __tracebackhide__ = True
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the child runs no other thread's code
        child = os.fork()
    if child == 0:
        os.close(reader)
        _run_and_leave(function, writer, rootless)
    os.close(writer)
    try:
        answer = _read_all(reader, seconds)
    finally:
        os.close(reader)
        _end(child)
    return _outcome(answer, seconds)


def run(command: str, *, check=True, seconds=20) -> str:
    """What a command prints; its standard error is part of the failure when it ends with one."""
    ended = subprocess.run(
        shlex.split(command),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if check and ended.returncode:
        raise AssertionError(f"{command}: exit {ended.returncode}: {ended.stderr or ended.stdout}")
    return ended.stdout


def drop_root() -> None:
    """Become nobody for good, still able to write our own maps in /proc."""
    if os.geteuid() != 0:
        return
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    namespaces.allow_own_maps()


@functools.cache
def _trouble() -> tuple[str, ...]:
    return tuple(trouble())


def require_sandbox() -> None:
    __tracebackhide__ = True
    if not _trouble():
        return
    reason = "no sandbox here: " + "; ".join(_trouble())
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def _run_and_leave(function, writer, rootless) -> None:
    """Never returns: what pytest does at its end is the parent's alone."""
    os.setsid()
    try:
        if rootless:
            drop_root()
        namespaces.enter_sandbox()
        routes.raise_loopback()
        answer = pickle.dumps(("value", function()))
    except pytest.skip.Exception as skipped:
        answer = pickle.dumps(("skipped", str(skipped)))
    except BaseException:  # noqa: BLE001 - the parent raises it again, nothing is swallowed
        answer = pickle.dumps(("failed", traceback.format_exc()))
    sys.stdout.flush()
    sys.stderr.flush()
    with os.fdopen(writer, "wb") as pipe:
        pipe.write(len(answer).to_bytes(8, "big") + answer)
    os._exit(0)


def _read_all(reader: int, seconds: float) -> bytes | None:
    """What the child says when it is done; None when that is not in time, empty when it died.

    The length comes first: what the child started may hold the pipe open longer than the child itself.
    """
    answer, until = b"", time.monotonic() + seconds
    with selectors.DefaultSelector() as ready:
        ready.register(reader, selectors.EVENT_READ)
        while ready.select(max(0.0, until - time.monotonic())):
            part = os.read(reader, 1 << 16)
            answer += part
            if not part or len(answer) == 8 + int.from_bytes(answer[:8], "big"):
                return answer[8:]
    return None


def _end(child: int) -> None:
    """The child leads a session of its own, so its process group is what it started."""
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _outcome(answer: bytes | None, seconds: float):
    __tracebackhide__ = True
    if answer is None:
        pytest.fail(f"the sandbox did not end within {seconds:g} s", pytrace=False)
    if not answer:
        pytest.fail("the sandbox died without a word", pytrace=False)
    kind, value = pickle.loads(answer)
    if kind == "skipped":
        pytest.skip(value)
    if kind == "failed":
        pytest.fail(f"inside the sandbox:\n{value}", pytrace=False)
    return value
