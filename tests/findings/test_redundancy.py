"""What is called redundant is: without it every flow of every small world goes as it went."""

import re
from dataclasses import replace
from itertools import product

from hypothesis import assume, given

from podfence.analysis.findings import redundancy, spare
from podfence.analysis.findings.evidence import evidence_of
from podfence.analysis.implication import implies, selector_implies
from podfence.compiler import compile  # noqa: A004  precedent: re.compile
from podfence.model.labels import EVERYTHING, Operator, Selector, requirement, selector
from podfence.model.policy import Direction, PodSelection
from profiles import examples
from strategies import LABELS, NAMESPACES, every_flow, network_policies, selectors, worlds

LABELLINGS = [
    {key: value for key, value in zip(LABELS, values, strict=True) if value is not None}
    for values in product(*((None, "other", "absent", *values) for values in LABELS.values()))
]


def redundant(world, *families):
    """Policies, and rules by policy and direction, that are told."""
    policies, rules = set(), {}
    facts = evidence_of(world)
    for finding in (each for family in families for each in family.find(facts)):
        name = tuple(finding.title.split("/"))
        if found := re.fullmatch(r"spec\.(ingress|egress)\[(\d+)\]", finding.field):
            rules.setdefault((name, Direction(found[1])), set()).add(int(found[2]))
        else:
            policies.add(name)
    return policies, rules


def without(world, policies, rules):
    kept = (policy for policy in world.policies.values() if (policy.namespace, policy.name) not in policies)
    return world.with_policies(_without(policy, rules) for policy in kept)


def _without(policy, rules):
    for direction in Direction:
        gone = rules.get(((policy.namespace, policy.name), direction), ())
        left = tuple(rule for n, rule in enumerate(getattr(policy, direction.value)) if n not in gone)
        policy = replace(policy, **{direction.value: left})
    return policy


@examples(50)
@given(worlds(max_policies=4, policy=network_policies()))
def test_all_that_is_told_can_go_at_once(world):
    assume(set(world.namespaces) == set(NAMESPACES))
    _assert_nothing_changes(world, redundant(world, redundancy))


@examples(50)
@given(worlds(max_policies=4, policy=network_policies()))
def test_all_that_the_given_pods_have_no_need_of_can_go_at_once(world):
    assume(set(world.namespaces) == set(NAMESPACES))
    _assert_nothing_changes(world, redundant(world, redundancy, spare))


def _assert_nothing_changes(world, told):
    assume(any(told))
    less = without(world, *told)
    before, after = compile(world), compile(less)
    for flow in every_flow(world):
        assert before.run(flow) is after.run(flow), flow


@examples(300)
@given(selectors(), selectors())
def test_implication_is_exact(narrow, wide):
    """Every combination of the labels there are, and of one that nobody mentions."""
    held = all(wide.matches(labels) for labels in LABELLINGS if narrow.matches(labels))
    assert selector_implies(narrow, wide) is held


def test_what_nothing_can_match_implies_everything():
    nothing = Selector(
        tuple(sorted((requirement("a", Operator.IN, "x"), requirement("a", Operator.NOT_IN, "x"))))
    )
    assert selector_implies(nothing, selector(b="y"))
    assert not selector_implies(EVERYTHING, nothing)


def test_a_namespace_by_name_is_one_by_its_label():
    by_name = PodSelection("x", EVERYTHING)
    by_label = PodSelection(selector(**{"kubernetes.io/metadata.name": "x"}), EVERYTHING)
    assert implies(by_name, by_label)
    assert implies(by_label, by_name)
    assert implies(by_name, PodSelection(EVERYTHING, EVERYTHING))
    assert not implies(PodSelection(EVERYTHING, EVERYTHING), by_name)
    assert not implies(by_name, PodSelection("y", EVERYTHING))
