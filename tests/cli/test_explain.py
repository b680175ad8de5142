"""`explain`: the answer first, then the reason, then the way out; and thousands of questions, a line each."""

import io
import json
import time
from pathlib import Path

import pytest
import yaml

from podfence.cli import main
from podfence.cli.answers import Oracle, rule_place
from podfence.cli.flows import LONGEST_LINE, answered
from podfence.errors import PodfenceError
from podfence.manifests.assume import complete
from podfence.sources import read

EXAMPLES = Path(__file__).parents[2] / "examples"
SEED = [str(EXAMPLES / "seed"), str(EXAMPLES / "seed-world")]


@pytest.fixture
def ask(capsys):
    def explain(*arguments):
        status = main(["explain", *SEED, *arguments, "--color=never"])
        return status, capsys.readouterr().out

    return explain


def test_a_denial_names_the_policy_the_nearest_rule_and_the_edit(ask):
    status, text = ask("--from", "default/db-0", "--to", "10.0.0.7", "--port", "5979/TCP")
    file = f"{SEED[0]}/policy.yaml"
    assert status == 1
    assert [line.split() for line in text.splitlines() if line] == [
        ["DENIED", "default/db-0", "→", "10.0.0.7", "TCP", "5979"],
        ["egress", "of", "default/db-0", "denied"],
        ["isolated", "by", "default/test-network-policy", f"{file}:1"],
        ["nearest", "spec.egress[0]", "of", "default/test-network-policy", f"{file}:29"],
        ["10.0.0.7", "is", "in", "10.0.0.0/24,", "but", "only", "TCP", "5978", "is", "allowed"],
        [
            "ingress",
            "of",
            "10.0.0.7",
            "allowed:",
            "no",
            "pod",
            "of",
            "the",
            "pod",
            "network",
            "has",
            "this",
            "address:",
            "no",
            "policy",
            "applies",
        ],
        [
            "To",
            "allow",
            "it,",
            "add",
            "{protocol:",
            "TCP,",
            "port:",
            "5979}",
            "to",
            "spec.egress[0].ports",
            "of",
            "default/test-network-policy.",
        ],
    ]


@pytest.mark.parametrize(
    ("source", "destination", "port", "words"),
    [
        ("default/backend", "default/db", "6379", "has role=backend, but role=frontend is asked for"),
        ("otherproject/db", "default/db", "6379", "namespace otherproject has project=otherproject"),
        ("172.17.1.5", "default/db", "6379", "172.17.1.5 is in 172.17.0.0/16, but excepted by 172.17.1.0/24"),
        ("8.8.8.8", "default/db", "6379", "8.8.8.8 is not in 172.17.0.0/16"),
        ("default/frontend", "default/db", "6379/UDP", "but only TCP 6379 is allowed"),
        ("default/frontend", "default/db", "ICMP", "and ICMP has no ports"),
        ("default/db", "10.0.1.1", "5978", "10.0.1.1 is not in 10.0.0.0/24"),
    ],
)
def test_the_one_condition_missed_is_told(ask, source, destination, port, words):
    status, text = ask("--from", source, "--to", destination, "--port", port)
    assert status == 1
    assert words in text


def test_doing_what_the_edit_says_opens_the_flow(ask, tmp_path, capsys):
    question = ["--from", "default/backend", "--to", "default/db", "--port", "6379"]
    _, text = ask(*question, "-o", "json")
    [flow] = [one for one in json.loads(text)["flows"] if ":" not in one["src_address"]]
    edit = flow["reasons"][1]["nearest"]["edit"]
    policy = yaml.safe_load(Path(SEED[0], "policy.yaml").read_text())
    assert edit["path"] == "spec.ingress[0].from"
    policy["spec"]["ingress"][0]["from"].append(edit["add"])
    (tmp_path / "edited.yaml").write_text(yaml.safe_dump(policy))
    assert main(["explain", str(tmp_path), SEED[1], *question]) == 0
    assert capsys.readouterr().out.startswith("ALLOWED")


def test_an_answer_names_the_rule_that_allows(ask):
    status, text = ask("--from", "default/frontend", "--to", "default/db", "--port", "6379")
    assert status == 0
    assert "spec.ingress[0].from[2] of default/test-network-policy" in text
    assert f"{SEED[0]}/policy.yaml:22" in text


def test_all_ports_are_told_by_reason(ask):
    status, text = ask("--from", "default/frontend", "--to", "default/db")
    assert status == 1
    assert "DENIED   default/frontend → default/db-0  TCP 1-6378, 6380-65535" in text
    assert "ALLOWED  default/frontend → default/db-0  TCP 6379" in text


def test_a_service_is_translated_and_says_so(ask):
    status, text = ask("--from", "default/frontend", "--to", "db.default", "--port", "redis")
    assert status == 0
    assert "TCP 6379  (through db.default.svc:6379)" in text


def test_json_carries_the_same(ask):
    status, text = ask("--from", "default/db", "--to", "10.0.0.7", "--port", "5979", "-o", "json")
    answer = json.loads(text)
    assert (status, answer["podfence"], answer["verdict"]) == (1, 1, "denied")
    [flow] = answer["flows"]
    nearest = flow["reasons"][0]["nearest"]
    assert nearest["edit"]["add"] == {"protocol": "TCP", "port": 5979}
    assert (nearest["path"], nearest["line"]) == ("spec.egress[0]", 29)


