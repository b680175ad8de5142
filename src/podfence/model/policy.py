"""Policies of every kind, after decoding: one model for all tiers.

Nothing here hangs on nil versus empty: `None` means "not constrained" and is written only by the door;
an empty tuple means "nothing" and so fails closed. KEP-2091, KEP-4858; API `networking.k8s.io/v1`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache

from podfence.model.address import Address, AddressSet, Network, address_set
from podfence.model.labels import EVERYTHING, Labels, Selector
from podfence.model.ports import PortMatch


class Tier(Enum):
    """Evaluated in this order."""

    ADMIN = "Admin"
    NETWORK_POLICY = "NetworkPolicy"
    BASELINE = "Baseline"


class Direction(Enum):
    """Always seen from the subject."""

    EGRESS = "egress"
    INGRESS = "ingress"

    @property
    def peers_field(self) -> str:
        return "to" if self is Direction.EGRESS else "from"


class Action(Enum):
    """What a rule says; what happens to a flow is a Verdict."""

    ACCEPT = "Accept"
    DENY = "Deny"
    PASS = "Pass"  # noqa: S105  an action, not a password


@dataclass(frozen=True, slots=True)
class PodSelection:
    """Pods by labels, in one namespace by name, or in all whose labels match. The subject of a policy, or a peer.

    A pod with `hostNetwork` is never selected: it is its node.
    """

    namespaces: str | Selector = EVERYTHING
    pods: Selector = EVERYTHING

    def selects(self, namespace: str, namespace_labels: Labels | None, labels: Labels) -> bool:
        """`None` for the labels of a namespace not seen: no selector takes it, its name still does."""
        if isinstance(self.namespaces, str):
            return self.namespaces == namespace and self.pods.matches(labels)
        seen = namespace_labels is not None and self.namespaces.matches(namespace_labels)
        return seen and self.pods.matches(labels)

    def __str__(self) -> str:
        where = (
            f"namespace {self.namespaces}"
            if isinstance(self.namespaces, str)
            else f"namespaces {self.namespaces}"
        )
        return f"pods {self.pods} in {where}"


@dataclass(frozen=True, slots=True)
class NetworkPeer:
    """Addresses in a block and in none of its exceptions. An exception subtracts from this block alone."""

    block: Network
    excepts: tuple[Network, ...] = ()

    def __contains__(self, item: Address) -> bool:
        return item in self.block and not any(item in hole for hole in self.excepts)

    @property
    def addresses(self) -> AddressSet:
        return _addresses(self)

    def __str__(self) -> str:
        holes = ", ".join(map(str, self.excepts))
        return f"{self.block} except {holes}" if holes else str(self.block)


@lru_cache(maxsize=4096)
def _addresses(peer: NetworkPeer) -> AddressSet:
    return address_set([peer.block]) - address_set(peer.excepts)


Peer = PodSelection | NetworkPeer


@dataclass(frozen=True, slots=True)
class Rule:
    """Peers and ports, both of which must match; `None` leaves one unconstrained.

    `ports is None` also matches protocols that have no ports; any other value never does.
    """

    peers: tuple[Peer, ...] | None = None
    ports: tuple[PortMatch, ...] | None = None
    action: Action = Action.ACCEPT
    name: str = ""


PolicyKey = tuple[str, str, str]
"""Tier, namespace (empty for cluster-wide policies) and name; sorts as explanations list them."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in the input; lines and columns count from 1, 0 is unknown."""

    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


NOWHERE_KNOWN = Place()


@dataclass(frozen=True, slots=True)
class Policy:
    """One named object of any policy kind.

    `directions` are those in which it applies at all: a NetworkPolicy isolates its subject in each of them.
    `priority` orders policies of the Admin and Baseline tiers, the lower first; NetworkPolicies are unordered.
    `places` maps field paths (`spec.ingress[0].from[1]`, and "" for the object) to where they stand.
    """

    namespace: str
    name: str
    subject: PodSelection
    directions: frozenset[Direction]
    ingress: tuple[Rule, ...] = ()
    egress: tuple[Rule, ...] = ()
    tier: Tier = Tier.NETWORK_POLICY
    priority: int = 0
    places: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)
    annotations: Labels = field(default_factory=dict, compare=False, repr=False)

    @property
    def key(self) -> PolicyKey:
        return (self.tier.value, self.namespace, self.name)

    @property
    def title(self) -> str:
        """How people and commands name it."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def rules(self, direction: Direction) -> tuple[Rule, ...]:
        """The rules that count: none in a direction in which the policy does not apply."""
        if direction not in self.directions:
            return ()
        return self.ingress if direction is Direction.INGRESS else self.egress

    def place(self, path: str) -> Place:
        return self.places.get(path, NOWHERE_KNOWN)
