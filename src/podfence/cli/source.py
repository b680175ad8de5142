"""SOURCE arguments to a snapshot, for every command that asks questions: refusals become one error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from podfence.cli.arguments import Reading, checked
from podfence.errors import PodfenceError
from podfence.manifests.assume import assume
from podfence.manifests.loaded import Manifests, Severity
from podfence.model.cluster import Snapshot
from podfence.model.route import Route
from podfence.sources import read


@dataclass(frozen=True, slots=True)
class Given:
    """`assumptions`: what the input left out, in sentences."""

    snapshot: Snapshot
    assumptions: tuple[str, ...]
    routes: tuple[Route, ...] = ()


def given(sources: Sequence[str], how: Reading) -> Given:
    """For files it is all or nothing: every problem is listed, and nothing is answered."""
    manifests = accepted(read_as_told(sources, how))
    completion = assume(manifests)
    return Given(completion.snapshot, (*hints(manifests), *completion.assumptions), manifests.routes)


def read_as_told(sources: Sequence[str], how: Reading) -> Manifests:
    return read(checked(sources), namespace=how.namespace, compat=how.compat or "", exclude=how.exclude)


def accepted(manifests: Manifests) -> Manifests:
    """The same; PodfenceError with every problem where there are any."""
    if manifests.refused:
        amount = len(manifests.problems)
        some = "one problem" if amount == 1 else f"{amount} problems"
        raise PodfenceError(f"the input is refused: {some}", *map(str, manifests.problems))
    return manifests


def hints(manifests: Manifests) -> Iterator[str]:
    """What was not read is said here; what was read and looks wrong is for `check` to tell."""
    yield from (str(hint) for hint in manifests.warnings if hint.severity is Severity.INFO)
    if doubts := sum(hint.severity is not Severity.INFO for hint in manifests.warnings):
        yield f"the input has warnings ({doubts}): podfence check tells them"
