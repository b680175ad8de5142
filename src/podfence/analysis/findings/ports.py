"""Ports of rules that no pod at the destination listens on, as far as containers declare their ports.

A name must be declared to mean anything; a number need not, so that one is doubted only where a Service
shows the mistake, and noted where every pod declares other ports. Next: `directions`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from podfence.analysis.findings.evidence import Alike, Evidence
from podfence.analysis.findings.finding import Finding, Spot, about, note
from podfence.analysis.findings.labels import listed
from podfence.model.backends import target
from podfence.model.cluster import Service, ServicePort
from podfence.model.policy import Direction, PodSelection, Policy, Rule
from podfence.model.ports import ALL_PORTS, PortMatch, PortRange

Pods = Sequence[Alike]


def find(evidence: Evidence) -> Iterator[Finding]:
    for policy in evidence.policies if evidence.pods else ():
        for direction in Direction:
            for index, rule in enumerate(policy.rules(direction)):
                pods = destinations(evidence, policy, direction, rule) if rule.ports else ()
                path = f"spec.{direction.value}[{index}].ports"
                for number, entry in enumerate(rule.ports or ()) if pods else ():
                    spot = Spot(policy, f"{path}[{number}].port")
                    yield from _entry(evidence, spot, entry, pods)


def destinations(evidence: Evidence, policy: Policy, direction: Direction, rule: Rule) -> Pods:
    """The pods a rule leads to, where they are all known: none where it leads elsewhere too."""
    if direction is Direction.INGRESS:
        return evidence.selected(policy.subject)
    peers = [peer for peer in rule.peers or () if isinstance(peer, PodSelection)]
    if len(peers) != len(rule.peers or ()):
        return ()
    found = [evidence.selected(peer) for peer in peers]
    return tuple(dict.fromkeys(alike for some in found for alike in some)) if all(found) else ()


def _entry(evidence: Evidence, spot: Spot, entry: PortMatch, pods: Pods) -> Iterator[Finding]:
    if isinstance(entry.port, str):
        if not any(alike.pod.resolve(entry.port, entry.protocol) for alike in pods):
            yield _unnamed(spot, entry, entry.port, pods)
    elif entry.port != ALL_PORTS and not _declared(entry, entry.port, pods):
        yield from _number(evidence, spot, entry, entry.port, pods)


def _unnamed(spot: Spot, entry: PortMatch, name: str, pods: Pods) -> Finding:
    declared = {port for alike in pods for port in alike.pod.ports if port.name}
    other = sorted({str(port.protocol) for port in declared if port.name == name})
    if other:
        message = f"port {name} of {_who(pods)} is {listed(other)}, not {entry.protocol}: this entry matches nothing"
        return about(spot, "no-such-port-name", message, f"write protocol: {other[0]}")
    message = (
        f"no container of {_who(pods)} has a {entry.protocol} port named {name}: this entry matches nothing"
    )
    names = sorted({f"{port.name} ({port.protocol} {port.number})" for port in declared})
    return about(
        spot, "no-such-port-name", message, f"they have {listed(names) if names else 'no named ports'}"
    )


def _declared(entry: PortMatch, numbers: PortRange, pods: Pods) -> bool:
    return any(
        p.number in numbers and p.protocol == entry.protocol for alike in pods for p in alike.pod.ports
    )


def _number(
    evidence: Evidence, spot: Spot, entry: PortMatch, numbers: PortRange, pods: Pods
) -> Iterator[Finding]:
    """Before a packet is judged a Service's port has become the pod's."""
    leading = list(_leading(evidence, entry, pods))
    reached = {number for _, port, alike in leading if (number := target(port, alike.pod))}
    if any(number in numbers for number in reached):
        return
    through = [(service, port, alike) for service, port, alike in leading if port.number in numbers]
    if through and numbers.first == numbers.last:
        yield _service_port(spot, entry, through)
    elif all(alike.pod.ports for alike in pods):
        yield _not_exposed(spot, entry, pods)


def _leading(
    evidence: Evidence, entry: PortMatch, pods: Pods
) -> Iterator[tuple[Service, ServicePort, Alike]]:
    for alike in pods:
        for service in evidence.services_of(alike):
            yield from ((service, port, alike) for port in service.ports if port.protocol == entry.protocol)


def _service_port(
    spot: Spot, entry: PortMatch, through: Sequence[tuple[Service, ServicePort, Alike]]
) -> Finding:
    service, port, alike = through[0]
    number = target(port, alike.pod)
    message = (
        f"{entry.port} is a port of Service {service.title}, and no container of {alike.title} listens there: "
        f"policies see the port of the pod"
    )
    way = (
        f"write port: {number}" if number else f"write port: {port.target}, and declare that name in the pod"
    )
    return about(spot, "service-port", message, f"{way} (the Service's targetPort)")


def _not_exposed(spot: Spot, entry: PortMatch, pods: Pods) -> Finding:
    declared = sorted({(port.protocol, port.number) for alike in pods for port in alike.pod.ports})
    shown = listed([f"{protocol} {number}" for protocol, number in declared])
    message = f"no container of {_who(pods)} declares {entry}; they declare {shown}"
    return note(spot, "port-not-exposed", message, "mend the number, or declare the port in the pod")


def _who(pods: Pods) -> str:
    return listed(sorted({alike.title for alike in pods}))
