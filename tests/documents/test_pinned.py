"""Sentences that no other test would miss: each was found by a planted fault that survived (`make mutants`).

Most pin values that the definition and the compiler share, where a fault would change both alike.
"""

from dataclasses import replace

import pytest
from worlds import (
    ALL,
    TCP,
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
    space,
    spaces,
    where,
    world,
)

from podfence.compiler import Compiler, compile  # noqa: A004  precedent: re.compile
from podfence.model.address import address, masked, network
from podfence.model.change import after, between, gone, put
from podfence.model.cluster import ContainerPort, Node, Snapshot
from podfence.model.labels import Operator, selector
from podfence.model.policy import Direction
from podfence.semantics import walk

ON_A = selector(pod="a")


def test_every_exception_of_a_block_subtracts(reach):
    holed = block("10.0.0.0/16", "10.0.1.0/24", "10.0.2.0/24")
    assert reach(policy("x", ON_A, ingress=[rule(holed)])) == ALL - pairs("y z", "x/a")


@pytest.mark.parametrize(
    ("written", "meant"), [("10.0.1.77/24", "10.0.1.0/24"), ("fd00::abcd/64", "fd00::/64")]
)
def test_host_bits_of_a_block_say_nothing(written, meant):
    assert network(written) == network(meant)
    assert str(network(written)) == meant


def test_a_block_of_mapped_addresses_is_its_block_of_four_from_the_shortest_to_the_longest():
    assert network("::ffff:0:0/96") == network("0.0.0.0/0")
    assert network("::ffff:10.0.0.7/128") == network("10.0.0.7/32")
    assert str(masked(address("::ffff:0:0"), 95)) == "::fffe:0:0/95"


def test_a_policy_has_no_rules_in_a_direction_in_which_it_does_not_apply():
    both = policy("x", ingress=[rule()], egress=[rule()])
    only = replace(both, directions=frozenset({Direction.INGRESS}))
    assert (only.rules(Direction.INGRESS), only.rules(Direction.EGRESS)) == (both.ingress, ())


def test_the_peer_that_matched_is_the_one_that_is_named():
    two = rule(everywhere(spaces(ns="z")), everywhere(spaces(ns="y")))
    found = walk(world(policy("x", ingress=[two])), flow("y/a", "x/a"), Direction.INGRESS)
    assert found.match.path == "spec.ingress[0].from[1]"


def test_in_matches_pods_of_each_of_its_values(reach):
    either = where("pod", Operator.IN, "b", "c")
    assert reach(policy("x", ON_A, ingress=[rule(pods("x", either))])) == ALL - pairs("y z", "x/a")
    assert reach(policy("x", either, ingress=[])) == ALL - pairs("*", "x/b x/c")


CHANGES = {
    "a node goes": gone(Node("node-1")),
    "a node gets another address": put(Node("node-1", addresses=(address("192.168.7.1"),))),
    "a namespace gets a label": put(space("y", team="blue")),
    "a namespace goes": gone(space("y")),
    "a policy has other rules": put(policy("x", ON_A, ingress=[rule(pods("x"))])),
    "a policy has another subject": put(policy("x", selector(pod="b"), ingress=[rule()])),
    "a policy goes": gone(policy("x")),
    "a pod is relabelled": put(pod("y/b", labels={"pod": "a"})),
    "a pod calls no port by the name": put(pod("y/b", ports=())),
    "a pod calls another port by the name": put(pod("y/b", ports=(ContainerPort("web", TCP, 81),))),
    "a pod finishes": put(pod("y/b", finished=True)),
    "a younger pod claims an address": put(pod("z/new", addresses=(at("y/b"),), created="2026-01-01")),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_leads_to_what_compiling_its_end_leads_to(change):
    blue, web = everywhere(spaces(team="blue")), [rule(ports=[port("web")])]
    begin = world(
        policy("x", ON_A, ingress=[rule(blue), rule(everywhere(pod="b"))]),
        policy("x", ingress=[rule(everywhere(pod="c"), blue)], egress=web, name="other"),
        pods=(pod("y/b", ports=(ContainerPort("web", TCP, 8080),)),),
    )
    compiler = Compiler()
    compiler.apply(between(Snapshot(), begin))
    compiler.apply([change])
    assert compiler.program == compile(after(begin, [change]))
