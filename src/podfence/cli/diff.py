"""`podfence diff`: which pairs a change opens or closes, and which edits do it.

Exit status 0 equal, 1 different (with --fail-on widened: only where something became more open), 2 trouble.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Literal

from cyclopts import Parameter

from podfence.analysis.alignment import Aligned, aligned
from podfence.analysis.changes import differences
from podfence.cli.arguments import AS_USUAL, Reading, Source, checked
from podfence.cli.show.differences import FORMS
from podfence.cli.source import accepted, hints, read_as_told
from podfence.cli.text import printable
from podfence.errors import UsageError
from podfence.manifests.gathered import Gathered
from podfence.manifests.loaded import Manifests
from podfence.manifests.owners import settled
from podfence.sources import STDIN


def diff(  # noqa: PLR0913  each is an option
    old: Source,
    new: Source,
    /,
    *,
    with_: Annotated[tuple[Source, ...], Parameter(name="--with", show_default=False, negative="")] = (),
    fail_on: Literal["changed", "widened"] = "changed",
    output: Annotated[Literal["text", "json", "csv", "md"], Parameter(name=("--output", "-o"))] = "text",
    how: Reading = AS_USUAL,
) -> int:
    """Which pairs a change opens or closes, and which edits do it.

    Parameters
    ----------
    old
        A file or directory, `-`, `cluster:[CONTEXT]` or `lab:[NAME]`: what there was.
    new
        The same: what there is to be.
    with_
        A source that is added to both, like the pods of a cluster; OLD and NEW win over it. May be given again.
    fail_on
        When the exit status is 1: where anything differs, or only where something became more open.
    output
        Text for people, JSON, CSV or Markdown.
    how
        How sources are read.

    """
    checked((old, new, *with_))
    if (old, new, *with_).count(STDIN) > 1:
        raise UsageError("`-` is standard input, which can be read once only")
    shared = read_as_told(with_, how) if with_ else None
    sides = [_side(source, shared, how) for source in (old, new)]
    both = aligned(*sides)
    found = differences(both.old, both.new)
    for line in FORMS[output](found):
        print(line)
    for note in _notes(both, sides, equal=not found) if output == "text" else ():
        print(f"note: {printable(note)}", file=sys.stderr)
    return int(found.widened if fail_on == "widened" else bool(found))


def _side(source: str, shared: Manifests | None, how: Reading) -> Manifests:
    """What is shared counts where the source does not say otherwise; beside it a source may be empty."""
    own = read_as_told((source,), how)
    if shared is None:
        return accepted(own)
    problems = tuple(each for each in own.problems if each.code != "no-objects")
    gathered = Gathered()
    for gathered.source, part in enumerate((shared, replace(own, problems=problems))):
        gathered.include(part)
    return accepted(settled(gathered.manifests()))


def _notes(both: Aligned, sides: Sequence[Manifests], *, equal: bool) -> Iterator[str]:
    yield from dict.fromkeys(hint for side in sides for hint in hints(side))
    yield from both.assumptions
    pods = [len(side.pods) for side in (both.old, both.new)]
    if 0 in pods and any(pods):
        side = "OLD" if not pods[0] else "NEW"
        yield f"{side} has no pods: if they are missing only in the files, add them to both sides with --with"
    if equal:
        yield f"no pair differs: {pods[0]} pods in OLD, {pods[1]} in NEW"
