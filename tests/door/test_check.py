"""`podfence check`: what it prints, in which medium, and its exit status; and the page that explains its codes."""

import json
import re
from pathlib import Path

import pytest

from podfence.cli import main
from podfence.cli.check import as_github, as_json, as_text
from podfence.cli.escape import github_message, github_property
from podfence.manifests.loaded import Manifests, Problem, Severity

ROOT = Path(__file__).parents[2]
HOSTILE = "a\x1b[31m\r\n::error::x%\u202eb"
POLICY = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\n"
BAD = POLICY + "spec: {ingress: [{ports: [{port: 0}]}]}\n"
DOUBTED = POLICY + "spec: {ingress: [{from: [{ipBlock: {cidr: '2001:DB8::/64'}}]}]}\n"
SLOPPY = POLICY + "spec: {ingress: [{from: [{ipBlock: {cidr: 10.0.0.1/8}}]}]}\n"


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "policy.yaml"
        path.write_text(text)
        return str(path)

    return write


def test_a_clean_input(file, capsys):
    assert main(["check", file(POLICY)]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("1 object read; nothing to find fault with\n")


def test_a_refused_input(file, capsys):
    path = file(BAD)
    assert main(["check", path]) == 2
    said = capsys.readouterr()
    message = "Invalid value: 0: must be between 1 and 65535, inclusive"
    assert said.out == f"error  {path}:4:28: spec.ingress[0].ports[0].port: {message}  [bad-port]\n"
    assert said.err == "refused: 1 problem; 1 object read\n"


def test_json_follows_the_contract(file, capsys):
    path = file(BAD)
    assert main(["check", path, "-o", "json"]) == 2
    assert json.loads(capsys.readouterr().out) == {
        "podfence": 1,
        "problems": [
            {
                "file": path,
                "line": 4,
                "column": 28,
                "object": "NetworkPolicy default/p",
                "field": "spec.ingress[0].ports[0].port",
                "message": "Invalid value: 0: must be between 1 and 65535, inclusive",
                "code": "bad-port",
            }
        ],
        "findings": [],
    }


def test_json_findings_have_a_severity(file, capsys):
    main(["check", file(DOUBTED), "-o", "json"])
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["code"], finding["severity"]) == ("uncanonical-cidr", "info")


@pytest.mark.parametrize(("fail_on", "status"), [("info", 1), ("warning", 0), ("error", 0)])
def test_fail_on(file, fail_on, status):
    assert main(["check", file(DOUBTED), "--fail-on", fail_on]) == status


def test_compat(file):
    assert main(["check", file(SLOPPY)]) == 2
    assert main(["check", file(SLOPPY), "--compat", "1.35"]) == 1
    assert main(["check", file(SLOPPY), "--compat", "1.35", "--fail-on", "error"]) == 0


def test_namespace_and_exclude(file, tmp_path, capsys):
    file(BAD)
    (tmp_path / "other.yaml").write_text(POLICY)
    assert main(["check", str(tmp_path), "-n", "shop", "--exclude", "other.yaml", "-o", "json"]) == 2
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert problem["object"] == "NetworkPolicy shop/p"
    assert main(["check", str(tmp_path), "--exclude", "policy.yaml"]) == 0


def test_a_missing_file_is_trouble(capsys):
    assert main(["check", "/does/not/exist"]) == 2
    assert "no such file or directory" in capsys.readouterr().err


PROBLEM = Problem(HOSTILE, 1, 2, HOSTILE, HOSTILE, HOSTILE, "bad-port")


@pytest.mark.parametrize("line", [as_text, as_github])
def test_hostile_text_stays_on_its_line_and_harmless(line):
    assert line(PROBLEM).isprintable()


def test_hostile_json_is_ascii():
    text = as_json(Manifests(problems=(PROBLEM,)))
    assert text.isascii()
    assert json.loads(text)["problems"][0]["message"] == HOSTILE


def test_github_lines():
    problem = Problem("a,b.yaml", 1, 2, "NetworkPolicy x/y", "spec", "100%", "bad-port", Severity.WARNING)
    assert as_github(problem) == (
        "::warning file=a%2Cb.yaml,line=1,col=2,title=bad-port::NetworkPolicy x/y: spec: 100%25"
    )


@pytest.mark.parametrize("escape", [github_message, github_property])
def test_github_escapes_what_would_start_a_command(escape):
    assert "\n" not in escape("a\n::error::b")
    assert "%25" in escape("%")


def codes_in_the_code():
    """Every literal that stands where a code stands."""
    text = "\n".join(path.read_text() for path in (ROOT / "src/podfence/manifests").glob("*.py"))
    text += (ROOT / "src/podfence/sources.py").read_text()
    return set(
        re.findall(
            r'"((?:bad|not|null|no|none|duplicate|unknown|missing|wrong|loose|uncanonical|old|yaml|json|nested|excessive)(?:-[a-z]+)+)"',
            text,
        )
    )


def test_every_code_has_a_row_and_every_row_a_code():
    page = (ROOT / "docs/problems.md").read_text()
    rows = re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert set(rows) == codes_in_the_code()
