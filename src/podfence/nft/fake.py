"""The kernel's side of the contract, in memory: for tests of everything above, and for dry runs.

It refuses what the kernel refuses, with the same number, and forgets a refused batch as a whole. Numbers in
counters never move, since no packet comes by.
Next: nobody; `tests/contracts/test_datapath.py` holds it to what the kernel does.
"""

import errno
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar

from podfence.nft import names
from podfence.nft.actions import Counter
from podfence.nft.datapath import DatapathError
from podfence.nft.keys import Key
from podfence.nft.references import Reference, references
from podfence.nft.table import Chain, Set, Table
from podfence.nft.transaction import (
    AddChain,
    AddCounter,
    AddElements,
    AddSet,
    AddTable,
    Batch,
    DeleteChain,
    DeleteCounter,
    DeleteElements,
    DeleteSet,
    DeleteTable,
    Operation,
    ReplaceRules,
    Transaction,
)
from podfence.nft.verdicts import Verdict

Value = TypeVar("Value")

_JUMPS = 16


class Fake:
    def __init__(self, table: str = "podfence") -> None:
        self._name = names.name(table)
        self._table: Table | None = None
        self._generation = 1
        self.applied: list[Transaction] = []

    def read(self) -> Table | None:
        return self._table

    def generation(self) -> int:
        return self._generation

    def counters(self) -> dict[str, Counter]:
        return dict(self._table.counters) if self._table else {}

    def remove(self) -> None:
        self._batch("remove", (AddTable(0), DeleteTable()))

    def apply(self, transaction: Transaction) -> None:
        if transaction.table != self._name:
            raise ValueError(f"a transaction for table {transaction.table} cannot change {self._name}")
        self.applied.append(transaction)
        for batch in transaction.prepare:
            self._batch("prepare", batch)
        self._batch("switch", transaction.switch)
        for batch in transaction.retire:
            self._batch("retire", batch)

    def _batch(self, stage: str, batch: Batch) -> None:
        table = self._table
        try:
            for operation in batch:
                table = _perform(self._name, table, operation)
            _check_jumps(table)
        except _RefusalError as refusal:
            raise DatapathError(f"nftables: {stage} was refused: {refusal}", refusal.errno or 0) from refusal
        self._table = table
        self._generation += bool(batch)


class _RefusalError(OSError):
    def __init__(self, number: int, what: str) -> None:
        super().__init__(number, f"{os.strerror(number)}: {what}")


def _perform(name: str, table: Table | None, operation: Operation) -> Table | None:
    if isinstance(operation, AddTable):
        return table or Table(name, operation.layout)
    if table is None:
        raise _RefusalError(errno.ENOENT, f"table {name}")
    match operation:
        case DeleteTable():
            return None
        case AddCounter(counter):
            return replace(table, counters={counter: Counter(), **table.counters})
        case DeleteCounter(counter):
            return replace(table, counters=_without(table.counters, counter, _used(table, Reference.COUNTER)))
        case AddChain() | ReplaceRules() | DeleteChain():
            return replace(table, chains=_chains(table, operation))
        case AddSet() | DeleteSet() | AddElements() | DeleteElements():
            return replace(table, sets=_sets(table, operation))


def _chains(table: Table, operation: AddChain | ReplaceRules | DeleteChain) -> Mapping[str, Chain]:
    match operation:
        case AddChain(chain):
            found = table.chains.get(chain.name)
            if found and chain.hook and chain.hook != found.hook:
                raise _RefusalError(errno.EEXIST, f"chain {chain.name} with another hook")
            return {chain.name: Chain(chain.name, (), chain.hook), **table.chains}
        case ReplaceRules(chain):
            found = _existing(table.chains, chain.name)
            for reference, target in references(chain.rules):
                _check_target(table, reference, target)
            return {**table.chains, chain.name: replace(found, rules=chain.rules)}
        case DeleteChain(name):
            emptied = {**table.chains, name: Chain(name)}
            used = _used(replace(table, chains=emptied), Reference.CHAIN)
            return _without(table.chains, name, used)


