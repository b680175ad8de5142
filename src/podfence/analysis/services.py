"""Who reaches a Service on its ports: the port translated to that of each pod behind it, as kube-proxy does.

Next: `cli.show` prints these lines after those of workloads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from podfence.analysis.connections import Connections
from podfence.model.backends import pods_behind, target
from podfence.model.cluster import Pod, Service, ServicePort


class Behind(NamedTuple):
    """A port of a pod, where a connection to a Service may end. `end` is the number of the end the pod is in."""

    pod: Pod
    port: int
    end: int


class Served(NamedTuple):
    """A source, and which of the pods behind a Service it reaches there; the others refuse it."""

    source: int
    service: Service
    port: ServicePort
    reached: tuple[Behind, ...]
    behind: tuple[Behind, ...]


@dataclass(frozen=True)
class Serving:
    """Of all Services that have pods in the answer. Their addresses mean nothing outside of the cluster."""

    found: Connections

    def lines(self, sources: frozenset[int] | None = None) -> Iterator[Served]:
        """By source, then by Service and port. A workload that is itself behind a Service is left out of that one."""
        for source in range(len(self.found.ends)):
            if self.found.ends[source].pods and (sources is None or source in sources):
                yield from self._of(source)

    def _of(self, source: int) -> Iterator[Served]:
        row = dict(self.found.row(source))
        for (service, port), behind in self.behind.items():
            if any(each.end == source for each in behind):
                continue
            reached = tuple(each for each in behind if self._passes(row, port, each))
            if reached:
                yield Served(source, service, port, reached, behind)

    def _passes(self, row: dict[int, tuple[int, int]], port: ServicePort, each: Behind) -> bool:
        pair = row.get(each.end)
        return pair is not None and (port.protocol, each.port) in self.found.allowed(pair).ports

    @cached_property
    def behind(self) -> dict[tuple[Service, ServicePort], tuple[Behind, ...]]:
        snapshot = self.found.kinds.snapshot
        services = sorted(snapshot.services.values(), key=lambda service: service.key)
        found: defaultdict[tuple[Service, ServicePort], tuple[Behind, ...]] = defaultdict(tuple)
        for service in services:
            pods = [pod for pod in pods_behind(snapshot, service) if pod.key in self._of_pod]
            for port in service.ports:
                if there := self._targets(pods, port):
                    found[service, port] = there
        return found

    def _targets(self, pods: list[Pod], port: ServicePort) -> tuple[Behind, ...]:
        numbers = ((pod, target(port, pod)) for pod in pods)
        return tuple(
            Behind(pod, number, self._of_pod[pod.key]) for pod, number in numbers if number is not None
        )

    @cached_property
    def _of_pod(self) -> dict[tuple[str, str], int]:
        return {pod.key: number for number, end in enumerate(self.found.ends) for pod in end.pods}
