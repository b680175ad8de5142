"""The cluster's name server in a lab: which pods answer, and what each pod's resolver is told.

Where the input has DNS pods, those answer, so that policies judge name resolution as they would in a cluster; where it has
none, the lab adds its own and says so. Next: `zone` knows the names.
"""

from __future__ import annotations

from podfence.model.address import Address, address
from podfence.model.backends import pods_behind, target
from podfence.model.change import Object
from podfence.model.cluster import ContainerPort, Owner, Pod, Service, ServicePort, Snapshot
from podfence.model.ports import Protocol

NAMESPACE, SERVICE, LABEL = "kube-system", "kube-dns", "k8s-app"
_ADDRESSES = (address("10.96.0.10"), address("fd00:96::a"))
_PORTS = (("dns", Protocol.UDP), ("dns-tcp", Protocol.TCP))

OWN: tuple[Object, ...] = (
    Pod(
        NAMESPACE,
        "coredns",
        {LABEL: SERVICE},
        ports=tuple(ContainerPort(name, protocol, 53) for name, protocol in _PORTS),
        owner=Owner("Deployment", "coredns"),
    ),
    Service(
        NAMESPACE,
        SERVICE,
        tuple(ServicePort(name, protocol, 53, 53) for name, protocol in _PORTS),
        {LABEL: SERVICE},
        _ADDRESSES,
    ),
)
"""What the lab adds where nobody answers for names."""


def service(snapshot: Snapshot) -> Service | None:
    return snapshot.services.get((NAMESPACE, SERVICE))


def servers(snapshot: Snapshot) -> dict[tuple[str, str], frozenset[int]]:
    """The pods that answer for names, each with the ports where its clients ask."""
    behind = service(snapshot)
    found = {
        pod.key: frozenset({53})
        for pod in snapshot.pods.values()
        if pod.namespace == NAMESPACE and pod.labels.get(LABEL) == SERVICE and not pod.finished
    }
    for pod in pods_behind(snapshot, behind) if behind else ():
        asked = (target(port, pod) for port in behind.ports if port.number == 53) if behind else ()
        found[pod.key] = found.get(pod.key, frozenset()) | {port for port in asked if port is not None}
    return found


def configuration(snapshot: Snapshot, pod: Pod) -> str:
    """The pod's /etc/resolv.conf, as a kubelet writes it."""
    behind = service(snapshot)
    families = {each.family for each in pod.addresses} or {4, 6}
    asked = _reachable(behind.addresses if behind else (), families) or _pods_asked(snapshot, families)
    spaces = " ".join((f"{pod.namespace}.svc.cluster.local", "svc.cluster.local", "cluster.local"))
    servers = f"nameserver {asked[0]}\n" if asked else ""
    return f"{servers}search {spaces}\noptions ndots:5\n"


def _reachable(addresses: tuple[Address, ...], families: set[int]) -> tuple[Address, ...]:
    return tuple(each for each in addresses if each.family in families)


def _pods_asked(snapshot: Snapshot, families: set[int]) -> tuple[Address, ...]:
    """Without a Service the first server is asked itself."""
    found = (snapshot.pods[key].addresses for key in sorted(servers(snapshot)))
    return next((asked for each in found if (asked := _reachable(each, families))), ())


def host_file(pod: Pod) -> str:
    """The pod's /etc/hosts."""
    own = "".join(f"{each}\t{pod.name}\n" for each in pod.addresses)
    return f"127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n{own}"
