"""SOURCE to manifests: the only place that knows of files, standard input, clusters and labs.

Several sources are merged, the last wins. What is not read is said: an empty answer always has a reason.
Next: `manifests.assume.complete` makes a Snapshot of the answer.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

from podfence.errors import MissingExtraError, PodfenceError, UsageError
from podfence.manifests.gathered import Gathered
from podfence.manifests.load import File, take
from podfence.manifests.loaded import Manifests, Problem, Severity
from podfence.manifests.owners import settled
from podfence.manifests.reading import Context

STDIN = "-"
SUFFIXES = (".yaml", ".yml", ".json")
RENDERED_BY = {
    "Chart.yaml": "helm template {} | podfence check -",
    "kustomization.yaml": "kubectl kustomize {} | podfence check -",
    "kustomization.yml": "kubectl kustomize {} | podfence check -",
    "Kustomization": "kubectl kustomize {} | podfence check -",
}
"""What ends a subtree: its files are templates or parts, and we never run the tools that put them together."""

LIVE: dict[str, Callable[[str, Context], Manifests]] = {}
"""Readers of `cluster:` and `lab:`, by prefix, once their modules are imported."""

_IMPORTED_BY = {"lab": "podfence.lab.source", "cluster": "podfence.kube.source"}


def read(
    sources: Sequence[str], namespace: str = "default", compat: str = "", exclude: Sequence[str] = ()
) -> Manifests:
    """Everything the sources hold. UsageError for a source that does not exist; problems are in the answer."""
    _check(sources)
    context = Context(namespace, compat)
    gathered = Gathered()
    for gathered.source, source in enumerate(sources):
        _read(source, context, exclude, gathered)
    if not gathered.seen and not gathered.problems:
        gathered.problems.append(_nothing(sources, gathered))
    found = settled(gathered.manifests())
    return found if found.objects or found.templates or found.problems else _none_read(sources, found)


def _check(sources: Sequence[str]) -> None:
    if not sources:
        raise UsageError("no SOURCE: name a file, a directory, `-`, `cluster:` or `lab:`")
    if list(sources).count(STDIN) > 1:
        raise UsageError("`-` is standard input, which can be read once only")


def _read(source: str, context: Context, exclude: Sequence[str], gathered: Gathered) -> None:
    prefix, colon, rest = source.partition(":")
    if colon and prefix in _IMPORTED_BY:
        gathered.include(_live(prefix)(rest, context))
    elif source == STDIN:
        take(File("<stdin>", sys.stdin.buffer.read()), context, gathered)
    else:
        _read_path(Path(source), context, exclude, gathered)


def _live(prefix: str) -> Callable[[str, Context], Manifests]:
    """The `read` of its module, which is imported only now."""
    from importlib import import_module

    if prefix not in LIVE:
        try:
            LIVE[prefix] = import_module(_IMPORTED_BY[prefix]).read
        except ModuleNotFoundError as missing:
            raise _unavailable(prefix) from missing
    return LIVE[prefix]


def _unavailable(prefix: str) -> PodfenceError:
    if prefix == "cluster":
        return MissingExtraError("the source cluster:", "live")
    return UsageError(f"the source {prefix}: cannot be read by this version: name files or directories")


def _read_path(path: Path, context: Context, exclude: Sequence[str], gathered: Gathered) -> None:
    if path.is_dir():
        for found in _files(path, exclude, gathered):
            take(File(str(found), found.read_bytes(), outright=False), context, gathered)
    elif path.exists():
        take(File(str(path), path.read_bytes()), context, gathered)
    else:
        raise UsageError(f"{path}: no such file or directory")


def _files(top: Path, exclude: Sequence[str], gathered: Gathered) -> Iterator[Path]:
    """The manifests below a directory in order of name, without hidden entries and symbolic links."""
    waiting = [top]
    while waiting:
        path = waiting.pop()
        if not path.is_dir():
            yield path
            continue
        entries = sorted(path.iterdir())
        if hint := _not_rendered(path, entries):
            gathered.warnings.append(hint)
            continue
        waiting += reversed([each for each in entries if _is_read(each, top, exclude)])


def _is_read(path: Path, top: Path, exclude: Sequence[str]) -> bool:
    if path.name.startswith(".") or path.is_symlink():
        return False
    inside = str(path.relative_to(top))
    if any(fnmatch(inside, pattern) or fnmatch(path.name, pattern) for pattern in exclude):
        return False
    return path.is_dir() or (path.is_file() and path.suffix in SUFFIXES)


def _not_rendered(path: Path, entries: Sequence[Path]) -> Problem | None:
    for entry in entries:
        if entry.name in RENDERED_BY:
            command = RENDERED_BY[entry.name].format(path)
            message = f"not read: its files are not manifests yet; try: {command}"
            return Problem(str(entry), 0, 0, "", "", message, "not-rendered", Severity.INFO)
    return None


def _nothing(sources: Sequence[str], gathered: Gathered) -> Problem:
    """Kubectl refuses to apply nothing, and no answer comes from nothing."""
    skipped = [hint.message for hint in gathered.warnings if hint.code == "not-rendered"]
    reason = f": {skipped[0]}" if skipped else ""
    return Problem(" ".join(sources), 0, 0, "", "", f"no objects in it{reason}", "no-objects")


def _none_read(sources: Sequence[str], found: Manifests) -> Manifests:
    message = "nothing to judge: no object in it is a policy, pod, workload, namespace, service or node"
    said = Problem(" ".join(sources), 0, 0, "", "", message, "none-read", Severity.INFO)
    return replace(found, warnings=(*found.warnings, said))
