"""The meaning of policies: whether a flow passes, and why. Read this first.

Beside the specification: `docs/semantics.md`, whose clauses are cited as (S1) to (S14).
Everything that is faster (`compiler`, the kernel) is held equal to this by tests, flow by flow.
"""

from __future__ import annotations

from podfence.model.address import Address
from podfence.model.cluster import Pod, Snapshot
from podfence.model.flow import Because, Decision, Flow, Match, Verdict, Walk
from podfence.model.policy import Action, Direction, NetworkPeer, Peer, Policy, Rule, Tier
from podfence.model.ports import PortMatch


def decide(snapshot: Snapshot, flow: Flow) -> Decision:
    """A flow passes if its source may send it and its destination may receive it."""
    return Decision(flow, walk(snapshot, flow, Direction.EGRESS), walk(snapshot, flow, Direction.INGRESS))


def walk(snapshot: Snapshot, flow: Flow, direction: Direction) -> Walk:
    """The first tier to reach a verdict wins; if none does, Kubernetes allows."""
    pod = snapshot.pod_at(flow.ends(direction)[0])
    if pod is None:
        return Walk(direction, Verdict.ALLOWED, Because.NOT_A_POD)
    if exempt := _exempt(snapshot, flow, direction, pod):
        return Walk(direction, Verdict.ALLOWED, exempt, pod)
    for tier in Tier:
        if decided := _walk_tier(snapshot, flow, direction, pod, tier):
            return decided
    return Walk(direction, Verdict.ALLOWED, Because.NOT_ISOLATED, pod)


def _exempt(snapshot: Snapshot, flow: Flow, direction: Direction, pod: Pod) -> Because | None:
    """(S4) the pod's own node may reach it, not the other way round; (S6) a pod reaches its own address."""
    if flow.source == flow.destination and not flow.hairpin:
        return Because.OWN_ADDRESS
    if direction is Direction.INGRESS and flow.source in snapshot.node_addresses(pod.node):
        return Because.OWN_NODE
    return None


def _walk_tier(snapshot: Snapshot, flow: Flow, direction: Direction, pod: Pod, tier: Tier) -> Walk | None:
    """The first matching rule decides; Pass leaves the tier undecided; (S13) being selected isolates."""
    policies = snapshot.policies_for(pod, tier, direction)
    isolating = policies if tier is Tier.NETWORK_POLICY else ()
    if found := _first_match(snapshot, flow, direction, policies):
        rule, match = found
        if rule.action is Action.PASS:
            return None
        verdict = Verdict.ALLOWED if rule.action is Action.ACCEPT else Verdict.DENIED
        return Walk(direction, verdict, Because.RULE, pod, tier, isolating, match)
    if isolating:
        return Walk(direction, Verdict.DENIED, Because.NO_RULE, pod, tier, isolating)
    return None


def _first_match(
    snapshot: Snapshot, flow: Flow, direction: Direction, policies: tuple[Policy, ...]
) -> tuple[Rule, Match] | None:
    for policy in policies:
        for index, rule in enumerate(policy.rules(direction)):
            if not matches_ports(snapshot, rule, flow):
                continue
            path = f"spec.{direction.value}[{index}]"
            if rule.peers is None:
                return rule, Match(policy, path)
            for number, peer in enumerate(rule.peers):
                if matches_peer(snapshot, peer, flow.ends(direction)[1]):
                    return rule, Match(policy, f"{path}.{direction.peers_field}[{number}]")
    return None


def matches_peer(snapshot: Snapshot, peer: Peer, address: Address) -> bool:
    """(S9) a block matches any address in it, pods' and nodes' too; (S5) pods on the host network are nodes."""
    if isinstance(peer, NetworkPeer):
        return address in peer
    pod = snapshot.pod_at(address)
    return pod is not None and snapshot.selects(peer, pod)


def matches_ports(snapshot: Snapshot, rule: Rule, flow: Flow) -> bool:
    """(S7) what has no ports passes only rules without ports."""
    if rule.ports is None:
        return True
    return any(_matches_port(snapshot, entry, flow) for entry in rule.ports)


def _matches_port(snapshot: Snapshot, entry: PortMatch, flow: Flow) -> bool:
    """(S10) a name is looked up on the destination pod, by name and protocol; not found matches nothing."""
    if entry.protocol != flow.protocol or flow.port is None:
        return False
    if not isinstance(entry.port, str):
        return flow.port in entry.port
    pod = snapshot.pod_at(flow.destination)
    return pod is not None and flow.port in pod.resolve(entry.port, entry.protocol)
