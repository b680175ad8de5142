"""Steady traffic of one allowed and one denied flow, counted by the kernel on both sides of our hook.

    with steady_traffic(sender, allowed, denied) as traffic:
        ...                                     # change rules meanwhile
    assert traffic.lost == traffic.leaked == 0

The sender is a forked child that writes frames to the pod's link; the counters stand in a table of their own, in
`prerouting` and in `postrouting`, so nothing depends on a receiver keeping up.
"""

import os
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass

from podfence.nft.actions import Count, Counter
from podfence.nft.difference import diff
from podfence.nft.kernel import Kernel
from podfence.nft.matches import Address, End
from podfence.nft.table import Chain, Hook, HookPoint, Table

AT_ONCE = 64
NOTHING = Counter()


@dataclass
class Traffic:
    allowed: int = 0
    lost: int = 0
    denied: int = 0
    leaked: int = 0
    kernel: Kernel | None = None

    @property
    def sent(self) -> int:
        """How many of each there were so far: however little of the machine the sender gets, a test can wait for them."""
        counted = self.kernel.counters()
        return min(counted["sent_allowed"].packets, counted["sent_denied"].packets)

    def flow(self, packets=100) -> None:
        """Wait until so many more of each were sent."""
        enough, until = self.sent + packets, time.monotonic() + 60
        while self.sent < enough:
            assert time.monotonic() < until, "the sender sends nothing"
            time.sleep(0.001)


def counting(allowed: bytes, denied: bytes) -> Table:
    def chain(name, point, priority):
        rules = tuple(
            (Address(End.DESTINATION, packed), Count(f"{name}_{word}"))
            for word, packed in (("allowed", allowed), ("denied", denied))
        )
        return Chain(name, rules, Hook(point, priority))

    names = [f"{side}_{word}" for side in ("sent", "passed") for word in ("allowed", "denied")]
    chains = (chain("sent", HookPoint.PREROUTING, -300), chain("passed", HookPoint.POSTROUTING, 300))
    return Table.of("traffic", 0, counters=names, chains=chains)


@contextmanager
def steady_traffic(port, frames, allowed, denied):
    """`frames`: one allowed and one denied packet, to these packed addresses."""
    with Kernel("traffic") as kernel:
        traffic = Traffic(kernel=kernel)
        kernel.apply(diff(counting(allowed, denied), None))
        sender = os.fork()
        if sender == 0:
            _send(port, frames)
        try:
            yield traffic
        finally:
            os.kill(sender, signal.SIGKILL)
            os.waitpid(sender, 0)
            counted = _at_rest(kernel)
            traffic.allowed = counted["sent_allowed"]
            traffic.lost = counted["sent_allowed"] - counted["passed_allowed"]
            traffic.denied = counted["sent_denied"]
            traffic.leaked = counted["passed_denied"]


def _at_rest(kernel) -> dict[str, int]:
    """The counters once nothing is under way any more."""
    before, now = {}, None
    while before != now:
        time.sleep(0.1)
        before, now = now, {name: counter.packets for name, counter in kernel.counters().items()}
    return now


def _send(port, frames) -> None:
    """Until it is killed, or nobody did within two minutes."""
    signal.alarm(120)
    send = port.send
    one, other = frames
    while True:
        for _ in range(AT_ONCE):
            send(one)
            send(other)
