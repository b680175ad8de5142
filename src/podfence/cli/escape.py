"""Escaping for media that programs read: a line of GitHub's log commands. `text` has the one for people."""

from __future__ import annotations

from podfence.cli.text import printable

_MESSAGE = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_MESSAGE, ":": "%3A", ",": "%2C"}


def github_message(text: str) -> str:
    """The part after `::`, in which nothing can start another command."""
    return _replaced(printable(text), _MESSAGE)


def github_property(text: str) -> str:
    """A value between `::error ` and `::`."""
    return _replaced(printable(text), _PROPERTY)


def _replaced(text: str, escapes: dict[str, str]) -> str:
    return "".join(escapes.get(character, character) for character in text)
