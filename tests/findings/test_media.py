"""What `check` prints of findings, for people and for programs."""

import json

import pytest

from findings.inputs import ingress, labels, pod
from podfence.analysis.findings.finding import Finding
from podfence.analysis.findings.report import Report
from podfence.cli import main
from podfence.cli.check import as_github, as_text
from podfence.cli.sarif import as_sarif
from podfence.manifests.loaded import Severity
from podfence.model.policy import Place

HOSTILE = "a\x1b[31m\r\n::error::x%\u202e\ud800b"
DOUBT = Finding(
    "selects-nothing",
    Severity.WARNING,
    Place("a b.yaml", 3, 5),
    "NetworkPolicy x/y",
    "spec",
    "no pod",
    "mend it",
)
NASTY = Finding("selects-nothing", Severity.ERROR, Place(HOSTILE, 1, 1), HOSTILE, HOSTILE, HOSTILE, HOSTILE)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "in put.json"
    objects = [ingress(podSelector=labels(app="cart")), pod("web", {"app": "web"}, 80)]
    path.write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": objects}))
    return str(path)


def test_text_has_the_way_out_below():
    assert as_text(DOUBT) == "warning  a b.yaml:3:5: spec: no pod  [selects-nothing]\n    mend it"


def test_text_without_a_place_names_the_object():
    nowhere = Finding("unprotected-pods", Severity.INFO, Place(), "Namespace x", "", "open", "close")
    assert as_text(nowhere).startswith("info  Namespace x: open")


def test_github():
    assert as_github(DOUBT) == (
        "::warning file=a b.yaml,line=3,col=5,title=selects-nothing::NetworkPolicy x/y: spec: no pod (mend it)"
    )


def test_hostile_words_start_nothing():
    assert as_github(NASTY).isprintable()
    assert all(line.isprintable() for line in as_text(NASTY).split("\n"))
    assert as_text(NASTY).count("\n") == 1
    assert as_sarif((), Report((NASTY,))).isascii()


def test_json(file, capsys):
    assert main(["check", file, "-o", "json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["podfence"], answer["problems"]) == (1, [])
    (doubt,) = (each for each in answer["findings"] if each["severity"] == "warning")
    assert (doubt["code"], doubt["file"], doubt["object"]) == (
        "selects-nothing",
        file,
        "NetworkPolicy default/p",
    )
    assert doubt["line"] == 1
    assert doubt["remedy"]


def test_sarif(file, capsys):
    """The parts without which code scanning refuses a file."""
    assert main(["check", file, "-o", "sarif"]) == 1
    log = json.loads(capsys.readouterr().out)
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"error", "warning", "note"}
        assert result["message"]["text"]
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"].endswith("in%20put.json")
        assert location["physicalLocation"]["region"]["startLine"] >= 1
    assert len({result["partialFingerprints"]["podfence/v1"] for result in run["results"]}) == len(
        run["results"]
    )
    assert [
        note["message"]["text"].split()[1] for note in run["invocations"][0]["toolExecutionNotifications"]
    ] == [
        "namespaces",
        "services",
    ]


def test_sarif_of_what_is_refused(tmp_path, capsys):
    path = tmp_path / "bad.yaml"
    path.write_text(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {x: 1}\n"
    )
    assert main(["check", str(path), "-o", "sarif"]) == 2
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert [(result["ruleId"], result["level"]) for result in run["results"]] == [("unknown-field", "error")]
    assert run["invocations"][0]["executionSuccessful"] is False


def test_a_finding_that_moves_keeps_its_fingerprint():
    moved = Finding(
        DOUBT.code,
        DOUBT.severity,
        Place("a b.yaml", 9, 9),
        *(getattr(DOUBT, f) for f in ("object", "field", "message", "remedy")),
    )
    prints = [
        json.loads(as_sarif((), Report((each,))))["runs"][0]["results"][0]["partialFingerprints"]
        for each in (DOUBT, moved)
    ]
    assert prints[0] == prints[1]
