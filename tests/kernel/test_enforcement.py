"""One node's enforcement: connections that live through changes, what is said of denials, and what a refusal leads to."""

import errno
import time

import pytest

from kernel.cases import A4, B4, C4, EGRESS, INGRESS, PODS, comes, goes, pod, policy, port, wait_until, world
from kernel.frames import UDP, frame, seen
from kernel.worlds import SETTINGS, small_world
from podfence.model.address import address
from podfence.model.change import gone, put
from podfence.model.flow import Because
from podfence.model.labels import selector
from podfence.model.policy import PodSelection, Rule
from podfence.model.ports import Protocol
from podfence.netlink.nflog import Logged
from podfence.nft.datapath import DatapathError
from podfence.nft.transaction import AddChain, AddElements
from podfence.node import Enforcement
from podfence.node.denials import explained
from podfence.node.history import History
from sandbox import in_sandbox, run

DENY_B = policy("deny-b", INGRESS, name="b")
FROM_A = policy(
    "from-a", INGRESS, Rule((PodSelection("x", selector(name="a")),), (port(80, Protocol.TCP),)), name="b"
)


def says(sender, receiver, word):
    """Whether a word gets through within a second; what is cut is sent again by TCP until it does."""
    sender.send(word)
    receiver.settimeout(1)
    try:
        return receiver.recv(100).endswith(word)
    except TimeoutError:
        return False


@in_sandbox
@pytest.mark.parametrize("family", [0, 1], ids=["ipv4", "ipv6"])
def test_a_connection_is_cut_by_tightening_survives_loosening_and_goes_on(family):
    with small_world() as net:
        net.become(world())
        a, b = net.pods[0], net.pods[1]
        listening = b.serve(80)
        with a.open((b.four, b.six)[family]) as mine:
            mine.connect(((b.four, b.six)[family], 80))
            theirs, _ = listening.accept()
            assert says(mine, theirs, b"before")
            assert says(theirs, mine, b"before")
            net.enforcement.apply(comes(DENY_B))
            assert not says(mine, theirs, b"cut")
            net.enforcement.apply([*goes(DENY_B), *comes(FROM_A)])
            wait_until(lambda: says(mine, theirs, b"after"), seconds=30)
            assert says(theirs, mine, b"after")
            net.enforcement.apply(goes(FROM_A))
            assert says(mine, theirs, b"still")
            theirs.close()


@in_sandbox
def test_a_pod_that_comes_to_an_address_does_not_inherit_what_its_forerunner_was_allowed():
    """(3) The flow is stamped, the pod goes, another takes its address and is isolated."""
    with small_world() as net:
        net.become(world(policy("deny-db", INGRESS, app="db")))
        net.ports[address(A4)].out(frame(A4, B4, UDP, 53))
        assert net.ports[address(B4)].gets(seen(A4, B4, UDP, 53))
        net.enforcement.apply([gone(PODS[1]), put(pod("d", PODS[1].addresses, app="db"))])
        net.ports[address(A4)].out(frame(A4, B4, UDP, 53))
        (denial,) = net.denials.read(10)
        assert (denial.destination.name, denial.stale) == ("d", False)


@in_sandbox
def test_a_denial_names_flow_pods_direction_and_the_policies_that_isolate():
    with small_world() as net:
        net.become(world(DENY_B, policy("deny-b-too", INGRESS, name="b")))
        net.ports[address(C4)].out(frame(C4, B4, UDP, 53))
        (denial,) = net.denials.read(10)
        assert str(denial.flow) == f"{C4} → {B4} UDP 53"
        assert (denial.source.name, denial.destination.name, denial.direction) == ("c", "b", INGRESS)
        assert [each.name for each in denial.walk.isolating] == ["deny-b", "deny-b-too"]
        assert (denial.walk.because, denial.reply, denial.stale) == (Because.NO_RULE, False, False)
        assert abs(denial.time - time.time()) < 60


def logged(moment, prefix="podfence ingress original ab"):
    ends = bytes(address(A4)), bytes(address(B4))
    return Logged(moment, prefix, 2, 1, 2, 4, UDP, *ends, 40000, 53, None, None)


def test_a_denial_is_explained_by_what_was_in_force_at_its_moment():
    moment = iter([10.0, 20.0])
    history = History(clock=lambda: next(moment))
    history.begin(world())
    history.add(comes(DENY_B))
    history.add(goes(DENY_B))
    early, during, blurred, late = (
        next(explained([logged(when)], history)) for when in (5.0, 15.0, 20.01, 25.0)
    )
    assert not during.stale
    assert during.walk.isolating
    assert not blurred.stale, "the packet and the change that freed it were a moment apart"
    assert early.stale
    assert late.stale
    assert (
        list(explained([logged(15.0, "something else"), logged(15.0, "podfence up down ab")], history)) == []
    )


