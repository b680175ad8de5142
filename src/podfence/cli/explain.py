"""`podfence explain`: whether a flow passes, why, and what would change it; or thousands of flows, a line each."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from podfence.cli.answers import Oracle, answer_json, overall
from podfence.cli.arguments import AS_USUAL, Reading, Source, checked
from podfence.cli.source import Given, given
from podfence.cli.telling import told
from podfence.cli.text import colored, printable
from podfence.errors import UsageError
from podfence.model.flow import Verdict


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

    from_: Annotated[str, Parameter(name="--from", show_default=False)] = ""
    to: Annotated[str, Parameter(show_default=False)] = ""
    port: Annotated[str, Parameter(name=("--port", "-p"), show_default=False)] = ""

    @property
    def words(self) -> Mapping[str, str]:
        return {"from": self.from_, "to": self.to, "port": self.port}


NO_ENDS = Ends()


def explain(
    *sources: Source,
    ends: Ends = NO_ENDS,
    how: Reading = AS_USUAL,
    output: Annotated[Literal["text", "json"], Parameter(name=("--output", "-o"))] = "text",
    flows: Annotated[str, Parameter(show_default=False, allow_leading_hyphen=True)] = "",
) -> int:
    """Whether a flow passes, why, and what would change it.

    Exit status 1 when it is denied; with --flows 0 when every line was answered.

    Parameters
    ----------
    sources
        Files, directories, `-`, `cluster:[CONTEXT]` or `lab:[NAME]`; the last wins.
    ends
        The flow.
    how
        How to read them.
    output
        Text for people, or JSON.
    flows
        A file (or `-`) with one JSON object a line: src, dst, protocol, port.

    """
    checked(sources)
    if not flows and not (ends.from_ and ends.to):
        raise UsageError("explain needs --from and --to, or --flows with a file of them")
    if flows == "-" and "-" in sources:
        raise UsageError("`-` is standard input, which can be read once only")
    source = given(sources, how)
    oracle = Oracle(source.snapshot, how.namespace)
    return _answer_flows(oracle, flows) if flows else _answer_one(oracle, source, ends, output)


def _answer_one(oracle: Oracle, source: Given, ends: Ends, output: str) -> int:
    answers = oracle.ask(ends.from_, ends.to, ends.port)
    verdict = overall(answers)
    if output == "json":
        flows = [answer_json(answer) for answer in answers]
        about = {**ends.words, "verdict": verdict.value, "flows": flows, "assumptions": source.assumptions}
        print(json.dumps({"podfence": 1, **about}, indent=2))
    else:
        for line in told(answers, color=colored(sys.stdout)):
            print(line)
        for note in source.assumptions:
            print(f"note: {printable(note)}", file=sys.stderr)
    return 1 if verdict is Verdict.DENIED else 0


def _answer_flows(oracle: Oracle, where: str) -> int:
    from podfence.cli.flows import answered

    with nullcontext(sys.stdin.buffer) if where == "-" else Path(where).open("rb") as lines:
        return answered(oracle, lines, sys.stdout)
