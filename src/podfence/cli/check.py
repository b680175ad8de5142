"""`podfence check`: what the API server would refuse, and what it accepts but you would regret.

Exit status 0 clean, 1 findings, 2 refused. Problems are explained in docs/problems.md, findings in docs/findings.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from podfence.analysis.findings.finding import Finding
from podfence.analysis.findings.report import Report, judge
from podfence.cli.arguments import AS_USUAL, Reading, Source, checked
from podfence.cli.config import config
from podfence.cli.escape import github_message, github_property
from podfence.cli.text import Tone, colored, paint, printable
from podfence.manifests.loaded import Manifests, Problem, Severity

RANKS = {Severity.INFO: 0, Severity.WARNING: 1, Severity.ERROR: 2}
TONES = {Severity.INFO: Tone.QUIET, Severity.WARNING: Tone.DOUBT, Severity.ERROR: Tone.BAD}
COMMANDS = {Severity.INFO: "notice", Severity.WARNING: "warning", Severity.ERROR: "error"}
"""What GitHub calls them."""

NOT_JUDGED = Report()
"""What is refused has problems, and nothing else is looked for."""

Output = Literal["text", "json", "sarif", "github"]


def check(
    *sources: Source,
    output: Annotated[Output, Parameter(name=("--output", "-o"))] = "text",
    fail_on: Literal["error", "warning", "info"] = "warning",
    redundant: Annotated[bool, Parameter(negative="")] = False,
    configuration: Annotated[str | None, Parameter(name="--config", show_default=False)] = None,
    how: Reading = AS_USUAL,
) -> int:
    """What the API server would refuse, and what it accepts but you would regret.

    Parameters
    ----------
    sources
        Files, directories, `-`, `cluster:[CONTEXT]` or `lab:[NAME]`; the last wins.
    output
        Text for people, JSON, SARIF, or annotations of a GitHub workflow.
    fail_on
        The least severity that makes the exit status 1.
    redundant
        Also tell the rules that change nothing for the pods that are given.
    configuration
        A file like podfence.toml, which is read from the working directory otherwise.
    how
        How sources are read.

    """
    from podfence.sources import read

    decided = config(configuration)
    found = read(checked(sources), namespace=how.namespace, compat=how.compat or "", exclude=how.exclude)
    report = NOT_JUDGED if found.refused else judge(found, decided.ignore, spare=redundant)
    _print(found, report, output)
    return status(found, report, Severity(fail_on))


def status(found: Manifests, report: Report, fail_on: Severity) -> int:
    if found.refused:
        return 2
    return int(any(RANKS[each.severity] >= RANKS[fail_on] for each in report.findings))


def _print(found: Manifests, report: Report, output: Output) -> None:
    """Findings on stdout, whatever else there is to say on stderr."""
    if output == "json":
        print(as_json(found, report))
    elif output == "sarif":
        from podfence.cli.sarif import as_sarif

        print(as_sarif(found.problems, report))
    else:
        line = as_github if output == "github" else as_text
        for each in (*found.problems, *(found.warnings if found.refused else report.findings)):
            print(line(each))
    if output == "text":
        print(summary(found, report), file=sys.stderr)
    for said in report.notes:
        print(printable(said), file=sys.stderr)


def as_text(each: Problem | Finding) -> str:
    """With the way out below it."""
    label = paint(each.severity.value, TONES[each.severity], color=colored(sys.stdout))
    line = f"{label}  {printable(str(each))}  [{each.code}]"
    remedy = each.remedy if isinstance(each, Finding) else ""
    return f"{line}\n    {printable(remedy)}" if remedy else line


def as_github(each: Problem | Finding) -> str:
    """An annotation on the line of the file; without a line it stands on the file."""
    at = each.place
    place = [f"file={github_property(at.file)}"] if at.file else []
    place += [f"line={at.line}", f"col={at.column}"] if at.line else []
    said = ": ".join(part for part in (each.object, each.field, each.message) if part)
    said += f" ({each.remedy})" if isinstance(each, Finding) and each.remedy else ""
    title = f"title={github_property(each.code)}"
    return f"::{COMMANDS[each.severity]} {','.join((*place, title))}::{github_message(said)}"


def as_json(found: Manifests, report: Report = NOT_JUDGED) -> str:
    """The contract of `-o json`; text is escaped by JSON itself, down to ASCII."""
    import json

    problems = [_plain(each) for each in found.problems]
    findings = [
        {**_plain(each), "severity": each.severity.value, "remedy": each.remedy} for each in report.findings
    ]
    return json.dumps({"podfence": 1, "problems": problems, "findings": findings}, indent=2)


def _plain(each: Problem | Finding) -> dict[str, Any]:
    at = each.place
    where = {"file": at.file, "line": at.line, "column": at.column}
    return {**where, **{name: getattr(each, name) for name in ("object", "field", "message", "code")}}


def summary(found: Manifests, report: Report = NOT_JUDGED) -> str:
    objects = len(found.objects) + len(found.templates)
    counted = f"{_count(objects, 'object')} read"
    if found.refused:
        return f"refused: {_count(len(found.problems), 'problem')}; {counted}"
    ignored = f"; {report.ignored} ignored" if report.ignored else ""
    return f"{counted}; {_by_severity(report.findings) or 'nothing to find fault with'}{ignored}"


def _by_severity(findings: Sequence[Finding]) -> str:
    return ", ".join(
        _count(amount, severity.value)
        for severity in (Severity.ERROR, Severity.WARNING, Severity.INFO)
        if (amount := _amount(findings, severity))
    )


def _amount(findings: Iterable[Finding], severity: Severity) -> int:
    return sum(each.severity is severity for each in findings)


def _count(amount: int, what: str) -> str:
    return f"{amount} {what}" if amount == 1 else f"{amount} {what}s"
