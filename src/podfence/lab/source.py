"""`lab:NAME` as a SOURCE: what a running lab has in force, for those who ask questions of it."""

from __future__ import annotations

from podfence.lab import wire
from podfence.lab.client import Client
from podfence.manifests.loaded import Manifests
from podfence.manifests.reading import Context
from podfence.model.change import FIELDS
from podfence.model.cluster import Snapshot


def read(name: str, _: Context) -> Manifests:
    """Everything has its address already, so nothing is left to assume."""
    found: Snapshot = wire.decode(Client(name or None).ask("snapshot")["snapshot"])
    return Manifests(tuple(value for field in FIELDS.values() for value in getattr(found, field).values()))
