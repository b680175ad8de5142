"""A topology made real: network namespaces, links, addresses and routes, while pods come and go.

A namespace is held by a file descriptor of this process and by nothing else, so the end of the process, however it comes,
ends all of it. Every message goes to a namespace that was made here. Next: `listeners` open sockets in these namespaces.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from podfence.lab import namespaces
from podfence.lab.topology import OUTSIDE, Place, Station, Topology, difference
from podfence.model.address import Address, address
from podfence.netlink import routes
from podfence.netlink.routes import End, Route
from podfence.netlink.sockets import ROUTE, Socket

LINK = "veth"
"""What the router's end of every pod's link begins with; enforcement knows local pods by it."""

GATEWAY = {4: address("169.254.1.1"), 6: address("fe80::1")}
_BEYOND = {4: address("169.254.1.3"), 6: address("fe80::3")}
"""The gateway of nodes and hosts: a node takes no word from an address that is its own."""
_VOICE = address("100::1")
"""What the outside says with that there is no such place; a link-local address would not be forwarded (RFC 6666)."""
_UPLINK = {4: address("169.254.1.2"), 6: address("fe80::2")}
_ROUTER_MAC, _STATION_MAC = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
_INDEX = 1000
"""The index of a station's own link: above those the kernel may give to tunnels it makes by itself."""
_CHUNK = 400
_ANYWHERE = {4: bytes(4), 6: bytes(16)}


class Router:
    """A namespace that forwards. Its socket stays inside, so changing it costs no switch."""

    def __init__(self, addresses: tuple[Address, ...], gateway: Mapping[int, Address]) -> None:
        self.addresses = addresses
        self.gateway = gateway
        self.namespace = namespaces.new_network_namespace()
        self.links: dict[Place, int] = {}
        self._last = _INDEX
        with namespaces.inside(self.namespace):
            self.socket = Socket(ROUTE)
            namespaces.sysctl("net/ipv4/ip_forward", 1)
            for scope in ("all", "default"):
                namespaces.sysctl(f"net/ipv4/conf/{scope}/send_redirects", 0)
            _prepare_ipv6(forwarding=True)
        self.socket.request(routes.set_up(routes.LOOPBACK))

    def next_index(self) -> int:
        self._last += 1
        return self._last

    def source(self, family: int) -> bytes:
        """What the router calls itself towards its stations: a node's own address, not the gateway's."""
        return next((found for found in self.addresses if found.family == family), b"")

    def close(self) -> None:
        self.socket.close()
        os.close(self.namespace)


