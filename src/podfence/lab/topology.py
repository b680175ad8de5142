"""Which namespaces a lab has and how they are joined: a pure value, made from a snapshot.

One router for each node, one for the world outside; every pod and every external host is a station of its own behind one of
them. Plain routes everywhere, no translation but that of Services. Next: `network` makes the kernel say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from podfence.model.address import Address
from podfence.model.cluster import Node, Pod, PodKey, Snapshot


class Kind(Enum):
    """What stands at an end of the network."""

    POD = "pod"
    HOST = "host"
    NODE = "node"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Names one namespace: `name` is that of the node, or the (namespace, name) of the pod, or the address of the host."""

    kind: Kind = field(compare=True)
    name: str | PodKey = ""


OUTSIDE = Place(Kind.HOST)
"""Where nodes and external hosts meet; the only host without a name."""


@dataclass(frozen=True, slots=True)
class Station:
    """A namespace with one link, to its router."""

    place: Place
    addresses: tuple[Address, ...]
    router: Place = OUTSIDE


@dataclass(frozen=True, slots=True)
class Topology:
    """Nodes are stations of the outside and routers of their pods."""

    nodes: Mapping[Place, Station] = field(default_factory=dict)
    stations: Mapping[Place, Station] = field(default_factory=dict)

    def home(self, pod: Pod) -> Place:
        """Where the pod's programs run: its own namespace, or its node's."""
        return node_place(pod.node) if pod.host_network else pod_place(pod)


def node_place(name: str) -> Place:
    return Place(Kind.NODE, name)


def pod_place(pod: Pod) -> Place:
    return Place(Kind.POD, pod.key)


def host_place(address: Address) -> Place:
    return Place(Kind.HOST, str(address))


def plan(snapshot: Snapshot, hosts: Iterable[Address] = ()) -> Topology:
    """Finished pods are nobody; pods on the host network live with their node."""
    nodes = (_node_station(node) for node in snapshot.nodes.values())
    pods = (_pod_station(pod) for pod in snapshot.pods.values() if pod.on_pod_network and pod.addresses)
    outside = (Station(host_place(address), (address,)) for address in hosts)
    return Topology(_by_place(nodes), _by_place([*pods, *outside]))


def _node_station(node: Node) -> Station:
    return Station(node_place(node.name), node.addresses)


def _pod_station(pod: Pod) -> Station:
    return Station(pod_place(pod), pod.addresses, node_place(pod.node))


def _by_place(stations: Iterable[Station]) -> dict[Place, Station]:
    return {station.place: station for station in stations}


@dataclass(frozen=True, slots=True)
class Difference:
    """What leads from one topology to another; a station that moved or was renumbered goes and comes."""

    gone: tuple[Station, ...]
    come: tuple[Station, ...]
    nodes_gone: tuple[Station, ...]
    nodes_come: tuple[Station, ...]


def difference(old: Topology, new: Topology) -> Difference:
    """Whoever stood behind a node that goes, goes first."""
    nodes_gone, nodes_come = _differing(old.nodes, new.nodes), _differing(new.nodes, old.nodes)
    moved = {station.place for station in nodes_gone} & {station.place for station in nodes_come}
    gone = _differing(old.stations, new.stations, moved)
    come = _differing(new.stations, old.stations, moved)
    return Difference(gone, come, nodes_gone, nodes_come)


def _differing(
    mine: Mapping[Place, Station], theirs: Mapping[Place, Station], moved: Iterable[Place] = ()
) -> tuple[Station, ...]:
    return tuple(s for place, s in mine.items() if theirs.get(place) != s or s.router in moved)
