"""A real listener on every port, TCP and UDP, all served by this one process.

A socket stays in the network namespace where it was made, so one loop answers for a thousand pods. What arrives from a probe
is told to the probe and answered no further. `listening` says what shall listen; `Listeners` makes it so.
Next: `probes` measures who reaches them.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from podfence.lab.answers import BANNER, BODY, Speech
from podfence.lab.conversation import Answer, Conversation
from podfence.lab.network import Fabric
from podfence.lab.topology import Place, Topology, host_place
from podfence.model.address import MAPPED_PREFIX, Address, address
from podfence.model.cluster import ContainerPort, Pod, Snapshot
from podfence.model.ports import Protocol

_PAUSE = 1.0
_BACKLOG = 4096
_DATAGRAM = 65535

Key = tuple[Place, Protocol, int]


@dataclass(frozen=True, slots=True)
class Listener:
    """One port of one pod or external host. `names`: a domain name server answers here."""

    place: Place
    addresses: tuple[Address, ...]
    protocol: Protocol
    port: int
    speech: Speech
    names: bool = False

    @property
    def key(self) -> Key:
        return (self.place, self.protocol, self.port)

    @property
    def title(self) -> str:
        return f"{self.speech.name} {self.protocol} {self.port}"


LISTENED = (Protocol.TCP, Protocol.UDP)


def of_pod(snapshot: Snapshot, topology: Topology, pod: Pod, name_ports: frozenset[int]) -> list[Listener]:
    """Every container port that can be listened to; `name_ports` are those where its clients ask for names."""
    addresses = snapshot.node_addresses(pod.node) if pod.host_network else pod.addresses
    ports = {(port.protocol, port.number) for port in pod.ports}
    ports |= {(protocol, number) for number in name_ports for protocol in LISTENED}
    return [
        Listener(topology.home(pod), addresses, protocol, number, _speech(pod, number), number in name_ports)
        for protocol, number in sorted(ports)
        if protocol in LISTENED
    ]


def of_host(address: Address, ports: Iterable[ContainerPort]) -> list[Listener]:
    """An external host is known by its address, and answers wherever policies might lead."""
    speech = Speech(str(address))
    return [
        Listener(host_place(address), (address,), port.protocol, port.number, speech)
        for port in ports
        if port.protocol in LISTENED
    ]


def _speech(pod: Pod, port: int) -> Speech:
    said = pod.annotations
    return Speech(pod.title, said.get(f"{BODY}{port}"), said.get(f"{BANNER}{port}"))


class Listeners:
    """The open sockets. `arrived` is asked first, with (listener, sender's address, sender's port): True takes it away."""

    def __init__(
        self, fabric: Fabric, arrived: Callable[[Listener, Address, int], bool], names: Answer
    ) -> None:
        self._fabric = fabric
        self._arrived = arrived
        self._names = names
        self._open: dict[Key, _Open] = {}
        self.problems: dict[Key, str] = {}

    def wanted(self) -> Mapping[Key, Listener]:
        return {key: opened.listener for key, opened in self._open.items()}

    def close(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self.problems.pop(key, None)
            if opened := self._open.pop(key, None):
                opened.close()

    def open(self, listener: Listener) -> None:
        key = listener.key
        try:
            with self._fabric.inside(listener.place):
                sockets = _sockets(listener)
        except OSError as error:
            self.problems[key] = f"{listener.title}: {error.strerror}"
            return
        self._open[key] = _Open(listener, sockets, self._arrived, self._names)


def _sockets(listener: Listener) -> list[socket.socket]:
    """TCP on every address of the namespace; UDP on each by itself, so that answers leave from the address asked."""
    if listener.protocol == Protocol.TCP:
        return [_listening(listener.port)]
    return [_bound(each, listener.port) for each in listener.addresses]


def _listening(port: int) -> socket.socket:
    """Both families where the kernel has both."""
    if socket.has_dualstack_ipv6():
        return socket.create_server(
            ("::", port), family=socket.AF_INET6, backlog=_BACKLOG, dualstack_ipv6=True
        )
    return socket.create_server(("", port), backlog=_BACKLOG)


def _bound(at: Address, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET if at.family == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
    made.bind((str(at), port))
    return made


def sender(peer: tuple[str, int]) -> tuple[Address, int]:
    """Address and port as the packet carried them: a socket of both families shows IPv4 as IPv6."""
    found = address(peer[0].partition("%")[0])
    short = Address(found[12:]) if len(found) == 16 and found.startswith(MAPPED_PREFIX) else found
    return short, peer[1]


class _Open:
    """The sockets of one listener and the connections they accepted."""

    def __init__(
        self,
        listener: Listener,
        sockets: list[socket.socket],
        arrived: Callable[[Listener, Address, int], bool],
        names: Answer,
    ) -> None:
        self.listener = listener
        self._sockets = sockets
        self._arrived = arrived
        self._names = names
        self._loop = asyncio.get_running_loop()
        self.connections: set[asyncio.Transport] = set()
        self._tasks: set[asyncio.Task[object]] = set()
        for each in sockets:
            each.setblocking(False)
            self._watch(each)

    def _watch(self, each: socket.socket) -> None:
        if each.fileno() >= 0:
            read = self._accept if self.listener.protocol == Protocol.TCP else self._receive
            self._loop.add_reader(each, read, each)

    def close(self) -> None:
        for each in self._sockets:
            self._loop.remove_reader(each)
            each.close()
        for connection in tuple(self.connections):
            connection.abort()

    def _accept(self, listening: socket.socket) -> None:
        try:
            made, peer = listening.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError:
            # Out of descriptors: the queue stays readable, so rest instead of spinning.
            self._loop.remove_reader(listening)
            self._loop.call_later(_PAUSE, self._watch, listening)
            return
        if self._arrived(self.listener, *sender(peer)):
            made.close()
            return
        made.setblocking(False)
        self._converse(made)

    def _converse(self, made: socket.socket) -> None:
        started = self._loop.connect_accepted_socket(self._conversation, made)
        task = self._loop.create_task(started)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _conversation(self) -> Conversation:
        names = self._names if self.listener.names else None
        return Conversation(self.listener.speech, self.connections, names)

    def _receive(self, bound: socket.socket) -> None:
        try:
            arrived, peer = bound.recvfrom(_DATAGRAM)
            if self._arrived(self.listener, *sender(peer)):
                return
            answer = self._names(arrived, False) if self.listener.names else self.listener.speech.line
            if answer is not None:
                bound.sendto(answer, peer)
        except OSError:
            # An unreachable sender, or a full queue: a datagram may be lost, which is what datagrams are.
            return
