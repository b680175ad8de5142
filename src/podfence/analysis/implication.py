"""Whether one selector, peer, rule or policy takes in all that another does, whatever pods there may be.

Exact, key by key: of one label a selector allows some values or all but some, and says whether it may be absent.
A yes is proof; a no may still be yes for the pods of one cluster, for which `containment` asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from podfence.model.address import EVERYWHERE, NOWHERE, AddressSet
from podfence.model.labels import NAMESPACE_NAME_LABEL, Operator, Requirement, Selector, selector
from podfence.model.policy import NetworkPeer, Peer, PodSelection, Rule
from podfence.model.ports import ALL_PORTS, PortMatch, PortRange
from podfence.model.portset import NO_PORTS, PortSet


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a selector allows one label to be: `values`, or with `others` everything else; or not to be there."""

    values: frozenset[str] = frozenset()
    others: bool = True
    absent: bool = True

    def __and__(self, other: Allowed) -> Allowed:
        absent = self.absent and other.absent
        match (self.others, other.others):
            case (True, True):
                return Allowed(self.values | other.values, others=True, absent=absent)
            case (False, False):
                return Allowed(self.values & other.values, others=False, absent=absent)
            case _:
                some, but = (other, self) if self.others else (self, other)
                return Allowed(some.values - but.values, others=False, absent=absent)

    def __le__(self, other: Allowed) -> bool:
        if self.absent and not other.absent:
            return False
        if self.others:
            return other.others and other.values <= self.values
        return not self.values & other.values if other.others else self.values <= other.values

    @property
    def nothing(self) -> bool:
        return not (self.values or self.others or self.absent)


ANYTHING = Allowed()


def _allowed(requirement: Requirement) -> Allowed:
    values = frozenset(requirement.values)
    match requirement.operator:
        case Operator.IN:
            return Allowed(values, others=False, absent=False)
        case Operator.NOT_IN:
            return Allowed(values)
        case Operator.EXISTS:
            return Allowed(absent=False)
        case _:
            return Allowed(others=False)


@lru_cache(maxsize=8192)
def _by_key(selected: Selector) -> dict[str, Allowed]:
    found: dict[str, Allowed] = {}
    for requirement in selected.requirements:
        found[requirement.key] = found.get(requirement.key, ANYTHING) & _allowed(requirement)
    return found


@lru_cache(maxsize=65536)
def selector_implies(narrow: Selector, wide: Selector) -> bool:
    """Whether all labels that the first matches are matched by the second."""
    if narrow == wide or not wide.requirements:
        return True
    mine = _by_key(narrow)
    if any(allowed.nothing for allowed in mine.values()):
        return True
    return all(mine.get(key, ANYTHING) <= allowed for key, allowed in _by_key(wide).items())


def implies(narrow: PodSelection, wide: PodSelection) -> bool:
    """A namespace by name is one by its name label: the control plane sees to that."""
    if narrow.namespaces != wide.namespaces and not selector_implies(_home(narrow), _home(wide)):
        return False
    return selector_implies(narrow.pods, wide.pods)


def _home(selection: PodSelection) -> Selector:
    where = selection.namespaces
    return where if isinstance(where, Selector) else selector(**{NAMESPACE_NAME_LABEL: where})


def rule_implies(narrow: Rule, wide: Rule) -> bool:
    """Whether a rule allows no more than another one does: the same action, and all that it says."""
    same = narrow.action is wide.action
    return same and ports_imply(narrow.ports, wide.ports) and peers_imply(narrow.peers, wide.peers)


def peers_imply(narrow: tuple[Peer, ...] | None, wide: tuple[Peer, ...] | None) -> bool:
    """Blocks are compared as sets of addresses, in which pods are too."""
    if wide is None:
        return True
    addresses = _addresses(wide)
    if addresses == EVERYWHERE:
        return True
    return narrow is not None and all(_peer_implies(peer, wide, addresses) for peer in narrow)


def _peer_implies(peer: Peer, wide: tuple[Peer, ...], addresses: AddressSet) -> bool:
    if isinstance(peer, NetworkPeer):
        return not peer.addresses - addresses
    return any(implies(peer, other) for other in wide if isinstance(other, PodSelection))


def addresses_of(rule: Rule) -> AddressSet:
    """What the blocks of a rule hold, all together."""
    return _addresses(rule.peers or ())


@lru_cache(maxsize=8192)
def _addresses(peers: tuple[Peer, ...]) -> AddressSet:
    found = NOWHERE
    for peer in peers:
        if isinstance(peer, NetworkPeer):
            found |= peer.addresses
    return found


def ports_imply(narrow: tuple[PortMatch, ...] | None, wide: tuple[PortMatch, ...] | None) -> bool:
    """A name may be any number: only the same name holds it, or all ports of its protocol."""
    if wide is None or narrow == wide:
        return True
    if narrow is None:
        return False
    numbers = _numbers(wide)
    return all(entry in wide or not _number(entry) - numbers for entry in narrow)


@lru_cache(maxsize=8192)
def _numbers(entries: tuple[PortMatch, ...]) -> PortSet:
    found = NO_PORTS
    for entry in entries:
        if isinstance(entry.port, PortRange):
            found |= _number(entry)
    return found


def _number(entry: PortMatch) -> PortSet:
    return PortSet({entry.protocol: (entry.port if isinstance(entry.port, PortRange) else ALL_PORTS,)})
