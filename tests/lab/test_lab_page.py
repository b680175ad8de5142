"""What the pages about the lab show is what a lab prints."""

import re
import shlex
from pathlib import Path

import pytest

pytestmark = pytest.mark.kernel

ROOT = Path(__file__).parents[2]
PAGES = ["lab", "flows"]


@pytest.mark.parametrize("page", PAGES)
def test_the_session_on_the_page_happens_as_it_is_shown(labs, monkeypatch, page):
    monkeypatch.chdir(ROOT)
    text = (ROOT / "docs" / "commands" / f"{page}.md").read_text()
    (session,) = re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    status, steps = 0, re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]
    assert len(steps) >= 5
    for step in steps:
        command, _, shown = step.partition("\n")
        if command == "echo $?":
            assert int(shown) == status
            continue
        ended = labs.podfence(*shlex.split(command)[1:], status=None)
        status = ended.returncode
        pattern = ".*".join(map(re.escape, shown.strip().split("…")))
        assert re.fullmatch(pattern, ended.stdout.strip(), re.DOTALL), (command, ended.stdout, ended.stderr)
