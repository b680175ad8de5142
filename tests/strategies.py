"""Small worlds, every flow: all hypothesis strategies for values of the model stand here.

Three pods over two namespaces, three labels and few ports, so that rules meet pods often; then `every_flow`
asks everything that can be asked of such a world. Nothing here knows what is allowed.
"""

from collections.abc import Iterator
from itertools import product

from hypothesis import strategies as st

from podfence.model.address import Address, address, network
from podfence.model.change import Change, gone, put, snapshot
from podfence.model.cluster import ContainerPort, Namespace, Node, Pod, Snapshot
from podfence.model.flow import Flow
from podfence.model.labels import EVERYTHING, NAMESPACE_NAME_LABEL, Operator, Selector, requirement
from podfence.model.policy import Action, Direction, NetworkPeer, PodSelection, Policy, Rule, Tier
from podfence.model.ports import ALL_PORTS, WITH_PORTS, PortMatch, PortRange, Protocol
from podfence.model.portset import PortSet, joined

NAMESPACES = ("x", "y")
PODS = (("x", "a"), ("x", "b"), ("y", "c"))
POD_ADDRESSES = tuple((address(f"10.0.0.{n}"), address(f"fd00::{n}")) for n in (1, 2, 3))
NODE_ADDRESSES = {
    "n1": (address("192.168.0.1"), address("fd01::1")),
    "n2": (address("192.168.0.2"), address("fd01::2")),
}
OUTSIDE = (address("8.8.8.8"), address("10.0.0.9"), address("2001:db8::8"))

LABELS = {"app": ("web", "db"), "role": ("", "x"), "env": ("prod",)}
BLOCKS = tuple(
    map(
        network,
        (
            *("0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/30", "10.0.0.2/31", "10.0.0.1/32", "10.0.0.8/29"),
            *("192.168.0.0/24", "192.168.0.2/32", "8.8.8.0/24"),
            *("::/0", "fd00::/64", "fd00::2/127", "fd00::1/128", "fd01::1/128", "2001:db8::/32"),
        ),
    )
)
PORT_NAMES = ("http", "dns")
PORTS_ASKED = (
    *((Protocol.TCP, number) for number in (80, 81, 82, 443)),
    *((Protocol.UDP, number) for number in (53, 80)),
    (Protocol.SCTP, 80),
)


def protocols_asked(family: int) -> tuple[tuple[Protocol, int | None], ...]:
    """What every world is asked about, ICMP of its family and one more protocol without ports included."""
    icmp = Protocol.ICMP if family == 4 else Protocol.ICMPV6
    return (*PORTS_ASKED, (icmp, None), (Protocol(47), None))


def every_flow(world: Snapshot) -> Iterator[Flow]:
    """All flows of a small world in which a pod's address takes part; to itself also through a Service."""
    pods = {found for pod in world.pods.values() for found in pod.addresses}
    nodes = {found for node in world.nodes.values() for found in node.addresses}
    for source, destination in product(sorted(pods | nodes | set(OUTSIDE)), repeat=2):
        if source.family == destination.family and not pods.isdisjoint((source, destination)):
            yield from _flows(source, destination)


def _flows(source: Address, destination: Address) -> Iterator[Flow]:
    for protocol, port in protocols_asked(source.family):
        yield Flow(source, destination, protocol, port)
        if source == destination:
            yield Flow(source, destination, protocol, port, hairpin=True)


def labels():
    return st.fixed_dictionaries(
        {}, optional={key: st.sampled_from(values) for key, values in LABELS.items()}
    )


def selectors():
    return st.one_of(
        st.just(EVERYTHING),
        st.just(EVERYTHING),
        st.lists(requirements(), min_size=1, max_size=2).map(
            lambda found: Selector(tuple(sorted(set(found))))
        ),
    )


