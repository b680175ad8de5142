"""Which pod somebody means by `ns/name`, `deploy/x` or a bare name; which ends a filter takes. Pure.

A pod goes before a workload. Next: `requests` looks names up here.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from podfence.errors import PodfenceError, UsageError, did_you_mean
from podfence.lab.kinds import KINDS, kind_of
from podfence.lab.matrix import End
from podfence.model.cluster import Pod, Snapshot

_WORDS = {word for kind in KINDS.values() for word in kind.words}


def pod(snapshot: Snapshot, text: str, namespace: str) -> Pod:
    """The one pod, or the first of a workload's; an error names what is near."""
    found = _candidates(snapshot, text, namespace)
    alive = sorted((each for each in found if not each.finished), key=lambda each: each.name)
    if alive:
        return alive[0]
    if found:
        raise PodfenceError(f"{found[0].title} has finished: nothing runs there any more")
    names = {name for p in snapshot.pods.values() for name in _names(p)}
    raise PodfenceError(f"no pod or workload {text!r} in this lab{did_you_mean(text, names)}")


def _names(pod: Pod) -> tuple[str, ...]:
    return (pod.title, f"{pod.namespace}/{pod.owner.name}") if pod.owner else (pod.title,)


def _candidates(snapshot: Snapshot, text: str, namespace: str) -> list[Pod]:
    first, slash, second = text.partition("/")
    if slash and first.lower() in _WORDS:
        found = _named(snapshot, namespace, second, kind_of(first))
        if found or first not in snapshot.namespaces:
            return found
    return _named(snapshot, *((first, second) if slash else (namespace, text)))


def _named(snapshot: Snapshot, namespace: str, name: str, kind: str = "") -> list[Pod]:
    exact = snapshot.pods.get((namespace, name))
    if exact and kind in {"", "Pod"}:
        return [exact]
    owned = [
        p for p in snapshot.pods.values() if p.namespace == namespace and p.owner and p.owner.name == name
    ]
    kinds = sorted({p.owner.kind for p in owned if p.owner and kind in {"", p.owner.kind}})
    if len(kinds) > 1:
        ways = " or ".join(f"{KINDS[k].words[0] if k in KINDS else k.lower()}/{name}" for k in kinds)
        raise UsageError(f"{namespace}/{name} is of several kinds: say -n {namespace} {ways}")
    return [p for p in owned if p.owner and p.owner.kind in kinds]


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
