"""`podfence assert`: whether requirements hold, with a flow that shows it where one does not.

Exit status 0 all hold, 1 some do not, 2 trouble: a file of requirements with a mistake in it is trouble.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from podfence.analysis.requirements import Requirement, judge
from podfence.analysis.requirements_file import requirements
from podfence.cli.arguments import AS_USUAL, Reading, Source, checked
from podfence.cli.show.outcomes import FORMS
from podfence.cli.source import given
from podfence.cli.text import printable
from podfence.errors import PodfenceError, UsageError
from podfence.sources import STDIN


def assertions(
    *sources: Source,
    rules: Annotated[str, Parameter(show_default=False, allow_leading_hyphen=True)] = "",
    output: Annotated[Literal["text", "json", "junit"], Parameter(name=("--output", "-o"))] = "text",
    how: Reading = AS_USUAL,
) -> int:
    """Whether requirements hold: who must reach whom, who must not.

    Exit status 0 when all of them hold, 1 when one does not.

    Parameters
    ----------
    sources
        Files, directories, `-`, `cluster:[CONTEXT]` or `lab:[NAME]`; the last wins.
    rules
        The file of requirements; without the option it is the last of several sources.
    output
        Text for people, JSON, or JUnit's XML for CI.
    how
        How sources are read.

    """
    checked(sources)
    where, file = _told_apart(sources, rules)
    required = _read(file)
    source = given(where, how)
    outcomes = judge(source.snapshot, required, how.namespace)
    for line in FORMS[output](source.snapshot, outcomes):
        print(line)
    for note in source.assumptions if output == "text" else ():
        print(f"note: {printable(note)}", file=sys.stderr)
    return int(not all(outcome.holds for outcome in outcomes))


def _told_apart(sources: Sequence[str], rules: str) -> tuple[Sequence[str], str]:
    """(SOURCEs, the file of requirements)."""
    if not rules and len(sources) > 1 and Path(sources[-1]).is_file():
        return sources[:-1], sources[-1]
    if not rules:
        raise UsageError(
            "assert needs --rules FILE and a SOURCE (see docs/commands/assert.md for the format)"
        )
    if rules == STDIN and STDIN in sources:
        raise UsageError("`-` is standard input, which can be read once only")
    return sources, rules


def _read(file: str) -> tuple[Requirement, ...]:
    content = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
    found = requirements(content, "<stdin>" if file == STDIN else file)
    if found.problems:
        raise PodfenceError(f"{file} is refused", *map(str, found.problems))
    return found.requirements
