"""What is doubted of an input that the API server accepts: a code, a weight, a place, a sentence and a way out.

Next: the families (`selecting`, `ports`, `rules`, ...) make findings, `catalogue` lists their codes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from podfence.manifests.loaded import Problem, Severity
from podfence.model.policy import NOWHERE_KNOWN, Direction, Peer, Place, Policy, Rule


@dataclass(frozen=True, slots=True)
class Finding:
    """`object` is for people: `NetworkPolicy default/x`. `remedy` is the way out, one sentence."""

    code: str
    severity: Severity
    place: Place
    object: str
    field: str
    message: str
    remedy: str = ""

    @property
    def title(self) -> str:
        """The object without its kind, as a suppression names it."""
        return self.object.partition(" ")[2]

    def __str__(self) -> str:
        """As problems read, with the object where no line says which one is meant."""
        at = self.place
        where = ":".join(str(part) for part in (at.file, at.line, at.column) if part)
        return ": ".join(part for part in (where or self.object, self.field, self.message) if part)


@dataclass(frozen=True, slots=True)
class Spot:
    """A field of a policy: where findings point."""

    policy: Policy
    field: str = ""

    @property
    def place(self) -> Place:
        """The field's, or that of the nearest one above it that is written."""
        path = self.field
        while path and path not in self.policy.places:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.policy.place(path)


def peers(policy: Policy) -> Iterator[tuple[Spot, Rule, Peer]]:
    """Every peer of the rules that count, and where it stands."""
    for direction in Direction:
        for index, rule in enumerate(policy.rules(direction)):
            field = f"spec.{direction.value}[{index}].{direction.peers_field}"
            for number, peer in enumerate(rule.peers or ()):
                yield Spot(policy, f"{field}[{number}]"), rule, peer


def about(spot: Spot, code: str, message: str, remedy: str, severity: Severity = Severity.WARNING) -> Finding:
    title = f"NetworkPolicy {spot.policy.title}"
    return Finding(code, severity, spot.place, title, spot.field, message, remedy)


def note(spot: Spot, code: str, message: str, remedy: str) -> Finding:
    """Something good to know, on which no build should fail."""
    return about(spot, code, message, remedy, Severity.INFO)


def accepted(warning: Problem) -> Finding:
    """What the door had to say of something that it let in."""
    return Finding(
        warning.code, warning.severity, warning.place, warning.object, warning.field, warning.message
    )


def order(finding: Finding) -> tuple[str, int, int, str, str]:
    """As the input reads."""
    at = finding.place or NOWHERE_KNOWN
    return (at.file, at.line, at.column, finding.field, finding.code)
