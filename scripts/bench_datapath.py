"""What the rules cost packets: forwarding with them beside conntrack alone and beside nothing. `make bench-datapath` prints the table.

Every variant is a router with two pods of its own, all loaded at once, so that changing from one to the next costs
nothing; in each round all variants are measured one after the other, in another order each time, and compared with
the conntrack-only run of the same round. Client and server share one processor, else waking the other one would
hide everything. The clients are Python's: absolute rates are low, ratios are what counts. It runs in namespaces
of its own and takes about `--seconds`.
"""

import argparse
import contextlib
import os
import random
import resource
import signal
import socket
import statistics
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from kernel.frames import UDP, Port, frame
from podfence.lab import namespaces
from podfence.model.address import Address, address
from podfence.model.change import snapshot
from podfence.model.cluster import Namespace, Pod
from podfence.model.labels import selector
from podfence.model.policy import Direction, PodSelection, Policy, Rule
from podfence.model.ports import PortMatch, PortRange, Protocol
from podfence.nft.difference import diff
from podfence.nft.kernel import Kernel
from podfence.nft.render import Settings
from podfence.nft.statements import CtState, State
from podfence.nft.table import Chain, Hook, HookPoint, Table
from podfence.nft.verdicts import ACCEPT
from podfence.node import Enforcement
from sandbox import in_child
from topology import pods

PORT, REQUEST, CHUNK = 8080, b"x" * 14, bytes(1 << 16)
SIZES = (
    (10, 1, False),
    (10, 100, False),
    (1000, 10, False),
    (10_000, 1, False),
    (10_000, 100, False),
    (10_000, 100, True),
)
"""Pods, rules of each, and whether sources are checked on their links."""
PLAIN, CONNTRACK = "plain forwarding", "conntrack alone"
BURST = 4000


@dataclass(frozen=True)
class Metric:
    name: str
    better: str
    measure: object


@dataclass
class Variant:
    """A router with its rules, and two pods that do nothing but this."""

    name: str
    client: object
    server: object
    listening: socket.socket
    port: Port


