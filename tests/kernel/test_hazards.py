"""What was found to go wrong in layouts like ours, each as a test with packets. The numbers are those of the hazards.

Before any denial stands a positive control, and a denial is proven by a counter or the log, never by silence.
"""

import socket
import time

import pytest

from kernel.cases import (
    A4,
    A6,
    B4,
    B6,
    C4,
    EGRESS,
    INGRESS,
    NODE4,
    NODE6,
    PODS,
    block,
    comes,
    goes,
    pod,
    policy,
    port,
    wait_until,
    world,
)  # fmt: skip
from kernel.frames import ICMP, ICMPV6, TCP, UDP, checksum, frame, network, seen
from kernel.worlds import DNS, SETTINGS, ClockByHand, small_world
from podfence.model.address import address
from podfence.model.labels import selector
from podfence.model.policy import Action, PodSelection, Policy, Rule, Tier
from podfence.netlink import routes
from podfence.netlink.sockets import ROUTE, Socket
from podfence.nft.difference import diff
from podfence.nft.kernel import Kernel
from podfence.nft.render import Existing, Settings, render
from podfence.node import Enforcement, generations
from podfence.program import Program
from sandbox import in_sandbox, run
from topology import packed, pods

DENY_B = policy("deny-b", INGRESS, name="b")
DENY_A = policy("deny-a", EGRESS, name="a")


def udp(source=A4, destination=B4, **more):
    return frame(source, destination, UDP, DNS, **more)


def count(net, name):
    with Kernel() as kernel:
        return kernel.counters()[name].packets


def quoting(original: bytes, sender: str, kind=(3, 3)) -> bytes:
    """A port unreachable from `sender` about a packet, as a frame to who sent that."""
    body = bytes(4) + original[14 : 14 + 28]
    total = checksum(bytes(kind) + bytes(2) + body)
    segment = bytes(kind) + total.to_bytes(2, "big") + body
    return original[:14] + network(packed(sender), original[26:30], ICMP, segment)


@in_sandbox
def test_2_a_forged_icmp_error_passes_only_while_its_flow_may_and_never_revives_it():
    with small_world() as net:
        net.become(world())
        a, c = net.ports[address(A4)], net.ports[address(C4)]
        error = seen(C4, A4, ICMP, icmp=3)
        assert net.reaches()
        c.out(quoting(udp(), C4))
        assert a.gets(error), "an error about a current flow passes, whoever sends it"
        net.enforcement.apply(comes(DENY_B))
        before = count(net, "stray_errors")
        c.out(*[quoting(udp(), C4)] * 5)
        wait_until(lambda: count(net, "stray_errors") == before + 5)
        assert error not in a.arrived()
        assert not net.reaches()


@in_sandbox
@pytest.mark.parametrize("ends", [(A4, B4), (A6, B6)], ids=["ipv4", "ipv6"])
def test_3_becoming_a_subject_cuts_what_was_accepted_before_and_loosening_lets_it_go_on(ends):
    with small_world() as net:
        net.become(world())
        for _ in range(3):
            assert net.reaches(*ends)
            assert net.enforcement.apply(comes(DENY_B)).cutting
            assert not net.reaches(*ends)
            assert not net.enforcement.apply(goes(DENY_B)).cutting
            time.sleep(0.06)


@in_sandbox
def test_3_joining_a_group_that_is_denied_cuts_what_was_accepted_before():
    refused = Rule((PodSelection("x", selector(role="bad")),), action=Action.DENY)
    denies = Policy("", "d", PodSelection(), frozenset({INGRESS}), (refused,), tier=Tier.ADMIN)
    with small_world() as net:
        net.become(world(denies))
        assert net.reaches()
        net.become(world(denies, pods=(pod("a", PODS[0].addresses, role="bad"), *PODS[1:])))
        assert not net.reaches()
        assert net.reaches(C4)


