"""Services resolved: which pods answer behind them, and on which port. As kube-proxy and EndpointSlices do it."""

from __future__ import annotations

from typing import NamedTuple

from podfence.model.address import Address
from podfence.model.cluster import Pod, Service, ServicePort, Snapshot


class Backend(NamedTuple):
    """Where one connection to a Service may end."""

    pod: Pod
    address: Address
    port: int


def pods_behind(snapshot: Snapshot, service: Service) -> tuple[Pod, ...]:
    """The pods a Service selects, by name. Readiness is not known here; a finished pod is not behind anything."""
    found = (pod for pod in snapshot.pods.values() if service.selects(pod))
    return tuple(sorted(found, key=lambda pod: pod.key))


def target(port: ServicePort, pod: Pod) -> int | None:
    """The pod's port a Service port leads to. A name means the first container that declares it."""
    if isinstance(port.target, int):
        return port.target
    named = (p.number for p in pod.ports if p.name == port.target and p.protocol == port.protocol)
    return next(named, None)


def backends(snapshot: Snapshot, service: Service, port: ServicePort, family: int) -> tuple[Backend, ...]:
    """Every address and port behind one Service port, in one family."""
    return tuple(
        Backend(pod, address, number)
        for pod in pods_behind(snapshot, service)
        if (number := target(port, pod)) is not None
        for address in pod.addresses
        if address.family == family
    )


def service_at(snapshot: Snapshot, address: Address) -> Service | None:
    """The Service whose cluster address this is."""
    return next((service for service in snapshot.services.values() if address in service.addresses), None)