def _sets(table: Table, operation: AddSet | DeleteSet | AddElements | DeleteElements) -> Mapping[str, Set]:
    name = operation.set.name
    match operation:
        case AddSet(described):
            if name in table.sets and table.sets[name].shape() != described.shape():
                raise _RefusalError(errno.EEXIST, f"set {name} of another shape")
            return {name: described.shape(), **table.sets}
        case DeleteSet():
            return _without(table.sets, name, _used(table, Reference.SET))
        case AddElements(_, elements):
            found = _existing(table.sets, name)
            return {**table.sets, name: _with_elements(table, found, elements)}
        case DeleteElements(_, keys):
            found = _existing(table.sets, name)
            left = dict(found.elements)
            for key in keys:
                if left.pop(key, left) is left:
                    raise _RefusalError(errno.ENOENT, f"element of set {name}")
            return {**table.sets, name: replace(found, elements=left)}


def _with_elements(table: Table, found: Set, added: Mapping[Key, Verdict | None]) -> Set:
    for verdict in set(filter(None, added.values())):
        if verdict.chain:
            _check_target(table, Reference.CHAIN, verdict.chain)
    if any(found.elements.get(key, verdict) != verdict for key, verdict in added.items()):
        raise _RefusalError(errno.EEXIST, f"element of {found.name} with another verdict")
    elements = {**found.elements, **added}
    if found.size is not None and len(elements) > found.size:
        raise _RefusalError(errno.ENFILE, f"set {found.name} is full")
    if found.interval and _overlap(elements):
        raise _RefusalError(errno.EEXIST, f"intervals of {found.name} overlap")
    return replace(found, elements=elements)


def _overlap(intervals: Iterable[Key]) -> bool:
    ends = sorted(interval for interval in intervals if isinstance(interval, tuple))
    return any(before[1] >= after[0] for before, after in pairwise(ends))


def _check_target(table: Table, reference: Reference, target: str) -> None:
    there: Mapping[str, object] = {
        Reference.CHAIN: table.chains, Reference.SET: table.sets, Reference.COUNTER: table.counters,
    }[reference]  # fmt: skip
    _existing(there, target)
    if reference is Reference.CHAIN and table.chains[target].hook:
        raise _RefusalError(errno.EOPNOTSUPP, f"jump to base chain {target}")


def _existing(these: Mapping[str, Value], name: str) -> Value:
    if name not in these:
        raise _RefusalError(errno.ENOENT, name)
    return these[name]


def _without(these: Mapping[str, Value], name: str, used: set[str]) -> dict[str, Value]:
    _existing(these, name)
    if name in used:
        raise _RefusalError(errno.EBUSY, name)
    return {key: value for key, value in these.items() if key != name}


def _used(table: Table, kind: Reference) -> set[str]:
    """The names something of the table points at."""
    by_rules = {
        target
        for chain in table.chains.values()
        for reference, target in references(chain.rules)
        if reference is kind
    }
    return by_rules | (_jumped(table.sets.values()) if kind is Reference.CHAIN else set())


def _jumped(sets: Iterable[Set]) -> set[str]:
    return {verdict.chain for each in sets for verdict in each.elements.values() if verdict and verdict.chain}


def _check_jumps(table: Table | None) -> None:
    """The kernel follows every way from a base chain, at most so many jumps deep."""
    depth, reached = 0, {chain.name for chain in table.chains.values() if chain.hook} if table else set()
    while table and reached:
        if depth == _JUMPS:
            raise _RefusalError(errno.EMLINK, "jumps go in a circle or too deep")
        reached = {target for name in reached for target in _targets(table, table.chains[name])}
        depth += 1


def _targets(table: Table, chain: Chain) -> set[str]:
    found = list(references(chain.rules))
    maps = [table.sets[target] for reference, target in found if reference is Reference.SET]
    return {target for reference, target in found if reference is Reference.CHAIN} | _jumped(maps)