@in_sandbox
def test_3_an_allowed_flow_survives_tightening_elsewhere():
    """Judged anew and still allowed: not one packet is lost."""
    with small_world() as net:
        net.become(world())
        for number in range(20):
            assert net.reaches()
            net.enforcement.apply(
                comes(policy(f"deny-{number}", INGRESS, Rule((block("10.0.0.1/32"),)), name="b"))
            )
            assert net.reaches()
            assert not net.reaches(C4)


@in_sandbox
def test_3_replies_of_a_flow_that_is_no_longer_allowed_are_cut_and_logged_as_that_flow():
    with small_world() as net:
        net.become(world())
        assert net.reaches()
        back = frame(B4, A4, UDP, 40000, source_port=DNS)
        net.ports[address(B4)].out(back)
        assert net.ports[address(A4)].gets(seen(B4, A4, UDP, 40000, source_port=DNS))
        net.enforcement.apply(comes(DENY_A))
        net.ports[address(B4)].out(back)
        (denial,) = net.denials.read(10)
        assert (str(denial.flow), denial.reply, denial.stale) == (f"{A4} → {B4} UDP {DNS}", True, False)
        assert (denial.source.name, denial.destination.name) == ("a", "b")
        assert [each.name for each in denial.walk.isolating] == ["deny-a"]


@in_sandbox
def test_4_many_changes_move_the_generation_seldom_and_cut_within_a_tenth_of_a_second():
    with small_world(clock=ClockByHand()) as net:
        net.become(world())
        begun, first = net.clock.now, net.enforcement.generation
        for number in range(150):
            net.enforcement.apply(
                comes(policy(f"p{number}", EGRESS, Rule(None, (port(DNS), port(number + 1))), name="c"))
            )
            net.clock.sleep(0.007)
            if net.enforcement.due == 0:
                net.enforcement.tick()
        assert net.reaches()
        net.enforcement.apply(comes(DENY_B))
        asked = net.clock.now
        net.clock.sleep(net.enforcement.due)
        net.enforcement.tick()
        assert not net.reaches()
        assert net.clock.now - asked < 0.1
        moved = net.enforcement.generation - first
        assert 1 <= moved <= (net.clock.now - begun) * 20 + 1


@in_sandbox
def test_5_a_generation_that_comes_round_again_admits_nothing_from_its_last_time():
    with small_world() as net:
        net.become(world())
        assert net.enforcement.generation == 1
        assert net.reaches()
        net.enforcement.close()
        last = SETTINGS.last_generation
        with Kernel() as kernel:  # 65,534 moves later, in which the flow was idle
            kernel.apply(diff(render(Program(), SETTINGS, last), kernel.read()))
        with Enforcement(SETTINGS) as later:
            later.start(world())
            assert later.generation == last
            assert later.apply(comes(DENY_B)).generation == 1
            net.denials = watching(net, later)
            assert not net.reaches()


def watching(net, enforcement):
    net.denials.history = enforcement.history
    return net.denials


@in_sandbox
@pytest.mark.parametrize("end", ["remove", "nft flush ruleset", "nft delete table inet podfence"])
def test_6_a_mark_that_outlives_its_table_admits_nothing_under_the_next(end):
    with small_world() as net:
        net.become(world())
        assert net.reaches()
        if end == "remove":
            net.enforcement.remove()
            net.enforcement.start(world(DENY_B))
        else:
            run(end)
            net.enforcement.apply(comes(DENY_B))
        assert not net.reaches()
        assert not net.enforcement.verify()


@in_sandbox
def test_6_other_settings_replace_the_table_at_once_and_admit_nothing_by_their_bits():
    with small_world() as net:
        net.become(world())
        assert net.reaches()
        net.enforcement.close()
        for mask in (0x7FFF3F00, 0xFFFF0000, 0x3FFF3F7F):
            with Enforcement(Settings(mark=mask, log_limit=None)) as other:
                other.start(world(DENY_B))
                watching(net, other)
                assert not net.reaches()
                assert not other.verify()


@in_sandbox
def test_6_what_a_replaced_table_goes_on_stamping_is_not_the_new_generation():
    with pods(1):
        assert generations.first(SETTINGS, None) == 1
        assert generations.first(SETTINGS, render(Program(), SETTINGS, 1)) == 2
        assert generations.first(SETTINGS, render(Program(), Settings(mark=0x3FFF3F00), 1 << 6)) == 2


