"""Differences are what every flow says on both sides; their causes are tried by taking them back."""

from hypothesis import given

from podfence.analysis.admission import USABLE, ports_between
from podfence.analysis.causes import _same
from podfence.analysis.changes import Kind, differences, opened
from podfence.analysis.connections import View, connections
from podfence.analysis.reach import Reach
from podfence.analysis.workloads import Level, listed
from podfence.compiler import compile  # noqa: A004  precedent: re.compile
from podfence.model.portset import NO_PORTS
from profiles import examples
from strategies import every_flow, worlds
from worlds import found_between, pairs, policy_changes, said, successions, truth


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
    forth = {(p.source.title, p.destination.title): (p.before, p.after) for p in differences(*worlds, because=False).pairs}
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


@examples(30)
@given(successions(policy_changes()))
def test_taking_back_what_is_named_gives_the_old_answer(worlds):
    ask = Asked(*worlds)
    for pair in differences(*worlds).pairs:
        assert pair.because
        assert same(ask(pair.because, pair), pair.before), pair


@examples(30)
@given(successions(policy_changes()))
def test_an_edit_that_explains_alone_does_it_taken_back_or_made(worlds):
    back, made = Asked(*worlds), Asked(*reversed(worlds))
    for pair in differences(*worlds).pairs:
        for edit in pair.because:
            explains = same(back([edit], pair), pair.before) or same(made([edit], pair), pair.after)
            assert edit.alone is explains, (pair, edit)


class Asked:
    """What two ends may say in the new world, with some policies as they are in the old one."""

    def __init__(self, old, new):
        self.old, self.new = old, new
        ranges = [end.addresses for side in (old, new) for end in connections(side).ends if end.addresses]
        self.view = View(Level.POD, frozenset(each.first for each in ranges))
        self.known = {}

    def __call__(self, taken_back, pair):
        keys = frozenset((each.tier.value, each.name) for each in taken_back)
        if keys not in self.known:
            kept = [policy for policy in self.new.policies.values() if _key(policy) not in keys]
            again = [policy for policy in self.old.policies.values() if _key(policy) in keys]
            self.known[keys] = connections(self.new.with_policies([*kept, *again]), self.view)
        return self.known[keys].between(pair.source, pair.destination).families


def _key(policy):
    return (policy.tier.value, policy.title)


def same(families, allowed):
    return _same({family: ports & USABLE for family, ports in families.items()}, allowed.families)
