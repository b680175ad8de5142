"""How long compiling takes: a whole cluster, and one change at a time. `make bench-compile` prints the table.

The cluster is generated: workloads of some replicas spread over namespaces and nodes, policies of mixed kinds
(labels, namespaces, blocks with exceptions, ranges, named ports). Times are processor time of this process alone.
"""

import gc
import random
import statistics
import sys
import time
from dataclasses import replace

from podfence.compiler import Compiler, compile  # noqa: A004  precedent: re.compile
from podfence.model.address import Address, network
from podfence.model.change import gone, put, snapshot
from podfence.model.cluster import ContainerPort, Namespace, Node, Pod
from podfence.model.labels import Operator, requirement, selector
from podfence.model.policy import Direction, NetworkPeer, PodSelection, Policy, Rule
from podfence.model.ports import PortMatch, PortRange, Protocol

NODES = 100


def cluster(pods, policies, seed=1):
    """A Snapshot of about `pods` pods in workloads of 10 replicas, 20 workloads a namespace."""
    pick = random.Random(seed)
    workloads = max(1, pods // 10)
    namespaces = [f"team-{n}" for n in range(max(1, workloads // 20))]
    objects = [
        Namespace(name, {"kubernetes.io/metadata.name": name, "tier": f"t{n % 4}"})
        for n, name in enumerate(namespaces)
    ]
    objects += [
        Node(f"node-{n}", addresses=(Address(bytes((192, 168, n // 250, n % 250 + 1))),))
        for n in range(NODES)
    ]
    objects += [_pod(number, workloads, namespaces) for number in range(pods)]
    objects += [_policy(number, pick, workloads, namespaces) for number in range(policies)]
    return snapshot(objects)


def _pod(number, workloads, namespaces):
    workload = number % workloads
    namespace = namespaces[workload % len(namespaces)]
    labels = {"app": f"app-{workload}", "tier": f"t{workload % 5}", "pod-template-hash": f"{workload:08x}"}
    address = Address((0x0A000000 + 0x10000 + number).to_bytes(4, "big"))
    ports = (ContainerPort("http", Protocol.TCP, 8000 + workload % 3), ContainerPort("", Protocol.TCP, 9090))
    return Pod(namespace, f"app-{workload}-{number}", labels, (address,), f"node-{number % NODES}", ports)


def _policy(number, pick, workloads, namespaces):
    workload = pick.randrange(workloads)
    namespace = namespaces[workload % len(namespaces)]
    subject = PodSelection(namespace, selector(app=f"app-{workload}"))
    rules = tuple(_rule(pick, workloads, namespace) for _ in range(pick.randint(1, 4)))
    direction = pick.choice(list(Direction))
    both = {"ingress": rules} if direction is Direction.INGRESS else {"egress": rules}
    return Policy(namespace, f"policy-{number}", subject, frozenset({direction}), **both)


def _rule(pick, workloads, namespace):
    app = f"app-{pick.randrange(workloads)}"
    peers = (
        PodSelection(namespace, selector(app=app)),
        PodSelection(selector(tier=f"t{pick.randrange(4)}"), selector(app=app)),
        PodSelection(namespace, selector(requirement("tier", Operator.NOT_IN, "t0"))),
        NetworkPeer(network(f"10.{pick.randrange(200)}.0.0/16"), (network("10.1.2.0/24"),)),
    )
    ports = (
        PortMatch(Protocol.TCP, PortRange(8000 + pick.randrange(3), 8003)),
        PortMatch(Protocol.TCP, "http"),
        PortMatch(Protocol.UDP, PortRange(30000, 32767)),
    )
    return Rule(tuple(pick.sample(peers, 2)), tuple(pick.sample(ports, pick.randint(1, 2))))


def timed(action):
    start = time.process_time()
    result = action()
    return (time.process_time() - start) * 1000, result


def spread(milliseconds):
    found = sorted(milliseconds)
    return f"{statistics.median(found):.3f} [{found[0]:.3f}-{found[-1]:.3f}] p99 {found[int(len(found) * 0.99)]:.3f}"


def changes(world, compiler, rounds=300):
    """Processor time in ms of single changes on one node: pods come, are relabelled and go; a policy changes."""
    pick = random.Random(2)
    pods, policies = list(world.pods.values()), list(world.policies.values())
    here = [pod for pod in pods if pod.node == "node-1"]
    rows = {"one more replica": [], "first of its kind on the node": [], "pod relabelled": [], "pod goes": []}
    for number in range(rounds):
        replica, other = _like(pick.choice(here), 2 * number), _like(pick.choice(pods), 2 * number + 1)
        relabelled = replace(other, labels=pick.choice(pods).labels)
        for name, change in zip(
            rows, (put(replica), put(other), put(relabelled), gone(relabelled)), strict=True
        ):
            rows[name].append(timed(lambda change=change: compiler.apply([change]))[0])
        compiler.apply([gone(replica)])
    rows["policy replaced"] = []
    for old, new in zip(policies[: rounds // 10], reversed(policies), strict=False):
        swapped = replace(old, directions=new.directions, ingress=new.ingress, egress=new.egress)
        rows["policy replaced"].append(timed(lambda swapped=swapped: compiler.apply([put(swapped)]))[0])
    return rows


def _like(model, number):
    address = Address((0x0B000000 + number).to_bytes(4, "big"))
    return replace(model, name=f"new-{number}", addresses=(address,), node="node-1")


def main():
    sizes = (
        [(1_000, 200), (10_000, 2_000)]
        if len(sys.argv) < 2
        else [tuple(map(int, a.split("/"))) for a in sys.argv[1:]]
    )
    print("| pods / policies | what | ms: median [min-max] p99 |\n|---|---|---|")
    for pods, policies in sizes:
        world = cluster(pods, policies)
        gc.collect()
        gc.freeze()
        for node, title in ((None, "whole cluster"), ("node-1", "one node")):
            cold = [timed(lambda node=node, world=world: compile(world, node))[0] for _ in range(3)]
            print(f"| {pods:,} / {policies:,} | {title}, cold | {spread(cold)} |")
        compiler = Compiler("node-1")
        compiler.apply(
            [
                put(value)
                for kind in (world.namespaces, world.nodes, world.policies, world.pods)
                for value in kind.values()
            ]
        )
        for name, row in changes(world, compiler).items():
            print(f"| {pods:,} / {policies:,} | {name} | {spread(row)} |")


if __name__ == "__main__":
    main()