@st.composite
def requirements(draw, keys=None):
    values = keys or LABELS
    key = draw(st.sampled_from(sorted(values)))
    operator = draw(st.sampled_from(Operator))
    if operator in {Operator.EXISTS, Operator.DOES_NOT_EXIST}:
        return requirement(key, operator)
    chosen = st.sampled_from([*values[key], "absent"])
    return requirement(key, operator, *draw(st.lists(chosen, min_size=1, max_size=2)))


def namespace_selectors():
    """By the label that every namespace has, by one that some have, or all."""
    keys = {NAMESPACE_NAME_LABEL: NAMESPACES, "env": LABELS["env"]}
    some = st.lists(requirements(keys=keys), min_size=1, max_size=2)
    return st.one_of(st.just(EVERYTHING), some.map(lambda found: Selector(tuple(sorted(set(found))))))


@st.composite
def network_peers(draw):
    """A block, and up to two exceptions that are strict subsets of it."""
    block = draw(st.sampled_from(BLOCKS))
    inner = [hole for hole in BLOCKS if hole.base in block and hole.length > block.length]
    holes = draw(st.lists(st.sampled_from(inner), max_size=2, unique=True)) if inner else []
    return NetworkPeer(block, tuple(holes))


def peers(namespace):
    """`namespace`: a policy's own, None for policies of the cluster."""
    own = [st.builds(PodSelection, st.just(namespace), selectors())] if namespace else []
    across = st.builds(PodSelection, namespace_selectors(), selectors())
    return st.one_of(*own, across, network_peers())


def port_matches():
    number = st.sampled_from([PortRange(80, 80), PortRange(80, 81), PortRange(81, 65535), PortRange(53, 53)])
    port = st.one_of(st.just(ALL_PORTS), number, st.sampled_from(PORT_NAMES))
    protocol = st.sampled_from([Protocol.TCP, Protocol.TCP, Protocol.UDP, Protocol.SCTP])
    return st.builds(PortMatch, protocol, port)


def rules(namespace=None, actions=(Action.ACCEPT,)):
    """Unconstrained, constrained to nothing, and everything between."""
    return st.builds(
        Rule,
        peers=_absent_or_few(peers(namespace)),
        ports=_absent_or_few(port_matches()),
        action=st.sampled_from(actions),
    )


def _absent_or_few(members):
    few = st.lists(members, min_size=1, max_size=2).map(tuple)
    return st.one_of(st.none(), st.none(), few, few, few, few, st.just(()))


def port_sets():
    """Few ports, so that sets overlap and touch."""
    spans = st.tuples(st.integers(0, 12), st.integers(0, 4)).map(lambda t: PortRange(t[0], t[0] + t[1]))
    rows = st.lists(spans, max_size=3).map(joined)
    tables = st.dictionaries(st.sampled_from(WITH_PORTS), rows, max_size=3)
    return st.builds(
        lambda table, others: PortSet({p: r for p, r in table.items() if r}, others), tables, st.booleans()
    )


def directions():
    """What `policyTypes` may come to after defaulting."""
    one = [frozenset({direction}) for direction in Direction]
    return st.sampled_from([*one, frozenset(Direction)])


@st.composite
def network_policies(draw):
    namespace = draw(st.sampled_from(NAMESPACES))
    return Policy(
        namespace,
        draw(st.sampled_from(["p", "q", "r"])),
        PodSelection(namespace, draw(selectors())),
        draw(directions()),
        draw(_few(rules(namespace))),
        draw(_few(rules(namespace))),
    )


@st.composite
def cluster_policies(draw):
    """Of the Admin and Baseline tiers; equal priorities happen."""
    tiered = rules(actions=tuple(Action))
    return Policy(
        "",
        draw(st.sampled_from(["k", "l"])),
        PodSelection(draw(namespace_selectors()), draw(selectors())),
        frozenset(Direction),
        draw(_few(tiered)),
        draw(_few(tiered)),
        draw(st.sampled_from([Tier.ADMIN, Tier.BASELINE])),
        draw(st.integers(0, 2)),
    )


