"""Addresses for the nodes, Services and pods that lack them, and nodes for pods. Only for `assume`.

A given address stays, and nobody else gets it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import chain

from podfence.errors import PodfenceError
from podfence.manifests.blocks import (
    NODES,
    PODS,
    SERVICES,
    Candidates,
    Choice,
    Named,
    Room,
    choose,
    divided,
    overlap,
)
from podfence.manifests.standins import number
from podfence.model.address import Address, AddressSet, Network, address_set
from podfence.model.cluster import Node, Pod, Service

SHARE = {4: 24, 6: 64}
"""Lengths of a node's share of the pods' block, as clusters usually have them."""

CROWDED = 128
"""Pods on one node from which on a /24 is more full than empty: then shares are as large as can be."""

FIRST_POD = 2
"""The base address and the next stay free: gateways like to be there."""

FIRST_NODE = 11


@dataclass(frozen=True, slots=True)
class Wishes:
    """Blocks that people chose, at most one for each family and purpose; the families to assume addresses in."""

    families: tuple[int, ...] = (4, 6)
    pods: Choice = ()
    services: Choice = ()
    nodes: Choice = ()


NO_WISHES = Wishes()


@dataclass(frozen=True, slots=True)
class Plan:
    """The blocks that assumed addresses come from, one for each family."""

    services: Choice
    pods: Choice
    nodes: Choice


def planned(wishes: Wishes, said: Named, given: Iterable[Node]) -> Plan:
    """No block overlaps another, nor one that a given node has."""
    used = [
        *wishes.pods,
        *wishes.services,
        *wishes.nodes,
        *(block for node in given for block in node.pod_blocks),
    ]

    def chosen(candidates: Candidates, wanted: Choice) -> Choice:
        found = []
        for family in wishes.families:
            wished = next((block for block in wanted if block.family == family), None)
            found.append(wished or choose(candidates, family, said, tuple(used)))
            used.append(found[-1])
        return tuple(found)

    return Plan(chosen(SERVICES, wishes.services), chosen(PODS, wishes.pods), chosen(NODES, wishes.nodes))


def told_apart(said: Named, blocks: Choice) -> AddressSet:
    """What policies say of a part of these blocks: an assumed address there would mean something."""
    return address_set(span for block in blocks for span in said.partly(block))


def place_nodes(nodes: Iterable[Node], plan: Plan, taken: set[Address], busiest: int) -> dict[str, Node]:
    """In the order given: addresses count up, since people read them, and each node has a share for its pods."""
    listed = list(nodes)
    counting = Room(NODES.option, taken).count_up(plan.nodes, FIRST_NODE)
    shares = [(block.family, _shares(block, listed, busiest)) for block in plan.pods]

    def completed(node: Node) -> Node:
        families = {block.family for block in node.pod_blocks}
        own = (*node.pod_blocks, *(next(share) for family, share in shares if family not in families))
        return replace(node, addresses=node.addresses or next(counting), pod_blocks=own)

    return {node.name: completed(node) for node in listed}


def _shares(block: Network, nodes: list[Node], busiest: int) -> Iterator[Network]:
    """Equal parts of a block; what a given node holds of it is passed over."""
    held = [own for node in nodes for own in node.pod_blocks if overlap(own, block)]
    length = SHARE[block.family] if busiest <= CROWDED else block.length
    for part in divided(block, len(nodes) + len(held), length):
        if not any(overlap(part, own) for own in held):
            yield part
    raise PodfenceError(f"{block} has no room for another node: choose a larger block with {PODS.option}")


def place_services(services: Iterable[Service], plan: Plan, room: Room) -> Iterator[Service]:
    """Cluster addresses for those that have one at all."""
    for service in services:
        if service.addresses or service.headless or service.external_name:
            yield service
        else:
            first = min(_static_band(block) for block in plan.services)
            yield replace(service, addresses=room.place(service.title, plan.services, first))


def _static_band(block: Network) -> int:
    """The low addresses are left to Services that choose one themselves, kube-dns before all."""
    size = 1 << min(len(block.base) * 8 - block.length, 16)
    return min(size // 4, 256)


def place_pods(
    pods: Iterable[Pod], nodes: Mapping[str, Node], plan: Plan, room: Room, *, unseen: AbstractSet[str]
) -> Iterator[Pod]:
    """Every pod that is somebody gets a node, and an address in its node's share, in each family of the plan.

    `unseen` are the namespaces that no input gave.
    """
    names = list(nodes)
    shares = {name: _shares_of(node, plan) for name, node in nodes.items()}
    for pod in pods:
        node = pod.node or names[number(pod.title) % len(names)]
        lacked = _lacked(pod, unseen)
        addresses = pod.addresses
        if "address" in lacked:
            own = nodes[node].addresses if pod.host_network else ()
            addresses = own or room.place(pod.title, shares[node], FIRST_POD)
        yield replace(pod, node=node, addresses=addresses, assumed=pod.assumed | lacked) if lacked else pod


def _lacked(pod: Pod, unseen: AbstractSet[str]) -> set[str]:
    gaps = {"namespace": pod.namespace in unseen, "node": not pod.node, "address": not is_settled(pod)}
    return {what for what, gap in gaps.items() if gap}


def is_settled(pod: Pod) -> bool:
    """Whether a pod needs no address: it has one, or is nobody."""
    return pod.finished or bool(pod.addresses)


def _shares_of(node: Node, plan: Plan) -> Choice:
    """A node's first block of each family of the plan, in the plan's order."""
    own = {block.family: block for block in reversed(node.pod_blocks)}
    return tuple(own[block.family] for block in plan.pods)


def busiest(pods: Iterable[Pod], nodes: Iterable[str]) -> int:
    """How many pods without an address share one node, about: those without a node are spread evenly."""
    lacking = Counter(pod.node for pod in pods if not (is_settled(pod) or pod.host_network))
    spread = lacking.pop("", 0) / max(len(list(nodes)), 1)
    return max([*lacking.values(), 0]) + round(spread)


def given_addresses(holders: Iterable[Pod | Node | Service]) -> Iterator[Address]:
    return chain.from_iterable(holder.addresses for holder in holders)
