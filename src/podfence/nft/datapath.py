"""What enforces a table, whoever it is: the promises that the kernel and the fake both keep.

`read` and `apply` are enough to reconcile: apply(diff(wanted, read())). A refused batch leaves nothing
behind; batches before it stay, and the next difference takes them into account.
Next: `kernel.py` and `fake.py` are the two; `tests/contracts/test_datapath.py` holds them to it.
"""

import errno
from typing import Protocol

from podfence.nft.actions import Counter
from podfence.nft.table import Table
from podfence.nft.transaction import Transaction

_STALE = frozenset({errno.ENOENT, errno.EEXIST, errno.EBUSY, errno.ERESTART})


class DatapathError(Exception):
    """A refusal, with the kernel's number for it."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.number = number

    @property
    def stale(self) -> bool:
        """The table is not what the transaction was made from: read it and apply the new difference."""
        return self.number in _STALE


class Datapath(Protocol):
    def read(self) -> Table | None:
        """The table as it was at one moment; None where there is none."""

    def apply(self, transaction: Transaction) -> None:
        """Prepare, switch, and when no packet can be in what goes any more, retire."""

    def remove(self) -> None:
        """No table afterwards, whether there was one before or not."""

    def generation(self) -> int:
        """Differs after every commit, whoever made it."""

    def counters(self) -> dict[str, Counter]:
        """The counters of the table by name; none where there is no table."""
