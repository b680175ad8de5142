"""Laws of the meaning, over small worlds and every flow of them."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from podfence.model.flow import Because, Verdict
from podfence.model.policy import Direction, PodSelection, Policy, Tier
from podfence.semantics import decide, matches_peer, walk
from profiles import examples
from strategies import (
    every_flow,
    network_peers,
    network_policies,
    rules,
    worlds,
)

few = examples(40)
plain = worlds(policy=network_policies())


def verdicts(world):
    return {flow: decide(world, flow).verdict for flow in every_flow(world)}


def allowed(world):
    return {flow for flow, verdict in verdicts(world).items() if verdict is Verdict.ALLOWED}


@few
@given(worlds(max_policies=0))
def test_without_policies_everything_is_allowed(world):
    assert set(verdicts(world).values()) <= {Verdict.ALLOWED}


@few
@given(plain, st.randoms(use_true_random=False))
def test_the_order_of_policies_rules_peers_and_ports_says_nothing(world, random):
    def shuffled(items):
        return None if items is None else tuple(random.sample(items, len(items)))

    def turned(found):
        return tuple(replace(r, peers=shuffled(r.peers), ports=shuffled(r.ports)) for r in shuffled(found))

    other = [replace(p, ingress=turned(p.ingress), egress=turned(p.egress)) for p in world.policies.values()]
    assert verdicts(world.with_policies(random.sample(other, len(other)))) == verdicts(world)


@few
@given(plain, st.data())
def test_one_more_rule_of_a_network_policy_never_denies(world, data):
    for policy in world.policies.values():
        more = replace(policy, ingress=(*policy.ingress, data.draw(rules(policy.namespace))))
        wider = world.with_policies([*world.policies.values(), more])
        assert allowed(world) <= allowed(wider)


@few
@given(worlds())
def test_a_network_policy_without_rules_only_denies(world):
    closed = Policy("x", "closed", PodSelection("x"), frozenset(Direction))
    assert allowed(world.with_policies([*world.policies.values(), closed])) <= allowed(world)


@few
@given(worlds())
def test_removing_all_isolating_policies_opens_the_direction(world):
    for flow in every_flow(world):
        for direction in Direction:
            found = walk(world, flow, direction)
            if found.because is not Because.NO_RULE:
                continue
            left = [p for p in world.policies.values() if p not in found.isolating]
            opened = walk(world.with_policies(left), flow, direction)
            assert opened.tier is not Tier.NETWORK_POLICY
            assert opened.because is not Because.NO_RULE


@few
@given(plain)
def test_for_an_allowed_flow_the_named_rule_alone_allows_it(world):
    for flow in every_flow(world):
        for direction in Direction:
            found = walk(world, flow, direction)
            if found.match:
                alone = _reduced(found.match, direction)
                again = walk(world.with_policies([alone]), flow, direction)
                assert again.verdict is Verdict.ALLOWED
                assert again.because is Because.RULE


def _reduced(match, direction):
    """The policy with nothing but the rule that a match names."""
    index = int(match.path.partition("[")[2].partition("]")[0])
    return replace(match.policy, **{direction.value: (match.policy.rules(direction)[index],)})


@few
@given(worlds())
def test_both_directions_are_decided_independently(world):
    for flow in every_flow(world):
        decision = decide(world, flow)
        assert decision.walks == tuple(walk(world, flow, direction) for direction in Direction)
        assert (decision.verdict is Verdict.DENIED) == any(
            w.verdict is Verdict.DENIED for w in decision.walks
        )


@few
@given(worlds())
def test_a_reason_is_never_without_what_it_speaks_of(world):
    for flow in every_flow(world):
        for found in decide(world, flow).walks:
            assert (found.subject is None) == (found.because is Because.NOT_A_POD)
            assert (found.match is not None) == (found.because is Because.RULE)
            assert found.because is not Because.NO_RULE or found.isolating


@few
@given(network_peers(), st.data())
def test_an_exception_only_subtracts_in_its_own_block(peer, data):
    world, other = data.draw(worlds(max_policies=0)), data.draw(network_peers())
    for flow in every_flow(world):
        either = matches_peer(world, peer, flow.source) or matches_peer(world, other, flow.source)
        united = peer.addresses | other.addresses
        assert either == (flow.source in united)
