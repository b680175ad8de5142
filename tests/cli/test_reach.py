"""`reach`: the strings the field knows, in every format; what is asked for and no more; why an answer is empty."""

import contextlib
import csv
import io
import json
import os
import pty
import sys
from xml.etree import ElementTree as ET

import pytest

from podfence.analysis.connections import connections
from podfence.analysis.narrowing import Answer
from podfence.cli import main
from podfence.cli.progress import Silence, progress
from podfence.cli.show.dot import dot
from podfence.cli.show.lines import FORMS, shown
from podfence.cli.show.svg import svg
from podfence.model.address import address
from podfence.model.change import snapshot
from podfence.model.cluster import Namespace, Pod

WORLD = """
{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: x, labels: {app: a}}, status: {podIP: 10.0.0.1},
 spec: {containers: [{ports: [{containerPort: 80, name: http}, {containerPort: 53, protocol: UDP}]}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: b, namespace: x, labels: {app: b}}, status: {podIP: 10.0.0.2}}
---
{apiVersion: v1, kind: Pod, metadata: {name: c, namespace: z}, status: {podIPs: [{ip: 10.0.0.3}, {ip: "fd00::3"}]}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: x}, spec: {
  podSelector: {matchLabels: {app: a}}, policyTypes: [Ingress, Egress], ingress: [
   {from: [{podSelector: {}}], ports: [{port: http}, {port: 90, endPort: 100}, {protocol: UDP}]},
   {from: [{ipBlock: {cidr: 0.0.0.0/0, except: [128.0.0.0/1]}}], ports: [{port: 443}]}]}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: q, namespace: x}, spec: {
  podSelector: {matchLabels: {app: b}}, policyTypes: [Ingress, Egress], ingress: [], egress: [{to: [{podSelector: {}}]}]}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: r, namespace: z}, spec: {
  podSelector: {}, policyTypes: [Ingress, Egress]}}
"""

TEXT = """\
0.0.0.0-127.255.255.255[External] => x/a[Pod] : TCP 443
x/b[Pod] => x/a[Pod] : TCP 80,90-100,443,UDP 1-65535
"""


@pytest.fixture
def ask(tmp_path, capsys):
    path = tmp_path / "world.yaml"
    path.write_text(WORLD)

    def reach(*arguments, status=0):
        assert main(["reach", str(path), *arguments, "--color=never"]) == status
        return capsys.readouterr()

    return reach


def test_text_has_the_strings_the_field_knows(ask):
    assert ask().out == TEXT


def test_csv_has_them_in_three_columns(ask):
    rows = list(csv.reader(io.StringIO(ask("-o", "csv").out)))
    assert rows == [["src", "dst", "conn"], *([*_ends(line), _conn(line)] for line in TEXT.splitlines())]


def _ends(line):
    return line.partition(" : ")[0].split(" => ")


def _conn(line):
    return line.partition(" : ")[2]


def test_markdown_has_them_in_a_table(ask):
    rows = [f"| {' | '.join([*_ends(line), _conn(line)])} |" for line in TEXT.splitlines()]
    assert ask("-o", "md").out.splitlines() == ["| src | dst | conn |", "|-----|-----|------|", *rows]


def test_json_is_a_plain_array_that_has_the_ports_as_numbers_too(ask):
    found = json.loads(ask("-o", "json").out)
    assert [f"{c['src']} => {c['dst']} : {c['conn']}" for c in found] == TEXT.splitlines()
    assert found[1]["protocols"] == {"TCP": [[80, 80], [90, 100], [443, 443]], "UDP": [[1, 65535]]}
    assert found[1]["other_protocols"] is False
    assert "families" not in found[1]


def test_dot_groups_workloads_by_namespace(ask):
    text = ask("-o", "dot").out
    assert 'subgraph "cluster_x" {' in text
    assert '"x/b[Pod]" -> "x/a[Pod]" [label="TCP 80,90-100,443,UDP 1-65535"' in text
    assert "z/c" not in text


def test_svg_is_xml_that_says_every_pair(ask):
    found = ET.fromstring(ask("-o", "svg").out)
    titles = [each.text for each in found.iter("{http://www.w3.org/2000/svg}title")]
    assert set(TEXT.splitlines()) <= set(titles)
    assert not [each for each in found.iter() if "href" in each.attrib or each.tag.endswith("script")]


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (["--focus", "x/b"], [1]),
        (["--focus", "x/b", "--direction", "ingress"], []),
        (["--focus", "x/a,x/b", "--direction", "ingress"], [0, 1]),
        (["--from", "x/b"], [1]),
        (["--from", "1.2.3.4"], [0]),
        (["--from", "200.1.2.3"], []),
        (["--from", "0.0.0.0-127.255.255.255[External]"], [0]),
        (["--to", "x/b[Pod]"], []),
        (["--focus", "b", "-n", "x"], [1]),
    ],
)
def test_only_what_is_asked_for_is_printed(ask, arguments, lines):
    printed = ask(*arguments)
    assert printed.out.splitlines() == [TEXT.splitlines()[number] for number in lines]
    assert ("nothing to show" in printed.err) is (not lines)


