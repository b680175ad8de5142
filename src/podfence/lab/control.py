"""The positive control: which probes must arrive whatever the policies say, so that silence later means denial.

Before any policy each listener is reached by the next pod in line; later ones by a node, which no policy of theirs can keep out.
Next: `running` sends these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import cycle, islice

from podfence.lab.listeners import Listener
from podfence.lab.probes import Probe
from podfence.lab.topology import Place, Station, Topology, node_place
from podfence.model.address import Address
from podfence.model.cluster import Snapshot


def from_neighbours(topology: Topology, listeners: Iterable[Listener]) -> list[Probe]:
    """From pod to pod in a ring, each to the listeners of the one behind it; hosts are reached by the pods in turn."""
    stations = sorted(topology.stations.values(), key=lambda station: repr(station.place))
    before = dict(zip((s.place for s in stations), islice(cycle(stations), 1, None), strict=False))
    nodes = sorted(topology.nodes.values(), key=lambda station: repr(station.place))
    found = [
        probe
        for listener in listeners
        for probe in _probes(listener, _sender(before.get(listener.place), listener.place, nodes))
    ]
    return sorted(found, key=lambda probe: repr(probe.place))


def _sender(neighbour: Station | None, place: Place, nodes: list[Station]) -> list[Station]:
    """The neighbour, and where it lacks a family, nodes."""
    others = [] if neighbour is None or neighbour.place == place else [neighbour]
    return [*others, *nodes]


def from_nodes(snapshot: Snapshot, topology: Topology, listeners: Iterable[Listener]) -> list[Probe]:
    """From each pod's own node, which may always reach it; hosts and nodes are nobody's subjects, so any node does."""
    nodes = [topology.nodes[node_place(name)] for name in snapshot.nodes]
    found: list[Probe] = []
    for listener in listeners:
        station = topology.stations.get(listener.place)
        own = [node for node in nodes if station is not None and node.place == station.router]
        found += _probes(listener, own or nodes)
    return sorted(found, key=lambda probe: repr(probe.place))


def _probes(listener: Listener, senders: list[Station]) -> Iterator[Probe]:
    """One for each address, from the first sender of that family."""
    for address in listener.addresses:
        sent = next(((s.place, here) for s in senders for here in _of_family(s, address)), None)
        if sent:
            at = frozenset({listener.speech.name})
            yield Probe(*sent, address, listener.protocol, listener.port, at)


def _of_family(station: Station, other: Address) -> Iterator[Address]:
    return (each for each in station.addresses if each.family == other.family)