@in_sandbox
def test_6_what_others_do_to_our_table_is_noticed_and_repaired_and_their_own_is_left_alone():
    with small_world() as net:
        net.become(world(DENY_B))
        run("nft add table inet mine")
        run("nft add chain inet mine c { type filter hook forward priority 5 ; }")
        theirs = run("nft list table inet mine")
        assert not net.enforcement.repair_if_touched()
        for damage in ("flush chain inet podfence forward", "delete element inet podfence ingress4 { 10.0.0.2 }",
                       "add element inet podfence ingress4 { 10.0.0.3 : return }",
                       "insert rule inet podfence forward accept", "delete table inet podfence"):  # fmt: skip
            before = net.enforcement.generation
            run(f"nft {damage}")
            assert net.enforcement.repair_if_touched(), damage
            assert not net.enforcement.verify()
            assert net.enforcement.generation != before or "table" in damage
            assert not net.reaches()
        assert run("nft list table inet mine") == theirs
        net.enforcement.remove()
        assert run("nft list tables") == "table inet mine\n"


@in_sandbox
@pytest.mark.parametrize(
    ("own", "other", "beyond"), [(A4, C4, B4), (A6, "fd00::77", B6)], ids=["ipv4", "ipv6"]
)
def test_7_a_source_address_that_is_not_the_pods_own_is_dropped_and_counted(own, other, beyond):
    with small_world() as net:
        net.become(world(DENY_A))
        a, b = net.ports[address(A4)], net.ports[address(B4)]
        net.ports[address(C4)].out(udp(C4, B4))
        assert b.gets(seen(C4, B4, UDP, DNS))  # the flow that will be spoken in
        before = count(net, "spoofed")
        a.out(*[udp(other, beyond)] * 3)
        wait_until(lambda: count(net, "spoofed") == before + 3)
        assert seen(other, beyond, UDP, DNS) not in b.arrived()
        node = NODE4 if own == A4 else NODE6
        a.out(udp(other, node))
        wait_until(lambda: count(net, "spoofed") == before + 4)


@in_sandbox
@pytest.mark.parametrize("family", [0, 1], ids=["ipv4", "ipv6"])
def test_8_probes_from_the_node_and_neighbour_discovery_pass_when_everything_is_denied(family):
    with small_world() as net:
        net.become(world(policy("deny-in", INGRESS), policy("deny-out", EGRESS)))
        pod_a, target = net.pods[0], (A4, A6)[family]
        pod_a.serve(80)
        assert connects(target, 80)
        assert not pod_a.connects((B4, B6)[family], 80)
        assert not pod_a.connects((NODE4, NODE6)[family], 80), "the way to the node is not exempt"
        with Socket(ROUTE) as router:
            router.request(routes.delete_neighbour(pod_a.index, packed(target)))
        wait_until(lambda: connects(target, 80), seconds=30)


def connects(target, number):
    family = socket.AF_INET6 if ":" in target else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(1)
        return client.connect_ex((target, number)) == 0


@in_sandbox
@pytest.mark.parametrize("kind", range(133, 137))  # conntrack itself refuses a redirect that quotes nothing
def test_9_neighbour_discovery_is_no_way_through_for_a_routed_packet(kind):
    with small_world() as net:
        net.become(world())
        hidden = frame(A6, B6, ICMPV6, hops=255, icmp=(kind, 0), payload=b"\0" * 4 + b"secret")
        net.ports[address(A6)].out(hidden)
        assert net.ports[address(B6)].gets(seen(A6, B6, ICMPV6, icmp=kind)), "the way is there"
        net.enforcement.apply(comes(DENY_A))
        net.ports[address(A6)].out(hidden)
        (denial,) = net.denials.read(10)
        assert (denial.flow.protocol, denial.stale) == (ICMPV6, False)
        assert seen(A6, B6, ICMPV6, icmp=kind) not in net.ports[address(B6)].arrived()


