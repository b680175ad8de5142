"""Answers as text for people: the verdict first, then the reason, then the way out.

Answers with the same reason are told together. Everything from the input passes `printable`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from podfence.cli.answers import Answer, overall, rule_place
from podfence.cli.text import Tone, paint, printable
from podfence.model.flow import Because, Verdict, Walk
from podfence.model.policy import Direction
from podfence.model.ports import LAST_PORT, PortRange, Protocol

MOST_LISTED = 12


class Row(NamedTuple):
    """A line of a walk: what, which, where."""

    label: str
    value: str
    place: str = ""


def told(answers: Sequence[Answer], *, color: bool) -> Iterator[str]:
    """All lines of an explanation."""
    groups = _alike(answers)
    if len(groups) > 1:
        yield _summary(answers, color=color)
        yield ""
    for number, group in enumerate(groups):
        if number:
            yield ""
        yield from _headlines(group, color=color)
        yield ""
        yield from _walks(group[0])
        yield from _ways_out(group[0])


def _summary(answers: Sequence[Answer], *, color: bool) -> str:
    denied = sum(answer.verdict is Verdict.DENIED for answer in answers)
    amount = f"{'all' if denied in {0, len(answers)} else denied} of {len(answers)} kinds of flows"
    return f"{_stamp(overall(answers), color=color)} {amount}"


def _stamp(verdict: Verdict, *, color: bool) -> str:
    tone = Tone.BAD if verdict is Verdict.DENIED else Tone.GOOD
    return paint(f"{verdict.value.upper():<8}", tone, color=color)


def _alike(answers: Iterable[Answer]) -> list[list[Answer]]:
    """Denials first; inside of it in the order of the questions."""
    groups: dict[object, list[Answer]] = {}
    for answer in answers:
        groups.setdefault(_reason(answer), []).append(answer)
    return sorted(groups.values(), key=lambda group: group[0].verdict is Verdict.ALLOWED)


def _reason(answer: Answer) -> object:
    walks = tuple(
        (walk.verdict, walk.because, tuple(p.key for p in walk.isolating), walk.match and walk.match.path)
        for walk in answer.decision.walks
    )
    return walks, tuple((miss.policy.key, miss.path, miss.condition) for miss in answer.misses)


def _headlines(group: Sequence[Answer], *, color: bool) -> Iterator[str]:
    """One line for each pair, with its ports together."""
    pairs: dict[tuple[str, str, str], list[Answer]] = {}
    for answer in group:
        question = answer.question
        key = (question.source.title, question.destination.title, question.via)
        pairs.setdefault(key, []).append(answer)
    for (source, destination, via), found in list(pairs.items())[:MOST_LISTED]:
        through = f"  (through {via})" if via else ""
        line = f"{source} → {destination}  {ports_text(found)}{through}"
        yield f"{_stamp(group[0].verdict, color=color)} {printable(line)}"
    if len(pairs) > MOST_LISTED:
        yield f"{'':<8} … and {len(pairs) - MOST_LISTED} more pairs for the same reason"


def ports_text(answers: Iterable[Answer]) -> str:
    """`TCP 80, 90-100; UDP`: neighbours joined, all ports of a protocol as its name."""
    found: dict[Protocol, list[PortRange]] = {}
    for answer in answers:
        ranges = found.setdefault(answer.decision.flow.protocol, [])
        if (ports := answer.question.ports) and ports not in ranges:
            ranges.append(ports)
    return "; ".join(f"{protocol} {_ranges(ranges)}".rstrip() for protocol, ranges in found.items())


def _ranges(ranges: Iterable[PortRange]) -> str:
    joined: list[PortRange] = []
    for ports in sorted(ranges):
        if joined and ports.first <= joined[-1].last + 1:
            joined[-1] = PortRange(joined[-1].first, max(ports.last, joined[-1].last))
        else:
            joined.append(ports)
    return "" if joined == [PortRange(1, LAST_PORT)] else ", ".join(map(str, joined))


def _walks(answer: Answer) -> Iterator[str]:
    """Both directions, in aligned columns."""
    walks = [(walk, list(_rows(answer, walk))) for walk in answer.decision.walks]
    heads = {walk.direction: _head(answer, walk) for walk, _ in walks}
    left = max(map(len, heads.values()))
    width = max((len(row.value) for _, rows in walks for row in rows if row.place), default=0)
    for walk, rows in walks:
        yield f"{heads[walk.direction]:<{left}}   {_outcome(walk)}"
        for row in rows:
            yield f"  {row.label:<11}  {row.value:<{width}}   {row.place}".rstrip()


def _head(answer: Answer, walk: Walk) -> str:
    question = answer.question
    member = question.source if walk.direction is Direction.EGRESS else question.destination
    return printable(f"{walk.direction.value} of {walk.subject.title if walk.subject else member.title}")


def _outcome(walk: Walk) -> str:
    if walk.because in {Because.RULE, Because.NO_RULE}:
        return walk.verdict.value
    return f"{walk.verdict.value}: {walk.because.value}"


def _rows(answer: Answer, walk: Walk) -> Iterator[Row]:
    for number, policy in enumerate(walk.isolating):
        place = printable(str(policy.place("")))
        yield Row("isolated by" if not number else "", printable(policy.title), place)
    if match := walk.match:
        label = f"{walk.verdict.value} by"
        place = printable(str(rule_place(match.policy, match.path)))
        yield Row(label, printable(f"{match.path} of {match.policy.title}"), place)
    if miss := answer.miss(walk):
        if not walk.match:
            place = printable(str(rule_place(miss.policy, miss.path)))
            yield Row("nearest", printable(f"{miss.path} of {miss.policy.title}"), place)
        yield Row("", printable(miss.sentence))


def _ways_out(answer: Answer) -> Iterator[str]:
    """Both, where both ends deny: one alone would not help."""
    if answer.misses:
        yield ""
    ports = answer.question.ports
    one = (
        "it"
        if ports is None or ports.first == ports.last
        else f"{answer.decision.flow.protocol} {ports.first}"
    )
    for number, miss in enumerate(answer.misses):
        yield printable(f"{'and' if number else f'To allow {one},'} {miss.instruction}") + "."
