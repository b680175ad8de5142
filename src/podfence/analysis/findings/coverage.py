"""Namespaces and pods that policies leave out, and policies that stand where nobody looks. Next: `redundancy`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from podfence.analysis.findings.evidence import ALWAYS_THERE, Alike, Evidence
from podfence.analysis.findings.finding import Finding, Spot, about, note
from podfence.analysis.findings.labels import listed
from podfence.manifests.loaded import Severity
from podfence.model.labels import EVERYTHING
from podfence.model.policy import NOWHERE_KNOWN, Direction, Place, Policy, Rule

DEFAULT = "default"


def find(evidence: Evidence) -> Iterator[Finding]:
    homes: dict[str, list[Policy]] = defaultdict(list)
    for policy in evidence.policies:
        homes[policy.namespace].append(policy)
        yield from _missing_namespace(evidence, policy)
        yield from _by_omission(evidence, policy)
    for name in sorted(evidence.by_namespace):
        yield from _open(evidence, name, homes.get(name, ()))
        yield from _unprotected(evidence, name)


def _missing_namespace(evidence: Evidence, policy: Policy) -> Iterator[Finding]:
    """Where Namespaces are given, and nothing else says that this one exists."""
    name = policy.namespace
    if evidence.namespaces and name not in evidence.names | evidence.inhabited | ALWAYS_THERE:
        message = f"the input has no namespace {name}, and nothing else in it"
        known = listed(sorted(evidence.namespaces))
        remedy = f"mend the name (there are {known}), or give its Namespace too"
        yield about(Spot(policy, "metadata.namespace"), "missing-namespace", message, remedy)


def _by_omission(evidence: Evidence, policy: Policy) -> Iterator[Finding]:
    """Doubtful where all pods live elsewhere: a policy protects nobody outside of its namespace."""
    if policy.namespace != DEFAULT or not policy.places or "metadata.namespace" in policy.places:
        return
    if evidence.by_namespace and DEFAULT not in evidence.by_namespace:
        message = "without metadata.namespace this policy is one of namespace default, which has no pods here"
        remedy = (
            f"write the namespace (pods are in {listed(sorted(evidence.by_namespace))}), or say it with -n"
        )
        yield note(Spot(policy, "metadata"), "default-namespace", message, remedy)


def _open(evidence: Evidence, name: str, policies: Sequence[Policy]) -> Iterator[Finding]:
    """A namespace without any policy is told with its pods."""
    if policies and not any(_isolates_all(policy) for policy in policies):
        message = f"no policy isolates every pod of {name} for ingress: a pod that none selects is open"
        remedy = "add a policy with podSelector {} and policyTypes [Ingress]"
        yield _of_namespace(evidence, name, "no-default-deny", message, remedy)


def _isolates_all(policy: Policy) -> bool:
    rules = policy.rules(Direction.INGRESS)
    return (
        policy.subject.pods == EVERYTHING and Direction.INGRESS in policy.directions and Rule() not in rules
    )


def _unprotected(evidence: Evidence, name: str) -> Iterator[Finding]:
    free = [alike for alike in evidence.by_namespace[name] if _is_free(evidence, alike)]
    if free:
        who = listed(sorted({alike.title for alike in free}))
        message = f"no policy selects {who}: nothing limits what they send and receive"
        yield _of_namespace(evidence, name, "unprotected-pods", message, "select them by a policy")


def _is_free(evidence: Evidence, alike: Alike) -> bool:
    """On the host network no policy could."""
    return not alike.pod.host_network and not any(alike in rows for rows in evidence.applying.values())


def _of_namespace(evidence: Evidence, name: str, code: str, message: str, remedy: str) -> Finding:
    return Finding(code, Severity.INFO, _place(evidence, name), f"Namespace {name}", "", message, remedy)


def _place(evidence: Evidence, name: str) -> Place:
    """The Namespace's, else that of one of its pods or of its workload."""
    first = evidence.by_namespace[name][0].pod
    owner = [(first.owner.kind, name, first.owner.name)] if first.owner else []
    keys = [("Namespace", "", name), *owner, ("Pod", name, first.name)]
    return next((evidence.places[key] for key in keys if key in evidence.places), NOWHERE_KNOWN)
