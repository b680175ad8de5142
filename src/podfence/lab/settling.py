"""From what a lab was told to the snapshot it runs: gaps are filled, and what runs already keeps its address.

Files are completed as everywhere (`manifests.assume`), then once more with the addresses that are in use, so that an edit moves
nobody: not even a policy that names an address a pod happens to have. Next: `running` makes the snapshot real.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

from podfence.lab import resolver
from podfence.lab.desired import RESTARTS, Desired
from podfence.manifests.addressing import NO_WISHES, Plan, Wishes
from podfence.manifests.assume import Options, assume
from podfence.manifests.loaded import Manifests, object_key
from podfence.model.change import Object
from podfence.model.cluster import Node, Pod, Service, Snapshot, Template
from podfence.program import digest

NODES = 2
_LETTERS = 5

Addressed = TypeVar("Addressed", Node, Service)


@dataclass(frozen=True, slots=True)
class Settled:
    """`notes` say what was assumed. `plan` is None before the first time; then it stays."""

    snapshot: Snapshot = field(default_factory=Snapshot)
    notes: tuple[str, ...] = ()
    plan: Plan | None = None


def settle(desired: Desired, before: Settled, wishes: Wishes = NO_WISHES) -> Settled:
    """Deterministic; PodfenceError where a block of addresses is too small."""
    first = assume(desired.manifests(), _options(before.plan, wishes))
    plan = before.plan or first.plan
    own = () if resolver.servers(first.snapshot) else resolver.OWN
    objects = (
        *_kept_world(before.snapshot, desired),
        *_with_known_addresses(first.snapshot, before.snapshot, desired),
        *own,
    )
    found = assume(Manifests(objects), _options(plan, wishes)).snapshot
    note = ("nobody answers for names in the input: kube-system/coredns and its Service kube-dns are added",)
    return Settled(desired.overlaid(found), first.assumptions + (note if own else ()), plan)


def _options(plan: Plan | None, wishes: Wishes) -> Options:
    """The blocks chosen at first are those chosen for ever."""
    chosen = wishes if plan is None else Wishes(wishes.families, plan.pods, plan.services, plan.nodes)
    return Options(NODES, at_least=0, wishes=chosen)


def _kept_world(known: Snapshot, desired: Desired) -> Iterator[Object]:
    """A world that was derived from policies stays while they are edited; it only grows."""
    if not any(isinstance(thing, Pod | Template) for thing in desired.things.values()):
        yield from known.namespaces.values()
        yield from (pod for pod in known.pods.values() if pod.namespace != resolver.NAMESPACE)


def _with_known_addresses(found: Snapshot, known: Snapshot, desired: Desired) -> Iterator[Object]:
    yield from found.namespaces.values()
    yield from found.policies.values()
    yield from (_readdressed(node, known.nodes.get(node.key), desired) for node in found.nodes.values())
    yield from (_readdressed(each, known.services.get(each.key), desired) for each in found.services.values())
    given = _given(desired)
    for pod in _renamed(found.pods.values()):
        yield _placed(pod, known, given=pod.key in given)


def _readdressed(thing: Addressed, known: Addressed | None, desired: Desired) -> Addressed:
    """What the input says stays; else what was assumed before."""
    given = desired.things.get(object_key(thing))
    says = isinstance(given, Node | Service) and given.addresses
    if known is None or not known.addresses or not thing.addresses or says:
        return thing
    if isinstance(thing, Node) and isinstance(known, Node):
        return replace(thing, addresses=known.addresses, pod_blocks=known.pod_blocks)
    return replace(thing, addresses=known.addresses)


def _given(desired: Desired) -> frozenset[tuple[str, str]]:
    return frozenset(
        thing.key for thing in desired.things.values() if isinstance(thing, Pod) and thing.addresses
    )


def _placed(pod: Pod, known: Snapshot, *, given: bool) -> Pod:
    """A pod that runs stays where it is; a new one gets what nobody has."""
    if given or not pod.on_pod_network:
        return pod
    running = known.pods.get(pod.key)
    if running and running.addresses and (running.node == pod.node or "node" in pod.assumed):
        return replace(pod, addresses=running.addresses, node=running.node)
    return replace(pod, addresses=())


def _renamed(pods: Iterable[Pod]) -> Iterator[Pod]:
    """Pods of a workload that was restarted have new names, as after a rollout; a StatefulSet's keep theirs."""
    for pod in pods:
        count = pod.annotations.get(RESTARTS)
        numbered = pod.owner is not None and pod.owner.kind == "StatefulSet"
        if count is None or numbered or "pod" not in pod.assumed:
            yield pod
        else:
            suffix = digest(pod.name, count)[:_LETTERS]
            yield replace(pod, name=f"{pod.name.rpartition('-')[0]}-{suffix}")
