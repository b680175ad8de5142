"""How long `podfence reach` takes, as people wait for it: whole processes, from start to the last byte.

`make bench-reach` prints the table. Clusters are generated as JSON files, as `kubectl get -o json` writes them:
workloads of some replicas spread over namespaces and nodes, policies of mixed kinds (labels, namespaces, blocks with
exceptions, ranges of ports, named ports). The budget of a run is its base plus a microsecond a printed line.
"""

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NODES = 100
REPLICAS = 10
PODFENCE = Path(sys.executable).with_name("podfence")

RUNS = (
    (1_000, 200, ("-o", "text"), 0.5),
    (10_000, 2_000, ("-o", "text"), 3.0),
    (10_000, 2_000, ("-o", "json"), 3.0),
    (100_000, 20_000, ("-o", "text", "--by", "namespace"), 40.0),
)
"""Pods, policies, options, and the seconds it may take beside what its lines cost."""


def write_cluster(path, pods, policies, seed=1):
    """A cluster of about `pods` pods in workloads of 10 replicas, 20 workloads a namespace, as one List."""
    pick = random.Random(seed)
    workloads = max(1, pods // REPLICAS)
    namespaces = [f"team-{n}" for n in range(max(1, workloads // 20))]
    with path.open("w") as out:
        out.write('{"apiVersion":"v1","kind":"List","items":[\n')
        objects = (
            *(_namespace(name, n) for n, name in enumerate(namespaces)),
            *(_node(n) for n in range(NODES)),
            *(_policy(n, pick, workloads, namespaces) for n in range(policies)),
        )
        out.writelines(json.dumps(each) + ",\n" for each in objects)
        texts = (json.dumps(_pod(number, workloads, namespaces)) for number in range(pods))
        out.write(",\n".join(texts) + "\n]}\n")


def _namespace(name, number):
    labels = {"kubernetes.io/metadata.name": name, "tier": f"t{number % 4}"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _node(number):
    address = {"type": "InternalIP", "address": f"192.168.{number // 250}.{number % 250 + 1}"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": f"node-{number}"},
        "status": {"addresses": [address]},
    }


def _pod(number, workloads, namespaces):
    workload = number % workloads
    hashed = f"{workload:08x}"
    address = ".".join(map(str, (0x0A000000 + 0x10000 + number).to_bytes(4, "big")))
    ports = [{"name": "http", "containerPort": 8000 + workload % 3}, {"containerPort": 9090}]
    owner = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": f"app-{workload}-{hashed}",
        "controller": True,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"app-{workload}-{hashed}-{number}",
            "namespace": namespaces[workload % len(namespaces)],
            "uid": f"00000000-0000-0000-0000-{number:012}",
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {
                "app": f"app-{workload}",
                "tier": f"t{workload % 5}",
                "pod-template-hash": hashed,
            },
            "ownerReferences": [owner],
        },
        "spec": {
            "nodeName": f"node-{number % NODES}",
            "containers": [{"name": "main", "image": "example/app:1", "ports": ports}],
        },
        "status": {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]},
    }


def _policy(number, pick, workloads, namespaces):
    workload = pick.randrange(workloads)
    namespace = namespaces[workload % len(namespaces)]
    direction, field = pick.choice((("Ingress", "from"), ("Egress", "to")))
    rules = [_rule(pick, workloads, field) for _ in range(pick.randint(1, 4))]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": f"policy-{number}", "namespace": namespace},
        "spec": {
            "podSelector": {"matchLabels": {"app": f"app-{workload}"}},
            "policyTypes": [direction],
            direction.lower(): rules,
        },
    }


def _rule(pick, workloads, field):
    app = {"matchLabels": {"app": f"app-{pick.randrange(workloads)}"}}
    tier = {"matchLabels": {"tier": f"t{pick.randrange(4)}"}}
    beside = {"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["t0"]}]}
    block = {"cidr": f"10.{pick.randrange(200)}.0.0/16", "except": []}
    block["except"] = ["10.1.2.0/24"] if block["cidr"] == "10.1.0.0/16" else []
    peers = ({"podSelector": app}, {"namespaceSelector": tier, "podSelector": app})
    peers = (*peers, {"podSelector": beside}, {"ipBlock": block})
    ports = (
        {"port": 8000 + pick.randrange(3), "endPort": 8003},
        {"port": "http"},
        {"protocol": "UDP", "port": 30000, "endPort": 32767},
    )
    return {field: pick.sample(peers, 2), "ports": pick.sample(ports, pick.randint(1, 2))}


def measured(path, options):
    """(processor seconds, seconds in all, lines, megabytes) of one process."""
    start, before = time.perf_counter(), _used()
    with subprocess.Popen([PODFENCE, "reach", str(path), *options], stdout=subprocess.PIPE) as process:
        lines = sum(chunk.count(b"\n") for chunk in iter(lambda: process.stdout.read(1 << 20), b""))
    seconds = time.perf_counter() - start
    if process.returncode:
        sys.exit(f"podfence reach ended with {process.returncode}")
    return _used() - before, seconds, lines, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024


def _used():
    """Processor time of the processes that have ended: what counts where others share the machine."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    wanted = [tuple(map(int, each.split("/"))) for each in sys.argv[1:]]
    print("| pods / policies | options | s of processor | s in all | budget | lines | peak MiB so far |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for pods, policies, options, base in RUNS:
            if wanted and (pods, policies) not in wanted:
                continue
            path = Path(folder) / f"{pods}.json"
            if not path.exists():
                write_cluster(path, pods, policies)
            used, seconds, lines, size = min(
                measured(path, options) for _ in range(1 if pods > 50_000 else 3)
            )
            row = (
                f"{pods:,} / {policies:,}",
                " ".join(options),
                f"{used:.2f}",
                f"{seconds:.2f}",
                f"{base + lines / 1e6:.2f}",
            )
            print(f"| {' | '.join(row)} | {lines:,} | {size} |", flush=True)


if __name__ == "__main__":
    main()
