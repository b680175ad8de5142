"""What a lab says of itself, as plain JSON values: the shapes that `probe -o json` and the other commands print.

Next: `requests` sends these, `cli.lab` prints them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from podfence.lab.changes import Changed, names_lost
from podfence.lab.denials import Denied
from podfence.lab.matrix import Answer
from podfence.lab.probes import ERROR
from podfence.lab.resolver import NAMESPACE
from podfence.lab.running import Report, Running
from podfence.model.backends import backends
from podfence.model.cluster import Snapshot
from podfence.model.flow import Flow
from podfence.model.ports import Protocol

Json = dict[str, Any]


def shown(snapshot: Snapshot) -> dict[str, str]:
    """Pods that people know by their workload: those that are the only one of it."""
    found: dict[str, list[str]] = {}
    for pod in snapshot.pods.values():
        if pod.owner and not pod.finished:
            found.setdefault(f"{pod.namespace}/{pod.owner.name}", []).append(pod.title)
    return {titles[0]: name for name, titles in found.items() if len(titles) == 1}


def counts(snapshot: Snapshot) -> Json:
    return {
        "nodes": len(snapshot.nodes),
        "pods": sum(not pod.finished for pod in snapshot.pods.values()),
        "services": len(snapshot.services),
        "policies": len(snapshot.policies),
    }


def status(running: Running, since: float) -> Json:
    snapshot = running.snapshot
    return {
        **counts(snapshot),
        "hosts": [str(address) for address in running.outside],
        "seconds": round(time.time() - since, 1),
        "denials": running.enforcers.denials.total,
        "denials_lost": running.enforcers.lost(),
        "notes": notes(running),
        "problems": sorted(running.listeners.problems.values()),
        "ends": [
            {
                "name": end.title,
                "node": end.pod.node if end.pod else "",
                "addresses": [str(address) for address in end.addresses],
                "ports": [f"{port}/{protocol}" for protocol, port in end.ports],
            }
            for end in running.ends()
        ],
    }


def notes(running: Running) -> list[str]:
    """What is not as in the input, or not as in a cluster."""
    deaf = sorted(
        {p.title for p in running.snapshot.pods.values() for c in p.ports if c.protocol == Protocol.SCTP}
    )
    sctp = f"SCTP ports are not listened at, since this kernel has no SCTP for us: {', '.join(deaf)}"
    capped = running.hosts_left_out
    cap = f"{capped} more regions of addresses that policies tell apart have no external host"
    return [*running.settled.notes, *([sctp] if deaf else []), *([cap] if capped else [])]


def report(running: Running, told: Report) -> Json:
    """After an edit."""
    comparison = told.comparison
    lost = set(names_lost(comparison.changed))
    return {
        "objects": [{"line": each.line, "namespace": each.key[1]} for each in told.done],
        "milliseconds": told.milliseconds,
        "nodes": len(running.snapshot.nodes),
        "shown": shown(running.snapshot),
        "pairs": comparison.pairs,
        "sampled": comparison.sampled,
        "changed": [{**_changed(each), "names_lost": each in lost} for each in comparison.changed],
        "cut": [flow(running.snapshot, each) for each in told.cut],
        "came": list(told.came),
        "went": list(told.went),
        "unreached": list(told.unreached),
    }


def _changed(changed: Changed) -> Json:
    return {
        "src": changed.source,
        "dst": changed.destination,
        "conn": connections(changed.ports),
        "before": changed.before,
        "after": changed.after,
    }


def connections(ports: Iterable[tuple[Protocol, int]]) -> str:
    """`TCP 80,443; UDP 53`; where protocols share their ports, `TCP, UDP 53`."""
    by_protocol: dict[str, list[int]] = {}
    for protocol, port in sorted(ports):
        by_protocol.setdefault(str(protocol), []).append(port)
    by_ports: dict[str, list[str]] = {}
    for name, numbers in by_protocol.items():
        by_ports.setdefault(",".join(map(str, numbers)), []).append(name)
    return "; ".join(f"{', '.join(names)} {numbers}" for numbers, names in by_ports.items())


def flow(snapshot: Snapshot, found: Flow) -> str:
    names = shown(snapshot)
    ends = (snapshot.pod_at(address) for address in (found.source, found.destination))
    source, destination = (
        names.get(pod.title, pod.title) if pod else str(address)
        for pod, address in zip(ends, (found.source, found.destination), strict=True)
    )
    return f"{source} → {destination} {found.protocol}" + ("" if found.port is None else f" {found.port}")


def something(running: Running) -> list[str] | None:
    """What to try first: a pod, and where it could ask, by the name of a Service where there is one."""
    snapshot, names = running.snapshot, shown(running.snapshot)
    pods = [end for end in running.ends() if end.pod and end.pod.namespace != NAMESPACE]
    for service in sorted(snapshot.services.values(), key=lambda service: service.key):
        source = next(
            (end for end in reversed(pods) if end.pod and end.pod.namespace != service.namespace), None
        )
        web = [p for p in service.ports if p.protocol == Protocol.TCP and backends(snapshot, service, p, 4)]
        if source and web and service.namespace != NAMESPACE:
            port = "" if web[0].number == 80 else f":{web[0].number}"
            return [
                names.get(source.title, source.title),
                f"http://{service.name}.{service.namespace}{port}/",
            ]
    for target in pods:
        tcp = [port for protocol, port in target.ports if protocol == Protocol.TCP]
        source = next((end for end in pods if end.title != target.title), None)
        if source and tcp and (at := target.address(4)):
            return [names.get(source.title, source.title), f"http://{at}:{tcp[0]}/"]
    return None


def denied(found: Denied) -> Json:
    return {
        "time": found.last,
        "since": found.first,
        "count": found.count,
        "src": found.source,
        "dst": found.destination,
        "src_address": str(found.flow.source),
        "dst_address": str(found.flow.destination),
        "protocol": str(found.flow.protocol),
        "port": found.flow.port,
        "direction": found.direction.value,
        "policies": list(found.policies),
        "stale": found.stale,
        "line": found.line,
    }


def probes(found: Sequence[Answer]) -> list[Json]:
    return [
        {
            "src": each.source,
            "dst": each.destination,
            "protocol": str(each.protocol),
            "port": each.port,
            "expected": each.expected,
            "measured": each.measured,
            "families": list(each.families),
            **({"reason": each.reason} if each.measured == ERROR else {}),
        }
        for each in found
    ]
