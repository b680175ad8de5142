"""YAML's scalars as kubectl reads them: go-yaml v2 and its trip through JSON.

So `yes`, `on` and `n` are booleans, 0120 is octal, 80.0 is 80, while 22:22 and 2026-11-23 are strings.
Next: `yamlevents` builds documents of them.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NotBase64
from functools import lru_cache

Scalar = str | int | float | bool | None

_TRUE = "y Y yes Yes YES true True TRUE on On ON"
_FALSE = "n N no No NO false False FALSE off Off OFF"
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(_TRUE.split(), True),
    **dict.fromkeys(_FALSE.split(), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))", re.ASCII)
_BASES = (16, 2, 8, 10)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_LONGEST_NUMBER = 400
_EXACT = 1e21
"""Below it Go writes a whole float without a fraction, and so as an integer."""

_CORE = "tag:yaml.org,2002:"


@lru_cache(maxsize=16384)
def plain(text: str) -> Scalar:
    """A scalar without quotes and without a tag."""
    if text in _WORDS:
        return _WORDS[text]
    return _number(text) if text[0] in "+-.0123456789" else text


def _number(text: str) -> Scalar:
    """The number a text spells, or the text."""
    digits = text.replace("_", "")
    if len(digits) > _LONGEST_NUMBER:
        return text
    number: int | float | None = _integer(digits)
    if number is None and _FLOAT.fullmatch(digits):
        number = _whole(float(digits))
    return text if number is None else number


def _integer(digits: str) -> int | None:
    """None for what Go cannot hold in 64 bits: it then tries a float."""
    found = _INTEGER.fullmatch(digits)
    if not found:
        return None
    sign, *spelled = found.groups()
    number = next(int(part, base) for part, base in zip(spelled, _BASES, strict=True) if part)
    number = -number if sign == "-" else number
    return number if -(1 << 63) <= number < 1 << 64 else None


def _whole(number: float) -> int | float | None:
    """A whole float is an integer once it has been JSON; one beyond all floats stays text."""
    if number in (float("inf"), float("-inf")):
        return None
    return int(number) if number.is_integer() and abs(number) < _EXACT else number


def tagged(tag: str, text: str) -> Scalar:
    """A scalar with an explicit tag; a tag that is not YAML's own says nothing. ValueError when the two disagree."""
    kind = tag.removeprefix(_CORE) if tag.startswith(_CORE) else ""
    if kind == "binary":
        return _binary(text)
    if kind not in ("int", "float", "bool", "null"):
        return text
    value = plain(text)
    if not _agrees(kind, value):
        raise ValueError(f"cannot decode !!{kind} `{text[:40]}`")
    return value


def _agrees(kind: str, value: Scalar) -> bool:
    match kind:
        case "bool":
            return isinstance(value, bool)
        case "null":
            return value is None
        case "int":
            return isinstance(value, int) and not isinstance(value, bool)
        case _:
            return isinstance(value, (int, float)) and not isinstance(value, bool)


def _binary(text: str) -> str:
    try:
        return b64decode(text, validate=False).decode()
    except (NotBase64, UnicodeDecodeError):
        raise ValueError("!!binary value is not base64 of UTF-8 text") from None


def key(value: Scalar) -> str:
    """A key as JSON writes it. ValueError for null, which kubectl refuses too."""
    if value is None:
        raise ValueError("a key is null")
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)
