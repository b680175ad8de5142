"""Which reader an object goes to, by group, version and kind; and what is said of kinds that have none.

A new policy API is a reader and a row here. Next: `load`.
"""

from __future__ import annotations

from collections.abc import Callable

from podfence.errors import did_you_mean
from podfence.manifests import cluster, networkpolicy, pods, routes
from podfence.manifests.item import Item
from podfence.manifests.loaded import Severity
from podfence.manifests.reading import Context, Reading
from podfence.manifests.wrong import Wrong

Reader = Callable[[Item, Context], Reading]
GroupVersionKind = tuple[str, str, str]

READERS: dict[GroupVersionKind, Reader] = {
    ("networking.k8s.io", "v1", "NetworkPolicy"): networkpolicy.read,
    ("", "v1", "Pod"): pods.read_pod,
    ("", "v1", "Namespace"): cluster.read_namespace,
    ("", "v1", "Service"): cluster.read_service,
    ("", "v1", "Node"): cluster.read_node,
    ("", "v1", "ReplicationController"): pods.workload("ReplicationController"),
    ("apps", "v1", "Deployment"): pods.workload("Deployment"),
    ("apps", "v1", "ReplicaSet"): pods.workload("ReplicaSet"),
    ("apps", "v1", "StatefulSet"): pods.workload("StatefulSet"),
    ("apps", "v1", "DaemonSet"): pods.workload("DaemonSet"),
    ("batch", "v1", "Job"): pods.workload("Job"),
    ("batch", "v1", "CronJob"): pods.read_cron_job,
    ("networking.k8s.io", "v1", "Ingress"): routes.read_ingress,
    (routes.GATEWAY_GROUP, "v1", "Gateway"): routes.read_gateway,
    (routes.GATEWAY_GROUP, "v1", "HTTPRoute"): routes.read_http_route,
}

STRICT = frozenset({("networking.k8s.io", "v1", "NetworkPolicy")})
"""Kinds of which every field is known, so that a key written twice is refused in JSON too."""

_LISTED = frozenset(kind for _, _, kind in READERS)

NOT_JUDGED = frozenset(
    {
        ("policy.networking.k8s.io", "ClusterNetworkPolicy"),
        ("policy.networking.k8s.io", "AdminNetworkPolicy"),
        ("policy.networking.k8s.io", "BaselineAdminNetworkPolicy"),
        ("cilium.io", "CiliumNetworkPolicy"),
        ("cilium.io", "CiliumClusterwideNetworkPolicy"),
        ("crd.projectcalico.org", "NetworkPolicy"),
        ("crd.projectcalico.org", "GlobalNetworkPolicy"),
        ("projectcalico.org", "NetworkPolicy"),
        ("projectcalico.org", "GlobalNetworkPolicy"),
        ("crd.antrea.io", "NetworkPolicy"),
        ("crd.antrea.io", "ClusterNetworkPolicy"),
        ("networking.k8s.aws", "ClusterNetworkPolicy"),
        ("networking.k8s.aws", "ApplicationNetworkPolicy"),
        ("vpcresources.k8s.aws", "SecurityGroupPolicy"),
    }
)
"""Policies of other APIs: what they allow or deny is missing from every answer."""

_NETWORKING = ("Ingress", "IngressClass", "IPAddress", "NetworkPolicy", "ServiceCIDR")
_OURS = ("", "networking.k8s.io", "extensions", "apps")


def group_version_kind(api_version: str, kind: str) -> GroupVersionKind:
    group, _, version = api_version.rpartition("/")
    return (group, version, kind)


def listed_kind(kind: str) -> str | None:
    """What a List holds: "" when its items must say; None when this kind is no List."""
    if kind == "List":
        return ""
    return kind.removesuffix("List") if kind.endswith("List") else None


def holds_known(kind: str) -> bool:
    return listed_kind(kind) == "" or listed_kind(kind) in _LISTED


def without_reader(key: GroupVersionKind) -> Wrong | None:
    """What to say of an object that nobody reads. Most kinds have nothing to do with who reaches whom."""
    group, version, kind = key
    api_version = f"{group}/{version}" if group else version
    if (group, kind) in NOT_JUDGED:
        message = f"{kind} of {api_version} is not judged: answers leave out what it allows and denies"
        return Wrong((), message, "not-judged", Severity.WARNING, accepted=True)
    no_match = f'no matches for kind "{kind}" in version "{api_version}"'
    if group == "networking.k8s.io" and (kind not in _NETWORKING or kind == "NetworkPolicy"):
        near = did_you_mean(kind, _NETWORKING) if kind not in _NETWORKING else "; use networking.k8s.io/v1"
        return Wrong(("kind",), no_match + near, "unknown-version")
    if kind.lower() == "networkpolicy" and group in _OURS:
        message = f"{no_match}; use kind: NetworkPolicy and apiVersion: networking.k8s.io/v1"
        return Wrong(("apiVersion",), message, "unknown-version")
    if any(known[0] in (group, "apps", "batch") and known[2] == kind for known in READERS if group in _OLD):
        return Wrong(("apiVersion",), f"{no_match}: not read", "old-version", Severity.WARNING, accepted=True)
    return None


_OLD = frozenset({"", "apps", "batch", "extensions"})
