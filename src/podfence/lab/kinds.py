"""How kinds are named on a command line, and how kubectl prints them. Next: `desired`, whose objects these name."""

from __future__ import annotations

from dataclasses import dataclass

from podfence.errors import UsageError, did_you_mean


@dataclass(frozen=True, slots=True)
class KindName:
    """`resource` is what kubectl prints before the slash; `words` is what people type."""

    resource: str
    words: tuple[str, ...]
    cluster_wide: bool = False


KINDS = {
    "Namespace": KindName("namespace", ("namespace", "namespaces", "ns"), cluster_wide=True),
    "Node": KindName("node", ("node", "nodes", "no"), cluster_wide=True),
    "Pod": KindName("pod", ("pod", "pods", "po")),
    "Service": KindName("service", ("service", "services", "svc")),
    "NetworkPolicy": KindName(
        "networkpolicy.networking.k8s.io", ("networkpolicy", "networkpolicies", "netpol")
    ),
    "Deployment": KindName("deployment.apps", ("deployment", "deployments", "deploy")),
    "ReplicaSet": KindName("replicaset.apps", ("replicaset", "replicasets", "rs")),
    "StatefulSet": KindName("statefulset.apps", ("statefulset", "statefulsets", "sts")),
    "DaemonSet": KindName("daemonset.apps", ("daemonset", "daemonsets", "ds")),
    "Job": KindName("job.batch", ("job", "jobs")),
    "CronJob": KindName("cronjob.batch", ("cronjob", "cronjobs", "cj")),
    "ReplicationController": KindName(
        "replicationcontroller", ("replicationcontroller", "replicationcontrollers", "rc")
    ),
}

_BY_WORD = {
    word: kind for kind, named in KINDS.items() for word in (*named.words, named.resource, kind.lower())
}


def resource(kind: str) -> str:
    return KINDS[kind].resource if kind in KINDS else kind.lower()


def kind_of(word: str) -> str:
    """`deploy`, `netpol`, `networkpolicy.networking.k8s.io`: the kind, or an error that names the nearest."""
    found = _BY_WORD.get(word.lower())
    if found is None:
        raise UsageError(f"a lab has no kind {word!r}{did_you_mean(word.lower(), _BY_WORD)}")
    return found


def references(words: tuple[str, ...]) -> list[tuple[str, str]]:
    """`kind/name …` or `kind name …` as (kind, name); a kind alone names nothing yet."""
    if not words:
        return []
    if "/" in words[0]:
        pairs = [word.partition("/") for word in words]
        if any(not name for _, _, name in pairs):
            raise UsageError("either KIND/NAME for each object, or one KIND and its names")
        return [(kind_of(kind), name) for kind, _, name in pairs]
    return [(kind_of(words[0]), name) for name in words[1:]]
