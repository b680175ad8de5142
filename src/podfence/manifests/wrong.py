"""Something wrong with one field, before file and line are known, in the API server's words.

`<field>: <type>[: <value>][: <detail>]`, see apimachinery's field.Error. Next: `item` adds the place.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from podfence.manifests.loaded import Severity

Path = tuple[str | int, ...]


class Wrong(NamedTuple):
    """`code` is a row of docs/problems.md. `accepted`: the server takes it, so it warns and does not refuse."""

    path: Path
    message: str
    code: str
    severity: Severity = Severity.ERROR
    accepted: bool = False


def field(path: Path) -> str:
    """`spec.ingress[0].from[1]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def invalid(value: object, detail: str) -> str:
    return f"Invalid value: {shown(value)}: {detail}"


def unsupported(value: object, *supported: str) -> str:
    return f"Unsupported value: {shown(value)}: supported values: {', '.join(map(quoted, supported))}"


def required(detail: str = "") -> str:
    return f"Required value: {detail}" if detail else "Required value"


def forbidden(detail: str) -> str:
    return f"Forbidden: {detail}"


def shown(value: object) -> str:
    """A value as the server prints it: strings quoted, numbers plain, the rest as JSON."""
    if isinstance(value, str):
        return quoted(value)
    return msgspec.json.encode(value).decode()


_ESCAPES = dict(zip('\a\b\f\n\r\t\v\\"', (f"\\{letter}" for letter in 'abfnrtv\\"'), strict=True))


def quoted(text: str) -> str:
    """Go's %q."""
    return f'"{"".join(_quoted(c) for c in text)}"'


def _quoted(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


JSON_WORDS: dict[type, str] = {
    str: "string",
    bool: "bool",
    dict: "object",
    list: "array",
    int: "number",
    float: "number",
    type(None): "null",
}


def json_word(value: Any) -> str:
    """What JSON calls the type of a value."""
    return JSON_WORDS[type(value)]
