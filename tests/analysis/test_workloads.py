"""Which ends are listed: workloads by their owner, replicas apart where some policy tells them apart, ranges joined."""

from shops import ContainerPort, block, peer, pod, policy, tcp

from podfence.analysis.connections import NOTHING, View, connections
from podfence.analysis.workloads import Level
from podfence.model.address import address
from podfence.model.change import snapshot
from podfence.model.cluster import Namespace, Node, Owner
from podfence.model.labels import selector
from podfence.model.policy import Direction, PodSelection, Policy, Rule
from podfence.model.ports import PortMatch, Protocol

X = Namespace("x", {"kubernetes.io/metadata.name": "x"})
NODES = (
    Node("n1", addresses=(address("192.168.0.1"),)),
    Node("n2", addresses=(address("192.168.0.2"),)),
)


def lines(*objects, **view):
    found = connections(snapshot([X, *NODES, *objects]), View(**view))
    return [
        f"{source.title} => {destination.title} : {allowed.ports}" for source, destination, allowed in found
    ]


def inside(*objects, **view):
    return [line for line in lines(*objects, **view) if "External" not in line]


def test_replicas_are_one_line():
    assert inside(pod("x", "a"), pod("x", "a", 1), pod("x", "b")) == [
        "x/a[Deployment] => x/b[Deployment] : All Connections",
        "x/b[Deployment] => x/a[Deployment] : All Connections",
    ]


def test_a_policy_that_selects_one_replica_lists_them_by_pod():
    first = pod("x", "a", labels={"first": "yes"})
    only = policy("x", "p", "a", Rule((peer("x", app="b"),), tcp(80)))
    told = policy("x", "q", None, Rule((peer("x", app="b"),), tcp(81)), first="yes")
    assert inside(first, pod("x", "a", 1), pod("x", "b"), only, told) == [
        "x/a-0[Pod] => x/b[Deployment] : All Connections",
        "x/a-1[Pod] => x/b[Deployment] : All Connections",
        "x/b[Deployment] => x/a-0[Pod] : TCP 80-81",
        "x/b[Deployment] => x/a-1[Pod] : TCP 80",
    ]


def test_a_policy_that_selects_one_replica_and_changes_nothing_leaves_them_together():
    same = Rule((peer("x", app="b"),), tcp(80))
    told = policy("x", "q", None, same, first="yes")
    pods = (pod("x", "a", labels={"first": "yes"}), pod("x", "a", 1), pod("x", "b"))
    assert "x/b[Deployment] => x/a[Deployment] : TCP 80" in inside(*pods, policy("x", "p", "a", same), told)


def test_a_block_that_covers_the_address_of_one_replica_lists_them_by_pod():
    here = pod("x", "a", addresses=(address("10.9.0.1"),))
    there = pod("x", "a", 1, addresses=(address("10.9.0.2"),))
    found = inside(here, there, pod("x", "b"), policy("x", "p", "b", Rule((block("10.9.0.1/32"),))))
    assert "x/a-0[Pod] => x/b[Deployment] : All Connections" in found
    assert not [line for line in found if line.startswith("x/a-1[Pod] => x/b[Deployment]")]


def test_a_block_beside_a_named_port_takes_in_pods_inside_it_that_call_a_port_so():
    http = {"ports": (ContainerPort("http", Protocol.TCP, 8080),)}
    pods = [
        pod("x", "client", addresses=(address("10.8.0.1"),)),
        pod("x", "inside", addresses=(address("10.9.0.1"),), **http),
        pod("x", "outside", addresses=(address("10.7.0.1"),), **http),
        pod("x", "unnamed", addresses=(address("10.9.0.2"),)),
    ]
    rule = Rule((block("10.9.0.0/16"),), (PortMatch(Protocol.TCP, "http"),))
    subject = PodSelection("x", selector(app="client"))
    only = Policy("x", "p", subject, frozenset({Direction.EGRESS}), egress=(rule,))
    assert [line for line in lines(*pods, only) if line.startswith("x/client")] == [
        "x/client[Deployment] => x/inside[Deployment] : TCP 8080"
    ]


