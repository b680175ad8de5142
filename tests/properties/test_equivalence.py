"""The meaning, the compiled program and its patches agree, for every flow of small worlds."""

from hypothesis import given
from hypothesis import strategies as st

from podfence.compiler import Compiler, compile  # noqa: A004  precedent: re.compile
from podfence.model.change import after, between
from podfence.model.cluster import Snapshot
from podfence.model.flow import Verdict
from podfence.program import Program, patched
from podfence.semantics import decide
from profiles import examples
from strategies import every_flow, histories, worlds


@examples(300)
@given(worlds())
def test_the_compiled_program_decides_as_the_definition_does(world):
    program = compile(world)
    for flow in every_flow(world):
        assert program.run(flow) is decide(world, flow).verdict, flow


@examples(200)
@given(histories())
def test_a_history_of_changes_compiles_to_what_its_end_compiles_to(history):
    compiler = Compiler()
    for change in history:
        compiler.apply([change])
    assert compiler.program == compile(after(Snapshot(), history))


@examples(200)
@given(histories(), st.integers(1, 4))
def test_patches_add_up_to_the_program(history, size):
    compiler, program = Compiler(), Program()
    for start in range(0, len(history), size):
        patch = compiler.apply(history[start : start + size])
        program = patched(program, patch)
        assert program == compiler.program


@examples(100)
@given(worlds(), st.data())
def test_the_order_of_changes_does_not_matter(world, data):
    arrivals = [*_puts(world)]
    shuffled = data.draw(st.permutations(arrivals))
    one, other = Compiler(), Compiler()
    one.apply(arrivals)
    for change in shuffled:
        other.apply([change])
    assert one.program == other.program


@examples(150)
@given(histories())
def test_a_patch_that_does_not_tighten_denies_nothing_that_was_allowed(history):
    compiler, program, end = Compiler(), Program(), Snapshot()
    for change in history:
        before, end = end, after(end, [change])
        old, patch = program, compiler.apply([change])
        program = compiler.program
        if not patch.tightens:
            for flow in every_flow(before):
                assert old.run(flow) is program.run(flow) or not _denied(program, flow), flow


@examples(150)
@given(worlds(), st.sampled_from(["n1", "n2"]))
def test_a_node_knows_its_own_pods_and_no_other_subject(world, node):
    whole, mine = compile(world), compile(world, node)
    said = {address for subjects in whole.subjects.values() for address in subjects}
    local = {address for address in said if world.pod_at(address).node == node}
    for direction, subjects in whole.subjects.items():
        assert mine.subjects[direction] == {a: name for a, name in subjects.items() if a in local}
    assert all(mine.members[name] == whole.members[name] for name in mine.groups)


@examples(100)
@given(worlds(), worlds())
def test_a_repeated_or_undone_history_leaves_nothing_behind(world, other):
    compiler = Compiler()
    compiler.apply(_puts(world))
    assert not compiler.apply(_puts(world))
    compiler.apply(_puts(other))
    compiler.apply([type(c)(c.kind, c.key) for c in (*_puts(world), *_puts(other))])
    assert compiler.program == Program()
    assert compiler.indexed == 0


def _puts(world):
    return list(between(Snapshot(), world))


def _denied(program, flow):
    return program.run(flow) is Verdict.DENIED