@pytest.mark.parametrize(
    ("port", "connections"),
    [
        ("tcp/80", ["TCP 80"]),
        ("80", ["TCP 80"]),
        ("80/TCP", ["TCP 80"]),
        ("http", ["TCP 80"]),
        ("95-443/tcp", ["TCP 443", "TCP 95-100,443"]),
        ("udp", ["UDP 1-65535"]),
        ("ICMP", []),
        ("443/UDP", ["UDP 443"]),
    ],
)
def test_a_port_leaves_the_pairs_that_may_use_it_and_that_part(ask, port, connections):
    assert [_conn(line) for line in ask("--port", port).out.splitlines()] == connections


def test_listening_leaves_the_ports_that_containers_declare(ask):
    assert [_conn(line) for line in ask("--listening").out.splitlines()] == ["TCP 80,UDP 53"]


def test_an_end_that_is_nowhere_is_an_error_with_a_suggestion(ask):
    assert "did you mean x/a" in ask("--focus", "x/aa", status=2).err


def test_exposure_beside_namespaces_is_refused(ask):
    assert "--by workload" in ask("--exposure", "--by", "namespace", status=2).err


def test_exposure_in_json_is_an_object(ask):
    found = json.loads(ask("--exposure", "-o", "json").out)
    assert set(found) == {"podfence", "reach", "exposure"}
    assert found["podfence"] == 1
    assert {(e["src"], e["dst"], e["direction"], e["protected"]) for e in found["exposure"]} == {
        ("0.0.0.0-127.255.255.255[External]", "x/a[Pod]", "ingress", True)
    }


@pytest.mark.parametrize("output", ["text", "csv", "md"])
def test_exposure_goes_with_every_format_of_lines(ask, output):
    assert "x/a[Pod]" in ask("--exposure", "-o", output).out


def test_no_pods_at_all_is_said(tmp_path, capsys):
    (tmp_path / "n.yaml").write_text("{apiVersion: v1, kind: Namespace, metadata: {name: x}}")
    assert main(["reach", str(tmp_path)]) == 0
    assert "there is no pod with an address" in capsys.readouterr().err


HOSTILE = 'n"|\\\x1b[31m\u202e<script>\n,=1'


def hostile():
    """Names that no server lets in, from an input that was not asked."""
    pods = [Pod("x", f"{name}{HOSTILE}", {}, (address(f"10.0.0.{n}"),)) for n, name in enumerate("ab", 1)]
    return Answer(connections(snapshot([Namespace("x"), *pods])))


@pytest.mark.parametrize("form", ["text", "csv", "md", "json"])
def test_a_hostile_name_stays_inside_its_field(form):
    text = "".join(shown(FORMS[form], hostile()))
    assert "\x1b" not in text
    assert "\u202e" not in text
    lines = len(text.splitlines())
    assert lines == {"text": 6, "csv": 7, "md": 8, "json": 8}[form]


def test_a_hostile_name_stays_inside_its_graph():
    picture = "".join(svg(hostile()))
    assert not list(ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}script"))
    assert "\x1b" not in "".join(dot(hostile())) + picture


def test_a_bar_appears_on_a_terminal_and_the_answer_stays_out_of_it(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr("podfence.cli.progress.PATIENCE", 0)
    terminal, ours = pty.openpty()
    monkeypatch.setattr("sys.stderr", os.fdopen(ours, "w"))
    with progress() as bar:
        bar._timer.join()
        bar.says("reading", 3)
        for each in bar.counted("abc"):
            print(each)
    sys.stderr.close()
    assert capfd.readouterr().out == "a\nb\nc\n"
    assert b"reading" in all_of(terminal)


def all_of(terminal):
    """What was written there until it was closed, which a terminal tells as an error."""
    found = b""
    with contextlib.suppress(OSError):
        while piece := os.read(terminal, 65536):
            found += piece
    os.close(terminal)
    return found


def test_nobody_watches_a_pipe(capfd):
    with progress() as bar:
        assert (list(bar.counted("ab")), type(bar)) == (["a", "b"], Silence)
    assert capfd.readouterr().err == ""
