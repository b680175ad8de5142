"""What the readers of all kinds but policies share: metadata, container ports, addresses.

Each collects what is wrong in a list that its caller gives. Next: `pods` and `cluster`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from podfence.manifests import cidr, metadata, names
from podfence.manifests.item import Item
from podfence.manifests.narrow import EMPTY_METADATA, Container, ContainerPort, ObjectMeta, PodSpec, given
from podfence.manifests.reading import Context, named
from podfence.manifests.wrong import Path, Wrong, invalid, required, unsupported
from podfence.model.address import Address, Network, address
from podfence.model.cluster import ContainerPort as Port
from podfence.model.cluster import Owner
from podfence.model.ports import LAST_PORT, Protocol

KEPT_ANNOTATIONS = ("lab.podfence.dev/", "podfence.dev/", "vpc.amazonaws.com/")
_PROTOCOLS = {"TCP": Protocol.TCP, "UDP": Protocol.UDP, "SCTP": Protocol.SCTP}


def identify(
    meta: ObjectMeta | None, item: Item, context: Context, wrong: list[Wrong]
) -> tuple[str, str, ObjectMeta]:
    """(namespace, name, metadata) of a namespaced object. What a server stored it has checked itself."""
    meta = meta or EMPTY_METADATA
    namespace, name = meta.namespace or context.namespace, named(meta, item)
    if not meta.uid:
        wrong += metadata.check_namespace(namespace)
        wrong += _check_metadata(meta, name, names.subdomain)
    return namespace, name, meta


def identify_cluster_wide(
    meta: ObjectMeta | None, item: Item, wrong: list[Wrong], rule: Callable[[str], names.Messages]
) -> tuple[str, ObjectMeta]:
    meta = meta or EMPTY_METADATA
    name = named(meta, item)
    if not meta.uid:
        wrong += _check_metadata(meta, name, rule)
    return name, meta


def _check_metadata(meta: ObjectMeta, name: str, rule: Callable[[str], names.Messages]) -> list[Wrong]:
    if not name:
        return [Wrong(("metadata", "name"), required("name or generateName is required"), "bad-name")]
    wrong = list(metadata.check_name(name, rule))
    return [*wrong, *metadata.check_labels(meta.labels or {}, ("metadata", "labels"))]


def kept_annotations(given: Mapping[str, str | None] | None) -> Mapping[str, str]:
    """The few that podfence reads."""
    if not given:
        return {}
    return {key: value or "" for key, value in given.items() if key.startswith(KEPT_ANNOTATIONS)}


def controller(meta: ObjectMeta) -> Owner | None:
    """The object that made this one, its direct owner."""
    owners = (owner for _, owner in given(meta.ownerReferences) if owner.controller)
    found = next(owners, None)
    return Owner(found.kind or "", found.name or "") if found else None


def container_ports(spec: PodSpec, path: Path, wrong: list[Wrong]) -> tuple[Port, ...]:
    """Those of containers, then of init containers that keep running."""
    regular = given(spec.containers)
    sidecars = [(at, each) for at, each in given(spec.initContainers) if each.restartPolicy == "Always"]
    return (
        *_ports(regular, (*path, "containers"), wrong),
        *_ports(sidecars, (*path, "initContainers"), wrong),
    )


def _ports(containers: Iterable[tuple[int, Container]], path: Path, wrong: list[Wrong]) -> list[Port]:
    found = (
        _port(port, (*path, index, "ports", at), wrong)
        for index, container in containers
        for at, port in given(container.ports)
    )
    return [port for port in found if port is not None]


def _port(port: ContainerPort, path: Path, wrong: list[Wrong]) -> Port | None:
    kind = known_protocol(port.protocol, path, wrong)
    number = port.containerPort
    if number is None:
        wrong.append(Wrong((*path, "containerPort"), required(), "bad-port"))
    elif not 1 <= number <= LAST_PORT:
        message = invalid(number, "must be between 1 and 65535, inclusive")
        wrong.append(Wrong((*path, "containerPort"), message, "bad-port"))
    elif kind is not None:
        return Port(port.name or "", kind, number)
    return None


def known_protocol(text: str | None, path: Path, wrong: list[Wrong]) -> Protocol | None:
    """TCP when absent; None when it is no protocol that has ports."""
    found = _PROTOCOLS.get("TCP" if text is None else text)
    if found is None:
        message = unsupported(text, "TCP", "UDP", "SCTP")
        wrong.append(Wrong((*path, "protocol"), message, "bad-protocol"))
    return found


def known_address(text: str, path: Path, wrong: list[Wrong]) -> Address | None:
    try:
        return address(text)
    except ValueError:
        message = invalid(text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
        wrong.append(Wrong(path, message, "bad-address"))
        return None


def known_block(text: str, path: Path, wrong: list[Wrong]) -> Network | None:
    found = cidr.block(text)
    if found is None:
        wrong.append(Wrong(path, invalid(text, cidr.NOT_A_CIDR), "bad-cidr"))
    return found.network if found else None