def test_what_was_assumed_is_said(capsys):
    main(["explain", *SEED, "--from", "default/db", "--to", "10.0.0.7"])
    assert "note: assumed addresses" in capsys.readouterr().err


def test_refused_input_is_not_answered(tmp_path, capsys):
    policy = yaml.safe_load(Path(SEED[0], "policy.yaml").read_text())
    policy["spec"]["ingress"][0]["ports"][0]["port"] = 0
    (tmp_path / "bad.yaml").write_text(yaml.safe_dump(policy))
    assert main(["explain", str(tmp_path), "--from", "10.0.0.1", "--to", "10.0.0.2"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "spec.ingress[0].ports[0].port: Invalid value: 0" in err


def test_a_path_without_a_place_of_its_own_is_found_around_it():
    [policy] = complete(read(SEED)).policies.values()
    assert rule_place(policy, "spec.ingress[0].ports[7]") == policy.places["spec.ingress[0].ports"]
    assert rule_place(policy, "spec.nowhere[0]") == rule_place(policy, "spec")


@pytest.mark.parametrize("output", ["text", "json"])
@pytest.mark.parametrize("name", ["\x1b[31m", "\x9b31m", "\u202e", "\udcff", "a\nb"], ids=ascii)
def test_no_name_of_a_file_acts_on_a_terminal(tmp_path, capsys, name, output):
    (tmp_path / f"{name}.yaml").write_bytes(Path(SEED[0], "policy.yaml").read_bytes())
    question = ["--from", "default/db", "--to", "10.0.0.7", "--port", "5979"]
    assert main(["explain", str(tmp_path), SEED[1], *question, "-o", output]) == 1
    out = capsys.readouterr().out
    assert "policy" in out
    assert all(line.isprintable() for line in out.split("\n"))
    assert json.loads(out) if output == "json" else "\nb.yaml" not in out


# Many questions


@pytest.fixture(scope="module")
def oracle():
    return Oracle(complete(read(SEED)))


def flows(oracle, *lines):
    out = io.StringIO()
    status = answered(oracle, io.BytesIO(b"".join(line + b"\n" for line in lines)), out)
    return status, [json.loads(line) for line in out.getvalue().splitlines()]


ALLOWED = b'{"src": "default/frontend", "dst": "default/db", "protocol": "TCP", "port": 6379, "id": 7}'
DENIED = b'{"src": "default/backend", "dst": "default/db", "protocol": "TCP", "port": 6379}'


def test_each_line_comes_back_in_order_with_its_verdict(oracle):
    status, answers = flows(oracle, ALLOWED, b"", DENIED)
    assert status == 0
    assert [answer["verdict"] for answer in answers] == ["allowed", "denied"]
    assert answers[0]["id"] == 7
    assert answers[1]["reasons"][1]["nearest"]["missed"] == "pod labels"


BAD = [
    (b"[1]", "object"),
    (b"nope", "malformed"),
    (b"\xff", "malformed"),
    (b'{"src": "default/db"}', "dst"),
    (b'{"src": "default/db", "dst": "default/dbx"}', "did you mean default/db"),
    (b'{"src": "default/db", "dst": "default/db", "port": true}', "bool"),
    (b'{"src": "default/db", "dst": "default/db", "port": -1}', "declares no port"),
    (b"[" * 100_000, ""),
]


@pytest.mark.parametrize(("line", "words"), BAD, ids=lambda value: repr(value)[:30])
def test_a_bad_line_names_itself_and_the_others_are_answered(oracle, capsys, line, words):
    status, answers = flows(oracle, ALLOWED, line, DENIED)
    assert status == 2
    assert [answer.get("verdict") for answer in answers] == ["allowed", None, "denied"]
    assert answers[1]["line"] == 2
    assert words in answers[1]["error"]
    assert capsys.readouterr().err.startswith("error: line 2: ")


def test_a_line_without_end_is_refused(oracle):
    with pytest.raises(PodfenceError, match="longer than"):
        flows(oracle, b" " * LONGEST_LINE)


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        (b'{"src": "default/frontend", "dst": "default/db", "port": 6379}', "allowed"),
        (b'{"src": "default/frontend", "dst": "default/db", "protocol": 6, "port": 6379}', "allowed"),
        (b'{"src": "default/frontend", "dst": "default/db", "protocol": "udp", "port": null}', "denied"),
        (b'{"src": "default/frontend", "dst": "default/db", "protocol": "ICMP"}', "denied"),
        (b'{"src": "default/frontend", "dst": "default/db", "protocol": 47}', "denied"),
        (b'{"src": "default/frontend", "dst": "default/db", "port": "redis"}', "allowed"),
        (b'{"src": "default/frontend", "dst": "db.default", "port": 6379}', "allowed"),
        (b'{"src": "default/frontend", "dst": "default/db"}', "denied"),
    ],
)
def test_protocol_and_port_may_be_left_out_or_named(oracle, line, verdict):
    status, [answer] = flows(oracle, line)
    assert (status, answer["verdict"]) == (0, verdict)


def test_ten_thousand_questions_take_seconds(oracle):
    lines = [
        json.dumps({"src": "default/frontend", "dst": f"10.{n % 250}.{n // 250}.1", "port": n}).encode()
        for n in range(1, 10_001)
    ]
    started = time.perf_counter()
    status, answers = flows(oracle, *lines)
    assert (status, len(answers)) == (0, 10_000)
    assert time.perf_counter() - started < 20
