"""Why a lab cannot run on this machine, and what would let it: found by trying, in a forked child that ends.

Nothing is guessed from versions or files; those are only asked to name the remedy once something has failed.
Next: `lab up` prints these before it builds anything, and the tests skip on them.
"""

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

from podfence.lab import namespaces
from podfence.netlink import codec, routes
from podfence.netlink.sockets import NETFILTER, ROUTE, Socket

_NEW_TABLE, _INET = codec.NFNL_SUBSYS_NFTABLES << 8, 1
_GET_CONNTRACK = 1 << 8 | 1
_BIND_LOG = 4 << 8 | 1


def trouble() -> list[str]:
    """One line for each thing in the way, remedy included; an empty list when a lab can run here."""
    if sys.platform != "linux":
        return [
            f"network namespaces are Linux only, this is {sys.platform}: run the lab in a Linux VM or container"
        ]
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _report(writer)
    os.close(writer)
    with os.fdopen(reader) as report:
        found = report.read().splitlines()
    _, status = os.waitpid(child, 0)
    return found if found or status == 0 else [f"trying it in a child process ended with status {status}"]


def _report(writer: int) -> None:
    """Write what is in the way and leave without running anything of the parent's."""
    status = 1
    try:
        os.write(writer, "\n".join(_try_everything()).encode())
        status = 0
    finally:
        os._exit(status)


def _try_everything() -> list[str]:
    try:
        namespaces.enter_sandbox()
    except OSError as error:
        return [f"no user namespace: {error}. {_user_namespace_remedy(error)}"]
    found = (_attempt(attempt, what) for attempt, what in _ATTEMPTS)
    return [line for line in found if line]


def _attempt(attempt: Callable[[], None], what: str) -> str:
    try:
        attempt()
    except OSError as error:
        return f"{what}: {error}"
    return ""


def _make_namespace() -> None:
    os.close(namespaces.new_network_namespace())


def _make_links() -> None:
    with Socket(ROUTE) as rtnetlink:
        rtnetlink.request(routes.veth(routes.End("podfence0", 100), routes.End("podfence1", 101)))


def _make_table() -> None:
    table = codec.message(_NEW_TABLE, codec.CREATE, 0, codec.nfgen(_INET) + codec.text(1, "podfence"))
    with Socket(NETFILTER) as nfnetlink:
        nfnetlink.batch(table)


def _list_connections() -> None:
    with Socket(NETFILTER) as nfnetlink:
        nfnetlink.request(codec.message(_GET_CONNTRACK, codec.DUMP, 0, codec.nfgen(0)))


def _bind_log() -> None:
    with Socket(NETFILTER) as nfnetlink:
        nfnetlink.request(codec.message(_BIND_LOG, 0, 0, codec.nfgen(0, 1) + codec.u8(1, 1)))


def _set_forwarding() -> None:
    namespaces.sysctl("net/ipv4/ip_forward", 1)


_ATTEMPTS = (
    (_make_namespace, "no more network namespaces (as root: sysctl -w user.max_net_namespaces=10000)"),
    (_make_links, "no veth links (as root: modprobe veth; kernel option CONFIG_VETH)"),
    (
        _make_table,
        "no nftables (as root: modprobe nf_tables; kernel options CONFIG_NF_TABLES, CONFIG_NF_TABLES_INET)",
    ),
    (_list_connections, "no connection tracking (as root: modprobe nf_conntrack_netlink)"),
    (_bind_log, "no packet log (as root: modprobe nfnetlink_log)"),
    (_set_forwarding, "no forwarding"),
)


def _user_namespace_remedy(error: OSError) -> str:
    """Which of the usual switches is off; what is left when none is, is a container's filter."""
    for name, off, remedy in _SWITCHES:
        if _read_sysctl(name) == off:
            return remedy
    if error.errno == errno.EINVAL:
        return "The kernel lacks CONFIG_USER_NS, or this process already has more than one thread"
    return (
        "In a container its filter forbids it: docker run --privileged, or --security-opt seccomp=unconfined "
        "--security-opt apparmor=unconfined; in Kubernetes securityContext.seccompProfile.type: Unconfined"
    )


_SWITCHES = (
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        (
            "AppArmor restricts it; as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, "
            "or give this Python a profile with the rule `userns,`"
        ),
    ),
    ("kernel/unprivileged_userns_clone", "0", "As root: sysctl -w kernel.unprivileged_userns_clone=1"),
    ("user/max_user_namespaces", "0", "As root: sysctl -w user.max_user_namespaces=10000"),
    ("user/max_net_namespaces", "0", "As root: sysctl -w user.max_net_namespaces=10000"),
)


def _read_sysctl(name: str) -> str:
    """The value, or nothing where this kernel does not know the switch."""
    path = Path("/proc/sys") / name
    return path.read_text().strip() if path.exists() else ""
