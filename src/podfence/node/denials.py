"""Denied packets from the kernel's log, each explained by the meaning of the policies that were in force.

The kernel says only which combination denied, in which direction, and whether the packet was a reply; why,
`decide` says. Where no snapshot of that moment denies the flow, the denial is labelled `stale`.
Next: the lab and the agent print what is read here; `analysis` finds the nearest rule.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from podfence.model.address import Address
from podfence.model.cluster import Pod, Snapshot
from podfence.model.flow import Flow, Verdict, Walk
from podfence.model.policy import Direction
from podfence.model.ports import Protocol
from podfence.netlink.nflog import Logged, LogReader, Tuning
from podfence.nft.render.denials import read_log_prefix
from podfence.nft.statements import Side
from podfence.node.history import History
from podfence.semantics import walk


@dataclass(frozen=True, slots=True)
class Denial:
    """One packet. `flow` is the connection it belongs to: for a reply the one it answers."""

    time: float
    flow: Flow
    direction: Direction
    reply: bool
    source: Pod | None
    destination: Pod | None
    walk: Walk
    snapshot: Snapshot

    @property
    def stale(self) -> bool:
        return self.walk.verdict is Verdict.ALLOWED


class Denials:
    """The reader of a log group in the namespace where it was made."""

    def __init__(self, group: int, history: History, tuning: Tuning | None = None) -> None:
        self._reader = LogReader(group, tuning or Tuning())
        self.history = history

    @property
    def lost(self) -> int:
        """Packets that were logged but never read: the reader was too slow."""
        return self._reader.lost

    def fileno(self) -> int:
        return self._reader.fileno()

    def close(self) -> None:
        self._reader.close()

    def read(self, timeout: float | None = None) -> list[Denial]:
        return list(explained(self._reader.read(timeout), self.history))


def explained(packets: list[Logged], history: History) -> Iterator[Denial]:
    """What is not ours, or not readable as a flow, is passed over: it was counted where it was dropped."""
    for packet in packets:
        known = read_log_prefix(packet.prefix)
        if known and packet.protocol is not None and packet.source:
            direction, side, _ = known
            yield _explained(packet, direction, side, history)


def _explained(packet: Logged, direction: Direction, side: Side, history: History) -> Denial:
    flow = _flow(packet, side)
    snapshots = list(history.at(packet.time))
    walks = [walk(snapshot, flow, direction) for snapshot in snapshots]
    at = next((n for n, each in enumerate(walks) if each.verdict is Verdict.DENIED), 0)
    return Denial(
        packet.time,
        flow,
        direction,
        side is Side.REPLY,
        snapshots[at].pod_at(flow.source),
        snapshots[at].pod_at(flow.destination),
        walks[at],
        snapshots[at],
    )


def _flow(packet: Logged, side: Side) -> Flow:
    source, destination, port = packet.source, packet.destination, packet.destination_port
    if side is Side.REPLY:
        source, destination, port = destination, source, packet.source_port
    protocol = Protocol(packet.protocol or 0)
    named = port if protocol.has_ports else None
    return Flow(Address(source), Address(destination), protocol, named, hairpin=source == destination)
