"""Which API server, whom to trust and who asks: kubeconfig files as kubectl reads them, or a pod's own account.

Files of `$KUBECONFIG` are merged, the first that names something wins; relative paths start at the file they stand in.
Next: `credentials` obtains what the user shows, `client` connects.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from podfence.errors import PodfenceError, did_you_mean
from podfence.kube.kubeconfig_file import Cluster, File, Named, User

ACCOUNT_DIRECTORY = Path("/var/run/secrets/kubernetes.io/serviceaccount")

Part = TypeVar("Part")


class KubeconfigError(PodfenceError):
    """A kubeconfig that leads nowhere. Names the file or the context, and the way out."""


@dataclass(frozen=True, slots=True)
class Access:
    """A server and the user who asks it. `directory` is where the user's relative paths start."""

    name: str
    server: str
    cluster: Cluster
    user: User
    directory: Path
    authority: str = ""


@dataclass(frozen=True, slots=True)
class _Read:
    directory: Path
    content: File


def find(context: str, environment: Mapping[str, str], account: Path = ACCOUNT_DIRECTORY) -> Access:
    """The named context, else the current one, else the account of the pod this runs in."""
    paths = _paths(environment)
    if not paths and not context and "KUBERNETES_SERVICE_HOST" in environment:
        return _in_cluster(environment, account)
    if not paths:
        raise KubeconfigError(
            "no kubeconfig: neither $KUBECONFIG nor ~/.kube/config names a cluster; "
            "`kubectl config view` shows what kubectl uses"
        )
    return chosen(context, [_read(path) for path in paths])


def _paths(environment: Mapping[str, str]) -> list[Path]:
    """Kubectl passes over files of the list that do not exist, but not over all of them."""
    listed = [Path(each).expanduser() for each in environment.get("KUBECONFIG", "").split(":") if each]
    usual = Path(environment.get("HOME", "~")).expanduser() / ".kube" / "config"
    found = [path for path in listed or [usual] if path.exists()]
    if listed and not found:
        raise KubeconfigError(f"$KUBECONFIG names {', '.join(map(str, listed))}: no such file")
    return found


def _read(path: Path) -> _Read:
    import yaml

    try:
        document = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
        content = msgspec.convert({} if document is None else document, File)
    except yaml.YAMLError as wrong:
        raise KubeconfigError(f"{path}: not YAML: {' '.join(str(wrong).split())}") from wrong
    except msgspec.ValidationError as wrong:
        raise KubeconfigError(f"{path}: not a kubeconfig: {wrong}") from wrong
    return _Read(path.parent.absolute(), content)


def chosen(context: str, files: Sequence[_Read]) -> Access:
    """What a context names, out of all files."""
    contexts = _merged((each.directory, each.content.contexts) for each in files)
    name = context or next((each.content.current for each in files if each.content.current), "")
    if name not in contexts:
        raise KubeconfigError(_no_context(name, contexts))
    _, found = contexts[name]
    clusters = _merged((each.directory, each.content.clusters) for each in files)
    users = {"": (Path(), User()), **_merged((each.directory, each.content.users) for each in files)}
    if found.cluster not in clusters or found.user not in users:
        missing = f"cluster {found.cluster!r}" if found.cluster not in clusters else f"user {found.user!r}"
        raise KubeconfigError(f"context {name!r} names {missing}, which the kubeconfig does not have")
    (where, cluster), (directory, user) = clusters[found.cluster], users[found.user]
    authority = text_of(where, cluster.authority_data, cluster.authority)
    return Access(name, cluster.server.rstrip("/"), cluster, user, directory, authority)


def _merged(parts: Iterable[tuple[Path, Sequence[Named[Part]] | None]]) -> dict[str, tuple[Path, Part]]:
    """Everything of one sort by name, with the directory it comes from."""
    found: dict[str, tuple[Path, Part]] = {}
    for directory, entries in parts:
        for entry in entries or ():
            found.setdefault(entry.name, (directory, entry.value))
    return found


def _no_context(name: str, contexts: Mapping[str, object]) -> str:
    known = ", ".join(sorted(contexts)) or "none"
    if not name:
        return f"the kubeconfig has no current context: name one, cluster:CONTEXT; it has {known}"
    return f"the kubeconfig has no context {name!r}{did_you_mean(name, contexts) or f'; it has {known}'}"


def text_of(directory: Path, encoded: str, file: str) -> str:
    """PEM from base64 or from a file; empty when neither is written. What is written inline wins, as in kubectl."""
    if encoded:
        try:
            return base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as wrong:
            raise KubeconfigError(
                f"the kubeconfig has certificate data that is no base64: {wrong}"
            ) from wrong
    return (directory / file).read_text() if file else ""


def _in_cluster(environment: Mapping[str, str], account: Path) -> Access:
    host, port = environment["KUBERNETES_SERVICE_HOST"], environment.get("KUBERNETES_SERVICE_PORT", "443")
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    if not (account / "token").exists():
        raise KubeconfigError(
            f"this pod has no service account token at {account}: "
            "set automountServiceAccountToken, or give $KUBECONFIG"
        )
    user = User(token_file=str(account / "token"))
    return Access("", server, Cluster(server), user, account, (account / "ca.crt").read_text())
