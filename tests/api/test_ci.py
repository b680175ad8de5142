"""The pre-commit hooks and the action: well-formed, and what they run works."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = ACTION["runs"]["steps"]
SCRIPTS = Path(os.path.realpath(ROOT / ".venv/bin"))
POLICY = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress: [{ports: [{port: %s}]}]
"""
RULES = "[{from: outside, to: {pods: {app: web}}, must: reach, ports: [80]}]\n"


@pytest.fixture
def tree(tmp_path, monkeypatch):
    (tmp_path / "policy.yaml").write_text(POLICY % 80)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_hook(name, *arguments):
    """As pre-commit does: the entry, its arguments, no names of files."""
    hook = HOOKS[name]
    program, *words = shlex.split(hook["entry"])
    command = [SCRIPTS / program, *words, *(arguments or hook["args"])]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_hooks_judge_the_whole_tree():
    assert all(hook["pass_filenames"] is False and hook["language"] == "python" for hook in HOOKS.values())


def test_the_check_hook_refuses_what_the_server_would(tree):
    assert run_hook("podfence-check").returncode in {0, 1}
    (tree / "policy.yaml").write_text(POLICY % 0)
    refused = run_hook("podfence-check")
    assert (refused.returncode, "must be between 1 and 65535" in refused.stdout) == (2, True)


def test_the_assert_hook_fails_where_a_requirement_does(tree):
    (tree / "rules.yaml").write_text(RULES)
    assert run_hook("podfence-assert", "--rules", "rules.yaml", "policy.yaml").returncode == 0
    (tree / "policy.yaml").write_text(POLICY % 81)
    assert run_hook("podfence-assert", "--rules", "rules.yaml", "policy.yaml").returncode == 1


def test_the_action_installs_its_own_checkout():
    install = next(step for step in STEPS if step.get("id") == "install")
    assert 'install --quiet "$GITHUB_ACTION_PATH"' in install["run"]


def test_no_input_is_ever_part_of_a_script():
    assert ACTION["runs"]["using"] == "composite"
    assert not any("${{" in step.get("run", "") for step in STEPS)


def run_action(tree, **given):
    """The step that runs podfence, with the inputs as the runner would set them."""
    step = next(step for step in STEPS if step.get("id") == "run")
    inputs = {name: each["default"] for name, each in ACTION["inputs"].items()} | given
    variables = {name: inputs[value.split(".")[1].rstrip(" }")] for name, value in step["env"].items()}
    runner = tree / "runner"
    (runner / "podfence").mkdir(parents=True, exist_ok=True)
    if not (runner / "podfence/bin").exists():
        (runner / "podfence/bin").symlink_to(SCRIPTS)
    output = runner / "output"
    environment = {"PATH": os.environ["PATH"], "RUNNER_TEMP": str(runner), "GITHUB_OUTPUT": str(output)}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    run = subprocess.run(
        command, env=environment | variables, capture_output=True, text=True, check=False, timeout=60
    )
    return run, output


def test_the_action_annotates_and_fails(tree):
    (tree / "policy.yaml").write_text(POLICY % 0)
    run, _ = run_action(tree, path="policy.yaml")
    assert run.returncode == 2
    assert run.stdout.startswith("::error file=policy.yaml,line=6")


def test_the_action_writes_sarif(tree):
    run, output = run_action(tree, path="policy.yaml", sarif="true", args="--fail-on error")
    assert run.returncode == 0, run.stderr
    where = output.read_text().partition("=")[2].strip()
    assert '"version": "2.1.0"' in Path(where).read_text()


def test_the_action_compares(tree):
    (tree / "new.yaml").write_text(POLICY % 81)
    run, _ = run_action(tree, command="diff", path="policy.yaml new.yaml", args="--fail-on widened")
    assert run.returncode == 1
    assert "shop/web" in run.stdout


def test_what_stands_in_an_input_is_not_run(tree):
    run, _ = run_action(tree, path='policy.yaml;touch$IFS"pwned" $(touch pwned)')
    assert run.returncode == 2
    assert not (tree / "pwned").exists()
