"""Where an Ingress or an HTTPRoute leads: which workloads its controller must reach, and whether policies let it.

The controller is not known. It gets in where whatever pod there may be does, or every pod of a namespace that
controllers usually have. What nobody lets in is said, not listed. Next: `cli.show`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from podfence.analysis.connections import Connections
from podfence.analysis.services import Behind, Serving
from podfence.analysis.strangers import to_anyone, to_namespace
from podfence.analysis.subjects import Subjects
from podfence.model.policy import Direction
from podfence.model.ports import PortRange, Protocol
from podfence.model.portset import NO_PORTS, PortSet
from podfence.model.route import Route, RouteBackend

CONTROLLER = "{ingress-controller}"
"""The field's word for it."""

CONTROLLER_NAMESPACES = (
    *("ingress-nginx", "nginx-ingress", "nginx-gateway", "traefik", "haproxy-controller", "kong"),
    *("projectcontour", "envoy-gateway-system", "istio-ingress", "istio-system", "openshift-ingress"),
)
"""As the installation guides of well-known controllers name them."""


@dataclass(frozen=True)
class Routing:
    """`lines`: what a controller may say to each end. `notes`: routes that lead nowhere or are blocked."""

    found: Connections
    routes: Sequence[Route]

    @cached_property
    def lines(self) -> dict[int, PortSet]:
        allowed = {end: wanted & self._admitted(end) for end, wanted in self._wanted.items()}
        return {end: ports for end, ports in sorted(allowed.items()) if ports}

    def notes(self) -> Iterator[str]:
        gateways = {(route.namespace, route.name) for route in self.routes if route.kind == "Gateway"}
        for route in self.routes:
            for backend in route.backends:
                yield from self._about(route, backend)
            for gateway in route.gateways if gateways else ():
                if gateway not in gateways:
                    yield f"{route.title} belongs to Gateway {'/'.join(gateway)}, which is not in the input"

    def _about(self, route: Route, backend: RouteBackend) -> Iterator[str]:
        behind = self._behind(backend)
        if not behind:
            yield (
                f"{route.title} leads to port {backend.port} of Service {backend.namespace}/{backend.service}, "
                "behind which the input has no pod"
            )
        for end in dict.fromkeys(each.end for each in behind):
            refused = _ports(each for each in behind if each.end == end) - self._admitted(end)
            if refused:
                yield (
                    f"{route.title} leads to {self.found.ends[end].title} on {refused}, but no policy that isolates "
                    f"it lets a controller in: {self._isolating(end)}; allow the namespace your controller runs in"
                )

    @cached_property
    def _wanted(self) -> dict[int, PortSet]:
        wanted: defaultdict[int, PortSet] = defaultdict(lambda: NO_PORTS)
        for route in self.routes:
            for backend in route.backends:
                for each in self._behind(backend):
                    wanted[each.end] |= _ports([each])
        return wanted

    def _behind(self, backend: RouteBackend) -> tuple[Behind, ...]:
        """The pods behind the Service port that is named or numbered so."""
        return tuple(
            each
            for (service, port), behind in self._serving.behind.items()
            if service.key == backend[:2] and backend.port in {port.number, port.name}
            for each in behind
        )

    @cached_property
    def _serving(self) -> Serving:
        return Serving(self.found)

    def _admitted(self, end: int) -> PortSet:
        combination = self._subjects.combination(self.found.identity(end), Direction.INGRESS)
        ports = to_anyone(combination)
        for namespace in CONTROLLER_NAMESPACES:
            ports |= to_namespace(combination, namespace)
        return ports

    def _isolating(self, end: int) -> str:
        policies = self._subjects.applying(self.found.identity(end), Direction.INGRESS)
        return ", ".join(policy.title for policy in policies)

    @property
    def _subjects(self) -> Subjects:
        return self.found.kinds.matrix.subjects


def _ports(behind: Iterable[Behind]) -> PortSet:
    found = NO_PORTS
    for each in behind:
        found |= PortSet({Protocol.TCP: (PortRange(each.port, each.port),)})
    return found