@in_sandbox(rootless=True, seconds=120)
def test_14_large_programs_go_through_the_socket_that_a_stock_kernel_gives_a_user():
    crowd = [pod(f"p{n}", [address(f"10.1.{n >> 8}.{n & 255}")], app="web") for n in range(6000)]
    allow = Rule((PodSelection("x", selector(app="web")),))
    first, second = (
        policy("first", INGRESS, allow),
        policy("second", INGRESS, allow, Rule((block("10.9.0.0/16"),))),
    )
    with Enforcement(SETTINGS) as enforcement:
        enforcement._socket.send_limit = min(enforcement._socket.send_limit, 2 * 212_992 - 32)
        enforcement.start(world(first, pods=crowd))
        moved = enforcement.apply(comes(second))
        assert not moved.repaired
        assert len(moved.patch.subjects[INGRESS]) == 6000
        assert not enforcement.verify()


@in_sandbox
def test_18_what_conntrack_calls_invalid_is_counted_apart_and_is_no_denial():
    with small_world() as net:
        net.become(world(DENY_A))
        before = count(net, "invalid")
        net.ports[address(A4)].out(*[frame(A4, B4, TCP, 80, flags=0x3F)] * 3)
        wait_until(lambda: count(net, "invalid") == before + 3)
        assert not net.denials.read(0.1)


@in_sandbox
def test_18_a_limit_stands_before_the_log_and_not_before_the_drop_and_both_are_counted():
    with small_world(Settings(log_limit=1, pod_interfaces=("pod*",))) as net:
        net.become(world(DENY_A))
        begun = time.monotonic()
        for number in range(50):
            net.ports[address(A4)].out(frame(A4, B4, UDP, 1000 + number))
        wait_until(lambda: net.enforcement.tally().denied == 50)
        tally = net.enforcement.tally()
        assert 1 <= tally.logged <= 6 + time.monotonic() - begun
        assert tally.suppressed == 50 - tally.logged
        logged = []
        wait_until(lambda: logged.extend(net.denials.read(0.2)) or len(logged) >= tally.logged)
        assert len(logged) == tally.logged
        assert not [each for each in net.ports[address(B4)].arrived() if each.source == packed(A4)]
        net.enforcement.apply(goes(DENY_A))
        time.sleep(0.06)
        net.enforcement.tick()
        assert net.enforcement.tally().denied == 50, "what a combination counted outlives it"


@in_sandbox
def test_18_a_reply_beyond_the_limit_is_not_logged_as_if_it_began_a_flow():
    with small_world(Settings(log_limit=1, pod_interfaces=("pod*",))) as net:
        net.become(world())
        assert net.reaches()
        net.enforcement.apply(comes(DENY_A))
        net.ports[address(B4)].out(*[frame(B4, A4, UDP, 40000, source_port=DNS)] * 50)
        wait_until(lambda: net.enforcement.tally().denied == 50)
        logged = net.denials.read(10)
        assert logged
        assert all(each.reply for each in logged)


@in_sandbox
def test_20_keep_keeps_connections_that_were_open_before_conntrack_was():
    """A server that pushes while we attach: whoever speaks first is taken for the client."""
    with pods(2) as (client, server):
        listening = server.serve(80)
        with client.open(server.four) as mine:
            mine.connect((server.four, 80))
            theirs, _ = listening.accept()
            theirs.settimeout(1)
            assert pushed(theirs, mine)
            kept = Settings(log_limit=None, existing=Existing.KEEP)
            with Enforcement(kept) as enforcement:
                enforcement.attach()
                for _ in range(5):
                    assert pushed(theirs, mine)
                enforcement.start(world(policy("deny-in", INGRESS), policy("deny-out", EGRESS)))
                for _ in range(20):
                    assert pushed(theirs, mine)
                    assert pushed(mine, theirs)
                assert not client.connects(server.four, 80)


def pushed(sender, receiver) -> bool:
    sender.send(b"more")
    receiver.settimeout(1)
    try:
        return receiver.recv(100) == b"more"
    except TimeoutError:
        return False
