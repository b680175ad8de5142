"""`cluster:` against a real API server: the same values that kubectl's output gives, by every way to log in."""

import json
import sys
from textwrap import dedent

import pytest

from podfence import sources
from podfence.cli import main
from podfence.kube import listing
from podfence.manifests.load import load
from podfence.model.cluster import Owner, Pod
from podfence.model.policy import Policy
from podfence.model.route import Route, RouteBackend

INGRESS = Route("Ingress", "shop", "db", (RouteBackend("shop", "db", 5432),))
CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: httproutes.gateway.networking.k8s.io
  annotations: {api-approved.kubernetes.io: "https://github.com/kubernetes-sigs/gateway-api"}
spec:
  group: gateway.networking.k8s.io
  names: {kind: HTTPRoute, plural: httproutes}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""
HTTP_ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: shop}
spec: {rules: [{backendRefs: [{name: db, port: 5432}]}]}
"""


@pytest.fixture
def as_user(world, monkeypatch):
    """Makes a kubeconfig the current one."""

    def chosen(user="admin", **shown):
        monkeypatch.setenv("KUBECONFIG", str(world.kubeconfig(user, **shown)))
        return world

    return chosen


KINDS = "namespaces,nodes,pods,services,networkpolicies,ingresses,replicasets,jobs"


def test_it_holds_what_kubectl_prints_of_the_same_cluster(as_user):
    api = as_user()
    printed = load(api.kubectl("get", KINDS, "-A", "-o", "json").stdout.encode())
    found = sources.read(["cluster:"])
    assert (printed.problems, found.problems) == ((), ())
    assert ordered(found.objects) == ordered(printed.objects)
    assert found.routes == printed.routes == (INGRESS,)
    assert found.templates == ()


def ordered(objects):
    return sorted(objects, key=lambda each: (type(each).__name__, getattr(each, "namespace", ""), each.name))


@pytest.fixture
def gateway_api(world):
    """A cluster that serves HTTPRoutes, and still no Gateways."""
    world.kubectl("apply", "-f", "-", stdin=CRD)
    world.kubectl("wait", "--for=condition=Established", "--timeout=20s", "-f", "-", stdin=CRD)
    yield
    world.kubectl("delete", "--timeout=20s", "-f", "-", stdin=CRD)


@pytest.mark.usefixtures("gateway_api")
def test_routes_of_the_gateway_api_are_read_where_it_is_served(as_user):
    as_user().kubectl("apply", "-f", "-", stdin=HTTP_ROUTE)
    route = Route("HTTPRoute", "shop", "r", (RouteBackend("shop", "db", 5432),))
    assert sources.read(["cluster:"]).routes == (INGRESS, route)


def test_owners_whose_names_do_not_tell_are_found(as_user):
    as_user()
    owners = {
        each.name: each.owner for each in sources.read(["cluster:live"]).objects if isinstance(each, Pod)
    }
    assert owners == {"web": Owner("Deployment", "web"), "night": Owner("CronJob", "nightly"), "db": None}


def test_pages_are_put_together(as_user, monkeypatch):
    as_user()
    whole = sources.read(["cluster:"])
    monkeypatch.setattr(listing, "PAGE", "1")
    assert ordered(sources.read(["cluster:"]).objects) == ordered(whole.objects)


@pytest.mark.parametrize(
    ("flow", "status"), [("--from shop/web --port 5432/TCP", 0), ("--from shop/night --port 5432/TCP", 1)]
)
def test_a_question_is_answered(as_user, capsys, flow, status):
    as_user()
    assert main(["explain", "cluster:", "--to", "shop/db", *flow.split()]) == status
    assert "shop/db" in capsys.readouterr().out


def test_a_branch_is_laid_over_the_cluster(as_user, tmp_path, capsys):
    as_user()
    path = tmp_path / "branch.yaml"
    path.write_text(
        dedent("""
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: db, namespace: shop}
        spec: {podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress]}
        """)
    )
    flow = ["--from", "shop/web", "--to", "shop/db", "--port", "5432/TCP"]
    assert main(["explain", "cluster:", *flow]) == 0
    assert main(["explain", "cluster:", str(path), *flow]) == 1
    assert str(path) in capsys.readouterr().out


def test_places_in_the_servers_answer_are_not_made_up(as_user):
    as_user()
    (policy,) = (each for each in sources.read(["cluster:"]).objects if isinstance(each, Policy))
    assert policy.place("spec.ingress[0]").line == 0


def test_a_certificate_logs_in(as_user):
    at = as_user().directory
    as_user("cert", **{"client-certificate": str(at / "client.crt"), "client-key": str(at / "client.key")})
    assert sources.read(["cluster:"]).objects


def test_a_program_logs_in(as_user):
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": "admin"},
    }
    program = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": sys.executable,
        "args": ["-c", f"print({json.dumps(credential)!r})"],
        "interactiveMode": "Never",
    }
    as_user("program", exec=program)
    assert sources.read(["cluster:"]).objects


def test_a_stranger_is_told_to_log_in(as_user, capsys):
    as_user("nobody", token="wrong")
    assert main(["check", "cluster:"]) == 2
    assert "log in again" in capsys.readouterr().err


def test_a_server_that_is_somebody_else_gets_no_token(as_user, monkeypatch, capsys):
    api = as_user()
    content = json.loads(api.kubeconfig().read_text())
    del content["clusters"][0]["cluster"]["certificate-authority"]
    path = api.directory / "untrusting.kubeconfig"
    path.write_text(json.dumps(content))
    monkeypatch.setenv("KUBECONFIG", str(path))
    assert main(["check", "cluster:"]) == 2
    assert "its certificate is not trusted" in capsys.readouterr().err
