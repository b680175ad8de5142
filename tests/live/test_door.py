"""The door says what the API server says: every row of tests/door, sent to a real one.

The documents are those that `tests/door` judges, recorded while its tests run, so a new row there is a row here.
They are sent as YAML, which the server reads with the same library as kubectl, in the strict mode that kubectl asks for.
"""

import http
import re
from contextlib import suppress
from inspect import getmembers, isfunction, signature
from unittest.mock import patch
from urllib.parse import quote

import pytest

from door import reading, test_policy_rules, test_yaml
from door.reading import lines
from podfence.manifests.load import load

PATH = "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies?dryRun=All&fieldValidation=Strict"
UNDECODED = 'NetworkPolicy in version "v1" cannot be handled as a NetworkPolicy: '
MADE_UP = re.compile(r'^(metadata\.name: Invalid value: ".*?)\w+(": )')
"""A name that was made up of `generateName` ends differently each time."""


def documents(module):
    """What the tests of a module ask the door, in order, each text once."""
    asked = {}

    def noted(content, *_):
        asked.setdefault(content)
        raise _NotedError

    with patch.object(reading, "load", noted):
        for _, test in getmembers(module, isfunction):
            for arguments in _rows(test) if test.__name__.startswith("test_") else ():
                with suppress(_NotedError):
                    test(**arguments)
    return list(asked)


class _NotedError(Exception):
    """A test is left as soon as its document is known."""


def _rows(test):
    """The arguments of every run of a test; none where it needs a fixture."""
    marks = [mark for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
    rows = [_arguments(mark, row) for mark in marks for row in mark.args[1]] if marks else [{}]
    return [row for row in rows if set(row) == set(signature(test).parameters)]


def _arguments(mark, row):
    names = mark.args[0] if not isinstance(mark.args[0], str) else [mark.args[0]]
    return dict(zip(names, row if len(names) > 1 else [row], strict=True))


RULES = documents(test_policy_rules)
TEXTS = [text for text in documents(test_yaml) if b"kind: NetworkPolicy\n" in text and b"\n---" not in text]


def sent(api, document):
    """The server's answer to a document."""
    found = load(document)
    namespaces = {each.namespace for each in found.objects} or {"default"}
    (namespace,) = namespaces
    return api.ask("POST", PATH.format(quote(namespace, safe="")), document, "application/yaml")


def comparable(said):
    """Labels are looked at in an order of chance."""
    return sorted(MADE_UP.sub(r"\1…\2", line) for line in said)


@pytest.mark.parametrize("index", range(len(RULES)))
def test_every_rule(api, index):
    """All lines, and none besides."""
    status, answer = sent(api, RULES[index])
    if status == http.HTTPStatus.BAD_REQUEST:
        assert undecoded_alike(answer, RULES[index])
        return
    causes = answer.get("details", {}).get("causes", [])
    said = [f"{each['field']}: {each['message']}" for each in causes]
    assert comparable(lines(load(RULES[index]))) == comparable(said)


@pytest.mark.parametrize("index", range(len(TEXTS)))
def test_every_text(api, index):
    """Refused or taken alike, and what cannot be decoded in the same words. Ours may add the way out."""
    status, answer = sent(api, TEXTS[index])
    found = load(TEXTS[index])
    if {each.code for each in found.problems} & {"null-value"}:
        assert status == http.HTTPStatus.CREATED  # refused by us alone: kubectl apply and create differ in it
    elif {each.code for each in found.problems} & {"wrong-type", "unknown-field"}:
        assert undecoded_alike(answer, TEXTS[index])
    else:
        assert (status == http.HTTPStatus.CREATED) == (not found.problems), (answer, lines(found))


def undecoded_alike(answer, document):
    """The server stops at the first, and of a time that is none it also says which part."""
    words = answer["message"].removeprefix(UNDECODED)
    ours = [each.message for each in load(document).problems]
    return any(said.startswith(words) or words.startswith(said) for said in ours)


def test_kubectl_prints_the_same_of_a_file(api, tmp_path):
    """The way people see it: a line for every cause."""
    path = tmp_path / "policy.yaml"
    rules = "[{ports: [{port: 0}, {port: HTTP}], from: [{}]}]"
    path.write_text(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\n"
        f"spec: {{podSelector: {{}}, ingress: {rules}}}\n"
    )
    done = api.kubectl("apply", "--dry-run=server", "-f", str(path), check=False)
    said = [line.removeprefix("* ") for line in done.stderr.splitlines() if line.startswith("* ")]
    assert said == lines(load(path.read_bytes()))
    assert len(said) == 4


def test_there_is_something_of_everything():
    assert len(RULES) > 80
    assert len(TEXTS) > 30
