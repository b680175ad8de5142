"""The program that is in force, kept by patches: only what the next patch needs to know of it.

Invariant: equal to the compiler's program but for members, which nobody asks for.
Next: `enforcement.py` renders each patch against it.
"""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import TypeVar

from podfence.model.address import Address
from podfence.model.policy import Direction
from podfence.program import Combination, Group, Patch, Program

K = TypeVar("K")
V = TypeVar("V")


@dataclass(slots=True)
class Standing:
    subjects: dict[Direction, dict[Address, str]] = field(default_factory=lambda: {d: {} for d in Direction})
    combinations: dict[str, Combination] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)

    @classmethod
    def of(cls, program: Program) -> "Standing":
        subjects = {direction: dict(found) for direction, found in program.subjects.items()}
        return cls(subjects, dict(program.combinations), dict(program.groups))

    @property
    def program(self) -> Program:
        """A view: what was taken in later shows in it."""
        return Program(self.subjects, self.combinations, self.groups)

    def take(self, patch: Patch) -> None:
        for direction, moved in patch.subjects.items():
            _edit(self.subjects[direction], moved)
        _edit(self.combinations, patch.combinations)
        _edit(self.groups, patch.groups)


def _edit(known: MutableMapping[K, V], changes: Mapping[K, V | None]) -> None:
    for key, value in changes.items():
        if value is None:
            known.pop(key, None)
        else:
            known[key] = value
