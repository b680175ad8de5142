"""`podfence diff`: what it prints, and its exit status."""

import csv
import io
import json

import pytest

from podfence.cli import main

WORLD = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
"""
ISOLATE = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: %s, namespace: shop}
spec: {podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress]}
"""
ALLOW = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: allow, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress: [{from: [{podSelector: {}}], ports: [{port: %d}]}]
"""


@pytest.fixture
def compare(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")

    def diff(old, new, *arguments):
        for name, text in (("old.yaml", old), ("new.yaml", new), ("world.yaml", WORLD)):
            (tmp_path / name).write_text(text or "kind: List\napiVersion: v1\nitems: []\n")
        status = main(["diff", "old.yaml", "new.yaml", "--with", "world.yaml", *arguments])
        return status, capsys.readouterr()

    return diff


def changes(compare, old, new):
    _, printed = compare(old, new, "-o", "json")
    answer = json.loads(printed.out)
    assert answer["podfence"] == 1
    return {(each["src"], each["dst"]): each for each in answer["changes"]}


WEB, DB = "shop/web[Pod]", "shop/db[Pod]"


def test_equal_is_0_and_says_why_it_is_empty(compare):
    status, printed = compare(ISOLATE % "p", ISOLATE % "p")
    assert (status, printed.out) == (0, "")
    assert "no pair differs: 2 pods in OLD, 2 in NEW" in printed.err


def test_different_is_1(compare):
    assert compare("", ISOLATE % "p")[0] == 1


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        ("", ISOLATE % "p", 0),
        (ISOLATE % "p", "", 1),
        (ALLOW % 80, ALLOW % 81, 1),
        (ALLOW % 80, ISOLATE % "allow", 0),
        (ALLOW % 80, ALLOW % 80, 0),
    ],
    ids=["closed", "opened", "moved", "narrowed", "equal"],
)
def test_fail_on_widened(compare, old, new, status):
    assert compare(old, new, "--fail-on", "widened")[0] == status


def test_a_pair_is_added_removed_or_changed(compare):
    assert changes(compare, "", ISOLATE % "p")[WEB, DB]["change"] == "removed"
    assert changes(compare, ISOLATE % "p", "")[WEB, DB]["change"] == "added"
    change = changes(compare, ALLOW % 80, ALLOW % 81)[WEB, DB]
    assert (change["change"], change["before"], change["after"]) == ("changed", "TCP 80", "TCP 81")


def test_no_connection_has_its_words(compare):
    change = changes(compare, "", ISOLATE % "p")[WEB, DB]
    assert (change["before"], change["after"]) == ("All Connections", "No Connections")


def test_an_added_policy_is_named_with_its_place(compare):
    [cause] = changes(compare, "", ISOLATE % "p")[WEB, DB]["because"]
    assert (cause["policy"], cause["change"], cause["alone"]) == ("shop/p", "added", True)
    assert (cause["file"], cause["line"], cause["isolates"]) == ("new.yaml", 2, ["ingress"])


def test_a_rule_that_went_is_named_where_it_stood(compare):
    [cause] = changes(compare, ALLOW % 80, ISOLATE % "allow")[WEB, DB]["because"]
    assert cause["change"] == "edited"
    assert cause["rules"] == [{"path": "spec.ingress[0]", "went": True, "file": "old.yaml", "line": 7}]


def test_a_policy_that_changes_nothing_here_is_not_named(compare):
    other = (ISOLATE % "other").replace("app: db", "app: web")
    causes = changes(compare, "", f"{ISOLATE % 'p'}---{other}")[WEB, DB]["because"]
    assert [cause["policy"] for cause in causes] == ["shop/p"]


def test_two_that_do_the_same_are_both_named_each_alone(compare):
    causes = changes(compare, "", f"{ISOLATE % 'p'}---{ISOLATE % 'q'}")[WEB, DB]["because"]
    assert [(cause["policy"], cause["alone"]) for cause in causes] == [("shop/p", True), ("shop/q", True)]


def test_two_that_do_it_only_together_are_both_named(compare):
    """Either alone leaves what the other one allows."""
    old = f"{ISOLATE % 'p'}---{ALLOW % 80}---{(ALLOW % 81).replace('allow', 'more')}"
    causes = changes(compare, old, ISOLATE % "p")[WEB, DB]["because"]
    assert [(cause["policy"], cause["alone"]) for cause in causes] == [
        ("shop/allow", False),
        ("shop/more", False),
    ]


def test_labels_are_a_cause_too(compare):
    relabelled = WORLD.replace("labels: {app: web}", "labels: {app: none}")
    allow = (ALLOW % 80).replace("podSelector: {}}", "podSelector: {matchLabels: {app: web}}}")
    [cause] = changes(compare, allow, f"{allow}---{relabelled}")[WEB, DB]["because"]
    assert cause == {"workload": WEB, "change": "edited", "alone": True}


def test_workloads_that_came_are_listed(compare):
    new = WORLD.replace("name: web", "name: api")
    _, printed = compare("", new, "-o", "json")
    answer = json.loads(printed.out)
    assert answer["workloads"] == [{"change": "added", "workload": "shop/api[Pod]"}]
    assert all("shop/api[Pod]" in (each["src"], each["dst"]) for each in answer["changes"])
    assert answer["changes"][0]["because"] == [
        {"workload": "shop/api[Pod]", "change": "added", "alone": True}
    ]


def test_csv_and_markdown_have_a_row_for_each(compare):
    wanted = changes(compare, ALLOW % 80, ALLOW % 81)
    rows = list(csv.DictReader(io.StringIO(compare(ALLOW % 80, ALLOW % 81, "-o", "csv")[1].out)))
    assert [(row["src"], row["dst"]) for row in rows] == list(wanted)
    table = compare(ALLOW % 80, ALLOW % 81, "-o", "md")[1].out.splitlines()
    assert len(table) == len(rows) + 2
    assert table[2].startswith(
        f"| changed | {WEB} | {DB} | TCP 80 | TCP 81 | NetworkPolicy shop/allow was edited"
    )


def test_what_differs_in_each_family_but_not_in_both_together_is_told(compare):
    block = (ALLOW % 80).replace("podSelector: {}}]", "ipBlock: {cidr: '%s'}}]")
    change = changes(compare, block % "0.0.0.0/0", block % "::/0")[WEB, DB]
    assert (change["before"], change["after"], change["widened"]) == ("TCP 80", "TCP 80", True)
    assert change["families"] == {
        "IPv4": {"before": "TCP 80", "after": "No Connections"},
        "IPv6": {"before": "No Connections", "after": "TCP 80"},
    }


@pytest.mark.parametrize("arguments", [["-", "-"], ["old.yaml"], ["old.yaml", "absent.yaml"]])
def test_trouble_is_2(compare, capsys, arguments):
    compare("", "")
    assert main(["diff", *arguments]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_refused_input_is_2_with_every_problem(compare):
    status, printed = compare("", (ALLOW % 0) + "---" + (ISOLATE % "P"))
    assert status == 2
    assert printed.err.count("new.yaml") == 2
