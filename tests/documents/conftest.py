"""What sentences are asked of: the meaning, and whatever claims to have the same."""

import pytest
from scenes import ALL, TCP, flow, world

from podfence.model.flow import Verdict
from podfence.semantics import decide


@pytest.fixture
def verdict():
    """The verdict on a flow, on which the definition and the compiled program agree."""
    from podfence import compiler

    programs = {}

    def ask(snapshot, asked):
        meant = decide(snapshot, asked).verdict
        program = programs.setdefault(id(snapshot), (snapshot, compiler.compile(snapshot)))[1]
        assert program.run(asked) is meant, asked
        return meant

    return ask


@pytest.fixture
def allowed(verdict):
    """allowed(world, "x/a", "y/b", 80, TCP)."""
    return lambda snapshot, *question: verdict(snapshot, flow(*question)) is Verdict.ALLOWED


@pytest.fixture
def reach(allowed):
    """The pairs of pods that may connect under some policies, or in a world."""

    def ask(*policies, port=80, protocol=TCP, within=None):
        snapshot = within or world(*policies)
        return {pair for pair in ALL if allowed(snapshot, *pair, port, protocol)}

    return ask
