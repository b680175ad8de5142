"""NetworkPolicy as `networking.k8s.io/v1` declares it: names, types, optional fields, and nothing else.

Class names are Go's, because type errors name them. Next: `typed` decodes into shapes, `rules` judges them.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct
from msgspec import field as named

Int32 = Annotated[int, Meta(ge=-(1 << 31), le=(1 << 31) - 1, extra={"go": "int32"})]
Int64 = Annotated[int, Meta(extra={"go": "int64"})]
ProtocolText = Annotated[str, Meta(extra={"go": "v1.Protocol"})]
PolicyType = Annotated[str, Meta(extra={"go": "v1.PolicyType"})]
OperatorText = Annotated[str, Meta(extra={"go": "v1.LabelSelectorOperator"})]
Time = Annotated[str, Meta(extra={"go": "v1.Time"})]
UID = Annotated[str, Meta(extra={"go": "types.UID"})]


class Strict(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A kind of which every field is known: an unknown one refuses the object."""


class LabelSelectorRequirement(Strict, frozen=True):
    key: str | None = None
    operator: OperatorText | None = None
    values: list[str | None] | None = None


class LabelSelector(Strict, frozen=True):
    """`matchLabels` has no null values: what they mean depends on the command that sends them."""

    matchLabels: dict[str, str] | None = None  # noqa: N815  the API's name
    matchExpressions: list[LabelSelectorRequirement | None] | None = None  # noqa: N815


class IPBlock(Strict, frozen=True):
    cidr: str | None = None
    excepts: list[str | None] | None = named(default=None, name="except")


class NetworkPolicyPort(Strict, frozen=True):
    protocol: ProtocolText | None = None
    port: Int32 | str | None = None
    endPort: Int32 | None = None  # noqa: N815


class NetworkPolicyPeer(Strict, frozen=True):
    podSelector: LabelSelector | None = None  # noqa: N815
    namespaceSelector: LabelSelector | None = None  # noqa: N815
    ipBlock: IPBlock | None = None  # noqa: N815


class NetworkPolicyIngressRule(Strict, frozen=True):
    ports: list[NetworkPolicyPort | None] | None = None
    peers: list[NetworkPolicyPeer | None] | None = named(default=None, name="from")


class NetworkPolicyEgressRule(Strict, frozen=True):
    ports: list[NetworkPolicyPort | None] | None = None
    peers: list[NetworkPolicyPeer | None] | None = named(default=None, name="to")


class NetworkPolicySpec(Strict, frozen=True):
    podSelector: LabelSelector | None = None  # noqa: N815
    ingress: list[NetworkPolicyIngressRule | None] | None = None
    egress: list[NetworkPolicyEgressRule | None] | None = None
    policyTypes: list[PolicyType | None] | None = None  # noqa: N815


class OwnerReference(Strict, frozen=True):
    apiVersion: str = ""  # noqa: N815
    kind: str = ""
    name: str = ""
    uid: UID = ""
    controller: bool | None = None
    blockOwnerDeletion: bool | None = None  # noqa: N815


class ObjectMeta(Strict, frozen=True):
    name: str | None = None
    generateName: str | None = None  # noqa: N815
    namespace: str | None = None
    selfLink: str | None = None  # noqa: N815
    uid: UID | None = None
    resourceVersion: str | None = None  # noqa: N815
    generation: Int64 | None = None
    creationTimestamp: Time | None = None  # noqa: N815
    deletionTimestamp: Time | None = None  # noqa: N815
    deletionGracePeriodSeconds: Int64 | None = None  # noqa: N815
    labels: dict[str, str] | None = None
    annotations: dict[str, str | None] | None = None
    ownerReferences: list[OwnerReference] | None = None  # noqa: N815
    finalizers: list[str | None] | None = None
    managedFields: list[Any] | None = None  # noqa: N815


class NetworkPolicy(Strict, frozen=True):
    apiVersion: str | None = None  # noqa: N815
    kind: str | None = None
    metadata: ObjectMeta | None = None
    spec: NetworkPolicySpec | None = None


EMPTY_SELECTOR = LabelSelector()
EMPTY_PEER = NetworkPolicyPeer()
EMPTY_PORT = NetworkPolicyPort()
EMPTY_REQUIREMENT = LabelSelectorRequirement()
