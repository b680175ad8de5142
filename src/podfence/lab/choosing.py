"""Which pod somebody means by `ns/name`, `deploy/x` or a bare name; which ends a filter takes. Pure.

A pod goes before a workload. Next: `requests` looks names up here.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from podfence.analysis.ends import Ends
from podfence.errors import PodfenceError, did_you_mean
from podfence.lab.matrix import End
from podfence.model.cluster import Pod, Snapshot


def pod(snapshot: Snapshot, text: str, namespace: str) -> Pod:
    """The one pod, or the first of a workload's, as `kubectl exec deploy/x` takes it."""
    found = (member.pod for member in Ends(snapshot, namespace).find(text).members)
    if (first := next(found, None)) is None:
        raise PodfenceError(f"{text} is not a pod: programs run in pods and external hosts of the lab")
    return first


def _names(pod: Pod) -> tuple[str, ...]:
    return (pod.title, f"{pod.namespace}/{pod.owner.name}") if pod.owner else (pod.title,)


def ends(found: Iterable[End], wanted: Iterable[str], namespace: str) -> list[End]:
    """Those that any of the words names: a pod, a workload, a namespace (`ns/`), an address, or a pattern with stars."""
    everyone = list(found)
    words = list(wanted)
    chosen = [end for end in everyone if not words or any(_meant(end, word, namespace) for word in words)]
    for word in words:
        if not any(_meant(end, word, namespace) for end in everyone):
            names = {
                name for end in everyone for name in ((end.title,) if end.pod is None else _names(end.pod))
            }
            raise PodfenceError(f"nobody in this lab is called {word!r}{did_you_mean(word, names)}")
    return chosen


def _meant(end: End, word: str, namespace: str) -> bool:
    if end.pod is None:
        return fnmatchcase(end.title, word)
    full = word if "/" in word else f"{namespace}/{word}"
    pattern = f"{full}*" if full.endswith("/") else full
    return any(fnmatchcase(name, pattern) for name in _names(end.pod))
