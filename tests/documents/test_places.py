"""Addresses, nodes, loopback and the life of pods: what the documents leave open, and what was decided."""

from dataclasses import replace

import pytest
from scenes import (
    ALL,
    ANYTHING,
    ICMP,
    OUTSIDE,
    UDP,
    at,
    block,
    everywhere,
    flow,
    pairs,
    pod,
    pods,
    policy,
    port,
    rule,
    world,
)

from podfence.model.address import address
from podfence.model.change import after, put
from podfence.model.cluster import Node
from podfence.model.flow import Verdict
from podfence.model.labels import selector
from podfence.model.ports import Protocol

ON_A = selector(pod="a")
CLOSED = policy("x", ingress=[], egress=[])


# Blocks


def test_a_block_matches_addresses_of_pods_and_nodes(allowed):
    out = world(policy("x", egress=[rule(block("10.0.1.0/24"), block("192.168.0.0/24"))]))
    assert allowed(out, "x/a", "y/a")
    assert allowed(out, "x/a", "node-2")
    assert not allowed(out, "x/a", "z/a")


def test_the_block_of_everything_is_of_one_family(allowed):
    six = (pod("x/a", addresses=(at("x/a"), address("fd00::1"))),)
    out = world(policy("x", egress=[rule(block("0.0.0.0/0"))]), pods=six)
    assert allowed(out, "x/a", OUTSIDE)
    assert not allowed(out, "fd00::1", "2001:db8::7")


def test_a_block_of_the_other_family_matches_nothing(allowed):
    assert not allowed(world(policy("x", egress=[rule(block("::/0"))])), "x/a", OUTSIDE)


# Nodes and loopback


def test_a_node_always_reaches_its_own_pods(allowed):
    assert allowed(world(CLOSED), "node-1", "x/a")


def test_another_node_does_not(allowed):
    assert not allowed(world(CLOSED), "node-2", "x/a")


def test_a_pod_does_not_reach_its_own_node_by_right(allowed):
    assert not allowed(world(CLOSED), "x/a", "node-1")


def test_every_address_of_the_own_node_counts(allowed):
    two = Node("node-1", addresses=(at("node-1"), address("192.168.9.1")))
    assert allowed(after(world(CLOSED), [put(two)]), "192.168.9.1", "x/a")


def test_a_pod_without_a_node_has_no_own_node(allowed):
    assert not allowed(world(CLOSED, pods=(pod("x/a", node=""),)), "node-1", "x/a")


def test_a_pod_on_the_host_network_is_never_a_subject(allowed):
    host = pod("x/a", host_network=True, addresses=(at("node-1"),))
    assert allowed(world(CLOSED, pods=(host,)), "node-1", OUTSIDE)


def test_a_pod_on_the_host_network_is_no_peer_by_labels(allowed):
    host = pod("y/a", host_network=True, node="node-2", addresses=(at("node-2"),))
    by_label = world(policy("x", ingress=[rule(everywhere(pod="a"))]), pods=(host,))
    assert not allowed(by_label, "node-2", "x/b")


def test_a_pod_on_the_host_network_matches_a_block_of_its_node(allowed):
    host = pod("y/a", host_network=True, node="node-2", addresses=(at("node-2"),))
    assert allowed(world(policy("x", ingress=[rule(block("192.168.0.2/32"))]), pods=(host,)), "node-2", "x/a")


def test_a_pod_on_the_host_network_reaches_the_pods_of_its_node(allowed):
    host = pod("y/a", host_network=True, addresses=(at("node-1"),))
    assert allowed(world(CLOSED, pods=(host,)), "node-1", "x/a")


def test_a_pod_always_reaches_its_own_address(allowed):
    assert allowed(world(CLOSED), "x/a", "x/a")


def test_a_pod_that_reaches_itself_through_a_service_is_judged(verdict):
    hairpin = replace(flow("x/a", "x/a"), hairpin=True)
    assert verdict(world(CLOSED), hairpin) is Verdict.DENIED
    assert verdict(world(policy("x", ingress=[rule(pods("x"))])), hairpin) is Verdict.ALLOWED


