"""`cluster:CONTEXT` as a SOURCE: what an API server has, as manifests. Reads only, and nothing is kept.

Every object is judged on its own, for the server has accepted them all. Next: `sources` merges it with others.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace

import msgspec

from podfence.errors import PodfenceError
from podfence.kube.access import rule
from podfence.kube.client import FORBIDDEN, NOT_FOUND, ApiError, Client
from podfence.kube.kubeconfig import Access, find
from podfence.kube.listing import everything
from podfence.kube.resources import OBJECTS, OWNERS, Resource
from podfence.manifests.gathered import Gathered
from podfence.manifests.jsonitem import JsonItem
from podfence.manifests.kinds import NOT_JUDGED
from podfence.manifests.load import take_object
from podfence.manifests.loaded import Manifests, Problem, Severity
from podfence.manifests.owners import settled
from podfence.manifests.reader import Found
from podfence.manifests.reading import Context
from podfence.model.cluster import Pod

Listed = tuple[Resource, list[msgspec.Raw]]


def read(name: str, context: Context) -> Manifests:
    """Everything that says who reaches whom. Templates are left out: their pods are there."""
    access = find(name, os.environ)
    found = asyncio.run(_gathered(access, context))
    return replace(settled(found.manifests()), templates=())


async def _gathered(access: Access, context: Context) -> Gathered:
    gathered = Gathered()
    async with Client(access) as client:
        _take(await _listed(client, OBJECTS), access, context, gathered)
        _take(await _listed(client, _owners_asked(gathered)), access, context, gathered)
        gathered.warnings += await _not_judged(client, access)
    return gathered


def _owners_asked(gathered: Gathered) -> list[Resource]:
    """Most pods say by their names which Deployment they are of."""
    pods = (value for value in gathered.manifests().objects if isinstance(value, Pod))
    kinds = {pod.owner.kind for pod in pods if pod.owner}
    return [each for each in OWNERS if each.kind in kinds]


async def _listed(client: Client, resources: Sequence[Resource]) -> list[Listed]:
    """All kinds at once. What may not be read is said of all of them together."""
    answers = await asyncio.gather(*(_list(client, each) for each in resources))
    both = list(zip(resources, answers, strict=True))
    if forbidden := [(each, answer) for each, answer in both if isinstance(answer, ApiError)]:
        raise _missing(forbidden)
    return [(each, answer) for each, answer in both if not isinstance(answer, ApiError)]


async def _list(client: Client, resource: Resource) -> list[msgspec.Raw] | ApiError:
    """Missing rights are an answer here, and so is an API that this cluster is without; other trouble ends it all."""
    try:
        return await everything(client, resource)
    except ApiError as refused:
        if refused.status == NOT_FOUND and resource.optional:
            return []
        if refused.status != FORBIDDEN:
            raise
        return refused


def _missing(forbidden: Sequence[tuple[Resource, ApiError]]) -> PodfenceError:
    """With the lines of a role that grant it."""
    return PodfenceError(
        "the cluster does not let this user read what podfence needs; `podfence rbac` prints the role that does",
        *(f"{refused.message}; rule: {rule([each])}" for each, refused in forbidden),
    )


def _take(listed: Iterable[Listed], access: Access, context: Context, gathered: Gathered) -> None:
    """Positions in an answer of the server help nobody: objects have no line."""
    for resource, items in listed:
        for raw in items:
            item = JsonItem(f"cluster:{access.name}", raw, 0, 0)
            take_object(Found(item, resource.api_version, resource.kind), context, gathered)


class _Group(msgspec.Struct, frozen=True):
    name: str


class _Groups(msgspec.Struct, frozen=True):
    groups: list[_Group]


async def _not_judged(client: Client, access: Access) -> list[Problem]:
    """Which other policies there may be. The groups are open to every user as a rule, the objects in them are not."""
    try:
        served = msgspec.json.decode(await client.get("/apis"), type=_Groups)
    except ApiError as refused:
        if refused.status != FORBIDDEN:
            raise
        return [
            _note(
                access, "whether the cluster has policies of other APIs is not known: discovery is forbidden"
            )
        ]
    groups = {each.name for each in served.groups}
    return [_note(access, _may_have(group, kind)) for group, kind in sorted(NOT_JUDGED) if group in groups]


def _note(access: Access, message: str) -> Problem:
    return Problem(f"cluster:{access.name}", 0, 0, "", "", message, "not-judged", Severity.INFO)


def _may_have(group: str, kind: str) -> str:
    return f"the cluster may have objects {kind} of {group}, which are not judged"
