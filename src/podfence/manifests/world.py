"""A small world derived from policies alone, with pods on both sides of every clause.

For every selector a pod that it matches and pods that it just misses, namespaces likewise, and for every port
a listener and its neighbours. External hosts follow from address blocks: see `outside`. Deterministic, whatever
the order of the policies. `assume.complete` calls it when the input has no pods, then gives them addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from podfence.manifests.contrast import (
    DEFAULT_PORT,
    MOST_PORTS,
    listeners,
    matching,
    near_misses,
    numbers_for_names,
)
from podfence.manifests.outside import external_addresses, external_ports
from podfence.model.change import snapshot
from podfence.model.cluster import ContainerPort, Namespace, Pod
from podfence.model.labels import NAMESPACE_NAME_LABEL, Labels, Operator, Requirement, Selector
from podfence.model.policy import Direction, PodSelection, Policy, Rule
from podfence.model.ports import PortMatch, Protocol

__all__ = ["MOST_PODS", "MOST_PORTS", "World", "derive", "external_addresses", "external_ports"]

MOST_PODS = 60
"""More pods than fit one screen of a matrix teach nobody anything."""

_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class World:
    """`notes` say, as sentences, what was left out and what no world can show."""

    objects: tuple[Namespace | Pod, ...]
    notes: tuple[str, ...] = ()


Traits = tuple[tuple[str, str], ...]
Part = tuple[Traits, Traits]
"""Labels of a namespace and of a pod in it: who plays. Parts alike in all labels are one pod."""


def derive(policies: Iterable[Policy]) -> World:
    """Namespaces and pods without addresses, by name."""
    ordered = sorted(policies, key=lambda policy: policy.key)
    ports = _ports(ordered)
    parts = _parts(ordered)
    kept = parts[:MOST_PODS]
    homes = _namespaces(kept)
    pods = _pods(kept, homes, ports)
    objects: tuple[Namespace | Pod, ...] = (*dict.fromkeys(homes.values()), *pods)
    return World(objects, (*_caps(parts, pods), *_gaps(ordered, objects)))


def selections(policy: Policy) -> Iterator[PodSelection]:
    """The subject, then the peers in order."""
    yield policy.subject
    for direction in Direction:
        for rule in policy.rules(direction):
            yield from _peers(rule)


def _peers(rule: Rule) -> Iterator[PodSelection]:
    yield from (peer for peer in rule.peers or () if isinstance(peer, PodSelection))


def _traits(labels: Labels) -> Traits:
    return tuple(sorted(labels.items()))


def _matches(selection: PodSelection) -> list[Part]:
    pod = matching(selection.pods)
    return [] if pod is None else [(home, _traits(pod)) for home in _homes(selection)]


def _misses(selection: PodSelection) -> list[Part]:
    """Strangers at home, and the right pods in the wrong namespaces."""
    pod = matching(selection.pods)
    nearly = [(home, _traits(m)) for home in _homes(selection) for m in near_misses(selection.pods)]
    abroad = [] if pod is None else [(away, _traits(pod)) for away in _elsewhere(selection)]
    return nearly + abroad


def _homes(selection: PodSelection) -> list[Traits]:
    if isinstance(selection.namespaces, str):
        return [((NAMESPACE_NAME_LABEL, selection.namespaces),)]
    labels = matching(_without_the_obvious(selection.namespaces))
    return [] if labels is None else [_traits(labels)]


def _elsewhere(selection: PodSelection) -> list[Traits]:
    if isinstance(selection.namespaces, str):
        return [()]
    return [_traits(labels) for labels in near_misses(_without_the_obvious(selection.namespaces))]


def _without_the_obvious(spaces: Selector) -> Selector:
    """Every namespace has a name, so that asking whether it has one says nothing."""
    obvious = Requirement(NAMESPACE_NAME_LABEL, Operator.EXISTS)
    return Selector(tuple(requirement for requirement in spaces.requirements if requirement != obvious))


def _parts(policies: list[Policy]) -> list[Part]:
    """Without repetition; those that match come first, so that a cap takes near misses."""
    listed = [selection for policy in policies for selection in selections(policy)]
    matches = [part for selection in listed for part in _matches(selection)]
    return list(dict.fromkeys(matches + [part for selection in listed for part in _misses(selection)]))


def _ports(policies: list[Policy]) -> dict[Part | None, list[ContainerPort]]:
    """Who listens where: ports of ingress rules at the subject, of egress rules at peers; None is everybody."""
    names = numbers_for_names(_entries(policies))
    found: dict[Part | None, list[ContainerPort]] = {}
    for policy in policies:
        for rule in policy.rules(Direction.INGRESS):
            _listen(found, [policy.subject], listeners(rule.ports or (), names))
        for rule in policy.rules(Direction.EGRESS):
            everybody = rule.peers is None
            _listen(found, None if everybody else list(_peers(rule)), listeners(rule.ports or (), names))
    return found


def _entries(policies: list[Policy]) -> Iterator[PortMatch]:
    for policy in policies:
        for direction in Direction:
            for rule in policy.rules(direction):
                yield from rule.ports or ()


def _listen(
    found: dict[Part | None, list[ContainerPort]],
    selections: list[PodSelection] | None,
    ports: Iterator[ContainerPort],
) -> None:
    """Those that a selection misses listen too: otherwise nobody could tell denied from absent."""
    listed = list(ports)
    parts: list[Part | None] = [None]
    if selections is not None:
        parts = [part for selection in selections for part in _matches(selection) + _misses(selection)]
    for part in parts:
        found.setdefault(part, []).extend(listed)


def _namespaces(parts: list[Part]) -> dict[Traits, Namespace]:
    """A namespace for every set of labels. One label is its name; what else is said of that name adds up."""
    wanted = sorted({home for home, _ in parts})
    named: dict[str, dict[str, str]] = {}
    for labels in map(dict, wanted):
        if name := labels.get(NAMESPACE_NAME_LABEL, ""):
            named[name] = {**labels, **named.get(name, {})}
    names = _names(
        (home for home in wanted if NAMESPACE_NAME_LABEL not in dict(home)), set(named), "elsewhere"
    )
    found: dict[Traits, Namespace] = {}
    for home in wanted:
        name = names.get(home) or dict(home)[NAMESPACE_NAME_LABEL]
        if _DNS_LABEL.fullmatch(name):
            labels = {**named.get(name, dict(home)), NAMESPACE_NAME_LABEL: name}
            found[home] = Namespace(name, labels)
    return found


def _pods(
    parts: list[Part], homes: Mapping[Traits, Namespace], ports: Mapping[Part | None, list[ContainerPort]]
) -> list[Pod]:
    cast: dict[str, dict[Traits, list[ContainerPort]]] = {}
    for home, labels in sorted(part for part in parts if part[0] in homes):
        pods = cast.setdefault(homes[home].name, {})
        pods.setdefault(labels, []).extend([*ports.get((home, labels), ()), *ports.get(None, ())])
    return [
        Pod(namespace, name, dict(labels), ports=_declared(pods[labels]), assumed=frozenset({"pod"}))
        for namespace, pods in sorted(cast.items())
        for labels, name in _names(pods, set(), "plain").items()
    ]


def _declared(ports: list[ContainerPort]) -> tuple[ContainerPort, ...]:
    """One for each number; a named port before an unnamed one."""
    found: dict[tuple[Protocol, int], ContainerPort] = {}
    for port in sorted(ports, key=lambda port: (port.protocol, port.number, not port.name, port.name)):
        found.setdefault((port.protocol, port.number), port)
    return tuple(found.values())[:MOST_PORTS] or (DEFAULT_PORT,)


def _names(several: Iterable[Traits], taken: set[str], plain: str) -> dict[Traits, str]:
    """A readable name for each set of labels: its values, and a number where that is not enough."""
    found: dict[Traits, str] = {}
    for traits in sorted(several):
        words = re.sub(r"[^a-z0-9]+", "-", "-".join(value for _, value in traits).lower()).strip("-")
        stem = words[:40].strip("-") or plain
        numbered = (stem if n == 1 else f"{stem}-{n}" for n in range(1, len(taken) + 2))
        found[traits] = next(name for name in numbered if name not in taken)
        taken.add(found[traits])
    return found


def _caps(parts: list[Part], pods: list[Pod]) -> Iterator[str]:
    if (left_out := len(parts) - MOST_PODS) > 0:
        yield f"the derived world is cut off at {MOST_PODS} pods: {left_out} that policies just miss or match are left out"
    if any(len(pod.ports) >= MOST_PORTS for pod in pods):
        yield f"pods of the derived world listen on {MOST_PORTS} ports at most: others that rules name are left out"


def _gaps(policies: list[Policy], objects: Iterable[Namespace | Pod]) -> Iterator[str]:
    """What the world fails to show is checked afterwards, however it came about."""
    derived = snapshot(objects)
    for policy in policies:
        for selection in dict.fromkeys(selections(policy)):
            sides = {derived.selects(selection, pod) for pod in derived.pods.values()}
            if True not in sides:
                yield f"{policy.title}: no derived pod matches {selection}"
            if sides == {True} and selection != PodSelection():
                yield f"{policy.title}: every derived pod matches {selection}"
