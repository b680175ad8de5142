"""The commands of a lab that change it, with the arguments that kubectl has: `apply`, `delete`, `label`, `restart`, `scale`."""

from __future__ import annotations

import json
from typing import Any

from podfence.cli import lab_text as text
from podfence.cli.lab_arguments import All, Everywhere, Files, Flag, Name, Namespace, Output, ask
from podfence.errors import UsageError


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
    return _tell(ask(name, "apply", objects=objects, templates=templates), output, every=all_)


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
    return _tell(ask(name, "delete", namespace=namespace, **asked), output)


def _of_files(files: tuple[str, ...], namespace: str) -> list[tuple[str, str | None, str]]:
    if not files:
        return []
    from podfence.lab.starting import manifests_of
    from podfence.manifests.loaded import object_key

    manifests = manifests_of(files, namespace)
    keys = map(object_key, (*manifests.objects, *manifests.templates))
    return [(kind, space, each) for kind, space, each in keys]


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
    return _tell(ask(name, "label", **asked), output)


def _label(word: str) -> tuple[str, str | None]:
    key, equals, value = word.partition("=")
    return (key, value) if equals else (word.removesuffix("-"), None)


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
    return _tell(ask(name, "restart", reference=_one(words, namespace)), output)


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
    return _tell(ask(name, "scale", reference=_one(words, namespace), replicas=replicas), output)


def _one(words: tuple[str, ...], namespace: str) -> tuple[str, str, str]:
    from podfence.lab.kinds import references

    found = references(words)
    if len(found) != 1:
        raise UsageError("one workload, as in: deploy/web")
    kind, each = found[0]
    return (kind, namespace, each)


def _tell(told: dict[str, Any], output: str, *, every: bool = False) -> int:
    print(json.dumps({"podfence": 1, **told}) if output == "json" else text.report(told, every=every))
    return 0
