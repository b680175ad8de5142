"""A router with pods behind it, for tests that need real packets: use it inside `in_sandbox`.

    with pods(2) as (a, b):
        b.serve(80)
        assert a.connects(b.four, 80)
        with a.inside():
            run("ip route")

The router is the sandbox's own network, forwarding both families; pod n has 10.0.0.n and fd00::n, and `pod<n>` on the router.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from podfence.lab import namespaces
from podfence.netlink import routes
from podfence.netlink.readiness import settle
from podfence.netlink.routes import End, Route
from podfence.netlink.sockets import ROUTE, Socket

GATEWAY_MAC = bytes.fromhex("020000000001")
GATEWAY_FOUR, GATEWAY_SIX = "169.254.1.1", "fe80::1"


def packed(address: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


@dataclass
class Pod:
    number: int
    namespace: int
    listening: list[socket.socket] = field(default_factory=list)

    @property
    def four(self) -> str:
        return f"10.0.0.{self.number}"

    @property
    def six(self) -> str:
        return f"fd00::{self.number}"

    @property
    def index(self) -> int:
        """Of its link on the router."""
        return 100 + self.number

    @property
    def mac(self) -> bytes:
        return bytes((2, 1, 0, 0, 0, self.number))

    def inside(self):
        return namespaces.inside(self.namespace)

    def open(self, address: str, kind: int = socket.SOCK_STREAM) -> socket.socket:
        """A socket of this pod, of the family of `address`, that gives up after a second."""
        with self.inside():
            made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
        made.settimeout(1)
        return made

    def serve(self, port: int, kind: int = socket.SOCK_STREAM) -> socket.socket:
        """Listen on both families."""
        made = self.open("::", kind)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(("::", port))
        if kind == socket.SOCK_STREAM:
            made.listen()
        self.listening.append(made)
        return made

    def connects(self, address: str, port: int, timeout: float = 0.5) -> bool:
        with self.open(address) as client:
            client.settimeout(timeout)
            return client.connect_ex((address, port)) == 0


@contextmanager
def pods(count: int) -> Iterator[tuple[Pod, ...]]:
    made = tuple(Pod(number, namespaces.new_network_namespace()) for number in range(1, count + 1))
    for name in ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"):
        namespaces.sysctl(name, 1)
    with Socket(ROUTE) as router:
        routes.apply(router, [message for pod in made for message in _on_the_router(pod)])
    for pod in made:
        with pod.inside(), Socket(ROUTE) as own:
            routes.apply(own, _in_the_pod(pod))
    _settle(made)
    try:
        yield made
    finally:
        for pod in made:
            os.close(pod.namespace)
            for listener in pod.listening:
                listener.close()


def _settle(made: tuple[Pod, ...]) -> None:
    """Wait for all once all are there: each alone would be waited for in turn."""
    with Socket(ROUTE) as router:
        settle(router, [pod.index for pod in made])
    for pod in made:
        with pod.inside(), Socket(ROUTE) as own:
            settle(own, [2], [packed(pod.four), packed(pod.six)])


def _on_the_router(pod: Pod) -> list[bytes]:
    near = End(f"pod{pod.number}", pod.index, mac=GATEWAY_MAC)
    far = End("eth0", 2, pod.namespace, pod.mac)
    four, six = packed(pod.four), packed(pod.six)
    return [
        routes.veth(near, far),
        routes.add_route(Route(four, 32, pod.index)),
        routes.add_route(Route(six, 128, pod.index)),
        routes.neighbour(pod.index, four, pod.mac),
        routes.neighbour(pod.index, six, pod.mac),
    ]


def _in_the_pod(pod: Pod) -> list[bytes]:
    return [
        routes.set_up(routes.LOOPBACK),
        routes.set_up(2),
        routes.address(2, packed(pod.four), 32),
        routes.address(2, packed(pod.six), 128),
        routes.neighbour(2, packed(GATEWAY_FOUR), GATEWAY_MAC),
        routes.neighbour(2, packed(GATEWAY_SIX), GATEWAY_MAC),
        routes.add_route(Route(bytes(4), 0, 2, via=packed(GATEWAY_FOUR))),
        routes.add_route(Route(bytes(16), 0, 2, via=packed(GATEWAY_SIX))),
    ]
