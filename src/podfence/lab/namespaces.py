"""Namespaces without root: a sandbox for this process, network namespaces inside it, and why either cannot be had here.

Everything goes through the calling thread's own credentials and ends with the process. Nothing is written outside:
a namespace is a file descriptor, and the kernel removes it, with its links, when the last one is closed.
Next: `netlink.routes` fills a namespace with links; `lab.trouble` tries all of this and names the remedies.
"""

import ctypes
import errno
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWUSER, CLONE_NEWNET = 0x00020000, 0x04000000, 0x10000000, 0x40000000
_MS_REC, _MS_PRIVATE, _MS_BIND = 0x4000, 0x40000, 0x1000
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_THREAD_NETWORK = "/proc/thread-self/ns/net"


@cache
def _libc() -> ctypes.CDLL:
    """The C library; Python has these calls only from 3.12 on, and never mount or sethostname with its flags."""
    return ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: int | bytes | ctypes.c_ulong | None) -> None:
    if _libc()[name](*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    _call("unshare", flags)


def setns(fd: int, kind: int = 0) -> None:
    _call("setns", fd, kind)


def mount(source: str, target: str, filesystem: str = "", flags: int = 0) -> None:
    _call("mount", source.encode(), target.encode(), filesystem.encode(), ctypes.c_ulong(flags), None)


def bind(source: str, target: str) -> None:
    """Let `target` show `source`, in this mount namespace alone."""
    mount(source, target, flags=_MS_BIND)


def keep_mounts_private() -> None:
    """What is mounted from here on is seen in this mount namespace alone."""
    mount("none", "/", flags=_MS_REC | _MS_PRIVATE)


def set_host_name(name: str) -> None:
    encoded = name.encode()
    _call("sethostname", encoded, len(encoded))


def enter_sandbox() -> None:
    """Move this process into new user, mount, UTS and network namespaces, where it is root and nobody outside notices.

    The process must have one thread only. It cannot come back.
    """
    uid, gid = os.geteuid(), os.getegid()
    unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWNET)
    map_root(uid, gid)
    keep_mounts_private()


def map_root(uid: int, gid: int) -> None:
    """Map the one user and group we are; the kernel wants setgroups denied before it takes a group map from a user."""
    own = Path("/proc/self")
    (own / "setgroups").write_text("deny")
    (own / "uid_map").write_text(f"0 {uid} 1")
    (own / "gid_map").write_text(f"0 {gid} 1")


def allow_own_maps() -> None:
    """After a change of user the kernel hides /proc/self from us, maps included; say that we may be looked at again."""
    _call("prctl", _PR_SET_DUMPABLE, 1, 0, 0, 0)


def end_with_parent() -> None:
    """Be killed when the parent ends, however it ends."""
    _call("prctl", _PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def new_network_namespace() -> int:
    """A fresh network namespace as a file descriptor; this thread is back where it was when it returns."""
    with _kept_network():
        unshare(CLONE_NEWNET)
        return current_network_namespace()


def current_network_namespace() -> int:
    return os.open(_THREAD_NETWORK, os.O_RDONLY | os.O_CLOEXEC)


@contextmanager
def inside(fd: int) -> Iterator[None]:
    """Run the block in the network namespace `fd`, this thread alone; sockets made there stay there."""
    with _kept_network():
        setns(fd, CLONE_NEWNET)
        yield


@contextmanager
def _kept_network() -> Iterator[None]:
    here = current_network_namespace()
    try:
        yield
    finally:
        try:
            setns(here, CLONE_NEWNET)
        finally:
            os.close(here)


def sysctl(name: str, value: int | str) -> None:
    """Set `net/ipv4/ip_forward` and the like in this thread's network namespace (slashes: link names may hold dots)."""
    path = Path("/proc/sys") / name
    try:
        path.write_text(str(value))
    except OSError as error:
        if error.errno not in {errno.EROFS, errno.EACCES}:
            raise
        _write_through_fresh_proc(name, str(value), error)


def _write_through_fresh_proc(name: str, value: str, refused: OSError) -> None:
    """Containers often mount /proc/sys read-only; a /proc of our own shows the same values, where we may have one."""
    try:
        mount("proc", "/proc", "proc")
        (Path("/proc/sys") / name).write_text(value)
    except OSError as error:
        raise OSError(
            refused.errno,
            f"cannot set sysctl {name}: {refused.strerror}, and no /proc of our own ({error.strerror}); "
            "in a container run it with an unmasked, writable /proc (docker: --security-opt systempaths=unconfined)",
        ) from error


def raise_file_limit() -> int:
    """As many open files as we may have: a lab of 1,000 pods holds a few descriptors for each."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most
