"""Directions in which a policy does not do what it looks like: rules that do not count, isolation nobody wrote.

Whether a field was written is known only where the input has places. Next: `names`.
"""

from __future__ import annotations

from collections.abc import Iterator

from podfence.analysis.findings.evidence import Evidence
from podfence.analysis.findings.finding import Finding, Spot, about
from podfence.analysis.implication import implies
from podfence.model.policy import Direction, Policy


def find(evidence: Evidence) -> Iterator[Finding]:
    for policy in evidence.policies:
        yield from _ignored(policy)
        if policy.places and "spec.policyTypes" not in policy.places:
            yield from _unwritten(evidence, policy)


def _ignored(policy: Policy) -> Iterator[Finding]:
    for direction, rules in ((Direction.INGRESS, policy.ingress), (Direction.EGRESS, policy.egress)):
        if rules and direction not in policy.directions:
            name = direction.value.capitalize()
            message = f"policyTypes has no {name}: these rules do not count"
            spot = Spot(policy, f"spec.{direction.value}")
            yield about(spot, "ignored-rules", message, f"add {name} to policyTypes, or remove the rules")


def _unwritten(evidence: Evidence, policy: Policy) -> Iterator[Finding]:
    """What the server makes of absent policyTypes: ingress always, egress where there are egress rules."""
    if "spec.egress" in policy.places and not policy.egress:
        message = "without policyTypes an empty egress isolates nothing: all egress stays allowed"
        yield about(Spot(policy, "spec.egress"), "empty-list", message, "write policyTypes: [Egress]")
    elif policy.egress and "spec.ingress" not in policy.places and not _isolated_anyway(evidence, policy):
        message = "without policyTypes this policy for egress denies all ingress too"
        remedy = "write policyTypes: [Egress], or [Ingress, Egress] if that is meant"
        yield about(Spot(policy, "spec"), "implied-ingress", message, remedy)


def _isolated_anyway(evidence: Evidence, policy: Policy) -> bool:
    """By one other policy, whatever pods there are; or each of the given pods by some other."""
    others = (o for o in evidence.policies if o is not policy and Direction.INGRESS in o.directions)
    if any(implies(policy.subject, other.subject) for other in others):
        return True
    rows = evidence.applying[Direction.INGRESS]
    pods = evidence.selected(policy.subject)
    return bool(pods) and all(any(other is not policy for other in rows[alike]) for alike in pods)
