"""Whatever comes in: no traceback, no hang, and nothing let in that strict decoding or validation refuses."""

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from door import strategies
from door.reading import read
from podfence.manifests.loaded import Manifests
from profiles import examples

few = examples(200)


@few
@given(st.binary(max_size=200))
def test_any_bytes_give_an_answer(content):
    assert isinstance(read(content), Manifests)


@few
@given(strategies.texts())
def test_any_tokens_give_an_answer(text):
    found = read(text.encode("utf-8", "surrogatepass"))
    assert all(each.message and each.code for each in (*found.problems, *found.warnings))


@few
@given(strategies.mutated())
def test_a_policy_with_strange_fields_gives_an_answer(value):
    found = read(strategies.dumped(value))
    assert found.problems or not _unknown(value)


@few
@given(strategies.policies())
def test_json_read_as_yaml_gives_the_same_answer(value):
    content = strategies.dumped(value)
    as_json, as_yaml = read(content), read(b"---\n" + content)
    assert as_json.objects == as_yaml.objects
    assert [(each.field, each.message, each.column) for each in as_json.problems] == [
        (each.field, each.message, each.column) for each in as_yaml.problems
    ]


@few
@given(strategies.mutated())
def test_what_a_server_stored_is_never_refused_and_never_opens(value):
    value["metadata"] = {"name": "p", "uid": "u"}
    found = read(strategies.dumped(value))
    if not isinstance(value.get("apiVersion"), str) or not isinstance(value.get("kind"), str):
        return
    if (value["apiVersion"], value["kind"]) != ("networking.k8s.io/v1", "NetworkPolicy"):
        return
    assert found.problems == ()
    (policy,) = found.objects
    for each in found.warnings:
        assert (
            each.code in {"null-item", "loose-cidr"}
            or not _is_open(policy, each)
            or each.severity != "warning"
        )


def _is_open(policy, said):
    """Whether a rule that something is said against still lets anything in."""
    for field, rules in (("ingress", policy.ingress), ("egress", policy.egress)):
        for index, rule in enumerate(rules):
            if said.field.startswith(f"spec.{field}[{index}]"):
                return rule.peers != ()
    return False


def _unknown(value):
    """The unknown fields of the two upper levels, found without the code under test."""
    if not isinstance(value, dict):
        return []
    below = value.get("spec")
    known = {"apiVersion", "kind", "metadata", "spec"}
    inside = below if isinstance(below, dict) else {}
    return list(
        chain(
            (key for key in value if key not in known),
            (key for key in inside if key not in {"podSelector", "ingress", "egress", "policyTypes"}),
            (
                key
                for rule in (inside.get("ingress") if isinstance(inside.get("ingress"), list) else [])
                if isinstance(rule, dict)
                for key in rule
                if key not in {"from", "ports"}
            ),
        )
    )
