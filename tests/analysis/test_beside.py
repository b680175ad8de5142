"""What reach says beside pairs: exposure, Services, and ways in through an Ingress or an HTTPRoute."""

import pytest
from shops import ContainerPort, Service, ServicePort, block, peer, pod, policy, tcp

from podfence.analysis.connections import connections
from podfence.analysis.exposure import exposures, unprotected
from podfence.analysis.narrowing import Answer
from podfence.analysis.routes import Routing
from podfence.analysis.services import Serving
from podfence.manifests.load import load
from podfence.model.change import snapshot
from podfence.model.cluster import Namespace
from podfence.model.labels import Operator, requirement, selector
from podfence.model.policy import Direction, PodSelection, Rule
from podfence.model.ports import PortMatch, Protocol
from podfence.model.route import Route, RouteBackend

X = Namespace("x", {"kubernetes.io/metadata.name": "x"})
WEB = pod("x", "web", ports=(ContainerPort("http", Protocol.TCP, 8080),))
ANY_NAMESPACE = selector()


def answer(*objects):
    return Answer(connections(snapshot([X, WEB, *objects])))


def exposed(*rules):
    """To whom the web is exposed, who is not a range outside."""
    found = exposures(answer(policy("x", "p", "web", *rules)))
    return {
        e.other: str(e.allowed.ports)
        for e in found
        if e.direction is Direction.INGRESS and not e.other.endswith("[External]")
    }


OPS = PodSelection(selector(team="ops"), selector())


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([], {}),
        ([Rule(None, tcp(80))], {"entire-cluster": "TCP 80"}),
        ([Rule((PodSelection(),), tcp(80))], {"entire-cluster": "TCP 80"}),
        ([Rule((block("0.0.0.0/0"),), tcp(80))], {"entire-cluster": "TCP 80"}),
        ([Rule((block("10.0.0.0/8"),), tcp(80))], {}),
        ([Rule((OPS,), tcp(80))], {"[namespace with {team=ops}]/[all pods]": "TCP 80"}),
        ([Rule((peer("x", app="new"),), tcp(80))], {"x/[pod with {app=new}]": "TCP 80"}),
        ([Rule((peer("x", app="web"),), tcp(80))], {}),
        ([Rule((peer("y"),), tcp(80))], {"y/[all pods]": "TCP 80"}),
        (
            [Rule((PodSelection(ANY_NAMESPACE, selector(app="new")),))],
            {"[all namespaces]/[pod with {app=new}]": "All Connections"},
        ),
        (
            [Rule(None, tcp(80)), Rule((OPS,), tcp(81))],
            {"entire-cluster": "TCP 80", "[namespace with {team=ops}]/[all pods]": "TCP 80-81"},
        ),
        ([Rule(None, tcp(80)), Rule((OPS,), tcp(80))], {"entire-cluster": "TCP 80"}),
        ([Rule((PodSelection(selector(requirement("team", Operator.NOT_IN, "a"))),), tcp(80))], {}),
    ],
)
def test_exposure_to_pods_that_are_not_in_the_input(rules, expected):
    assert exposed(*rules) == expected


def test_what_no_policy_selects_is_exposed_and_said_to_be_unprotected():
    found = answer(policy("x", "p", "web"))
    assert [(end.title, direction.value) for end, direction in unprotected(found)] == [
        ("x/web[Deployment]", "egress")
    ]
    egress = [e for e in exposures(found) if e.direction is Direction.EGRESS]
    assert [(e.other, e.protected) for e in egress] == [
        ("entire-cluster", False),
        ("0.0.0.0-255.255.255.255[External]", False),
    ]


SERVICE = Service("x", "web", (ServicePort("", Protocol.TCP, 80, "http"),), {"app": "web"})


def served(*objects):
    found = answer(SERVICE, pod("x", "client"), *objects)
    ends = found.found.ends
    return [
        (ends[each.source].title, each.port.number, [(b.pod.name, b.port) for b in each.reached])
        for each in Serving(found.found).lines()
    ]


