"""Blocks of addresses that hold more, or less, than they seem to: exceptions, pods, Services, the whole world.

Only addresses that are given count: assumed ones would be judged against themselves. Next: `coverage`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from podfence.analysis.findings.addresses import Known, merged, metadata_in
from podfence.analysis.findings.evidence import Evidence
from podfence.analysis.findings.finding import Finding, Spot, about, note
from podfence.analysis.findings.labels import listed
from podfence.analysis.implication import ports_imply
from podfence.model.address import NOWHERE, Network, address_set
from podfence.model.policy import Direction, NetworkPeer, Policy, Rule
from podfence.model.ports import PortRange, Protocol

METADATA_PORT = 80


@dataclass(frozen=True, slots=True)
class Block:
    """A block, and where it stands: the `number`th peer of a rule."""

    policy: Policy
    direction: Direction
    rule: Rule
    path: str
    number: int
    peer: NetworkPeer

    def spot(self, field: str = "cidr") -> Spot:
        return Spot(self.policy, f"{self.path}.{self.direction.peers_field}[{self.number}].ipBlock.{field}")


def find(evidence: Evidence) -> Iterator[Finding]:
    known = Known(evidence)
    for policy in evidence.policies:
        for direction in Direction:
            rules = policy.rules(direction)
            for index, rule in enumerate(rules):
                for block in _blocks(policy, direction, index, rule):
                    if not block.peer.addresses:
                        yield _empty(block)
                        continue
                    yield from _undone(block, rules)
                    yield from _beside(block)
                    yield from _world(block)
                    yield from _inside(known, block)


def _blocks(policy: Policy, direction: Direction, index: int, rule: Rule) -> Iterator[Block]:
    for number, peer in enumerate(rule.peers or ()):
        if isinstance(peer, NetworkPeer):
            yield Block(policy, direction, rule, f"spec.{direction.value}[{index}]", number, peer)


def _empty(block: Block) -> Finding:
    message = f"the exceptions leave nothing of {block.peer.block}: this peer is nobody"
    return about(block.spot("except"), "empty-block", message, "remove the peer, or mend the exceptions")


def _undone(block: Block, rules: Sequence[Rule]) -> Iterator[Finding]:
    """An exception subtracts from its own block alone: another peer may let the same addresses in."""
    others = NOWHERE
    for rule in rules:
        if ports_imply(block.rule.ports, rule.ports):
            for peer in rule.peers or ():
                if isinstance(peer, NetworkPeer) and peer is not block.peer:
                    others |= peer.addresses
    for index, hole in enumerate(block.peer.excepts):
        if not address_set([hole]) - others:
            message = f"{hole} is excepted here, and let in by another block of this policy"
            remedy = "except it there too, or remove the exception"
            yield about(block.spot(f"except[{index}]"), "exception-undone", message, remedy)


def _beside(block: Block) -> Iterator[Finding]:
    """Blocks of the same rule that hold this one, or make one block with it."""
    peers = block.rule.peers or ()
    for number, other in enumerate(peers):
        if not isinstance(other, NetworkPeer) or number == block.number:
            continue
        same = other.addresses == block.peer.addresses
        if not block.peer.addresses - other.addresses and (not same or number < block.number):
            message = f"{block.peer} is inside of {other}, which this rule lets through already"
            yield note(block.spot(), "overlapping-blocks", message, "remove it, or mend one of the two")
            return
        both = merged(block.peer, other) if number < block.number else None
        if both:
            message = f"{other} and {block.peer} are one block: {both}"
            yield note(block.spot(), "overlapping-blocks", message, f"write {both}")


def _world(block: Block) -> Iterator[Finding]:
    peer = block.peer
    if block.direction is Direction.EGRESS and (found := metadata_in(peer)) and _http(block.rule):
        message = f"{peer} holds {found}, where clouds give out the node's credentials"
        yield about(block.spot(), "metadata-address", message, f"add {found}/{len(found) * 8} to except")
    elif block.direction is Direction.INGRESS and peer.block.length == 0 and not peer.excepts:
        message = f"every IPv{peer.block.family} address may come in, pods and nodes among them"
        yield note(
            block.spot(), "open-to-world", message, "name the blocks that callers come from, if less is meant"
        )


def _http(rule: Rule) -> bool:
    if rule.ports is None:
        return True
    numbered = (e.port for e in rule.ports if e.protocol == Protocol.TCP and isinstance(e.port, PortRange))
    return any(METADATA_PORT in port for port in numbered)


def _inside(known: Known, block: Block) -> Iterator[Finding]:
    """Whole families are everybody by intention, and told above."""
    if block.peer.block.length == 0:
        return
    pods, nodes = known.pods.within(block.peer), known.nodes.within(block.peer)
    if block.direction is Direction.EGRESS and not pods and not nodes:
        yield from _services(block, known.services.within(block.peer))
    if pods or nodes:
        whose = [*(f"pod {name}" for name in pods), *(f"node {name}" for name in nodes)]
        message = f"{block.peer} holds addresses of {listed(whose)}: a block lets them through, whatever their labels"
        remedy = "select pods by labels, which outlive addresses; or except the cluster's own blocks"
        yield note(block.spot(), "block-holds-pods", message, remedy)


def _services(block: Block, services: Sequence[str]) -> Iterator[Finding]:
    if not services:
        return
    message = (
        f"{block.peer} holds the cluster address of {listed([f'Service {name}' for name in services])}, which no rule "
        f"ever sees: it has become a pod's address before"
    )
    make = about if _is_one(block.peer.block) else note
    yield make(block.spot(), "service-address", message, "select the pods behind the Service by their labels")


def _is_one(block: Network) -> bool:
    return block.length == len(block.base) * 8
