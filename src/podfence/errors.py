"""What podfence raises on purpose: trouble that a person can do something about.

Anything else that is raised is a fault of podfence. `cli.main` turns the former into one `error:` line.
"""

from __future__ import annotations

from collections.abc import Iterable


class PodfenceError(Exception):
    """Names what is wrong and the way out. `details` are further lines, one for each separate trouble."""

    def __init__(self, message: str, *details: str) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class UsageError(PodfenceError):
    """The command line asks for something that does not exist or is ambiguous."""


class MissingExtraError(PodfenceError):
    """A feature whose libraries are not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs more libraries: pip install 'podfence[{extra}]'",
            f"in a checkout: .venv/bin/pip install -e '.[{extra}]'",
        )


MOST_COMPARED = 1000
"""A comparison takes a tenth of a millisecond, and a person waits for all of them."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean this?`, or nothing when nothing is near. Of very many names only some are looked at."""
    from difflib import get_close_matches

    near = get_close_matches(word, sorted(set(known))[:MOST_COMPARED], n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
