"""What a program that uses the library looks like to a type checker; a test runs mypy over it."""

from typing import assert_type

import podfence


def verdicts(*sources: str) -> list[podfence.Verdict]:
    world: podfence.Snapshot = podfence.load(*sources)
    flow = podfence.Flow(
        podfence.address("10.0.0.1"), podfence.address("10.0.0.2"), podfence.Protocol.TCP, 80
    )
    decision = podfence.decide(world, flow)
    assert_type(decision, podfence.Decision)
    asked = [podfence.decide(world, each).verdict for each in podfence.flows(world, "x/a", "x/b", "80")]
    return [decision.verdict, *asked]


def strings(world: podfence.Snapshot) -> list[str]:
    found = podfence.reach(world, by="pod")
    assert_type(found, podfence.Connections)
    return [
        f"{source.title} => {destination.title} : {allowed.ports}" for source, destination, allowed in found
    ]


def causes(old: list[str], new: list[str]) -> set[str]:
    before, after = podfence.load_both(old, new)
    found = podfence.diff(before, after)
    assert_type(found, podfence.Differences)
    return {cause.name for pair in found.pairs for cause in pair.because}


def difference(old: podfence.Snapshot, new: podfence.Snapshot) -> podfence.Flow | None:
    found = podfence.equivalent(old, new)
    assert_type(found, podfence.Comparison)
    return found.flow if podfence.contains(old, new) else None


def complaints(*sources: str) -> list[str]:
    try:
        problems, findings = podfence.check(*sources)
    except podfence.PodfenceError as trouble:
        return [trouble.message, *trouble.details]
    return [*map(str, problems), *map(str, findings)]
