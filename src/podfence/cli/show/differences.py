"""Differences between two snapshots: text, JSON, CSV and Markdown, with the strings that `reach` has for connections.

Each format escapes for its own medium. Next: people, and the comment of a pull request.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from podfence.analysis.changes import Differences, Kind, PairDifference
from podfence.analysis.connections import NOTHING, Allowed
from podfence.analysis.edited import Because, RuleConcerned
from podfence.analysis.workloads import End
from podfence.cli.show.lines import FAMILY_NAMES, connection
from podfence.cli.text import Tone, colored, paint, printable
from podfence.model.policy import Place

Json = dict[str, Any]

_TONES = {Kind.ADDED: Tone.GOOD, Kind.REMOVED: Tone.BAD, Kind.CHANGED: Tone.DOUBT}


def as_text(found: Differences) -> Iterator[str]:
    """The pair and what became of it, then why; workloads that came or went first."""
    color = colored(sys.stdout)
    for kind, end in _moved(found):
        yield f"{_label(kind, color=color)}  workload {printable(end.title)}"
    for pair in found.pairs:
        yield f"{_label(pair.kind, color=color)}  {printable(pair.source.title)} => {printable(pair.destination.title)} : {_both(pair)}"
        for family, before, after in _by_family(pair):
            yield f"{'':<9}{family}: {connection(before)} → {connection(after)}"
        for cause in pair.because:
            yield f"{'':<9}{printable(sentence(cause, several=len(pair.because) > 1))}"


def _label(kind: Kind, *, color: bool) -> str:
    return paint(f"{kind.value:<7}", _TONES[kind], color=color)


def _both(pair: PairDifference) -> str:
    return f"{connection(pair.before)} → {connection(pair.after)}"


def _moved(found: Differences) -> Iterator[tuple[Kind, End]]:
    yield from ((Kind.ADDED, end) for end in found.came)
    yield from ((Kind.REMOVED, end) for end in found.went)


def _by_family(pair: PairDifference) -> Iterator[tuple[str, Allowed, Allowed]]:
    """Only where the families differ: else the pair's own line says it all."""
    if pair.before.differs or pair.after.differs:
        for family in sorted({*pair.before.families, *pair.after.families}):
            sides = (side.families.get(family, NOTHING.ports) for side in (pair.before, pair.after))
            before, after = map(Allowed, sides)
            yield FAMILY_NAMES[family], before, after


def sentence(cause: Because, *, several: bool = False) -> str:
    """`because NetworkPolicy shop/deny was added: it isolates egress (deny.yaml:1)`."""
    said = [f"it {verb} {' and '.join(map(_word, which))}" for verb, which in _effects(cause) if which]
    if cause.rules:
        said.append(", ".join(f"{rule.path}{' that went' if rule.was else ''}" for rule in cause.rules))
    place = next((str(rule.place) for rule in cause.rules if rule.place.line), str(cause.place))
    what = f"because {cause.what} {cause.name} was {cause.change}"
    together = " (only together with the others)" if several and not cause.alone else ""
    return f"{what}{': ' if said else ''}{'; '.join(said)}{f' ({place})' if place else ''}{together}"


def _effects(cause: Because) -> tuple[tuple[str, tuple[object, ...]], ...]:
    return (("isolates", cause.isolates), ("no longer isolates", cause.releases))


def _word(direction: object) -> str:
    return str(getattr(direction, "value", direction))


def as_json(found: Differences) -> Iterator[str]:
    """The contract of `-o json`, and beside it the workloads that came or went."""
    workloads = [{"change": kind.value, "workload": end.title} for kind, end in _moved(found)]
    about = {"podfence": 1, "changes": [_change(pair) for pair in found.pairs], "workloads": workloads}
    yield json.dumps(about, indent=2)


def _change(pair: PairDifference) -> Json:
    others = {"before": pair.before.ports.others, "after": pair.after.ports.others}
    families = {
        name: {"before": str(before.ports), "after": str(after.ports)}
        for name, before, after in _by_family(pair)
    }
    return {
        "change": pair.kind.value,
        "src": pair.source.title,
        "dst": pair.destination.title,
        "before": str(pair.before.ports),
        "after": str(pair.after.ports),
        "other_protocols": others,
        **({"families": families} if families else {}),
        "widened": pair.widened,
        "because": [_cause(cause) for cause in pair.because],
    }


def _cause(cause: Because) -> Json:
    """A policy under `policy`, anything else under its kind."""
    word = "policy" if cause.tier else cause.what.lower()
    about: Json = {word: cause.name, "change": cause.change, "alone": cause.alone}
    if cause.tier:
        about |= {"tier": cause.tier.value, **_at(cause.place)}
        about |= {verb: [_word(each) for each in which] for verb, which in _json_effects(cause) if which}
        about["rules"] = [_rule(rule) for rule in cause.rules]
    return about


def _json_effects(cause: Because) -> tuple[tuple[str, tuple[object, ...]], ...]:
    return (("isolates", cause.isolates), ("releases", cause.releases))


def _rule(rule: RuleConcerned) -> Json:
    return {"path": rule.path, **({"went": True} if rule.was else {}), **_at(rule.place)}


def _at(place: Place) -> Json:
    return {"file": place.file, "line": place.line} if place.line else {}


HEAD = ("change", "src", "dst", "before", "after", "because")


def _rows(found: Differences) -> Iterator[tuple[str, ...]]:
    for kind, end in _moved(found):
        yield (kind.value, end.title, "", "", "", "")
    for pair in found.pairs:
        ends = (pair.kind.value, pair.source.title, pair.destination.title)
        because = "; ".join(sentence(cause).removeprefix("because ") for cause in pair.because)
        yield (*ends, str(pair.before.ports), str(pair.after.ports), because)


def as_csv(found: Differences) -> Iterator[str]:
    for row in (HEAD, *_rows(found)):
        written = io.StringIO()
        csv.writer(written, lineterminator="").writerow([printable(cell) for cell in row])
        yield written.getvalue()


def as_md(found: Differences) -> Iterator[str]:
    """A table; a bar or a tag in a name stays a character."""
    yield f"| {' | '.join(HEAD)} |"
    yield f"|{'---|' * len(HEAD)}"
    for row in _rows(found):
        yield f"| {' | '.join(map(_cell, row))} |"


def _cell(text: str) -> str:
    return printable(text).replace("\\", "\\\\").replace("|", "\\|")


FORMS: Mapping[str, Callable[[Differences], Iterator[str]]] = {
    "text": as_text,
    "json": as_json,
    "csv": as_csv,
    "md": as_md,
}
