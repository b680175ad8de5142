"""YAML as kubectl reads it, and what kubectl loses refused."""

import time
import tracemalloc

import pytest

from door.reading import POLICY, lines, noted, policy, read, spec
from podfence.manifests.scalars import plain, tagged
from podfence.manifests.yamlevents import documents
from podfence.model.labels import Operator, selector
from podfence.model.policy import Direction
from podfence.model.ports import PortRange


def value(text):
    (document,) = documents(text)
    assert document.faults == ()
    return document.value


def faults(text):
    return [(f.line, f.column, f.code) for document in documents(text) for f in document.faults]


@pytest.mark.parametrize("word", ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"])
def test_words_for_true(word):
    assert plain(word) is True


@pytest.mark.parametrize("word", ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"])
def test_words_for_false(word):
    assert plain(word) is False


@pytest.mark.parametrize("word", ["", "~", "null", "Null", "NULL"])
def test_words_for_null(word):
    assert plain(word) is None


@pytest.mark.parametrize(
    "text", ["80", "80.0", "0x50", "0120", "0o120", "8_0", "8e1", "+80", "0b1010000", "0X50"]
)
def test_every_way_to_write_eighty(text):
    assert plain(text) == 80
    assert type(plain(text)) is int


@pytest.mark.parametrize(
    "text",
    [
        "22:22",
        "1:20",
        "2026-11-23",
        "12e4567",
        "1.2.3",
        "0x",
        "-",
        ".",
        "+",
        "yEs",
        "nULL",
        "_1",
        "9" * 5000,
        "1e",
    ],
)
def test_what_stays_text(text):
    assert plain(text) == text


@pytest.mark.parametrize(
    ("text", "number"), [("80.5", 80.5), (".5", 0.5), ("0128", 128), ("-0x10", -16), ("1_000", 1000)]
)
def test_other_numbers(text, number):
    assert plain(text) == number


@pytest.mark.parametrize(
    ("tag", "text", "expected"),
    [
        ("!foo", "5", "5"),
        ("tag:yaml.org,2002:str", "5", "5"),
        ("tag:yaml.org,2002:int", "5", 5),
        ("tag:yaml.org,2002:binary", "YQ==", "a"),
    ],
)
def test_tags(tag, text, expected):
    assert tagged(tag, text) == expected


@pytest.mark.parametrize(
    ("kind", "text"), [("int", "a"), ("bool", "5"), ("null", "x"), ("float", "y"), ("binary", "/w==")]
)
def test_a_tag_that_its_text_contradicts_is_refused(kind, text):
    assert [code for _, _, code in faults(f"a: !!{kind} {text}")] == ["yaml-syntax"]


def test_keys_become_text():
    assert value("on: a\n1: b\n2.5: c\n0x10: d") == {"true": "a", "1": "b", "2.5": "c", "16": "d"}


@pytest.mark.parametrize("text", ["? \n: x", "~: x", "[a]: x", "{a: b}: x"])
def test_keys_that_json_does_not_have_are_refused(text):
    assert [code for _, _, code in faults(text)] == ["bad-key"]


def test_a_key_written_twice_is_refused_with_both_places():
    found = spec("podSelector: {}\npolicyTypes: [Egress]\npodSelector: {matchLabels: {a: b}}")
    (problem,) = found.problems
    assert str(problem) == 'f.yaml:8:3: key "podSelector" already set in map (first at 6:3)'


def test_an_alias_is_its_anchor():
    assert value("a: &x {k: [1]}\nb: *x\nc: [*x]") == {"a": {"k": [1]}, "b": {"k": [1]}, "c": [{"k": [1]}]}


def test_merged_keys_yield_to_written_ones():
    assert value("a: &x {k: 1, l: 2}\nb: {<<: *x, k: 3}") == {"a": {"k": 1, "l": 2}, "b": {"k": 3, "l": 2}}


def test_of_several_merged_mappings_the_first_wins():
    assert value("a: &x {k: 1}\nb: &y {k: 2, l: 2}\nc: {<<: [*x, *y]}")["c"] == {"k": 1, "l": 2}


def test_a_merge_below_a_key_that_it_contradicts_is_refused():
    assert faults("a: &x {k: 1}\nb: {k: 3, <<: *x}") == [(2, 11, "duplicate-key")]


def test_a_merge_of_something_else_is_refused():
    assert [code for _, _, code in faults("a: {<<: 5}")] == ["bad-key"]


def test_an_unknown_anchor_is_refused():
    assert faults("a: *x") == [(1, 4, "yaml-syntax")]


def test_an_anchor_that_contains_itself_is_refused():
    (document,) = documents("a: &x [*x]")
    assert document.faults[0].message == "anchor 'x' value contains itself"


def test_an_alias_bomb_is_refused():
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 30)
    )
    (document,) = documents(bomb)
    assert document.faults[0].message == "document contains excessive aliasing"


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", '{"a":', "? "])
def test_depth_has_a_limit(opening):
    assert [code for _, _, code in faults(opening * 100_000)] == ["nested-too-deeply"]


