"""Containment and equivalence: every flow of small worlds, asked one by one, agrees; and every no shows why."""

from dataclasses import replace

from hypothesis import given

from podfence.analysis.containment import contains, equivalent
from podfence.compiler import compile  # noqa: A004  precedent: re.compile
from podfence.model.flow import Verdict
from podfence.model.labels import EVERYTHING, selector
from podfence.model.policy import Direction, PodSelection, Policy, Rule
from podfence.model.ports import PortMatch, PortRange, Protocol
from podfence.semantics import decide
from profiles import examples
from strategies import every_flow, worlds


def allowed(world, flow):
    return decide(world, flow).verdict is Verdict.ALLOWED


@examples(60)
@given(worlds(), worlds())
def test_containment_is_what_every_flow_says(wide, narrow):
    narrow = replace(wide, policies=narrow.policies)
    found = contains(wide, narrow)
    if found:
        one, other = compile(wide), compile(narrow)
        for flow in every_flow(wide):
            assert not (other.run(flow) is Verdict.ALLOWED and one.run(flow) is Verdict.DENIED), flow
    else:
        assert allowed(narrow, found.flow)
        assert not allowed(wide, found.flow)


@examples(40)
@given(worlds())
def test_a_world_is_its_own_equal_and_less_without_a_rule(world):
    assert equivalent(world, world)
    less = world.with_policies(
        replace(policy, ingress=policy.ingress[1:]) for policy in world.policies.values()
    )
    if all(policy.tier.value == "NetworkPolicy" for policy in world.policies.values()):
        assert contains(world, less)


WEB = PodSelection("x", selector(app="web"))
ALL = PodSelection("x", EVERYTHING)
BOTH = frozenset({Direction.INGRESS})


def policy(*rules, name="p", subject=ALL):
    return Policy("x", name, subject, BOTH, ingress=rules)


def on(first, last):
    return Rule((WEB,), (PortMatch(Protocol.TCP, PortRange(first, last)),))


def test_policies_alone():
    assert equivalent([policy(on(1, 90))], [policy(on(1, 50), on(51, 90))])
    assert contains([policy(Rule())], [policy(on(1, 90))])
    found = contains([policy(on(1, 90))], [policy(Rule())])
    assert not found
    assert found.flow is not None


def test_no_policy_contains_every_policy():
    assert contains([], [policy(on(1, 90))])
    assert not contains([policy()], [])


def test_a_counter_example_names_the_port():
    found = contains([policy(on(1, 80))], [policy(on(1, 81))])
    assert (found.flow.protocol, found.flow.port) == (Protocol.TCP, 81)
