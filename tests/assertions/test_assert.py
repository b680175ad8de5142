"""`podfence assert`: the file of requirements, what is printed, the exit status."""

import json
from xml.etree import ElementTree as ET

import pytest

from podfence.analysis.requirements_file import requirements
from podfence.cli import main

WORLD = """
apiVersion: v1
kind: Pod
metadata: {name: frontend, namespace: shop, labels: {app: frontend}}
---
apiVersion: v1
kind: Pod
metadata: {name: backend, namespace: shop, labels: {app: backend}}
spec: {containers: [{ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: data, labels: {app: db}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: backend, namespace: shop}
spec:
  podSelector: {matchLabels: {app: backend}}
  ingress: [{from: [{podSelector: {matchLabels: {app: frontend}}}], ports: [{port: 8080}]}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: data}
spec:
  podSelector: {}
  ingress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: backend}}}, {ipBlock: {cidr: 192.0.2.0/24}}]}]
"""


@pytest.fixture
def hold(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "world.yaml").write_text(WORLD)

    def assertion(rules, *arguments):
        (tmp_path / "rules.yaml").write_text(rules)
        status = main(["assert", "--rules", "rules.yaml", "world.yaml", *arguments])
        return status, capsys.readouterr()

    return assertion


@pytest.mark.parametrize(
    ("rule", "status"),
    [
        ("{from: shop/frontend, to: shop/backend, ports: [8080], must: reach}", 0),
        ("{from: shop/frontend, to: shop/backend, ports: [8080/TCP], must: reach only}", 0),
        ("{from: shop/frontend, to: shop/backend, ports: [http], must: reach only}", 0),
        ("{from: shop/frontend, to: shop/backend, ports: [8080, 53/UDP], must: reach}", 1),
        ("{from: shop/frontend, to: shop/backend, ports: [80-8080], must: reach only}", 1),
        ("{from: shop/frontend, to: shop/backend, must: reach}", 1),
        ("{from: shop/frontend, to: shop/backend, ports: [ICMP], must: not reach}", 0),
        ("{from: outside, to: {workload: data/db}, must: not reach}", 1),
        ("{from: {outside: true, except: [{addresses: 192.0.2.0/24}]}, to: data/db, must: not reach}", 0),
        ("{from: {addresses: [10.0.0.0/8, 192.0.1.0-192.0.1.255]}, to: data/db, must: not reach}", 0),
        (
            "{from: {anyone: true, except: [shop/backend, {addresses: 192.0.2.0/24}]}, to: {namespace: data}, must: not reach}",
            0,
        ),
        ("{from: anyone, to: {pods: {app: db}, namespace: data}, must: not reach}", 1),
        ("{from: {namespace: [shop, data]}, to: outside, must: reach}", 0),
        (
            "{from: {pods: {app: backend}}, to: {namespaces: {kubernetes.io/metadata.name: data}}, must: reach}",
            0,
        ),
    ],
)
def test_a_requirement_holds_or_not(hold, rule, status):
    assert hold(f"- {rule}")[0] == status


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ("shop/forntend", "did you mean shop/frontend?"),
        ("{workload: [shop/frontend, shop/gone]}", "shop/gone"),
        ("{namespace: shp}", "no pod is in namespace shp; did you mean shop?"),
        ("{pods: {app: fronted}}", "takes in no pod"),
        ("{pods: {app: db}, namespace: shop}", "takes in no pod"),
    ],
)
def test_whoever_is_not_there_does_not_pass_for_success(hold, end, words):
    rule = f"- {{from: {end}, to: outside, must: reach%s}}"
    status, printed = hold(rule % "")
    assert (status, words in printed.out) == (1, True)
    assert hold(rule % ", may be empty: true")[0] == 0


def test_a_failure_is_explained(hold):
    _, printed = hold("- {from: outside, to: data/db, must: not reach, name: the database is not public}")
    assert "fails  the database is not public  (rules.yaml:1)" in printed.out
    assert "ALLOWED  192.0.2.0 → data/db  TCP 1" in printed.out
    assert "spec.ingress[0].from[1] of data/db" in printed.out
    assert "0 of 1 requirements hold" in printed.out


