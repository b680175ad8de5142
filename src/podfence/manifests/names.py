"""What Kubernetes lets a name, a label and a port name be: the rules of apimachinery, in its words.

Each function returns one message for every rule that is broken. Next: `metadata` and `rules` put fields to them.
"""

from __future__ import annotations

import re
from functools import lru_cache

Messages = tuple[str, ...]

_NAME = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = f"({_NAME})?"
_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"

_NAME_RULE = re.compile(_NAME)
_VALUE_RULE = re.compile(_VALUE)
_LABEL_RULE = re.compile(_LABEL)
_SUBDOMAIN_RULE = re.compile(_SUBDOMAIN)


def _expected(what: str, pattern: str, *examples: str) -> str:
    """Go's RegexError, its spaces included."""
    listed = " or ".join(f"'{example}', " for example in examples)
    return f"{what} (e.g. {listed}regex used for validation is '{pattern}')"


_ENDS = "and must start and end with an alphanumeric character"
_NAME_TEXT = _expected(
    f"must consist of alphanumeric characters, '-', '_' or '.', {_ENDS}",
    _NAME,
    *("MyName", "my.name", "123-abc"),
)
_VALUE_TEXT = _expected(
    f"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', {_ENDS}",
    _VALUE,
    *("MyValue", "my_value", "12345"),
)
_LABEL_TEXT = _expected(
    f"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', {_ENDS}",
    _LABEL,
    *("my-name", "123-abc"),
)
_SUBDOMAIN_TEXT = _expected(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', " + _ENDS,
    _SUBDOMAIN,
    "example.com",
)


def _too_long(text: str, most: int, unit: str = "bytes") -> Messages:
    """Always counted in bytes, though the server calls them characters where the text is a name."""
    long = len(text) > most or len(text.encode("utf-8", "surrogatepass")) > most
    return (f"must be no more than {most} {unit}",) if long else ()


@lru_cache(maxsize=16384)
def label_value(text: str) -> Messages:
    wrong = _too_long(text, 63)
    return wrong if _VALUE_RULE.fullmatch(text) else (*wrong, _VALUE_TEXT)


@lru_cache(maxsize=16384)
def qualified_name(text: str) -> Messages:
    """A label key: `[prefix/]name`."""
    parts = text.split("/")
    if len(parts) > 2:
        example = "(e.g. 'example.com/MyName')"
        return (f"a valid label key {_NAME_TEXT} with an optional DNS subdomain prefix and '/' {example}",)
    prefix = _prefix(parts[0]) if len(parts) == 2 else ()
    return prefix + tuple(f"name part {message}" for message in _name_part(parts[-1]))


def _prefix(text: str) -> Messages:
    messages = _subdomain(text, "bytes") if text else ("must be non-empty",)
    return tuple(f"prefix part {message}" for message in messages)


def _name_part(text: str) -> Messages:
    wrong = _too_long(text, 63) if text else ("must be non-empty",)
    return wrong if _NAME_RULE.fullmatch(text) else (*wrong, _NAME_TEXT)


@lru_cache(maxsize=4096)
def subdomain(text: str) -> Messages:
    """RFC 1123 subdomain: the names of most objects."""
    return _subdomain(text, "characters")


def _subdomain(text: str, unit: str) -> Messages:
    wrong = _too_long(text, 253, unit)
    return wrong if _SUBDOMAIN_RULE.fullmatch(text) else (*wrong, _SUBDOMAIN_TEXT)


@lru_cache(maxsize=4096)
def label(text: str) -> Messages:
    """RFC 1123 label: the names of namespaces and services."""
    wrong = _too_long(text, 63, "characters")
    if _LABEL_RULE.fullmatch(text):
        return wrong
    dots = _SUBDOMAIN_RULE.fullmatch(text)
    return (*wrong, "must not contain dots" if dots else _LABEL_TEXT)


_PORT_NAME_RULES = (
    ("must be no more than 15 characters", re.compile(r"[\s\S]{0,15}")),
    (
        "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
        re.compile(r"[-a-z0-9]+"),
    ),
    ("must contain at least one letter (a-z)", re.compile(r"[\s\S]*[a-z][\s\S]*")),
    ("must not contain consecutive hyphens", re.compile(r"(?![\s\S]*--)[\s\S]*")),
    ("must not begin or end with a hyphen", re.compile(r"(?!-)(?:[\s\S]*[^-])?")),
)


@lru_cache(maxsize=4096)
def port_name(text: str) -> Messages:
    """An IANA service name."""
    return tuple(message for message, rule in _PORT_NAME_RULES if not rule.fullmatch(text))
