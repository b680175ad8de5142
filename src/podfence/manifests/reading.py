"""What reading one object gives: a value of the model, and what is wrong with it. Next: every kind's reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from podfence.manifests.item import Item
from podfence.manifests.wrong import Wrong
from podfence.model.change import Object
from podfence.model.cluster import Template
from podfence.model.route import Route

PREFIX_KEPT = 58
"""Of `generateName`: the server appends five letters and stays within a label."""


@dataclass(frozen=True, slots=True)
class Context:
    """`namespace` is for namespaced objects that name none. `compat` is a Kubernetes version: `1.35`, or none."""

    namespace: str = "default"
    compat: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """`stored`: a server gave the object out, so problems are reported and it counts all the same."""

    value: Object | Template | Route
    wrong: tuple[Wrong, ...]
    name: str
    namespace: str
    stored: bool


class Named(Protocol):
    """The part of any metadata that names an object."""

    @property
    def name(self) -> str | None: ...

    @property
    def generateName(self) -> str | None: ...  # noqa: N802  the API's name


def named(metadata: Named, item: Item) -> str:
    """The name; where the server would make one up, one that says where the object stands."""
    if metadata.name or not metadata.generateName:
        return metadata.name or ""
    return f"{metadata.generateName[:PREFIX_KEPT]}{item.place(()).line}"
