"""Policies judged by Kubernetes itself: what its own decoder and validation said of them is said here as well.

`judged.jsonl` was written by a program around `UnmarshalStrict`, the defaulting and `ValidateNetworkPolicy` of
Kubernetes 1.37.2, fed from `strategies`. Go's decoder stops at its first wrong type (DECODE); ours goes on.
"""

import json
from pathlib import Path

import pytest

from door.reading import lines, read
from door.strategies import dumped

JUDGED = [json.loads(line) for line in (Path(__file__).parent / "judged.jsonl").read_text().splitlines()]


def names(index):
    return f"line-{index + 1}"


def said_by_us(document):
    found = read(dumped(document))
    return found, sorted(lines(found))


@pytest.mark.parametrize("index", range(len(JUDGED)), ids=names)
def test_kubernetes_says_the_same(index):
    document, expected = JUDGED[index]["document"], JUDGED[index]["lines"]
    found, said = said_by_us(document)
    decoding = [line.removeprefix("DECODE ") for line in expected if line.startswith("DECODE ")]
    strict = sorted(line.removeprefix("STRICT ") for line in expected if line.startswith("STRICT "))
    if decoding:
        assert decoding[0] in {each.message for each in found.problems if each.code == "wrong-type"}
    elif strict:
        unknown = (each for each in found.problems if each.code == "unknown-field")
        assert sorted(f'unknown field "{each.field}"' for each in unknown) == strict
    else:
        assert said == sorted(expected)


def test_there_is_something_of_everything():
    kinds = {line.partition(" ")[0] for each in JUDGED for line in each["lines"]}
    assert {
        "DECODE",
        "STRICT",
        "spec.policyTypes[0]:",
        "metadata.name:",
        "spec.podSelector.matchLabels:",
    } <= kinds
    assert any(not each["lines"] for each in JUDGED)
