"""The name server without a network: the codec, what a zone knows, and packets that nobody should send."""

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfence.lab.dns import Code, Type, name, question
from podfence.lab.zone import Zone, reverse
from podfence.model.address import address
from podfence.model.change import snapshot
from podfence.model.cluster import ContainerPort, Owner, Pod, Service, ServicePort
from podfence.model.ports import Protocol

TCP = Protocol.TCP


def pods(amount: int, kind: str = "Deployment") -> list[Pod]:
    return [
        Pod("a", f"web-{n}", {"app": "web"}, (address(f"10.1.{n // 250}.{n % 250 + 1}"), address(f"fd00::{n + 1:x}")),
            "n", (ContainerPort("http", TCP, 8080),), owner=Owner(kind, "web"))
        for n in range(amount)
    ]  # fmt: skip


def zone(*objects) -> Zone:
    return Zone(snapshot(objects), {"example.com": (address("192.0.2.7"),)})


CLUSTER_IP = Service(
    "a", "web", (ServicePort("http", TCP, 80, "http"),), {"app": "web"}, (address("10.96.0.7"),)
)
HEADLESS = Service("a", "web", (ServicePort("http", TCP, 80, "http"),), {"app": "web"}, headless=True)


def query(text: str, kind: int = Type.A, size: int | None = None) -> bytes:
    labels = b"".join(bytes((len(part),)) + part.encode() for part in text.split(".")) + b"\0"
    extended = b"" if size is None else b"\0" + struct.pack(">HHIH", 41, size, 0, 0)
    header = struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 1 if extended else 0)
    return header + labels + struct.pack(">HH", kind, 1) + extended


def contents(found: Zone, text: str, kind: Type = Type.A) -> list[str]:
    said = found.respond(name(text), kind)
    return [str(record.content) for record in said.answers]


def test_a_service_is_its_cluster_address():
    found = zone(CLUSTER_IP, *pods(2))
    assert contents(found, "web.a.svc.cluster.local") == ["10.96.0.7"]
    assert found.respond(name("web.a.svc.cluster.local"), Type.AAAA).code is Code.NO_ERROR
    assert found.respond(reverse(address("10.96.0.7")), Type.PTR).answers[0].content == name(
        "web.a.svc.cluster.local"
    )


def test_a_headless_service_is_every_pod_and_a_statefulsets_pods_have_names():
    found = zone(HEADLESS, *pods(2, "StatefulSet"))
    assert contents(found, "web.a.svc.cluster.local") == ["10.1.0.1", "10.1.0.2"]
    assert contents(found, "WEB-1.web.a.svc.CLUSTER.local") == ["10.1.0.2"]
    located = found.respond(name("_http._tcp.web.a.svc.cluster.local"), Type.SRV).answers
    assert [record.content.port for record in located] == [8080, 8080]


@pytest.mark.parametrize(
    "text", ["nobody.a.svc.cluster.local", "www.google.com", "web", "10-9-9-9.a.pod.cluster.local"]
)
def test_what_nobody_gave_does_not_exist(text):
    said = zone(CLUSTER_IP, *pods(1)).respond(name(text), Type.A)
    assert said.code is Code.NO_SUCH_NAME
    assert said.authority[0].type is Type.SOA


@pytest.mark.parametrize(
    "text", ["a.svc.cluster.local", "svc.cluster.local", "cluster.local", "_tcp.web.a.svc.cluster.local"]
)
def test_names_above_a_name_exist_but_say_nothing(text):
    assert zone(CLUSTER_IP).respond(name(text), Type.A).code is Code.NO_ERROR


def test_aliases_are_followed_and_rings_of_them_end():
    ring = [
        Service("a", one, external_name=f"{other}.a.svc.cluster.local")
        for one, other in (("x", "y"), ("y", "x"))
    ]
    alias = Service("a", "out", external_name="example.com.")
    found = zone(alias, *ring)
    assert contents(found, "out.a.svc.cluster.local")[-1] == "192.0.2.7"
    assert len(found.respond(name("x.a.svc.cluster.local"), Type.A).answers) <= 8


def test_what_does_not_fit_a_datagram_is_cut_and_whole_over_a_stream():
    found = zone(HEADLESS, *pods(300))
    asked = query("web.a.svc.cluster.local")
    cut, whole = found.answer(asked), found.answer(asked, stream=True)
    assert cut[2] & 0x02
    assert len(cut) <= 512
    assert struct.unpack(">H", whole[6:8])[0] == 300
    assert struct.unpack(">H", found.answer(query("web.a.svc.cluster.local", size=1232))[10:12])[0] == 1


def test_the_question_comes_back_as_it_came():
    asked = query("WeB.a.svc.cluster.local")
    answer = zone(CLUSTER_IP).answer(asked)
    assert answer[:2] == asked[:2]
    assert asked[12:] in answer


@given(st.binary(max_size=600), st.booleans())
def test_no_packet_is_too_strange_to_be_answered_or_passed_over(packet, stream):
    answer = zone(CLUSTER_IP).answer(packet, stream)
    assert answer is None or answer[:2] == packet[:2]


def test_cut_and_bent_queries_never_raise():
    chance, asked, found = random.Random(7), query("web.a.svc.cluster.local", size=4096), zone(CLUSTER_IP)
    for _ in range(2000):
        bent = bytearray(asked[: chance.randrange(len(asked) + 1)])
        for _ in range(chance.randrange(4)):
            if bent:
                bent[chance.randrange(len(bent))] = chance.randrange(256)
        found.answer(bytes(bent))


def test_hostile_names_of_objects_still_make_whole_answers():
    long = Service("a", "x" * 300, (), None, (address("10.96.0.9"),))
    found = zone(long, Service("\udc80é", "..", (), None, (address("10.96.0.10"),)))
    for where in ("10.96.0.9", "10.96.0.10"):
        asked = query(".".join(reverse(address(where))), Type.PTR)
        assert struct.unpack(">H", found.answer(asked)[6:8])[0] == 1


def test_a_response_is_not_a_question():
    assert question(bytes(2) + b"\x80\0" + bytes(8)) is None
