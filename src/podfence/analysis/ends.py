"""The ends of a flow, as people write them and as `reach` prints them, to pods and addresses.

`ns/name` (a pod before a workload), `deploy/x`, `ns/name[Kind]`, an address, a block, a range, `service.ns.svc`.
What is not found is an error with a suggestion; what is ambiguous names all its readings. Next: `questions`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from podfence.analysis.outside import representatives
from podfence.errors import UsageError, did_you_mean
from podfence.model.address import Address, AddressRange, address, network
from podfence.model.backends import pods_behind, service_at
from podfence.model.cluster import Pod, Service, Snapshot

SHORT_KINDS: Mapping[str, str] = {
    "po": "Pod",
    "deploy": "Deployment",
    "sts": "StatefulSet",
    "ds": "DaemonSet",
    "rs": "ReplicaSet",
    "rc": "ReplicationController",
    "cj": "CronJob",
    "job": "Job",
    "svc": "Service",
}
"""As kubectl abbreviates them; the kinds themselves are known in any case, also in the plural."""

_BRACKETS = re.compile(r"(?P<name>.+)\[(?P<kind>[A-Za-z]+)\]")


@dataclass(frozen=True, slots=True)
class Member:
    """One pod or one address of an end."""

    title: str
    addresses: tuple[Address, ...]
    pod: Pod | None = None


@dataclass(frozen=True, slots=True)
class End:
    """What a text stands for. `service` is set where a connection to it is still to be translated."""

    title: str
    members: tuple[Member, ...]
    service: Service | None = None


@dataclass(frozen=True)
class Ends:
    """Finds ends in a snapshot; remembers what it found, for those who ask ten thousand times."""

    snapshot: Snapshot
    namespace: str = "default"
    _found: dict[str, End] = field(default_factory=dict, compare=False)

    def find(self, text: str) -> End:
        if text not in self._found:
            self._found[text] = self._find(text)
        return self._found[text]

    def _find(self, text: str) -> End:
        bracketed = _BRACKETS.fullmatch(text)
        name, kind = bracketed.group("name", "kind") if bracketed else (text, "")
        if (not kind or kind == "External") and (end := self._by_address(name)):
            return end
        if not kind and "/" not in text and (service := self._by_dns(text)):
            return self._of_service(service)
        readings = {end.title: end for end in self._readings(name, kind)}
        if len(readings) > 1:
            raise UsageError(f"{text} may be {' or '.join(sorted(readings))}: say which")
        return next(iter(readings.values()), None) or self._unknown(text, name, kind)

    def _by_address(self, text: str) -> End | None:
        """An address, a block or a range, as `reach` prints the outside."""
        block = _range(text)
        if block is None:
            return None
        if block.first == block.last:
            service = service_at(self.snapshot, block.first)
            return self._of_service(service) if service else End(text, (self._at(block.first),))
        found = representatives(self.snapshot, block)
        if not found:
            raise UsageError(f"{text} has no address outside of the cluster: name a pod or one address")
        return End(text, tuple(Member(str(one), (one,)) for one in found))

    def _at(self, where: Address) -> Member:
        pod = self.snapshot.pod_at(where)
        return Member(f"{pod.title} ({where})" if pod else str(where), (where,), pod)

    def _by_dns(self, text: str) -> Service | None:
        """`service.ns`, `service.ns.svc`, `service.ns.svc.cluster.local`."""
        name, _, rest = text.rstrip(".").partition(".")
        namespace, _, suffix = rest.partition(".")
        right = suffix == "svc" or suffix.startswith("svc.") or not suffix
        return self.snapshot.services.get((namespace, name)) if right else None

    def _of_service(self, service: Service) -> End:
        title = f"{service.name}.{service.namespace}.svc"
        if service.external_name:
            raise UsageError(f"{title} is another name of {service.external_name}: give an address of that")
        members = tuple(_members(pods_behind(self.snapshot, service)))
        if not members:
            raise UsageError(f"no pods are behind {title}, so a connection to it fails before any policy")
        return End(title, members, service)

    def _readings(self, name: str, kind: str) -> Iterator[End]:
        """`a/b` is b in namespace a; or, where a is a kind, b of that kind in the namespace of `-n`."""
        first, slash, rest = name.partition("/")
        if not slash:
            yield from self._named(self.namespace, name, kind)
            return
        if rest.count("/") == 1 and (inner := _kind(rest.partition("/")[0])):
            yield from self._named(first, rest.partition("/")[2], inner)
        yield from self._named(first, rest, kind)
        if not kind and (short := _kind(first)):
            yield from self._named(self.namespace, rest, short)

    def _named(self, namespace: str, name: str, kind: str) -> Iterator[End]:
        wanted = kind.lower()
        pod = self.snapshot.pods.get((namespace, name))
        if pod and wanted in {"", "pod"}:
            yield End(f"{namespace}/{name}[Pod]", (_member(pod),))
            return
        service = self.snapshot.services.get((namespace, name))
        if service and wanted == "service":
            yield self._of_service(service)
        for owner, pods in self._workloads.get((namespace, name), {}).items():
            if wanted in {"", owner.lower()}:
                yield End(f"{namespace}/{name}[{owner}]", _living(f"{namespace}/{name}", pods))

    @cached_property
    def _workloads(self) -> dict[tuple[str, str], dict[str, list[Pod]]]:
        found: dict[tuple[str, str], dict[str, list[Pod]]] = {}
        for pod in sorted(self.snapshot.pods.values(), key=lambda pod: pod.key):
            if pod.owner:
                kinds = found.setdefault((pod.namespace, pod.owner.name), {})
                kinds.setdefault(pod.owner.kind, []).append(pod)
        return found

    def _unknown(self, text: str, name: str, kind: str) -> End:
        namespace, slash, rest = name.partition("/")
        here = (namespace, rest) if slash else (self.namespace, name)
        if here in self.snapshot.services and not kind:
            raise UsageError(f"{text} is a Service: write {here[1]}.{here[0]} for it")
        if "." in text and not slash:
            looked, known = text, {f"{n}.{ns}" for ns, n in self.snapshot.services}
        else:
            looked, known = "/".join(here), self._near(*here)
        hint = did_you_mean(looked, known) or "; an end is ns/name, an address or service.ns"
        raise UsageError(f"no pod, workload or Service is called {looked}{hint}")

    def _near(self, namespace: str, name: str) -> set[str]:
        """What has the right namespace or the right name: not all names there are, which may be very many."""
        names = (*self.snapshot.pods, *self._workloads)
        return {f"{ns}/{n}" for ns, n in names if ns == namespace or n == name}


def _kind(word: str) -> str:
    """The kind that a word abbreviates, or nothing."""
    lower = word.lower()
    kinds = {kind.lower(): kind for kind in SHORT_KINDS.values()}
    return SHORT_KINDS.get(lower) or kinds.get(lower) or kinds.get(lower.removesuffix("s")) or ""


def _range(text: str) -> AddressRange | None:
    first, dash, last = text.partition("-")
    try:
        if "/" in text:
            block = network(text)
            return AddressRange(block.base, block.last)
        return AddressRange(address(first), address(last if dash else first))
    except ValueError:
        return None


def _living(title: str, pods: Iterable[Pod]) -> tuple[Member, ...]:
    found = tuple(_members(pods))
    if not found:
        raise UsageError(f"{title} has no pod with an address")
    return found


def _members(pods: Iterable[Pod]) -> Iterator[Member]:
    return (Member(pod.title, pod.addresses, pod) for pod in pods if pod.addresses and not pod.finished)


def _member(pod: Pod) -> Member:
    if pod.finished:
        raise UsageError(f"{pod.title} has finished: nothing in the network is called so any more")
    if not pod.addresses:
        raise UsageError(f"{pod.title} has no address yet: ask again when it runs")
    return Member(pod.title, pod.addresses, pod)
