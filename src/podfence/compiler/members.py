"""Which addresses the groups in use hold. `incremental` keeps one.

Most groups take whole identities, so that nothing is kept but the names of the groups, once an identity. A
partial group (some rule joins an ipBlock with a named port) looks at each address and keeps its own list.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from podfence.compiler.catalogue import Catalogue
from podfence.compiler.identities import Identity, Index
from podfence.model.address import Address
from podfence.program import Group, Term


class Members:
    def __init__(self, index: Index, catalogue: Catalogue) -> None:
        self._index = index
        self._catalogue = catalogue
        self._partial: dict[str, set[Address]] = {}
        self._in_partial: defaultdict[Address, set[str]] = defaultdict(set)

    def of(self, group: Group) -> set[Address]:
        """All addresses of a group in use."""
        return {
            address
            for term in group.terms
            for identity in self._index.takers[term]
            for address in _within(term, identity.addresses)
        }

    def came(self) -> dict[str, set[Address]]:
        """The members of groups that came into use."""
        for group in self._changed():
            for term in group.terms:
                self._index.add(term)
        came = {name: self.of(group) for name, group in self._catalogue.came.groups.items()}
        self._partial.update(
            {name: found for name, found in came.items() if is_partial(self._catalogue.groups[name])}
        )
        for name in self._catalogue.went.groups:
            self._partial.pop(name, None)
        return came

    def settle(self, identities: Iterable[Identity]) -> None:
        """Remember what was said: anew of these identities, and of all others what came and went."""
        for group in self._changed():
            name = group.name
            name_in_use = name in self._catalogue.groups and name not in self._partial
            for term in group.terms:
                for identity in self._index.takers[term]:
                    identity.groups = identity.groups | {name} if name_in_use else identity.groups - {name}
        for identity in identities:
            identity.groups = self.whole(identity)

    def _changed(self) -> Iterable[Group]:
        return (*self._catalogue.came.groups.values(), *self._catalogue.went.groups.values())

    def before(self, identity: Identity | None, address: Address) -> frozenset[str]:
        """The groups an address was said to be in."""
        whole = identity.groups if identity else frozenset[str]()
        return whole.union(self._in_partial.get(address, ()))

    def now(self, identity: Identity | None, address: Address) -> frozenset[str]:
        """The groups an address is in."""
        if identity is None:
            return frozenset()
        some = (
            name
            for term in (identity.terms if self._partial else ())
            if term.within is None or address in term.within
            for name in self._catalogue.fed.get(term, ())
            if name in self._partial
        )
        return self.whole(identity).union(some)

    def whole(self, identity: Identity) -> frozenset[str]:
        """The groups that take in all of an identity."""
        fed = self._catalogue.fed
        names = {name for term in identity.terms if term in fed for name in fed[term]}
        return frozenset(names - self._partial.keys())

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


def _within(term: Term, addresses: Iterable[Address]) -> Iterable[Address]:
    if term.within is None:
        return addresses
    spans = [(block.first, block.last, len(block.first)) for block in term.within.addresses]
    return [a for first, last, size in spans for a in addresses if first <= a <= last and len(a) == size]
