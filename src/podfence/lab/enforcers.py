"""Enforcement on every node of a lab: the product's own (`node`), one in each node's namespace, driven by this loop.

The lab only says when: what has to be done later, what the kernel logged, what somebody else did to the rules.
Next: `running` puts snapshots in force through here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from podfence.lab.denials import DenyLog
from podfence.lab.network import LINK, Fabric
from podfence.lab.topology import Place, node_place
from podfence.model.change import Change
from podfence.model.cluster import Snapshot
from podfence.model.flow import Flow
from podfence.netlink.conntrack import Entry, entries
from podfence.netlink.nflog import Logged, LogReader, Tuning
from podfence.netlink.sockets import NETFILTER, Socket
from podfence.nft.render import Settings
from podfence.node import Denial, Enforcement
from podfence.node.denials import explained

SETTINGS = Settings(log_limit=None, pod_interfaces=(f"{LINK}*",))
"""Every denial is logged: a probe is denied when the log shows its packet, and not before."""

_PROMPT = Tuning(flush_after=0.01)

Dropped = Callable[[Flow, int], bool]
"""Told of each packet in the drop log, with its source port: True takes it for a probe, which nobody else hears of."""


@dataclass(slots=True)
class _Node:
    place: Place
    enforcement: Enforcement
    log: LogReader
    conntrack: Socket
    timer: asyncio.TimerHandle | None = None


class Enforcers:
    def __init__(self, fabric: Fabric, dropped: Dropped) -> None:
        self.denials = DenyLog()
        self._fabric = fabric
        self._dropped = dropped
        self._nodes: dict[str, _Node] = {}

    def start(self, name: str, snapshot: Snapshot) -> None:
        """Put a snapshot in force on a node that has no rules yet."""
        place = node_place(name)
        with self._fabric.inside(place):
            log = LogReader(SETTINGS.log_group, _PROMPT)
            node = _Node(place, Enforcement(SETTINGS, node=name), log, Socket(NETFILTER))
            node.enforcement.start(snapshot)
        self._nodes[name] = node
        loop = asyncio.get_running_loop()
        loop.add_reader(node.log, self._read_log, node)
        loop.add_reader(node.enforcement, self._repair, node)
        self._wait(node)

    def change(self, changes: Iterable[Change]) -> None:
        """Put changes in force on every node that runs."""
        taken = tuple(changes)
        for node in self._nodes.values():
            with self._fabric.inside(node.place):
                node.enforcement.apply(taken)
            self._wait(node)

    def tracked(self) -> list[Entry]:
        """The connections that nodes know of, the same one from each node it passes."""
        return [entry for node in self._nodes.values() for entry in entries(node.conntrack)]

    def end(self, name: str) -> None:
        node = self._nodes.pop(name)
        loop = asyncio.get_running_loop()
        if node.timer:
            node.timer.cancel()
        for watched in (node.log, node.enforcement):
            loop.remove_reader(watched)
            watched.close()
        node.conntrack.close()

    def close(self) -> None:
        for name in tuple(self._nodes):
            self.end(name)

    def lost(self) -> int:
        """Denials that were logged but never read."""
        return sum(node.log.lost for node in self._nodes.values())

    def _wait(self, node: _Node) -> None:
        """Come back when the enforcement has something to do."""
        if node.timer:
            node.timer.cancel()
        due = node.enforcement.due
        loop = asyncio.get_running_loop()
        node.timer = None if due is None else loop.call_later(due, self._tick, node)

    def _tick(self, node: _Node) -> None:
        with self._fabric.inside(node.place):
            node.enforcement.tick()
        self._wait(node)

    def _repair(self, node: _Node) -> None:
        with self._fabric.inside(node.place):
            node.enforcement.repair_if_touched()
        self._wait(node)

    def _read_log(self, node: _Node) -> None:
        for packet in node.log.read(0):
            for denial in explained([packet], node.enforcement.history):
                if not self._dropped(denial.flow, _source_port(packet, denial)):
                    self.denials.add(denial)


def _source_port(packet: Logged, denial: Denial) -> int:
    """Of the flow: a reply carries it as its destination."""
    return (packet.destination_port if denial.reply else packet.source_port) or 0
