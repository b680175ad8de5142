"""`podfence check`: what the API server would refuse, and what it accepts but you would regret.

Exit status 0 clean, 1 findings, 2 refused. Codes are explained in docs/problems.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from podfence.cli.arguments import Source, checked
from podfence.cli.escape import github_message, github_property
from podfence.cli.text import Tone, colored, paint, printable
from podfence.manifests.loaded import Manifests, Problem, Severity

RANKS = {Severity.INFO: 0, Severity.WARNING: 1, Severity.ERROR: 2}
TONES = {Severity.INFO: Tone.QUIET, Severity.WARNING: Tone.DOUBT, Severity.ERROR: Tone.BAD}
COMMANDS = {Severity.INFO: "notice", Severity.WARNING: "warning", Severity.ERROR: "error"}
"""What GitHub calls them."""


def check(
    *sources: Source,
    output: Annotated[Literal["text", "json", "github"], Parameter(name=("--output", "-o"))] = "text",
    compat: Annotated[Literal["", "1.35"], Parameter(show_default=False)] = "",
    namespace: Annotated[str, Parameter(name=("--namespace", "-n"))] = "default",
    exclude: Annotated[tuple[str, ...], Parameter(show_default=False)] = (),
    fail_on: Literal["error", "warning", "info"] = "warning",
) -> int:
    """What the API server would refuse, and what it accepts but you would regret.

    Parameters
    ----------
    sources
        Files, directories, `-`, `cluster:[CONTEXT]` or `lab:[NAME]`; the last wins.
    output
        Text for people, JSON, or annotations of a GitHub workflow.
    compat
        Judge as Kubernetes up to 1.35 does: sloppy CIDR blocks warn instead of being refused.
    namespace
        Of objects that name none.
    exclude
        Patterns of names or paths that directories leave out; may be given again.
    fail_on
        The least severity that makes the exit status 1.

    """
    from podfence.sources import read

    found = read(checked(sources), namespace=namespace, compat=compat, exclude=exclude)
    _print(found, output)
    return status(found, Severity(fail_on))


def status(found: Manifests, fail_on: Severity) -> int:
    if found.refused:
        return 2
    return int(any(RANKS[each.severity] >= RANKS[fail_on] for each in found.warnings))


def _print(found: Manifests, output: str) -> None:
    if output == "json":
        print(as_json(found))
        return
    line = as_github if output == "github" else as_text
    for each in (*found.problems, *found.warnings):
        print(line(each))
    if output == "text":
        print(summary(found), file=sys.stderr)


def as_text(each: Problem) -> str:
    label = paint(each.severity.value, TONES[each.severity], color=colored(sys.stdout))
    return f"{label}  {printable(str(each))}  [{each.code}]"


def as_github(each: Problem) -> str:
    """An annotation on the line of the file; without a line it stands on the file."""
    place = [f"file={github_property(each.file)}"]
    place += [f"line={each.line}", f"col={each.column}"] if each.line else []
    said = ": ".join(part for part in (each.object, each.field, each.message) if part)
    title = f"title={github_property(each.code)}"
    return f"::{COMMANDS[each.severity]} {','.join((*place, title))}::{github_message(said)}"


def as_json(found: Manifests) -> str:
    """The contract of `-o json`; text is escaped by JSON itself, down to ASCII."""
    import json

    problems = [_plain(each) for each in found.problems]
    findings = [{**_plain(each), "severity": each.severity.value} for each in found.warnings]
    return json.dumps({"podfence": 1, "problems": problems, "findings": findings}, indent=2)


def _plain(each: Problem) -> dict[str, Any]:
    names = ("file", "line", "column", "object", "field", "message", "code")
    return {name: getattr(each, name) for name in names}


def summary(found: Manifests) -> str:
    objects = len(found.objects) + len(found.templates)
    counted = f"{_count(objects, 'object')} read"
    if found.refused:
        return f"refused: {_count(len(found.problems), 'problem')}; {counted}"
    return f"{counted}; {_by_severity(found.warnings) or 'nothing to find fault with'}"


def _by_severity(warnings: Sequence[Problem]) -> str:
    return ", ".join(
        _count(amount, severity.value)
        for severity in (Severity.ERROR, Severity.WARNING, Severity.INFO)
        if (amount := _amount(warnings, severity))
    )


def _amount(warnings: Iterable[Problem], severity: Severity) -> int:
    return sum(each.severity is severity for each in warnings)


def _count(amount: int, what: str) -> str:
    return f"{amount} {what}" if amount == 1 else f"{amount} {what}s"
