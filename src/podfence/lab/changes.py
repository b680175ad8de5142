"""What an edit meant: which pairs it opened or closed, and which live connections it cut. Pure.

Where there are many pods, one stands for each workload, and that is said. Next: `running` reports this after every edit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from podfence.lab.matrix import Asked, End, direct
from podfence.model.address import Address
from podfence.model.cluster import Snapshot
from podfence.model.flow import Flow, Verdict
from podfence.model.ports import Protocol
from podfence.netlink.conntrack import Entry
from podfence.semantics import decide

MOST_ENDS = 60


@dataclass(frozen=True, slots=True)
class Changed:
    """One pair whose verdict is another now, at these ports. `names`: the ports where names are asked for."""

    source: str
    destination: str
    ports: tuple[tuple[Protocol, int], ...]
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """`pairs` were compared; `sampled`: by workload rather than pod by pod."""

    pairs: int
    changed: tuple[Changed, ...]
    sampled: bool


def compare(old: Snapshot, new: Snapshot, before: Sequence[End], after: Sequence[End]) -> Comparison:
    """Pairs that are there on both sides of an edit. A pod that came or went is told of by itself."""
    stayed = {(end.title, end.addresses) for end in before}
    both = [end for end in after if (end.title, end.addresses) in stayed]
    chosen = _chosen(both)
    found: dict[tuple[str, str, str, str], dict[tuple[Protocol, int], None]] = {}
    pairs = set()
    for asked in direct(chosen, chosen):
        pairs.add((asked.source.title, asked.destination.title))
        was, now = _verdict(old, asked), _verdict(new, asked)
        if was is not now:
            key = (asked.source.title, asked.destination.title, was.value, now.value)
            found.setdefault(key, {})[asked.probe.protocol, asked.probe.port] = None
    changed = tuple(
        Changed(source, destination, tuple(ports), was, now)
        for (source, destination, was, now), ports in found.items()
    )
    return Comparison(len(pairs), changed, len(chosen) < len(both))


def _verdict(snapshot: Snapshot, asked: Asked) -> Verdict:
    probe = asked.probe
    return decide(snapshot, Flow(probe.source, probe.destination, probe.protocol, probe.port)).verdict


def _chosen(found: Sequence[End]) -> list[End]:
    """All, or where they are many the first of each kind: alike in workload, labels and place on the network."""
    if len(found) <= MOST_ENDS:
        return list(found)
    kinds: dict[object, End] = {}
    for end in found:
        kinds.setdefault(_likeness(end), end)
    return list(kinds.values())[:MOST_ENDS]


def _likeness(end: End) -> object:
    pod = end.pod
    if pod is None:
        return end.title
    return (pod.namespace, pod.owner or pod.name, tuple(sorted(pod.labels.items())), pod.host_network)


def cut(old: Snapshot, new: Snapshot, tracked: Iterable[Entry]) -> list[Flow]:
    """Established connections that were allowed and are not any more: their next packet is dropped."""
    flows = {entry.original: _translated(entry) for entry in tracked if entry.established}
    return [
        flow
        for flow in dict.fromkeys(flows.values())
        if decide(old, flow).verdict is Verdict.ALLOWED and decide(new, flow).verdict is Verdict.DENIED
    ]


def _translated(entry: Entry) -> Flow:
    """From who began it to where it really went: the answering side of the reply."""
    source, destination = Address(entry.original.source), Address(entry.reply.source)
    port = entry.reply.source_port or None
    return Flow(source, destination, Protocol(entry.original.protocol), port, hairpin=source == destination)


def names_lost(changed: Iterable[Changed]) -> Iterator[Changed]:
    """The changes that take name resolution away, which surprises most."""
    for each in changed:
        if each.after == Verdict.DENIED.value and any(port == 53 for _, port in each.ports):
            yield each
