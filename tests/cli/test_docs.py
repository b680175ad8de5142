"""What the pages about commands show is what the commands print.

In a ```console block `$ podfence …` is run and the lines below are compared, stdout before stderr; a `…`
stands for any text. `$ echo $?` asks for the exit status. A ```yaml block with a name is that file.
Blocks that need a lab are left to the tests of the lab.
"""

import re
import shlex
from pathlib import Path

import pytest

from podfence.cli import COMMANDS, main

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs/commands").glob("*.md"))
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^```yaml (\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LAB = "podfence lab"
EXAMPLES = [(page, block) for page in PAGES for block in BLOCK.findall(page.read_text()) if LAB not in block]


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


@pytest.mark.parametrize(("page", "block"), EXAMPLES, ids=lambda value: getattr(value, "stem", ""))
def test_an_example_prints_what_the_page_shows(here, capsys, page, block):
    for name, content in FILE.findall(page.read_text()):
        (here / name).write_text(content)
    status = 0
    for command, expected in _steps(block):
        if command == "echo $?":
            assert int(expected) == status
            continue
        status = main(shlex.split(command, comments=True)[1:])
        assert _matches(expected, "".join(capsys.readouterr())), command


def _steps(block):
    """Commands, each with what stands below it."""
    for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, expected = step.partition("\n")
        yield command, expected


def _matches(expected, printed):
    parts = [re.escape(part) for part in expected.strip().split("…")]
    return re.fullmatch(".*".join(parts), printed.strip(), re.DOTALL) is not None


def test_pages_about_questions_show_examples():
    assert {"check", "explain", "render"} <= {page.stem for page, _ in EXAMPLES}


def test_a_page_is_about_a_command():
    assert {page.stem for page in PAGES} <= COMMANDS.keys()
