"""From the table that is there to the table that is wanted, as a transaction.

Pure and total; empty when both are equal. Names stand for content, so what exists under a wanted name is
kept: of sets the elements are compared, of chains the rules (they differ in base chains, or where somebody
else wrote). What cannot be changed under its name (the layout, the shape of a set, the hook of a chain)
replaces the whole table in one batch, in which no packet meets half of it.
Next: `kernel.py` applies the result.
"""

from collections.abc import Mapping
from typing import TypeVar

from podfence.nft.keys import Key
from podfence.nft.table import Chain, Elements, Set, Table
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

Each = TypeVar("Each")


def diff(wanted: Table, actual: Table | None) -> Transaction:
    if actual is None:
        return _switched(wanted, Table(wanted.name, wanted.layout), (AddTable(wanted.layout),))
    if _irreconcilable(wanted, actual):
        return Transaction(wanted.name, switch=(DeleteTable(), AddTable(wanted.layout), *_everything(wanted)))
    return _switched(wanted, actual, ())


def _irreconcilable(wanted: Table, actual: Table) -> bool:
    return (
        wanted.layout != actual.layout
        or any(each.shape() != wanted.sets[name].shape() for name, each in _common(actual.sets, wanted.sets))
        or any(each.hook != wanted.chains[name].hook for name, each in _common(actual.chains, wanted.chains))
    )


def _everything(wanted: Table) -> Batch:
    base = [chain for chain in wanted.chains.values() if chain.hook]
    return (*_prepared(wanted, Table(wanted.name, wanted.layout)), *_chains(base))


def _switched(wanted: Table, actual: Table, first: Batch) -> Transaction:
    prepare = first + _prepared(wanted, actual)
    retire = _retired(wanted, actual)
    return Transaction(
        wanted.name,
        (prepare,) if prepare else (),
        _switch(wanted, actual),
        (retire,) if retire else (),
    )


def _prepared(wanted: Table, actual: Table) -> Batch:
    """Chains come before sets: nft, given the text, takes the elements of a set when it is declared."""
    sets = _only(wanted.sets, actual.sets)
    chains = [chain for chain in _only(wanted.chains, actual.chains) if not chain.hook]
    return (
        *(AddCounter(name) for name in wanted.counters if name not in actual.counters),
        *(AddChain(Chain(each.name)) for each in chains),
        *(AddSet(each.shape()) for each in sets),
        *(AddElements(each.shape(), each.elements) for each in sets if each.elements),
        *(ReplaceRules(each) for each in chains if each.rules),
    )


def _switch(wanted: Table, actual: Table) -> Batch:
    elements = [
        operation
        for name, found in _common(actual.sets, wanted.sets)
        for operation in _elements(wanted.sets[name], found.elements)
    ]
    changed = [
        ReplaceRules(wanted.chains[name])
        for name, found in _common(actual.chains, wanted.chains)
        if wanted.chains[name].rules != found.rules
    ]
    unhooked = [each.name for each in _only(actual.chains, wanted.chains) if each.hook]
    return (
        *elements,
        *_chains([chain for chain in _only(wanted.chains, actual.chains) if chain.hook]),
        *changed,
        *(ReplaceRules(Chain(name)) for name in unhooked),
        *(DeleteChain(name) for name in unhooked),
    )


def _chains(chains: list[Chain]) -> list[Operation]:
    return [*map(AddChain, chains), *(ReplaceRules(chain) for chain in chains if chain.rules)]


def _elements(wanted: Set, found: Elements) -> list[Operation]:
    """Deletions first: an element with another verdict has to go before it can come."""
    shape = wanted.shape()
    gone: list[Key] = [key for key in found if key not in wanted.elements]
    new: dict[Key, Verdict | None] = {
        key: wanted.elements[key] for key in wanted.elements if key not in found
    }
    if wanted.verdicts:
        turned = {key: verdict for key, verdict in wanted.elements.items() if key not in new}
        turned = {key: verdict for key, verdict in turned.items() if found[key] != verdict}
        gone += turned
        new |= turned
    operations: list[Operation] = [DeleteElements(shape, tuple(gone))] if gone else []
    return [*operations, AddElements(shape, new)] if new else operations


def _retired(wanted: Table, actual: Table) -> Batch:
    """Rules let go of sets, sets of chains: any other order is refused with EBUSY."""
    chains = [chain for chain in _only(actual.chains, wanted.chains) if not chain.hook]
    return (
        *(ReplaceRules(Chain(each.name)) for each in chains if each.rules),
        *(DeleteSet(each.shape()) for each in _only(actual.sets, wanted.sets)),
        *(DeleteChain(each.name) for each in chains),
        *(DeleteCounter(name) for name in actual.counters if name not in wanted.counters),
    )


def _only(these: Mapping[str, Each], others: Mapping[str, Each]) -> list[Each]:
    return [each for name, each in these.items() if name not in others]


def _common(these: Mapping[str, Each], others: Mapping[str, Each]) -> list[tuple[str, Each]]:
    return [(name, each) for name, each in these.items() if name in others]
