"""Manifests in few words: what findings are triggered with."""

import json

from podfence.analysis.findings.report import judge
from podfence.manifests.gathered import Gathered
from podfence.manifests.load import File, take
from podfence.manifests.owners import settled
from podfence.manifests.reading import Context

KINDS = {
    "Deployment": "apps/v1",
    "HTTPRoute": "gateway.networking.k8s.io/v1",
    "Ingress": "networking.k8s.io/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
}


def item(kind, name, namespace=None, **rest):
    meta = {"name": name, **({"namespace": namespace} if namespace else {})}
    meta |= rest.pop("metadata", {})
    return {"apiVersion": KINDS.get(kind, "v1"), "kind": kind, "metadata": meta, **rest}


def pod(name, labels, *ports, namespace="default", address=None, host=False, **metadata):
    """A port is `80`, `80/UDP` or `http=80`."""
    containers = [{"ports": [_port(port) for port in ports]}]
    spec = {"containers": containers, "hostNetwork": host}
    return item(
        "Pod",
        name,
        namespace,
        metadata={"labels": labels, **metadata},
        spec=spec,
        status={"podIP": address} if address else {},
    )


def _port(text):
    name, _, number = str(text).rpartition("=")
    number, _, protocol = number.partition("/")
    return {"name": name, "containerPort": int(number), "protocol": protocol or "TCP"}


def service(name, selector, port, target, namespace="default", address=None):
    spec = {"selector": selector, "ports": [{"port": port, "targetPort": target}]}
    return item("Service", name, namespace, spec=spec | ({"clusterIP": address} if address else {}))


def space(name, **labels):
    return item("Namespace", name, metadata={"labels": labels})


def policy(name="p", namespace="default", metadata=None, **spec):
    spec.setdefault("podSelector", {})
    return item("NetworkPolicy", name, namespace, metadata=metadata or {}, spec=spec)


def ingress(*rules, **more):
    return policy(ingress=list(rules), policyTypes=["Ingress"], **more)


def egress(*rules, **more):
    return policy(egress=list(rules), policyTypes=["Egress"], **more)


def labels(**equal):
    return {"matchLabels": equal}


def block(cidr, *excepts):
    return {"ipBlock": {"cidr": cidr, **({"except": list(excepts)} if excepts else {})}}


def manifests(*objects):
    gathered = Gathered()
    take(
        File("input.json", json.dumps({"kind": "List", "apiVersion": "v1", "items": objects}).encode()),
        Context(),
        gathered,
    )
    found = settled(gathered.manifests())
    assert not found.problems, found.problems
    return found


def report(*objects, **options):
    return judge(manifests(*objects), **options)


def findings(*objects, **options):
    return report(*objects, **options).findings


def codes(*objects, **options):
    return {finding.code for finding in findings(*objects, **options)}


DNS = {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]}
