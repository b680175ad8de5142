"""Waits until every packet that was under way has left the rules.

A packet goes through the chains inside one read-side section of the kernel (RCU). Between the switch and the
removal of what it made unreachable such a section must end everywhere, else a packet that was just about to
jump finds the chain empty and returns from it as if it were allowed.
Next: `kernel.py` calls this before it retires anything.
"""

import errno
import os

_MEMBARRIER = {"x86_64": 324, "aarch64": 283}
_COMMAND_GLOBAL = 1  # the kernel's synchronize_rcu() by another name


def wait_for_packets_under_way() -> None:
    """A few milliseconds; needs no privilege."""
    import ctypes

    machine = os.uname().machine
    if machine not in _MEMBARRIER:
        raise OSError(errno.ENOSYS, f"membarrier is not known on {machine}, only on amd64 and arm64")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(_MEMBARRIER[machine], _COMMAND_GLOBAL, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"membarrier: {os.strerror(number)}")
