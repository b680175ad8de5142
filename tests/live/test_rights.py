"""`podfence rbac` grants what the questions need, and no line of it can be left out."""

import re
import time

import pytest
import yaml

from podfence.cli import main
from podfence.kube.resources import EVERYTHING

FLOW = ["--from", "shop/web", "--to", "shop/db", "--port", "5432/TCP"]
QUESTIONS = [["check", "--fail-on", "error"], ["explain", *FLOW], ["reach"], ["render", "--node", "node-1"]]


@pytest.fixture
def reader(world, monkeypatch, capsys):
    """A user who has exactly the printed role."""
    assert main(["rbac", "--user", "reader"]) == 0
    grant(world, capsys.readouterr().out)
    monkeypatch.setenv("KUBECONFIG", str(world.kubeconfig("reader")))
    return world


def grant(api, manifest):
    """In force a moment later: the server watches its own roles."""
    api.kubectl("apply", "-f", "-", stdin=manifest)
    (role, *_) = yaml.safe_load_all(manifest)
    allowed = {plural for rule in role["rules"] for plural in rule["resources"]}
    for _ in range(100):
        known = {each.plural for each in EVERYTHING if can(api, each)}
        if known == allowed:
            return
        time.sleep(0.05)
    raise AssertionError(f"granted {allowed}, in force {known}")


def can(api, resource):
    """Rights come first: who has them is told that there is no such API."""
    return api.raw("GET", resource.path, user="reader")[0] in ({200, 404} if resource.optional else {200})


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question[0])
def test_the_printed_role_is_enough(reader, capsys, question):
    assert main([question[0], "cluster:", *question[1:]]) == 0, capsys.readouterr().err


@pytest.mark.parametrize("resource", EVERYTHING, ids=lambda resource: resource.plural)
def test_no_line_of_it_can_be_left_out(reader, capsys, resource):
    assert main(["rbac"]) == 0
    grant(reader, without(capsys.readouterr().out, resource.plural))
    assert main(["explain", "cluster:", *FLOW]) == 2
    said = capsys.readouterr().err
    assert f'cannot list resource "{resource.plural}"' in said
    (rule,) = re.findall(r"; rule: (.*)", said)
    assert yaml.safe_load(rule) == {
        "apiGroups": [resource.group],
        "resources": [resource.plural],
        "verbs": ["list"],
    }


def without(manifest, plural):
    role = yaml.safe_load(manifest)
    for rule in role["rules"]:
        rule["resources"] = [each for each in rule["resources"] if each != plural]
    role["rules"] = [rule for rule in role["rules"] if rule["resources"]]
    return yaml.safe_dump(role)


def test_the_role_grants_no_secret_and_no_change(reader):
    assert reader.ask("GET", "/api/v1/secrets", user="reader")[0] == 403
    assert reader.ask("DELETE", "/api/v1/namespaces/shop/pods/web", user="reader")[0] == 403


def test_a_service_account_gets_it_too(reader, capsys):
    assert main(["rbac", "--for", "system:serviceaccount:shop:auditor"]) == 0
    reader.kubectl("apply", "-f", "-", stdin=capsys.readouterr().out)
    done = reader.kubectl(
        "auth", "can-i", "list", "pods", "-A", "--as", "system:serviceaccount:shop:auditor", check=False
    )
    assert done.stdout.strip() == "yes"
