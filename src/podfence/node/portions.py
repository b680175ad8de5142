"""A switch too large for one send, cut into several: without privilege a socket takes only so much.

Each address moves in one batch from its old rules to its new ones, so none is ever without. What differs from
one batch is only that not all addresses move at the same moment. First members leave, then subjects move,
then members join, and the generation comes last, so that what is cut is cut by the finished rules.
Next: `enforcement.py` applies the portions one by one.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from podfence.nft.keys import Key
from podfence.nft.table import Elements, Set
from podfence.nft.transaction import AddElements, Batch, DeleteElements, Operation, Transaction
from podfence.nft.verdicts import Verdict

ELEMENT_BYTES = 224
"""What an element takes at most on its way: deleted and added, IPv6, with the longest name of ours."""


def portions(transaction: Transaction, limit: int) -> Iterator[Transaction]:
    """Transactions whose switches fit into `limit` bytes; one and the same where it does as it is."""
    most = max(1, limit // ELEMENT_BYTES)
    if sum(map(_size, transaction.switch)) <= most:
        yield transaction
        return
    batches = [batch for batch in _batches(transaction.switch, most) if batch]
    *earlier, last = (Transaction(transaction.table, switch=batch) for batch in batches)
    yield replace(transaction, switch=(), retire=())
    yield from earlier
    yield replace(last, retire=transaction.retire)


def _size(operation: Operation) -> int:
    match operation:
        case AddElements(_, elements):
            return len(elements)
        case DeleteElements(_, keys):
            return len(keys)
        case _:
            return 0


def _batches(switch: Batch, most: int) -> Iterator[Batch]:
    going = {each.set.name: each for each in switch if isinstance(each, DeleteElements)}
    coming = {each.set.name: each for each in switch if isinstance(each, AddElements)}
    for each in going.values():
        if not each.set.verdicts:
            yield from _cut(each.set, list(each.keys), {}, most)
    for name in dict.fromkeys([*going, *coming]):
        shape = (going.get(name) or coming[name]).set
        if shape.verdicts:
            gone = going[name].keys if name in going else ()
            yield from _cut(shape, list(gone), coming[name].elements if name in coming else {}, most)
    for added in coming.values():
        if not added.set.verdicts:
            yield from _cut(added.set, [], added.elements, most)
    yield tuple(each for each in switch if not isinstance(each, AddElements | DeleteElements))


def _cut(shape: Set, gone: list[Key], come: Elements, most: int) -> Iterator[Batch]:
    """Both operations on a key stay together."""
    leaving = set(gone)
    keys = iter(dict.fromkeys([*gone, *come]))
    while portion := list(islice(keys, most)):
        out = [key for key in portion if key in leaving]
        into: dict[Key, Verdict | None] = {key: come[key] for key in portion if key in come}
        deleted = (DeleteElements(shape, out),) if out else ()
        yield (*deleted, *((AddElements(shape, into),) if into else ()))
