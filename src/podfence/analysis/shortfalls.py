"""What of a rule a flow does not meet, in words for people: its port, or each of its peers.

The meaning is `semantics`; here it is only told. `nearest` weighs what is told here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from podfence.model.address import Address
from podfence.model.cluster import Pod, Snapshot
from podfence.model.flow import Flow
from podfence.model.labels import Labels, Requirement, Selector
from podfence.model.policy import Direction, NetworkPeer, Peer, PodSelection, Rule
from podfence.model.ports import PortMatch
from podfence.semantics import matches_peer, matches_ports


class Condition(Enum):
    """The kinds of things a rule asks of a flow."""

    PORT = "port"
    PROTOCOL = "protocol"
    NAMED_PORT = "named port"
    POD = "pod labels"
    NAMESPACE = "namespace"
    BLOCK = "block"
    EXCEPT = "except"
    NO_RULE = "no rule"
    DENIED = "denied by a rule"


@dataclass(frozen=True, slots=True)
class Shortfall:
    """One condition that is not met; `weight` counts the single demands in it."""

    condition: Condition
    words: str
    weight: int = 1


def who(snapshot: Snapshot, address: Address) -> str:
    """The pod that has an address, or the address."""
    pod = snapshot.pod_at(address)
    return pod.title if pod else str(address)


def port_shortfall(snapshot: Snapshot, rule: Rule, flow: Flow) -> Shortfall | None:
    """Why no entry of the ports matches."""
    if matches_ports(snapshot, rule, flow):
        return None
    entries = rule.ports or ()
    words = f"only {' or '.join(map(str, entries)) or 'nothing'} is allowed"
    if flow.port is None:
        return Shortfall(Condition.PROTOCOL, f"{words}, and {flow.protocol} has no ports")
    same = [entry for entry in entries if entry.protocol == flow.protocol]
    if not same:
        ports = [entry.port for entry in entries if not isinstance(entry.port, str)]
        return Shortfall(Condition.PROTOCOL, words, 1 if any(flow.port in port for port in ports) else 2)
    if undeclared := next(_undeclared(snapshot, same, flow), None):
        return Shortfall(Condition.NAMED_PORT, f"{words}, and {undeclared}")
    return Shortfall(Condition.PORT, words)


def _undeclared(snapshot: Snapshot, entries: list[PortMatch], flow: Flow) -> Iterator[str]:
    pod, name = snapshot.pod_at(flow.destination), who(snapshot, flow.destination)
    for entry in entries:
        if isinstance(entry.port, str):
            numbers = pod.resolve(entry.port, entry.protocol) if pod else ()
            if not numbers:
                yield f"{name} declares no {entry.protocol} port named {entry.port}"
            else:
                listed = ", ".join(map(str, sorted(numbers)))
                yield f"{entry.port} is {listed} on {name}"


def peer_shortfall(
    snapshot: Snapshot, rule: Rule, direction: Direction, address: Address
) -> Shortfall | None:
    """Why no peer matches: of the one that asks least, and rather of the pod than of its namespace."""
    if rule.peers is None or any(matches_peer(snapshot, peer, address) for peer in rule.peers):
        return None
    found = [_of_peer(snapshot, peer, address) for peer in rule.peers]
    if not found:
        return Shortfall(Condition.NO_RULE, f"its list of {direction.peers_field} is empty")
    return min(found, key=lambda shortfall: (shortfall.weight, shortfall.condition is Condition.NAMESPACE))


def _of_peer(snapshot: Snapshot, peer: Peer, address: Address) -> Shortfall:
    if isinstance(peer, NetworkPeer):
        return _of_block(snapshot, peer, address)
    pod = snapshot.pod_at(address)
    if pod is None:
        return Shortfall(
            Condition.POD, f"{address} is no pod of the pod network, and {peer} are asked for", 2
        )
    lacks = [*_of_namespace(snapshot, peer, pod), *_of_labels(peer, pod)]
    words = " and ".join(lack.words for lack in lacks)
    return Shortfall(lacks[0].condition, words, len(lacks))


def _of_block(snapshot: Snapshot, peer: NetworkPeer, address: Address) -> Shortfall:
    pod = snapshot.pod_at(address)
    name = f"{pod.title} ({address})" if pod else str(address)
    hole = next((hole for hole in peer.excepts if address in hole), None)
    if hole and address in peer.block:
        return Shortfall(Condition.EXCEPT, f"{name} is in {peer.block}, but excepted by {hole}")
    return Shortfall(Condition.BLOCK, f"{name} is not in {peer}", 2 if pod else 1)


def _of_namespace(snapshot: Snapshot, peer: PodSelection, pod: Pod) -> Iterator[Shortfall]:
    wanted = peer.namespaces
    labels = snapshot.namespace_labels(pod.namespace)
    if isinstance(wanted, str):
        if wanted != pod.namespace:
            yield Shortfall(Condition.NAMESPACE, f"{pod.title} is not in namespace {wanted}")
    elif labels is None:
        yield Shortfall(Condition.NAMESPACE, f"namespace {pod.namespace} has not been seen")
    else:
        yield from _of_selector(Condition.NAMESPACE, f"namespace {pod.namespace}", wanted, labels)


def _of_labels(peer: PodSelection, pod: Pod) -> Iterator[Shortfall]:
    return _of_selector(Condition.POD, pod.title, peer.pods, pod.labels)


def _of_selector(condition: Condition, name: str, selector: Selector, labels: Labels) -> Iterator[Shortfall]:
    for wanted in selector.requirements:
        if not wanted.matches(labels):
            yield Shortfall(condition, f"{name} has {_label(wanted, labels)}, but {wanted} is asked for")


def _label(wanted: Requirement, labels: Labels) -> str:
    return f"{wanted.key}={labels[wanted.key]}" if wanted.key in labels else f"no label {wanted.key}"
