"""Policies and pods of the hazards: pods a, b and c of one namespace at 10.0.0.1 to .3 and fd00::1 to ::3."""

import time

from podfence.model.address import network
from podfence.model.change import gone, put, snapshot
from podfence.model.cluster import Namespace, Pod
from podfence.model.labels import EVERYTHING, NAMESPACE_NAME_LABEL, selector
from podfence.model.policy import Direction, NetworkPeer, PodSelection, Policy
from podfence.model.ports import PortMatch, PortRange, Protocol
from strategies import NODE_ADDRESSES, POD_ADDRESSES

EGRESS, INGRESS = Direction.EGRESS, Direction.INGRESS
A, B, C = POD_ADDRESSES
A4, B4, C4 = (str(pair[0]) for pair in POD_ADDRESSES)
A6, B6, C6 = (str(pair[1]) for pair in POD_ADDRESSES)
NODE4, NODE6 = map(str, NODE_ADDRESSES["n1"])


def pod(name, addresses, /, **labels):
    return Pod("x", name, {"name": name, **labels}, tuple(addresses), "n1")


PODS = (pod("a", A), pod("b", B), pod("c", C))


def port(number, protocol=Protocol.UDP):
    return PortMatch(protocol, PortRange(number, number))


def policy(name, direction, /, *rules, **labels):
    """Isolates the pods with these labels, all without any."""
    chosen = selector(**labels) if labels else EVERYTHING
    sides = {direction.value: rules}
    return Policy("x", name, PodSelection("x", chosen), frozenset({direction}), **sides)


def block(text):
    return NetworkPeer(network(text))


def world(*policies, pods=PODS):
    return snapshot([Namespace("x", {NAMESPACE_NAME_LABEL: "x"}), *pods, *policies])


def comes(*policies):
    return [put(each) for each in policies]


def goes(*policies):
    return [gone(each) for each in policies]


def wait_until(holds, seconds=20.0):
    """How long it took; the test fails when it takes longer."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < seconds, "it never happened"
        time.sleep(0.002)
    return time.monotonic() - begun
