"""One nftables table in the kernel of this network namespace: read, apply, remove.

One socket stays open, since closing one waits until the kernel has freed what was deleted. Each batch is
carried out as a whole or not at all. Applying may be repeated after any failure: what was prepared is found
by the next `read` and kept. A refusal that says the table is not what the transaction was made from
(`DatapathError.stale`) is answered by reading again and applying the new difference.
Next: `fake.py` keeps the same promises in memory; both pass `tests/contracts/test_datapath.py`.
"""

import errno
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from podfence.netlink import codec, sockets
from podfence.netlink.codec import Message, NetlinkError
from podfence.nft import names, reading, wire
from podfence.nft.actions import Counter
from podfence.nft.datapath import DatapathError
from podfence.nft.grace import wait_for_packets_under_way
from podfence.nft.reading import Attributes
from podfence.nft.statements import Rule
from podfence.nft.table import Chain, Set, Table
from podfence.nft.transaction import AddTable, Batch, DeleteTable, Transaction
from podfence.nft.wire import Nft

_READ_ATTEMPTS = 16
_BATCH_OVERHEAD = 64  # begin and end
_TABLE, _NAME, _CHAIN_NAME = 1, 2, 3


class Kernel:
    """The table of one name. A context manager; belongs to the namespace where it was opened."""

    def __init__(
        self,
        table: str = "podfence",
        *,
        socket: sockets.Socket | None = None,
        grace: Callable[[], None] = wait_for_packets_under_way,
    ) -> None:
        self._name = names.name(table)
        self._socket = socket or sockets.Socket(sockets.NETFILTER)
        self._grace = grace

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def generation(self) -> int:
        """Counts the commits of everybody in this namespace."""
        (answer,) = self._socket.request(wire.message(Nft.GET_GENERATION))
        return reading.number(reading.attributes(answer), 1)

    def apply(self, transaction: Transaction) -> None:
        """Prepare, switch, and when no packet can be in what goes any more, retire."""
        if transaction.table != self._name:
            raise ValueError(f"a transaction for table {transaction.table} cannot change {self._name}")
        for batch in transaction.prepare:
            self._apply_in_parts("prepare", batch)
        self._batch("switch", b"".join(wire.batch(self._name, transaction.switch)))
        if transaction.retire:
            self._wait()
        for batch in transaction.retire:
            self._apply_in_parts("retire", batch)

    def remove(self) -> None:
        """No table afterwards, whether there was one before or not: making it first cannot fail."""
        self._batch("remove", b"".join(wire.batch(self._name, (AddTable(0), DeleteTable()))))

    def read(self) -> Table | None:
        """The table as it was at one moment; None where there is none."""
        for _ in range(_READ_ATTEMPTS):
            before = self.generation()
            try:
                with _explained("read"):
                    table = self._read()
            except DatapathError as error:
                if error.number != errno.EINTR and self.generation() == before:
                    raise
                continue
            if self.generation() == before:
                return table
        raise DatapathError(
            f"table {self._name} kept changing while it was read, {_READ_ATTEMPTS} times; try again",
            errno.EINTR,
        )

    def counters(self) -> dict[str, Counter]:
        """The counters of the table by name, without reading anything else."""
        with _explained("read counters"):
            return self._counters()

    def _read(self) -> Table | None:
        try:
            (answer,) = self._socket.request(wire.message(Nft.GET_TABLE, codec.text(_TABLE, self._name)))
        except NetlinkError as error:
            if error.errno == errno.ENOENT:
                return None
            raise
        layout = reading.layout(reading.attributes(answer))
        try:
            return Table(self._name, layout, self._counters(), self._sets(), self._chains())
        except ValueError:
            # Something in it is not ours: layout 0 is never wanted, so the table will be replaced.
            return Table(self._name, 0)

    def _counters(self) -> dict[str, Counter]:
        dumped = self._dump(Nft.GET_OBJECT)
        return {codec.read_text(each[_NAME]): reading.counter(each) for each in dumped}

    def _sets(self) -> dict[str, Set]:
        dumped = [each for each in self._dump(Nft.GET_SET) if not reading.anonymous(each)]
        return {each.name: each for each in map(self._set, dumped)}

    def _set(self, found: Attributes) -> Set:
        """A hash set that is growing into new buckets can be listed with elements missing: then once more."""
        shape = reading.described(found)
        listed = self._dump(Nft.GET_ELEMENTS, codec.text(_NAME, shape.name))
        filled = reading.filled(shape, listed)
        if not shape.interval and reading.count(found) not in {None, len(filled.elements)}:
            raise NetlinkError(errno.EINTR, f"set {shape.name} was listed in part")
        return filled

    def _chains(self) -> dict[str, Chain]:
        rules: dict[str, list[Rule]] = {}
        for each in self._dump(Nft.GET_RULE):
            rules.setdefault(codec.read_text(each[_NAME]), []).append(reading.rule(each))
        dumped = {codec.read_text(each[_CHAIN_NAME]): each for each in self._dump(Nft.GET_CHAIN)}
        return {
            name: Chain(name, tuple(rules.get(name, ())), reading.hook(each)) for name, each in dumped.items()
        }

    def _dump(self, kind: Nft, *attributes: bytes) -> Iterator[Attributes]:
        """What of our table there is; of chains the kernel lists those of all tables."""
        request = wire.message(kind, codec.text(_TABLE, self._name), *attributes, flags=codec.DUMP)
        found = map(reading.attributes, _content(self._socket.request(request)))
        return (each for each in found if codec.read_text(each[_TABLE]) == self._name)

    def _wait(self) -> None:
        try:
            self._grace()
        except OSError as error:
            raise DatapathError(
                f"nftables: the switch is in force, but what it replaced stays until the next difference: {error}",
                error.errno or errno.ENOSYS,
            ) from error

    def _apply_in_parts(self, stage: str, batch: Batch) -> None:
        """As few sends as the socket allows."""
        part = bytearray()
        for message in wire.batch(self._name, batch):
            if part and len(part) + len(message) + _BATCH_OVERHEAD > self._socket.send_limit:
                self._batch(stage, bytes(part))
                part.clear()
            part += message
        self._batch(stage, bytes(part))

    def _batch(self, stage: str, messages: bytes) -> None:
        with _explained(stage):
            self._socket.batch(messages)


def _content(answers: Iterable[Message]) -> Iterator[Message]:
    return (answer for answer in answers if answer.kind > codec.DONE)


@contextmanager
def _explained(stage: str) -> Iterator[None]:
    try:
        yield
    except NetlinkError as error:
        refusal = DatapathError(f"nftables: {stage} was refused: {error}", error.errno or 0)
        if refusal.stale:
            refusal.add_note(
                "The table is not what this was computed from: read it and apply the difference."
            )
        raise refusal from error
