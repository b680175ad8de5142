"""Edits of a policy: values that can be applied to it, and printed as what a person writes into the manifest.

`nearest` proposes them. Printed in YAML's flow style, which is valid YAML wherever it is pasted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from podfence.model.labels import Operator, Selector
from podfence.model.policy import Direction, NetworkPeer, Peer, PodSelection, Policy, Rule, Tier
from podfence.model.ports import ALL_PORTS, PortMatch

Written = Mapping[str, "Written"] | Sequence["Written"] | str | int


@dataclass(frozen=True, slots=True)
class AddPort:
    """One more entry in the ports of a rule."""

    direction: Direction
    index: int
    port: PortMatch

    @property
    def path(self) -> str:
        return f"spec.{self.direction.value}[{self.index}].ports"

    def apply(self, policy: Policy) -> Policy:
        rule = policy.rules(self.direction)[self.index]
        return _with_rule(policy, self, replace(rule, ports=(*(rule.ports or ()), self.port)))

    def written(self, policy: Policy) -> Written:
        return _port(self.port, policy.tier)


@dataclass(frozen=True, slots=True)
class AddPeer:
    """One more peer in a rule."""

    direction: Direction
    index: int
    peer: Peer

    @property
    def path(self) -> str:
        return f"spec.{self.direction.value}[{self.index}].{self.direction.peers_field}"

    def apply(self, policy: Policy) -> Policy:
        rule = policy.rules(self.direction)[self.index]
        return _with_rule(policy, self, replace(rule, peers=(*(rule.peers or ()), self.peer)))

    def written(self, policy: Policy) -> Written:
        return _peer(self.peer, policy)


@dataclass(frozen=True, slots=True)
class AddRule:
    """One more rule: the last one, or (where rules have an order) in front of the rule at `index`."""

    direction: Direction
    index: int
    rule: Rule

    @property
    def path(self) -> str:
        return f"spec.{self.direction.value}"

    def apply(self, policy: Policy) -> Policy:
        rules = policy.rules(self.direction)
        return _with_rules(policy, self.direction, (*rules[: self.index], self.rule, *rules[self.index :]))

    def written(self, policy: Policy) -> Written:
        return _rule(self.rule, self.direction, policy)


Edit = AddPort | AddPeer | AddRule


def instruction(edit: Edit, policy: Policy) -> str:
    """`add {protocol: TCP, port: 80} to spec.egress[0].ports of default/web`."""
    where = f"to {edit.path}"
    if isinstance(edit, AddRule) and edit.index < len(policy.rules(edit.direction)):
        where = f"in front of {edit.path}[{edit.index}]"
    return f"add {flow_style(edit.written(policy))} {where} of {policy.title}"


def _with_rule(policy: Policy, edit: AddPort | AddPeer, rule: Rule) -> Policy:
    rules = policy.rules(edit.direction)
    return _with_rules(policy, edit.direction, (*rules[: edit.index], rule, *rules[edit.index + 1 :]))


def _with_rules(policy: Policy, direction: Direction, rules: tuple[Rule, ...]) -> Policy:
    return replace(policy, ingress=rules) if direction is Direction.INGRESS else replace(policy, egress=rules)


def _rule(rule: Rule, direction: Direction, policy: Policy) -> Written:
    cluster = policy.tier is not Tier.NETWORK_POLICY
    written: dict[str, Written] = {"action": rule.action.value} if cluster else {}
    if rule.peers is not None:
        written[direction.peers_field] = [_peer(peer, policy) for peer in rule.peers]
    if rule.ports is not None:
        ports = [_port(port, policy.tier) for port in rule.ports]
        written["protocols" if cluster else "ports"] = ports
    return written


def _peer(peer: Peer, policy: Policy) -> Written:
    if policy.tier is not Tier.NETWORK_POLICY:
        return {"networks": [str(peer.block)]} if isinstance(peer, NetworkPeer) else {"pods": _pods(peer, "")}
    return {"ipBlock": _block(peer)} if isinstance(peer, NetworkPeer) else _pods(peer, policy.namespace)


def _pods(peer: PodSelection, own: str) -> dict[str, Written]:
    written: dict[str, Written] = {}
    if isinstance(peer.namespaces, Selector) and (peer.namespaces.requirements or not own):
        written["namespaceSelector"] = _selector(peer.namespaces)
    return {**written, "podSelector": _selector(peer.pods)}


def _block(peer: NetworkPeer) -> Written:
    excepts = [str(hole) for hole in peer.excepts]
    return {"cidr": str(peer.block), **({"except": excepts} if excepts else {})}


def _selector(selector: Selector) -> Written:
    """Only equalities: no edit proposes anything else."""
    labels = {r.key: r.values[0] for r in selector.requirements if r.operator is Operator.IN}
    return {"matchLabels": labels} if labels else {}


def _port(entry: PortMatch, tier: Tier) -> Written:
    number = entry.port if isinstance(entry.port, str) else entry.port.first
    if tier is not Tier.NETWORK_POLICY:
        return {str(entry.protocol).lower(): {"destinationPort": {"number": number}}}
    return {"protocol": str(entry.protocol), **({} if entry.port == ALL_PORTS else {"port": number})}


_PLAIN = re.compile(r"[A-Za-z_.][-A-Za-z0-9_./]*|[0-9]+\.[0-9.]+/[0-9]+")
_OTHER_TYPES = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null", ".inf", ".nan"})


def flow_style(value: Written) -> str:
    """YAML on one line; whatever might be read as another type is quoted."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow_style(k)}: {flow_style(v)}" for k, v in value.items()) + "}"
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value.lower() not in _OTHER_TYPES
        return value if plain else _quoted(value)
    if isinstance(value, int):
        return str(value)
    return "[" + ", ".join(map(flow_style, value)) + "]"


def _quoted(text: str) -> str:
    """In printable ASCII alone: what a terminal or a YAML reader might act on is escaped."""
    return '"' + "".join(c if " " <= c <= "~" and c not in '"\\' else f"\\U{ord(c):08x}" for c in text) + '"'
