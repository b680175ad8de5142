"""The documentation is complete and true, as far as a machine can tell."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from podfence.cli import COMMANDS
from podfence.compiler import compile  # noqa: A004  precedent: re.compile
from podfence.model.address import address, network
from podfence.model.change import snapshot
from podfence.model.cluster import Namespace, Pod
from podfence.model.labels import selector
from podfence.model.policy import Direction, NetworkPeer, PodSelection, Policy, Rule
from podfence.model.ports import PortMatch, PortRange, Protocol
from podfence.nft.render import Settings, render

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
DESIGN = (DOCS / "design.md").read_text()
MODULES = sorted((ROOT / "src").rglob("*.py"))
PAGES = [
    *sorted(DOCS.rglob("*.md")),
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "examples/README.md")),
]
DECISIONS = sorted((DOCS / "decisions").glob("*.md"))

LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
OF_A_MACHINE = re.compile(r"(?<![\w.~])/(?:home|root|Users|work|tmp|srv|mnt)/\w")


def name_of(path):
    return str(path.relative_to(ROOT))


def prose(page):
    return FENCED.sub("", page.read_text())


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_every_module_begins_by_saying_what_it_is_for(module):
    first = (ast.get_docstring(ast.parse(module.read_text())) or "").partition("\n")[0]
    assert len(first.split()) >= 4, f"{name_of(module)}: say in the first line what the module is for"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_page(command):
    assert (DOCS / "commands" / f"{command}.md").is_file()


@pytest.mark.parametrize("command", COMMANDS)
def test_the_readme_names_every_command(command):
    assert f"podfence {command}" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page):
    for target in LINK.findall(prose(page)):
        path, _, anchor = target.partition("#")
        if "://" in path:
            continue
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{target} in {name_of(page)}"
        assert not anchor or anchor in anchors(there), f"{target} in {name_of(page)}"


def anchors(page):
    """As they are made of headings: small letters, no punctuation, hyphens for spaces."""
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(prose(page)))
    return {heading.replace(" ", "-") for heading in kept}


@pytest.mark.parametrize("page", [page for page in PAGES if page.parent != ROOT], ids=name_of)
def test_no_page_names_a_path_of_one_machine(page):
    assert not OF_A_MACHINE.search(page.read_text())


def test_the_contents_name_every_page():
    contents = {(DOCS / target).resolve() for target in LINK.findall((DOCS / "README.md").read_text())}
    assert {page for page in DOCS.rglob("*.md") if page.name != "README.md"} <= contents


def test_the_design_has_the_layers_of_the_import_contract_in_its_order():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    assert re.findall(r"^### `([^`]+)`$", DESIGN, re.MULTILINE) == layers


def test_the_design_shows_the_table_as_it_is():
    (shown,) = re.findall(r"^```nft\n(.*?)^```", DESIGN, re.MULTILINE | re.DOTALL)
    real = iter(listing().splitlines())
    for line in shown.splitlines():
        if line.strip() and not line.strip().startswith("#"):
            assert line in real, f"{line.strip()!r} does not stand there, or not behind the line before"


def listing():
    """What the example of the design says in words, its digests by the names used there."""
    web, hole = PodSelection("shop", selector(app="web")), network("10.9.1.0/24")
    rule = Rule(
        (web, NetworkPeer(network("10.9.0.0/16"), (hole,))), (PortMatch(Protocol.TCP, PortRange(5432, 5432)),)
    )
    policy = Policy(
        "shop", "db", PodSelection("shop", selector(app="db")), frozenset({Direction.INGRESS}), (rule,)
    )
    pods = [
        Pod("shop", name, {"app": name.partition("-")[0]}, (address(f"10.0.0.{number}"),))
        for number, name in enumerate(("db-0", "web-0", "web-1"), 1)
    ]
    program = compile(snapshot([Namespace("shop"), policy, *pods]))
    (combination,), (group,) = program.combinations, program.groups
    text = str(render(program, Settings(pod_interfaces=("pf*",)), 7))
    return re.sub(f"{combination}(_[0-9a-f]{{8}})?", "COMB", text).replace(group, "GROUP")


def test_decisions_are_numbered_without_gaps():
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("page", DECISIONS, ids=name_of)
def test_a_decision_has_a_context_a_choice_alternatives_and_consequences(page):
    title, *parts = HEADING.findall(page.read_text())
    assert title.startswith(f"{int(page.name[:4])}. ")
    assert parts == ["Context", "Choice", "Alternatives", "Consequences"]
