"""Two ends and a port, to flows: what `decide` is asked when people ask about names.

Services are translated here, names of ports are looked up, "all ports" becomes one flow for each class of ports
that policies can tell apart. Next: `semantics.decide`, flow by flow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

from podfence.analysis.ends import End, Member
from podfence.errors import UsageError
from podfence.model.address import Address
from podfence.model.backends import Backend, backends
from podfence.model.cluster import Service, ServicePort, Snapshot
from podfence.model.flow import Flow
from podfence.model.policy import Direction
from podfence.model.ports import LAST_PORT, WITH_PORTS, PortRange, Protocol, protocol

EVERY_NUMBER = PortRange(1, LAST_PORT)


@dataclass(frozen=True, slots=True)
class PortAsked:
    """`protocol` None: all of them. `ports` None: a protocol without ports. `name`: a port of the destination."""

    protocol: Protocol | None = None
    ports: PortRange | None = EVERY_NUMBER
    name: str = ""

    def __str__(self) -> str:
        what = self.name or (str(self.ports) if self.ports not in {None, EVERY_NUMBER} else "")
        return "/".join(part for part in (what, str(self.protocol or "")) if part)


EVERY_PORT = PortAsked()


def port_asked(text: str) -> PortAsked:
    """`80`, `80/TCP`, `80-90/UDP`, `http`, `http/UDP`, `TCP`, `ICMP`; empty means all. UsageError else."""
    left, _, right = text.partition("/")
    named = _protocol(right) if right else None
    if right and named is None:
        raise UsageError(f"--port {text}: {right!r} is not a protocol; write it like 80/TCP, http or ICMP")
    alone = named if not left else (None if right or _number(left) else _protocol(left))
    if alone:
        return PortAsked(alone, EVERY_NUMBER if alone.has_ports else None)
    first, dash, last = left.partition("-")
    if _number(first) and (_number(last) or not dash):
        ports = PortRange(int(first), int(last or first))
        if ports.first > ports.last or ports.last > LAST_PORT:
            raise UsageError(f"--port {text}: ports are 0 to {LAST_PORT}, the first before the last")
        return PortAsked(named or Protocol.TCP, ports)
    return PortAsked(named, EVERY_NUMBER, left) if left else EVERY_PORT


def _protocol(text: str) -> Protocol | None:
    try:
        return protocol(text)
    except ValueError:
        return None


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit()


@dataclass(frozen=True, slots=True)
class Question:
    """One flow, and what it stands for: `ports` all alike, `via` how a Service led there."""

    source: Member
    destination: Member
    flow: Flow
    ports: PortRange | None
    via: str = ""

    @property
    def port(self) -> str:
        """`TCP 80`, `TCP 81-65535`, `other protocols`."""
        if self.ports is None:
            return str(self.flow.protocol)
        return str(self.flow.protocol) if self.ports == EVERY_NUMBER else f"{self.flow.protocol} {self.ports}"


@dataclass(frozen=True)
class Asking:
    """Makes questions about one snapshot."""

    snapshot: Snapshot
    _behind: dict[tuple[tuple[str, str], ServicePort, int], tuple[Backend, ...]] = field(
        default_factory=dict, compare=False
    )

    def questions(self, source: End, destination: End, asked: PortAsked) -> tuple[Question, ...]:
        """Every pair of members of one family, and every class of ports; UsageError when there is none."""
        service = destination.service
        made = (
            self._through(source, service, asked) if service else self._straight(source, destination, asked)
        )
        found = tuple(made)
        if not found:
            raise UsageError(self._why_none(source, destination, asked))
        return found

    def _straight(self, source: End, destination: End, asked: PortAsked) -> Iterator[Question]:
        for here, there in product(source.members, destination.members):
            for sent, received in _common(here, there):
                for number, ports in self._classes(there, asked, received.family):
                    flow = Flow(sent, received, number, ports.first if ports else None)
                    yield Question(here, there, flow, ports)

    def _through(self, source: End, service: Service, asked: PortAsked) -> Iterator[Question]:
        for port, here in product(_service_ports(service, asked), source.members):
            for sent in here.addresses:
                found = self._backends(service, port, sent.family)
                yield from (_translated(here, sent, (service, port), backend) for backend in found)

    def _backends(self, service: Service, port: ServicePort, family: int) -> tuple[Backend, ...]:
        """All pods are looked at for it: once."""
        key = (service.key, port, family)
        if key not in self._behind:
            self._behind[key] = backends(self.snapshot, service, port, family)
        return self._behind[key]

    def _classes(
        self, there: Member, asked: PortAsked, family: int
    ) -> Iterator[tuple[Protocol, PortRange | None]]:
        if asked.name:
            for port in there.pod.ports if there.pod else ():
                if port.name == asked.name and asked.protocol in {None, port.protocol}:
                    yield port.protocol, PortRange(port.number, port.number)
            return
        for kind in WITH_PORTS if asked.protocol is None else (asked.protocol,):
            if asked.ports is None or not kind.has_ports:
                yield kind, None
            else:
                yield from ((kind, ports) for ports in self._cut(kind, there, asked.ports))
        if asked.protocol is None:
            yield (Protocol.ICMP if family == 4 else Protocol.ICMPV6), None

    def _cut(self, kind: Protocol, there: Member, asked: PortRange) -> Iterator[PortRange]:
        """The parts of a range that policies, or names on this destination, can tell apart."""
        if asked.first == asked.last:
            yield asked
            return
        named = {p.number for p in there.pod.ports if p.name and p.protocol == kind} if there.pod else set()
        cuts = {*self._starts.get(kind, ()), *named, *(number + 1 for number in named)}
        starts = [asked.first, *sorted(n for n in cuts if asked.first < n <= asked.last), asked.last + 1]
        yield from (PortRange(starts[n], starts[n + 1] - 1) for n in range(len(starts) - 1))

    @cached_property
    def _starts(self) -> dict[Protocol, set[int]]:
        """Where some entry of some rule begins, and the number behind its end."""
        found: dict[Protocol, set[int]] = {}
        for kind, ports in _ranges_named(self.snapshot):
            found.setdefault(kind, set()).update((ports.first, ports.last + 1))
        return found

    def _why_none(self, source: End, destination: End, asked: PortAsked) -> str:
        pairs = ((a, b) for a in source.members for b in destination.members)
        if not any(next(_common(a, b), None) for a, b in pairs):
            return f"{source.title} and {destination.title} have no address family in common"
        declared = {p.name for there in destination.members if there.pod for p in there.pod.ports if p.name}
        names = ", ".join(sorted(declared)) or "none"
        return f"{destination.title} declares no port {asked}; names it declares: {names}"


def _ranges_named(snapshot: Snapshot) -> Iterator[tuple[Protocol, PortRange]]:
    for policy in snapshot.policies.values():
        rules = (*policy.rules(Direction.INGRESS), *policy.rules(Direction.EGRESS))
        entries = (entry for rule in rules for entry in rule.ports or ())
        yield from ((entry.protocol, entry.port) for entry in entries if isinstance(entry.port, PortRange))


def _translated(
    here: Member, sent: Address, through: tuple[Service, ServicePort], backend: Backend
) -> Question:
    """A pod that meets itself has left through the Service, unless that is headless: then it knows its own address."""
    service, port = through
    hairpin = sent == backend.address and not service.headless
    return Question(
        here,
        Member(backend.pod.title, (backend.address,), backend.pod),
        Flow(sent, backend.address, port.protocol, backend.port, hairpin),
        PortRange(backend.port, backend.port),
        f"{service.name}.{service.namespace}.svc:{port.number}",
    )


def _common(here: Member, there: Member) -> Iterator[tuple[Address, Address]]:
    return ((a, b) for a in here.addresses for b in there.addresses if a.family == b.family)


def _service_ports(service: Service, asked: PortAsked) -> tuple[ServicePort, ...]:
    """A number asked of a headless Service is the pod's own."""
    if service.headless and asked.ports and asked.protocol and asked.ports.first == asked.ports.last:
        return (ServicePort("", asked.protocol, asked.ports.first, asked.ports.first),)
    if found := tuple(port for port in service.ports if _meant(port, asked)):
        return found
    has = ", ".join(f"{p.number}/{p.protocol}" + (f" ({p.name})" if p.name else "") for p in service.ports)
    raise UsageError(f"{service.name}.{service.namespace}.svc has no port {asked}; it has {has or 'none'}")


def _meant(port: ServicePort, asked: PortAsked) -> bool:
    if asked.ports is None or asked.protocol not in {None, port.protocol}:
        return False
    return port.name == asked.name if asked.name else port.number in asked.ports
