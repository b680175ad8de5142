"""One request: patience with a busy server, and words for every refusal."""

import asyncio
import gzip
import socket

import pytest

from kube.server import Answer, access, answering, page, refusal
from podfence.kube.backoff import LONGEST, Patience, asked_for
from podfence.kube.client import ApiError, Client
from podfence.kube.kubeconfig_file import User
from podfence.kube.listing import everything
from podfence.kube.resources import NAMESPACES, PODS

QUICK = Patience(chance=lambda: 0.0, attempts=3)


def got(at, path="/x"):
    async def ask():
        async with Client(at, QUICK) as client:
            return await client.get(path)

    return asyncio.run(ask())


def listed(at, resource=PODS):
    async def ask():
        async with Client(at, QUICK) as client:
            return [bytes(raw) for raw in await everything(client, resource)]

    return asyncio.run(ask())


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(status):
    with answering(refusal(status), Answer(body=b"good")) as (at, asked):
        assert got(at) == b"good"
        assert len(asked) == 2


def test_patience_ends_and_the_servers_words_are_passed_on():
    with answering(*[refusal(503, "etcd is away")] * 3) as (at, asked):
        with pytest.raises(ApiError, match=r"etcd is away \(503\)"):
            got(at)
        assert len(asked) == 3


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_other_refusals_stand_at_once(status):
    with answering(refusal(status, "never")) as (at, asked):
        with pytest.raises(ApiError, match="never") as refused:
            got(at)
        assert refused.value.status == status
        assert len(asked) == 1


def test_a_connection_that_breaks_is_tried_again():
    with answering(Answer(body=b"half", cut=True), Answer(body=b"whole")) as (at, _):
        assert got(at) == b"whole"


def test_a_redirect_is_not_followed_for_it_could_carry_the_token_away():
    with answering(Answer(302, b"", {"Location": "/elsewhere"})) as (at, asked):
        with pytest.raises(ApiError):
            got(at)
        assert [path for path, _ in asked] == ["/x"]


def test_credentials_that_are_not_accepted():
    with answering(refusal(401, "Unauthorized")) as (at, _), pytest.raises(ApiError, match="log in again"):
        got(at)


def test_nobody_is_there():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(ApiError, match=rf"https://127.0.0.1:{port}: no connection: Connection refused"):
        got(access(f"https://127.0.0.1:{port}"))


def test_a_server_without_tls_is_not_spoken_to():
    with answering() as (at, _), pytest.raises(ApiError, match="no connection"):
        got(access(at.server.replace("http:", "https:")))


def test_a_kubeconfig_whose_server_is_no_address():
    with pytest.raises(ApiError, match="the kubeconfig names no server of HTTP: 'gopher:x'"):
        got(access("gopher:x"))


def test_every_request_says_who_asks_and_takes_compressed_answers():
    with answering(Answer(body=gzip.compress(b"small"), headers={"Content_Encoding": "gzip"})) as (at, asked):
        assert got(at) == b"small"
    ((_, headers),) = asked
    assert headers["Authorization"] == "Bearer t"
    assert headers["User-Agent"].startswith("podfence/")
    assert "gzip" in headers["Accept-Encoding"]


def test_a_token_file_is_read_for_every_request(tmp_path):
    (tmp_path / "token").write_text("old\n")
    with answering(Answer(), Answer()) as (there, asked):
        at = access(there.server, User(token_file="token"), tmp_path)

        async def both():
            async with Client(at, QUICK) as client:
                await client.get("/1")
                (tmp_path / "token").write_text("new\n")
                await client.get("/2")

        asyncio.run(both())
    assert [headers["Authorization"] for _, headers in asked] == ["Bearer old", "Bearer new"]


def test_a_long_list_comes_in_pages():
    with answering(page("a", "b", following="after b"), page("c")) as (at, asked):
        assert len(listed(at)) == 3
    assert [path for path, _ in asked] == [
        "/api/v1/pods?limit=500",
        "/api/v1/pods?limit=500&continue=after+b",
    ]


def test_a_list_whose_moment_is_forgotten_is_read_again_in_one_piece():
    with answering(page("a", following="n"), refusal(410, "expired"), page("a", "b")) as (at, asked):
        assert len(listed(at)) == 2
    assert asked[-1][0] == "/api/v1/pods"


def test_namespaces_are_asked_for_without_what_is_not_needed():
    with answering(page("a")) as (at, asked):
        listed(at, NAMESPACES)
    assert "as=PartialObjectMetadataList" in asked[0][1]["Accept"]


def test_an_answer_that_is_no_list():
    with (
        answering(Answer(body=b"<html>")) as (at, _),
        pytest.raises(ApiError, match="pods: the server's list"),
    ):
        listed(at)


def test_waits_grow_and_are_bounded():
    waits = list(Patience(chance=lambda: 1.0, attempts=9).waits())
    assert waits[:3] == [0.8, 1.6, 3.2]
    assert max(waits) == LONGEST == waits[-1]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, 0), ("2", 2), ("9999", LONGEST), ("Wed, 21 Oct 2026 07:28:00 GMT", 0), ("-1", 0)],
)
def test_what_the_server_asks_for_is_bounded_too(header, seconds):
    assert asked_for(header) == seconds
