"""`podfence flows`: what was denied in a running lab, by which policies, how often. Next: `lab.denials` collects it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from podfence.cli.text import printable
from podfence.errors import UsageError

_EVERY = 0.2
_PREFIX = "lab:"


def flows(
    source: str = _PREFIX,
    *,
    follow: Annotated[bool, Parameter(name=("--follow", "-f"), negative="")] = False,
    output: Annotated[Literal["text", "json"], Parameter(name=("--output", "-o"))] = "text",
) -> int:
    """Tell the flows that were denied, one line each, with the policies that isolate and how often.

    Parameters
    ----------
    source
        `lab:[NAME]`: the lab whose denials to tell.
    follow
        Go on until interrupted, as denials happen.
    output
        Text for people, or a JSON object a line.

    """
    from podfence.lab.client import Client

    if not source.startswith(_PREFIX):
        raise UsageError(f"{source!r} has no deny log: name a running lab, as in lab: or lab:NAME")
    lab = Client(source.removeprefix(_PREFIX) or None)
    found = False
    for denial in _denials(lab, follow=follow):
        found = True
        print(json.dumps(denial) if output == "json" else _line(denial), flush=follow)
    if not found:
        print("nothing was denied so far", file=sys.stderr)
    return 0


def _denials(lab: Any, *, follow: bool) -> Iterator[dict[str, Any]]:
    """Each flow again whenever its count has grown."""
    counts: dict[str, int] = {}
    while True:
        for denial in lab.ask("denials")["denials"]:
            if counts.get(denial["line"]) != denial["count"]:
                counts[denial["line"]] = denial["count"]
                yield denial
        if not follow:
            return
        time.sleep(_EVERY)


def _line(denial: dict[str, Any]) -> str:
    moment = time.strftime("%H:%M:%S", time.localtime(denial["time"]))
    return f"{moment}  denied {denial['count']:>4}x  {printable(denial['line'])}"
