"""From the command line of `lab up` to a running lab. Next: `daemon`, which this forks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from podfence.errors import PodfenceError, UsageError
from podfence.lab import daemon
from podfence.lab.daemon import Order
from podfence.lab.desired import Desired, applied
from podfence.lab.directory import directory
from podfence.lab.trouble import trouble
from podfence.manifests.loaded import Manifests
from podfence.model.address import Address, address
from podfence.sources import read


@dataclass(frozen=True, slots=True)
class Request:
    """What `lab up` was told. `hosts`: each NAME=ADDRESS."""

    sources: tuple[str, ...]
    name: str | None = None
    namespace: str = "default"
    hosts: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    until_exit: int | None = None


def start(request: Request, loaded: Callable[[Manifests], None] = lambda _: None) -> dict[str, Any]:
    """What the lab said when it was up. `loaded` is told what was read, before anything is built."""
    hosts = host_names(request.hosts)
    where = directory(request.name)
    lock = where.take()
    if lock is None:
        raise PodfenceError(
            f"lab {where.name!r} is running already: end it with podfence lab down --name {where.name}, "
            "or choose another --name"
        )
    try:
        manifests = manifests_of(request.sources, request.namespace, request.exclude)
        loaded(manifests)
        if found := trouble():
            raise PodfenceError("no lab can run here", *found)
        desired, _ = applied(Desired(), manifests)
        return _up(Order(where, lock, desired, hosts, request.until_exit))
    except BaseException:
        where.clear()
        raise
    finally:
        os.close(lock)


def _up(order: Order) -> dict[str, Any]:
    for told in daemon.launch(order):
        if error := told.get("error"):
            raise PodfenceError(error, *told.get("details", ()))
        if told.get("done"):
            return {**told, "name": order.directory.name}
    raise PodfenceError("the lab ended before it was up", *_last_words(order))


def _last_words(order: Order, lines: int = 5) -> list[str]:
    try:
        return order.directory.log.read_text(errors="backslashreplace").splitlines()[-lines:]
    except OSError:
        return []


def manifests_of(sources: tuple[str, ...], namespace: str, exclude: tuple[str, ...] = ()) -> Manifests:
    """All or nothing: every problem is listed, and nothing is built."""
    manifests = read(sources, namespace=namespace, exclude=exclude)
    if manifests.refused:
        amount = len(manifests.problems)
        raise PodfenceError(
            f"the input is refused: {amount} problem{'s' * (amount > 1)}", *map(str, manifests.problems)
        )
    return manifests


def host_names(given: Iterable[str]) -> dict[str, tuple[Address, ...]]:
    """NAME=ADDRESS, a name as often as it has addresses."""
    found: dict[str, tuple[Address, ...]] = {}
    for text in given:
        name, equals, where = text.partition("=")
        try:
            found[name] = (*found.get(name, ()), address(where))
        except ValueError as error:
            raise UsageError(f"--host {text!r}: {error}; say NAME=ADDRESS") from None
        if not name or not equals:
            raise UsageError(f"--host {text!r}: say NAME=ADDRESS")
    return found
