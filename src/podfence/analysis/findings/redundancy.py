"""Policies and rules that another one contains: they can go, and nothing changes.

What is told here holds whatever pods there are (`implication`). It holds for all that is told at once, too: a
witness is never itself told, and of two that are equal the first stays. Next: `spare` asks for the given pods.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from podfence.analysis.findings.evidence import Evidence
from podfence.analysis.findings.finding import Finding, Spot, note
from podfence.analysis.implication import implies, rule_implies
from podfence.model.policy import Direction, Policy, Rule


@dataclass(frozen=True, slots=True)
class Stated:
    """A rule, and where it stands."""

    policy: Policy
    direction: Direction
    index: int
    rule: Rule

    @property
    def path(self) -> str:
        return f"spec.{self.direction.value}[{self.index}]"


def find(evidence: Evidence) -> Iterator[Finding]:
    homes: dict[str, list[Policy]] = defaultdict(list)
    for policy in evidence.policies:
        homes[policy.namespace].append(policy)
    for policies in homes.values():
        yield from _of_one_namespace(policies)


def _of_one_namespace(policies: Sequence[Policy]) -> Iterator[Finding]:
    wider = {policy.key: [o for o in policies if implies(policy.subject, o.subject)] for policy in policies}
    kept = []
    for policy in policies:
        witness = next((o for o in wider[policy.key] if _contains(o, policy, wider)), None)
        if witness is None:
            kept.append(policy)
            continue
        message = f"{witness.title} isolates all these pods too, and allows all that this policy allows"
        yield note(Spot(policy), "redundant-policy", message, "remove it, or mend what makes it say no more")
    remaining = {policy.key for policy in kept}
    for policy in kept:
        others = [o for o in wider[policy.key] if o.key in remaining]
        yield from _rules(policy, others)


def _contains(wide: Policy, narrow: Policy, wider: dict[tuple[str, str, str], list[Policy]]) -> bool:
    """`wide` is known to select all that `narrow` does."""
    if wide is narrow or not _holds(wide, narrow):
        return False
    same = narrow in wider[wide.key] and _holds(narrow, wide)
    return not same or wide.key < narrow.key


def _holds(wide: Policy, narrow: Policy) -> bool:
    return narrow.directions <= wide.directions and all(
        any(rule_implies(rule, other) for other in wide.rules(direction))
        for direction in narrow.directions
        for rule in narrow.rules(direction)
    )


def _rules(policy: Policy, others: Sequence[Policy]) -> Iterator[Finding]:
    for direction in Direction:
        mine = list(stated(policy, direction))
        theirs = [each for other in others for each in stated(other, direction)] if mine else []
        for one in mine:
            if witness := next((each for each in theirs if _outweighs(each, one)), None):
                yield _told(one, witness)


def stated(policy: Policy, direction: Direction) -> Iterator[Stated]:
    """A rule that allows nothing is one the door could not read."""
    for index, rule in enumerate(policy.rules(direction)):
        if () not in {rule.peers, rule.ports}:
            yield Stated(policy, direction, index, rule)


def _outweighs(witness: Stated, one: Stated) -> bool:
    """Of two that say the same for the same pods the first one stays."""
    if not rule_implies(one.rule, witness.rule):
        return False
    same = rule_implies(witness.rule, one.rule) and implies(witness.policy.subject, one.policy.subject)
    return not same or (witness.policy.key, witness.index) < (one.policy.key, one.index)


def _told(one: Stated, witness: Stated) -> Finding:
    where = witness.path if witness.policy is one.policy else f"{witness.path} of {witness.policy.title}"
    message = f"{where} allows all that this rule allows"
    spot = Spot(one.policy, one.path)
    return note(spot, "redundant-rule", message, "remove it, or mend what makes it say no more")
