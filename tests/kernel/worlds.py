"""The small worlds of `strategies` on real links: three pods, a node, and one host that is everybody outside.

with small_world() as net:
    net.become(world)                  # a Snapshot, put in force as changes
    net.reaches("10.0.0.1", "10.0.0.2")
    outcome = net.send_all(flows)      # flow → "allowed", "denied", or what else became of it
"""

import time
from contextlib import contextmanager

from kernel.cases import A4, B4
from kernel.frames import UDP, Delivered, Port, frame, seen
from podfence.model.address import address
from podfence.model.change import between
from podfence.model.cluster import Snapshot
from podfence.netlink import routes
from podfence.netlink.nflog import Tuning
from podfence.netlink.routes import Route
from podfence.netlink.sockets import ROUTE, Socket
from podfence.nft.render import Settings
from podfence.node import Denials, Enforcement
from strategies import NODE_ADDRESSES, OUTSIDE, POD_ADDRESSES
from topology import pods

SETTINGS = Settings(log_limit=None, pod_interfaces=("pod*",))
PROMPT = Tuning(flush_after=0.01)
PATIENCE = 10.0
LOOPBACK = 1
DNS = 53


@contextmanager
def small_world(settings=SETTINGS, clock=time):
    with pods(4) as made, Enforcement(settings, clock=clock.monotonic) as enforcement:
        yield SmallWorld(made, enforcement, clock)


class ClockByHand:
    """Time that passes only while somebody sleeps: what is due when does not depend on a busy machine."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class SmallWorld:
    def __init__(self, made, enforcement, clock=time):
        *self.pods, self.outside = made
        self.enforcement, self.clock = enforcement, clock
        self.now = Snapshot()
        self.denials = Denials(SETTINGS.log_group, enforcement.history, PROMPT)
        enforcement.start(self.now)
        others = (*OUTSIDE, *NODE_ADDRESSES["n2"])
        place(self.outside, others)
        with Socket(ROUTE) as router:
            own = [routes.address(LOOPBACK, packed, 8 * len(packed)) for packed in NODE_ADDRESSES["n1"]]
            routes.apply(router, own)
        outside, node = Port(self.outside), Delivered()
        self.ports = dict.fromkeys(others, outside) | dict.fromkeys(NODE_ADDRESSES["n1"], node)
        for pod, addresses in zip(self.pods, POD_ADDRESSES, strict=True):
            self.ports |= dict.fromkeys(addresses, Port(pod))

    def become(self, world):
        """By way of changes, as on a node; any cut is waited for."""
        applied = self.enforcement.apply(between(self.now, world))
        self.now = world
        while self.enforcement.due is not None:
            self.clock.sleep(self.enforcement.due)
            self.enforcement.tick()
        return applied

    def reaches(self, source=A4, destination=B4):
        """Whether a packet of the one UDP flow arrives; if not, our log must show that very packet."""
        ends = address(source), address(destination)
        self.ports[ends[0]].out(frame(source, destination, UDP, DNS))
        wanted = seen(source, destination, UDP, DNS)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if wanted in self.ports[ends[1]].arrived(0.01):
                return True
            if any((each.flow.source, each.flow.destination) == ends for each in self.denials.read(0)):
                return False
        raise AssertionError("the packet neither arrived nor was it logged")

    def send_all(self, flows):
        """What became of each: seen at its destination, or in the log. A flow that is both is said to be both."""
        found = {_packet(flow): set() for flow in flows}
        for flow in flows:
            ends = str(flow.source), str(flow.destination)
            self.ports[flow.source].out(frame(*ends, flow.protocol, flow.port or 0))
        until = time.monotonic() + PATIENCE
        while not all(found.values()) and time.monotonic() < until:
            self._collect(found)
        self._collect(found)
        return {flow: " and ".join(sorted(found[_packet(flow)])) or "lost" for flow in flows}

    def _collect(self, found):
        arrived = [each for port in set(self.ports.values()) for each in port.arrived()]
        denied = [each for each in self.denials.read(0.02) if not each.reply]
        for each in arrived:
            found.get(each, set()).add("allowed")
        for each in denied:
            found.get(_packet(each.flow), set()).add("stale" if each.stale else "denied")


def _packet(flow):
    return seen(str(flow.source), str(flow.destination), int(flow.protocol), flow.port)


def place(station, addresses):
    """Give a station more addresses, and the router ways to them."""
    with station.inside(), Socket(ROUTE) as own:
        routes.apply(own, [routes.address(2, bytes(a), 8 * len(a)) for a in addresses])
    with Socket(ROUTE) as router:
        for address in addresses:
            routes.apply(
                router,
                [
                    routes.add_route(Route(bytes(address), 8 * len(address), station.index)),
                    routes.neighbour(station.index, bytes(address), station.mac),
                ],
            )
