"""A NetworkPolicy of the model from one of the API: nil and empty are resolved here, and never met again.

A policy that a server stored and that cannot be read completely still isolates its subjects, and what is
unreadable of it allows nothing. Next: `load`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from podfence.manifests import cidr, rules, shapes
from podfence.manifests.common import kept_annotations
from podfence.manifests.item import Item, Places
from podfence.manifests.reading import Context, Reading, named
from podfence.manifests.wrong import Path, Wrong
from podfence.model.labels import EVERYTHING, Operator, Requirement, Selector, requirement
from podfence.model.policy import Direction, NetworkPeer, Peer, Place, PodSelection, Policy, Rule
from podfence.model.ports import ALL_PORTS, PortMatch, PortRange, Protocol, protocol

NOTHING = Rule(peers=())
"""What stands for a rule that cannot be read: it keeps the place of its index and matches no one."""


def read(item: Item, context: Context) -> Reading:
    policy, wrong = item.decode(shapes.NetworkPolicy)
    policy = _named(policy, item, context)
    meta = policy.metadata or shapes.ObjectMeta()
    # a server that stored a sloppy block enforces it: old ones take them, new ones keep what they had
    compat = rules.LOOSE_CIDR if meta.uid else context.compat
    wrong += _unrelated(rules.check(policy, compat), wrong)
    bad = [each.path for each in wrong if not each.accepted]
    value = _policy(policy, bad, Places(item.kept()))
    return Reading(value, tuple(wrong), meta.name or "", meta.namespace or "", stored=bool(meta.uid))


def _named(policy: shapes.NetworkPolicy, item: Item, context: Context) -> shapes.NetworkPolicy:
    """With the namespace that kubectl sets, and a name where the server would make one up."""
    from msgspec.structs import replace

    meta = policy.metadata or shapes.ObjectMeta()
    meta = replace(meta, namespace=meta.namespace or context.namespace, name=named(meta, item))
    return replace(policy, metadata=meta)


def _unrelated(found: Iterator[Wrong], decoding: Sequence[Wrong]) -> list[Wrong]:
    """Without what only follows from a field that could not be decoded."""
    paths = [each.path for each in decoding]
    return [each for each in found if not any(_touch(each.path, path) for path in paths)]


def _touch(one: Path, other: Path) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _policy(policy: shapes.NetworkPolicy, bad: list[Path], places: Mapping[str, Place]) -> Policy:
    meta = policy.metadata or shapes.ObjectMeta()
    spec = policy.spec or shapes.NetworkPolicySpec()
    namespace = meta.namespace or ""
    in_spec = [path for path in bad if path[:1] == ("spec",)]
    unclear = any(len(path) <= 2 or path[1] == "policyTypes" for path in in_spec)
    lost = any(len(path) > 1 and path[1] == "podSelector" for path in in_spec)
    subject = PodSelection(namespace, EVERYTHING if lost else _selector(spec.podSelector))
    shut = unclear or lost
    return Policy(
        namespace=namespace,
        name=meta.name or "",
        subject=subject,
        directions=frozenset(Direction) if unclear else _directions(spec),
        ingress=_rules(spec.ingress, namespace, _Readable("ingress", in_spec, shut)),
        egress=_rules(spec.egress, namespace, _Readable("egress", in_spec, shut)),
        places=places,
        annotations=kept_annotations(meta.annotations),
    )


class _Readable:
    """Which rules of a direction can be read."""

    __slots__ = ("_bad", "_field", "_shut")

    def __init__(self, field: str, bad: list[Path], shut: bool) -> None:  # noqa: FBT001  private, one caller
        self._field, self._bad, self._shut = field, bad, shut

    def __call__(self, index: int) -> bool:
        return not self._shut and not any(path[1:3] == (self._field, index) for path in self._bad)


def _directions(spec: shapes.NetworkPolicySpec) -> frozenset[Direction]:
    """The server's default: ingress always, egress when there are egress rules."""
    if not spec.policyTypes:
        return frozenset(Direction if spec.egress else (Direction.INGRESS,))
    return frozenset(Direction(name.lower()) for name in spec.policyTypes if name)


def _rules(
    given: Sequence[rules.Rule | None] | None, namespace: str, readable: _Readable
) -> tuple[Rule, ...]:
    """A null item is {}: the server stores it so."""
    return tuple(
        _rule(rule, namespace) if readable(index) else NOTHING for index, rule in enumerate(given or ())
    )


def _rule(rule: rules.Rule | None, namespace: str) -> Rule:
    if rule is None:
        return Rule()
    peers = tuple(_peer(peer or shapes.EMPTY_PEER, namespace) for peer in rule.peers or ())
    ports = tuple(_port(port or shapes.EMPTY_PORT) for port in rule.ports or ())
    return Rule(peers or None, ports or None)


def _port(port: shapes.NetworkPolicyPort) -> PortMatch:
    kind = Protocol.TCP if port.protocol is None else protocol(port.protocol)
    match port.port:
        case None:
            return PortMatch(kind, ALL_PORTS)
        case str() as name:
            return PortMatch(kind, name)
        case int() as first:
            return PortMatch(kind, PortRange(first, first if port.endPort is None else port.endPort))


def _peer(peer: shapes.NetworkPolicyPeer, namespace: str) -> Peer:
    """No namespaceSelector means the policy's own namespace; no podSelector beside one means every pod there."""
    if peer.ipBlock is not None:
        return _block(peer.ipBlock)
    if peer.namespaceSelector is None:
        return PodSelection(namespace, _selector(peer.podSelector))
    return PodSelection(_selector(peer.namespaceSelector), _selector(peer.podSelector))


def _block(block: shapes.IPBlock) -> NetworkPeer:
    texts = [block.cidr or "", *(hole or "" for hole in block.excepts or ())]
    whole, *holes = (found.network for text in texts if (found := cidr.block(text)))
    return NetworkPeer(whole, tuple(holes))


def _selector(selector: shapes.LabelSelector | None) -> Selector:
    if selector is None:
        return EVERYTHING
    equal = [requirement(key, Operator.IN, value) for key, value in (selector.matchLabels or {}).items()]
    clauses = (each or shapes.EMPTY_REQUIREMENT for each in selector.matchExpressions or ())
    return Selector(tuple(sorted({*equal, *map(_requirement, clauses)})))


def _requirement(clause: shapes.LabelSelectorRequirement) -> Requirement:
    values = (each or "" for each in clause.values or ())
    return requirement(clause.key or "", Operator(clause.operator or ""), *values)
