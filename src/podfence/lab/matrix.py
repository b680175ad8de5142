"""Who stands where in a lab, which probes measure it, and what is expected of each: pure functions of a snapshot.

An end is a pod or an external host. Every ordered pair is asked at every port the second one listens on, in every family both
have. Next: `picture` prints what was measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from podfence.lab.listeners import Listener
from podfence.lab.probes import Measured, Probe
from podfence.lab.topology import Place, Topology, host_place
from podfence.model.address import Address
from podfence.model.backends import backends
from podfence.model.cluster import Pod, Service, Snapshot
from podfence.model.flow import Flow
from podfence.model.ports import Protocol
from podfence.semantics import decide


@dataclass(frozen=True, slots=True)
class End:
    """A pod or an external host: where its packets leave, its addresses, and the ports it answers at."""

    title: str
    place: Place
    addresses: tuple[Address, ...]
    ports: tuple[tuple[Protocol, int], ...] = ()
    pod: Pod | None = None

    def address(self, family: int) -> Address | None:
        return next((each for each in self.addresses if each.family == family), None)


def ends(
    snapshot: Snapshot, topology: Topology, hosts: Iterable[Address], listening: Iterable[Listener]
) -> list[End]:
    """Pods by name, then hosts. A port that could not be listened at is not asked."""
    ports: dict[tuple[Place, str], list[tuple[Protocol, int]]] = {}
    for listener in listening:
        ports.setdefault((listener.place, listener.speech.name), []).append(
            (listener.protocol, listener.port)
        )
    found = [_pod_end(snapshot, topology, pod) for pod in snapshot.pods.values() if not pod.finished]
    found += [End(str(address), host_place(address), (address,)) for address in hosts]
    return [
        End(
            end.title, end.place, end.addresses, tuple(sorted(ports.get((end.place, end.title), ()))), end.pod
        )
        for end in sorted(found, key=lambda end: (end.pod is None, end.title))
        if end.addresses
    ]


def _pod_end(snapshot: Snapshot, topology: Topology, pod: Pod) -> End:
    addresses = snapshot.node_addresses(pod.node) if pod.host_network else pod.addresses
    return End(pod.title, topology.home(pod), addresses, pod=pod)


@dataclass(frozen=True, slots=True)
class Asked:
    """One probe, by the names of its ends; `service` where it goes by the name of one."""

    source: End
    destination: End
    probe: Probe
    service: Service | None = None

    @property
    def to(self) -> str:
        return f"{self.service.name}.{self.service.namespace}.svc" if self.service else self.destination.title


def direct(sources: Iterable[End], destinations: Sequence[End]) -> Iterator[Asked]:
    """Every ordered pair, sorted by source, so that those of one source leave together."""
    for source in sources:
        for destination in destinations:
            if source.title != destination.title:
                yield from _pair(source, destination)


def _pair(source: End, destination: End) -> Iterator[Asked]:
    at = frozenset({destination.title})
    ways = [(source.address(family), destination.address(family)) for family in (4, 6)]
    for protocol, port in destination.ports:
        for here, there in ways:
            if here is not None and there is not None:
                yield Asked(source, destination, Probe(source.place, here, there, protocol, port, at))


def by_service(snapshot: Snapshot, sources: Iterable[End], destinations: Sequence[End]) -> Iterator[Asked]:
    """From every pod to every Service that has somebody behind it."""
    known = {end.title: end for end in destinations}
    targets = list(_service_ports(snapshot, known))
    for source in sources:
        if source.pod is None:
            continue
        for service, probe, first in targets:
            here = source.address(probe.destination.family)
            if here is not None:
                sent = Probe(
                    source.place,
                    here,
                    probe.destination,
                    probe.protocol,
                    probe.port,
                    probe.at,
                    rewritten=True,
                )
                yield Asked(source, known[first], sent, service)


def _service_ports(snapshot: Snapshot, known: Mapping[str, End]) -> Iterator[tuple[Service, Probe, str]]:
    """Each address and port of each Service as a probe without a sender."""
    for service in sorted(snapshot.services.values(), key=lambda service: service.key):
        for address in service.addresses:
            for port in service.ports:
                behind = backends(snapshot, service, port, address.family)
                names = [b.pod.title for b in behind if (port.protocol, b.port) in _ports(known, b.pod)]
                if names and len(names) == len(behind):
                    nobody = next(iter(known.values()))
                    probe = Probe(
                        nobody.place, address, address, port.protocol, port.number, frozenset(names)
                    )
                    yield service, probe, names[0]


def _ports(known: Mapping[str, End], pod: Pod) -> tuple[tuple[Protocol, int], ...]:
    end = known.get(pod.title)
    return end.ports if end else ()


@dataclass(frozen=True, slots=True)
class Answer:
    """One line of the matrix: what the policies say beside what the packet did."""

    source: str
    destination: str
    protocol: Protocol
    port: int
    families: tuple[int, ...]
    expected: str
    measured: str
    reason: str = ""

    @property
    def agrees(self) -> bool:
        return self.expected == self.measured


def answers(snapshot: Snapshot, asked: Sequence[Asked], measured: Sequence[Measured]) -> list[Answer]:
    """Families that agree are one line."""
    joined: list[Answer] = []
    for line in (_answer(snapshot, *each) for each in zip(asked, measured, strict=True)):
        if joined and replace(joined[-1], families=()) == replace(line, families=()):
            joined[-1] = replace(line, families=joined[-1].families + line.families)
        else:
            joined.append(line)
    return joined


def _answer(snapshot: Snapshot, asked: Asked, measured: Measured) -> Answer:
    probe = asked.probe
    return Answer(
        asked.source.title,
        asked.to,
        probe.protocol,
        probe.port,
        (probe.destination.family,),
        _expected(snapshot, asked, measured),
        measured.verdict,
        measured.reason,
    )


def _expected(snapshot: Snapshot, asked: Asked, measured: Measured) -> str:
    """By definition. A Service chooses a pod by chance, so its packet is judged by where it went."""
    probe = asked.probe
    reached = [measured.reached] if measured.reached else _behind(snapshot, asked)
    flows = (
        Flow(probe.source, address, probe.protocol, port, hairpin=address in asked.source.addresses)
        for address, port in (reached if asked.service else [(probe.destination, probe.port)])
    )
    verdicts = {decide(snapshot, flow).verdict.value for flow in flows}
    return verdicts.pop() if len(verdicts) == 1 else "either"


def _behind(snapshot: Snapshot, asked: Asked) -> list[tuple[Address, int]]:
    """Where a probe may have gone that was seen nowhere."""
    probe, service = asked.probe, asked.service
    ports = (
        [p for p in service.ports if (p.protocol, p.number) == (probe.protocol, probe.port)]
        if service
        else []
    )
    found = (backends(snapshot, service, port, probe.destination.family) for port in ports) if service else ()
    return [(backend.address, backend.port) for each in found for backend in each]
