"""Text for people on a terminal: escaped, and coloured only where a terminal asks for it.

Every name is hostile: labels are checked by the API server, file names, annotations and answers are not.
"""

from __future__ import annotations

import os
from enum import StrEnum
from typing import TextIO


class Tone(StrEnum):
    """What a colour means; the words say it too."""

    GOOD = "32"
    BAD = "31"
    DOUBT = "33"
    QUIET = "2"
    STRONG = "1"


def printable(text: str) -> str:
    """The text without anything a terminal would act on: controls, direction overrides, lone surrogates."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def colored(stream: TextIO) -> bool:
    """Whether colour is wanted: `NO_COLOR` and `FORCE_COLOR` first (`--color` sets them), then a terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def paint(text: str, tone: Tone, *, color: bool) -> str:
    """Text that is printable already, in a tone."""
    return f"\x1b[{tone}m{text}\x1b[0m" if color else text