def test_a_directive_is_refused_as_go_yaml_does():
    assert [code for _, _, code in faults("%YAML 1.2\n---\na: 1")] == ["yaml-syntax"]


def test_text_after_three_dots_is_refused_because_kubectl_drops_it():
    assert [code for _, _, code in faults("a: 1\n...\nb: 2")] == ["yaml-syntax"]


def test_a_broken_document_does_not_hide_the_next():
    found = read(f"a: ]\n---\n{POLICY}  ports: []\n---\n- {{\n---\nkind: X\n")
    assert [(each.line, each.code) for each in found.problems] == [
        (1, "yaml-syntax"),
        (8, "unknown-field"),
        (11, "yaml-syntax"),
        (12, "missing-kind"),
    ]


def test_errors_without_end_are_cut_off():
    assert len(faults("---\n]\n" * 1000)) == 21


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + POLICY.encode(),
        POLICY.replace("\n", "\r\n").encode(),
        POLICY.encode("utf-16"),
        b"\xfe\xff" + POLICY.encode("utf-16-be"),
    ],
)
def test_encodings_and_line_ends(content):
    assert policy(read(content)).title == "default/p"


def test_bytes_that_are_no_text_are_refused_with_their_place():
    (problem,) = read(b"a: 1\nb: \xff\n").problems
    assert (problem.line, problem.column, problem.code) == (2, 4, "not-text")


def test_control_characters_are_refused_with_their_place():
    (problem,) = read(b"a: 1\nb: \x01\n").problems
    assert (problem.line, problem.column, problem.code) == (2, 4, "yaml-syntax")


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n---\n", "null\n", "~\n---\n"])
def test_nothing_is_nothing(text):
    assert list(filter(None, (document.value for document in documents(text)))) == []


def test_fields_that_are_absent_null_or_empty():
    assert policy(spec("ingress: []\negress: []")).directions == {Direction.INGRESS}
    assert policy(spec("podSelector: \npolicyTypes: \ningress: \n")).subject.pods == selector()
    assert policy(read(POLICY)).directions == {Direction.INGRESS}


@pytest.mark.parametrize("key", ["PodSelector", "podselector", "pod_selector"])
def test_keys_are_case_sensitive(key):
    (line,) = lines(spec(f"{key}: {{}}"))
    assert line == (
        f'spec.{key}: strict decoding error: unknown field "spec.{key}"; did you mean podSelector?'
    )


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("ingress: [{from: [{podSelector: {}, ports: [{port: 80}]}]}]", "spec.ingress[0].from[0].ports"),
        ("ingress: [{to: [{podSelector: {}}]}]", "spec.ingress[0].to"),
        ("egress: [{from: [{podSelector: {}}]}]", "spec.egress[0].from"),
        ("ingress: [{ports: [{port: 80, endport: 90}]}]", "spec.ingress[0].ports[0].endport"),
        ("ports: []", "spec.ports"),
    ],
)
def test_wrong_indentation_is_never_read_as_openness(text, field):
    (problem,) = spec(text).problems
    assert (problem.field, problem.code) == (field, "unknown-field")
    assert problem.message.startswith(f'strict decoding error: unknown field "{field}"')