def test_a_static_pod_belongs_to_nobody():
    proxy = pod("x", "proxy", owner=Owner("Node", "n1"))
    assert connections(snapshot([X, proxy])).ends[-1].title == "x/proxy-0[Pod]"


def test_a_workload_can_be_asked_to_be_listed_by_pod():
    pods = (pod("x", "a"), pod("x", "a", 1))
    found = inside(*pods, apart=frozenset({("x", Owner("Deployment", "a"))}))
    assert found[0] == "x/a-0[Pod] => x/a-1[Pod] : All Connections"


def test_ranges_are_cut_where_policies_distinguish_and_joined_where_they_do_not():
    rule = Rule((block("10.0.0.0/8", "10.1.0.0/16"), block("11.0.0.0/8"), block("10.1.0.0/17")), tcp(80))
    found = lines(pod("x", "a", addresses=(address("172.16.0.1"),)), policy("x", "p", "a", rule))
    assert [line for line in found if "=> x/a" in line] == [
        "10.0.0.0-10.1.127.255[External] => x/a[Deployment] : TCP 80",
        "10.2.0.0-11.255.255.255[External] => x/a[Deployment] : TCP 80",
    ]


def test_a_cut_that_is_asked_for_stays():
    found = lines(pod("x", "a"), cuts=frozenset({address("128.0.0.0")}))
    assert found[0].startswith("0.0.0.0-127.255.255.255[External] => ")


def test_a_family_that_no_pod_has_is_not_listed():
    assert not [line for line in lines(pod("x", "a")) if "::" in line]


DUAL = {"addresses": (address("10.0.0.1"), address("fd00::1"))}


def test_dual_stack_is_what_any_family_allows_that_both_have():
    web, one = pod("x", "web", **DUAL), pod("x", "b", addresses=(address("10.0.0.2"), address("fd00::2")))
    rule = Rule((block("10.0.0.0/8"),), tcp(80))
    found = connections(snapshot([X, web, one, policy("x", "p", "web", rule)]))
    ends = {end.title: end for end in found.ends}
    allowed = found.between(ends["x/b[Deployment]"], ends["x/web[Deployment]"])
    assert str(allowed.ports) == "TCP 80"
    assert {family: str(ports) for family, ports in allowed.families.items()} == {
        4: "TCP 80",
        6: "No Connections",
    }
    assert allowed.differs


def test_ends_without_a_family_in_common_have_no_connection():
    four, six = pod("x", "a"), pod("x", "b", addresses=(address("fd00::2"),))
    assert inside(four, six) == []


DENIED = policy("x", "deny", "web")


def test_a_pod_on_the_host_network_reaches_the_pods_of_its_node():
    agent = pod("x", "agent", addresses=NODES[0].addresses, host_network=True)
    beside, elsewhere = pod("x", "web", node="n1"), pod("x", "web", 1, node="n2")
    found = inside(agent, beside, elsewhere, DENIED, by=Level.POD)
    assert "x/agent-0[Pod] => x/web-0[Pod] : All Connections" in found
    assert not [line for line in found if line.startswith("x/agent-0[Pod] => x/web-1[Pod]")]


def test_between_workloads_that_counts_only_where_all_replicas_are_on_one_node():
    agents = [
        pod("x", "agent", n, addresses=node.addresses, node=node.name, host_network=True)
        for n, node in enumerate(NODES)
    ]
    web = pod("x", "web", node="n1")
    assert "x/agent[Deployment] => x/web[Deployment] : All Connections" in inside(agents[0], web, DENIED)
    assert not [line for line in inside(*agents, web, DENIED) if line.endswith("=> x/web[Deployment]")]


def test_nothing_is_said_of_an_end_to_itself():
    found = connections(snapshot([X, pod("x", "a")]))
    assert found.between(found.ends[-1], found.ends[-1]) == NOTHING
