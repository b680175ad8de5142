"""`podfence lab`: try policies on real packets, on this machine, without a cluster and without root.

Each command asks the lab's daemon and prints what it says. Next: `lab_text` for how it is said, `podfence.lab` for all else.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Annotated

from cyclopts import App, Parameter

from podfence.cli import lab_text as text
from podfence.cli.arguments import Source, checked
from podfence.cli.lab_arguments import All, Flag, Name, Namespace, Output, Words, ask
from podfence.cli.lab_edits import apply, delete, label, restart, scale
from podfence.cli.text import printable
from podfence.errors import PodfenceError, UsageError

app = App("lab", help="Try policies on real packets, on this machine.")

for edit in (apply, delete, label, restart, scale):
    app.command(edit)


@app.command
def up(
    *sources: Source,
    name: Name = None,
    namespace: Namespace = "default",
    host: Words = (),
    exclude: Words = (),
    until_exit: Annotated[int | None, Parameter(env_var="PODFENCE_UNTIL_EXIT")] = None,
) -> int:
    """Start a lab from manifests; policies alone get a small world of their own.

    Parameters
    ----------
    sources
        Files, directories or `-`; the last wins.
    name
        Several labs can run at once; `$PODFENCE_LAB` names one too.
    namespace
        For objects that name none.
    host
        NAME=ADDRESS: an external host that the lab's DNS knows.
    exclude
        Files to pass over, by pattern.
    until_exit
        End the lab when the process of this number ends.

    """
    from podfence.lab import starting

    begun = time.perf_counter()
    told = starting.start(
        starting.Request(tuple(checked(sources)), name, namespace, host, exclude, until_exit)
    )
    print(text.up(told, time.perf_counter() - begun))
    for line in text.doubts(told):
        print(line, file=sys.stderr)
    return 0


@app.command
def status(*, name: Name = None, output: Output = "text") -> int:
    """Who is in a lab, where, and what is not as in a cluster.

    Parameters
    ----------
    name
        Which lab.
    output
        Text for people, or JSON.

    """
    told = ask(name, "status")
    print(json.dumps({"podfence": 1, **told}) if output == "json" else text.status(told))
    return 0


@app.command(name="list")
def list_() -> int:
    """The labs that run."""
    from podfence.lab.client import Client
    from podfence.lab.directory import labs

    found = labs()
    for each in found:
        print(text.listed(each.name, each.pid(), Client(each.name).ask("status")))
    if not found:
        print("no lab is running: start one with podfence lab up SOURCE", file=sys.stderr)
    return 0


@app.command
def probe(  # noqa: PLR0913  one for each option
    *,
    name: Name = None,
    namespace: Namespace = "default",
    services: Flag = False,
    watch: Flag = False,
    from_: Annotated[tuple[str, ...], Parameter(name="--from", negative_iterable=())] = (),
    to: Words = (),
    output: Output = "text",
) -> int:
    """Send a real packet from everyone to everyone, at every port that is listened at, and compare with the policies.

    Exit status 1 when a packet does otherwise than the policies say, 2 when one cannot be accounted for.

    Parameters
    ----------
    name
        Which lab.
    namespace
        Where names without a namespace stand.
    services
        By the names of Services too.
    watch
        Again and again, until interrupted.
    from_
        Only from these: ns/name, `ns/*`, an address.
    to
        Only to these.
    output
        Text for people, or JSON.

    """
    from podfence.lab.client import Client

    lab, asked = Client(name), {"services": services, "from": from_, "to": to, "namespace": namespace}
    while True:
        told = lab.ask("probe", **asked)
        print(text.probe_json(told) if output == "json" else text.probe(told), flush=True)
        if not watch:
            return text.probe_status(told)
        time.sleep(1)


@app.command(name="exec")
def exec_(end: str, *program: str, namespace: Namespace = "default", name: Name = None) -> int:
    """Run a program of this machine in a pod: podfence lab exec ui/ui -- curl -s http://catalog.catalog/

    Exit status: the program's; 125 when podfence itself failed, 126 and 127 as of a shell.

    Parameters
    ----------
    end
        ns/pod, ns/workload, deploy/x with -n, or the address of an external host.
    program
        The program and its arguments, behind `--`.
    namespace
        Where names without a namespace stand.
    name
        Which lab.

    """
    from podfence.lab import exec as running

    try:
        if not program:
            raise UsageError("which program? podfence lab exec ns/pod -- PROGRAM")
        return running.run(name, end, namespace, program)
    except PodfenceError as error:
        for line in (f"error: {error.message}", *(f"  {each}" for each in error.details)):
            print(printable(line), file=sys.stderr)
        return running.FAILED


@app.command
def down(*, name: Name = None, all_: All = False) -> int:
    """End a lab; nothing of it is left.

    Parameters
    ----------
    name
        Which lab.
    all_
        Every lab of yours.

    """
    from podfence.lab.client import Client
    from podfence.lab.directory import labs

    for each in labs() if all_ else [Client(name).directory]:
        Client(each.name).down()
        print(f"{each.name} is down")
    return 0
