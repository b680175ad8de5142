"""Types of arguments that every command shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter

from podfence.errors import UsageError

Source = Annotated[str, Parameter(allow_leading_hyphen=True)]
"""The type of `*sources`: `-` is standard input. `checked` refuses what was meant as an option."""


def checked(sources: Sequence[str]) -> Sequence[str]:
    """A misspelt option must not become the name of a file."""
    for source in sources:
        if source.startswith("-") and source != "-":
            raise UsageError(f"unknown option {source} (for a file of that name write ./{source})")
    return sources
