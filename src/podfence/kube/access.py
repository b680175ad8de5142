"""The role that reading a cluster needs: the same list that is read, so that neither can know more than the other.

Next: `podfence rbac` prints it; `source` names the missing line of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from podfence.errors import UsageError
from podfence.kube.resources import EVERYTHING, Resource

ROLE = "podfence-read"
API_GROUP = "rbac.authorization.k8s.io"
ACCOUNT = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class Bound:
    """Who gets the role; `namespace` is a service account's."""

    kind: str
    name: str
    namespace: str = ""


def service_account(text: str) -> Bound:
    """Written as the API server names it: `system:serviceaccount:NAMESPACE:NAME`."""
    namespace, _, name = text.removeprefix(ACCOUNT).partition(":")
    if not text.startswith(ACCOUNT) or not namespace or not name or ":" in name:
        raise UsageError(
            f"{text!r} is no service account: write {ACCOUNT}NAMESPACE:NAME, or --user for other names"
        )
    return Bound("ServiceAccount", name, namespace)


def rule(resources: Iterable[Resource]) -> str:
    """One line of a role, for resources of one group."""
    several = list(resources)
    plurals = ", ".join(each.plural for each in several)
    return f'{{apiGroups: ["{several[0].group}"], resources: [{plurals}], verbs: [list]}}'


def role() -> str:
    """The ClusterRole as YAML, every resource with its reason."""
    return "\n".join(_role_lines()) + "\n"


def _role_lines() -> Iterator[str]:
    yield from _head("ClusterRole")
    yield "rules:"
    for _, several in groupby(EVERYTHING, key=lambda each: each.group):
        resources = list(several)
        yield from (f"  # {each.plural}: {each.why}" for each in resources)
        yield f"  - {rule(resources)}"


def binding(bound: Bound) -> str:
    """The ClusterRoleBinding as YAML. Names are anybody's: quoted, they cannot say anything else."""
    lines = [
        *_head("ClusterRoleBinding"),
        f"roleRef: {{apiGroup: {API_GROUP}, kind: ClusterRole, name: {ROLE}}}",
        f"subjects: [{json.dumps(_subject(bound))}]",
    ]
    return "\n".join(lines) + "\n"


def _head(kind: str) -> tuple[str, ...]:
    return (f"apiVersion: {API_GROUP}/v1", f"kind: {kind}", f"metadata: {{name: {ROLE}}}")


def _subject(bound: Bound) -> dict[str, str]:
    where = {"namespace": bound.namespace} if bound.namespace else {"apiGroup": API_GROUP}
    return {"kind": bound.kind, "name": bound.name, **where}
