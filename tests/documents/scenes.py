"""Small builders for the worlds that sentences of the documents speak of.

Nine pods as in the end-to-end tests of Kubernetes: namespaces x, y, z times pods a, b, c, each serving 80 and 81
on every protocol, by number and as `serve-80-tcp` and so on. Ends are named `x/a`, `node-1` or by address.
"""

from dataclasses import replace
from itertools import product

from podfence.model.address import Address, address, network
from podfence.model.change import snapshot
from podfence.model.cluster import ContainerPort, Namespace, Node, Pod, Snapshot
from podfence.model.flow import Flow
from podfence.model.labels import EVERYTHING, NAMESPACE_NAME_LABEL, Operator, Selector, requirement, selector
from podfence.model.policy import Action, Direction, NetworkPeer, PodSelection, Policy, Rule, Tier
from podfence.model.ports import ALL_PORTS, LAST_PORT, PortMatch, PortRange, Protocol

TCP, UDP, SCTP, ICMP = Protocol.TCP, Protocol.UDP, Protocol.SCTP, Protocol.ICMP
SPACES, NAMES = ("x", "y", "z"), ("a", "b", "c")
PODS = tuple(f"{space}/{name}" for space, name in product(SPACES, NAMES))
NODES = {"node-1": address("192.168.0.1"), "node-2": address("192.168.0.2")}
OUTSIDE = "203.0.113.7"
ADDRESSES = {
    **{pod: address(f"10.0.{number // 3}.{number % 3 + 1}") for number, pod in enumerate(PODS)},
    **NODES,
}
ALL = frozenset((source, target) for source, target in product(PODS, PODS) if source != target)
"""Every pair; to itself is left out, as in the end-to-end tests."""


def at(end: str) -> Address:
    return ADDRESSES.get(end) or address(end)


def served() -> tuple[ContainerPort, ...]:
    pairs = product((TCP, UDP, SCTP), (80, 81))
    return tuple(ContainerPort(f"serve-{number}-{str(name).lower()}", name, number) for name, number in pairs)


def pod(title: str, **changes: object) -> Pod:
    """x/a is labelled pod=a; all of them run on node-1."""
    space, name = title.split("/")
    addresses = (ADDRESSES[title],) if title in ADDRESSES else ()
    made = Pod(space, name, {"pod": name}, addresses, "node-1", served())
    return replace(made, **changes)


def space(name: str, **labels: str) -> Namespace:
    return Namespace(name, {NAMESPACE_NAME_LABEL: name, "ns": name, **labels})


def world(*policies: Policy, pods: tuple[Pod, ...] = ()) -> Snapshot:
    """The nine pods, with those given in place of their namesakes."""
    given = {made.title: made for made in pods}
    everyone = [given.pop(title, None) or pod(title) for title in PODS]
    nodes = [Node(name, addresses=(where,)) for name, where in NODES.items()]
    return snapshot([*map(space, SPACES), *nodes, *everyone, *given.values(), *policies])


def flow(source: str, target: str, port: int | None = 80, protocol: Protocol = TCP) -> Flow:
    return Flow(at(source), at(target), protocol, port if protocol.has_ports else None)


def policy(namespace="x", on=EVERYTHING, ingress=None, egress=None, name="policy") -> Policy:
    """A direction is isolated when its rules are given, an empty list included."""
    given = {Direction.INGRESS: ingress, Direction.EGRESS: egress}
    return Policy(
        namespace,
        name,
        PodSelection(namespace, on),
        frozenset(direction for direction, found in given.items() if found is not None),
        tuple(ingress or ()),
        tuple(egress or ()),
    )


def tiered(tier: Tier, *rules: Rule, direction=Direction.INGRESS, priority=0, name="tiered") -> Policy:
    """A cluster-wide policy on the pods of x."""
    both = {"ingress": (), "egress": (), direction.value: rules}
    subject = PodSelection(spaces(ns="x"))
    return Policy("", name, subject, frozenset({direction}), tier=tier, priority=priority, **both)


def rule(*peers, ports=None, action=Action.ACCEPT) -> Rule:
    """No peers given means anyone."""
    return Rule(tuple(peers) or None, None if ports is None else tuple(ports), action)


ANYTHING = rule()


def pods(namespace="x", which=EVERYTHING, **labels: str) -> PodSelection:
    """A peer by pod labels alone: those of the policy's own namespace, given by name."""
    return PodSelection(namespace, selector(*which.requirements, **labels))


def everywhere(namespaces=EVERYTHING, which=EVERYTHING, **labels: str) -> PodSelection:
    """A peer with a namespace selector."""
    return PodSelection(namespaces, selector(*which.requirements, **labels))


def spaces(**labels: str) -> Selector:
    return selector(**labels)


def where(key: str, operator: Operator, *values: str) -> Selector:
    return Selector((requirement(key, operator, *values),))


def block(cidr: str, *excepts: str) -> NetworkPeer:
    return NetworkPeer(network(cidr), tuple(map(network, excepts)))


def port(number: int | str | None = None, protocol: Protocol = TCP, last: int | None = None) -> PortMatch:
    if isinstance(number, str):
        return PortMatch(protocol, number)
    return PortMatch(protocol, ALL_PORTS if number is None else PortRange(number, last or number))


def pairs(sources: str, targets: str) -> frozenset[tuple[str, str]]:
    """Pairs between ends named in words: `pairs("y z", "x/a")`; `*` is everyone."""
    return frozenset((s, t) for s, t in ALL if _named(s, sources) and _named(t, targets))


def _named(pod_title: str, words: str) -> bool:
    return any(word in {"*", pod_title, pod_title.split("/", maxsplit=1)[0]} for word in words.split())


HIGH = PortRange(1024, LAST_PORT)
