"""Rules that say more than they seem to: empty lists, everything, alternatives meant as conditions. Next: `booleans`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from podfence.analysis.findings.evidence import Evidence
from podfence.analysis.findings.finding import Finding, Spot, about, note
from podfence.model.labels import EVERYTHING, Selector
from podfence.model.policy import Direction, Peer, PodSelection, Rule

_WHO = {
    Direction.INGRESS: "everyone, inside the cluster and outside, reaches",
    Direction.EGRESS: "the pods it selects reach",
}


def find(evidence: Evidence) -> Iterator[Finding]:
    for policy in evidence.policies:
        for direction in Direction:
            for index, rule in enumerate(policy.rules(direction)):
                spot = Spot(policy, f"spec.{direction.value}[{index}]")
                empty = list(_empty(spot, direction, rule))
                yield from empty or _everything(spot, direction, rule)
                if not evidence.pods:
                    yield from _alternatives(spot, direction, rule)


def _empty(spot: Spot, direction: Direction, rule: Rule) -> Iterator[Finding]:
    """Written, and empty: the opposite of what an empty list of rules means."""
    places, name = spot.policy.places, direction.peers_field
    if rule.peers is None and f"{spot.field}.{name}" in places:
        message = f"an empty {name} is everybody, inside the cluster and outside, not nobody"
        remedy = f"remove {name} if that is meant; for nobody remove the rule"
        yield about(Spot(spot.policy, f"{spot.field}.{name}"), "empty-list", message, remedy)
    if rule.ports is None and f"{spot.field}.ports" in places:
        message = "an empty ports is every port and protocol, not none"
        remedy = "remove ports if that is meant; for none remove the rule"
        yield about(Spot(spot.policy, f"{spot.field}.ports"), "empty-list", message, remedy)
    for number in range(len(rule.ports or ())):
        item = f"{spot.field}.ports[{number}]"
        if item in places and f"{item}.port" not in places and f"{item}.protocol" not in places:
            message = "an item of ports that says nothing is every TCP port, and no UDP"
            remedy = "write its protocol if that is meant; for every port of every protocol remove ports"
            yield about(Spot(spot.policy, item), "empty-list", message, remedy)


def _everything(spot: Spot, direction: Direction, rule: Rule) -> Iterator[Finding]:
    if rule == Rule():
        message = (
            f"{_WHO[direction]} everything; other {direction.value} rules for these pods add nothing to it"
        )
        yield note(spot, "allows-everything", message, "name peers or ports if less is meant")


def _alternatives(spot: Spot, direction: Direction, rule: Rule) -> Iterator[Finding]:
    """Two items are two peers. Where pods are known, `selecting` sees whether one of them is nobody."""
    peers = rule.peers or ()
    for number, (one, other) in enumerate(pairwise(peers)):
        if _a_namespace(one) and _some_pods_at_home(other):
            field = f"{spot.field}.{direction.peers_field}[{number + 1}]"
            message = (
                "this podSelector is an alternative to the namespaceSelector above, not a condition on it"
            )
            remedy = "for such pods in those namespaces only, remove the dash before podSelector"
            yield note(Spot(spot.policy, field), "separate-peers", message, remedy)


def _a_namespace(peer: Peer) -> bool:
    return (
        isinstance(peer, PodSelection) and isinstance(peer.namespaces, Selector) and peer.pods == EVERYTHING
    )


def _some_pods_at_home(peer: Peer) -> bool:
    return isinstance(peer, PodSelection) and isinstance(peer.namespaces, str) and peer.pods != EVERYTHING
