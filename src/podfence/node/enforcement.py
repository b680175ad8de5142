"""The rules of one node in the kernel: adopted, changed, repaired and taken away.

Elements change at once. What takes a permission away moves the generation on, at once or, when it has just
moved, a little later, so that many changes cost one move. What nothing points at any more is removed behind
the change that orphaned it. After any refusal the kernel is read and the difference applied: there is no
state from which this does not lead back to the wanted table.
Next: `lab` and `agent` keep one for each node; `denials.py` reads what it denied.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from select import select
from types import TracebackType
from typing import Self

from podfence.compiler import Compiler
from podfence.model.change import Change, between
from podfence.model.cluster import Snapshot
from podfence.netlink.notifications import Watch
from podfence.netlink.sockets import NETFILTER, Socket
from podfence.nft.datapath import DatapathError
from podfence.nft.difference import diff
from podfence.nft.kernel import Kernel
from podfence.nft.render import BASE_CHAINS, Bump, Settings, render, render_bump, render_patch
from podfence.nft.table import Table
from podfence.nft.transaction import ReplaceRules, Transaction
from podfence.node import generations
from podfence.node.history import History
from podfence.node.orphans import Orphans
from podfence.node.portions import portions
from podfence.node.standing import Standing
from podfence.node.tally import Tally, tally
from podfence.program import Patch, Program

BUMP_INTERVAL = 0.05
RETIRE_AFTER = 0.05
ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class Applied:
    """What a call did. `milliseconds`: in the kernel, until the change was in force.

    `cutting`: established connections that are no longer allowed end with their next packet; where it is
    False although the change took permissions away, the move is due (`Enforcement.due`).
    """

    patch: Patch
    milliseconds: float = 0.0
    generation: int = 0
    cutting: bool = False
    repaired: bool = False


class Enforcement:
    """Belongs to the network namespace where it was made and started. A context manager; closing it leaves the rules in force.

    `clock` tells seconds that never go back; the caller calls `tick` when `due` has passed.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        node: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings or Settings()
        self.history = History()
        self._clock = clock
        self._node = node
        self._compiler = Compiler(node)
        self._socket = Socket(NETFILTER)
        self._kernel = Kernel(self.settings.table, socket=self._socket)
        self._watch = Watch(self._socket)
        self._standing: Standing | None = None
        self._orphans = Orphans()
        self._counted = Tally()
        self._generation = 0
        self._moved = float("-inf")
        self._bump_at: float | None = None
        self._retire_at: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._watch.close()
        self._kernel.close()

    def fileno(self) -> int:
        """Readable when somebody else has changed nftables: call `repair_if_touched`."""
        return self._watch.fileno()

    @property
    def generation(self) -> int:
        return self._generation

    def attach(self) -> None:
        """Let conntrack see connections before any is judged; where a table is already, it does.

        Before `start`, with `Existing.KEEP`, where conntrack may be new to this namespace: a connection counts
        as established once it was seen in both directions, so give them a moment in between.
        """
        if self._kernel.read() is None:
            generation = generations.first(self.settings, None)
            prepared = diff(render(Program(), self.settings, generation), None)
            self._kernel.apply(replace(prepared, switch=()))

    def start(self, snapshot: Snapshot) -> Applied:
        """Put a whole snapshot in force; a table that is there already is adopted and only changed where it differs."""
        self.history.begin(snapshot)
        self._compiler = Compiler(self._node)
        patch = self._compiler.apply(between(Snapshot(), snapshot))
        milliseconds = self._timed(self._adopt)
        return Applied(patch, milliseconds, self._generation, cutting=True)

    def apply(self, changes: Iterable[Change]) -> Applied:
        """Put changes in force together."""
        taken = tuple(changes)
        patch = self._compiler.apply(taken)
        self.history.add(taken)
        if not patch:
            return Applied(patch, generation=self._generation)
        before, repaired = self._generation, self._standing is None
        try:
            milliseconds = self._timed(lambda: self._apply(patch))
        except DatapathError:
            self._standing, repaired = None, True
            milliseconds = self._timed(self._adopt)
        cutting = repaired or self._generation != before
        return Applied(patch, milliseconds, self._generation, cutting, repaired)

    @property
    def due(self) -> float | None:
        """Seconds until `tick` has something to do; None when nothing is waiting."""
        waiting = [moment for moment in (self._bump_at, self._retire_at) if moment is not None]
        return max(0.0, min(waiting) - self._clock()) if waiting else None

    def tick(self) -> None:
        """Do what is due."""
        now = self._clock()
        try:
            if self._bump_at is not None and now >= self._bump_at:
                bump = self._bump(moves=True)
                self._kernel.apply(render_bump(self.settings, bump))
                self._moved_on(bump)
            if self._retire_at is not None and now >= self._retire_at:
                self._retire()
        except DatapathError:
            self.repair()

    def verify(self) -> Transaction:
        """What the kernel lacks or has too much of, as a transaction nobody applies; empty when all is well."""
        self._retire()
        return diff(self._wanted(self._generation), self._kernel.read())

    def repair_if_touched(self) -> bool:
        """Read what others did to nftables; where it may have been our table, put it right. Whether it was wrong."""
        touched = False
        while select([self._watch], [], [], 0)[0]:
            touched |= any(change.may_touch(self.settings.table) for change in self._watch.read(0))
        return touched and self.repair()

    def repair(self) -> bool:
        """Make the table what it should be, with a new generation; whether anything was wrong."""
        self._standing = None
        return self._adopt()

    def tally(self) -> Tally:
        """What was denied and dropped since the start, also by rules that are gone."""
        counters = self._kernel.counters()
        return self._counted + tally(counters, counters)

    def remove(self) -> None:
        """Take everything away: afterwards nothing is judged, as if podfence had never been here."""
        self._kernel.remove()
        self._standing, self._orphans = Standing(), Orphans()
        self._bump_at = self._retire_at = None

    def _apply(self, patch: Patch) -> None:
        if self._standing is None:
            self._adopt()
            return
        bump = self._bump(moves=patch.tightens and self._clock() - self._moved >= BUMP_INTERVAL)
        transaction = render_patch(self._standing.program, patch, self.settings, bump)
        if self._orphans.hinder(transaction):
            self._retire()
        self._carry_out(replace(transaction, retire=()))
        self._standing.take(patch)
        self._leave_behind(transaction)
        self._moved_on(bump)
        if patch.tightens and bump.before == bump.after and self._bump_at is None:
            self._bump_at = self._moved + BUMP_INTERVAL

    def _adopt(self) -> bool:
        """Read, and apply the difference; again while others write too. Whether there was any."""
        for attempt in range(ATTEMPTS):
            try:
                return self._reconcile(again=attempt > 0)
            except DatapathError as error:
                if not error.stale or attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _reconcile(self, *, again: bool) -> bool:
        """A difference of any kind may have let connections through, so they are all judged again.

        Also where it was there a moment ago (`again`) and whoever made it has taken it away meanwhile.
        """
        found = self._kernel.read()
        current = generations.current(found, self.settings) if found else None
        if found and current and not again and not diff(self._wanted(current), found):
            self._in_force(current)
            return False
        generation = (
            generations.following(self.settings, current)
            if current
            else generations.first(self.settings, found)
        )
        self._carry_out(_mended_first(diff(self._wanted(generation), found)))
        self._in_force(generation)
        return True

    def _in_force(self, generation: int) -> None:
        self._standing = Standing.of(self._compiler.program)
        self._orphans, self._retire_at = Orphans(), None
        self._generation, self._bump_at = generation, None

    def _wanted(self, generation: int) -> Table:
        return render(self._compiler.program, self.settings, generation)

    def _bump(self, *, moves: bool) -> Bump:
        after = generations.following(self.settings, self._generation) if moves else self._generation
        return Bump(self._generation, after)

    def _moved_on(self, bump: Bump) -> None:
        if bump.before != bump.after:
            self._generation, self._moved, self._bump_at = bump.after, self._clock(), None

    def _leave_behind(self, transaction: Transaction) -> None:
        if transaction.retire:
            self._orphans.add(transaction)
            self._retire_at = self._retire_at or self._clock() + RETIRE_AFTER

    def _retire(self) -> None:
        self._retire_at = None
        if going := self._orphans.counters:
            self._counted += tally(self._kernel.counters(), going)
        if batch := self._orphans.taken():
            self._kernel.apply(Transaction(self.settings.table, retire=(batch,)))

    def _carry_out(self, transaction: Transaction) -> None:
        for portion in portions(transaction, self._socket.send_limit):
            self._kernel.apply(portion)

    def _timed(self, work: Callable[[], object]) -> float:
        begun = time.perf_counter()
        work()
        return (time.perf_counter() - begun) * 1000


def _mended_first(transaction: Transaction) -> Transaction:
    """What is half made under a name that stands for content is finished before anything may come to point at it."""
    half_made = [
        each
        for each in transaction.switch
        if isinstance(each, ReplaceRules) and each.chain.rules and each.chain.name not in BASE_CHAINS
    ]
    switch = tuple(each for each in transaction.switch if each not in half_made)
    return replace(
        transaction, prepare=(*transaction.prepare, *((each,) for each in half_made)), switch=switch
    )
