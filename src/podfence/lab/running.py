"""A lab that runs: the snapshot in force, and everything that makes it real. One edit at a time goes through here.

An edit is in force on every node before its new pods exist, and its old pods are gone before their rules are: no pod is ever on
the network without its policies. Next: `daemon` lets others ask for edits.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from podfence.errors import PodfenceError
from podfence.lab import changes, control, matrix, resolver, topology
from podfence.lab.changes import Comparison
from podfence.lab.desired import Desired, Done, Edit
from podfence.lab.enforcers import Enforcers
from podfence.lab.listeners import Key, Listener, Listeners, of_host, of_pod
from podfence.lab.network import Fabric
from podfence.lab.probes import ALLOWED, Probe, Prober
from podfence.lab.settling import Settled, settle
from podfence.lab.translators import Translators
from podfence.lab.zone import Zone
from podfence.manifests.outside import external_addresses, external_ports
from podfence.model.address import Address
from podfence.model.change import between
from podfence.model.cluster import Snapshot
from podfence.model.flow import Flow

Hosts = Mapping[str, tuple[Address, ...]]


@dataclass(frozen=True, slots=True)
class Report:
    """What an edit did. `milliseconds`: until it was in force on every node; None where no node had to change."""

    done: tuple[Done, ...]
    milliseconds: float | None
    comparison: Comparison
    cut: Sequence[Flow] = ()
    came: Sequence[str] = ()
    went: Sequence[str] = ()
    unreached: Sequence[str] = ()
    notes: Sequence[str] = field(default=())


class Running:
    """Start it once, then change it; `close` gives everything back to the kernel."""

    def __init__(self, hosts: Hosts) -> None:
        self.hosts = hosts
        self.desired = Desired()
        self.settled = Settled()
        self.outside: tuple[Address, ...] = ()
        self.fabric = Fabric()
        self.prober = Prober(self.fabric)
        self.zone = Zone(Snapshot(), hosts)
        self.listeners = Listeners(self.fabric, self.prober.arrived, self._answer)
        self.enforcers = Enforcers(self.fabric, self.prober.dropped)
        self.translators = Translators(self.fabric)
        self.since = time.time()
        self.hosts_left_out = 0
        self._turn = asyncio.Lock()

    def _answer(self, packet: bytes, stream: bool) -> bytes | None:  # noqa: FBT001  one of two transports
        """By the zone of this moment."""
        return self.zone.answer(packet, stream)

    @property
    def snapshot(self) -> Snapshot:
        return self.settled.snapshot

    def ends(self) -> list[matrix.End]:
        listening = self.listeners.wanted().values()
        return matrix.ends(self.snapshot, self.fabric.topology, self.outside, listening)

    async def start(self, desired: Desired) -> list[str]:
        """Everything up, then everything reached once, then the policies. Returns what could not be reached."""
        async with self._turn:
            self.desired, self.settled = desired, settle(desired, Settled())
            self.outside = self._outside(self.snapshot)
            self._build(topology.plan(self.snapshot, self.outside))
            listeners = self.listeners.wanted().values()
            unreached = await self._reach(control.from_neighbours(self.fabric.topology, listeners))
            for name in self.snapshot.nodes:
                self.enforcers.start(name, self.snapshot)
        return unreached

    async def change(self, edit: Callable[[Desired, Snapshot], Edit]) -> Report:
        """Make one edit real. A refusal leaves everything as it was."""
        async with self._turn:
            desired, done = edit(self.desired, self.snapshot)
            settled = settle(desired, self.settled)
            before, ends = self.snapshot, self.ends()
            milliseconds = self._enforce(settled.snapshot)
            tracked = self.enforcers.tracked() if milliseconds is not None else []
            self.desired, self.settled = desired, settled
            self.outside = self._outside(self.snapshot)
            new = self._build(topology.plan(self.snapshot, self.outside))
            self.translators.forget(_addresses(before) - _addresses(self.snapshot), self.snapshot.nodes)
            unreached = await self._reach(control.from_nodes(self.snapshot, self.fabric.topology, new))
            return Report(
                done,
                milliseconds,
                changes.compare(before, self.snapshot, ends, self.ends()),
                changes.cut(before, self.snapshot, tracked),
                [pod.title for key, pod in self.snapshot.pods.items() if key not in before.pods],
                [pod.title for key, pod in before.pods.items() if key not in self.snapshot.pods],
                unreached,
            )

    async def measure(self, asked: Sequence[matrix.Asked]) -> list[matrix.Answer]:
        """Packets beside the policies of one moment: no edit happens meanwhile."""
        async with self._turn:
            measured = await self.prober.measure([each.probe for each in asked])
            return matrix.answers(self.snapshot, asked, measured)

    def close(self) -> None:
        self.listeners.close(list(self.listeners.wanted()))
        self.enforcers.close()
        self.translators.close()
        self.fabric.close()

    def _outside(self, snapshot: Snapshot) -> tuple[Address, ...]:
        """Hosts that were named, and one for each region that policies tell apart; none goes before the lab does."""
        named = dict.fromkeys(address for found in self.hosts.values() for address in found)
        taken = {
            a
            for each in (snapshot.pods, snapshot.nodes, snapshot.services)
            for v in each.values()
            for a in v.addresses
        }
        if claimed := next((address for address in named if address in taken), None):
            raise PodfenceError(f"--host {claimed}: that address belongs to the cluster; choose another")
        found = {
            **named,
            **dict.fromkeys(self.outside),
            **dict.fromkeys(external_addresses(snapshot).addresses),
        }
        return tuple(address for address in found if address not in taken)

    def _enforce(self, snapshot: Snapshot) -> float | None:
        """Who goes, goes first; then the changes, on every node; a node that is new starts with all of them."""
        steps = list(between(self.snapshot, snapshot))
        if not steps:
            return None
        gone, new = (
            self.snapshot.nodes.keys() - snapshot.nodes.keys(),
            snapshot.nodes.keys() - self.snapshot.nodes.keys(),
        )
        wanted = topology.plan(snapshot, self.outside)
        staying = {p: s for p, s in self.fabric.topology.stations.items() if wanted.stations.get(p) == s}
        self._silence(topology.Topology(wanted.nodes, staying), snapshot)
        for name in gone:
            self.enforcers.end(name)
        self.fabric.change(topology.Topology(wanted.nodes, staying))
        begun = time.perf_counter()
        self.enforcers.change(steps)
        for name in new:
            self.enforcers.start(name, snapshot)
        return (time.perf_counter() - begun) * 1000

    def _silence(self, staying: topology.Topology, snapshot: Snapshot) -> None:
        """Close the listeners of everything that is about to go: an open socket keeps its namespace alive."""
        wanted = self._wanted(snapshot)
        known = {*staying.nodes, *staying.stations}
        open_now = self.listeners.wanted()
        self.listeners.close(
            [key for key, was in open_now.items() if wanted.get(key) != was or key[0] not in known]
        )

    def _build(self, wanted: topology.Topology) -> list[Listener]:
        """What a snapshot needs beside rules. Returns the listeners that are new."""
        self.fabric.change(wanted)
        self.translators.change(self.snapshot)
        self.zone = Zone(self.snapshot, self.hosts)
        open_now = self.listeners.wanted()
        new = [each for key, each in self._wanted(self.snapshot).items() if open_now.get(key) != each]
        self.listeners.close([each.key for each in new])
        for each in new:
            self.listeners.open(each)
        return [each for each in new if each.key in self.listeners.wanted()]

    def _wanted(self, snapshot: Snapshot) -> dict[Key, Listener]:
        """Every port of every pod and host; two pods on one node's network cannot have the same one: the first has it."""
        layout = topology.plan(snapshot, self.outside)
        servers = resolver.servers(snapshot)
        found = [
            listener
            for pod in snapshot.pods.values()
            if not pod.finished
            for listener in of_pod(snapshot, layout, pod, servers.get(pod.key, frozenset()))
        ]
        ports = external_ports(snapshot)
        found += [listener for address in self.outside for listener in of_host(address, ports)]
        return {listener.key: listener for listener in reversed(found)}

    async def _reach(self, probes: Sequence[Probe]) -> list[str]:
        """A positive control: each of these must arrive."""
        measured = await self.prober.measure(probes)
        return [
            f"{next(iter(p.at))} {p.protocol} {p.port} at {p.destination}: {m.reason or m.verdict}"
            for p, m in zip(probes, measured, strict=True)
            if m.verdict != ALLOWED
        ]


def _addresses(snapshot: Snapshot) -> set[Address]:
    return {address for pod in snapshot.pods.values() for address in pod.addresses}
