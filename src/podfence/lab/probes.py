"""Measuring with real packets who reaches whom: each probe is one packet with a source port of its own.

*Allowed*: it arrived at the listener. *Denied*: our own drop log shows that very packet. Anything else is an *error*, with its
reason. The source port ties the three together, so many probes can be under way at once. Next: `matrix` shows the answers.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from podfence.lab.listeners import Listener
from podfence.lab.network import Fabric
from podfence.lab.topology import Place
from podfence.model.address import Address
from podfence.model.flow import Flow
from podfence.model.ports import Protocol

ALLOWED, DENIED, ERROR = "allowed", "denied", "error"

PATIENCE = 2.5
"""Seconds until a packet that neither arrived nor was logged is an error; long enough for one retransmission."""
AT_ONCE = 512
_AGAIN = 0.5
_PORTS = range(10000, 30000)
"""Below the ports that programs get by themselves, so that a probe is never taken for one of theirs."""
_NO_LINGER = struct.pack("@ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Probe:
    """One packet to send: from a namespace and address, to an address and port. `at`: whose listener it should reach.

    `rewritten`: it goes through a Service, so it may arrive at any of several, from a translated source.
    """

    place: Place
    source: Address
    destination: Address
    protocol: Protocol
    port: int
    at: frozenset[str]
    rewritten: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """What became of a probe; `reason` only where it is an error. `reached`: where it was seen, Services translated."""

    verdict: str
    reason: str = ""
    reached: tuple[Address, int] | None = None


@dataclass(slots=True)
class _Flying:
    probe: Probe
    socket: socket.socket
    outcome: asyncio.Future[Measured]


class Prober:
    """Sends probes and learns from listeners (`arrived`) and from the drop log (`dropped`) what became of them."""

    def __init__(self, fabric: Fabric) -> None:
        self._fabric = fabric
        self._flying: dict[tuple[Protocol, int], _Flying] = {}
        self._next = 0
        self._turn = asyncio.Lock()

    def arrived(self, listener: Listener, source: Address, port: int) -> bool:
        """Whether what just came to a listener is a probe; if so its question is answered."""
        flying = self._flying.get((listener.protocol, port))
        if flying is None or not (flying.probe.rewritten or flying.probe.source == source):
            return False
        where = listener.speech.name
        family = flying.probe.destination.family
        reached = next(((each, listener.port) for each in listener.addresses if each.family == family), None)
        right = where in flying.probe.at
        _settle(
            flying, Measured(ALLOWED if right else ERROR, "" if right else f"arrived at {where}", reached)
        )
        return True

    def dropped(self, flow: Flow, port: int) -> bool:
        """Whether a packet in the drop log, from this source port, is a probe; if so its question is answered."""
        flying = self._flying.get((flow.protocol, port))
        if flying is None or flying.probe.source != flow.source or flow.port is None:
            return False
        if not flying.probe.rewritten and flying.probe.destination != flow.destination:
            return False
        _settle(flying, Measured(DENIED, reached=(flow.destination, flow.port)))
        return True

    async def measure(self, probes: Sequence[Probe]) -> list[Measured]:
        """The outcome of each probe, in order. Two callers take turns, not ports from each other."""
        found: list[Measured] = []
        async with self._turn:
            for start in range(0, len(probes), AT_ONCE):
                found += await self._measure(probes[start : start + AT_ONCE])
        return found

    async def _measure(self, probes: Sequence[Probe]) -> list[Measured]:
        flying = list(self._launch(probes))
        try:
            await self._settled(flying)
        finally:
            self._land(flying)
        return [each.outcome.result() for each in flying]

    async def _settled(self, flying: list[_Flying]) -> None:
        """Datagrams may be lost, so they are sent again; TCP does that by itself."""
        left = {each.outcome for each in flying if not each.outcome.done()}
        until = asyncio.get_running_loop().time() + PATIENCE
        while left and asyncio.get_running_loop().time() < until:
            _, left = await asyncio.wait(left, timeout=_AGAIN, return_when=asyncio.ALL_COMPLETED)
            for each in flying:
                if not each.outcome.done():
                    _look_again(each)
        for each in flying:
            _settle(each, Measured(ERROR, "neither arrived nor seen in the drop log"))

    def _launch(self, probes: Sequence[Probe]) -> Iterator[_Flying]:
        """Probes of one source leave together, so that its namespace is entered once."""
        for place, group in groupby(probes, key=lambda probe: probe.place):
            with self._fabric.inside(place):
                for probe in group:
                    yield self._send(probe)

    def _send(self, probe: Probe) -> _Flying:
        kind = socket.SOCK_STREAM if probe.protocol == Protocol.TCP else socket.SOCK_DGRAM
        family = socket.AF_INET if probe.destination.family == 4 else socket.AF_INET6
        made = socket.socket(family, kind | socket.SOCK_NONBLOCK)
        flying = _Flying(probe, made, asyncio.get_running_loop().create_future())
        try:
            self._take_port(flying)
            _knock(flying)
        except OSError as error:
            _settle(flying, Measured(ERROR, error.strerror or str(error)))
        return flying

    def _take_port(self, flying: _Flying) -> None:
        """A port that no probe under way has, and no program of this source."""
        probe = flying.probe
        for _ in _PORTS:
            self._next = (self._next + 1) % len(_PORTS)
            port = _PORTS[self._next]
            if (probe.protocol, port) in self._flying or not _bind(flying.socket, probe.source, port):
                continue
            self._flying[probe.protocol, port] = flying
            return
        raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))

    def _land(self, flying: Iterable[_Flying]) -> None:
        """Close without lingering: a reset leaves no trace in either pod."""
        ended = {id(each) for each in flying}
        self._flying = {key: each for key, each in self._flying.items() if id(each) not in ended}
        for each in flying:
            if each.probe.protocol == Protocol.TCP:
                each.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            each.socket.close()


def _bind(made: socket.socket, source: Address, port: int) -> bool:
    try:
        made.bind((str(source), port))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    return True


def _knock(flying: _Flying) -> None:
    to = (str(flying.probe.destination), flying.probe.port)
    if flying.probe.protocol != Protocol.TCP:
        flying.socket.sendto(b"podfence\n", to)
        return
    number = flying.socket.connect_ex(to)
    if number not in {0, errno.EINPROGRESS}:
        raise OSError(number, os.strerror(number))


def _look_again(flying: _Flying) -> None:
    """What the network said to the socket meanwhile (refused, unreachable) is the reason of an error."""
    number = flying.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if number:
        _settle(flying, Measured(ERROR, os.strerror(number)))
    elif flying.probe.protocol != Protocol.TCP:
        try:
            _knock(flying)
        except OSError as error:
            _settle(flying, Measured(ERROR, error.strerror or str(error)))


def _settle(flying: _Flying, outcome: Measured) -> None:
    if not flying.outcome.done():
        flying.outcome.set_result(outcome)
