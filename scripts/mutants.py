#!/usr/bin/env python3
"""Prove that tests can fail: plant known faults one at a time, and list those that no test notices.

    scripts/mutants.py                       all of them
    scripts/mutants.py except-ignored ...    some, by name

A mutant is an exact replacement of source text; `scripts/mutants/*.toml` has them, each file with the tests that
must notice its faults, fast ones first; a mutant may name tests to `first` ask alone. It is applied to a copy of the tree, never to the checkout, and the tests
run in the copy until the first one fails. The control, a copy without a fault, must pass all of them: else a
failure means nothing. Ends with 1 when a mutant survives, or when its text no longer occurs exactly once.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TOGETHER = 2
SECONDS = 600
"""For one stage of a mutant; a single test has a fifth of it."""

PATIENCE = 10
"""For pytest to end what it has started, when it is interrupted."""

PYTEST = ("-x", "-q", "-rfE", "--tb=no", "-p", "no:cacheprovider", "--hypothesis-profile=mutants")
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
PASSED, TESTS_FAILED = 0, 1


@dataclass(frozen=True, slots=True)
class Edit:
    """`file` stands under `src/podfence`."""

    file: str
    old: str
    new: str

    def place(self, tree: Path) -> Path:
        return tree / "src" / "podfence" / self.file

    def occurs(self, tree: Path) -> int:
        place = self.place(tree)
        return place.read_text().count(self.old) if place.exists() else 0

    def apply(self, tree: Path) -> None:
        place = self.place(tree)
        place.write_text(place.read_text().replace(self.old, self.new))


@dataclass(frozen=True, slots=True)
class Mutant:
    """`stages`: tests that run together, until some of them fail."""

    name: str
    breaks: str
    edits: tuple[Edit, ...]
    stages: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`by` is the test that failed; where there is none, `trouble` may say why nothing can be said."""

    mutant: Mutant
    seconds: float
    by: str = ""
    trouble: str = ""

    @property
    def good(self) -> bool:
        return not self.trouble and bool(self.by) is bool(self.mutant.edits)

    def __str__(self) -> str:
        fate = self.trouble or self.by or ("survived" if self.mutant.edits else "passes, as it must")
        sign = "  " if self.good else "! "
        return f"{sign}{self.mutant.name:34} {self.mutant.breaks:58} {self.seconds:5.1f} s  {fate}"


def main(names: list[str]) -> int:
    mutants = [mutant for mutant in _all() if not names or mutant.name in names]
    if unknown := set(names) - {mutant.name for mutant in mutants}:
        print(f"no mutant is called {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="podfence-mutants-") as directory:
        tree = Path(directory) / "tree"
        shutil.copytree(ROOT, tree, ignore=_hidden)
        if stale := list(_stale(mutants, tree)):
            print(*stale, sep="\n", file=sys.stderr)
            return 1
        return _report(_outcomes([_control(mutants), *mutants], tree))


def _all() -> list[Mutant]:
    return [
        mutant for file in sorted((ROOT / "scripts" / "mutants").glob("*.toml")) for mutant in _read(file)
    ]


def _read(file: Path) -> Iterator[Mutant]:
    written = tomllib.loads(file.read_text())
    for each in written["mutant"]:
        edits = (Edit(part["file"], part["old"], part["new"]) for part in (each, *each.get("also", ())))
        yield Mutant(each["name"], each["breaks"], tuple(edits), tuple(_stages(each, written)))


def _stages(mutant: dict[str, Any], written: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    if first := mutant.get("first", written.get("first")):
        yield tuple(first)
    yield tuple(written["tests"])


def _control(mutants: Iterable[Mutant]) -> Mutant:
    tests = dict.fromkeys(test for mutant in mutants for stage in mutant.stages for test in stage)
    return Mutant("control", "nothing", (), tuple((test,) for test in tests))


def _stale(mutants: Iterable[Mutant], tree: Path) -> Iterator[str]:
    """What no longer fits the sources, each with the way out."""
    for mutant in mutants:
        for edit in mutant.edits:
            if (found := edit.occurs(tree)) != 1:
                yield f"{mutant.name}: its text occurs {found} times in {edit.file}, not once: write it anew"
        for test in (test for stage in mutant.stages for test in stage):
            if not (tree / test.partition("::")[0]).exists():
                yield f"{mutant.name}: there is no {test}: name the tests that took its place"


def _outcomes(mutants: list[Mutant], tree: Path) -> Iterator[Outcome]:
    """As they come; the control, which takes longest, is the first to begin."""
    with ThreadPoolExecutor(TOGETHER) as pool:
        trying = [pool.submit(_try, mutant, tree) for mutant in mutants]
        try:
            for tried in as_completed(trying):
                yield tried.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _report(outcomes: Iterable[Outcome]) -> int:
    begun, bad, count = time.monotonic(), [], 0
    for outcome in outcomes:
        print(outcome, flush=True)
        bad += [] if outcome.good else [outcome.mutant.name]
        count += bool(outcome.mutant.edits)
    minutes, seconds = divmod(round(time.monotonic() - begun), 60)
    print(f"{count} mutants in {minutes}:{seconds:02}; not as they must be: {', '.join(bad) or 'none'}")
    return 1 if bad else 0


def _try(mutant: Mutant, tree: Path) -> Outcome:
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="podfence-mutant-") as directory:
        copy = Path(directory) / "tree"
        shutil.copytree(tree, copy)
        for edit in mutant.edits:
            edit.apply(copy)
        status, said = _run_stages(mutant, copy)
    seconds = time.monotonic() - begun
    by = FAILED.search(said)
    if status == TESTS_FAILED and by:
        return Outcome(mutant, seconds, by[1])
    trouble = "" if status == PASSED else f"pytest ended with {status}: {said.strip()[-200:]!r}"
    return Outcome(mutant, seconds, trouble=trouble)


def _run_stages(mutant: Mutant, copy: Path) -> tuple[int | str, str]:
    status, said = _run_tests(mutant.stages[0], copy)
    for stage in mutant.stages[1:]:
        if status == PASSED:
            status, said = _run_tests(stage, copy)
    return status, said


def _run_tests(tests: tuple[str, ...], copy: Path) -> tuple[int | str, str]:
    """The copy's sources stand before the installed ones. Interrupted, pytest ends what it has started."""
    command = [sys.executable, "-m", "pytest", *PYTEST, f"--timeout={SECONDS // 5}", *tests]
    environment = os.environ | {"PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    running = subprocess.Popen(
        command, cwd=copy, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        said, _ = running.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        running.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            running.wait(PATIENCE)
        running.kill()
        running.communicate()
        return f"no answer after {SECONDS} s", ""
    return running.returncode, said


def _hidden(directory: str, names: list[str]) -> set[str]:
    """The virtual environment, caches, history."""
    return {name for name in names if name.startswith(".") and Path(directory) == ROOT}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