def test_an_old_dump_with_status_is_refused():
    assert lines(read(POLICY + "status: {}\n")) == ['status: strict decoding error: unknown field "status"']


def test_the_advice_for_a_field_of_the_level_above():
    (problem,) = spec("ingress: [{from: [{podSelector: {}, ports: []}]}]").problems
    assert problem.message.endswith('; it belongs one level up (the level of "from"): check the indentation')


GO = "json: cannot unmarshal"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "ingress: [{ports: [{port: 80, endPort: x}]}]",
            (
                f"spec.ingress[0].ports[0].endPort: {GO} string into Go struct field "
                "NetworkPolicyPort.spec.ingress.ports.endPort of type int32"
            ),
        ),
        (
            "podSelector: {matchLabels: {a: NO}}",
            (
                f"spec.podSelector.matchLabels.a: {GO} bool into Go struct field "
                "LabelSelector.spec.podSelector.matchLabels of type string"
            ),
        ),
        (
            "podSelector: {matchLabels: {a: 5}}",
            (
                f"spec.podSelector.matchLabels.a: {GO} number into Go struct field "
                "LabelSelector.spec.podSelector.matchLabels of type string"
            ),
        ),
        (
            "ingress: {}",
            (
                f"spec.ingress: {GO} object into Go struct field "
                "NetworkPolicySpec.spec.ingress of type []v1.NetworkPolicyIngressRule"
            ),
        ),
        (
            "ingress: [{ports: [{port: 80.5}]}]",
            (
                f"spec.ingress[0].ports[0].port: {GO} number 80.5 into Go struct field "
                "NetworkPolicyPort.spec.ingress.ports.port of type int32"
            ),
        ),
        (
            "ingress: [{ports: [{port: 2147483648}]}]",
            (
                f"spec.ingress[0].ports[0].port: {GO} number 2147483648 into Go struct field "
                "NetworkPolicyPort.spec.ingress.ports.port of type int32"
            ),
        ),
        (
            "policyTypes: Ingress",
            (
                f"spec.policyTypes: {GO} string into Go struct field "
                "NetworkPolicySpec.spec.policyTypes of type []v1.PolicyType"
            ),
        ),
    ],
)
def test_wrong_types_in_the_words_of_the_server(text, line):
    assert lines(spec(text)) == [line]


def test_what_cannot_be_decoded_does_not_hide_other_problems():
    found = spec("podSelector: {matchLabels: {a: 5}}\ningress: [{from: [{x: {}}], ports: [{port: 0}]}]")
    assert [each.code for each in found.problems] == ["wrong-type", "unknown-field", "bad-port"]


@pytest.mark.parametrize("text", ["80", "80.0", "0x50", "0120", "0o120", "8_0", "8e1"])
def test_ports_as_kubectl_sends_them(text):
    (match,) = policy(spec(f"ingress: [{{ports: [{{port: {text}}}]}}]")).ingress[0].ports
    assert match.port == PortRange(80, 80)


def test_a_clock_time_is_a_port_name_with_a_bad_character():
    assert [each.code for each in spec("ingress: [{ports: [{port: 1:20}]}]").problems] == ["bad-port"] * 2


def test_a_null_label_is_refused():
    (problem,) = spec("podSelector: {matchLabels: {app: }}").problems
    assert (problem.field, problem.code) == ("spec.podSelector.matchLabels.app", "null-value")


def test_a_null_rule_allows_everything_as_kubernetes_stores_it():
    (rule,) = policy(spec("ingress:\n-\n")).ingress
    assert (rule.peers, rule.ports) == (None, None)


