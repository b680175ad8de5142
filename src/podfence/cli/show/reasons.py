"""Policies as tables from which the page tells why, pair by pair, as `decide` and `nearest` do.

Who matches what is worked out here, once for every requirement, block and end; the page only walks the rules. A test
holds every answer of the page equal to `decide` and `nearest`. Masks are hexadecimal numbers, a bit for each end.
Next: `html`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from podfence.analysis.edits import AddPeer, flow_style
from podfence.analysis.nearest import OVERRIDDEN, exact_peer
from podfence.analysis.outside import representatives
from podfence.analysis.workloads import End
from podfence.cli.answers import rule_place
from podfence.cli.text import printable
from podfence.model.address import Address
from podfence.model.cluster import Pod, Snapshot, precedence
from podfence.model.flow import Because
from podfence.model.labels import Requirement, Selector
from podfence.model.policy import Direction, NetworkPeer, Peer, PodSelection, Policy, Rule, Tier
from podfence.model.ports import PortMatch

Json = dict[str, Any]

_ORDER = {tier: place for place, tier in enumerate(Tier)}


@dataclass(frozen=True)
class Reasons:
    """`ends` as the page numbers them."""

    snapshot: Snapshot
    ends: Sequence[End]
    _requirements: dict[Requirement, int] = field(default_factory=dict)
    _peers: dict[Peer, int] = field(default_factory=dict)

    def tables(self) -> Json:
        policies = [self._policy(policy) for policy in self._policies]
        peers = [self._peer(peer) for peer in self._peers]
        return {
            "policies": policies,
            "peers": peers,
            "requirements": [self._requirement(each) for each in self._requirements],
            "ends": [self._end(number) for number in range(len(self.ends))],
            "namespaces": {
                printable(name): self._mentioned(ns.labels) for name, ns in self.snapshot.namespaces.items()
            },
            "because": {because.name: because.value for because in Because},
            "overridden": {tier.value: words for tier, words in OVERRIDDEN.items()},
        }

    @cached_property
    def _policies(self) -> list[Policy]:
        return list(self.snapshot.policies.values())

    def _policy(self, policy: Policy) -> Json:
        place = policy.place("")
        return {
            "title": printable(policy.title),
            "namespace": printable(policy.namespace),
            "tier": policy.tier.value,
            "file": printable(place.file),
            "line": place.line,
            "lines": {d.value: rule_place(policy, f"spec.{d.value}").line for d in Direction},
            **{d.value: [self._rule(policy, d, n) for n in range(len(policy.rules(d)))] for d in Direction},
        }

    def _rule(self, policy: Policy, direction: Direction, index: int) -> Json:
        rule, path = policy.rules(direction)[index], f"spec.{direction.value}[{index}]"
        return {
            "action": rule.action.value,
            "line": rule_place(policy, path).line,
            "peers": self._rule_peers(policy, rule, f"{path}.{direction.peers_field}"),
            "ports": None if rule.ports is None else [_port(entry) for entry in rule.ports],
        }

    def _rule_peers(self, policy: Policy, rule: Rule, path: str) -> list[list[int]] | None:
        """The number of each, and its line."""
        if rule.peers is None:
            return None
        lines = (rule_place(policy, f"{path}[{n}]").line for n in range(len(rule.peers)))
        return [
            [self._peers.setdefault(peer, len(self._peers)), line]
            for peer, line in zip(rule.peers, lines, strict=True)
        ]

    def _peer(self, peer: Peer) -> Json:
        if isinstance(peer, NetworkPeer):
            return {
                "text": str(peer),
                "block": str(peer.block),
                "in": self._mask(peer.block.__contains__),
                "holes": [[str(hole), self._mask(hole.__contains__)] for hole in peer.excepts],
            }
        named = isinstance(peer.namespaces, str)
        return {
            "text": printable(str(peer)),
            "namespace": printable(str(peer.namespaces)) if named else None,
            "namespaces": [] if isinstance(peer.namespaces, str) else self._numbers(peer.namespaces),
            "pods": self._numbers(peer.pods),
        }

    def _numbers(self, selector: Selector) -> list[int]:
        known = self._requirements
        return [known.setdefault(each, len(known)) for each in selector.requirements]

    def _mask(self, takes: Callable[[Address], bool]) -> str:
        """Of ends with an address that is taken: only those of the block's own family ever are."""
        return _hex(n for n, held in enumerate(self._addresses) if any(map(takes, held.values())))

    def _requirement(self, requirement: Requirement) -> Json:
        spaces = self.snapshot.namespaces.values()
        return {
            "text": printable(str(requirement)),
            "key": printable(requirement.key),
            "pods": _hex(n for n, pod in enumerate(self._holders) if pod and requirement.matches(pod.labels)),
            "namespaces": [printable(ns.name) for ns in spaces if requirement.matches(ns.labels)],
        }

    def _end(self, number: int) -> Json | None:
        """None where the page cannot tell: nobody we know, or a pod whose address another pod holds."""
        end, addresses, pod = self.ends[number], self._addresses[number], self._holders[number]
        if not addresses or any(self.snapshot.pod_at(each) is not pod for each in addresses.values()):
            return None
        told: Json = {
            "addresses": {family: str(each) for family, each in addresses.items()},
            "own": {family: own for family in addresses if (own := self._own(number, family))},
            "add": {family: self._ways_in(each, end) for family, each in addresses.items()},
        }
        return {**told, **(self._pod(pod) if pod else {})}

    def _pod(self, pod: Pod) -> Json:
        return {
            "pod": printable(pod.title),
            "namespace": printable(pod.namespace),
            "labels": self._mentioned(pod.labels),
            "named": [[str(port.protocol), port.number, printable(port.name)] for port in pod.ports],
            **{direction.value: self._applying(pod, direction) for direction in Direction},
        }

    def _applying(self, pod: Pod, direction: Direction) -> list[int]:
        """In the order in which they are walked: as `policies_for` has them, without a look at all of each pod."""
        near = (*self._by_namespace.get(pod.namespace, ()), *self._by_namespace.get("", ()))
        found = (n for n in near if direction in self._policies[n].directions)
        return sorted(
            (n for n in found if self.snapshot.selects(self._policies[n].subject, pod)), key=self._rank
        )

    def _rank(self, number: int) -> tuple[int, tuple[int, str, str]]:
        policy = self._policies[number]
        return (_ORDER[policy.tier], precedence(policy))

    @cached_property
    def _by_namespace(self) -> dict[str, list[int]]:
        """Numbers of policies, by the namespace of their subjects; those of no single one under the empty name."""
        found: dict[str, list[int]] = {}
        for number, policy in enumerate(self._policies):
            named = policy.subject.namespaces
            found.setdefault(named if isinstance(named, str) else "", []).append(number)
        return found

    def _mentioned(self, labels: object) -> dict[str, str]:
        """Labels that some rule asks about."""
        keys = {requirement.key for requirement in self._requirements}
        found = labels if isinstance(labels, dict) else {}
        return {printable(key): printable(found[key]) for key in sorted(keys & found.keys())}

    def _ways_in(self, address: Address, end: End) -> list[str]:
        """The peer that stands for this end in a policy of its own namespace, and of any other."""
        spaces = (end.namespace, "") if end.namespace else ("",)
        policies = (Policy(name, "", PodSelection(name), frozenset()) for name in spaces)
        return [self._written(address, policy) for policy in policies]

    def _written(self, address: Address, policy: Policy) -> str:
        peer = exact_peer(self.snapshot, address, policy)
        return printable(flow_style(AddPeer(Direction.INGRESS, 0, peer).written(policy)))

    def _own(self, number: int, family: int) -> list[int]:
        """The ends that reach this one as its own node, or because they are one address."""
        address = self._addresses[number][family]
        return [n for n in self._on_nodes if n != number and self._at_home(n, number, family, address)]

    def _at_home(self, source: int, number: int, family: int, address: Address) -> bool:
        """Only where it is so for every replica of both."""
        if self._addresses[source].get(family) is None or not self.snapshot.pod_at(address):
            return False
        here = {each for pod in self.ends[source].pods for each in pod.addresses if each.family == family}
        return all(here <= set(self.snapshot.node_addresses(pod.node)) for pod in self.ends[number].pods)

    @cached_property
    def _on_nodes(self) -> list[int]:
        nodes = {address for node in self.snapshot.nodes.values() for address in node.addresses}
        return [n for n, held in enumerate(self._addresses) if not nodes.isdisjoint(held.values())]

    @cached_property
    def _addresses(self) -> list[dict[int, Address]]:
        """Of each end one for each family: all replicas are alike, and all of a range."""
        return [{each.family: each for each in reversed(self._held(end))} for end in self.ends]

    def _held(self, end: End) -> tuple[Address, ...]:
        if end.addresses:
            return representatives(self.snapshot, end.addresses)[:1]
        return end.pods[0].addresses if end.pods else ()

    @cached_property
    def _holders(self) -> list[Pod | None]:
        return [end.pods[0] if end.pods and end.pods[0].on_pod_network else None for end in self.ends]


def _hex(numbers: Iterable[int]) -> str:
    mask = 0
    for number in numbers:
        mask |= 1 << number
    return f"{mask:x}"


def _port(entry: PortMatch) -> list[str | int]:
    """Protocol, first and last port, as people read it; or a name in place of the numbers."""
    if isinstance(entry.port, str):
        return [str(entry.protocol), printable(entry.port)]
    return [str(entry.protocol), entry.port.first, entry.port.last]
