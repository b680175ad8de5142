"""Tiers: Admin before NetworkPolicy before Baseline, each direction for itself."""

import pytest
from scenes import ALL, ANYTHING, ICMP, block, everywhere, pairs, policy, port, rule, spaces, tiered, world

from podfence.model.policy import Action, Direction, Tier

ADMIN, BASELINE = Tier.ADMIN, Tier.BASELINE
ACCEPT, DENY, PASS = (rule(everywhere(), action=action) for action in Action)
CLOSED = policy("x", ingress=[])


def test_an_admin_deny_cannot_be_overridden_by_a_network_policy(reach):
    assert reach(tiered(ADMIN, DENY), policy("x", ingress=[ANYTHING])) == ALL - pairs("*", "x")


def test_an_admin_accept_overrides_a_network_policy(reach):
    assert reach(tiered(ADMIN, ACCEPT), CLOSED) == ALL


def test_an_admin_accept_speaks_for_its_direction_only(reach):
    assert reach(tiered(ADMIN, ACCEPT), policy("y", egress=[])) == ALL - pairs("y", "*")


def test_an_admin_pass_leaves_it_to_network_policies(reach):
    assert reach(tiered(ADMIN, PASS, DENY), CLOSED) == ALL - pairs("*", "x")
    assert reach(tiered(ADMIN, PASS, DENY)) == ALL


def test_an_admin_pass_skips_the_rest_of_its_tier(reach):
    later = tiered(ADMIN, DENY, priority=1, name="later")
    assert reach(tiered(ADMIN, PASS), later) == ALL


def test_rules_of_a_tier_are_taken_in_order(reach):
    only_y = rule(everywhere(spaces(ns="y")), action=Action.ACCEPT)
    assert reach(tiered(ADMIN, only_y, DENY)) == ALL - pairs("x z", "x")
    assert reach(tiered(ADMIN, DENY, only_y)) == ALL - pairs("*", "x")


def test_a_lower_priority_value_has_higher_precedence(reach):
    first, second = tiered(ADMIN, ACCEPT, priority=1), tiered(ADMIN, DENY, priority=2, name="a")
    assert reach(first, second) == ALL


def test_equal_priorities_go_by_name(reach):
    assert reach(tiered(ADMIN, ACCEPT, name="a"), tiered(ADMIN, DENY, name="b")) == ALL
    assert reach(tiered(ADMIN, ACCEPT, name="b"), tiered(ADMIN, DENY, name="a")) == ALL - pairs("*", "x")


def test_baseline_decides_where_no_network_policy_isolates(reach):
    assert reach(tiered(BASELINE, DENY)) == ALL - pairs("*", "x")


def test_baseline_is_not_asked_where_a_network_policy_isolates(reach):
    assert reach(tiered(BASELINE, DENY), policy("x", ingress=[ANYTHING])) == ALL
    assert reach(tiered(BASELINE, ACCEPT), CLOSED) == ALL - pairs("*", "x")


def test_isolation_in_one_direction_leaves_the_other_to_baseline(reach):
    assert reach(tiered(BASELINE, DENY), policy("x", egress=[ANYTHING])) == ALL - pairs("*", "x")


def test_a_baseline_pass_leaves_it_to_the_default_which_allows(reach):
    assert reach(tiered(BASELINE, PASS, DENY)) == ALL


def test_a_policy_of_a_tier_without_rules_has_no_effect(reach):
    assert reach(tiered(ADMIN), tiered(BASELINE)) == ALL


def test_selection_by_a_tier_does_not_isolate(reach):
    only_y = rule(everywhere(spaces(ns="y")), action=Action.ACCEPT)
    assert reach(tiered(ADMIN, only_y)) == ALL


def test_a_deny_of_one_port_leaves_the_others(reach):
    one = tiered(ADMIN, rule(everywhere(), ports=[port(80)], action=Action.DENY))
    assert reach(one, port=80) == ALL - pairs("*", "x")
    assert reach(one, port=81) == ALL


def test_a_deny_without_ports_denies_ping(allowed):
    assert not allowed(world(tiered(ADMIN, DENY)), "y/a", "x/a", None, ICMP)


def test_networks_of_an_egress_rule_include_pods(reach):
    closed = rule(block("0.0.0.0/0"), action=Action.DENY)
    assert reach(tiered(ADMIN, closed, direction=Direction.EGRESS)) == ALL - pairs("x", "*")


@pytest.mark.parametrize("tier", [ADMIN, BASELINE], ids=lambda tier: tier.value)
def test_no_tier_keeps_a_node_from_its_own_pods(allowed, tier):
    closed = rule(block("0.0.0.0/0"), action=Action.DENY)
    assert allowed(world(tiered(tier, closed)), "node-1", "x/a")
    assert not allowed(world(tiered(tier, closed)), "node-2", "x/a")