def world(count, rules):
    """`count` pods in up to 100 applications; each may reach its own and the next, the port in the last of its rules."""
    applications = min(100, max(2, count // 2))
    addresses = [address("10.0.0.1"), address("10.0.0.2")]
    addresses += [Address((0x0A400000 + number).to_bytes(4, "big")) for number in range(count - 2)]
    made = [
        Pod("x", f"p{n}", {"app": str(n % applications)}, (each,), "node") for n, each in enumerate(addresses)
    ]
    return snapshot(
        [
            Namespace("x", {}),
            *made,
            *(p for n in range(applications) for p in policies(n, applications, rules)),
        ]
    )


def policies(number, applications, rules):
    near = {number, (number + 1) % applications, (number - 1) % applications}
    peers = tuple(PodSelection("x", selector(app=str(each))) for each in sorted(near))
    ports = [9000 + n for n in range(rules - 1)] + [PORT]
    for direction in Direction:
        found = tuple(
            Rule(
                peers[: 1 + n % 2] if n < rules - 1 else peers,
                (_match(Protocol.TCP, at), _match(Protocol.UDP, at)),
            )
            for n, at in enumerate(ports)
        )
        subject = PodSelection("x", selector(app=str(number)))
        yield Policy(
            "x", f"{direction.value}-{number}", subject, frozenset({direction}), **{direction.value: found}
        )


def _match(protocol, port):
    return PortMatch(protocol, PortRange(port, port))


def load_conntrack(kept):
    rule = (CtState(State.ESTABLISHED | State.RELATED), ACCEPT)
    table = Table.of("conntrack", 1, chains=(Chain("forward", (rule,), Hook(HookPoint.FORWARD)),))
    kept.enter_context(Kernel("conntrack")).apply(diff(table, None))


def load_rules(kept, count, rules, *, checked):
    settings = Settings(pod_interfaces=("pod*",) if checked else ())
    enforcement = kept.enter_context(Enforcement(settings))
    enforcement.start(world(count, rules))


def variant(kept, name, load):
    router = namespaces.new_network_namespace()
    with namespaces.inside(router):
        client, server = kept.enter_context(pods(2))
        load()
    listening = server.serve(PORT)
    listening.listen(128)
    return Variant(name, client, server, listening, Port(client))


def variants(kept, sizes):
    yield variant(kept, PLAIN, lambda: None)
    yield variant(kept, CONNTRACK, partial(load_conntrack, kept))
    for count, rules, checked in sizes:
        name = f"{count:,} pods, {rules} rules each" + (", sources checked" if checked else "")
        yield variant(kept, name, partial(load_rules, kept, count, rules, checked=checked))


def connections(tested, seconds):
    """Connect, ask, be answered, close: how many in a second of processor time, of client and server together."""
    done, begun = 0, processor_seconds()
    with served(tested, one_answer), tested.client.inside():
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with socket.socket() as mine:
                mine.connect((tested.server.four, PORT))
                mine.send(REQUEST)
                mine.recv(64)
            done += 1
    return done / (processor_seconds() - begun)


def processor_seconds():
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def round_trip(tested, seconds):
    """Median microseconds for 14 bytes there and back."""
    with served(tested, echo), tested.client.open(tested.server.four) as mine:
        mine.connect((tested.server.four, PORT))
        mine.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        times, until = [], time.monotonic() + seconds
        while time.monotonic() < until:
            begun = time.perf_counter_ns()
            mine.send(REQUEST)
            mine.recv(64)
            times.append(time.perf_counter_ns() - begun)
        return statistics.median(times) / 1000


def throughput(tested, seconds):
    """Gbit/s of one TCP connection."""
    with served(tested, swallow), tested.client.open(tested.server.four) as mine:
        mine.connect((tested.server.four, PORT))
        sent, begun = 0, time.monotonic()
        while time.monotonic() < begun + seconds:
            sent += mine.send(CHUNK)
        return sent * 8e-9 / (time.monotonic() - begun)


def packets(tested, seconds):
    """Thousand packets a second of processor time, all of one accepted flow, sent and forwarded in one go."""
    ends = tested.client.four, tested.server.four
    one = frame(*ends, UDP, PORT)
    send, begun, sent, until = tested.port.send, time.thread_time_ns(), 0, time.monotonic() + seconds
    while time.monotonic() < until:
        for _ in range(200):
            send(one)
        sent += 200
    return sent * 1e6 / (time.thread_time_ns() - begun)


def new_flows(tested, seconds):
    """Thousand packets a second of processor time, each the first of its flow: every one is judged."""
    ends = tested.client.four, tested.server.four
    random.seed(time.monotonic_ns())
    many = [
        frame(*ends, UDP, PORT, source_port=random.randrange(1024, 65536))
        for _ in range(int(BURST * seconds))
    ]
    begun = time.thread_time_ns()
    for each in many:
        tested.port.send(each)
    return len(many) * 1e6 / (time.thread_time_ns() - begun)


METRICS = (
    Metric("connect-request-close, 1/s of processor time", "higher", connections),
    Metric("round trip, µs", "lower", round_trip),
    Metric("TCP, Gbit/s", "higher", throughput),
    Metric("packets of a flow, 1000/s", "higher", packets),
    Metric("first packets, 1000/s", "higher", new_flows),
)


@contextlib.contextmanager
def served(tested, serve):
    """A server in a process of its own, on this processor."""
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        tested.listening.settimeout(None)
        while True:
            theirs, _ = tested.listening.accept()
            with contextlib.suppress(OSError):
                serve(theirs)
            theirs.close()
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def one_answer(theirs):
    theirs.send(theirs.recv(64))


def echo(theirs):
    theirs.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while asked := theirs.recv(64):
        theirs.send(asked)


def swallow(theirs):
    while theirs.recv(1 << 20):
        pass


def measure(sizes, seconds):
    """Rounds of (metric, variant) → value until the time is over."""
    os.sched_setaffinity(0, {random.choice(sorted(os.sched_getaffinity(0)))})
    namespaces.raise_file_limit()
    with contextlib.ExitStack() as kept:
        made = list(variants(kept, sizes))
        rounds, until = [], time.monotonic() + seconds
        while time.monotonic() < until or len(rounds) < 3:
            rounds.append(one_round(made))
        return [each.name for each in made], rounds


def one_round(made):
    found = {}
    for metric in METRICS:
        for tested in random.sample(made, len(made)):
            found[metric.name, tested.name] = metric.measure(tested, 0.25)
    return found


def table(names, rounds):
    """Medians of conntrack alone, and for the others the ratio to it in the same round: median [smallest, largest]."""
    yield "| | " + " | ".join(f"{metric.name} ({metric.better} is better)" for metric in METRICS) + " |"
    yield "|---|" + "---|" * len(METRICS)
    middle = (statistics.median(each[metric.name, CONNTRACK] for each in rounds) for metric in METRICS)
    yield f"| {CONNTRACK}, absolute | " + " | ".join(f"{each:,.1f}" for each in middle) + " |"
    for name in names:
        if name != CONNTRACK:
            cells = (
                spread([each[m.name, name] / each[m.name, CONNTRACK] for each in rounds]) for m in METRICS
            )
            yield f"| {name} | " + " | ".join(cells) + " |"


def spread(ratios):
    return f"{statistics.median(ratios):.3f} [{min(ratios):.2f}, {max(ratios):.2f}]"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=90, help="how long to measure, loading apart")
    parser.add_argument("--write", type=Path, help="a file for the table; standard output else")
    chosen = parser.parse_args()
    names, rounds = in_child(lambda: measure(SIZES, chosen.seconds), seconds=chosen.seconds * 2 + 240)
    text = "\n".join(table(names, rounds))
    text += f"\n\n{len(rounds)} rounds; Linux {os.uname().release}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}.\n"
    chosen.write.write_text(text) if chosen.write else print(text)


if __name__ == "__main__":
    main()
