"""Ways into the cluster that a controller makes: an Ingress, or an HTTPRoute behind a Gateway. No policy sees them.

They lead to ports of Services, and only `reach` asks about them, so that a Snapshot does without.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from podfence.model.labels import Labels


class RouteBackend(NamedTuple):
    """A port of a Service, by number or by name."""

    namespace: str
    service: str
    port: int | str


@dataclass(frozen=True, slots=True)
class Route:
    """`kind` is Ingress, HTTPRoute or Gateway, which has no backends of its own. `gateways`: those it belongs to."""

    kind: str
    namespace: str
    name: str
    backends: tuple[RouteBackend, ...] = ()
    gateways: tuple[tuple[str, str], ...] = ()
    annotations: Labels = field(default_factory=dict, compare=False)

    @property
    def title(self) -> str:
        """How people name it."""
        return f"{self.kind} {self.namespace}/{self.name}"
