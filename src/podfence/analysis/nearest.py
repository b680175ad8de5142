"""Why not? For each denied direction the rule that came closest, what it missed, and the edit that would allow.

Pure, and asked only after `decide`. Applying all edits of a decision turns it: a law of the tests.
Next: `cli.explain` prints it, denials in a log carry it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from podfence.analysis.edits import AddPeer, AddPort, AddRule, Edit, instruction
from podfence.analysis.shortfalls import Condition, Shortfall, peer_shortfall, port_shortfall, who
from podfence.model.address import Address, Network
from podfence.model.cluster import Snapshot
from podfence.model.flow import Decision, Flow, Match, Verdict, Walk
from podfence.model.labels import NAMESPACE_NAME_LABEL, Labels, Selector, selector
from podfence.model.policy import Direction, NetworkPeer, Peer, PodSelection, Policy, Rule, Tier
from podfence.model.ports import PortMatch, PortRange
from podfence.semantics import matches_peer

GENERATED_LABELS = frozenset(
    {
        "pod-template-hash",
        "controller-revision-hash",
        "pod-template-generation",
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-completion-index",
        "controller-uid",
    }
)
"""Labels that controllers write: a peer by these would last as long as one rollout."""


OVERRIDDEN = {
    Tier.ADMIN: "this rule denies it, and no NetworkPolicy can allow what the Admin tier denies",
    Tier.BASELINE: "this rule denies it, as no NetworkPolicy isolates the pod in this direction",
}


@dataclass(frozen=True, slots=True)
class Miss:
    """The rule that came closest in a denied direction.

    `path` is the rule, or the list of rules where there is none; `sentence` tells what was missed.
    """

    direction: Direction
    policy: Policy
    path: str
    condition: Condition
    sentence: str
    edit: Edit

    @property
    def instruction(self) -> str:
        return instruction(self.edit, self.policy)


@dataclass(frozen=True, slots=True)
class _Near:
    """A rule, and what of it is not met."""

    policy: Policy
    index: int
    rule: Rule
    port: Shortfall | None
    peer: Shortfall | None

    @property
    def weight(self) -> int:
        return sum(shortfall.weight for shortfall in (self.port, self.peer) if shortfall)


def nearest(snapshot: Snapshot, decision: Decision) -> tuple[Miss, ...]:
    """One Miss for each denied direction."""
    denied = (walk for walk in decision.walks if walk.verdict is Verdict.DENIED)
    return tuple(_miss(snapshot, decision.flow, walk) for walk in denied)


def _miss(snapshot: Snapshot, flow: Flow, walk: Walk) -> Miss:
    if walk.match:
        return _denied_by_rule(snapshot, flow, walk.direction, walk.match)
    found = list(_candidates(snapshot, flow, walk))
    if not found:
        return _without_rules(snapshot, flow, walk)
    near = min(found, key=lambda candidate: candidate.weight)
    missed = near.peer or near.port
    return Miss(
        walk.direction,
        near.policy,
        f"spec.{walk.direction.value}[{near.index}]",
        missed.condition if missed else Condition.NO_RULE,
        _sentence(snapshot, flow, walk.direction, near),
        _edit(snapshot, flow, walk.direction, near),
    )


def _candidates(snapshot: Snapshot, flow: Flow, walk: Walk) -> Iterator[_Near]:
    peer = flow.ends(walk.direction)[1]
    for policy in walk.isolating:
        for index, rule in enumerate(policy.rules(walk.direction)):
            missed = peer_shortfall(snapshot, rule, walk.direction, peer)
            yield _Near(policy, index, rule, port_shortfall(snapshot, rule, flow), missed)


def _without_rules(snapshot: Snapshot, flow: Flow, walk: Walk) -> Miss:
    policy, direction = walk.isolating[0], walk.direction
    words = f"{policy.title} has no {direction.value} rules, so nothing is allowed"
    edit = AddRule(direction, 0, exact_rule(snapshot, flow, direction, policy))
    return Miss(direction, policy, f"spec.{direction.value}", Condition.NO_RULE, words, edit)


def _denied_by_rule(snapshot: Snapshot, flow: Flow, direction: Direction, match: Match) -> Miss:
    """Rules of the Admin and Baseline tiers have an order: an exception goes in front."""
    index = int(match.path.split("[")[1].split("]")[0])
    words = OVERRIDDEN[match.policy.tier]
    edit = AddRule(direction, index, exact_rule(snapshot, flow, direction, match.policy))
    return Miss(direction, match.policy, f"spec.{direction.value}[{index}]", Condition.DENIED, words, edit)


def _sentence(snapshot: Snapshot, flow: Flow, direction: Direction, near: _Near) -> str:
    """`10.0.0.7 is in 10.0.0.0/24, but only TCP 5978 is allowed`."""
    if near.peer and near.port:
        return f"{near.peer.words}; and {near.port.words}"
    if near.peer:
        return near.peer.words
    words = near.port.words if near.port else "nothing is missed"
    return f"{_admitted(snapshot, flow.ends(direction)[1], near.rule)}, but {words}"


def _admitted(snapshot: Snapshot, peer: Address, rule: Rule) -> str:
    """How the rule takes the peer in."""
    for admitting in rule.peers or ():
        if isinstance(admitting, NetworkPeer) and peer in admitting:
            return f"{who(snapshot, peer)} is in {admitting}"
        if matches_peer(snapshot, admitting, peer):
            return f"{who(snapshot, peer)} is one of {admitting}"
    return "the rule takes in everyone"


def _edit(snapshot: Snapshot, flow: Flow, direction: Direction, near: _Near) -> Edit:
    """The smallest one: a port entry, a peer, or where neither does a rule.

    Empty lists stand for what the door could not read: adding to such a rule would not mend it.
    """
    readable = () not in {near.rule.peers, near.rule.ports}
    if near.port is None and readable:
        peer = exact_peer(snapshot, flow.ends(direction)[1], near.policy)
        return AddPeer(direction, near.index, peer)
    if near.peer is None and flow.port is not None and readable:
        return AddPort(direction, near.index, exact_port(flow, flow.port))
    last = len(near.policy.rules(direction))
    return AddRule(direction, last, exact_rule(snapshot, flow, direction, near.policy))


def exact_rule(snapshot: Snapshot, flow: Flow, direction: Direction, policy: Policy) -> Rule:
    """The rule for this peer and port; what has no ports passes only a rule without ports."""
    ports = None if flow.port is None else (exact_port(flow, flow.port),)
    return Rule((exact_peer(snapshot, flow.ends(direction)[1], policy),), ports)


def exact_port(flow: Flow, number: int) -> PortMatch:
    return PortMatch(flow.protocol, PortRange(number, number))


def exact_peer(snapshot: Snapshot, address: Address, policy: Policy) -> Peer:
    """The pod by its labels, anything else by its address: nodes, the outside, pods of a namespace not seen."""
    pod = snapshot.pod_at(address)
    if pod:
        labels = {key: value for key, value in pod.labels.items() if key not in GENERATED_LABELS}
        wanted = _equal(labels)
        if pod.namespace == policy.namespace:
            return PodSelection(pod.namespace, wanted)
        if NAMESPACE_NAME_LABEL in (snapshot.namespace_labels(pod.namespace) or {}):
            return PodSelection(_equal({NAMESPACE_NAME_LABEL: pod.namespace}), wanted)
    return NetworkPeer(Network(address, len(address) * 8))


def _equal(labels: Labels) -> Selector:
    return selector(**labels)