def _few(members):
    """Two, or one, seldom none: a world in which rules match."""
    return st.sampled_from([2, 1, 0]).flatmap(lambda n: st.lists(members, min_size=n, max_size=2)).map(tuple)


def policies():
    return st.one_of(network_policies(), network_policies(), cluster_policies())


def container_ports():
    """The same name with other numbers on other pods, and twice on one."""
    declared = st.builds(
        ContainerPort,
        st.sampled_from(["", *PORT_NAMES]),
        st.sampled_from([Protocol.TCP, Protocol.UDP]),
        st.sampled_from([53, 80, 81]),
    )
    return st.lists(declared, max_size=3, unique=True).map(tuple)


def pod_addresses(own=None):
    """One family or both; mostly the pod's own, sometimes those of another pod, sometimes none yet."""
    pairs = [POD_ADDRESSES[own]] * 5 if own is not None else []
    pair = st.sampled_from([*pairs, *POD_ADDRESSES])
    return st.tuples(pair, st.sampled_from([(0, 1), (0, 1), (0,), (1,), ()])).map(
        lambda drawn: tuple(drawn[0][family] for family in drawn[1])
    )


@st.composite
def pods(draw, key=None):
    key = key or draw(st.sampled_from(PODS))
    node = draw(st.sampled_from(["n1", "n1", "n2", ""]))
    host_network = draw(st.sampled_from([False] * 7 + [True]))
    own = pod_addresses(PODS.index(key))
    return Pod(
        *key,
        labels=draw(labels()),
        addresses=NODE_ADDRESSES.get(node, ()) if host_network else draw(own),
        node=node,
        ports=draw(container_ports()),
        host_network=host_network,
        finished=draw(st.sampled_from([False] * 7 + [True])),
        created=draw(st.sampled_from(["", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"])),
    )


def namespaces(name=None):
    named = st.sampled_from(NAMESPACES) if name is None else st.just(name)
    extra = st.sampled_from([{}, {"env": "prod"}])
    return st.builds(lambda n, more: Namespace(n, {NAMESPACE_NAME_LABEL: n, **more}), named, extra)


def nodes(name=None):
    """With both addresses, or one after the other has gone."""
    named = st.sampled_from(sorted(NODE_ADDRESSES)) if name is None else st.just(name)
    return st.builds(
        lambda n, count: Node(n, addresses=NODE_ADDRESSES[n][:count]), named, st.sampled_from([2, 2, 1])
    )


@st.composite
def worlds(draw, max_policies=3, policy=None):
    """A Snapshot; `policy` is the strategy its policies come from. Sometimes a Namespace has not been seen."""
    seen = draw(st.sampled_from([NAMESPACES] * 5 + [("x",), ("y",)]))
    fewest = draw(st.integers(0, max_policies))
    some = st.lists(policies() if policy is None else policy, min_size=fewest, max_size=max_policies)
    return snapshot(
        [
            *(draw(namespaces(name)) for name in seen),
            *(draw(nodes(name)) for name in NODE_ADDRESSES),
            *(draw(pods(key)) for key in PODS),
            *draw(some),
        ]
    )


def objects():
    return st.one_of(pods(), pods(), policies(), policies(), namespaces(), nodes())


def changes():
    """Any object put (new, relabelled, renumbered, with another's address) or gone."""
    return st.one_of(objects().map(put), objects().map(put), objects().map(gone))


@st.composite
def histories(draw, max_changes=10) -> tuple[Change, ...]:
    """A world that arrives in any order, and what happens to it then. `after(Snapshot(), ...)` is its end."""
    world = draw(worlds())
    kinds = (world.namespaces, world.nodes, world.pods, world.policies)
    arrivals = draw(st.permutations([put(value) for kind in kinds for value in kind.values()]))
    return (*arrivals, *draw(st.lists(changes(), max_size=max_changes)))
