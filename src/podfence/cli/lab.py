"""`podfence lab`: try policies on real packets, on this machine, without a cluster and without root.

Each command asks the lab's daemon and prints what it says. Next: `lab_text` for how it is said, `podfence.lab` for all else.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from podfence.cli import lab_text as text
from podfence.cli.arguments import Source, checked
from podfence.cli.text import printable
from podfence.errors import PodfenceError, UsageError

app = App("lab", help="Try policies on real packets, on this machine.")

Name = Annotated[str | None, Parameter(name="--name")]
Namespace = Annotated[str, Parameter(name=("--namespace", "-n"))]
Files = Annotated[
    tuple[str, ...],
    Parameter(
        name=("--filename", "-f"), negative_iterable=(), allow_leading_hyphen=True, consume_multiple=False
    ),
]
Output = Annotated[Literal["text", "json"], Parameter(name=("--output", "-o"))]
Words = Annotated[tuple[str, ...], Parameter(negative_iterable=())]
Flag = Annotated[bool, Parameter(negative="")]
All = Annotated[bool, Parameter(name="--all", negative="")]
Everywhere = Annotated[bool, Parameter(name=("--all-namespaces", "-A"), negative="")]


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
def apply(
    *,
    filename: Files,
    namespace: Namespace = "default",
    name: Name = None,
    all_: All = False,
    output: Output = "text",
) -> int:
    """Create or change objects, and say what that opened and closed.

    Parameters
    ----------
    filename
        Files, directories or `-`.
    namespace
        For objects that name none.
    name
        Which lab.
    all_
        List every pair that changed.
    output
        Text for people, or JSON.

    """
    from podfence.lab import wire
    from podfence.lab.starting import manifests_of

    manifests = manifests_of(filename, namespace)
    objects, templates = wire.encode(manifests.objects), wire.encode(manifests.templates)
    return _tell(_ask(name, "apply", objects=objects, templates=templates), output, every=all_)


@app.command
def delete(  # noqa: PLR0913  one for each option
    *words: str,
    filename: Files = (),
    namespace: Namespace = "default",
    name: Name = None,
    all_: All = False,
    everywhere: Everywhere = False,
    output: Output = "text",
) -> int:
    """Delete objects as kubectl does: KIND NAME…, KIND/NAME…, -f FILE, or KIND --all.

    Parameters
    ----------
    words
        A kind and names, or kind/name.
    filename
        The objects of these files.
    namespace
        Where they are.
    name
        Which lab.
    all_
        All of the kind.
    everywhere
        In every namespace.
    output
        Text for people, or JSON.

    """
    from podfence.lab.kinds import kind_of, references

    if all_:
        if len(words) != 1:
            raise UsageError("--all takes one kind, as in: podfence lab delete networkpolicy -A --all")
        asked: dict[str, Any] = {"all": True, "kind": kind_of(words[0]), "everywhere": everywhere}
    else:
        asked = {
            "references": [(kind, None, each) for kind, each in references(words)]
            + _of_files(filename, namespace)
        }
        if not asked["references"]:
            raise UsageError("what shall be deleted? KIND/NAME, -f FILE, or KIND --all")
    return _tell(_ask(name, "delete", namespace=namespace, **asked), output)


def _of_files(files: tuple[str, ...], namespace: str) -> list[tuple[str, str | None, str]]:
    if not files:
        return []
    from podfence.lab.starting import manifests_of
    from podfence.manifests.loaded import object_key

    manifests = manifests_of(files, namespace)
    keys = map(object_key, (*manifests.objects, *manifests.templates))
    return [(kind, space, each) for kind, space, each in keys]


@app.command
def label(
    *words: str,
    namespace: Namespace = "default",
    name: Name = None,
    overwrite: Flag = False,
    output: Output = "text",
) -> int:
    """Label a pod or a namespace: KIND NAME KEY=VALUE…, or KEY- to remove one.

    Parameters
    ----------
    words
        KIND/NAME or KIND NAME, then labels.
    namespace
        Where the pod is.
    name
        Which lab.
    overwrite
        Change a label that has another value.
    output
        Text for people, or JSON.

    """
    from podfence.lab.kinds import references

    named = [word for word in words if "=" not in word and not word.endswith("-")]
    found = references(tuple(named))
    labels = dict(_label(word) for word in words if word not in named)
    if len(found) != 1 or not labels:
        raise UsageError("one object and its labels, as in: podfence lab label pod/db -n shop role=db tier-")
    kind, each = found[0]
    asked = {"reference": (kind, namespace, each), "labels": labels, "overwrite": overwrite}
    return _tell(_ask(name, "label", **asked), output)


def _label(word: str) -> tuple[str, str | None]:
    key, equals, value = word.partition("=")
    return (key, value) if equals else (word.removesuffix("-"), None)


@app.command
def restart(*words: str, namespace: Namespace = "default", name: Name = None, output: Output = "text") -> int:
    """Replace the pods of a workload by new ones, with new names and addresses.

    Parameters
    ----------
    words
        KIND/NAME, as deploy/web.
    namespace
        Where it is.
    name
        Which lab.
    output
        Text for people, or JSON.

    """
    return _tell(_ask(name, "restart", reference=_one(words, namespace)), output)


@app.command
def scale(
    *words: str, replicas: int, namespace: Namespace = "default", name: Name = None, output: Output = "text"
) -> int:
    """Give a workload as many pods.

    Parameters
    ----------
    words
        KIND/NAME, as deploy/web.
    replicas
        How many; 0 is possible.
    namespace
        Where it is.
    name
        Which lab.
    output
        Text for people, or JSON.

    """
    if replicas < 0:
        raise UsageError(f"--replicas {replicas}: there is no such number of pods")
    return _tell(_ask(name, "scale", reference=_one(words, namespace), replicas=replicas), output)


def _one(words: tuple[str, ...], namespace: str) -> tuple[str, str, str]:
    from podfence.lab.kinds import references

    found = references(words)
    if len(found) != 1:
        raise UsageError("one workload, as in: deploy/web")
    kind, each = found[0]
    return (kind, namespace, each)


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
    told = _ask(name, "status")
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


def _ask(name: str | None, command: str, **request: Any) -> dict[str, Any]:
    from podfence.lab.client import Client

    return Client(name).ask(command, **request)


def _tell(told: dict[str, Any], output: str, *, every: bool = False) -> int:
    print(json.dumps({"podfence": 1, **told}) if output == "json" else text.report(told, every=every))
    return 0