def test_a_service_is_reached_on_its_port_where_policies_allow_that_of_the_pod():
    assert served(policy("x", "p", "web", Rule(None, tcp(8080)))) == [
        ("x/client[Deployment]", 80, [("web-0", 8080)])
    ]


def test_a_service_is_not_reached_where_only_its_own_port_is_allowed():
    assert served(policy("x", "p", "web", Rule(None, tcp(80)))) == []


def test_pods_behind_a_service_that_refuse_are_not_among_those_reached():
    other = pod("x", "web", 1, labels={"closed": "yes"}, ports=WEB.ports)
    deny = policy("x", "p", None, closed="yes")
    assert ("x/client[Deployment]", 80, [("web-0", 8080)]) in served(other, deny)


ROUTE = Route("Ingress", "x", "in", (RouteBackend("x", "web", 80),))


def routed(*objects, route=ROUTE):
    routing = Routing(answer(SERVICE, *objects).found, (route,))
    ends = routing.found.ends
    return {ends[n].title: str(ports) for n, ports in routing.lines.items()}, list(routing.notes())


def test_an_ingress_leads_to_the_pods_behind_its_service():
    assert routed() == ({"x/web[Deployment]": "TCP 8080"}, [])


def test_a_controller_is_let_in_by_the_name_of_its_namespace():
    nginx = PodSelection(selector(requirement("kubernetes.io/metadata.name", Operator.IN, "ingress-nginx")))
    assert routed(policy("x", "p", "web", Rule((nginx,), tcp(8080)))) == (
        {"x/web[Deployment]": "TCP 8080"},
        [],
    )


def test_a_policy_that_blocks_the_way_is_named():
    lines, notes = routed(policy("x", "p", "web", Rule((OPS,), tcp(8080))))
    assert lines == {}
    assert notes[0].startswith("Ingress x/in leads to x/web[Deployment] on TCP 8080, but no policy")
    assert "x/p" in notes[0]


def test_a_route_to_nobody_is_said():
    lost = Route("HTTPRoute", "x", "r", (RouteBackend("x", "lost", 80),))
    assert "Service x/lost, behind which the input has no pod" in routed(route=lost)[1][0]


INGRESS = b"""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: in, namespace: x}
spec:
  defaultBackend: {service: {name: home, port: {name: http}}}
  rules:
    - {http: {paths: [{backend: {service: {name: web, port: {number: 80}}}}, {backend: {resource: {kind: Bucket}}}]}}
    - {http: {paths: [{backend: {service: {name: web, port: {number: 80}}}}]}}
    - {host: nothing.example}
"""

HTTP_ROUTE = b"""
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: x}
spec:
  parentRefs: [{name: gate, namespace: infra}, {kind: Service, name: mesh}]
  rules:
    - backendRefs: [{name: web, port: 80}, {name: far, namespace: z, port: 81}, {group: other.io, kind: Thing, name: t, port: 1}]
    - {}
"""

GATEWAY = (
    b"{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: gate, namespace: infra}}"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            INGRESS,
            Route("Ingress", "x", "in", (RouteBackend("x", "home", "http"), RouteBackend("x", "web", 80))),
        ),
        (
            HTTP_ROUTE,
            Route(
                "HTTPRoute",
                "x",
                "r",
                (RouteBackend("x", "web", 80), RouteBackend("z", "far", 81)),
                (("infra", "gate"),),
            ),
        ),
        (GATEWAY, Route("Gateway", "infra", "gate")),
    ],
)
def test_routes_are_read_with_the_service_ports_they_lead_to(text, expected):
    found = load(text)
    assert (found.routes, found.problems, found.objects) == ((expected,), (), ())


def test_a_route_whose_gateway_is_missing_among_those_given_is_said():
    routes = (*load(HTTP_ROUTE).routes, Route("Gateway", "infra", "other"))
    notes = list(Routing(answer().found, routes).notes())
    assert "HTTPRoute x/r belongs to Gateway infra/gate, which is not in the input" in notes


def test_a_named_port_of_the_workload_itself_is_its_number():
    assert exposed(Rule((OPS,), (PortMatch(Protocol.TCP, "http"),))) == {
        "[namespace with {team=ops}]/[all pods]": "TCP 8080"
    }
