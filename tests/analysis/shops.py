"""A shop whose size is chosen: for tests of what reach says of workloads, and of how its work grows."""

from podfence.model.address import from_number, network
from podfence.model.cluster import ContainerPort, Namespace, Node, Owner, Pod, Service, ServicePort
from podfence.model.labels import selector
from podfence.model.policy import Direction, NetworkPeer, PodSelection, Policy, Rule
from podfence.model.ports import PortMatch, PortRange, Protocol

INGRESS = frozenset({Direction.INGRESS})


def pod(namespace, app, number=0, **more):
    """The n-th replica of a Deployment; its address follows from nothing but what it is called."""
    base = 0x0A000000 + (sum(map(ord, namespace + app)) << 8) + number
    labels = {"app": app, **more.pop("labels", {})}
    given = {"addresses": (from_number(base, 4),), "owner": Owner("Deployment", app), "node": "n1", **more}
    return Pod(namespace, f"{app}-{number}", labels, **given)


def policy(namespace, name, app, *rules, **labels):
    """What the pods of an app (None: of any), and of these labels, may receive."""
    wanted = {"app": app, **labels} if app else labels
    return Policy(namespace, name, PodSelection(namespace, selector(**wanted)), INGRESS, ingress=rules)


def tcp(*numbers):
    return tuple(PortMatch(Protocol.TCP, PortRange(number, number)) for number in numbers)


def peer(namespace, **labels):
    return PodSelection(namespace, selector(**labels))


def block(cidr, *excepts):
    return NetworkPeer(network(cidr), tuple(map(network, excepts)))


def chain(workloads, replicas):
    """Workload n lets n - 1 in on its port, and nobody else: what is printed grows as the workloads do."""
    objects = [Namespace("x", {"kubernetes.io/metadata.name": "x"}), Node("n1")]
    for number in range(workloads):
        app = f"app-{number}"
        objects += [
            pod("x", app, each, addresses=(from_number(0x0A000000 + number * 256 + each, 4),))
            for each in range(replicas)
        ]
        rule = Rule((peer("x", app=f"app-{number - 1}"),), tcp(80))
        objects.append(policy("x", app, app, rule))
    return objects


__all__ = ["ContainerPort", "Service", "ServicePort", "block", "chain", "peer", "pod", "policy", "tcp"]