def test_a_history_forgets_the_oldest_and_stays_right_about_the_newest():
    ticks = iter(range(1, 1000))
    history = History(clock=lambda: next(ticks))
    history.begin(world())
    for _ in range(150):
        history.add(comes(DENY_B))
        history.add(goes(DENY_B))
    assert [key[2] for key in next(history.at(299)).policies] == ["deny-b"]
    assert not next(history.at(300)).policies
    assert len(history._later) < 100


@in_sandbox
def test_a_refused_change_is_read_and_made_anew_and_nothing_is_open_meanwhile():
    with small_world() as net:
        net.become(world(DENY_B))
        name = next(iter(net.enforcement.apply(comes(FROM_A)).patch.combinations))
        time.sleep(0.06)
        net.enforcement.tick()
        run(f"nft add chain inet podfence i_{name}_{SETTINGS.tag}")  # half made, or somebody's idea
        applied = net.enforcement.apply(goes(DENY_B))
        assert not applied.repaired
        run("nft delete element inet podfence ingress4 { 10.0.0.2 }")
        applied = net.enforcement.apply(goes(FROM_A))  # deletes an element that is gone: refused
        assert applied.repaired
        assert applied.cutting
        assert not net.enforcement.verify()


@in_sandbox
def test_a_refusal_that_stays_is_said_and_the_next_change_makes_up_for_it():
    with small_world() as net:
        net.become(world())
        kernel, broken = net.enforcement._kernel, DatapathError("no memory", errno.ENOMEM)

        def refuse(transaction):
            raise broken

        kernel.apply, real = refuse, kernel.apply
        with pytest.raises(DatapathError, match="no memory"):
            net.enforcement.apply(comes(DENY_B))
        kernel.apply = real
        assert net.enforcement.apply(comes(policy("other", EGRESS, name="c"))).repaired
        assert not net.enforcement.verify()
        net.ports[address(A4)].out(frame(A4, B4, UDP, 53))
        assert net.denials.read(10)


@in_sandbox
def test_a_half_made_chain_is_finished_before_anything_points_at_it():
    with small_world() as net:
        net.become(world())
        with Enforcement(SETTINGS) as elsewhere:
            name = next(
                iter(
                    elsewhere._compiler.apply(
                        comes(*[*world(DENY_B).namespaces.values()], *PODS, DENY_B)
                    ).combinations
                )
            )
        run(f"nft add chain inet podfence i_{name}_{SETTINGS.tag}")
        applied = []
        real = net.enforcement._kernel.apply
        net.enforcement._kernel.apply = lambda transaction: (applied.append(transaction), real(transaction))
        net.enforcement._standing = None
        net.enforcement.apply(comes(DENY_B))
        changed = [each.chain.name for each in applied[0].switch if hasattr(each, "chain")]
        assert set(changed) == {"forward", "input", "reverse"}
        assert AddChain not in {type(each) for each in applied[0].switch}
        assert not net.enforcement.verify()


@in_sandbox
def test_a_new_replica_of_a_known_identity_costs_the_kernel_little():
    crowd = [pod(f"p{n}", [address(f"10.1.{n >> 8}.{n & 255}")], app="web") for n in range(2000)]
    allow = policy("web", INGRESS, Rule((PodSelection("x", selector(app="web")),)), app="web")
    with Enforcement(SETTINGS) as enforcement:
        enforcement.start(world(allow, pods=crowd))
        before, carried_out = enforcement.generation, []
        real = enforcement._kernel.apply
        enforcement._kernel.apply = lambda transaction: (carried_out.append(transaction), real(transaction))
        for number in range(100):
            applied = enforcement.apply(comes(pod(f"n{number}", [address(f"10.2.0.{number}")], app="web")))
            assert not applied.patch.combinations
        changes = [each for each in carried_out if each]
        assert {(each.prepare, each.retire) for each in changes} == {((), ())}
        assert sum(len(each.elements) for each in elements_of(changes)) == 200, "a subject and a member each"
        assert enforcement.generation - before <= 100
        assert not enforcement.verify()


def elements_of(transactions):
    return [each for one in transactions for each in one.switch if isinstance(each, AddElements)]
