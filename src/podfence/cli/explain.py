"""`podfence explain`: whether a flow passes, why, and what would change it; or thousands of flows, a line each."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TextIO

import msgspec
from cyclopts import Parameter

from podfence.cli.answers import Oracle, answer_json, overall, reasons
from podfence.cli.source import Given, given
from podfence.cli.telling import told
from podfence.cli.text import colored, printable
from podfence.errors import PodfenceError, UsageError
from podfence.model.flow import Verdict

LONGEST_LINE = 1 << 20


class Asked(msgspec.Struct):
    """A line of `--flows`; what else it says is handed back."""

    src: str
    dst: str
    protocol: str | int | None = None
    port: int | str | None = None

    @property
    def text(self) -> str:
        """As `--port` takes it."""
        return "/".join(str(part) for part in (self.port, self.protocol) if part not in {None, ""})


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Ends:
    """One question, as the command line puts it.

    Parameters
    ----------
    from_
        `ns/name`, `deploy/x` with -n, an address, or what `reach` prints.
    to
        The same, or a Service as `name.ns`.
    port
        `80`, `80/UDP`, the name of a port, `ICMP`; all of them when left out.

    """

    from_: Annotated[str, Parameter(name="--from")] = ""
    to: str = ""
    port: Annotated[str, Parameter(name=("--port", "-p"))] = ""

    @property
    def words(self) -> Mapping[str, str]:
        return {"from": self.from_, "to": self.to, "port": self.port}


NO_ENDS = Ends()


def explain(
    *sources: str,
    ends: Ends = NO_ENDS,
    namespace: Annotated[str, Parameter(name=("--namespace", "-n"))] = "default",
    output: Annotated[Literal["text", "json"], Parameter(name=("--output", "-o"))] = "text",
    flows: str = "",
) -> int:
    """Whether a flow passes, why, and what would change it.

    Exit status 1 when it is denied; with --flows 0 when every line was answered.

    Parameters
    ----------
    sources
        Files, directories, `-`, `cluster:[CONTEXT]` or `lab:[NAME]`; the last wins.
    ends
        The flow.
    namespace
        Where names without a namespace stand.
    output
        Text for people, or JSON.
    flows
        A file (or `-`) with one JSON object a line: src, dst, protocol, port.

    """
    if not flows and not (ends.from_ and ends.to):
        raise UsageError("explain needs --from and --to, or --flows with a file of them")
    source = given(sources, namespace)
    oracle = Oracle(source.snapshot, namespace)
    return _answer_flows(oracle, flows) if flows else _answer_one(oracle, source, ends, output)


def _answer_one(oracle: Oracle, source: Given, ends: Ends, output: str) -> int:
    answers = oracle.ask(ends.from_, ends.to, ends.port)
    verdict = overall(answers)
    if output == "json":
        flows = [answer_json(answer) for answer in answers]
        about = {**ends.words, "verdict": verdict.value, "flows": flows, "assumptions": source.assumptions}
        print(msgspec.json.format(msgspec.json.encode({"podfence": 1, **about}), indent=2).decode())
    else:
        for line in told(answers, color=colored(sys.stdout)):
            print(line)
        for note in source.assumptions:
            print(f"note: {printable(note)}", file=sys.stderr)
    return 1 if verdict is Verdict.DENIED else 0


def _answer_flows(oracle: Oracle, where: str) -> int:
    status = 0
    with (
        nullcontext(sys.stdin)
        if where == "-"
        else Path(where).open(encoding="utf-8", errors="replace") as lines
    ):
        for answered, said in _stream(oracle, lines):
            sys.stdout.write(said)
            status = status if answered else 2
    return status


def _stream(oracle: Oracle, lines: TextIO) -> Iterator[tuple[bool, str]]:
    """Line by line, in order; a line that cannot be answered says so and names itself."""
    decoder, encoder = msgspec.json.Decoder(), msgspec.json.Encoder()
    for number, line in enumerate(_bounded(lines), 1):
        if not line.strip():
            continue
        try:
            known = decoder.decode(line)
            answer = {**known, **_answered(oracle, msgspec.convert(known, Asked))}
        except (msgspec.DecodeError, msgspec.ValidationError, PodfenceError) as trouble:
            print(f"error: line {number}: {printable(str(trouble))}", file=sys.stderr)
            yield False, encoder.encode({"line": number, "error": str(trouble)}).decode() + "\n"
        else:
            yield True, encoder.encode(answer).decode() + "\n"


def _bounded(lines: TextIO) -> Iterable[str]:
    """A line without end is refused, not read into memory."""
    while line := lines.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise PodfenceError(f"a line of --flows is longer than {LONGEST_LINE} characters")
        yield line


def _answered(oracle: Oracle, asked: Asked) -> dict[str, Any]:
    answers = oracle.ask(asked.src, asked.dst, asked.text)
    told_of = [answer for answer in answers if answer.verdict is overall(answers)]
    return {"verdict": overall(answers).value, "reasons": reasons(told_of[0])}
