"""Pods whose egress is isolated so that they cannot ask for names: UDP 53, and TCP 53 for long answers.

Judged for the policies of a pod together. Where the cluster's DNS pods are given a rule must lead to them;
else whatever may be meant for DNS counts. Next: `wide`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from podfence.analysis.findings.evidence import Alike, Evidence
from podfence.analysis.findings.finding import Finding, Spot, about, note
from podfence.analysis.findings.labels import listed
from podfence.analysis.implication import implies
from podfence.model.labels import EVERYTHING, Selector
from podfence.model.policy import Direction, NetworkPeer, Peer, PodSelection, Policy, PolicyKey, Rule
from podfence.model.ports import PortMatch, PortRange, Protocol

DNS_PORT = 53
DNS_LABELS = frozenset(
    {("k8s-app", "kube-dns"), ("k8s-app", "coredns"), ("app.kubernetes.io/name", "coredns")}
)


def find(evidence: Evidence) -> Iterator[Finding]:
    """A policy is told once, whichever pods it is about."""
    dns = _Dns(evidence)
    told: set[int] = set()
    for policies, pods in _combinations(evidence):
        blamed = next((policy for policy in policies if policy.rules(Direction.EGRESS)), None)
        if blamed is not None and id(blamed) not in told:
            rules = [rule for policy in policies for rule in policy.rules(Direction.EGRESS)]
            found = list(_judged(dns, blamed, rules, pods))
            told |= {id(blamed)} if found else set()
            yield from found


def _combinations(evidence: Evidence) -> Iterator[tuple[Sequence[Policy], Sequence[Alike]]]:
    """Policies that isolate egress together; without pods those that select all that another one selects."""
    if not evidence.pods:
        isolating = [p for p in evidence.policies if Direction.EGRESS in p.directions]
        for policy in isolating:
            others = (o for o in isolating if o is not policy and implies(policy.subject, o.subject))
            yield (policy, *others), ()
        return
    found: dict[tuple[PolicyKey, ...], list[Alike]] = defaultdict(list)
    applying = evidence.applying[Direction.EGRESS]
    for alike, policies in applying.items():
        found[tuple(policy.key for policy in policies)].append(alike)
    yield from ((applying[several[0]], several) for several in found.values())


def _judged(dns: _Dns, policy: Policy, rules: Sequence[Rule], pods: Sequence[Alike]) -> Iterator[Finding]:
    udp, tcp = (
        any(dns.admitted(rule, protocol) for rule in rules) for protocol in (Protocol.UDP, Protocol.TCP)
    )
    who = listed(sorted({alike.title for alike in pods})) if pods else "the pods it selects"
    spot = Spot(policy, "spec.egress")
    remedy = "allow UDP and TCP 53 to the cluster's DNS (namespace kube-system)"
    if udp and not tcp:
        message = (
            f"{who} may ask for names by UDP only: an answer too long for a packet is asked again by TCP"
        )
        yield note(spot, "egress-without-dns", message, remedy)
    elif not udp:
        message = f"{who} cannot ask for names: no egress rule lets UDP 53 through"
        named = any(
            peer is None or isinstance(peer, PodSelection) for r in rules for peer in r.peers or (None,)
        )
        make = about if pods and named else note
        yield make(spot, "egress-without-dns", message, remedy)


@dataclass(frozen=True)
class _Dns:
    """What is known of the cluster's DNS."""

    evidence: Evidence

    @cached_property
    def pods(self) -> frozenset[Alike]:
        return frozenset(a for a in self.evidence.alike if DNS_LABELS & a.pod.labels.items())

    def admitted(self, rule: Rule, protocol: Protocol) -> bool:
        ports = rule.ports
        if ports is not None and not any(_is_dns(entry, protocol) for entry in ports):
            return False
        return rule.peers is None or any(self._leads(peer, said=ports is not None) for peer in rule.peers)

    def _leads(self, peer: Peer, *, said: bool) -> bool:
        """`said`: the rule names the port, so that DNS is meant wherever it is."""
        if isinstance(peer, NetworkPeer):
            return True
        if known := self.pods:
            return not known.isdisjoint(self.evidence.matching(peer))
        if said or _speaks_of_dns(peer):
            return True
        where = peer.namespaces
        system = self.evidence.namespace_labels("kube-system")
        return isinstance(where, Selector) and where.matches(system) and peer.pods == EVERYTHING


def _speaks_of_dns(peer: PodSelection) -> bool:
    """By the words of its labels, where nothing better is known."""
    every = (peer.pods, peer.namespaces) if isinstance(peer.namespaces, Selector) else (peer.pods,)
    values = (value for selector in every for wanted in selector.requirements for value in wanted.values)
    return any("dns" in value or value == "kube-system" for value in values)


def _is_dns(entry: PortMatch, protocol: Protocol) -> bool:
    if entry.protocol != protocol:
        return False
    return DNS_PORT in entry.port if isinstance(entry.port, PortRange) else "dns" in entry.port
