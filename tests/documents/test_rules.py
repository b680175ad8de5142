"""How policies, rules, peers and ports match: the sentences of the concept page and the API types."""

from dataclasses import replace

import pytest
from scenes import (
    ALL,
    ANYTHING,
    ICMP,
    OUTSIDE,
    SCTP,
    TCP,
    UDP,
    block,
    everywhere,
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

from podfence.model.change import after, gone
from podfence.model.cluster import ContainerPort
from podfence.model.labels import Operator, selector
from podfence.model.policy import Rule

ON_A = selector(pod="a")
EVERY_PROTOCOL = (TCP, UDP, SCTP, ICMP)


def on_a(*rules, name="policy"):
    return policy("x", ON_A, ingress=list(rules), name=name)


# Policies and directions


def test_a_pod_that_no_policy_selects_is_not_isolated(reach):
    assert reach() == ALL


def test_a_policy_selects_pods_of_its_own_namespace_alone(reach):
    assert reach(policy("x", ON_A, ingress=[])) == ALL - pairs("*", "x/a")


def test_isolation_for_ingress_says_nothing_of_egress(reach):
    assert pairs("x", "y z") <= reach(policy("x", ingress=[]))


def test_isolation_for_egress_says_nothing_of_ingress(reach):
    assert pairs("y z", "x") <= reach(policy("x", egress=[]))


def test_rules_of_a_direction_that_does_not_apply_are_ignored(reach):
    out, closed = policy("x", egress=[ANYTHING]), policy("x", ingress=[], name="closed")
    assert reach(replace(out, ingress=(Rule(peers=()),))) == ALL
    assert reach(replace(out, ingress=(ANYTHING,)), closed) == ALL - pairs("*", "x")


def test_an_end_that_is_not_a_pod_imposes_nothing(allowed):
    closed = world(policy("x", egress=[]), policy("y", ingress=[]))
    assert allowed(closed, OUTSIDE, "x/a")
    assert allowed(closed, "y/a", OUTSIDE)


def test_one_matching_rule_of_any_policy_suffices(reach):
    assert reach(on_a(rule(pods("x", pod="c"))), on_a(ANYTHING, name="other")) == ALL


# Rules


def test_no_rules_allow_nothing_not_even_from_outside(allowed):
    assert not allowed(world(on_a()), OUTSIDE, "x/a")


@pytest.mark.parametrize("protocol", EVERY_PROTOCOL, ids=str)
def test_an_empty_rule_allows_every_source_and_protocol(allowed, protocol):
    assert allowed(world(on_a(ANYTHING)), OUTSIDE, "x/a", 80, protocol)


def test_the_peer_of_one_rule_and_the_port_of_another_do_not_combine(allowed):
    two = world(on_a(rule(pods("x", pod="b"), ports=[port(80)]), rule(pods("x", pod="c"), ports=[port(81)])))
    assert allowed(two, "x/b", "x/a", 80)
    assert not allowed(two, "x/b", "x/a", 81)


@pytest.mark.parametrize("protocol", EVERY_PROTOCOL, ids=str)
def test_a_rule_without_ports_means_all_ports_and_protocols(allowed, protocol):
    assert allowed(world(on_a(rule(pods("x")))), "x/b", "x/a", 7, protocol)


def test_an_entry_without_port_means_all_ports_of_its_protocol(allowed):
    tcp = world(on_a(rule(ports=[port()])))
    assert allowed(tcp, "y/a", "x/a", 65535)
    assert not allowed(tcp, "y/a", "x/a", 80, UDP)
    assert not allowed(tcp, "y/a", "x/a", None, ICMP)


def test_a_rule_of_ports_alone_lets_in_the_outside(allowed):
    assert allowed(world(on_a(rule(ports=[port(80)]))), OUTSIDE, "x/a", 80)


def test_an_empty_list_inside_the_model_matches_nothing(reach):
    assert reach(on_a(Rule(peers=()))) == reach(on_a(Rule(ports=()))) == ALL - pairs("*", "x/a")


# Peers and selectors


def test_an_empty_pod_selector_does_not_let_in_the_outside(allowed):
    assert not allowed(world(on_a(rule(pods("x")))), OUTSIDE, "x/a")


def test_an_empty_namespace_selector_does_not_let_in_the_outside(allowed):
    own = world(on_a(rule(everywhere())))
    assert allowed(own, "z/c", "x/a")
    assert not allowed(own, OUTSIDE, "x/a")


def test_an_exception_subtracts_from_its_own_block_alone(reach):
    holed, whole = block("10.0.0.0/16", "10.0.1.0/24"), block("10.0.1.0/24", "10.0.1.1/32")
    assert reach(on_a(rule(holed))) == ALL - pairs("y", "x/a")
    assert reach(on_a(rule(holed, whole))) == ALL - pairs("y/a", "x/a")


@pytest.mark.parametrize("operator", [Operator.NOT_IN, Operator.DOES_NOT_EXIST])
def test_notin_and_doesnotexist_match_what_lacks_the_key(reach, operator):
    values = ["gold"] if operator is Operator.NOT_IN else []
    assert reach(on_a(rule(everywhere(which=where("tier", operator, *values))))) == ALL


@pytest.mark.parametrize("operator", [Operator.IN, Operator.EXISTS])
def test_in_and_exists_need_the_key(reach, operator):
    values = ["gold"] if operator is Operator.IN else []
    closed = on_a(rule(everywhere(which=where("tier", operator, *values))))
    assert reach(closed) == ALL - pairs("*", "x/a")


def test_an_empty_label_value_is_a_value(allowed):
    empty = world(on_a(rule(pods("x", role=""))), pods=(pod("x/b", labels={"role": ""}),))
    assert allowed(empty, "x/b", "x/a")
    assert not allowed(empty, "x/c", "x/a")


def test_an_empty_selector_means_everything(reach):
    assert reach(policy("x", selector(), ingress=[rule(everywhere())])) == ALL


def test_no_selector_matches_a_namespace_not_seen(reach):
    unseen = after(world(on_a(rule(everywhere(where("ns", Operator.NOT_IN, "x"))))), [gone(space("y"))])
    assert reach(within=unseen) == ALL - pairs("x y", "x/a")


def test_a_policy_holds_before_its_namespace_is_seen(reach):
    unseen = after(world(on_a(rule(pods("x", pod="b")))), [gone(space("x"))])
    assert reach(within=unseen) == ALL - pairs("*", "x/a") | pairs("x/b", "x/a")


# Ports


def test_the_port_is_that_of_the_destination_pod(reach):
    assert reach(policy("x", ON_A, egress=[rule(ports=[port(80)])]), port=80) == ALL
    assert reach(policy("x", ON_A, egress=[rule(ports=[port(80)])]), port=81) == ALL - pairs("x/a", "*")


def test_a_range_of_ports_includes_both_ends(allowed):
    ranged = world(on_a(rule(ports=[port(80, last=90)])))
    inside = [number for number in (79, 80, 85, 90, 91) if allowed(ranged, "y/a", "x/a", number)]
    assert inside == [80, 85, 90]


def test_a_numeric_port_need_not_be_declared(allowed):
    bare = world(on_a(rule(ports=[port(9999)])), pods=(pod("x/a", ports=()),))
    assert allowed(bare, "y/a", "x/a", 9999)


def test_a_named_port_matches_by_name_and_protocol(allowed):
    ports = (ContainerPort("dns", UDP, 53), ContainerPort("dns", TCP, 5353))
    named = world(on_a(rule(ports=[port("dns")])), pods=(pod("x/a", ports=ports),))
    assert allowed(named, "y/a", "x/a", 5353, TCP)
    assert not allowed(named, "y/a", "x/a", 53, UDP)
    assert not allowed(named, "y/a", "x/a", 53, TCP)


def test_the_numbers_of_a_name_are_never_united_over_pods(allowed):
    other = pod("x/b", ports=(ContainerPort("serve-80-tcp", TCP, 8080),))
    named = world(policy("x", ingress=[rule(ports=[port("serve-80-tcp")])]), pods=(other,))
    assert allowed(named, "y/a", "x/b", 8080)
    assert not allowed(named, "y/a", "x/b", 80)
    assert not allowed(named, "y/a", "x/a", 8080)


def test_egress_by_name_is_looked_up_on_each_destination(allowed):
    other = pod("y/b", ports=(ContainerPort("serve-80-tcp", TCP, 8080),))
    named = world(policy("x", egress=[rule(ports=[port("serve-80-tcp")])]), pods=(other,))
    assert allowed(named, "x/a", "y/b", 8080)
    assert not allowed(named, "x/a", "y/b", 80)
    assert allowed(named, "x/a", "y/a", 80)


def test_any_container_that_declares_the_name_counts(allowed):
    twice = pod("x/a", ports=(ContainerPort("web", TCP, 80), ContainerPort("web", TCP, 8080)))
    named = world(on_a(rule(ports=[port("web")])), pods=(twice,))
    assert [number for number in (80, 81, 8080) if allowed(named, "y/a", "x/a", number)] == [80, 8080]


def test_a_name_that_the_destination_does_not_declare_matches_nothing(reach):
    assert reach(on_a(rule(ports=[port("unheard-of")]))) == ALL - pairs("*", "x/a")


def test_a_named_port_means_nothing_outside_the_cluster(allowed):
    named = world(policy("x", egress=[rule(block("0.0.0.0/0"), ports=[port("serve-80-tcp")])]))
    assert not allowed(named, "x/a", OUTSIDE, 80)


def test_a_named_port_resolves_on_a_pod_that_a_block_matches(allowed):
    named = world(policy("x", egress=[rule(block("10.0.1.0/24"), ports=[port("serve-80-tcp")])]))
    assert allowed(named, "x/a", "y/a", 80)
    assert not allowed(named, "x/a", "z/a", 80)


def test_a_name_resolves_for_every_protocol_that_has_ports(allowed):
    named = world(on_a(rule(ports=[port("serve-80-sctp", SCTP)])))
    assert allowed(named, "y/a", "x/a", 80, SCTP)
    assert not allowed(named, "y/a", "x/a", 80, TCP)


def test_a_namespace_selector_alone_means_all_its_pods(reach):
    assert reach(on_a(rule(everywhere(spaces(ns="z"))))) == ALL - pairs("x y", "x/a")
