"""Services and names, asked by programs inside pods."""

import json
import sys

import pytest
from labs import manifests, pod, policy, service

pytestmark = pytest.mark.kernel

PORTS = ({"name": "web", "port": 80, "targetPort": "http"}, {"name": "admin", "port": 81, "targetPort": 9090})
TEMPLATE = {
    "metadata": {"labels": {"app": "sets"}},
    "spec": {"containers": [{"name": "c", "image": "x", "ports": [{"containerPort": 7000}]}]},
}
SETS = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "metadata": {"namespace": "a", "name": "sets"},
    "spec": {
        "serviceName": "sets",
        "replicas": 2,
        "selector": {"matchLabels": {"app": "sets"}},
        "template": TEMPLATE,
    },
}
WORLD = manifests(
    pod("a", "web-1", "http:8080", "9090", labels={"app": "web"}),
    pod("a", "web-2", "http:8081", "9090", labels={"app": "web"}),
    pod("b", "client", "8080"),
    service("a", "web", *PORTS, clusterIP="10.96.1.1", ipFamilies=["IPv4"]),
    service("a", "none", {"port": 80}),
    service("a", "sets", {"name": "s", "port": 7000}, clusterIP="None"),
    service("b", "client", {"port": 80, "targetPort": 8080}),
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"namespace": "b", "name": "alias"},
        "spec": {"type": "ExternalName", "externalName": "example.com"},
    },
    SETS,
)


@pytest.fixture(scope="module")
def lab(labs):
    labs.said("up", "-", "--host", "example.com=198.51.100.7", given=WORLD)
    return labs


def ask(lab, url, status=0):
    return lab.inside("b/client", "curl", "-s", "-m", "5", url, status=status)


def dig(lab, *words):
    return sorted(lab.inside("b/client", "dig", "+short", *words).splitlines())


def test_connections_are_spread_over_the_pods_and_named_ports_are_each_pods_own(lab):
    script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do curl -s -m 5 http://web.a/; done"
    assert set(lab.inside("b/client", "sh", "-c", script).split()) == {"a/web-1", "a/web-2", "/"}


def test_every_port_of_a_service_has_its_own_target(lab):
    assert ask(lab, "http://web.a:81/x").endswith(" /x\n")


def test_a_pod_reaches_itself_through_its_service(lab):
    """In both families: what comes back must not come from the pod's own address."""
    assert ask(lab, "http://client.b/") == "b/client /\n"
    (six,) = dig(lab, "AAAA", "client.b.svc.cluster.local")
    assert ask(lab, f"http://[{six}]/") == "b/client /\n"


def test_a_service_without_pods_is_refused_at_once(lab):
    assert ask(lab, "http://none.a/", status=7) == ""


def test_a_headless_service_is_its_pods(lab):
    ends = {e["name"]: e["addresses"] for e in json.loads(lab.said("status", "-o", "json"))["ends"]}
    assert dig(lab, "sets.a.svc.cluster.local") == sorted(ends[f"a/sets-{n}"][0] for n in (0, 1))
    assert dig(lab, "sets-1.sets.a.svc.cluster.local") == [ends["a/sets-1"][0]]
    assert dig(lab, "SRV", "_s._tcp.sets.a.svc.cluster.local") == [
        f"0 100 7000 sets-{n}.sets.a.svc.cluster.local." for n in (0, 1)
    ]
    dashed = ends["a/web-1"][0].replace(".", "-")
    assert dig(lab, f"{dashed}.a.pod.cluster.local") == [ends["a/web-1"][0]]


def test_names_lead_both_ways_over_udp_and_tcp(lab):
    assert dig(lab, "-x", "10.96.1.1") == dig(lab, "+tcp", "-x", "10.96.1.1") == ["web.a.svc.cluster.local."]


def test_names_outside_are_those_that_were_given(lab):
    assert dig(lab, "alias.b.svc.cluster.local") == ["198.51.100.7", "example.com."]
    assert ask(lab, "http://example.com/") == "198.51.100.7 /\n"
    assert ask(lab, "http://www.google.com/", status=6) == ""


def test_an_unknown_name_says_so_with_the_zones_authority(lab):
    said = lab.inside("b/client", "dig", "nobody.a.svc.cluster.local")
    assert "status: NXDOMAIN" in said
    assert "SOA" in said
    known = lab.inside("b/client", "dig", "AAAA", "web.a.svc.cluster.local")
    assert "status: NOERROR" in known
    assert "ANSWER: 0" in known


def test_programs_of_this_machine_resolve_as_in_a_pod(lab):
    script = "import socket; print(socket.gethostbyname('web.a'))"
    assert lab.inside("b/client", sys.executable, "-c", script) == "10.96.1.1\n"


def test_probes_by_service_name_agree_with_the_policies(lab):
    deny = policy(
        "a", "deny", podSelector={"matchLabels": {"app": "web"}}, ingress=[{"ports": [{"port": "http"}]}]
    )
    lab.said("apply", "-f", "-", given=manifests(deny))
    found = [each for each in lab.probes("--services") if each["dst"].endswith(".svc")]
    assert {(e["dst"], e["port"], e["measured"]) for e in found} >= {
        ("web.a.svc", 80, "allowed"),
        ("web.a.svc", 81, "denied"),
    }
    lab.said("delete", "netpol/deny", "-n", "a")


def test_a_backend_that_went_is_asked_no_more(lab):
    lab.said("delete", "pod/web-2", "-n", "a")
    script = "for i in 1 2 3 4 5 6 7 8; do curl -s -m 2 http://web.a/; done"
    assert set(lab.inside("b/client", "sh", "-c", script).split()) == {"a/web-1", "/"}
    scaled = lab.said("scale", "sts/sets", "-n", "a", "--replicas", "3")
    assert "new:  a/sets-2" in scaled
    assert len(dig(lab, "sets.a.svc.cluster.local")) == 3
