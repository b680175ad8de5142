"""Ingress, and Gateway and HTTPRoute of the Gateway API: which ports of which Services they lead to. Next: `kinds`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from podfence.manifests.common import identify, kept_annotations
from podfence.manifests.item import Item
from podfence.manifests.narrow import Kind, ObjectMeta, given
from podfence.manifests.reading import Context, Reading
from podfence.manifests.shapes import Int32
from podfence.model.route import Route, RouteBackend

GATEWAY_GROUP = "gateway.networking.k8s.io"


class IngressPort(Struct, frozen=True):
    number: Int32 | None = None
    name: str | None = None


class IngressService(Struct, frozen=True):
    name: str | None = None
    port: IngressPort | None = None


class IngressBackend(Struct, frozen=True):
    """A `resource` may stand here instead, which leads to no pod that we know."""

    service: IngressService | None = None


class IngressPath(Struct, frozen=True):
    backend: IngressBackend | None = None


class IngressHTTP(Struct, frozen=True):
    paths: list[IngressPath | None] | None = None


class IngressRule(Struct, frozen=True):
    http: IngressHTTP | None = None


class IngressSpec(Struct, frozen=True):
    defaultBackend: IngressBackend | None = None  # noqa: N815  the API's name
    rules: list[IngressRule | None] | None = None


class Ingress(Kind, frozen=True):
    metadata: ObjectMeta | None = None
    spec: IngressSpec | None = None


class Reference(Struct, frozen=True):
    group: str | None = None
    kind: str | None = None
    namespace: str | None = None
    name: str | None = None
    port: Int32 | None = None


class HTTPRouteRule(Struct, frozen=True):
    backendRefs: list[Reference | None] | None = None  # noqa: N815


class HTTPRouteSpec(Struct, frozen=True):
    parentRefs: list[Reference | None] | None = None  # noqa: N815
    rules: list[HTTPRouteRule | None] | None = None


class HTTPRoute(Kind, frozen=True):
    metadata: ObjectMeta | None = None
    spec: HTTPRouteSpec | None = None


class Gateway(Kind, frozen=True):
    metadata: ObjectMeta | None = None


def read_ingress(item: Item, context: Context) -> Reading:
    found, wrong = item.decode(Ingress)
    namespace, name, meta = identify(found.metadata, item, context, wrong)
    spec = found.spec or IngressSpec()
    backends = _each_once(_ingress_backends(spec, namespace))
    value = Route("Ingress", namespace, name, backends, annotations=kept_annotations(meta.annotations))
    return Reading(value, tuple(wrong), name, namespace, stored=bool(meta.uid))


def _ingress_backends(spec: IngressSpec, namespace: str) -> Iterator[RouteBackend]:
    paths = (path for _, rule in given(spec.rules) if rule.http for _, path in given(rule.http.paths))
    for backend in (spec.defaultBackend, *(path.backend for path in paths)):
        service = backend.service if backend else None
        port = service.port if service else None
        number = (port.number or port.name) if port else None
        if service and service.name and number:
            yield RouteBackend(namespace, service.name, number)


def read_http_route(item: Item, context: Context) -> Reading:
    found, wrong = item.decode(HTTPRoute)
    namespace, name, meta = identify(found.metadata, item, context, wrong)
    spec = found.spec or HTTPRouteSpec()
    references = (each for _, rule in given(spec.rules) for _, each in given(rule.backendRefs))
    backends = _each_once(
        RouteBackend(each.namespace or namespace, each.name, each.port)
        for each in references
        if each.name and each.port and not each.group and each.kind in {None, "Service"}
    )
    parents = tuple(
        (each.namespace or namespace, each.name)
        for _, each in given(spec.parentRefs)
        if each.name and each.kind in {None, "Gateway"}
    )
    value = Route("HTTPRoute", namespace, name, backends, parents, kept_annotations(meta.annotations))
    return Reading(value, tuple(wrong), name, namespace, stored=bool(meta.uid))


def read_gateway(item: Item, context: Context) -> Reading:
    found, wrong = item.decode(Gateway)
    namespace, name, meta = identify(found.metadata, item, context, wrong)
    value = Route("Gateway", namespace, name)
    return Reading(value, tuple(wrong), name, namespace, stored=bool(meta.uid))


def _each_once(backends: Iterable[RouteBackend]) -> tuple[RouteBackend, ...]:
    return tuple(dict.fromkeys(backends))
