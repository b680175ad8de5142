"""What a lab can be asked, one function for each command: a request in, the final answer out.

Requests come from processes of the same user, through a socket only they can open; they are read with care all the same.
Next: `daemon` accepts them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Mapping

from podfence.errors import PodfenceError
from podfence.lab import choosing, desired, matrix, resolver, telling, wire
from podfence.lab.desired import Desired, Edit
from podfence.lab.protocol import Connection
from podfence.lab.running import Running
from podfence.lab.telling import Json
from podfence.lab.topology import Place, host_place
from podfence.manifests.loaded import Manifests, ObjectKey, object_key
from podfence.model.address import address
from podfence.model.cluster import Pod, Snapshot

Command = Callable[[Running, Json, Connection], Awaitable[Json]]


async def apply(running: Running, request: Json, _: Connection) -> Json:
    objects, templates = wire.decode(request["objects"]), wire.decode(request["templates"])
    manifests = Manifests(objects, templates)
    return await _changed(running, lambda held, _: desired.applied(held, manifests))


async def delete(running: Running, request: Json, _: Connection) -> Json:
    def edit(held: Desired, snapshot: Snapshot) -> Edit:
        return desired.deleted(held, list(_meant(held, snapshot, request)))

    return await _changed(running, edit)


def _meant(held: Desired, snapshot: Snapshot, request: Json) -> list[ObjectKey]:
    """Those that are named, or all of a kind: in one namespace, or in every one."""
    namespace = request["namespace"]
    if request.get("all"):
        kind, everywhere = request["kind"], request.get("everywhere")
        known = {*held.things, *map(object_key, desired.existing(snapshot))}
        keys = sorted(k for k in known if k[0] == kind and (everywhere or k[1] in {"", namespace}))
    else:
        found = ((kind, space or namespace, name) for kind, space, name in request["references"])
        keys = [desired.find(held, snapshot, *each) for each in found]
    for key in keys:
        _refuse_made_up(held, snapshot, key)
    return keys


def _refuse_made_up(held: Desired, snapshot: Snapshot, key: ObjectKey) -> None:
    """Deleting what follows from something else would only bring it back."""
    pod = snapshot.pods.get(key[1:]) if key[0] == "Pod" else None
    if key in held.things or key[0] == "Namespace":
        return
    if pod and pod.owner:
        owner = f"{pod.owner.kind.lower()}/{pod.owner.name}"
        raise PodfenceError(
            f"{pod.title} belongs to {owner}, which would make it again: restart, scale or delete that"
        )
    raise PodfenceError(
        f"{key[0]} {key[2]} was not in the input but follows from it: it goes with what needs it"
    )


async def label(running: Running, request: Json, _: Connection) -> Json:
    def edit(held: Desired, snapshot: Snapshot) -> Edit:
        kind, namespace, name = request["reference"]
        key = desired.find(held, snapshot, kind, namespace, name)
        thing = snapshot.pods.get(key[1:]) if kind == "Pod" else snapshot.namespaces.get(name)
        if kind not in {"Pod", "Namespace"} or thing is None:
            raise PodfenceError(
                f"no policy sees labels of a {kind}: label pods or namespaces, or apply another template"
            )
        return desired.labelled(held, key, thing.labels, request["labels"], overwrite=request["overwrite"])

    return await _changed(running, edit)


async def restart(running: Running, request: Json, _: Connection) -> Json:
    return await _changed(running, lambda held, seen: desired.restarted(held, _key(held, seen, request)))


async def scale(running: Running, request: Json, _: Connection) -> Json:
    replicas = int(request["replicas"])
    return await _changed(
        running, lambda held, seen: desired.scaled(held, _key(held, seen, request), replicas)
    )


def _key(held: Desired, snapshot: Snapshot, request: Json) -> ObjectKey:
    kind, namespace, name = request["reference"]
    return desired.find(held, snapshot, kind, namespace, name)


async def _changed(running: Running, edit: Callable[[Desired, Snapshot], Edit]) -> Json:
    return telling.report(running, await running.change(edit))


async def status(running: Running, _: Json, __: Connection) -> Json:
    return telling.status(running, running.since)


async def snapshot(running: Running, _: Json, __: Connection) -> Json:
    """For those who ask questions of a lab: `lab:NAME` as a SOURCE."""
    return {"snapshot": wire.encode(running.snapshot)}


async def probe(running: Running, request: Json, _: Connection) -> Json:
    begun = time.perf_counter()
    ends = running.ends()
    sources = choosing.ends(ends, request.get("from", []), request["namespace"])
    destinations = choosing.ends(ends, request.get("to", []), request["namespace"])
    asked = list(matrix.direct(sources, destinations))
    if request.get("services"):
        asked += matrix.by_service(running.snapshot, sources, destinations)
    found = await running.measure(asked)
    return {
        "probes": telling.probes(found),
        "ends": [end.title for end in ends],
        "shown": telling.shown(running.snapshot),
        "packets": len(asked),
        "milliseconds": (time.perf_counter() - begun) * 1000,
    }


async def enter(running: Running, request: Json, connection: Connection) -> Json:
    """The namespaces of a pod, and what its programs find in /etc."""
    where, pod = _where(running, request["end"], request["namespace"])
    user = os.open("/proc/self/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    try:
        connection.pass_on([user, running.fabric.namespace(where)])
    finally:
        os.close(user)
    seen = running.snapshot
    files = {"resolv.conf": resolver.configuration(seen, pod), "hosts": resolver.host_file(pod)}
    return {"name": pod.title, "host_name": pod.name, "files": files, "moment": time.time()}


def _where(running: Running, text: str, namespace: str) -> tuple[Place, Pod]:
    """A pod, or an external host, which is nobody's pod but has an address too."""
    for outside in running.outside:
        if text == str(outside):
            return host_place(outside), Pod("default", text, addresses=(address(text),))
    pod = choosing.pod(running.snapshot, text, namespace)
    return running.fabric.topology.home(pod), pod


async def denials(running: Running, request: Json, _: Connection) -> Json:
    found = running.enforcers.denials.since(float(request.get("since", 0)))
    of = request.get("of")
    return {"denials": [telling.denied(d) for d in found if of is None or of in {d.source, d.destination}]}


COMMANDS: Mapping[str, Command] = {
    "apply": apply,
    "delete": delete,
    "label": label,
    "restart": restart,
    "scale": scale,
    "status": status,
    "snapshot": snapshot,
    "probe": probe,
    "enter": enter,
    "denials": denials,
}


async def answer(running: Running, request: Json, connection: Connection) -> Json:
    """The final answer; a refusal is one too."""
    command = COMMANDS.get(str(request.get("command")))
    if command is None:
        return {
            "error": f"this lab knows no command {request.get('command')!r}: it may be of another version"
        }
    try:
        return {"done": True, **await command(running, request, connection)}
    except PodfenceError as error:
        return {"error": error.message, "details": list(error.details)}
    except (KeyError, TypeError, ValueError) as error:
        return {"error": f"the request cannot be read: {type(error).__name__} {error}"}
