"""What files leave out, supplied once for analysis, rendering and the lab alike.

`complete` is pure and deterministic: Namespaces, nodes, pods of workload templates, addresses of pods, nodes and
Services. What is given wins; `Pod.assumed` and `Completion.assumptions` say what was not. Policies without any
pods get a small world (`world.derive`). Next: everything that takes a Snapshot.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import chain

from podfence.manifests.addressing import (
    NO_WISHES,
    Plan,
    Wishes,
    busiest,
    given_addresses,
    place_nodes,
    place_pods,
    place_services,
    planned,
    told_apart,
)
from podfence.manifests.blocks import NODES, PODS, SERVICES, Named, Room, named
from podfence.manifests.loaded import Manifests
from podfence.manifests.standins import MOST_REPLICAS, stand_ins
from podfence.manifests.world import World, derive, selections
from podfence.model.change import snapshot
from podfence.model.cluster import Namespace, Node, Pod, Snapshot
from podfence.model.labels import NAMESPACE_NAME_LABEL
from podfence.model.policy import Policy


@dataclass(frozen=True, slots=True)
class Options:
    """`nodes` counts only where no input names a node.

    `at_least`: how many pods stand in for a workload that is scaled to zero.
    """

    nodes: int = 1
    at_least: int = 1
    wishes: Wishes = NO_WISHES


FOR_ANALYSIS = Options()
FOR_LAB = Options(nodes=2, at_least=0)


@dataclass(frozen=True, slots=True)
class Completion:
    """`assumptions` are sentences for people. `plan`: the blocks that assumed addresses come from."""

    snapshot: Snapshot
    assumptions: tuple[str, ...]
    plan: Plan


def complete(manifests: Manifests, options: Options = FOR_ANALYSIS) -> Snapshot:
    """The snapshot that the input describes, its gaps filled. PodfenceError when a block is too small."""
    return assume(manifests, options).snapshot


def assume(manifests: Manifests, options: Options = FOR_ANALYSIS) -> Completion:
    """The same, with what was assumed."""
    world = _world(manifests)
    given = snapshot([*world.objects, *manifests.objects])
    nodes = _nodes(manifests, given, options.nodes)
    made = tuple(stand_ins(manifests.templates, given.pods.values(), tuple(nodes), at_least=options.at_least))
    spaces = _namespaces(manifests, given)
    said = named(given.policies.values())
    plan = planned(options.wishes, said, given.nodes.values())
    pods = sorted((*given.pods.values(), *made), key=lambda pod: pod.key)
    unseen = spaces.keys() - given.namespaces.keys()
    found = _addressed(replace(given, namespaces=spaces, nodes=nodes), pods, unseen, plan, said)
    notes = (
        *world.notes,
        *_assumptions(manifests, given, found, plan),
        *_switched(found, plan, options.wishes, said),
    )
    return Completion(found, notes, plan)


def _world(manifests: Manifests) -> World:
    """Pods from policies, where there is nothing else to judge."""
    policies = [value for value in manifests.objects if isinstance(value, Policy)]
    pods = any(isinstance(value, Pod) for value in manifests.objects) or manifests.templates
    if pods or not policies:
        return World(())
    world = derive(policies)
    amount = sum(isinstance(value, Pod) for value in world.objects)
    note = f"no pods are given: {amount} are derived from the policies, on both sides of what these say"
    return replace(world, notes=(note, *world.notes))


def _nodes(manifests: Manifests, given: Snapshot, amount: int) -> dict[str, Node]:
    """Those given, those that pods are on, and only where there are none, some of our own. As people count.

    A pod on the host network has its node's addresses, and so tells them.
    """
    named_ones = {
        *given.nodes,
        *(pod.node for pod in given.pods.values()),
        *(template.node for template in manifests.templates),
    } - {""}
    names = named_ones or {f"node-{n}" for n in range(1, max(amount, 1) + 1)}
    order = sorted(names, key=lambda name: (len(name), name))
    told = sorted((p.key, p) for p in given.pods.values() if p.host_network and p.addresses)
    seen = {pod.node: pod.addresses for _, pod in told}
    return {name: given.nodes.get(name) or Node(name, addresses=seen.get(name, ())) for name in order}


def _namespaces(manifests: Manifests, given: Snapshot) -> dict[str, Namespace]:
    """One for every name that an object stands in or a policy looks into."""
    names = {
        *(namespace for namespace, _ in chain(given.pods, given.services)),
        *(template.namespace for template in manifests.templates),
        *(policy.namespace for policy in given.policies.values()),
        *_looked_into(given.policies.values()),
        *given.namespaces,
    }
    return {
        name: given.namespaces.get(name) or Namespace(name, {NAMESPACE_NAME_LABEL: name})
        for name in sorted(names - {""})
    }


def _looked_into(policies: Iterable[Policy]) -> Iterator[str]:
    for policy in policies:
        yield from (s.namespaces for s in selections(policy) if isinstance(s.namespaces, str))


def _addressed(
    given: Snapshot, pods: list[Pod], unseen: AbstractSet[str], plan: Plan, said: Named
) -> Snapshot:
    """Nodes first, then Services and pods by name: the order of the input does not matter."""
    taken = set(given_addresses(chain(pods, given.nodes.values(), given.services.values())))
    nodes = place_nodes(given.nodes.values(), plan, taken, busiest(pods, given.nodes))
    ordered = (given.services[key] for key in sorted(given.services))
    services = place_services(ordered, plan, Room(SERVICES.option, taken, told_apart(said, plan.services)))
    room = Room(PODS.option, taken, told_apart(said, plan.pods))
    placed = place_pods(pods, nodes, plan, room, unseen=unseen)
    return replace(
        given,
        nodes=nodes,
        services={service.key: service for service in services},
        pods={pod.key: pod for pod in placed},
    )


def _assumptions(manifests: Manifests, given: Snapshot, found: Snapshot, plan: Plan) -> Iterator[str]:
    if new := sorted(found.namespaces.keys() - given.namespaces.keys()):
        yield f"assumed namespaces, with no label but their name: {_listed(new)}"
    if new := [name for name in found.nodes if name not in given.nodes]:
        yield f"assumed nodes: {_listed(new)}"
    if made := sum(key not in given.pods for key in found.pods):
        yield f"assumed pods: {made}, as the workloads describe them"
    if lacking := sum(_newly_addressed(pod, given) for pod in found.pods.values()):
        yield f"assumed addresses: those of {lacking} pods, in {' and '.join(map(str, plan.pods))}"
    if many := sorted({t.title for t in manifests.templates if t.replicas > MOST_REPLICAS}):
        yield f"cut off at {MOST_REPLICAS} pods each: {_listed(many)}"


def _newly_addressed(pod: Pod, given: Snapshot) -> bool:
    """Whether its address was assumed here; what a lab assumed when it began is given to us."""
    before = given.pods.get(pod.key)
    return "address" in pod.assumed and not (before and before.addresses)


def _listed(names: list[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _switched(found: Snapshot, plan: Plan, wishes: Wishes, said: Named) -> Iterator[str]:
    """Why addresses are not where people are used to see them."""
    for candidates, holders, blocks in (
        (PODS, found.pods, set(plan.pods) - set(wishes.pods)),
        (SERVICES, found.services, set(plan.services) - set(wishes.services)),
        (NODES, found.nodes, set(plan.nodes) - set(wishes.nodes)),
    ):
        for block in sorted(blocks, key=lambda block: block.family):
            usual = candidates.favourite(block.family)
            used = (address in block for address in given_addresses(holders.values()))
            if block != usual and any(used):
                why = "policies name addresses in it" if any(said.meets(usual)) else "it is in use"
                yield f"assumed addresses of {candidates.purpose} are in {block} instead of {usual}: {why}"
