"""A cluster of many workloads, as JSON: 20 a namespace, most with policies of their own."""

import json


def crowd(workloads):
    spaces = [f"team-{n:02}" for n in range(workloads // 20)]
    items = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": each}} for each in spaces]
    for n in range(workloads):
        items.append(_deployment(n, spaces[n // 20]))
        if n % 3:
            items.append(_policy(n, spaces[n // 20], workloads))
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


def _deployment(number, namespace):
    labels = {"app": f"app-{number}", "tier": f"t{number % 4}"}
    ports = [{"containerPort": 8000 + number % 5, "name": "http"}, {"containerPort": 9090}]
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "c", "image": "i", "ports": ports}]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"app-{number}", "namespace": namespace},
        "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template},
    }


def _policy(number, namespace, workloads):
    peers = [{"podSelector": {"matchLabels": {"tier": f"t{(number + 1) % 4}"}}}]
    if number % 5 == 0:
        other = {"matchLabels": {"kubernetes.io/metadata.name": f"team-{number * 7 % workloads // 20:02}"}}
        peers.append({"namespaceSelector": other, "podSelector": {}})
    if number % 7 == 0:
        peers.append(
            {"ipBlock": {"cidr": f"192.0.{number % 5}.0/24", "except": [f"192.0.{number % 5}.128/25"]}}
        )
    ports = (
        [{"port": "http"}]
        if number % 2
        else [{"port": 9090}, {"protocol": "UDP", "port": 30000, "endPort": 32767}]
    )
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": f"policy-{number}", "namespace": namespace},
        "spec": {
            "podSelector": {"matchLabels": {"app": f"app-{number}"}},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": peers, "ports": ports}],
        },
    }
