"""Policies and peers that select nothing: no namespace, no pod, or only pods that policies do not see.

A selection is judged where the input has pods of the namespaces it looks into; what comes of nothing being
known there is a note, not a doubt. Next: `ports`.
"""

from __future__ import annotations

from collections.abc import Iterator

from podfence.analysis.findings.evidence import ALWAYS_THERE, Evidence, selections
from podfence.analysis.findings.finding import Finding, Spot, about, note, peers
from podfence.analysis.findings.labels import Vocabulary, corrected, listed, seen_values
from podfence.model.labels import EVERYTHING, NAMESPACE_NAME_LABEL, Selector
from podfence.model.policy import PodSelection, Policy, Rule


def find(evidence: Evidence) -> Iterator[Finding]:
    words = Vocabulary(evidence)
    for policy in evidence.policies:
        yield from _subject(words, policy)
        for spot, rule, peer in peers(policy):
            if isinstance(peer, PodSelection):
                yield from _confused(evidence, spot, rule, peer) or _peer(words, spot, peer)


def _subject(words: Vocabulary, policy: Policy) -> Iterator[Finding]:
    """A policy for all pods of a namespace may well be there before them."""
    evidence, subject = words.evidence, policy.subject
    spot = Spot(policy, "spec.podSelector")
    if not evidence.pods:
        return
    if evidence.matching(subject):
        yield from _on_host(evidence, spot, subject)
    elif subject.pods != EVERYTHING:
        yield _nothing(words, spot, subject)


def _peer(words: Vocabulary, spot: Spot, peer: PodSelection) -> Iterator[Finding]:
    evidence = words.evidence
    if isinstance(peer.namespaces, Selector):
        if not _judged(evidence, peer.namespaces):
            return
        if not evidence.homes(peer):
            yield from _no_namespace(words, spot, peer.namespaces)
            return
    if not evidence.pods:
        return
    if evidence.matching(peer):
        yield from _on_host(evidence, spot, peer)
    elif isinstance(peer.namespaces, Selector) or peer.pods != EVERYTHING:
        yield _nothing(words, spot, peer)


def _confused(evidence: Evidence, spot: Spot, rule: Rule, peer: PodSelection) -> list[Finding]:
    """Pods that are not at home, and are in the namespaces of another item: both were meant as one."""
    if not isinstance(peer.namespaces, str) or peer.pods == EVERYTHING or evidence.matching(peer):
        return []
    for other in selections(rule):
        if isinstance(other.namespaces, Selector) and other.pods == EVERYTHING:
            meant = evidence.selected(PodSelection(other.namespaces, peer.pods))
            if meant:
                message = (
                    f"namespaces with {other.namespaces} are one peer, all their pods; {peer.pods} is another, "
                    f"and no pod of {peer.namespaces} has it"
                )
                remedy = "for such pods in those namespaces only, remove the dash between the two selectors"
                return [about(spot, "separate-peers", message, remedy)]
    return []


def _judged(evidence: Evidence, namespaces: Selector) -> bool:
    """Labels of namespaces that are not given are not known; their names are."""
    return bool(evidence.namespaces) or namespaces.keys <= {NAMESPACE_NAME_LABEL}


def _no_namespace(words: Vocabulary, spot: Spot, selector: Selector) -> Iterator[Finding]:
    """Some namespaces are in every cluster, and seldom in a repository."""
    missing = not any(selector.matches({NAMESPACE_NAME_LABEL: name}) for name in ALWAYS_THERE)
    if not words.evidence.namespaces or not missing:
        return
    if found := corrected(words, selector):
        yield about(spot, "label-typo", *found)
        return
    message = f"no namespace of the input has {selector}, so this peer is nobody"
    remedy = f"a namespaceSelector reads labels of Namespaces: {seen_values(words.namespaces, selector)}"
    yield about(spot, "unknown-namespace", message, remedy)


def _nothing(words: Vocabulary, spot: Spot, selection: PodSelection) -> Finding:
    evidence = words.evidence
    homes = [home for home in sorted(evidence.homes(selection)) if home in evidence.by_namespace]
    elsewhere = _elsewhere(evidence, selection)
    where = _where(selection)
    if homes and (found := corrected(words, selection.pods, selection)):
        return about(spot, "label-typo", *found)
    if not homes and not elsewhere:
        message = f"the input has no pods in {where}: whether any has {selection.pods} is not known"
        return note(spot, "selects-nothing", message, "give their manifests too, or check the cluster")
    message = f"no pod in {where} has {selection.pods}"
    return about(spot, "selects-nothing", message, _remedy(words, selection, elsewhere))


def _where(selection: PodSelection) -> str:
    where = selection.namespaces
    if isinstance(where, str):
        return f"namespace {where}"
    return f"the namespaces with {where}" if where.requirements else "any namespace"


def _elsewhere(evidence: Evidence, selection: PodSelection) -> list[str]:
    """Namespaces whose pods would match, where the selection is at home in one."""
    if not isinstance(selection.namespaces, str):
        return []
    found = evidence.selected(PodSelection(EVERYTHING, selection.pods))
    return sorted({alike.pod.namespace for alike in found})


def _remedy(words: Vocabulary, selection: PodSelection, elsewhere: list[str]) -> str:
    if not elsewhere:
        return f"mend the selector, or the labels of the pods: {seen_values(words.pods, selection.pods)}"
    there = f"pods in {listed(elsewhere)} have it"
    return f"{there}; a podSelector alone looks into the policy's own namespace: name theirs beside it"


def _on_host(evidence: Evidence, spot: Spot, selection: PodSelection) -> Iterator[Finding]:
    """A policy for everybody is not meant for these; one that names them is."""
    every = evidence.matching(selection)
    hosts = [alike.title for alike in every if alike.pod.host_network]
    if not hosts or selection.pods == EVERYTHING:
        return
    message = f"{listed(sorted(set(hosts)))} shares the network of its node: no podSelector selects such pods"
    remedy = "protect the node itself, or take hostNetwork out of the pod; as a peer write an ipBlock"
    make = about if len(hosts) == len(every) else note
    yield make(spot, "host-network-pods", message, remedy)
