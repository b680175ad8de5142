"""A small world as a cluster has it: addresses that a kubelet would have reported, owners whose names do not tell."""

import json

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
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: db, namespace: shop}
spec: {defaultBackend: {service: {name: db, port: {number: 5432}}}}
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


def fill(api):
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


def report(api, name, number):
    ip = f"10.244.1.{number}"
    status = {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}, {"ip": f"fd00::{number}"}]}
    patched(api, f"/api/v1/namespaces/shop/pods/{name}/status", status)


def patched(api, path, status):
    code, answer = api.ask("PATCH", path, json.dumps({"status": status}), "application/merge-patch+json")
    assert code == 200, answer
