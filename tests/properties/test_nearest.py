"""Laws of the nearest miss: what it proposes turns the verdict, and it names a rule that is there."""

from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from podfence.analysis.edits import AddRule, flow_style
from podfence.analysis.nearest import nearest
from podfence.model.flow import Verdict
from podfence.model.policy import Action, Tier
from podfence.semantics import decide
from profiles import examples
from strategies import every_flow, worlds

few = examples(60)


def edited(world, misses):
    policies = dict(world.policies)
    for miss in misses:
        policies[miss.policy.key] = miss.edit.apply(policies[miss.policy.key])
    return replace(world, policies=policies)


@few
@given(worlds())
def test_applying_the_edits_turns_a_denial(world):
    for flow in every_flow(world):
        decision = decide(world, flow)
        misses = nearest(world, decision)
        assert bool(misses) == (decision.verdict is Verdict.DENIED)
        assert decide(edited(world, misses), flow).verdict is Verdict.ALLOWED


@few
@given(worlds())
def test_each_edit_turns_its_own_direction(world):
    for flow in every_flow(world):
        for miss in nearest(world, decide(world, flow)):
            walks = decide(edited(world, [miss]), flow).walks
            assert all(w.verdict is Verdict.ALLOWED for w in walks if w.direction is miss.direction)


@few
@given(worlds())
def test_the_nearest_rule_is_there_and_is_of_an_obstacle(world):
    for flow in every_flow(world):
        decision = decide(world, flow)
        obstacles = {walk.direction: walk for walk in decision.walks if walk.verdict is Verdict.DENIED}
        for miss in nearest(world, decision):
            walk = obstacles[miss.direction]
            assert miss.policy in (*walk.isolating, *([walk.match.policy] if walk.match else []))
            rules = miss.policy.rules(miss.direction)
            assert miss.path in {f"spec.{miss.direction.value}[{n}]" for n in range(len(rules))} | (
                set() if rules else {f"spec.{miss.direction.value}"}
            )


@few
@given(worlds())
def test_only_tiers_with_an_order_get_a_rule_in_front(world):
    for flow in every_flow(world):
        for miss in nearest(world, decide(world, flow)):
            first = isinstance(miss.edit, AddRule) and miss.edit.index < len(
                miss.policy.rules(miss.direction)
            )
            assert first == (miss.policy.tier is not Tier.NETWORK_POLICY)
            if first:
                assert miss.policy.rules(miss.direction)[miss.edit.index].action is Action.DENY


@few
@given(worlds())
def test_what_an_edit_prints_is_yaml_of_what_it_says(world):
    for flow in every_flow(world):
        for miss in nearest(world, decide(world, flow)):
            written = miss.edit.written(miss.policy)
            assert yaml.safe_load(flow_style(written)) == written
            assert miss.edit.path in miss.instruction


TRICKY = [
    "yes",
    "No",
    "null",
    "~",
    "1e3",
    "0x10",
    "12:30",
    "a: b",
    "- x",
    "#",
    "",
    "::1/128",
    "10.0.0.0/8",
    "é\n",
]


@pytest.mark.parametrize("text", TRICKY)
def test_text_that_yaml_would_take_for_something_else_is_quoted(text):
    assert yaml.safe_load(flow_style({text: [text]})) == {text: [text]}


@given(st.text())
def test_any_text_survives_being_printed(text):
    assert yaml.safe_load(flow_style([text])) == [text]
