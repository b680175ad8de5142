"""YAML documents as plain values, with the position of every key and item, from libyaml's event stream.

Iterative, in time and memory proportional to the input, whatever the input is. What kubectl refuses is refused;
duplicate keys, which it drops in silence, are refused as well. Next: `item` gives documents their field paths.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from yaml import error as yaml_error
from yaml import events as yaml_events

from podfence.errors import PodfenceError
from podfence.manifests.yamlbuild import Builder, Document, Fault, Refused

MOST_ERRORS = 20
"""After a syntax error reading goes on at the next `---`, so often."""


def documents(text: str) -> Iterator[Document]:
    """Every document of a text. One that is not YAML does not hide those after the next `---`."""
    rest, line = text, 1
    for _ in range(MOST_ERRORS):
        reader = _Stream(rest, line)
        yield from reader.documents()
        if reader.fault is None:
            return
        yield Document(None, 0, (reader.fault,))
        rest, line = _after_error(rest, line, reader.fault)
        if not rest:
            return
    yield Document(None, 0, (Fault(line, 1, "yaml-syntax", "too many errors: not read any further"),))


_BREAK = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")
_SEPARATOR = re.compile(r"---(?:\s|\Z)")


def _after_error(text: str, first: int, fault: Fault) -> tuple[str, int]:
    """The text from the next document on, and the number of its first line."""
    line = first
    # an error in column 1 may be the very `---` that cut something short
    below = fault.line if fault.column == 1 else fault.line + 1
    for found in _BREAK.finditer(text):
        line += 1
        if line >= below and _SEPARATOR.match(text, found.end()):
            return text[found.end() :], line
    return "", line


class _Stream:
    """libyaml's events of one text, document by document. `fault` is what ended it early."""

    def __init__(self, text: str, first_line: int) -> None:
        self.text = text
        self.first_line = first_line
        self.fault: Fault | None = None

    def documents(self) -> Iterator[Document]:
        try:
            yield from self._documents()
        except yaml_error.MarkedYAMLError as wrong:
            context = f"{wrong.context}: " if wrong.context else ""
            self.fault = self._fault(wrong.problem_mark, "yaml-syntax", f"{context}{wrong.problem}")
        except yaml_error.YAMLError as wrong:
            self.fault = self._unreadable(wrong)
        except Refused as wrong:
            self.fault = self._fault(wrong.mark, wrong.code, wrong.message)

    def _documents(self) -> Iterator[Document]:
        parser = _parser(self.text)
        first = True
        while not isinstance(event := parser.get_event(), yaml_events.StreamEndEvent):
            if isinstance(event, yaml_events.DocumentStartEvent):
                _check_start(event, first=first)
                first = False
                yield Builder(parser.get_event, self.first_line).build()

    def _fault(self, mark: Any, code: str, message: str) -> Fault:
        line, column = (mark.line, mark.column) if mark else (0, 0)
        return Fault(line + self.first_line, column + 1, code, message)

    def _unreadable(self, wrong: yaml_error.YAMLError) -> Fault:
        """A character that YAML does not allow; libyaml counts bytes up to it."""
        before = self.text.encode()[: getattr(wrong, "position", None) or 0].decode(errors="ignore")
        breaks = [found.end() for found in _BREAK.finditer(before)]
        column = len(before) - (breaks[-1] if breaks else 0) + 1
        reason = getattr(wrong, "reason", None) or str(wrong)
        character = getattr(wrong, "character", None)
        named = f" (U+{character:04X})" if isinstance(character, int) else ""
        return Fault(self.first_line + len(breaks), column, "yaml-syntax", f"{reason}{named}")


def _parser(text: str) -> Any:
    try:
        from yaml._yaml import CParser
    except ImportError:
        raise PodfenceError(
            "PyYAML is installed without libyaml, which podfence reads YAML with",
            "install a PyYAML wheel from your package index, or libyaml's headers and PyYAML from source",
        ) from None
    return CParser(text)


def _check_start(event: Any, *, first: bool) -> None:
    if event.version not in (None, (1, 1)):
        raise Refused(event.start_mark, "yaml-syntax", "found incompatible YAML document: remove %YAML")
    if not first and not event.explicit:
        message = "kubectl ignores what follows `...`: separate documents with `---`"
        raise Refused(event.start_mark, "yaml-syntax", message)