class Fabric:
    """All namespaces of a lab. `change` is the whole of it: from what there is to what there shall be."""

    def __init__(self) -> None:
        self.topology = Topology()
        self._outside = Router((), _BEYOND)
        self._outside.socket.request(routes.address(routes.LOOPBACK, _VOICE, 128))
        self._nodes: dict[Place, Router] = {}
        self._stations: dict[Place, int] = {}

    def namespace(self, place: Place) -> int:
        """The file descriptor of a namespace. KeyError for what is not (or no longer) there."""
        if place == OUTSIDE:
            return self._outside.namespace
        node = self._nodes.get(place)
        return node.namespace if node else self._stations[place]

    @contextmanager
    def inside(self, place: Place) -> Iterator[None]:
        with namespaces.inside(self.namespace(place)):
            yield

    def change(self, wanted: Topology) -> None:
        steps = difference(self.topology, wanted)
        for station in steps.gone:
            self._remove(station)
        for station in steps.nodes_gone:
            self._remove_node(station)
        for station in steps.nodes_come:
            self._add_node(station)
        for station in steps.come:
            self._add(station)
        self._route_outside(station for station in steps.come if station.router != OUTSIDE)
        self.topology = wanted

    def close(self) -> None:
        for router in (self._outside, *self._nodes.values()):
            router.close()
        for fd in self._stations.values():
            os.close(fd)

    def _router(self, place: Place) -> Router:
        return self._outside if place == OUTSIDE else self._nodes[place]

    def _add_node(self, station: Station) -> None:
        router = self._nodes[station.place] = Router(station.addresses, GATEWAY)
        self._link(self._outside, station, router.namespace)
        self._furnish(router.namespace, _as_node(station))

    def _remove_node(self, station: Station) -> None:
        self._unlink(self._outside, station.place)
        self._nodes.pop(station.place).close()

    def _add(self, station: Station) -> None:
        fd = self._stations[station.place] = namespaces.new_network_namespace()
        with namespaces.inside(fd):
            _prepare_ipv6(forwarding=False)
        router = self._router(station.router)
        self._link(router, station, fd)
        self._furnish(fd, _as_station(station, router.gateway))

    def _remove(self, station: Station) -> None:
        self._unlink(self._router(station.router), station.place)
        os.close(self._stations.pop(station.place))
        if station.router != OUTSIDE:
            node = self._outside.links.get(station.router)
            found = [] if node is None else [_through(node, each) for each in station.addresses]
            _send(self._outside.socket, (routes.delete_route(route) for route in found))

    def _link(self, router: Router, station: Station, fd: int) -> None:
        index = router.links[station.place] = router.next_index()
        near = End(f"{LINK}{index - _INDEX}", index, mac=_ROUTER_MAC)
        router.socket.request(
            routes.veth(near, End("eth0", _INDEX, fd, _STATION_MAC)),
            *_router_side(router, index, station),
        )

    def _unlink(self, router: Router, place: Place) -> None:
        router.socket.request(routes.delete_link(router.links.pop(place)))

    def _furnish(self, fd: int, messages: Iterable[bytes]) -> None:
        with namespaces.inside(fd), Socket(ROUTE, send_buffer=1 << 16, receive_buffer=1 << 16) as station:
            station.request(routes.set_up(routes.LOOPBACK), routes.set_up(_INDEX), *messages)

    def _route_outside(self, stations: Iterable[Station]) -> None:
        """The outside knows behind which node each pod is."""
        through = (
            routes.add_route(_through(self._outside.links[station.router], each))
            for station in stations
            for each in station.addresses
        )
        _send(self._outside.socket, through)


def _prepare_ipv6(*, forwarding: bool) -> None:
    """No addresses of the kernel's own making: they would speak, and be logged, before anyone asked them to."""
    if not Path("/proc/sys/net/ipv6").exists():
        return
    namespaces.sysctl("net/ipv6/conf/default/addr_gen_mode", 1)
    if forwarding:
        namespaces.sysctl("net/ipv6/conf/all/forwarding", 1)


def _router_side(router: Router, index: int, station: Station) -> Iterator[bytes]:
    """Neighbours are permanent: the kernel's table of others is shared by all namespaces and holds about 1,000."""
    for family in (4, 6):
        yield routes.address(index, router.gateway[family], 32 if family == 4 else 128)
        yield routes.neighbour(index, _UPLINK[family], _STATION_MAC)
    for each in station.addresses:
        yield routes.neighbour(index, each, _STATION_MAC)
        yield routes.add_route(Route(each, 8 * len(each), index, source=router.source(each.family)))


def _as_station(station: Station, gateway: Mapping[int, Address]) -> Iterator[bytes]:
    for each in station.addresses:
        yield routes.address(_INDEX, each, 8 * len(each))
    for family in sorted({each.family for each in station.addresses}):
        yield from _default_route(gateway[family])


def _as_node(station: Station) -> Iterator[bytes]:
    """A node forwards for pods of both families, whichever it has itself."""
    for each in station.addresses:
        yield routes.address(_INDEX, each, 8 * len(each))
    for family in (4, 6):
        yield routes.address(_INDEX, _UPLINK[family], 32 if family == 4 else 128)
        yield from _default_route(
            _BEYOND[family], next((a for a in station.addresses if a.family == family), b"")
        )


def _default_route(gateway: Address, source: bytes = b"") -> Iterator[bytes]:
    yield routes.neighbour(_INDEX, gateway, _ROUTER_MAC)
    yield routes.add_route(Route(_ANYWHERE[gateway.family], 0, _INDEX, gateway, source))


def _through(index: int, pod: Address) -> Route:
    return Route(pod, 8 * len(pod), index, _UPLINK[pod.family])


def _send(socket: Socket, messages: Iterable[bytes]) -> None:
    pending = list(messages)
    for start in range(0, len(pending), _CHUNK):
        socket.request(*pending[start : start + _CHUNK])
