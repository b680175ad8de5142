"""How far a long answer has come: on a terminal, on stderr, from the first second on, and gone when it is there."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Timer
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE = 0.7
"""Seconds without a bar: most answers are there by then, and the library to draw one takes time itself."""

Thing = TypeVar("Thing")


class Bar:
    """Says what is being done; how much of it, where that is known."""

    def __init__(self) -> None:
        self._says, self._done, self._total = "", 0, 0
        self._drawn: Progress | None = None
        self._timer = Timer(PATIENCE, self._draw)
        self._timer.daemon = True
        self._timer.start()

    def says(self, what: str, total: int = 0) -> None:
        self._says, self._done, self._total = what, 0, total
        self._update()

    def counted(self, things: Iterable[Thing]) -> Iterator[Thing]:
        for self._done, thing in enumerate(things):
            if not self._done % 64:
                self._update()
            yield thing

    def close(self) -> None:
        self._timer.cancel()
        self._timer.join()
        if self._drawn:
            self._drawn.stop()
            self._drawn = None

    def _draw(self) -> None:
        from rich.console import Console
        from rich.progress import Progress

        self._drawn = Progress(
            console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False
        )
        self._drawn.add_task(self._says, total=self._total or None)
        self._drawn.start()

    def _update(self) -> None:
        if self._drawn and self._drawn.tasks:
            task = self._drawn.tasks[0].id
            self._drawn.update(task, description=self._says, total=self._total or None, completed=self._done)


class Silence(Bar):
    """Nobody watches."""

    def __init__(self) -> None:
        pass

    def says(self, what: str, total: int = 0) -> None:
        pass

    def counted(self, things: Iterable[Thing]) -> Iterator[Thing]:
        return iter(things)

    def close(self) -> None:
        pass


@contextmanager
def progress() -> Iterator[Bar]:
    """A bar where somebody watches, and where it would not stand among the lines of the answer."""
    watched = sys.stderr.isatty()
    bar = Bar() if watched else Silence()
    try:
        yield bar
    finally:
        bar.close()
