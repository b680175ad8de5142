"""Outcomes of requirements: text with the reasons that `explain` gives, JSON, and JUnit's XML for CI."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from podfence.analysis.ends import Member
from podfence.analysis.nearest import nearest
from podfence.analysis.questions import Question
from podfence.analysis.requirements import Example, Outcome
from podfence.analysis.selecting import Selected
from podfence.cli.answers import Answer, answer_json
from podfence.cli.telling import told
from podfence.cli.text import Tone, colored, paint, printable
from podfence.model.cluster import Snapshot
from podfence.model.ports import PortRange
from podfence.semantics import decide


def as_text(snapshot: Snapshot, outcomes: Sequence[Outcome]) -> Iterator[str]:
    """One line for what holds; for what does not, also why and a flow that shows it."""
    color = colored(sys.stdout)
    for outcome in outcomes:
        label = "holds" if outcome.holds else "fails"
        tone = Tone.GOOD if outcome.holds else Tone.BAD
        yield f"{paint(label, tone, color=color)}  {printable(outcome.requirement.name)}{_place(outcome)}"
        yield from (f"       {line}".rstrip() for line in _why(snapshot, outcome, color=color))
    failing = sum(not outcome.holds for outcome in outcomes)
    yield f"{len(outcomes) - failing} of {len(outcomes)} requirements hold"


def _place(outcome: Outcome) -> str:
    return "" if outcome.holds else f"  ({printable(str(outcome.requirement.place))})"


def _why(snapshot: Snapshot, outcome: Outcome, *, color: bool) -> Iterator[str]:
    if outcome.reason:
        yield printable(outcome.reason)
    if outcome.example:
        yield ""
        yield from told([_answer(snapshot, outcome.example)], color=color)
        yield ""


def _answer(snapshot: Snapshot, example: Example) -> Answer:
    """What `explain` says of the flow."""
    flow = example.flow
    decision = decide(snapshot, flow)
    ports = None if flow.port is None else PortRange(flow.port, flow.port)
    ends = (_member(example.source), _member(example.destination))
    return Answer(Question(*ends, flow, ports), decision, nearest(snapshot, decision))


def _member(selected: Selected) -> Member:
    title = selected.title if selected.pod else str(selected.addresses[0])
    return Member(title, selected.addresses, selected.pod)


def as_json(snapshot: Snapshot, outcomes: Sequence[Outcome]) -> Iterator[str]:
    found = [_outcome(snapshot, outcome) for outcome in outcomes]
    holds = all(outcome.holds for outcome in outcomes)
    yield json.dumps({"podfence": 1, "holds": holds, "requirements": found}, indent=2)


def _outcome(snapshot: Snapshot, outcome: Outcome) -> dict[str, Any]:
    required, example = outcome.requirement, outcome.example
    return {
        "name": required.name,
        "file": required.place.file,
        "line": required.place.line,
        "holds": outcome.holds,
        "pairs": outcome.pairs,
        **({"reason": outcome.reason} if outcome.reason else {}),
        **({"example": answer_json(_answer(snapshot, example))} if example else {}),
    }


def as_junit(snapshot: Snapshot, outcomes: Sequence[Outcome]) -> Iterator[str]:
    """One test case for each requirement."""
    failures = sum(not outcome.holds for outcome in outcomes)
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f'<testsuites tests="{len(outcomes)}" failures="{failures}">'
    yield f'  <testsuite name="podfence assert" tests="{len(outcomes)}" failures="{failures}">'
    for outcome in outcomes:
        yield from _case(snapshot, outcome)
    yield "  </testsuite>"
    yield "</testsuites>"


def _case(snapshot: Snapshot, outcome: Outcome) -> Iterator[str]:
    required = outcome.requirement
    where = f"classname={_attribute(required.place.file)} file={_attribute(required.place.file)}"
    head = f'    <testcase name={_attribute(required.name)} {where} line="{required.place.line}"'
    if outcome.holds:
        yield f"{head}/>"
        return
    yield f"{head}>"
    body = "\n".join(_why(snapshot, outcome, color=False)).strip()
    yield f"      <failure message={_attribute(outcome.reason)}>{escape(body)}</failure>"
    yield "    </testcase>"


def _attribute(text: str) -> str:
    """Without characters that XML has no way to write."""
    return quoteattr(printable(text))


FORMS: Mapping[str, Callable[[Snapshot, Sequence[Outcome]], Iterator[str]]] = {
    "text": as_text,
    "json": as_json,
    "junit": as_junit,
}
