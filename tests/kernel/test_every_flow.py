"""Real packets, small worlds, every flow: the kernel says what `decide` says, and logs why."""

import os
import time

from hypothesis import Phase, given, seed, settings

from kernel.frames import GRE
from kernel.worlds import small_world
from podfence.netlink.conntrack import forget
from podfence.semantics import decide
from sandbox import in_sandbox
from strategies import NODE_ADDRESSES, every_flow, worlds

WORLDS = 12 * int(os.environ.get("PODFENCE_EXAMPLES", "1"))


def some_worlds(count):
    """The first so many that the strategy makes: the same every time."""
    made = []

    @seed(7)
    @settings(max_examples=count, phases=[Phase.generate], database=None, deadline=None)
    @given(worlds())
    def collect(world):
        made.append(world)

    collect()
    return made


def forwarded(world):
    """What a single router forwards or is sent. Of a pod's own node it would be another router."""
    for flow in every_flow(world):
        pod = world.pod_at(flow.destination)
        local = pod is not None and flow.source in world.node_addresses(pod.node)
        own = flow.source == flow.destination and not flow.hairpin
        if not local and not own and flow.source not in NODE_ADDRESSES["n1"]:
            yield flow


def either_way(flows):
    """Without ports both ways are one connection, and whoever comes second is a reply: so one way at a time."""
    back = [flow for flow in flows if flow.protocol == GRE and flow.source > flow.destination]
    return [flow for flow in flows if flow not in back], back


@in_sandbox(seconds=120)
def test_the_kernel_judges_every_flow_as_the_meaning_does():
    with small_world() as net:
        everything = list(forwarded(some_worlds(1)[0]))
        assert set(net.send_all(everything).values()) == {"allowed"}  # the positive control
        begun, packets = time.monotonic(), 0
        for world in some_worlds(WORLDS):
            net.become(world)
            flows = list(forwarded(world))
            expected = {flow: decide(world, flow).verdict.value for flow in flows}
            measured = {}
            for batch in either_way(flows):
                forget(lambda entry: entry.original.protocol == GRE)
                measured |= net.send_all(batch)
            assert {f: (measured[f], e) for f, e in expected.items() if measured[f] != e} == {}
            packets += len(flows)
        assert not net.enforcement.verify()
        print(f"{packets} flows in {time.monotonic() - begun:.1f} s")