def test_what_is_missing_comes_with_the_edit(hold):
    _, printed = hold("- {from: data/db, to: shop/backend, ports: [8080], must: reach}")
    assert "DENIED   data/db → shop/backend  TCP 8080" in printed.out
    assert "To allow it, add " in printed.out


def test_json_has_a_row_for_each(hold):
    status, printed = hold(
        "- {from: outside, to: data/db, must: not reach}\n- {from: shop/backend, to: data/db, must: reach}",
        "-o",
        "json",
    )
    answer = json.loads(printed.out)
    assert (status, answer["podfence"], answer["holds"]) == (1, 1, False)
    assert [(each["line"], each["holds"]) for each in answer["requirements"]] == [(1, False), (2, True)]
    assert answer["requirements"][0]["example"]["verdict"] == "allowed"


def test_junit_has_a_case_for_each_and_survives_any_name(hold):
    name = '"<&>\\"\\u0000\\u0001]]>\\u202e"'
    _, printed = hold(
        f"- {{name: {name}, from: outside, to: data/db, must: not reach}}\n- {{from: shop/backend, to: data/db, must: reach}}",
        "-o",
        "junit",
    )
    suite = ET.fromstring(printed.out).find("testsuite")
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    first, second = suite.findall("testcase")
    assert "ALLOWED" in first.find("failure").text
    assert second.find("failure") is None


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("- {form: a/b, to: c/d, must: reach}", 1, 'unknown field "form"; did you mean from?'),
        ("-\n  from: {worklaod: x}\n  to: anyone\n  must: reach", 2, "did you mean workload?"),
        ("- from: anyone\n  to: anyone\n  must: raech", 3, "did you mean reach?"),
        ("- from: anyone\n  to: anyone", 1, "not set; write reach, not reach or reach only"),
        ("- from: anyone\n  must: reach", 1, "not set: expected an end"),
        ("- from: {}\n  to: anyone\n  must: reach", 1, "says nobody"),
        ("- from: {except: [outside]}\n  to: anyone\n  must: reach", 1, "says nobody"),
        ("- from: anyone\n  to: 3\n  must: reach", 2, "expected an end"),
        ("- from: anyone\n  to: anyone\n  must: reach\n  ports: [80/XYZ]", 4, "'XYZ' is not a protocol"),
        ("- from: anyone\n  to: anyone\n  must: reach only", 1, "needs ports"),
        ("- from: {addresses: 10.0.0.0/33}\n  to: anyone\n  must: reach", 1, "/33 is not a prefix length"),
        ("- from: {addresses: 10.0.0.9-10.0.0.1}\n  to: anyone\n  must: reach", 1, "does not go up"),
        ("from: anyone", 1, "not a list of requirements"),
        ("- 3", 1, "not a requirement"),
        ("- {from: anyone, from: outside, to: anyone, must: reach}", 1, "from"),
        ("", 0, "no requirements in it"),
        ("- [", 1, ""),
    ],
)
def test_a_mistake_in_the_file_is_found_where_it_is(text, line, words):
    found = requirements(text.encode(), "rules.yaml")
    assert found.problems, found
    assert words in " ".join(problem.message for problem in found.problems)
    assert not line or found.problems[0].line in {line, line + 1}


def test_every_mistake_is_told_at_once(hold):
    status, printed = hold("- {from: {worklaod: x}, to: 3, must: raech}\n- 4")
    assert status == 2
    assert printed.err.count("rules.yaml:") == 4


def test_the_file_may_be_the_last_source(hold, tmp_path):
    hold("- {from: shop/backend, to: data/db, must: reach}")
    assert main(["assert", "world.yaml", "rules.yaml"]) == 0


@pytest.mark.parametrize(
    "arguments", [["world.yaml"], ["--rules", "absent.yaml", "world.yaml"], ["--rules", "-", "-"]]
)
def test_trouble_is_2(hold, capsys, arguments):
    hold("- {from: anyone, to: anyone, must: reach}")
    assert main(["assert", *arguments]) == 2
    assert capsys.readouterr().err.startswith("error: ")
