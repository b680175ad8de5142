"""The ends and ports of a question, as people write them, on a small shop."""

import pytest

from podfence.analysis.ends import Ends
from podfence.analysis.questions import Asking, port_asked
from podfence.errors import UsageError
from podfence.model.address import address, network
from podfence.model.change import snapshot
from podfence.model.cluster import ContainerPort, Namespace, Node, Owner, Pod, Service, ServicePort
from podfence.model.policy import Direction, NetworkPeer, PodSelection, Policy, Rule
from podfence.model.ports import PortMatch, PortRange, Protocol

TCP, UDP = Protocol.TCP, Protocol.UDP
WEB = (ContainerPort("http", TCP, 8080), ContainerPort("dns", UDP, 53))


def pod(name, *addresses, **more):
    return Pod("shop", name, {"app": "web"}, tuple(map(address, addresses)), "n1", **more)


SHOP = snapshot(
    [
        Namespace("shop"),
        Node("n1", addresses=(address("192.168.0.1"),)),
        pod("web-1", "10.0.0.1", "fd00::1", owner=Owner("Deployment", "web"), ports=WEB),
        pod("web-2", "10.0.0.2", owner=Owner("Deployment", "web"), ports=WEB),
        pod("db-0", "10.0.0.3", owner=Owner("StatefulSet", "db")),
        pod("two-1", "10.0.0.4", owner=Owner("StatefulSet", "two")),
        pod("two-2", "10.0.0.5", owner=Owner("Deployment", "two")),
        pod("both", "10.0.0.6"),
        pod("both-1", "10.0.0.7", owner=Owner("Deployment", "both")),
        pod("done", "10.0.0.8", finished=True),
        pod("new"),
        Service(
            "shop", "web", (ServicePort("main", TCP, 80, "http"),), {"app": "web"}, (address("172.20.0.1"),)
        ),
        Service("shop", "bare", (ServicePort("main", TCP, 80, 9000),), {"app": "web"}, headless=True),
        Service("shop", "nobody", (ServicePort("", TCP, 80, 80),), {"app": "none"}, (address("172.20.0.2"),)),
        Service("shop", "elsewhere", external_name="example.com"),
        Policy(
            "shop",
            "p",
            PodSelection("shop"),
            frozenset(Direction),
            egress=(Rule((NetworkPeer(network("203.0.113.0/24"), (network("203.0.113.8/29"),)),)),),
            ingress=(Rule(ports=(PortMatch(TCP, PortRange(80, 90)),)),),
        ),
    ]
)


def titles(text, namespace="shop"):
    return [member.title for member in Ends(SHOP, namespace).find(text).members]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("shop/web-1", ["shop/web-1"]),
        ("web-1", ["shop/web-1"]),
        ("shop/web", ["shop/web-1", "shop/web-2"]),
        ("shop/web[Deployment]", ["shop/web-1", "shop/web-2"]),
        ("deploy/web", ["shop/web-1", "shop/web-2"]),
        ("Deployments/web", ["shop/web-1", "shop/web-2"]),
        ("sts/db", ["shop/db-0"]),
        ("shop/sts/db", ["shop/db-0"]),
        ("pod/web-1", ["shop/web-1"]),
        ("shop/web-1[Pod]", ["shop/web-1"]),
        ("shop/both", ["shop/both"]),
        ("shop/both[Deployment]", ["shop/both-1"]),
        ("shop/two[StatefulSet]", ["shop/two-1"]),
        ("10.0.0.3", ["shop/db-0 (10.0.0.3)"]),
        ("203.0.113.7", ["203.0.113.7"]),
        ("2001:db8::1", ["2001:db8::1"]),
        ("203.0.113.7[External]", ["203.0.113.7"]),
    ],
)
def test_an_end_is_found_as_people_write_it(text, expected):
    assert titles(text) == expected


def test_a_range_of_the_outside_is_cut_where_policies_tell_it_apart():
    assert titles("203.0.113.0-203.0.113.255[External]") == ["203.0.113.0", "203.0.113.8", "203.0.113.16"]


def test_a_block_stands_for_no_address_of_the_cluster():
    assert titles("10.0.0.0/29") == ["10.0.0.0"]


