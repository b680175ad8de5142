"""All objects of a kind as the bytes of each, a page at a time. Next: `source` makes values of the model of them."""

from __future__ import annotations

import msgspec

from podfence.kube.client import GONE, ApiError, Client
from podfence.kube.resources import Resource

PAGE = "500"


class _Metadata(msgspec.Struct, frozen=True):
    next: str = msgspec.field(default="", name="continue")


class _Page(msgspec.Struct, frozen=True):
    """Items stay bytes: one that cannot be read must not take the others with it."""

    metadata: _Metadata = _Metadata()
    items: list[msgspec.Raw] | None = None


async def everything(client: Client, resource: Resource) -> list[msgspec.Raw]:
    """As it was at one moment: where the server forgot that moment between two pages, all over in one piece."""
    try:
        return await _pages(client, resource)
    except ApiError as refused:
        if refused.status != GONE:
            raise
        return (await _page(client, resource, {})).items or []


async def _pages(client: Client, resource: Resource) -> list[msgspec.Raw]:
    page = await _page(client, resource, {"limit": PAGE})
    found = list(page.items or ())
    while page.metadata.next:
        page = await _page(client, resource, {"limit": PAGE, "continue": page.metadata.next})
        found += page.items or ()
    return found


async def _page(client: Client, resource: Resource, query: dict[str, str]) -> _Page:
    body = await client.get(resource.path, query, resource.accept)
    try:
        return msgspec.json.decode(body, type=_Page)
    except msgspec.DecodeError as wrong:
        raise ApiError(0, f"{resource.plural}: the server's list cannot be read: {wrong}") from wrong
