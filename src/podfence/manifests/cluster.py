"""Namespaces, nodes and services. Next: `kinds`."""

from __future__ import annotations

from podfence.manifests import names, narrow
from podfence.manifests.common import (
    identify,
    identify_cluster_wide,
    kept_annotations,
    known_address,
    known_block,
    known_protocol,
)
from podfence.manifests.item import Item
from podfence.manifests.narrow import given
from podfence.manifests.reading import Context, Reading
from podfence.manifests.wrong import Path, Wrong, invalid, required
from podfence.model.address import Address, Network
from podfence.model.cluster import Namespace, Node, Service, ServicePort
from podfence.model.labels import NAMESPACE_NAME_LABEL
from podfence.model.ports import LAST_PORT

HEADLESS = "None"


def read_namespace(item: Item, context: Context) -> Reading:  # noqa: ARG001  cluster-wide: no default namespace
    namespace, wrong = item.decode(narrow.Namespace)
    name, meta = identify_cluster_wide(namespace.metadata, item, wrong, names.label)
    value = Namespace(
        name, {**(meta.labels or {}), NAMESPACE_NAME_LABEL: name}, kept_annotations(meta.annotations)
    )
    return Reading(value, tuple(wrong), name, "", stored=bool(meta.uid))


def read_node(item: Item, context: Context) -> Reading:  # noqa: ARG001  cluster-wide: no default namespace
    node, wrong = item.decode(narrow.Node)
    name, meta = identify_cluster_wide(node.metadata, item, wrong, names.subdomain)
    addresses = _node_addresses(node.status or narrow.NodeStatus(), wrong)
    blocks = _pod_blocks(node.spec or narrow.NodeSpec(), wrong)
    value = Node(name, meta.labels or {}, addresses, blocks)
    return Reading(value, tuple(wrong), name, "", stored=bool(meta.uid))


def _node_addresses(status: narrow.NodeStatus, wrong: list[Wrong]) -> tuple[Address, ...]:
    """Those that are addresses: `Hostname` and DNS entries are names. In order, each once."""
    found = (
        known_address(each.address or "", ("status", "addresses", at, "address"), wrong)
        for at, each in given(status.addresses)
        if each.type in ("InternalIP", "ExternalIP")
    )
    return tuple(dict.fromkeys(address for address in found if address))


def _pod_blocks(spec: narrow.NodeSpec, wrong: list[Wrong]) -> tuple[Network, ...]:
    several = [(("spec", "podCIDRs", at), text) for at, text in given(spec.podCIDRs)]
    texts: list[tuple[Path, str]] = [*several] or [(("spec", "podCIDR"), spec.podCIDR or "")]
    blocks = (known_block(text, path, wrong) for path, text in texts if text)
    return tuple(block for block in blocks if block)


def read_service(item: Item, context: Context) -> Reading:
    service, wrong = item.decode(narrow.Service)
    namespace, name, meta = identify(service.metadata, item, context, wrong)
    spec = service.spec or narrow.ServiceSpec()
    external = spec.type == "ExternalName"
    texts = [] if external else _cluster_addresses(spec)
    value = Service(
        namespace=namespace,
        name=name,
        ports=_service_ports(spec, wrong),
        selector=None if external or spec.selector is None else spec.selector,
        addresses=tuple(
            found for path, text in texts if text != HEADLESS and (found := known_address(text, path, wrong))
        ),
        headless=any(text == HEADLESS for _, text in texts),
        external_name=(spec.externalName or "") if external else "",
    )
    return Reading(value, tuple(wrong), name, namespace, stored=bool(meta.uid))


def _cluster_addresses(spec: narrow.ServiceSpec) -> list[tuple[Path, str]]:
    several = [(("spec", "clusterIPs", at), text) for at, text in given(spec.clusterIPs) if text]
    one: list[tuple[Path, str]] = [(("spec", "clusterIP"), spec.clusterIP)] if spec.clusterIP else []
    return [*several] or one


def _service_ports(spec: narrow.ServiceSpec, wrong: list[Wrong]) -> tuple[ServicePort, ...]:
    found = (_service_port(port, ("spec", "ports", at), wrong) for at, port in given(spec.ports))
    return tuple(port for port in found if port)


def _service_port(port: narrow.ServicePort, path: Path, wrong: list[Wrong]) -> ServicePort | None:
    """`targetPort` is the port itself unless written."""
    kind = known_protocol(port.protocol, path, wrong)
    if not _check_number(port.port, (*path, "port"), wrong) or kind is None or port.port is None:
        return None
    target = port.port if port.targetPort in (None, 0, "") else port.targetPort
    if isinstance(target, int) and not _check_number(target, (*path, "targetPort"), wrong):
        return None
    return ServicePort(port.name or "", kind, port.port, port.port if target is None else target)


def _check_number(number: int | None, path: Path, wrong: list[Wrong]) -> bool:
    if number is None:
        wrong.append(Wrong(path, required(), "bad-port"))
        return False
    if not 1 <= number <= LAST_PORT:
        wrong.append(Wrong(path, invalid(number, "must be between 1 and 65535, inclusive"), "bad-port"))
        return False
    return True
