"""JSON: the same answers as YAML, straight from bytes, with places when they are asked for."""

import json

import pytest

from door.reading import POLICY, policy, read
from podfence.manifests.yamlevents import documents

(_DOCUMENT,) = documents(POLICY)
HEAD = _DOCUMENT.value


def written(spec=None, **metadata):
    return {**HEAD, "metadata": {"name": "p", **metadata}, "spec": spec or {}}


def load(value, indent=1):
    return read(json.dumps(value, indent=indent).encode(), file="f.json")


def test_a_policy_in_json_is_the_one_in_yaml():
    spec = {"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 80.0}]}]}
    as_yaml = "  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: 80}]}]\n"
    assert policy(load(written(spec))) == policy(read(POLICY + as_yaml))


def test_places_are_found_when_they_are_asked_for():
    found = policy(load(written({"ingress": [{"from": [{"podSelector": {}}]}]})))
    assert str(found.place("spec.ingress[0].from[0]")) == "f.json:11"
    assert str(found.place("")) == "f.json:1"


def test_problems_in_a_list_stand_where_the_file_has_them():
    broken = written({"ingress": [{"ports": [{"port": 0, "x": 1}]}]})
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": [written(), broken]}, indent=1)
    found = read(text.encode(), file="f.json")
    row = next(n for n, line in enumerate(text.splitlines(), 1) if '"x"' in line)
    column = text.splitlines()[row - 1].index('"x"') + 1
    assert [(each.line, each.column, each.code) for each in found.problems] == [
        (row, column, "unknown-field"),
        (row - 1, column, "bad-port"),
    ]


def test_a_duplicate_key_of_a_policy_is_refused_with_both_places():
    text = '{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"p"},\n"spec":{"ingress":[],\n"ingress":[{}]}}'
    (problem,) = read(text.encode()).problems
    assert (problem.line, problem.code) == (3, "duplicate-key")
    assert problem.message == 'key "ingress" already set in map (first at 2:9)'


@pytest.mark.parametrize(
    ("first", "last"), [("Pod", "NetworkPolicy"), ("NetworkPolicy", "Pod"), ("Pod", "ConfigMap")]
)
def test_a_kind_written_twice_is_refused(first, last):
    group = {"NetworkPolicy": "networking.k8s.io/v1"}
    text = f'{{"apiVersion":"{group.get(first, "v1")}","kind":"{first}","metadata":{{"name":"p"}},"kind":"{last}"}}'
    assert [each.code for each in read(text.encode()).problems] == ["json-syntax"]


def test_a_list_that_calls_itself_something_else_first_is_still_a_list():
    pod = '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}'
    found = read(f'{{"apiVersion":"v1","kind":"ConfigMap","kind":"List","items":[{pod}]}}'.encode())
    assert [each.name for each in found.objects] == ["a"]


def test_several_objects_in_a_row():
    pods = "\n".join(json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": n}}) for n in "abc")
    found = read(pods.encode())
    assert [(each.name, found.places["Pod", "default", each.name].line) for each in found.objects] == [
        ("a", 1),
        ("b", 2),
        ("c", 3),
    ]


@pytest.mark.parametrize(
    ("text", "line", "column"), [('{"a": 1,\n "b" 2}', 2, 6), ('{"a": [1,\n2', 2, 2), ('{"a": tru}', 1, 7)]
)
def test_broken_json_has_a_place(text, line, column):
    (problem,) = read(text.encode(), file="f.json").problems
    assert problem.line == line
    assert problem.code in {"json-syntax", "missing-kind"}
    assert problem.column == column or problem.code == "missing-kind"


@pytest.mark.parametrize("name", ['"\\ud800"', "NaN", "1" * 5000])
def test_json_that_is_none_after_all_is_refused(name):
    text = f'{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":{name}}}}}'
    assert read(text.encode()).problems


@pytest.mark.parametrize(
    "text", ['{"a":' * 100_000, '{"apiVersion":"v1","kind":"Pod","x":' + "[" * 9000 + "]" * 9000 + "}"]
)
def test_deep_json_is_refused(text):
    assert [each.code for each in read(text.encode()).problems] == ["nested-too-deeply"]


def test_items_of_a_typed_list_may_omit_their_kind():
    items = [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]
    found = load({"apiVersion": "v1", "kind": "PodList", "items": items})
    assert [each.name for each in found.objects] == ["a", "b"]


def test_items_of_a_plain_list_may_not():
    found = load({"apiVersion": "v1", "kind": "List", "items": [{"metadata": {"name": "a"}}]})
    assert [each.code for each in found.problems] == ["missing-kind"]


def test_items_that_are_no_objects_are_refused():
    found = load({"apiVersion": "v1", "kind": "PodList", "items": [None, 5]})
    assert [each.code for each in found.problems] == ["wrong-type"] * 2
    assert [each.code for each in load({"apiVersion": "v1", "kind": "PodList", "items": {}}).problems] == [
        "wrong-type"
    ]


def test_what_a_server_stored_is_reported_and_never_refused():
    found = load({**written({"ingress": [{"from": [{}]}]}, uid="u"), "status": {}})
    assert found.problems == ()
    assert [(each.code, each.severity.value) for each in found.warnings] == [
        ("unknown-field", "warning"),
        ("bad-peer", "warning"),
    ]


@pytest.mark.parametrize(
    ("spec", "directions", "peers"),
    [
        ({"ingress": [{"from": [{"newPeer": {}}]}, {}]}, {"ingress"}, [(), None]),
        ({"ingress": [{"ports": [{"port": 0}]}, {}]}, {"ingress"}, [(), None]),
        ({"ingress": [{}], "action": "Deny"}, {"ingress", "egress"}, [()]),
        ({"ingress": [{}], "policyTypes": ["Ingress", "Forward"]}, {"ingress", "egress"}, [()]),
        ({"ingress": [{}], "podSelector": {"matchFields": []}}, {"ingress"}, [()]),
        ({"ingress": "all"}, {"ingress", "egress"}, []),
    ],
)
def test_what_cannot_be_read_of_a_stored_policy_allows_nothing(spec, directions, peers):
    (found,) = load(written(spec, uid="u")).objects
    assert {each.value for each in found.directions} == directions
    assert [rule.peers for rule in found.ingress] == peers


def test_a_stored_policy_with_an_unreadable_subject_isolates_every_pod():
    (found,) = load(written({"podSelector": {"matchLabels": {"a": 5}}}, uid="u")).objects
    assert found.subject.selects("default", {}, {})


def test_one_line_of_json_does_not_cost_the_square_of_its_length():
    pods = [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"p{n}"}} for n in range(3000)]
    pods[-1]["spec"] = {"hostNetwork": 1}
    found = load({"apiVersion": "v1", "kind": "List", "items": pods}, indent=None)
    assert len(found.objects) == 3000
    (problem,) = found.problems
    assert str(problem).startswith("f.json:1: spec.hostNetwork: json: cannot unmarshal number into")


def test_a_sloppy_block_that_a_server_stored_counts_as_the_server_reads_it():
    spec = {"egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.1/8"}}]}]}
    found = load(written(spec, uid="u"))
    assert [each.code for each in found.warnings] == ["loose-cidr"]
    assert str(found.objects[0].egress[0].peers[0].block) == "10.0.0.0/8"


def test_what_is_right_is_read_once(monkeypatch):
    def never(text):
        raise AssertionError(text)

    monkeypatch.setattr("podfence.manifests.jsonitem.documents", never)
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}
    found = load({"apiVersion": "v1", "kind": "List", "items": [pod, written({"ingress": [{}]})]})
    assert [each.name for each in found.objects] == ["a", "p"]
