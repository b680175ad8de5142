"""The end-to-end tests of Kubernetes for NetworkPolicy, by their number there, as truth tables of nine pods."""

import pytest
from scenes import (
    ALL,
    ANYTHING,
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

from podfence.model.change import after, gone, put
from podfence.model.labels import NAMESPACE_NAME_LABEL, Operator, selector

ON_A = selector(pod="a")


def test_01_default_deny_ingress_admits_nobody(reach):
    assert reach(policy("x", ingress=[])) == ALL - pairs("*", "x")


def test_02_default_deny_all_admits_nobody_and_lets_nobody_out(reach):
    assert reach(policy("x", ingress=[], egress=[])) == ALL - pairs("*", "x") - pairs("x", "*")


def test_03_a_pod_selector_means_pods_of_the_own_namespace(reach):
    only_b = policy("x", ON_A, ingress=[rule(pods("x", pod="b"))])
    assert reach(only_b) == ALL - pairs("*", "x/a") | pairs("x/b", "x/a")


def test_04_policies_on_one_pod_add_up(reach):
    deny, open_a = policy("x", ingress=[], name="deny"), policy("x", ON_A, ingress=[ANYTHING], name="open")
    assert reach(deny, open_a) == ALL - pairs("*", "x/b x/c")


def test_05_an_empty_namespace_selector_means_pods_of_all_namespaces(reach):
    anywhere = policy("x", ON_A, ingress=[rule(everywhere(pod="b"))])
    assert reach(anywhere) == ALL - pairs("*", "x/a") | pairs("x/b y/b z/b", "x/a")


def test_06_a_namespace_selector_leaves_out_the_own_namespace(reach):
    assert reach(policy("x", ingress=[rule(everywhere(spaces(ns="y")))])) == ALL - pairs("x z", "x")


def test_07_pod_match_expressions_select_pods(reach):
    b = pods("x", where("pod", Operator.IN, "b"))
    assert reach(policy("x", ON_A, ingress=[rule(b)])) == ALL - pairs("*", "x/a") | pairs("x/b", "x/a")


def test_08_namespace_match_expressions_select_namespaces(reach):
    y = everywhere(where("ns", Operator.IN, "y"))
    assert reach(policy("x", ingress=[rule(y)])) == ALL - pairs("x z", "x")


def test_09_two_peers_are_an_or(reach):
    peers = everywhere(where("ns", Operator.NOT_IN, "x")), pods("x", pod="b")
    assert reach(policy("x", ON_A, ingress=[rule(*peers)])) == ALL - pairs("x/c", "x/a")


def test_10_two_selectors_of_one_peer_are_an_and(reach):
    both = everywhere(where("ns", Operator.NOT_IN, "x"), pod="b")
    assert reach(policy("x", ON_A, ingress=[rule(both)])) == ALL - pairs("*", "x/a") | pairs("y/b z/b", "x/a")


def test_11_several_values_and_several_requirements_combine(reach):
    both = everywhere(where("ns", Operator.IN, "y", "z"), where("pod", Operator.NOT_IN, "a"))
    expected = ALL - pairs("*", "x/a") | pairs("y/b y/c z/b z/c", "x/a")
    assert reach(policy("x", ON_A, ingress=[rule(both)])) == expected


def test_12_several_pod_selectors_are_an_or(reach):
    either = rule(pods("x", pod="b"), pods("x", pod="c"))
    assert reach(policy("x", ON_A, ingress=[either])) == ALL - pairs("y z", "x/a")


def test_13_a_pod_of_another_namespace_can_be_named_by_both_selectors(reach):
    one = policy("x", ON_A, ingress=[rule(everywhere(spaces(ns="y"), pod="a"))])
    assert reach(one) == ALL - pairs("*", "x/a") | pairs("y/a", "x/a")


def test_14_peer_and_port_of_one_rule_are_an_and(reach):
    one = policy("x", ON_A, ingress=[rule(everywhere(spaces(ns="y")), ports=[port(81)])])
    assert reach(one, port=81) == ALL - pairs("x z", "x/a")
    assert reach(one, port=80) == ALL - pairs("*", "x/a")


def test_15_a_second_policy_opens_a_second_port(reach):
    first = policy("x", ON_A, ingress=[rule(everywhere(spaces(ns="y")), ports=[port(81)])])
    second = policy("x", ON_A, ingress=[rule(everywhere(spaces(ns="y")), ports=[port(80)])], name="second")
    assert reach(first, port=80) == ALL - pairs("*", "x/a")
    assert reach(first, second, port=80) == ALL - pairs("x z", "x/a")


def test_16_one_empty_rule_allows_all(reach):
    assert reach(policy("x", ingress=[ANYTHING])) == ALL


def test_17_ingress_on_one_named_port(reach):
    named = policy("x", ON_A, ingress=[rule(ports=[port("serve-81-tcp")])])
    assert reach(named, port=81) == ALL
    assert reach(named, port=80) == ALL - pairs("*", "x/a")


def test_18_ingress_from_a_namespace_on_one_named_port(reach):
    named = policy("x", ON_A, ingress=[rule(everywhere(spaces(ns="y")), ports=[port("serve-80-tcp")])])
    assert reach(named, port=80) == ALL - pairs("x z", "x/a")
    assert reach(named, port=81) == ALL - pairs("*", "x/a")


def test_19_egress_on_one_named_port_resolves_on_every_destination(reach):
    named = policy("x", ON_A, egress=[rule(ports=[port("serve-80-tcp")])])
    assert reach(named, port=80) == ALL
    assert reach(named, port=81) == ALL - pairs("x/a", "*")


def test_20_an_updated_policy_replaces_the_old_one(reach):
    opened = world(policy("x", ingress=[ANYTHING]))
    assert reach(within=opened) == ALL
    assert reach(within=after(opened, [put(policy("x", ingress=[]))])) == ALL - pairs("*", "x")


def test_21_a_namespace_that_gets_the_label_is_let_in(reach):
    before = world(policy("x", ON_A, ingress=[rule(everywhere(spaces(purpose="test")))]))
    assert reach(within=before) == ALL - pairs("*", "x/a")
    labelled = after(before, [put(space("y", purpose="test"))])
    assert reach(within=labelled) == ALL - pairs("x z", "x/a")


def test_22_a_pod_that_gets_the_label_is_let_in(reach):
    before = world(policy("x", ON_A, ingress=[rule(pods("x", pod="friend"))]))
    assert reach(within=before) == ALL - pairs("*", "x/a")
    relabelled = after(before, [put(pod("x/b", labels={"pod": "friend"}))])
    assert reach(within=relabelled) == ALL - pairs("*", "x/a") | pairs("x/b", "x/a")


def test_23_an_empty_pod_selector_denies_other_namespaces(reach):
    assert reach(policy("x", ON_A, ingress=[rule(pods("x"))])) == ALL - pairs("y z", "x/a")


def test_24_a_pod_that_gets_the_subjects_label_is_isolated(reach):
    before = world(policy("x", selector(target="isolated"), ingress=[]))
    assert reach(within=before) == ALL
    isolated = after(before, [put(pod("x/a", labels={"pod": "a", "target": "isolated"}))])
    assert reach(within=isolated) == ALL - pairs("*", "x/a")


def test_25_egress_is_denied_for_selected_pods_only(reach):
    assert reach(policy("x", ON_A, egress=[])) == ALL - pairs("x/a", "*")


def test_26_egress_is_denied_for_all_pods_of_a_namespace(reach):
    assert reach(policy("x", egress=[])) == ALL - pairs("x", "*")


def test_27_ingress_and_egress_of_one_policy_are_independent(reach):
    both = policy("x", ON_A, ingress=[rule(ports=[port(80)])], egress=[rule(ports=[port(81)])])
    assert reach(both, port=80) == ALL - pairs("x/a", "*")
    assert reach(both, port=81) == ALL - pairs("*", "x/a")


def test_28_both_ends_must_allow(reach):
    client = policy("y", ON_A, egress=[rule(everywhere(spaces(ns="z")))], name="client")
    server = policy("x", ON_A, ingress=[rule(everywhere(spaces(ns="y")))], name="server")
    assert reach(client, server) == ALL - pairs("y/a", "x y") - pairs("x z", "x/a")


def test_29_egress_to_a_pod_of_another_namespace_by_both_selectors(reach):
    one = policy("x", ON_A, egress=[rule(everywhere(spaces(ns="y"), pod="a"))])
    assert reach(one) == ALL - pairs("x/a", "*") | pairs("x/a", "y/a")


def test_30_a_protocol_without_a_port_means_all_its_ports(reach):
    tcp = policy("x", ON_A, ingress=[rule(ports=[port(protocol=TCP)])])
    assert reach(tcp, port=80) == reach(tcp, port=81) == ALL
    assert reach(tcp, protocol=UDP) == ALL - pairs("*", "x/a")


def test_31_an_allow_all_ingress_policy_outweighs_a_narrow_one(reach):
    narrow, broad = policy("x", ON_A, ingress=[rule(pods("x", pod="b"))]), policy("x", ingress=[ANYTHING])
    assert reach(narrow) == ALL - pairs("*", "x/a") | pairs("x/b", "x/a")
    assert reach(narrow, policy("x", ingress=[ANYTHING], name="broad")) == reach(broad) == ALL


def test_32_an_allow_all_egress_policy_outweighs_a_narrow_one(reach):
    narrow = policy("x", ON_A, egress=[rule(ports=[port(80)])])
    assert reach(narrow, port=81) == ALL - pairs("x/a", "*")
    assert reach(narrow, policy("x", egress=[ANYTHING], name="broad"), port=81) == ALL


def test_33_a_deleted_policy_denies_nothing(reach):
    denied = world(one := policy("x", ingress=[], egress=[]))
    assert reach(within=denied) != ALL
    assert reach(within=after(denied, [gone(one)])) == ALL


def test_34_a_block_of_one_pods_address_matches_that_pod(reach):
    one = policy("x", ON_A, egress=[rule(block("10.0.1.2/32"))])
    assert reach(one) == ALL - pairs("x/a", "*") | pairs("x/a", "y/b")


def test_35_an_exception_takes_a_pod_out_of_a_block(reach):
    one = policy("x", ON_A, egress=[rule(block("0.0.0.0/4", "10.0.1.2/32"))])
    assert reach(one) == ALL - pairs("x/a", "y/b")


def test_36_an_address_in_a_block_and_in_an_exception_of_another_is_allowed(reach):
    excepted = policy("x", ON_A, egress=[rule(block("0.0.0.0/4", "10.0.1.2/32"))])
    named = policy("x", ON_A, egress=[rule(block("10.0.1.2/32"))], name="named")
    assert reach(excepted) == ALL - pairs("x/a", "y/b")
    assert reach(excepted, named) == ALL


def test_37_ingress_and_egress_of_one_pod_are_controlled_independently(reach):
    out, into = policy("x", ON_A, egress=[], name="out"), policy("x", ON_A, ingress=[ANYTHING], name="into")
    assert reach(out, into) == ALL - pairs("x/a", "*")


def test_38_sctp_is_not_tcp(reach):
    sctp = policy("x", ON_A, ingress=[rule(ports=[port(81, SCTP)])])
    assert reach(sctp, port=81, protocol=TCP) == ALL - pairs("*", "x/a")


def test_39_a_policy_of_sctp_alone_isolates_for_tcp(reach):
    sctp = policy("x", ON_A, ingress=[rule(ports=[port(80, SCTP)])])
    assert reach(sctp, port=80, protocol=TCP) == ALL - pairs("*", "x/a")
    assert reach(sctp, port=80, protocol=SCTP) == ALL


def test_40_udp_is_not_tcp(reach):
    udp = policy("x", ON_A, ingress=[rule(ports=[port(81, UDP)])])
    assert reach(udp, port=81, protocol=TCP) == ALL - pairs("*", "x/a")


def test_41_a_namespace_can_be_selected_by_the_label_of_its_name(reach):
    named = everywhere(selector(**{NAMESPACE_NAME_LABEL: "y"}))
    assert reach(policy("x", ON_A, ingress=[rule(named)])) == ALL - pairs("x z", "x/a")


def test_42_a_namespace_can_be_left_out_by_the_label_of_its_name(reach):
    others = everywhere(where(NAMESPACE_NAME_LABEL, Operator.NOT_IN, "y"))
    assert reach(policy("x", ON_A, egress=[rule(others)])) == ALL - pairs("x/a", "y")


@pytest.mark.parametrize("protocol", [UDP, SCTP], ids=str)
class TestOtherProtocols:
    def test_43_46_default_deny_ingress_admits_nobody(self, reach, protocol):
        assert reach(policy("x", ingress=[]), protocol=protocol) == ALL - pairs("*", "x")

    def test_44_47_peer_and_port_of_one_rule_are_an_and(self, reach, protocol):
        one = policy("x", ON_A, ingress=[rule(everywhere(spaces(ns="y")), ports=[port(81, protocol)])])
        assert reach(one, port=81, protocol=protocol) == ALL - pairs("x z", "x/a")
        assert reach(one, port=80, protocol=protocol) == ALL - pairs("*", "x/a")

    def test_45_48_a_pod_of_another_namespace_can_be_named_by_both_selectors(self, reach, protocol):
        one = policy("x", ON_A, ingress=[rule(everywhere(spaces(ns="y"), pod="a"))])
        assert reach(one, protocol=protocol) == ALL - pairs("*", "x/a") | pairs("y/a", "x/a")
