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

WORLD = """
apiVersion: v1
kind: Node
metadata: {name: node-1, labels: {disk: fast}}
spec: {podCIDRs: [10.244.1.0/24]}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: blue}}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, ports: [{port: 5432, targetPort: sql}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: web}}}]
    ports: [{port: sql}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: shop, uid: ""}
spec:
  schedule: "0 3 * * *"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}}
"""


def pod(name, app, *, owner=None, port=()):
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "labels": {"app": app},
            "ownerReferences": [owner] if owner else [],
        },
        "spec": {"nodeName": "node-1", "containers": [{"name": "c", "image": "i", "ports": [*port]}]},
    }


def controlled_by(kind, name, api="apps/v1", uid="5f3c"):
    return {"apiVersion": api, "kind": kind, "name": name, "uid": uid, "controller": True}


def replica_set(name, deployment):
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod("", "")["spec"] | {"nodeName": ""}}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "ownerReferences": [controlled_by("Deployment", deployment)],
        },
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template},
    }


def job(name, cron_job):
    template = {"spec": pod("", "")["spec"] | {"nodeName": "", "restartPolicy": "Never"}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "ownerReferences": [controlled_by("CronJob", cron_job, "batch/v1")],
        },
        "spec": {"template": template},
    }


@pytest.fixture(scope="module")
def world(api):
    """Pods with addresses, as a kubelet would have reported them, of owners whose names do not tell."""
    objects = [
        replica_set("odd-name", "web"),
        job("at-three", "nightly"),
        pod("web", "web", owner=controlled_by("ReplicaSet", "odd-name")),
        pod("night", "night", owner=controlled_by("Job", "at-three", "batch/v1")),
        pod("db", "db", port=[{"name": "sql", "containerPort": 5432}]),
    ]
    api.kubectl("apply", "-f", "-", stdin=WORLD)
    api.kubectl("create", "-f", "-", stdin="\n---\n".join(map(json.dumps, objects)))
    for number, name in enumerate(("web", "db", "night"), 1):
        report(api, name, number)
    node = {"addresses": [{"type": "InternalIP", "address": "10.9.0.1"}]}
    patched(api, "/api/v1/nodes/node-1/status", node)
    return api


def report(api, name, number):
    ip = f"10.244.1.{number}"
    status = {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}, {"ip": f"fd00::{number}"}]}
    patched(api, f"/api/v1/namespaces/shop/pods/{name}/status", status)


def patched(api, path, status):
    code, answer = api.ask("PATCH", path, json.dumps({"status": status}), "application/merge-patch+json")
    assert code == 200, answer


@pytest.fixture
def as_user(world, monkeypatch):
    """Makes a kubeconfig the current one."""

    def chosen(user="admin", **shown):
        monkeypatch.setenv("KUBECONFIG", str(world.kubeconfig(user, **shown)))
        return world

    return chosen


KINDS = "namespaces,nodes,pods,services,networkpolicies,replicasets,jobs"


def test_it_holds_what_kubectl_prints_of_the_same_cluster(as_user):
    api = as_user()
    printed = load(api.kubectl("get", KINDS, "-A", "-o", "json").stdout.encode())
    found = sources.read(["cluster:"])
    assert (printed.problems, found.problems) == ((), ())
    assert ordered(found.objects) == ordered(printed.objects)
    assert found.templates == ()


def ordered(objects):
    return sorted(objects, key=lambda each: (type(each).__name__, getattr(each, "namespace", ""), each.name))


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