@pytest.mark.parametrize("text", ["web.shop", "web.shop.svc", "web.shop.svc.cluster.local.", "172.20.0.1"])
def test_a_service_is_named_by_dns_or_address(text):
    end = Ends(SHOP).find(text)
    assert end.service == SHOP.services["shop", "web"]
    assert end.title == "web.shop.svc"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("shop/two", "shop/two[Deployment] or shop/two[StatefulSet]"),
        ("shop/wbe-1", "did you mean shop/web-1"),
        ("wep.shop", "did you mean web.shop"),
        ("shop/nobody", "write nobody.shop"),
        ("nobody.shop", "no pods are behind"),
        ("elsewhere.shop", "example.com"),
        ("shop/done", "has finished"),
        ("shop/new", "has no address yet"),
        ("zzz/qqqqq", "ns/name, an address or service.ns"),
        ("10.0.0.300", "ns/name, an address or service.ns"),
        ("shop/web[Job]", "no pod, workload or Service"),
    ],
)
def test_what_cannot_be_found_says_what_to_do(text, words):
    with pytest.raises(UsageError) as trouble:
        titles(text)
    assert words in trouble.value.message


def test_a_name_that_is_a_kind_and_a_namespace_is_ambiguous():
    twice = snapshot([*SHOP.pods.values(), Pod("deploy", "web", addresses=(address("10.9.0.1"),))])
    with pytest.raises(UsageError, match=r"deploy/web\[Pod\] or shop/web\[Deployment\]"):
        Ends(twice, "shop").find("deploy/web")


def asked(source, destination, port):
    ends = Ends(SHOP, "shop")
    found = Asking(SHOP).questions(ends.find(source), ends.find(destination), port_asked(port))
    return [f"{question.flow.source} → {question.flow.destination} {question.port}" for question in found]


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        ("80", ["TCP 80"]),
        ("80/tcp", ["TCP 80"]),
        ("53/UDP", ["UDP 53"]),
        ("http", ["TCP 8080"]),
        ("dns/udp", ["UDP 53"]),
        ("ICMP", ["ICMP"]),
        ("70-85/TCP", ["TCP 70-79", "TCP 80-85"]),
        ("UDP", ["UDP 1-52", "UDP 53", "UDP 54-65535"]),
    ],
)
def test_ports_are_written_as_people_write_them(port, expected):
    assert asked("db-0", "web-2", port) == [f"10.0.0.3 → 10.0.0.2 {one}" for one in expected]


def test_no_port_means_every_class_of_ports():
    found = [line.split(" ", 3)[3] for line in asked("db-0", "203.0.113.1", "")]
    assert found == ["TCP 1-79", "TCP 80-90", "TCP 91-65535", "UDP", "SCTP", "ICMP"]


def test_a_service_leads_to_each_pod_behind_it_on_its_own_port():
    assert asked("db-0", "web.shop", "80") == ["10.0.0.3 → 10.0.0.1 TCP 8080", "10.0.0.3 → 10.0.0.2 TCP 8080"]
    assert asked("db-0", "web.shop", "main") == asked("db-0", "web.shop", "")


def test_a_headless_service_leaves_the_port_alone():
    found = asked("203.0.113.1", "bare.shop", "8443")
    assert "203.0.113.1 → 10.0.0.1 TCP 8443" in found


def test_a_pod_that_meets_itself_through_a_service_is_a_hairpin():
    ends = Ends(SHOP, "shop")
    found = Asking(SHOP).questions(ends.find("web-2"), ends.find("web.shop"), port_asked("80"))
    assert [question.flow.hairpin for question in found] == [False, True]


def test_each_family_is_asked_for_itself():
    assert asked("web-1", "web-1", "80") == ["10.0.0.1 → 10.0.0.1 TCP 80", "fd00::1 → fd00::1 TCP 80"]


@pytest.mark.parametrize(
    ("source", "destination", "port", "words"),
    [
        ("db-0", "2001:db8::1", "80", "no address family in common"),
        ("db-0", "web-2", "https", "declares no port https; names it declares: dns, http"),
        ("db-0", "web.shop", "81", "has no port 81/TCP; it has 80/TCP (main)"),
        ("db-0", "web.shop", "ICMP", "has no port ICMP"),
        ("db-0", "web-2", "80/HTTP", "is not a protocol"),
        ("db-0", "web-2", "70000", "ports are 0 to 65535"),
        ("db-0", "web-2", "90-80", "the first before the last"),
    ],
)
def test_a_question_without_an_answer_says_why(source, destination, port, words):
    with pytest.raises(UsageError) as trouble:
        asked(source, destination, port)
    assert words in trouble.value.message
