"""What nothing points at any more, kept until it is removed: packets may still be under way in it.

Removal waits for such packets, a few milliseconds each time, so orphans are collected. A name that comes back
must not meet its orphan: members of an orphaned group are no longer kept up.
Next: `enforcement.py` removes them when there is time, or when they are in the way.
"""

from podfence.nft.transaction import (
    AddChain,
    AddCounter,
    AddSet,
    Batch,
    DeleteChain,
    DeleteCounter,
    DeleteSet,
    Operation,
    ReplaceRules,
    Transaction,
)


class Orphans:
    def __init__(self) -> None:
        self._waiting: list[Operation] = []
        self._names: set[str] = set()

    def add(self, transaction: Transaction) -> None:
        removals = [operation for batch in transaction.retire for operation in batch]
        self._waiting += removals
        self._names.update(filter(None, map(_removed, removals)))

    def hinder(self, transaction: Transaction) -> bool:
        """Whether the transaction makes anything under a name that is still taken."""
        return bool(self._names) and any(
            _made(operation) in self._names for batch in transaction.prepare for operation in batch
        )

    @property
    def counters(self) -> list[str]:
        return [each.name for each in self._waiting if isinstance(each, DeleteCounter)]

    def taken(self) -> Batch:
        """All of them, in an order in which nothing that goes is still in use; none are kept."""
        batch = tuple(sorted(self._waiting, key=lambda operation: _ORDER.index(type(operation))))
        self._waiting, self._names = [], set()
        return batch


_ORDER = (ReplaceRules, DeleteSet, DeleteChain, DeleteCounter)


def _removed(operation: Operation) -> str | None:
    match operation:
        case DeleteSet(each):
            return each.name
        case DeleteChain(name) | DeleteCounter(name):
            return name
        case _:
            return None


def _made(operation: Operation) -> str | None:
    match operation:
        case AddSet(each):
            return each.name
        case AddChain(each):
            return each.name
        case AddCounter(name):
            return name
        case _:
            return None
