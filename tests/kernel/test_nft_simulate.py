"""Random tables, one made from the other: the kernel holds what we asked for and judges packets as the simulator says."""

import random
import socket

import pytest

from nft.samples import ip, ports
from nft.simulate import Packet, run
from podfence.nft.difference import diff
from podfence.nft.kernel import Kernel
from podfence.nft.keys import KeyType, address_service_key, service_key
from podfence.nft.statements import (
    Address,
    AddressIn,
    AddressMap,
    AddressServiceMap,
    Counter,
    CtDirection,
    CtMark,
    CtState,
    End,
    Family,
    Interface,
    InterfaceIn,
    L4Proto,
    L4ProtoIn,
    Nfproto,
    Port,
    PortMap,
    ServiceMap,
    SetCtMark,
    Side,
    State,
)
from podfence.nft.table import Chain, Hook, HookPoint, Set, Table
from podfence.nft.verdicts import ACCEPT, CONTINUE, DROP, RETURN, goto, jump
from sandbox import in_sandbox

ADDRESSES = {Family.IPV4: [ip(f"127.0.0.{last}") for last in (1, 2, 3)], Family.IPV6: [ip("::1")]}
EVERY_ADDRESS = [address for addresses in ADDRESSES.values() for address in addresses]
PORTS = (53, 80, 1000, 65535)
UDP = 17
WORDS = {Family.IPV4: KeyType.IPV4, Family.IPV6: KeyType.IPV6}
INNER = ("first", "second", "third")


class World:
    """Random tables in which every name that is used exists and no jump goes back."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, *these):
        return self.random.choice(these)

    def some(self, these):
        return self.random.sample(list(these), self.random.randint(0, len(these)))

    def verdict(self, below):
        inner = [each(name) for name in below for each in (jump, goto)]
        return self.pick(ACCEPT, DROP, RETURN, *inner, *inner)

    def table(self):
        sets = [each for family in Family for each in self.sets_of(family)] + self.port_sets()
        chains = [Chain(name, self.rules(INNER[at + 1 :])) for at, name in enumerate(INNER)]
        policy = self.pick(ACCEPT, DROP)
        base = Chain("output", self.rules(INNER), Hook(HookPoint.OUTPUT, policy=policy))
        return Table.of("podfence", 1, sets=sets, chains=(*chains, base))

    def sets_of(self, family):
        word, addresses = WORDS[family], ADDRESSES[family]
        verdicts = {address: self.verdict(("third",)) for address in self.some(addresses)}
        services = {
            address_service_key(address, UDP, port): self.verdict(("third",))
            for address in self.some(addresses)
            for port in self.some(PORTS)
        }
        nets = [
            (addresses[0], addresses[-1]),
            (addresses[0], addresses[0]),
            (addresses[-1], b"\xff" * word.length),
        ]
        return [
            Set(f"peers{family}", (word,), dict.fromkeys(self.some(addresses))),
            Set(f"nets{family}", (word,), dict.fromkeys(self.some((self.pick(*nets),))), interval=True),
            Set(f"pods{family}", (word,), verdicts, verdicts=True),
            Set(f"cluster{family}", (word, KeyType.PROTOCOL, KeyType.PORT), services, verdicts=True),
        ]

    def port_sets(self):
        keys = [service_key(protocol, port) for protocol in (6, UDP) for port in PORTS]
        spans = [ports(1, 53), ports(80, 80), ports(81, 1000), ports(1001, 65535)]
        return [
            Set("services", (KeyType.PROTOCOL, KeyType.PORT), self.map_of(keys), verdicts=True),
            Set("ranges", (KeyType.PORT,), self.map_of(spans), interval=True, verdicts=True),
            Set("protocols", (KeyType.PROTOCOL,), dict.fromkeys(self.some([b"\6", b"\x11"]))),
            Set("links", (KeyType.INTERFACE,), dict.fromkeys(self.some([b"lo".ljust(16, b"\0")]))),
        ]

    def map_of(self, keys):
        return {key: self.pick(CONTINUE, self.verdict(("third",))) for key in self.some(keys)}

    def rules(self, below):
        return tuple(self.rule(below) for _ in range(self.random.randint(0, 5)))

    def rule(self, below):
        family, end = self.pick(*Family), self.pick(*End)
        maps = (
            AddressMap(family, end, f"pods{family}"),
            AddressServiceMap(family, end, f"cluster{family}"),
            ServiceMap(end, "services"),
            PortMap(self.pick(6, UDP), end, "ranges"),
        )
        if self.random.random() < 0.4 and len(below) > 1:
            return (self.pick(*maps),)
        return (self.match(family, end), Counter(), self.verdict(below))

    def match(self, family, end):
        negated = self.pick(True, False)
        return self.pick(
            Address(end, self.pick(*ADDRESSES[family]), negated),
            AddressIn(family, end, f"peers{family}", negated),
            AddressIn(family, end, f"nets{family}", negated),
            L4Proto(self.pick(6, UDP), negated),
            L4ProtoIn("protocols", negated),
            Nfproto(family),
            Port(self.pick(6, UDP), end, 53, 53),
            Port(UDP, end, 80, 1000),
            Interface(end, self.pick("lo", "l*", "veth*"), negated),
            InterfaceIn(end, "links", negated),
            CtState(self.pick(State.NEW, State.ESTABLISHED, State.NEW | State.RELATED)),
            CtDirection(self.pick(*Side)),
            CtMark(0xFFFF0000, self.pick(0, 0x00010000)),
            SetCtMark(0xFFFF0000, 0x00010000),
        )


def allowed(source, destination, port):
    """A packet dropped on its way out is an error of the send; returns the port it came from, too."""
    family = socket.AF_INET if len(source) == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.bind((socket.inet_ntop(family, source), 0))
        try:
            probe.sendto(b"?", (socket.inet_ntop(family, destination), port))
        except PermissionError:
            return False, probe.getsockname()[1]
        return True, probe.getsockname()[1]


def compare(table):
    """The verdicts that were seen, after each was found to be the expected one."""
    seen = set()
    for source in EVERY_ADDRESS:
        for destination in EVERY_ADDRESS:
            for port in PORTS if len(source) == len(destination) else ():
                measured, from_port = allowed(source, destination, port)
                packet = Packet(source, destination, UDP, from_port, port, input="", output="lo")
                expected = run(table, "output", packet).verdict is ACCEPT
                assert measured == expected, f"{packet}\n{table}"
                seen.add(measured)
    return seen


@in_sandbox(seconds=120)
@pytest.mark.parametrize("seed", range(4))
def test_the_kernel_goes_from_table_to_table_and_judges_as_simulated(seed):
    world, seen = World(seed), set()
    with Kernel(grace=lambda: None) as kernel:
        for _ in range(25):
            table = world.table()
            kernel.apply(diff(table, kernel.read()))
            assert kernel.read() == table
            seen |= compare(table)
    assert seen == {True, False}