def test_an_empty_namespace_selector_is_not_an_absent_one():
    own = policy(spec("ingress: [{from: [{podSelector: {}, namespaceSelector: }]}]")).ingress[0].peers[0]
    every = policy(spec("ingress: [{from: [{podSelector: {}, namespaceSelector: {}}]}]")).ingress[0].peers[0]
    assert (own.namespaces, every.namespaces) == ("default", selector())


def test_named_ports_without_protocol_are_tcp():
    (match,) = policy(spec("ingress: [{ports: [{port: dns}]}]")).ingress[0].ports
    assert str(match) == "TCP dns"


def test_egress_rules_alone_isolate_both_ways():
    assert policy(spec("egress: [{}]")).directions == set(Direction)


def test_every_operator_reaches_the_model():
    expressions = ", ".join(
        f"{{key: k{n}, operator: {op}{', values: [b, a]' if n < 2 else ''}}}" for n, op in enumerate(Operator)
    )
    found = policy(spec(f"podSelector: {{matchExpressions: [{expressions}]}}")).subject.pods.requirements
    assert [(each.operator, each.values) for each in found[:2]] == [
        (Operator.IN, ("a", "b")),
        (Operator.NOT_IN, ("a", "b")),
    ]
    assert {each.operator for each in found} == set(Operator)


def test_places_of_a_policy():
    found = policy(
        spec(
            "ingress:\n- from:\n  - podSelector: {}\n  - ipBlock:\n      cidr: 10.0.0.0/8\n  ports:\n  - port: 80\n"
        )
    )
    places = {path: (found.places[path].line, found.places[path].column) for path in found.places}
    assert places[""] == (1, 1)
    assert places["spec.ingress[0]"] == (7, 5)
    assert places["spec.ingress[0].from[1]"] == (9, 7)
    assert places["spec.ingress[0].ports[0]"] == (12, 7)
    assert str(found.place("spec.ingress[0].from[1]")) == "f.yaml:9"
    assert "spec.egress" not in found.places


def test_every_place_that_is_listed_can_be_looked_up():
    found = policy(spec("podSelector: {matchLabels: {a.b/c: d, e: f}}"))
    assert len(dict(found.places)) == len(found.places)
    assert "spec.podSelector.matchLabels.e" in found.places


def test_lists_are_flattened_and_their_paths_are_the_objects_own():
    item = "{metadata: {name: p}, spec: {ingress: [{ports: [{port: 0}]}]}}"
    found = read(f"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicyList\nitems:\n- {item}\n")
    (problem,) = found.problems
    assert (problem.field, problem.line, problem.object) == (
        "spec.ingress[0].ports[0].port",
        4,
        "NetworkPolicy default/p",
    )


def test_the_same_name_twice_counts_once_and_is_noted():
    found = read(f"{POLICY}  ingress: []\n---\n{POLICY}  egress: [{{}}]\n")
    assert noted(found) == [("duplicate-name", "warning", "metadata.name")]
    assert policy(found).directions == set(Direction)
    assert found.warnings[0].message.endswith("the one in f.yaml:1")


GARBAGE = ["[", "a: ", "- - ", '"', "{", "&a ", "*a ", "? ", "|\n ", "x\t", "\u2028", "%", "a: &b !!c "]


@pytest.mark.parametrize("unit", GARBAGE)
def test_ten_megabytes_of_garbage_are_refused_in_bounded_memory(unit):
    content = (unit * (10_000_000 // len(unit.encode()))).encode()
    found, peak, seconds = measured(content)
    assert found.objects == ()
    assert peak < 25 * len(content)
    assert seconds < 60


def test_many_small_documents_cost_what_they_are_long():
    content = b"a: {b: [c, d]}\n---\n" * 10_000
    found, peak, _ = measured(content)
    assert {each.code for each in found.problems} == {"missing-kind"}
    assert peak < 100 * len(content)


def measured(content):
    tracemalloc.start()
    started = time.process_time()
    try:
        found = read(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return found, peak, time.process_time() - started
