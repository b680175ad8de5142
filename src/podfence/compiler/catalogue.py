"""What is in use: combinations, their groups, and the terms of these, each counted. `incremental` keeps one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TypeVar

from podfence.model.policy import Action
from podfence.program import Combination, Group, Term

D = TypeVar("D", Combination, Group)


@dataclass
class Ledger:
    combinations: dict[str, Combination] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)


@dataclass
class Catalogue:
    """Names to definitions, with how often each is used; and for each term the groups it feeds.

    `came` and `went` collect what came into use and what fell out of it since the last `settled`.
    """

    combinations: dict[str, Combination] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    fed: dict[Term, set[str]] = field(default_factory=dict)
    came: Ledger = field(default_factory=Ledger)
    went: Ledger = field(default_factory=Ledger)
    _uses: Counter[str] = field(default_factory=Counter)
    _holders: Counter[str] = field(default_factory=Counter)
    _actions: dict[str, Counter[Action]] = field(default_factory=dict)

    def use(self, combination: Combination) -> None:
        name = combination.name
        self._uses[name] += 1
        if self._uses[name] == 1:
            self.combinations[name] = combination
            _note(name, combination, self.came.combinations, self.went.combinations)
            for group, action in _entries(combination):
                self._hold(group, action)

    def release(self, combination: Combination) -> None:
        name = combination.name
        self._uses[name] -= 1
        if not self._uses[name]:
            del self._uses[name], self.combinations[name]
            _note(name, combination, self.went.combinations, self.came.combinations)
            for group, action in _entries(combination):
                self._let_go(group, action)

    def _hold(self, group: Group, action: Action) -> None:
        self._actions.setdefault(group.name, Counter())[action] += 1
        self._holders[group.name] += 1
        if self._holders[group.name] == 1:
            self.groups[group.name] = group
            _note(group.name, group, self.came.groups, self.went.groups)
            for term in group.terms:
                self.fed.setdefault(term, set()).add(group.name)

    def _let_go(self, group: Group, action: Action) -> None:
        self._actions[group.name][action] -= 1
        self._holders[group.name] -= 1
        if not self._holders[group.name]:
            del self._holders[group.name], self.groups[group.name], self._actions[group.name]
            _note(group.name, group, self.went.groups, self.came.groups)
            for term in group.terms:
                self.fed[term].discard(group.name)
                if not self.fed[term]:
                    del self.fed[term]

    def settled(self) -> None:
        self.came, self.went = Ledger(), Ledger()

    def accepts(self, group: str) -> bool:
        """Whether leaving the group may take a permission away."""
        actions = self._actions.get(group, Counter())
        return bool(actions[Action.ACCEPT] or actions[Action.PASS])

    def refuses(self, group: str) -> bool:
        """Whether joining the group may take a permission away."""
        actions = self._actions.get(group, Counter())
        return bool(actions[Action.DENY] or actions[Action.PASS])


def _note(name: str, definition: D, here: dict[str, D], there: dict[str, D]) -> None:
    """What comes and goes between two settlements has done neither."""
    if there.pop(name, None) is None:
        here[name] = definition


def _entries(combination: Combination) -> set[tuple[Group, Action]]:
    everywhere = [combination.rest, *(found.stages for found in combination.classes)]
    return {
        (entry.group, entry.action) for stages in everywhere for stage in stages for entry in stage.entries
    }
