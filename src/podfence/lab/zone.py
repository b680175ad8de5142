"""The names of a cluster and what they lead to: a pure function of a snapshot, as the DNS specification of Kubernetes has it.

Names that nobody gave are unknown here; nothing is ever asked of a server outside. Next: `listeners` answers on port 53.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from podfence.lab.dns import (
    Authority,
    Code,
    Name,
    Record,
    Response,
    Service,
    Type,
    encode,
    name,
    question,
    refusal,
)
from podfence.model.address import Address
from podfence.model.backends import pods_behind, target
from podfence.model.cluster import Pod, Snapshot
from podfence.model.cluster import Service as ClusterService

CLUSTER = name("cluster.local")
SERVICES, PODS = ("svc", *CLUSTER), ("pod", *CLUSTER)
_MOST_ALIASES = 8


@dataclass(frozen=True)
class Zone:
    """`hosts` are names outside the cluster that the lab was given addresses for."""

    snapshot: Snapshot
    hosts: Mapping[str, tuple[Address, ...]]

    @cached_property
    def records(self) -> Mapping[Name, tuple[Record, ...]]:
        found: dict[Name, dict[Record, None]] = defaultdict(dict)
        for record in self._all():
            found[record.name][record] = None
        return {owner: tuple(records) for owner, records in found.items()}

    @cached_property
    def names(self) -> frozenset[Name]:
        """Everything that exists, the names above a name included."""
        return frozenset(owner[at:] for owner in self.records for at in range(len(owner) + 1))

    def answer(self, packet: bytes, stream: bool = False) -> bytes | None:  # noqa: FBT001, FBT002  one of two transports
        asked = question(packet)
        if asked is None:
            return None
        if isinstance(asked, Code):
            return refusal(packet, asked)
        return encode(asked, self.respond(asked.name, asked.type), stream=stream)

    def respond(self, owner: Name, kind: int) -> Response:
        """What is known of a name: the records of a type, or that there are none, or no such name."""
        found = tuple(self._follow(owner, kind))
        if found:
            return Response(Code.NO_ERROR, found)
        code = Code.NO_ERROR if owner in self.names else Code.NO_SUCH_NAME
        return Response(code, authority=(_authority(owner),))

    def _follow(self, owner: Name, kind: int) -> Iterator[Record]:
        """An alias is answered together with what it stands for, as far as that is known here."""
        for _ in range(_MOST_ALIASES):
            records = self.records.get(owner, ())
            yield from (r for r in records if kind in {r.type, Type.ANY} or r.type is Type.CNAME)
            alias = next((r.content for r in records if r.type is Type.CNAME), None)
            if not isinstance(alias, tuple) or kind == Type.CNAME:
                return
            owner = alias

    def _all(self) -> Iterator[Record]:
        yield _authority(CLUSTER)
        for text, addresses in self.hosts.items():
            yield from _addresses(name(text), addresses)
        for pod in self.snapshot.pods.values():
            yield from _pod(pod)
        for service in self.snapshot.services.values():
            yield from self._service(service)

    def _service(self, service: ClusterService) -> Iterator[Record]:
        owner = (service.name, service.namespace, *SERVICES)
        if service.external_name:
            yield Record(owner, Type.CNAME, name(service.external_name))
        elif service.headless:
            yield from self._headless(service, owner)
        else:
            yield from _addresses(owner, service.addresses)
            yield from _reverse(owner, service.addresses)
            for port in service.ports:
                if port.name:
                    yield _located(owner, owner, port.name, str(port.protocol), port.number)

    def _headless(self, service: ClusterService, owner: Name) -> Iterator[Record]:
        """Every pod behind it under the one name, and each under a name of its own."""
        for pod in pods_behind(self.snapshot, service):
            yield from _addresses(owner, pod.addresses)
            for host, addresses in _host_names(pod):
                yield from _addresses((host, *owner), addresses)
                yield from _reverse((host, *owner), addresses)
                for port in service.ports:
                    if port.name and (number := target(port, pod)) is not None:
                        yield _located(owner, (host, *owner), port.name, str(port.protocol), number)


def _host_names(pod: Pod) -> Iterator[tuple[str, tuple[Address, ...]]]:
    """Pods of a StatefulSet have host names; others are known by their addresses."""
    if pod.owner and pod.owner.kind == "StatefulSet":
        yield pod.name, pod.addresses
        return
    for each in pod.addresses:
        yield _dashed(each), (each,)


def _pod(pod: Pod) -> Iterator[Record]:
    if not pod.finished:
        for each in pod.addresses:
            yield from _addresses((_dashed(each), pod.namespace, *PODS), (each,))


def _addresses(owner: Name, addresses: tuple[Address, ...]) -> Iterator[Record]:
    for each in addresses:
        yield Record(owner, Type.A if each.family == 4 else Type.AAAA, each)


def _reverse(owner: Name, addresses: tuple[Address, ...]) -> Iterator[Record]:
    for each in addresses:
        yield Record(reverse(each), Type.PTR, owner)


def _located(owner: Name, at: Name, port: str, protocol: str, number: int) -> Record:
    return Record((f"_{port}", f"_{protocol.lower()}", *owner), Type.SRV, Service(at, number))


def reverse(address: Address) -> Name:
    """The name under which an address itself is looked up."""
    if address.family == 4:
        return (*reversed(str(address).split(".")), "in-addr", "arpa")
    return (*reversed(address.hex()), "ip6", "arpa")


def _dashed(address: Address) -> str:
    return str(address).replace(".", "-").replace(":", "-")


def _authority(owner: Name) -> Record:
    """The zone a name is in: the cluster's, or everything else."""
    zone = CLUSTER if owner[-2:] == CLUSTER else ()
    return Record(zone, Type.SOA, Authority(("ns", "dns", *CLUSTER), ("hostmaster", *CLUSTER)))
