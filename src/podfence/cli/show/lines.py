"""Connections a line each: text, CSV and Markdown with the strings the field knows; JSON.

Ten thousand workloads print millions of lines, so that every part of a line is escaped once and lines are put
together a row at a time. Each format escapes for its own medium.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from podfence.analysis.connections import Allowed
from podfence.analysis.narrowing import Answer, Key
from podfence.cli.text import printable
from podfence.model.ports import WITH_PORTS, PortRange
from podfence.model.portset import PortSet

FAMILY_NAMES = {4: "IPv4", 6: "IPv6"}


class Entry(NamedTuple):
    """A line that no policy alone makes: to a Service, from an ingress controller, to those not in the input."""

    source: str
    destination: str
    allowed: Allowed
    more: dict[str, Any] = {}  # noqa: RUF012  never changed


class Form(NamedTuple):
    """A line is `before` source `between` destination `behind` connection `after`; lines stand `apart`."""

    escape: Callable[[str], str]
    connection: Callable[[Allowed], str]
    before: str
    between: str
    behind: str
    after: str
    head: str = ""
    apart: str = ""
    foot: str = ""
    entry: Callable[[Entry], str] | None = None


def connection(allowed: Allowed) -> str:
    """As the field writes it; where only protocols without ports pass, it has no word."""
    others_only = allowed.ports.others and not allowed.ports.ranges
    return "other protocols" if others_only else str(allowed.ports)


def shown(form: Form, answer: Answer, more: Iterable[Entry] = ()) -> Iterator[str]:
    """The whole output, a row at a time; `more` lines come last."""
    texts = [form.escape(end.title) for end in answer.found.ends]
    heads = [f"{form.before}{text}{form.between}" for text in texts]
    tails = [f"{text}{form.behind}" for text in texts]
    said = _Said(form, answer)
    yield form.head
    apart = ""
    for source, entries in answer.rows():
        if entries:
            head = heads[source]
            yield f"{apart}{head}" + f"{form.apart}{head}".join(
                [tails[other] + said[key] for other, key in entries]
            )
            apart = form.apart
    for each in more:
        yield apart + entry_line(form, each)
        apart = form.apart
    yield form.foot


def entry_line(form: Form, entry: Entry) -> str:
    if form.entry:
        return form.entry(entry)
    head = f"{form.before}{form.escape(entry.source)}{form.between}{form.escape(entry.destination)}"
    return f"{head}{form.behind}{form.connection(entry.allowed)}{form.after}"


class _Said(dict[Key, str]):
    """The rest of a line, by what it says."""

    def __init__(self, form: Form, answer: Answer) -> None:
        super().__init__()
        self._form, self._answer = form, answer

    def __missing__(self, key: Key) -> str:
        found = self[key] = self._form.connection(self._answer.allowed(key)) + self._form.after
        return found


def _quoted(text: str) -> str:
    row = io.StringIO()
    csv.writer(row, lineterminator="").writerow([printable(text)])
    return row.getvalue()


def _cell(text: str) -> str:
    return printable(text).replace("\\", "\\\\").replace("|", "\\|")


def ports_json(ports: PortSet) -> dict[str, Any]:
    """First and last port of every range, and whether protocols without ports pass too."""
    rows = {str(protocol): _ranges(ports.ranges.get(protocol, ())) for protocol in WITH_PORTS}
    found = {name: ranges for name, ranges in sorted(rows.items()) if ranges}
    return {"protocols": found, "other_protocols": ports.others}


def _ranges(ranges: Iterable[PortRange]) -> list[list[int]]:
    """Port 0 is none that a program can use, and is not printed in text either."""
    return [[max(1, found.first), found.last] for found in ranges if found.last]


def allowed_json(allowed: Allowed) -> dict[str, Any]:
    told = {"conn": connection(allowed), **ports_json(allowed.ports)}
    if allowed.differs:
        families = {FAMILY_NAMES[family]: str(ports) for family, ports in allowed.families.items()}
        told["families"] = families
    return told


def entry_json(entry: Entry) -> str:
    return json.dumps(
        {"src": entry.source, "dst": entry.destination, **allowed_json(entry.allowed), **entry.more}
    )


def _rest(allowed: Allowed) -> str:
    return json.dumps(allowed_json(allowed))[1:]


TEXT = Form(printable, connection, "", " => ", " : ", "\n")
CSV = Form(_quoted, lambda allowed: _quoted(connection(allowed)), "", ",", ",", "\n", head="src,dst,conn\n")
MARKDOWN = Form(
    _cell, connection, "| ", " | ", " | ", " |\n", head="| src | dst | conn |\n|-----|-----|------|\n"
)
JSON = Form(
    json.dumps,
    _rest,
    '{"src": ',
    ', "dst": ',
    ", ",
    "",
    head="[\n",
    apart=",\n",
    foot="\n]\n",
    entry=entry_json,
)
FORMS = {"text": TEXT, "csv": CSV, "md": MARKDOWN, "json": JSON}
