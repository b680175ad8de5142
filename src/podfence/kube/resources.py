"""What is read from an API server, and what of it. Next: `access` makes a role of it, `listing` requests."""

from __future__ import annotations

from dataclasses import dataclass, replace

JSON = "application/json"
METADATA = f"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,{JSON}"
"""Asks for labels and owners alone; a server that cannot leaves them whole, which reads the same."""


@dataclass(frozen=True, slots=True)
class Resource:
    """`why` is for the person who is asked to grant it. `optional`: many clusters do not serve it, so have none."""

    group: str
    version: str
    plural: str
    kind: str
    why: str
    accept: str = JSON
    optional: bool = False

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def path(self) -> str:
        """Of the objects of all namespaces."""
        return (
            f"/apis/{self.api_version}/{self.plural}" if self.group else f"/api/{self.version}/{self.plural}"
        )


NAMESPACES = Resource("", "v1", "namespaces", "Namespace", "labels of namespaces", METADATA)
NODES = Resource("", "v1", "nodes", "Node", "addresses of nodes")
PODS = Resource("", "v1", "pods", "Pod", "labels, addresses and ports of pods")
SERVICES = Resource("", "v1", "services", "Service", "Services and their ports")
POLICIES = Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", "the policies")
INGRESSES = Resource("networking.k8s.io", "v1", "ingresses", "Ingress", "ways in from outside")
GATEWAYS = Resource(
    "gateway.networking.k8s.io",
    "v1",
    "gateways",
    "Gateway",
    "ways in, where the Gateway API is",
    optional=True,
)
HTTP_ROUTES = replace(GATEWAYS, plural="httproutes", kind="HTTPRoute", why="where they lead")
REPLICA_SETS = Resource("apps", "v1", "replicasets", "ReplicaSet", "the Deployment of a pod", METADATA)
JOBS = Resource("batch", "v1", "jobs", "Job", "the CronJob of a pod", METADATA)

OBJECTS = (NAMESPACES, NODES, PODS, SERVICES, POLICIES, INGRESSES, GATEWAYS, HTTP_ROUTES)
OWNERS = (REPLICA_SETS, JOBS)
"""Read only where names do not tell who made a pod."""

EVERYTHING = (*OBJECTS, *OWNERS)
