"""`explain --flows`: one JSON object a line in, the same line with its verdict and reasons out, in order."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple, TextIO

import msgspec

from podfence.cli.answers import Oracle, overall, reasons
from podfence.cli.text import printable
from podfence.errors import PodfenceError

LONGEST_LINE = 1 << 20
TROUBLE = 2

Json = dict[str, Any]


class Asked(msgspec.Struct):
    """What is read of a line; what else it says is handed back."""

    src: str
    dst: str
    protocol: str | int | None = None
    port: int | str | None = None

    @property
    def text(self) -> str:
        """As `--port` takes it."""
        port = "" if self.port is None else str(self.port)
        return port if self.protocol in {None, ""} else f"{port}/{self.protocol}"


class Unanswered(NamedTuple):
    """A line that is no question, or one about things that are not there."""

    line: int
    why: str


def answered(oracle: Oracle, lines: BinaryIO, out: TextIO) -> int:
    """Answer line by line. The status is 2 when a line could not be answered: its answer says why."""
    failures: list[Unanswered] = []
    for number, line in enumerate(_bounded(lines), 1):
        if line.strip():
            told = _told(oracle, line)
            if "error" in told:
                failures.append(Unanswered(number, told["error"]))
                told = {"line": number, **told}
            out.write(json.dumps(told, separators=(",", ":")) + "\n")
    if failures:
        _complain(failures)
    return TROUBLE if failures else 0


def _told(oracle: Oracle, line: bytes) -> Json:
    try:
        known = msgspec.json.decode(line)
        asked = msgspec.convert(known, Asked)
        answers = oracle.ask(asked.src, asked.dst, asked.text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, PodfenceError) as trouble:
        return {"error": str(trouble)}
    verdict = overall(answers)
    first = next(answer for answer in answers if answer.verdict is verdict)
    return {**known, "verdict": verdict.value, "reasons": reasons(first)}


def _bounded(lines: BinaryIO) -> Iterator[bytes]:
    """A line without end is refused, not read into memory."""
    while line := lines.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise PodfenceError(f"a line of --flows is longer than {LONGEST_LINE} bytes")
        yield line


def _complain(failures: list[Unanswered]) -> None:
    first, more = failures[0], len(failures) - 1
    rest = f" (and {more} more: see the lines with an error)" if more else ""
    print(f"error: line {first.line}: {printable(first.why)}{rest}", file=sys.stderr)
