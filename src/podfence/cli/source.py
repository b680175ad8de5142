"""SOURCE arguments to a snapshot, for every command that asks questions: refusals become one error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from podfence.errors import PodfenceError, UsageError
from podfence.manifests.assume import assume
from podfence.model.cluster import Snapshot


@dataclass(frozen=True, slots=True)
class Given:
    """`assumptions`: what the input left out, in sentences."""

    snapshot: Snapshot
    assumptions: tuple[str, ...]


def given(sources: Sequence[str], namespace: str) -> Given:
    """For files it is all or nothing: every problem is listed, and nothing is answered."""
    from podfence.sources import read

    if not sources:
        raise UsageError("no SOURCE: name a file, a directory, `-`, cluster:[CONTEXT] or lab:[NAME]")
    manifests = read(sources, namespace=namespace)
    if manifests.refused:
        amount = len(manifests.problems)
        some = "one problem" if amount == 1 else f"{amount} problems"
        raise PodfenceError(f"the input is refused: {some}", *map(str, manifests.problems))
    completion = assume(manifests)
    return Given(completion.snapshot, completion.assumptions)
