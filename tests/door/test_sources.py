"""SOURCE: which files are read, which are passed over, and what is said of that."""

import io
import sys

import pytest

from podfence import sources
from podfence.errors import MissingExtraError, UsageError
from podfence.manifests.loaded import Manifests
from podfence.model.cluster import Pod

POD = "{{apiVersion: v1, kind: Pod, metadata: {{name: {}}}, spec: {{nodeName: {}}}}}\n"


@pytest.fixture
def tree(tmp_path):
    def write(**files):
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return str(tmp_path)

    return write


def names(*given, **options):
    found = sources.read(given, **options)
    assert found.problems == (), found.problems
    return [each.name for each in found.objects]


def codes(*given):
    found = sources.read(given)
    return [each.code for each in found.problems], [each.code for each in found.warnings]


def pod(name, node="x"):
    return POD.format(name, node)


def test_directories_are_read_recursively_and_in_order(tree):
    top = tree(
        b_dot_yaml=pod("b"),
        a__c_dot_yml=pod("c"),
        d_dot_json='{"apiVersion":"v1","kind":"Pod","metadata":{"name":"d"}}',
    )
    assert names(top) == ["c", "b", "d"]


def test_other_files_hidden_entries_and_links_are_passed_over(tree, tmp_path):
    top = tree(a_dot_yaml=pod("a"), b_dot_txt="x: [", _dot_git__c_dot_yaml=pod("c"), _dot_d_dot_yaml=pod("d"))
    (tmp_path / "e.yaml").symlink_to(tmp_path / "a.yaml")
    (tmp_path / "f").symlink_to(tmp_path, target_is_directory=True)
    assert names(top) == ["a"]


def test_a_named_file_is_read_whatever_it_is_called(tree, tmp_path):
    tree(_dot_hidden_dot_txt=pod("a"))
    assert names(str(tmp_path / ".hidden.txt")) == ["a"]


def test_documents_of_others_pass_in_directories_and_not_in_named_files(tree, tmp_path):
    top = tree(a_dot_yaml=pod("a") + "---\nx: 1\nx: 2\n---\n- 1\n---\nkind: Foo\n")
    assert names(top) == ["a"]
    problems, _ = codes(str(tmp_path / "a.yaml"))
    assert problems == ["duplicate-key", "missing-kind", "wrong-type", "missing-kind"]


def test_text_that_is_not_yaml_is_refused_in_directories_too(tree):
    problems, _ = codes(tree(a_dot_yaml=pod("a"), b_dot_yaml="{{ .Values.x }}: ]"))
    assert problems == ["bad-key"]


@pytest.mark.parametrize(
    ("file", "command"),
    [
        ("Chart.yaml", "helm template"),
        ("kustomization.yaml", "kubectl kustomize"),
        ("Kustomization", "kubectl kustomize"),
    ],
)
def test_charts_and_kustomizations_end_their_subtree_with_a_hint(tree, tmp_path, file, command):
    top = tree(a_dot_yaml=pod("a"), chart__templates__b_dot_yaml="{{ x }}: ]")
    (tmp_path / "chart" / file).write_text("name: x\n")
    found = sources.read([top])
    assert [each.name for each in found.objects] == ["a"]
    (hint,) = found.warnings
    assert (hint.code, f"try: {command} {tmp_path / 'chart'} | podfence check -" in hint.message) == (
        "not-rendered",
        True,
    )


def test_only_a_chart_is_no_input_and_says_why(tree, tmp_path):
    tree(Chart_dot_yaml="name: x\n")
    (problem,) = sources.read([str(tmp_path)]).problems
    assert problem.code == "no-objects"
    assert "helm template" in problem.message


@pytest.mark.parametrize("pattern", ["b.yaml", "sub/*", "sub"])
def test_exclude(tree, pattern):
    top = tree(a_dot_yaml=pod("a"), sub__b_dot_yaml=pod("b"))
    assert names(top, exclude=[pattern]) == ["a"]


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "---\n", "null\n", "{apiVersion: v1, kind: List, items: []}"]
)
def test_no_objects_at_all_is_refused(tree, tmp_path, text):
    tree(a_dot_yaml=text)
    assert codes(str(tmp_path / "a.yaml")) == (["no-objects"], [])


def test_objects_that_nobody_reads_are_said_to_be_none(tree, tmp_path):
    tree(a_dot_yaml="{apiVersion: v1, kind: ConfigMap}")
    assert codes(str(tmp_path / "a.yaml")) == ([], ["none-read"])


def test_the_last_source_wins_and_says_so(tree, tmp_path):
    tree(a_dot_yaml=pod("a", "n1"), b_dot_yaml=pod("a", "n2"))
    found = sources.read([str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml")])
    assert [each.node for each in found.objects] == ["n2"]
    assert [(each.code, each.severity.value) for each in found.warnings] == [("duplicate-name", "info")]
    assert found.places["Pod", "default", "a"].file.endswith("b.yaml")


def test_within_one_source_it_is_a_warning(tree):
    found = sources.read([tree(a_dot_yaml=pod("a", "n1"), b_dot_yaml=pod("a", "n2"))])
    assert [(each.code, each.severity.value) for each in found.warnings] == [("duplicate-name", "warning")]


def test_namespace_is_for_objects_that_name_none(tree):
    found = sources.read([tree(a_dot_yaml=pod("a"))], namespace="shop")
    assert found.objects[0].namespace == "shop"


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(pod("a").encode())))
    found = sources.read(["-"])
    assert found.places["Pod", "default", "a"].file == "<stdin>"


@pytest.mark.parametrize(
    ("given", "said"),
    [([], "no SOURCE"), (["-", "-"], "once"), (["/does/not/exist"], "no such file")],
)
def test_what_cannot_be_a_source(given, said):
    with pytest.raises(UsageError, match=said):
        sources.read(given)


def test_live_sources_are_dispatched_by_prefix(monkeypatch):
    seen = []

    def lab(rest, context):
        seen.append((rest, context.namespace))
        return Manifests(objects=(Pod("x", "a"),))

    monkeypatch.setitem(sources.LIVE, "lab", lab)
    monkeypatch.setitem(sources._IMPORTED_BY, "lab", "podfence.errors")
    assert names("lab:demo") == ["a"]
    assert seen == [("demo", "default")]


def test_an_empty_live_source_is_no_problem(monkeypatch):
    monkeypatch.setitem(sources.LIVE, "lab", lambda rest, context: Manifests())
    monkeypatch.setitem(sources._IMPORTED_BY, "lab", "podfence.errors")
    assert codes("lab:") == ([], ["none-read"])


def test_a_live_source_without_its_libraries_names_the_extra(monkeypatch):
    monkeypatch.setitem(sources._IMPORTED_BY, "cluster", "podfence.there_is_no_such_module")
    with pytest.raises(MissingExtraError, match=r"pip install 'podfence\[live\]'"):
        sources.read(["cluster:"])
