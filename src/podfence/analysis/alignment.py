"""Two inputs to two snapshots in which what was assumed is the same, so that it makes no difference by itself.

Both are completed as if the policies of both were theirs; then every pod and node without an address of its own gets
the one that it has on the other side. Next: `changes` compares them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from podfence.manifests.addressing import NO_WISHES, Plan, given_addresses
from podfence.manifests.assume import Completion, Options, assume
from podfence.manifests.loaded import Manifests
from podfence.model.address import Address, Network
from podfence.model.change import Object
from podfence.model.cluster import Node, Pod, PodKey, Snapshot
from podfence.model.policy import Policy


@dataclass(frozen=True, slots=True)
class Aligned:
    """`assumptions`: what was left out, on either side, in sentences."""

    old: Snapshot
    new: Snapshot
    assumptions: tuple[str, ...]


def aligned(old: Manifests, new: Manifests) -> Aligned:
    """The snapshots of both, alike in all that neither input says."""
    sides = (old, new)
    policies = _of_both(*map(_policies, sides))
    inhabited = [_inhabited(side) for side in sides]
    shared = [policies if own or not any(inhabited) else () for own in inhabited]
    before = assume(_with(old, shared[0]))
    after = assume(_with(new, shared[1]), _as_in(before.plan))
    notes = dict.fromkeys((*before.assumptions, *after.assumptions))
    first = _matched(before, _told(old, before.snapshot), _told(new, after.snapshot), shared[0])
    second = _matched(after, _told(new, after.snapshot), first, shared[1])
    return Aligned(first.with_policies(_policies(old)), second.with_policies(_policies(new)), tuple(notes))


def _policies(side: Manifests) -> tuple[Policy, ...]:
    return tuple(value for value in side.objects if isinstance(value, Policy))


def _of_both(old: Sequence[Policy], new: Sequence[Policy]) -> tuple[Policy, ...]:
    """Of an edited one both versions, the former under another name."""
    kept = {policy.key: policy for policy in new}
    gone = (policy for policy in old if kept.get(policy.key) != policy)
    return (*new, *(replace(policy, name=f"{policy.name} (before)") for policy in gone))


def _inhabited(side: Manifests) -> bool:
    return bool(side.templates) or any(isinstance(value, Pod) for value in side.objects)


def _with(side: Manifests, policies: tuple[Policy, ...]) -> Manifests:
    """Pods are derived from policies only where neither side has any."""
    others = (value for value in side.objects if not isinstance(value, Policy))
    return replace(side, objects=(*others, *policies))


def _as_in(plan: Plan) -> Options:
    return Options(wishes=replace(NO_WISHES, pods=plan.pods, services=plan.services, nodes=plan.nodes))


def _told(side: Manifests, found: Snapshot) -> Snapshot:
    """Only what the input itself says of addresses: on either side it wins over what is assumed."""
    pods = {key: pod for key, pod in found.pods.items() if pod.addresses and "address" not in pod.assumed}
    nodes = {value.name: value for value in side.objects if isinstance(value, Node)}
    return Snapshot(pods=pods, nodes=nodes)


def _matched(completion: Completion, told: Snapshot, other: Snapshot, policies: Sequence[Policy]) -> Snapshot:
    """The same, with the other side's addresses where only assumed ones stood; placed anew if that moves any."""
    draft = completion.snapshot
    taken = frozenset(given_addresses((*told.pods.values(), *told.nodes.values())))
    nodes = {name: _node(node, told, other, taken) for name, node in draft.nodes.items()}
    pods = {key: _pod(pod, draft, other.pods, taken) for key, pod in draft.pods.items()}
    moved = (pod for key, pod in pods.items() if not _stays(pod, draft.pods[key]))
    moved_nodes = (node for name, node in nodes.items() if node.addresses != draft.nodes[name].addresses)
    if not any(moved) and not any(moved_nodes):
        return draft
    bare = (replace(node, pod_blocks=_blocks(node, told)) for node in nodes.values())
    others: tuple[Object, ...] = (*draft.namespaces.values(), *bare, *draft.services.values())
    return assume(Manifests((*others, *pods.values(), *policies)), _as_in(completion.plan)).snapshot


def _node(node: Node, told: Snapshot, other: Snapshot, taken: frozenset[Address]) -> Node:
    there = other.nodes.get(node.name)
    if told.node_addresses(node.name) or not there or not taken.isdisjoint(there.addresses):
        return node
    return replace(node, addresses=there.addresses or node.addresses)


def _blocks(node: Node, told: Snapshot) -> tuple[Network, ...]:
    own = told.nodes.get(node.name)
    return own.pod_blocks if own else ()


def _pod(pod: Pod, draft: Snapshot, others: Mapping[PodKey, Pod], taken: frozenset[Address]) -> Pod:
    """Without an address where it may get another one than it had."""
    there = others.get(pod.key)
    if there and "node" in pod.assumed and there.node in draft.nodes:
        pod = replace(pod, node=there.node)
    if "address" not in pod.assumed:
        return pod
    movable = there and not (pod.host_network or there.host_network) and taken.isdisjoint(there.addresses)
    return replace(pod, addresses=there.addresses if there and movable else ())


def _stays(pod: Pod, draft: Pod) -> bool:
    return pod.node == draft.node and pod.addresses in {(), draft.addresses}
