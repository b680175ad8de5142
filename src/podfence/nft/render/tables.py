"""A whole program as a table, and a patch as the transaction that makes the table of the program after it.

The law, held by `tests/properties/test_render.py`: whatever the history, the table after all transactions is
the table rendered from the final program, apart from the generation.
Next: `nft.kernel` applies what is made here; `node` decides when the generation moves on.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from podfence.model.address import Address
from podfence.model.policy import Direction
from podfence.nft.difference import diff
from podfence.nft.keys import Key
from podfence.nft.render import base, combinations, denials, groups
from podfence.nft.render.base import subjects_set
from podfence.nft.render.groups import KEY_TYPES, keys_of, pods_set
from podfence.nft.render.settings import HOOKS, Settings
from podfence.nft.table import Set, Table
from podfence.nft.transaction import AddElements, DeleteElements, Operation, ReplaceRules, Transaction
from podfence.nft.verdicts import Verdict, jump
from podfence.program import Combination, Group, Patch, Program

T = TypeVar("T")
Members = Mapping[str, frozenset[Address]]


@dataclass(frozen=True, slots=True)
class Bump:
    """The generation before and after; equal where it stays."""

    before: int
    after: int


def render(program: Program, settings: Settings, generation: int) -> Table:
    defined = _defined(program.combinations.values(), program.groups.values(), program.members, settings)
    subjects = (
        subjects_set(
            direction, family, _Subjects(direction, family, settings).elements(program.subjects[direction])
        )
        for direction in Direction
        for family in KEY_TYPES
    )
    return Table.of(
        settings.table,
        HOOKS,
        counters=(*base.COUNTERS, *defined.counters),
        sets=(*defined.sets.values(), *subjects),
        chains=(*defined.chains.values(), *base.chains(settings, generation)),
    )


def render_patch(before: Program, patch: Patch, settings: Settings, bump: Bump) -> Transaction:
    """At the cost of the patch: of the program before only what the patch names is looked up."""
    came = _defined(
        filter(None, patch.combinations.values()), filter(None, patch.groups.values()), patch.joined, settings
    )
    went = _defined(
        _old(patch.combinations, before.combinations), _old(patch.groups, before.groups), {}, settings
    )
    definitions = diff(came, went)
    moved = render_bump(settings, bump).switch
    return replace(definitions, switch=(*definitions.switch, *_elements(before, patch, settings), *moved))


def render_bump(settings: Settings, bump: Bump) -> Transaction:
    """The base chains alone; nothing where the generation stays."""
    if bump.before == bump.after:
        return Transaction(settings.table)
    moved = map(ReplaceRules, base.chains(settings, bump.after))
    return Transaction(settings.table, switch=tuple(moved))


def _old(changed: Mapping[str, T | None], known: Mapping[str, T]) -> list[T]:
    return [known[name] for name, now in changed.items() if now is None and name in known]


def _defined(
    used: Iterable[Combination], admitted: Iterable[Group], members: Members, settings: Settings
) -> Table:
    """What definitions alone bring into a table."""
    combined, nobody = list(used), frozenset[Address]()
    return Table.of(
        settings.table,
        HOOKS,
        counters=(name for each in combined for name in denials.counters(each.name)),
        sets=(
            *(found for each in admitted for found in groups.sets(each, members.get(each.name, nobody))),
            *(found for each in combined for found in combinations.sets(each, settings)),
        ),
        chains=(chain for each in combined for chain in combinations.chains(each, settings)),
    )


def _elements(before: Program, patch: Patch, settings: Settings) -> Iterator[Operation]:
    """First who leaves, then who moves, then who joins: cut anywhere, no state between allows what neither end does."""
    yield from (DeleteElements(*each) for each in _members(patch, patch.left))
    for direction, moved in patch.subjects.items():
        for family in KEY_TYPES:
            yield from _Subjects(direction, family, settings).moves(moved, before.subjects[direction])
    for pods, keys in _members(patch, patch.joined):
        yield AddElements(pods, dict.fromkeys(keys))


def _members(patch: Patch, changed: Members) -> Iterator[tuple[Set, list[Key]]]:
    """Members of groups that stay; the others come and go with their sets."""
    for name, addresses in changed.items():
        for family in KEY_TYPES if name not in patch.groups else ():
            if keys := keys_of(addresses, family):
                yield pods_set(name, family), keys


@dataclass(frozen=True, slots=True)
class _Subjects:
    """The dispatch map of one direction and family."""

    direction: Direction
    family: int
    settings: Settings

    def elements(self, subjects: Mapping[Address, str]) -> dict[Key, Verdict | None]:
        jumps = {name: self._jump(name) for name in set(subjects.values())}
        length = 4 if self.family == 4 else 16
        return {bytes(address): jumps[name] for address, name in subjects.items() if len(address) == length}

    def moves(self, moved: Mapping[Address, str | None], known: Mapping[Address, str]) -> Iterator[Operation]:
        shape = subjects_set(self.direction, self.family)
        if gone := keys_of(moved.keys() & known.keys(), self.family):
            yield DeleteElements(shape, gone)
        if come := self.elements({address: name for address, name in moved.items() if name is not None}):
            yield AddElements(shape, come)

    def _jump(self, combination: str) -> Verdict:
        return jump(combinations.entrance(self.direction, combination, self.settings))
