"""The library: lazy, typed, true to its page."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import podfence
from podfence import api

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/library.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def python(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )


def test_importing_it_imports_nothing_else():
    code = "import sys; before = set(sys.modules); import podfence; print(sorted(set(sys.modules) - before))"
    assert python(code).stdout.strip() == "['__future__', 'podfence']"


def test_names_are_those_of_the_api():
    assert set(podfence.__all__) - {"__version__"} == set(api.__all__)
    assert all(getattr(podfence, name) is getattr(api, name) for name in api.__all__)
    assert set(podfence.__all__) <= set(dir(podfence))


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'recah'"):
        podfence.recah  # noqa: B018


def test_every_call_says_what_it_does():
    assert all(getattr(api, name).__doc__ for name in api.__all__)


def test_a_program_that_uses_it_type_checks(tmp_path):
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(tmp_path)]
    run = subprocess.run(
        [*command, "--follow-imports=silent", str(Path(__file__).parent / "typed_use.py")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
        env={**os.environ, "MYPYPATH": ""},
    )
    assert (run.returncode, run.stdout) == (0, "")


def test_the_page_is_true(monkeypatch):
    monkeypatch.chdir(ROOT)
    names = {}
    for block in BLOCKS:
        exec(block, names)
    assert len(BLOCKS) >= 5


def test_refused_input_says_all_that_is_wrong(tmp_path):
    policy = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: %s}, spec: {podSelectr: {}}}"
    (tmp_path / "bad.yaml").write_text(f"{policy % 'a'}\n---\n{policy % 'b'}\n")
    with pytest.raises(podfence.RefusedError) as refused:
        podfence.load(str(tmp_path))
    assert {problem.line for problem in refused.value.problems} == {1, 3}
