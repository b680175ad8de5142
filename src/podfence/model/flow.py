"""A flow, and the answer to whether it passes: a verdict that carries its reasons."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from podfence.model.address import Address
from podfence.model.cluster import Pod
from podfence.model.policy import Direction, Policy, Tier
from podfence.model.ports import Protocol


class Verdict(Enum):
    """What happens to a flow."""

    ALLOWED = "allowed"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Flow:
    """The first packet of a connection, its destination already translated from a Service.

    `port` is the destination's, and None where the protocol has none.
    `hairpin`: a pod reached itself through a Service, so the packet left it and is judged.
    """

    source: Address
    destination: Address
    protocol: Protocol = Protocol.TCP
    port: int | None = None
    hairpin: bool = False

    def ends(self, direction: Direction) -> tuple[Address, Address]:
        """(subject, peer) of a direction."""
        pair = (self.source, self.destination)
        return pair if direction is Direction.EGRESS else (pair[1], pair[0])

    def __str__(self) -> str:
        port = "" if self.port is None else f" {self.port}"
        return f"{self.source} → {self.destination} {self.protocol}{port}"


class Because(Enum):
    """Why a direction was decided as it was."""

    NOT_A_POD = "no pod of the pod network has this address: no policy applies"
    OWN_ADDRESS = "a pod always reaches its own address"
    OWN_NODE = "a node always reaches its own pods"
    NOT_ISOLATED = "no policy selects it in this direction"
    RULE = "a rule matched"
    NO_RULE = "isolated, and no rule matched"


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that matched: `path` names the entry of the peers, or the rule when it has none."""

    policy: Policy
    path: str


@dataclass(frozen=True, slots=True)
class Walk:
    """How one direction was decided: the first tier to reach a verdict, its policies, and the rule."""

    direction: Direction
    verdict: Verdict
    because: Because
    subject: Pod | None = None
    tier: Tier | None = None
    isolating: tuple[Policy, ...] = ()
    match: Match | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Both directions are always walked, so that one answer names every obstacle."""

    flow: Flow
    egress: Walk
    ingress: Walk

    @property
    def verdict(self) -> Verdict:
        denied = Verdict.DENIED in (self.egress.verdict, self.ingress.verdict)
        return Verdict.DENIED if denied else Verdict.ALLOWED

    @property
    def walks(self) -> tuple[Walk, Walk]:
        return (self.egress, self.ingress)
