"""Pods that are not in the input: what a combination of policies would say to them. Next: `exposure` and `routes`.

Nothing is known of a stranger but what is assumed here: that it could be any pod at all, a pod that a selector
takes, or any pod of a namespace. So a group takes it in only if it would take in every such pod.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from podfence.analysis.ranges import FAMILIES
from podfence.analysis.reach import admitted
from podfence.model.address import EVERYWHERE
from podfence.model.labels import EVERYTHING, NAMESPACE_NAME_LABEL
from podfence.model.policy import PodSelection
from podfence.model.portset import EVERY_PORT, PortSet
from podfence.program import Combination, Group, Term

ENTIRE_CLUSTER = "entire-cluster"
"""The word the field has for: whatever pod there may be."""

Taken = Callable[[Term], bool]


def to_anyone(combination: Combination | None) -> PortSet:
    """What whatever pod there may be is admitted on."""
    return _admitted(combination, lambda _: False)


def to_taken(combination: Combination, selection: PodSelection) -> PortSet:
    """What every pod is admitted on that a selection takes."""
    return _admitted(combination, lambda term: term.selection == selection)


def to_namespace(combination: Combination | None, name: str) -> PortSet:
    """What every pod of a namespace is admitted on that has no label but its name."""
    return _admitted(combination, lambda term: _takes_all_of(term.selection, name))


def to_somebody(combination: Combination | None, home: str) -> PortSet:
    """What anybody at all is admitted on who is not a pod of namespace `home`, a stranger or an address."""
    if combination is None:
        return EVERY_PORT
    return admitted(combination, frozenset(g.name for g in combination.groups if _reaches_out(g, home)))


def _reaches_out(group: Group, home: str) -> bool:
    looked_into = {term.selection.namespaces if term.selection else EVERYTHING for term in group.terms}
    return bool(group.addresses) or not looked_into <= {home}


def selections(combination: Combination) -> Iterator[PodSelection]:
    """Those that admit some pods and not all, each once, in order."""
    terms = (term for group in combination.groups for term in group.terms if not term.within)
    found = {term.selection for term in terms if term.selection and not _takes_everybody(term)}
    yield from sorted(found, key=title)


def title(selection: PodSelection) -> str:
    """As the field writes it: `shop/[pod with {app=web}]`, `[namespace with {env=prod}]/[all pods]`."""
    pods = f"[pod with {{{selection.pods}}}]" if selection.pods != EVERYTHING else "[all pods]"
    return f"{_namespace(selection)}/{pods}"


def _namespace(selection: PodSelection) -> str:
    where = selection.namespaces
    if isinstance(where, str):
        return where
    if where == EVERYTHING:
        return "[all namespaces]"
    first = where.requirements[0]
    if len(where.requirements) == 1 and first.key == NAMESPACE_NAME_LABEL and len(first.values) == 1:
        return first.values[0] if str(first.operator) == "In" else f"[namespace with {{{where}}}]"
    return f"[namespace with {{{where}}}]"


def _admitted(combination: Combination | None, taken: Taken) -> PortSet:
    """A named port is some number on a pod that is not known: such terms count for nobody."""
    if combination is None:
        return EVERY_PORT
    names = frozenset(group.name for group in combination.groups if _takes(group, taken))
    return admitted(combination, names)


def _takes(group: Group, taken: Taken) -> bool:
    terms = (term for term in group.terms if not term.port and not term.within)
    return _everywhere(group) or any(_takes_everybody(term) or taken(term) for term in terms)


def _everywhere(group: Group) -> bool:
    """A block without an end takes in every pod of its family."""
    return any(group.addresses.of(family) == EVERYWHERE.of(family) for family in FAMILIES)


def _takes_everybody(term: Term) -> bool:
    return term.selection is None or term.selection == PodSelection()


def _takes_all_of(selection: PodSelection | None, name: str) -> bool:
    labels = {NAMESPACE_NAME_LABEL: name}
    return selection is None or (selection.pods == EVERYTHING and selection.selects(name, labels, {}))
