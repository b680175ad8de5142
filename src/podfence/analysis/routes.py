"""Where an Ingress or an HTTPRoute leads: which workloads its controller must reach, and whether policies let it.

The controller is not known. It gets in where whatever pod there may be does, or every pod of a namespace that
controllers usually have. What nobody lets in is said, not listed. Next: `cli.show`, and `findings.ways_in`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from podfence.analysis.connections import Connections
from podfence.analysis.services import Behind, Serving
from podfence.analysis.strangers import to_anyone, to_namespace, to_somebody
from podfence.analysis.subjects import Subjects
from podfence.analysis.workloads import End
from podfence.model.policy import Direction, Policy
from podfence.model.ports import PortRange, Protocol
from podfence.model.portset import NO_PORTS, PortSet
from podfence.model.route import Route, RouteBackend
from podfence.program import Combination

CONTROLLER = "{ingress-controller}"
"""The field's word for it."""

CONTROLLER_NAMESPACES = (
    *("ingress-nginx", "nginx-ingress", "nginx-gateway", "traefik", "haproxy-controller", "kong"),
    *("projectcontour", "envoy-gateway-system", "istio-ingress", "istio-system", "openshift-ingress"),
)
"""As the installation guides of well-known controllers name them."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """A way to an end that ends at `policies`. On the ports `closed` they let nobody in from anywhere else."""

    route: Route
    end: End
    ports: PortSet
    closed: PortSet
    policies: tuple[Policy, ...]

    @property
    def isolating(self) -> str:
        """As people name the policies."""
        return ", ".join(policy.title for policy in self.policies)

    def __str__(self) -> str:
        return (
            f"{self.route.title} leads to {self.end.title} on {self.ports}, but no policy that isolates it "
            f"lets a controller in: {self.isolating}; allow the namespace your controller runs in"
        )


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
        yield from map(str, self._blocked(route, backend))

    def blocked(self) -> Iterator[Blocked]:
        """Every way that policies block, in the order of routes."""
        for route in self.routes:
            for backend in route.backends:
                yield from self._blocked(route, backend)

    def _blocked(self, route: Route, backend: RouteBackend) -> Iterator[Blocked]:
        behind = self._behind(backend)
        for end in dict.fromkeys(each.end for each in behind):
            refused = _ports(each for each in behind if each.end == end) - self._admitted(end)
            if refused:
                closed = refused - self._open_to_somebody(end)
                yield Blocked(route, self.found.ends[end], refused, closed, self._isolating(end))

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
        combination = self._combination(end)
        ports = to_anyone(combination)
        for namespace in CONTROLLER_NAMESPACES:
            ports |= to_namespace(combination, namespace)
        return ports

    def _open_to_somebody(self, end: int) -> PortSet:
        return to_somebody(self._combination(end), self.found.ends[end].pods[0].namespace)

    def _combination(self, end: int) -> Combination | None:
        return self._subjects.combination(self.found.identity(end), Direction.INGRESS)

    def _isolating(self, end: int) -> tuple[Policy, ...]:
        return tuple(self._subjects.applying(self.found.identity(end), Direction.INGRESS))

    @property
    def _subjects(self) -> Subjects:
        return self.found.kinds.matrix.subjects


def _ports(behind: Iterable[Behind]) -> PortSet:
    found = NO_PORTS
    for each in behind:
        found |= PortSet({Protocol.TCP: (PortRange(each.port, each.port),)})
    return found
