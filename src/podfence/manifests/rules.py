"""Every validation rule of NetworkPolicy, in the API server's order and words.

Kubernetes 1.36 and later by default; with `compat="1.35"` the three strict CIDR rules warn instead of refusing.
Next: `networkpolicy` builds the model from what passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from podfence.manifests import cidr, metadata, names, shapes
from podfence.manifests.loaded import Severity
from podfence.manifests.shapes import IPBlock, LabelSelector, NetworkPolicyPeer, NetworkPolicyPort
from podfence.manifests.wrong import Path, Wrong, forbidden, invalid, required, unsupported

LOOSE_CIDR = "1.35"
"""The last version whose API server still takes leading zeros, mapped addresses and host bits."""

Rule = shapes.NetworkPolicyIngressRule | shapes.NetworkPolicyEgressRule


def check(policy: shapes.NetworkPolicy, compat: str = "") -> Iterator[Wrong]:
    yield from metadata.check(policy.metadata or shapes.ObjectMeta())
    spec = policy.spec or shapes.NetworkPolicySpec()
    yield from _selector(spec.podSelector, ("spec", "podSelector"))
    yield from _rules(spec.ingress or (), ("spec", "ingress"), "from", compat)
    yield from _rules(spec.egress or (), ("spec", "egress"), "to", compat)
    yield from _policy_types([each or "" for each in spec.policyTypes or ()])


def _rules(rules: Sequence[Rule | None], path: Path, peers: str, compat: str) -> Iterator[Wrong]:
    for index, rule in enumerate(rules):
        here = (*path, index)
        if rule is None:
            message = (
                "a null item counts as {}: this rule allows everything; remove the item or write the rule"
            )
            yield Wrong(here, message, "null-item", accepted=True)
            continue
        for at, port in enumerate(rule.ports or ()):
            yield from _port(port, (*here, "ports", at))
        for at, peer in enumerate(rule.peers or ()):
            yield from _peer(peer or shapes.EMPTY_PEER, (*here, peers, at), compat)


def _port(port: NetworkPolicyPort | None, path: Path) -> Iterator[Wrong]:
    if port is None:
        message = "a null item counts as {}: every TCP port; remove the item or write the port"
        yield Wrong(path, message, "null-item", accepted=True)
        return
    if port.protocol not in (None, "TCP", "UDP", "SCTP"):
        message = unsupported(port.protocol, "TCP", "UDP", "SCTP")
        yield Wrong((*path, "protocol"), message, "bad-protocol")
    match port.port:
        case None:
            yield from _no_end(port.endPort, path, "may not be specified when `port` is not specified")
        case str() as name:
            yield from _no_end(port.endPort, path, "may not be specified when `port` is non-numeric")
            for message in names.port_name(name):
                yield Wrong((*path, "port"), invalid(name, message), "bad-port")
        case int() as first:
            yield from _numbers(first, port.endPort, path)


def _no_end(end: int | None, path: Path, message: str) -> Iterator[Wrong]:
    if end is not None:
        yield Wrong((*path, "endPort"), invalid(end, message), "bad-end-port")


_PORT_RANGE = "must be between 1 and 65535, inclusive"


def _numbers(first: int, end: int | None, path: Path) -> Iterator[Wrong]:
    if not 1 <= first <= 65535:
        yield Wrong((*path, "port"), invalid(first, _PORT_RANGE), "bad-port")
    if end is None:
        return
    if end < first:
        yield Wrong(
            (*path, "endPort"), invalid(end, "must be greater than or equal to `port`"), "bad-end-port"
        )
    if not 1 <= end <= 65535:
        yield Wrong((*path, "endPort"), invalid(end, _PORT_RANGE), "bad-end-port")


def _peer(peer: NetworkPolicyPeer, path: Path, compat: str) -> Iterator[Wrong]:
    """Members first; then whether they go together."""
    yield from _selector(peer.podSelector, (*path, "podSelector"))
    yield from _selector(peer.namespaceSelector, (*path, "namespaceSelector"))
    selects = peer.podSelector is not None or peer.namespaceSelector is not None
    if peer.ipBlock is not None:
        yield from _block(peer.ipBlock, (*path, "ipBlock"), compat)
        if selects:
            yield Wrong(path, forbidden("may not specify both ipBlock and another peer"), "bad-peer")
    elif not selects:
        yield Wrong(path, required("must specify a peer"), "bad-peer")


def _block(block: IPBlock, path: Path, compat: str) -> Iterator[Wrong]:
    """A block that is missing or unreadable ends it: its exceptions are not looked at."""
    at = (*path, "cidr")
    if not block.cidr:
        yield Wrong(at, required(), "bad-cidr")
        return
    whole = cidr.block(block.cidr)
    yield from _cidr(block.cidr, whole, at, compat)
    if whole is None:
        return
    for index, text in enumerate(block.excepts or ()):
        at = (*path, "except", index)
        hole = cidr.block(text or "")
        yield from _cidr(text or "", hole, at, compat)
        if hole is not None and not whole.strictly_holds(hole):
            yield Wrong(at, invalid(text or "", "must be a strict subset of `cidr`"), "bad-except")


def _cidr(text: str, found: cidr.Block | None, path: Path, compat: str) -> Iterator[Wrong]:
    if found is None:
        yield Wrong(path, invalid(text, cidr.NOT_A_CIDR), "bad-cidr")
    elif strict := cidr.strict_fault(found):
        if compat == LOOSE_CIDR:
            yield Wrong(path, cidr.loose_warning(found), "loose-cidr", Severity.WARNING, accepted=True)
        else:
            yield Wrong(path, strict, "loose-cidr")
    elif warning := cidr.uncanonical(found):
        yield Wrong(path, warning, "uncanonical-cidr", Severity.INFO, accepted=True)


def _policy_types(types: list[str]) -> Iterator[Wrong]:
    path: Path = ("spec", "policyTypes")
    if len(types) > 2:
        yield Wrong(path, invalid(types, "may not specify more than two policyTypes"), "bad-policy-types")
        return
    for index, name in enumerate(types):
        if name not in ("Ingress", "Egress"):
            yield Wrong((*path, index), unsupported(name, "Ingress", "Egress"), "bad-policy-types")


def _selector(selector: LabelSelector | None, path: Path) -> Iterator[Wrong]:
    if selector is None:
        return
    yield from metadata.check_labels(selector.matchLabels or {}, (*path, "matchLabels"))
    yield from chain.from_iterable(
        _requirement(each or shapes.EMPTY_REQUIREMENT, (*path, "matchExpressions", index))
        for index, each in enumerate(selector.matchExpressions or ())
    )


_NULL_VALUE = 'a null item counts as "": the label with an empty value; remove the item or write ""'


def _requirement(clause: shapes.LabelSelectorRequirement, path: Path) -> Iterator[Wrong]:
    values = [each or "" for each in clause.values or ()]
    for index, each in enumerate(clause.values or ()):
        if each is None:
            yield Wrong((*path, "values", index), _NULL_VALUE, "null-item", Severity.WARNING, accepted=True)
    yield from _operator(clause.operator or "", values, path)
    for message in names.qualified_name(clause.key or ""):
        yield Wrong((*path, "key"), invalid(clause.key or "", message), "bad-label")
    for index, value in enumerate(values):
        for message in names.label_value(value):
            yield Wrong((*path, "values", index), invalid(value, message), "bad-label")


def _operator(operator: str, values: list[str], path: Path) -> Iterator[Wrong]:
    match operator:
        case "In" | "NotIn":
            if not values:
                message = required("must be specified when `operator` is 'In' or 'NotIn'")
                yield Wrong((*path, "values"), message, "bad-selector")
        case "Exists" | "DoesNotExist":
            if values:
                message = forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
                yield Wrong((*path, "values"), message, "bad-selector")
        case _:
            message = invalid(operator, "not a valid selector operator")
            yield Wrong((*path, "operator"), message, "bad-selector")
