"""Suppression, by object and by project; and the page on which every code stands."""

import json
import re
from pathlib import Path

import pytest

from findings.cases import ROUTED
from findings.inputs import ingress, item, labels, pod, policy, report, space
from podfence.analysis.findings.catalogue import CODES
from podfence.analysis.findings.suppression import AT_THE_DOOR, Ignore, ignore
from podfence.cli import main
from podfence.errors import UsageError

PAGE = (Path(__file__).parents[2] / "docs/findings.md").read_text()
WEB = pod("web", {"app": "web"}, 8080)
LOST = labels(app="cart")


def told(*objects, **options):
    found = report(*objects, **options)
    return {finding.code for finding in found.findings}, found.ignored


def test_the_page_has_every_code_once():
    headings = re.findall(r"^### `([a-z-]+)`$", PAGE, re.MULTILINE)
    assert len(headings) == len(set(headings))
    assert set(headings) == CODES.keys()


def test_every_code_of_the_page_has_an_example_and_a_way_out():
    for section in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]:
        assert re.search(r"^```yaml\n.+?^```\n\*\*Way out\.\*\* \S", section, re.MULTILINE | re.DOTALL), (
            section
        )


def test_codes_of_the_door_have_a_row_there():
    rows = set(
        re.findall(
            r"^\| `([a-z-]+)` \|", (Path(__file__).parents[2] / "docs/problems.md").read_text(), re.MULTILINE
        )
    )
    assert rows >= AT_THE_DOOR


def test_an_annotation_is_for_its_own_object():
    annotated = {"annotations": {"podfence.dev/ignore": "selects-nothing, no-default-deny"}}
    one = ingress(podSelector=LOST, metadata=annotated)
    other = ingress(podSelector=LOST, name="q")
    assert told(one, WEB) == ({"no-default-deny", "unprotected-pods"}, 1)
    assert "selects-nothing" in told(one, other, WEB)[0]


def test_an_annotation_on_a_route():
    said = item("Ingress", "way", metadata={"annotations": {"podfence.dev/ignore": "route-blocked"}})
    assert "route-blocked" in told(ingress(), *ROUTED)[0]
    assert told(ingress(), *ROUTED[:-1], {**ROUTED[-1], "metadata": said["metadata"]}) == (set(), 1)


def test_an_annotation_on_a_namespace():
    annotated = space("default")
    annotated["metadata"]["annotations"] = {"podfence.dev/ignore": "unprotected-pods"}
    assert "unprotected-pods" in told(WEB, space("default"))[0]
    assert told(WEB, annotated) == (set(), 1)


def test_configuration_is_for_all_objects_or_one():
    objects = (ingress(podSelector=LOST), ingress(podSelector=LOST, name="q"), WEB)
    everywhere = told(*objects, ignore=[Ignore("selects-nothing")])
    assert everywhere == ({"no-default-deny", "unprotected-pods", "redundant-policy"}, 2)
    assert "selects-nothing" in told(*objects, ignore=[Ignore("selects-nothing", "default/q")])[0]
    assert told(*objects, ignore=[Ignore("selects-nothing", "default/q")])[1] == 1


def test_what_the_door_doubted_can_be_left_out_too():
    null = policy(ingress=[None])
    assert "null-item" in told(null)[0]
    assert "null-item" not in told(null, ignore=[ignore("null-item:default/p")])[0]


@pytest.mark.parametrize("text", ["selects-noting", "", ":default/x"])
def test_a_code_that_does_not_exist_is_trouble(text):
    with pytest.raises(UsageError, match="does not exist"):
        ignore(text)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "input.json").write_text(
        json.dumps({"kind": "List", "apiVersion": "v1", "items": [ingress(podSelector=LOST), WEB]})
    )
    return tmp_path


def test_the_file_in_the_working_directory_counts(here, capsys):
    assert main(["check", "input.json"]) == 1
    (here / "podfence.toml").write_text('[check]\nignore = ["selects-nothing:default/p"]\n')
    assert main(["check", "input.json"]) == 0
    assert "1 ignored" in capsys.readouterr().err


def test_another_file_by_name(here):
    (here / "other.toml").write_text('[check]\nignore = ["selects-nothing"]\n')
    assert main(["check", "input.json", "--config", "other.toml"]) == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("check = 1", "check must be a table"),
        ("[check]\nignor = []", "did you mean ignore?"),
        ("[check]\nignore = 'x'", "must be a list of texts"),
        ("[check]\nignore = ['selects-nothin']", "did you mean selects-nothing?"),
        ("[check", "is not TOML"),
    ],
)
def test_a_file_that_means_nothing_is_trouble(here, capsys, text, said):
    (here / "podfence.toml").write_text(text)
    assert main(["check", "input.json"]) == 2
    complaint = capsys.readouterr().err
    assert said in complaint
    assert "podfence.toml" in complaint


def test_a_file_that_is_not_there_is_trouble(here, capsys):
    assert main(["check", "input.json", "--config", "none.toml"]) == 2
    assert "none.toml: no such file" in capsys.readouterr().err


def test_what_is_missing_is_said_once_for_a_kind():
    assert len(report(ingress(), ingress(name="q")).notes) == 3
    assert [note.split()[1] for note in report(ingress(), WEB, space("default")).notes] == ["services"]
    assert report(WEB).notes == ()
