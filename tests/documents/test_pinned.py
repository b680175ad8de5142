"""Sentences that no other test would miss: each was found by a planted fault that survived (`make mutants`).

Most pin values that the definition and the compiler share, where a fault would change both alike.
"""

from dataclasses import replace

import pytest
from worlds import (
    ALL,
    TCP,
    block,
    everywhere,
    flow,
    pairs,
    pod,
    pods,
    policy,
    port,
    rule,
    spaces,
    where,
    world,
)

from podfence.compiler import Compiler, compile  # noqa: A004  precedent: re.compile
from podfence.model.address import address, masked, network
from podfence.model.change import after, between, put
from podfence.model.cluster import ContainerPort, Snapshot
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


def test_a_number_that_nobody_calls_by_a_name_any_more_is_forgotten():
    named = policy("x", egress=[rule(ports=[port("web")])])
    begin = world(named, pods=(pod("y/b", ports=(ContainerPort("web", TCP, 8080),)),))
    end = after(begin, [put(pod("y/b", ports=()))])
    compiler = Compiler()
    compiler.apply(between(Snapshot(), begin))
    compiler.apply(between(begin, end))
    assert compiler.program == compile(end)