# Protocols without ports


def test_ping_passes_a_rule_without_ports(allowed):
    assert allowed(world(policy("x", ingress=[rule(everywhere())])), "y/a", "x/a", None, ICMP)


def test_ping_does_not_pass_a_rule_with_ports(allowed):
    every = [port(), port(protocol=UDP)]
    assert not allowed(world(policy("x", ingress=[rule(ports=every)])), "y/a", "x/a", None, ICMP)


def test_ping_does_not_reach_an_isolated_pod(allowed):
    assert not allowed(world(CLOSED), "y/a", "x/a", None, ICMP)


def test_any_other_protocol_is_judged_as_ping_is(allowed):
    gre = Protocol(47)
    assert allowed(world(policy("x", ingress=[ANYTHING])), "y/a", "x/a", None, gre)
    assert not allowed(world(policy("x", ingress=[rule(ports=[port()])])), "y/a", "x/a", None, gre)


# The life of a pod


def test_a_finished_pod_is_nobody(allowed):
    gone_by = world(policy("y", ingress=[rule(everywhere(pod="a"))]), pods=(pod("x/a", finished=True),))
    assert not allowed(gone_by, "x/a", "y/a")


def test_a_finished_pod_isolates_nobody_at_its_address(allowed):
    assert allowed(world(CLOSED, pods=(pod("x/a", finished=True),)), "y/a", "x/a")


def test_the_next_pod_at_a_finished_pods_address_is_judged_as_itself(allowed):
    heirs = (pod("x/a", finished=True), pod("y/b", addresses=(at("x/a"),)))
    assert allowed(world(CLOSED, pods=heirs), "y/c", "x/a")
    assert not allowed(world(policy("y", ingress=[]), pods=heirs), "z/c", "x/a")


def test_of_two_pods_that_claim_an_address_the_younger_holds_it(allowed):
    old, young = pod("x/a", created="2026-01-01"), pod("y/b", addresses=(at("x/a"),), created="2026-01-02")
    assert allowed(world(CLOSED, pods=(old, young)), "z/c", "x/a")
    swapped = (replace(old, created="2026-01-03"), young)
    assert not allowed(world(CLOSED, pods=swapped), "z/c", "x/a")


def test_a_pod_counts_until_it_is_gone(reach):
    """Terminating is nothing the model knows: a pod keeps both roles while its object is there."""
    assert reach(policy("x", ON_A, ingress=[rule(pods("x", pod="b"))])) >= pairs("x/b", "x/a")


def test_a_pod_without_an_address_is_no_peer(allowed):
    pending = world(policy("x", ingress=[rule(pods("x"))]), pods=(pod("x/b", addresses=()),))
    assert not allowed(pending, "x/b", "x/a")


@pytest.mark.parametrize("peer", ["10.0.0.2", "fd00::b"])
def test_every_address_of_a_peer_counts(allowed, peer):
    subject = pod("x/a", addresses=(at("x/a"), address("fd00::a")))
    friend = pod("x/b", addresses=(at("x/b"), address("fd00::b")))
    dual = world(policy("x", ON_A, ingress=[rule(pods("x", pod="b"))]), pods=(subject, friend))
    assert allowed(dual, peer, "fd00::a" if ":" in peer else "x/a")


@pytest.mark.parametrize("subject", ["10.0.0.1", "fd00::a"])
def test_every_address_of_a_subject_is_isolated(allowed, subject):
    dual = world(CLOSED, pods=(pod("x/a", addresses=(at("x/a"), address("fd00::a"))),))
    assert not allowed(dual, "2001:db8::7" if ":" in subject else OUTSIDE, subject)


def test_established_flows_are_judged_as_new_ones(reach):
    """A verdict has no history: what the snapshot says now is what holds, for whoever asks again."""
    opened = world(policy("x", ingress=[ANYTHING]))
    closed = after(opened, [put(policy("x", ingress=[]))])
    assert reach(within=closed) == reach(within=world(policy("x", ingress=[]))) == ALL - pairs("*", "x")
