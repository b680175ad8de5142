"""Types of arguments that every command shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import Parameter

from podfence.errors import UsageError

Source = Annotated[str, Parameter(allow_leading_hyphen=True)]
"""The type of `*sources`: `-` is standard input. `checked` refuses what was meant as an option."""


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Reading:
    """How sources are read.

    Parameters
    ----------
    namespace
        Of names and objects that name none.
    exclude
        Patterns of names or paths that directories leave out; may be given again.
    compat
        Judge as Kubernetes up to 1.35 does: sloppy CIDR blocks warn instead of being refused.

    """

    namespace: Annotated[str, Parameter(name=("--namespace", "-n"))] = "default"
    exclude: Annotated[tuple[str, ...], Parameter(show_default=False, negative="")] = ()
    compat: Literal["1.35"] | None = None


AS_USUAL = Reading()


def checked(sources: Sequence[str]) -> Sequence[str]:
    """A misspelt option must not become the name of a file."""
    for source in sources:
        if source.startswith("-") and source != "-":
            raise UsageError(f"unknown option {source} (for a file of that name write ./{source})")
    return sources
