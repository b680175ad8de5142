"""Addresses outside of the cluster: which of them policies tell apart.

A range is cut wherever a block of some policy begins or ends; between two cuts all addresses are alike, so one
stands for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from podfence.model.address import Address, AddressRange, from_number
from podfence.model.cluster import Snapshot
from podfence.model.policy import Direction, NetworkPeer


def representatives(snapshot: Snapshot, block: AddressRange) -> tuple[Address, ...]:
    """One address for each part of the range that policies may treat in their own way; none of the cluster's."""
    first, last = block.first.number, block.last.number
    starts = {number for number in _cuts(snapshot, block.family) if first < number <= last}
    cuts = [first, *sorted(starts), last + 1]
    inside = _taken(snapshot)
    parts = (range(cuts[n], cuts[n + 1]) for n in range(len(cuts) - 1))
    found = (
        next((a for n in part if (a := from_number(n, block.family)) not in inside), None) for part in parts
    )
    return tuple(one for one in found if one)


def _cuts(snapshot: Snapshot, family: int) -> Iterator[int]:
    """Where some block or exception begins, and the number behind its end."""
    for peer in _network_peers(snapshot):
        for block in (peer.block, *peer.excepts):
            if block.family == family:
                yield from (block.base.number, block.last.number + 1)


def _network_peers(snapshot: Snapshot) -> Iterator[NetworkPeer]:
    for policy in snapshot.policies.values():
        rules = (*policy.rules(Direction.INGRESS), *policy.rules(Direction.EGRESS))
        peers = (peer for rule in rules for peer in rule.peers or ())
        yield from (peer for peer in peers if isinstance(peer, NetworkPeer))


def _taken(snapshot: Snapshot) -> frozenset[Address]:
    pods = (found for pod in snapshot.pods.values() for found in pod.addresses)
    nodes = (found for node in snapshot.nodes.values() for found in node.addresses)
    return frozenset((*pods, *nodes))
