"""Sentences that no other test would miss: each was found by a planted fault that survived (`make mutants`).

Most pin values that the definition and the compiler share, where a fault would change both alike.
"""

from dataclasses import replace

import pytest
from scenes import (
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
    tiered,
    where,
    world,
)

from podfence.compiler import Compiler, compile  # noqa: A004  precedent: re.compile
from podfence.model.address import address, masked, network
from podfence.model.change import after, between, gone, put
from podfence.model.cluster import ContainerPort, Node, Snapshot
from podfence.model.labels import Operator, selector
from podfence.model.policy import Action, Direction, Tier
from podfence.program import patched
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


WEB = ContainerPort("web", TCP, 8080)
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
    "a pod comes outside of the block": put(pod("z/new", addresses=(address("10.0.2.9"),), ports=(WEB,))),
    "a pod comes inside of the block": put(pod("y/new", addresses=(address("10.0.1.9"),), ports=(WEB,))),
    "a younger pod claims an address": put(pod("z/new", addresses=(at("y/b"),), created="2026-01-01")),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_leads_to_what_compiling_its_end_leads_to(change):
    blue, web = everywhere(spaces(team="blue")), [rule(block("10.0.1.0/24"), ports=[port("web")])]
    begin = world(
        policy("x", ON_A, ingress=[rule(blue), rule(everywhere(pod="b"))]),
        policy("x", ingress=[rule(everywhere(pod="c"), blue)], egress=web, name="other"),
        pods=(pod("y/b", ports=(WEB,)),),
    )
    compiler = Compiler()
    compiler.apply(between(Snapshot(), begin))
    before = compiler.program
    patch = compiler.apply([change])
    assert compiler.program == patched(before, patch) == compile(after(begin, [change]))


BY_LABEL = policy("x", ingress=[rule(everywhere(pod="b"))])
MORE = policy("x", selector(role="server"), ingress=[rule(everywhere(pod="c"))], name="more")
PASSED, DENIED = (rule(everywhere(pod="b"), action=action) for action in (Action.PASS, Action.DENY))
ADMITTED, REFUSED = (rule(everywhere(), action=action) for action in (Action.ACCEPT, Action.DENY))
TIGHTENING = {
    "a peer that was admitted is relabelled": ((BY_LABEL,), pod("y/b", labels={"pod": "c"})),
    "a peer is now denied": ((tiered(Tier.ADMIN, DENIED),), pod("y/c", labels={"pod": "b"})),
    "a subject loses one of its policies": ((BY_LABEL, MORE), pod("x/a")),
    "the own node loses its address": ((BY_LABEL,), Node("node-1")),
    "a peer is no longer passed over": ((tiered(Tier.ADMIN, PASSED, REFUSED),), pod("y/b", labels={})),
    "a peer is now passed over": (
        (tiered(Tier.ADMIN, PASSED, ADMITTED), policy("x", ingress=[])),
        pod("y/c", labels={"pod": "b"}),
    ),
}


@pytest.mark.parametrize(("policies", "value"), TIGHTENING.values(), ids=TIGHTENING)
def test_what_takes_a_permission_away_says_so(policies, value):
    compiler = Compiler()
    server = pod("x/a", labels={"pod": "a", "role": "server"})
    compiler.apply(between(Snapshot(), world(*policies, pods=(server,))))
    assert compiler.apply([put(value)]).tightens


def test_a_replica_that_is_let_in_takes_nothing_away():
    compiler = Compiler()
    compiler.apply(between(Snapshot(), world(BY_LABEL)))
    patch = compiler.apply([put(pod("y/replica", labels={"pod": "b"}, addresses=(address("10.0.9.1"),)))])
    assert patch
    assert not patch.tightens
