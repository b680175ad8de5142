"""Which addresses the groups in use hold. `incremental` keeps one, and settles it after each batch of changes.

Most groups take whole identities, so that nothing is kept but the names of the groups, once an identity. A
partial group (some rule joins an ipBlock with a named port) looks at each address and keeps its own list.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable

from podfence.compiler.catalogue import Catalogue
from podfence.compiler.identities import Identity, Index
from podfence.model.address import Address
from podfence.program import Group, Term

Sorted = dict[int, list[Address]]
"""Addresses in order, by their length."""


class Members:
    def __init__(self, index: Index, catalogue: Catalogue) -> None:
        self._index = index
        self._catalogue = catalogue
        self._partial: dict[str, set[Address]] = {}
        self._in_partial: defaultdict[Address, set[str]] = defaultdict(set)
        self._open: dict[Term, set[str]] = {}
        self._whole: dict[Identity, frozenset[str]] = {}
        self._sorted: dict[Term, Sorted] = {}

    def of(self, group: Group) -> set[Address]:
        """All addresses of a group in use."""
        return {address for term in group.terms for address in self._taken(term)}

    def _taken(self, term: Term) -> Iterable[Address]:
        if term.within is None:
            return (address for identity in self._index.takers[term] for address in identity.addresses)
        base = Term(term.selection, term.port)
        if base not in self._sorted:
            self._sorted[base] = _in_order(self._index.takers[term])
        return (
            address
            for block in term.within.addresses
            for address in _between(self._sorted[base].get(len(block.first), []), block.first, block.last)
        )

    def came(self) -> dict[str, set[Address]]:
        """The members of groups that came into use. Opens a settlement; `settle` closes it."""
        for group in self._changed():
            for term in group.terms:
                self._index.add(term)
        came = {name: self.of(group) for name, group in self._catalogue.came.groups.items()}
        for name in self._catalogue.went.groups:
            for address in self._partial.pop(name, ()):
                self._leave(name, address)
        self._open = _terms_of(self._catalogue.groups[name] for name in self._partial)
        for name, members in came.items():
            if is_partial(self._catalogue.groups[name]):
                self._partial[name] = set(members)
                for address in members:
                    self._in_partial[address].add(name)
        return came

    def settle(self, identities: Iterable[Identity]) -> None:
        """Remember what was said: anew of these identities, and of all others what came and went."""
        for group in self._changed():
            holds = group.name in self._catalogue.groups and group.name not in self._partial
            for term in group.terms:
                for identity in self._index.takers[term]:
                    identity.groups = (
                        identity.groups | {group.name} if holds else identity.groups - {group.name}
                    )
        for identity in identities:
            identity.groups = self._groups(identity)
        self._whole.clear()
        self._sorted.clear()

    def _changed(self) -> Iterable[Group]:
        return (*self._catalogue.came.groups.values(), *self._catalogue.went.groups.values())

    def before(self, identity: Identity | None, address: Address) -> frozenset[str]:
        """The groups an address was said to be in, and partial ones that came into use."""
        whole = identity.groups if identity else frozenset[str]()
        return whole.union(self._in_partial.get(address, ()))

    def now(self, identity: Identity | None, address: Address) -> frozenset[str]:
        """The groups an address is in."""
        if identity is None:
            return frozenset()
        came = self._in_partial.get(address, set()) & self._catalogue.came.groups.keys()
        judged = (
            self._open[term]
            for term in self._open.keys() & identity.terms
            if term.within is None or address in term.within
        )
        return self._groups(identity).union(came, *judged)

    def _groups(self, identity: Identity) -> frozenset[str]:
        """The groups that take in all of an identity."""
        if identity not in self._whole:
            fed = self._catalogue.fed
            names = set[str]().union(*(fed[term] for term in identity.terms if term in fed))
            self._whole[identity] = frozenset(names - self._partial.keys())
        return self._whole[identity]

    def move(self, address: Address, before: frozenset[str], now: frozenset[str]) -> None:
        for name in (before - now) & self._partial.keys():
            self._partial[name].discard(address)
            self._leave(name, address)
        for name in (now - before) & self._partial.keys():
            self._partial[name].add(address)
            self._in_partial[address].add(name)

    def _leave(self, name: str, address: Address) -> None:
        self._in_partial[address].discard(name)
        if not self._in_partial[address]:
            del self._in_partial[address]


def is_partial(group: Group) -> bool:
    return any(term.within for term in group.terms)


def _terms_of(groups: Iterable[Group]) -> dict[Term, set[str]]:
    terms: dict[Term, set[str]] = {}
    for group in groups:
        for term in group.terms:
            terms.setdefault(term, set()).add(group.name)
    return terms


def _in_order(identities: Iterable[Identity]) -> Sorted:
    found = [address for identity in identities for address in identity.addresses]
    return {size: sorted(address for address in found if len(address) == size) for size in (4, 16)}


def _between(addresses: list[Address], first: Address, last: Address) -> list[Address]:
    return addresses[bisect_left(addresses, first) : bisect_right(addresses, last)]
