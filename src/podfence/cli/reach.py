"""`podfence reach`: who reaches whom, and on which ports, as the policies allow it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import Parameter

from podfence.analysis.choosing import Chooser
from podfence.analysis.connections import View, connections
from podfence.analysis.narrowing import Answer, Wanted
from podfence.analysis.questions import PortAsked, port_asked
from podfence.analysis.routes import Routing
from podfence.analysis.workloads import Level
from podfence.cli.arguments import AS_USUAL, Reading, Source, checked
from podfence.cli.memory import nothing_to_collect
from podfence.cli.progress import Bar, progress
from podfence.cli.show.beside import partly, services, ways_in
from podfence.cli.show.lines import FORMS, Entry, shown
from podfence.cli.source import Given, given
from podfence.cli.text import printable
from podfence.errors import UsageError
from podfence.model.policy import Direction

Output = Literal["text", "json", "csv", "md", "dot", "svg", "html"]
Texts = Annotated[tuple[str, ...], Parameter(show_default=False, negative="")]


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Which:
    """The part of the answer that is wanted.

    Parameters
    ----------
    focus
        Only lines about these workloads; several with commas, or given again.
    direction
        With a focus: only what it receives (ingress), or what it sends (egress).
    from_
        Only from these: `ns/name`, `deploy/x` with -n, an address or block, or an end as it is printed.
    to
        Only to these.
    port
        Only on this port: `80`, `tcp/80`, `80-90/UDP`, a name, `ICMP`.
    listening
        Only ports that containers declare.

    """

    focus: Texts = ()
    direction: Literal["ingress", "egress"] | None = None
    from_: Annotated[tuple[str, ...], Parameter(name="--from", show_default=False, negative="")] = ()
    to: Texts = ()
    port: Annotated[str, Parameter(name=("--port", "-p"), show_default=False)] = ""
    listening: Annotated[bool, Parameter(negative="")] = False


ALL = Which()


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Besides:
    """More than pairs.

    Parameters
    ----------
    exposure
        Also how open workloads are to the outside and to pods that are not in the input.
    services
        Also who reaches each Service, on its own ports.

    """

    exposure: Annotated[bool, Parameter(negative="")] = False
    services: Annotated[bool, Parameter(negative="")] = False


NOTHING_ELSE = Besides()


def reach(
    *sources: Source,
    which: Which = ALL,
    besides: Besides = NOTHING_ELSE,
    by: Literal["pod", "workload", "namespace"] = "workload",
    output: Annotated[Output, Parameter(name=("--output", "-o"))] = "text",
    how: Reading = AS_USUAL,
) -> int:
    """Who reaches whom, and on which ports.

    Parameters
    ----------
    sources
        Files, directories, `-`, `cluster:[CONTEXT]` or `lab:[NAME]`; the last wins.
    which
        The part of the answer that is wanted.
    besides
        More than pairs.
    by
        What a line stands for.
    output
        Text, JSON, CSV, Markdown, a graph for Graphviz, a picture, or a page that explains itself.
    how
        How sources are read.

    """
    checked(sources)
    _refuse(besides, by, output)
    with nothing_to_collect(), progress() as bar:
        bar.says("reading")
        source = given(sources, how)
        bar.says("comparing policies")
        answer = _asked(source, which, Level(by), how.namespace)
        routing = Routing(answer.found, source.routes if by != "namespace" else ())
        more = [*ways_in(routing, answer), *(services(answer) if besides.services else ())]
        pieces = _exposed(answer, output, more) if besides.exposure else _shown(answer, output, more)
        _write(pieces, bar, len(answer.found.ends))
    _notes((*source.assumptions, *routing.notes(), *partly(more)))
    if not answer.lines and not more:
        print(f"nothing to show: {_why_empty(answer)}", file=sys.stderr)
    return 0


def _asked(source: Given, which: Which, by: Level, namespace: str) -> Answer:
    found = connections(source.snapshot, View(by))
    chooser = Chooser(found, namespace)
    return Answer(
        found,
        Wanted(
            sources=chooser.among(which.from_),
            destinations=chooser.among(which.to),
            focus=chooser.among(which.focus),
            direction=Direction(which.direction) if which.direction else None,
            port=_port(which.port),
            listening=which.listening,
        ),
    )


def _port(text: str) -> PortAsked:
    """The protocol may come first, as other tools write it: `tcp/80`."""
    first, slash, second = text.partition("/")
    backwards = slash and not first[:1].isdigit() and second[:1].isdigit()
    return port_asked(f"{second}/{first}" if backwards else text)


def _refuse(besides: Besides, by: str, output: Output) -> None:
    if by == "namespace" and (besides.exposure or besides.services):
        raise UsageError("--exposure and --services are about workloads: use --by workload or --by pod")
    if besides.exposure and output in {"dot", "svg", "html"}:
        raise UsageError(f"--exposure has no {output}: use text, json, csv or md")


def _exposed(answer: Answer, output: Output, more: list[Entry]) -> Iterator[str]:
    from podfence.cli.show.exposure import with_exposure

    return with_exposure(output, answer, more)


def _shown(answer: Answer, output: Output, more: list[Entry]) -> Iterator[str]:
    """Formats are imported when they are asked for."""
    if output == "dot":
        from podfence.cli.show.dot import dot

        return dot(answer, more)
    if output == "svg":
        from podfence.cli.show.svg import svg

        return svg(answer, more)
    if output == "html":
        from podfence.cli.show.html import html

        return html(answer, more)
    return shown(FORMS[output], answer, more)


def _write(pieces: Iterable[str], bar: Bar, total: int) -> None:
    """Lines and a bar do not share one terminal."""
    if sys.stdout.isatty():
        bar.close()
    bar.says("writing", total)
    for piece in bar.counted(pieces):
        sys.stdout.write(piece)


def _notes(notes: Iterable[str]) -> None:
    for note in notes:
        print(f"note: {printable(note)}", file=sys.stderr)


def _why_empty(answer: Answer) -> str:
    """An empty answer is an answer; what it is an answer to is said."""
    found = answer.found
    if not found.kinds.pods:
        return "there is no pod with an address, and no workload, in the input"
    if answer.wanted != Wanted():
        return "the policies allow nothing of what is asked for"
    return f"the policies allow no connection between any two of {len(found.ends)} ends"
