"""Differences are what every flow says on both sides; their causes are tried by taking them back."""

from hypothesis import given
from successive import found_between, pairs, policy_changes, said, successions, truth

from podfence.analysis.admission import ports_between
from podfence.analysis.causes import _same
from podfence.analysis.changes import Kind, differences, opened
from podfence.analysis.reach import Reach
from podfence.analysis.workloads import listed
from podfence.compiler import compile  # noqa: A004  precedent: re.compile
from podfence.model.portset import NO_PORTS
from profiles import examples
from strategies import every_flow, worlds


@examples(60)
@given(worlds())
def test_ports_by_definition_are_those_of_the_program(world):
    reach = Reach(compile(world))
    for flow in every_flow(world):
        if not flow.hairpin:
            ends = (flow.source, flow.destination)
            assert ports_between(world, *ends) == reach.ports(*ends)


@examples(60)
@given(successions())
def test_a_pair_differs_where_some_flow_does(worlds):
    found = differences(*worlds, because=False)
    for source, destination, mine, theirs in pairs(*worlds):
        before, after = (truth(world, mine[n], theirs[n]) for n, world in enumerate(worlds))
        pair = found_between(found, source, destination)
        told = (said(pair.before), said(pair.after)) if pair else (before, before)
        assert told == (before, after), (source, destination)


@examples(60)
@given(successions())
def test_a_difference_is_never_between_equals(worlds):
    for pair in differences(*worlds, because=False).pairs:
        assert not _same(pair.before.families, pair.after.families)
        assert (pair.kind is Kind.ADDED) is (pair.before.ports == NO_PORTS)
        assert (pair.kind is Kind.REMOVED) is (pair.after.ports == NO_PORTS)


@examples(60)
@given(successions())
def test_there_and_back_is_the_same_the_other_way_round(worlds):
    forth = {
        (p.source.title, p.destination.title): (p.before, p.after)
        for p in differences(*worlds, because=False).pairs
    }
    back = differences(*reversed(worlds), because=False).pairs
    assert forth == {(p.source.title, p.destination.title): (p.after, p.before) for p in back}


@given(worlds())
def test_nothing_differs_from_itself(world):
    assert not differences(world, world)


@examples(60)
@given(successions())
def test_workloads_that_came_or_went_are_named(worlds):
    found = differences(*worlds, because=False)
    old, new = ({f"{pod.title}[Pod]" for pod in listed(world.pods.values())} for world in worlds)
    assert {end.title for end in found.came} == new - old
    assert {end.title for end in found.went} == old - new


@examples(60)
@given(successions())
def test_wider_is_what_lets_some_flow_pass_that_did_not(worlds):
    old, new = worlds
    found = differences(old, new, because=False)
    wider = [
        pair
        for source, destination, mine, theirs in pairs(old, new)
        if truth(new, mine[1], theirs[1]) - truth(old, mine[0], theirs[0])
        and (pair := found_between(found, source, destination))
    ]
    assert all(pair.widened for pair in wider)
    assert all(any(opened(p.before, p.after).values()) is p.widened for p in found.pairs)


@examples(60)
@given(successions(policy_changes()))
def test_taking_back_what_is_named_gives_the_old_answer(worlds):
    for pair, ends, before, _ in told(*worlds):
        assert pair.because
        assert truth(taken_back(*worlds, pair.because), *ends) == before, pair


@examples(60)
@given(successions(policy_changes()))
def test_an_edit_that_explains_alone_does_it_taken_back_or_made(worlds):
    for pair, ends, before, after in told(*worlds):
        for edit in pair.because:
            back = truth(taken_back(*worlds, [edit]), *ends) == before
            made = truth(taken_back(*reversed(worlds), [edit]), *ends) == after
            assert edit.alone or not (back or made), (pair, edit)


def told(old, new):
    """Differences of which a flow can be asked, with addresses of both ends."""
    found = differences(old, new)
    for source, destination, (mine, _), (theirs, _) in pairs(old, new):
        if pair := found_between(found, source, destination):
            yield pair, (mine, theirs), said(pair.before), said(pair.after)


def taken_back(old, new, edits):
    """The new world, with some policies as they are in the old one."""
    keys = {(each.tier.value, each.name) for each in edits}
    kept = [policy for policy in new.policies.values() if _key(policy) not in keys]
    return new.with_policies([*kept, *(p for p in old.policies.values() if _key(p) in keys)])


def _key(policy):
    return (policy.tier.value, policy.title)
