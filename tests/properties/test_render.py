"""The table means what the program means, packet by packet and in both directions; and patches add up to it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nft.simulate import Packet, run
from podfence.compiler import Compiler, compile  # noqa: A004
from podfence.errors import PodfenceError
from podfence.model.address import address, network
from podfence.model.change import after, gone, put, snapshot
from podfence.model.cluster import Namespace, Pod, Snapshot
from podfence.model.flow import Verdict
from podfence.model.labels import EVERYTHING, selector
from podfence.model.policy import Direction, NetworkPeer, PodSelection, Policy, Rule, Tier
from podfence.model.ports import PortMatch, PortRange, Protocol
from podfence.nft.difference import diff
from podfence.nft.fake import Fake
from podfence.nft.render import Bump, Existing, Settings, render, render_bump, render_patch
from podfence.nft.render.denials import read_log_prefix
from podfence.nft.statements import Side, State
from podfence.nft.transaction import AddElements, DeleteElements
from podfence.nft.verdicts import ACCEPT, DROP
from podfence.node.portions import ELEMENT_BYTES, portions
from podfence.program import Program, patched
from podfence.semantics import walk
from profiles import examples
from strategies import every_flow, histories, worlds

SETTINGS = Settings(pod_interfaces=("pf*",))
GENERATION = 7
MARK = SETTINGS.marked(GENERATION)


def packet(flow, side=Side.ORIGINAL, **more):
    state = State.NEW if side is Side.ORIGINAL else State.ESTABLISHED
    there = Packet(flow.source, flow.destination, flow.protocol, 40000, flow.port or 0, state=state, **more)
    if side is Side.ORIGINAL:
        return there
    return replace(
        there, source=there.destination, destination=there.source, source_port=there.destination_port,
        destination_port=there.source_port, side=side,
    )  # fmt: skip


def forwarded(world):
    """What comes by the forward hook: not what a pod says to itself, nor what its own node says to it."""
    for flow in every_flow(world):
        pod = world.pod_at(flow.destination)
        local = pod is not None and flow.source in world.node_addresses(pod.node)
        if not local and (flow.hairpin or flow.source != flow.destination):
            yield flow


@examples(80)
@given(worlds(), st.sampled_from(Side))
def test_the_table_judges_the_packets_of_a_flow_as_the_program_does(world, side):
    program = compile(world)
    table = render(program, SETTINGS, GENERATION)
    for flow in forwarded(world):
        outcome = run(table, "forward", packet(flow, side))
        allowed = program.run(flow) is Verdict.ALLOWED
        assert outcome.verdict == (ACCEPT if allowed else DROP), (flow, outcome.path)
        assert outcome.mark == (MARK if allowed else 0)


@examples(30)
@given(worlds(), st.sampled_from(Side))
def test_a_denial_is_counted_and_logged_once_for_a_direction_that_denies(world, side):
    table = render(compile(world), SETTINGS, GENERATION)
    for flow in forwarded(world):
        outcome = run(table, "forward", packet(flow, side))
        if outcome.verdict == ACCEPT:
            assert not outcome.logs
            continue
        ((direction, logged_side, name),) = map(read_log_prefix, outcome.logs)
        assert walk(world, flow, direction).verdict is Verdict.DENIED
        assert logged_side is side
        assert outcome.counted == {f"denied_{name}": 1, f"logged_{name}": 1}
        limited = run(table, "forward", packet(flow, side), limited=True)
        assert (limited.verdict, limited.logs, limited.counted) == (DROP, [], {f"denied_{name}": 1})


@examples(20)
@given(worlds())
def test_what_a_pod_sends_to_a_node_is_judged_in_input_and_what_the_node_began_is_not(world):
    program = compile(world)
    table = render(program, SETTINGS, GENERATION)
    nodes = {found for node in world.nodes.values() for found in node.addresses}
    for flow in every_flow(world):
        if flow.destination in nodes and flow.source not in nodes:
            allowed = program.run(flow) is Verdict.ALLOWED
            assert run(table, "input", packet(flow)).verdict == (ACCEPT if allowed else DROP), flow
            assert run(table, "input", packet(flow, Side.REPLY)).verdict == ACCEPT


@examples(20)
@given(worlds())
def test_the_mark_of_this_generation_passes_and_that_of_any_other_does_not(world):
    program = compile(world)
    table = render(program, SETTINGS, GENERATION)
    for flow in forwarded(world):
        kept = 0x8042
        assert run(table, "forward", packet(flow, mark=MARK | kept)).verdict == ACCEPT
        stale = run(table, "forward", packet(flow, mark=SETTINGS.marked(GENERATION - 1) | kept))
        assert (stale.verdict == ACCEPT) is (program.run(flow) is Verdict.ALLOWED)
        assert stale.mark & ~SETTINGS.mark == kept


@examples(20)
@given(worlds())
def test_packets_of_no_flow_never_stamp_and_stray_ones_are_dropped(world):
    table = render(compile(world), SETTINGS, GENERATION)
    for flow in forwarded(world):
        for state in (State.RELATED, State.INVALID):
            outcome = run(table, "forward", replace(packet(flow), state=state))
            assert (outcome.verdict, outcome.mark) == (DROP, 0)
        spoofed = packet(flow, mark=MARK, input="pf7", return_path=False)
        assert run(table, "forward", spoofed).counted == {"spoofed": 1}
        related = run(table, "input", replace(packet(flow), state=State.RELATED))
        assert related.mark == 0
        invalid = run(table, "input", replace(packet(flow), state=State.INVALID))
        assert (invalid.verdict == DROP, invalid.logs) == (invalid.counted == {"invalid": 1}, [])


@examples(60)
@given(histories(), st.integers(1, 4))
def test_the_table_after_all_transactions_is_the_table_of_the_end(history, size):
    compiler, program, datapath = Compiler(), Program(), Fake()
    datapath.apply(diff(render(program, SETTINGS, 1), None))
    for generation, start in enumerate(range(0, len(history), size), 1):
        patch = compiler.apply(history[start : start + size])
        datapath.apply(render_patch(program, patch, SETTINGS, Bump(generation, generation + 1)))
        program = patched(program, patch)
        assert datapath.read() == render(program, SETTINGS, generation + 1)
    assert program == compile(after(Snapshot(), history))


@examples(30)
@given(worlds(), worlds(), st.integers(1, 3))
def test_a_switch_in_portions_leads_where_the_whole_one_leads_and_each_is_small(old, new, most):
    whole = diff(render(compile(new), SETTINGS, 2), before := render(compile(old), SETTINGS, 1))
    datapath = Fake()
    datapath.apply(diff(before, None))
    for portion in portions(whole, most * ELEMENT_BYTES):
        datapath.apply(portion)
        keys = [
            key for each in portion.switch for key in getattr(each, "keys", getattr(each, "elements", ()))
        ]
        assert len(set(keys)) <= most
    assert datapath.read() == render(compile(new), SETTINGS, 2)


@examples(20)
@given(worlds(), worlds())
def test_the_difference_of_two_tables_leads_from_one_to_the_other(old, new):
    datapath = Fake()
    before, wanted = render(compile(old), SETTINGS, 1), render(compile(new), SETTINGS, 2)
    datapath.apply(diff(before, None))
    datapath.apply(diff(wanted, before))
    assert datapath.read() == wanted
    assert not diff(wanted, datapath.read())


@examples(20)
@given(worlds())
def test_no_chain_and_the_element_that_points_at_it_share_a_batch(world):
    empty, program = Program(), compile(world)
    compiler = Compiler()
    patch = compiler.apply([put(each) for kind in (world.namespaces, world.nodes, world.pods, world.policies)
                            for each in kind.values()])  # fmt: skip
    transaction = render_patch(empty, patch, SETTINGS, Bump(1, 2))
    pointed = {
        verdict.chain
        for operation in transaction.switch
        if isinstance(operation, AddElements)
        for verdict in operation.elements.values()
        if verdict
    }
    prepared = {each.chain.name for batch in transaction.prepare for each in batch if hasattr(each, "chain")}
    assert pointed <= prepared
    assert len(pointed) == sum(map(len, map(set, map(dict.values, program.subjects.values()))))


def replica(number, **labels):
    return Pod("x", f"web-{number}", labels or {"app": "web"}, (address(f"10.0.0.{number}"),), "n1")


def isolated_world():
    rules = (Rule((PodSelection("x", selector(app="web")),), (PortMatch(Protocol.TCP, PortRange(80, 80)),)),)
    policy = Policy("x", "web", PodSelection("x"), frozenset(Direction), rules, rules)
    return [put(each) for each in (Namespace("x"), policy, replica(1))]


def judged(table, source, destination, port):
    return run(table, "forward", Packet(address(source), address(destination), 6, 40000, port)).verdict


def only(name, *rules, tier=Tier.NETWORK_POLICY):
    where = "x" if tier is Tier.NETWORK_POLICY else EVERYTHING
    subject = PodSelection(where, selector(app=name))
    return Policy("x" * (where == "x"), name, subject, frozenset({Direction.INGRESS}), rules, tier=tier)


def two_pods(*policies):
    pods = (Pod("x", each, {"app": each}, (address(f"10.0.0.{n}"),), "n1") for n, each in enumerate("ab", 1))
    return render(compile(snapshot([Namespace("x"), *pods, *policies])), SETTINGS, GENERATION)


def test_combinations_that_differ_in_their_ports_alone_do_not_share_chains():
    for one, other in ((80, 80), (80, 81)), ((80, 81), (81, 81)):
        ports = ((PortMatch(Protocol.TCP, PortRange(*span)),) for span in (one, other))
        table = two_pods(*(only(name, Rule(None, found)) for name, found in zip("ab", ports, strict=True)))
        verdicts = [judged(table, "10.0.0.9", f"10.0.0.{pod}", port) for pod in (1, 2) for port in (80, 81)]
        expected = [span[0] <= port <= span[1] for span in (one, other) for port in (80, 81)]
        assert [verdict == ACCEPT for verdict in verdicts] == expected


def test_combinations_that_differ_in_isolation_alone_do_not_share_chains():
    rule = Rule((NetworkPeer(network("10.0.0.8/32")),))
    table = two_pods(only("a", rule), only("b", rule, tier=Tier.ADMIN))
    verdicts = [judged(table, f"10.0.0.{peer}", f"10.0.0.{pod}", 80) for pod in (1, 2) for peer in (8, 9)]
    assert verdicts == [ACCEPT, DROP, ACCEPT, ACCEPT]


def test_a_replica_of_a_known_identity_is_elements_and_nothing_else():
    compiler = Compiler()
    compiler.apply(isolated_world())
    before = compiler.program
    arrival = render_patch(before, compiler.apply([put(replica(2))]), SETTINGS, Bump(1, 1))
    assert not arrival.prepare
    assert not arrival.retire
    assert {type(each) for each in arrival.switch} == {AddElements}
    assert len(arrival.switch) == 3  # subject of both directions, member of the one group
    before = compiler.program
    departure = render_patch(before, compiler.apply([gone(replica(2))]), SETTINGS, Bump(1, 1))
    assert {type(each) for each in departure.switch} == {DeleteElements}
    assert len(departure.switch) == 3


def test_keep_lets_established_connections_pass_whatever_their_mark():
    compiler = Compiler()
    compiler.apply(isolated_world())
    kept = render(compiler.program, replace(SETTINGS, existing=Existing.KEEP), GENERATION)
    there = Packet(address("10.0.0.1"), address("10.0.0.9"), 6, 40000, 443)
    assert run(kept, "forward", there).verdict == DROP
    assert run(kept, "forward", replace(there, state=State.ESTABLISHED)).verdict == ACCEPT


def test_wide_ranges_become_intervals_and_narrow_ones_single_ports():
    spans = (PortRange(1000, 1001), PortRange(30000, 32767))
    rule = Rule(None, tuple(PortMatch(Protocol.TCP, span) for span in spans))
    policy = Policy("x", "p", PodSelection("x"), frozenset({Direction.INGRESS}), (rule,))
    table = render(compile(snapshot([Namespace("x"), policy, replica(1)])), SETTINGS, 1)
    sizes = {each.interval: len(each.elements) for each in table.sets.values() if each.name.startswith("p_")}
    assert sizes == {False: 2, True: 1}
    for port, verdict in ((999, DROP), (1000, ACCEPT), (30000, ACCEPT), (32767, ACCEPT), (32768, DROP)):
        there = Packet(address("10.0.0.9"), address("10.0.0.1"), 6, 40000, port)
        assert run(table, "forward", there).verdict == verdict, port


def test_a_bump_changes_the_base_chains_and_nothing_else():
    program = compile(snapshot([each.value for each in isolated_world()]))
    datapath = Fake()
    datapath.apply(diff(render(program, SETTINGS, 1), None))
    datapath.apply(render_bump(SETTINGS, Bump(1, 2)))
    assert datapath.read() == render(program, SETTINGS, 2)
    assert not render_bump(SETTINGS, Bump(2, 2))


@pytest.mark.parametrize("mask", [0x80, 0xFFFF, 0x00FF0000, 0xFFFF4000, 0, 1 << 40])
def test_a_mask_that_others_use_or_that_is_too_small_is_refused(mask):
    with pytest.raises(PodfenceError):
        Settings(mark=mask)


@given(st.integers(1, 0xFFFF), st.sampled_from([0xFFFF0000, 0x7FFF3F00, 0xFFFF3F7F]))
def test_a_generation_lies_in_the_bits_of_the_mask_alone_and_can_be_read_back(generation, mask):
    settings = Settings(mark=mask)
    marked = settings.marked(generation)
    assert marked
    assert not marked & ~mask
    assert settings.generation_of(marked | 0x80) == generation


def test_generations_wrap_to_the_first_and_never_to_nothing():
    assert SETTINGS.after(SETTINGS.last_generation) == 1
    with pytest.raises(ValueError, match="between 1 and 65535"):
        SETTINGS.marked(0)


@examples(20)
@given(worlds(), worlds())
def test_other_settings_share_no_chain_of_a_combination(old, new):
    """So that everything is prepared beside what is there, and nothing in use is changed but base chains and elements."""
    datapath, others = Fake(), replace(SETTINGS, log_group=6)
    before, wanted = render(compile(old), SETTINGS, 1), render(compile(new), others, 2)
    assert set(before.chains.keys() & wanted.chains.keys()) == {"forward", "reverse", "input"}
    datapath.apply(diff(before, None))
    datapath.apply(diff(wanted, before))
    assert datapath.read() == wanted


def test_every_setting_is_part_of_the_names():
    changed = (
        {"mark": 0x7FFFFF00 & ~0xC080}, {"log_group": 6}, {"log_limit": None}, {"pod_interfaces": ()},
        {"existing": Existing.KEEP},
    )  # fmt: skip
    assert len({SETTINGS.tag, *(replace(SETTINGS, **each).tag for each in changed)}) == 6
