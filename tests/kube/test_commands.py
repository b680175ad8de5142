"""`cluster:` on the command line, where no cluster answers: one line, the way out, and an end when it is asked for."""

import json
import os
import signal
import socket
import subprocess
import sys

import pytest

from kube.server import Answer, answering, page, refusal
from podfence import sources
from podfence.cli import main

KINDS = 8


@pytest.fixture
def kubeconfig(tmp_path, monkeypatch):
    """Points at a server."""

    def written(server):
        path = tmp_path / "config"
        content = {
            "clusters": [{"name": "c", "cluster": {"server": server}}],
            "users": [{"name": "u", "user": {"token": "t"}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "c",
        }
        path.write_text(json.dumps(content))
        monkeypatch.setenv("KUBECONFIG", str(path))
        return path

    return written


def test_without_its_library_the_way_to_get_it_is_said(monkeypatch, capsys):
    monkeypatch.delitem(sources.LIVE, "cluster", raising=False)
    for name in [name for name in sys.modules if name.startswith("podfence.kube")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    assert main(["check", "cluster:"]) == 2
    assert "pip install 'podfence[live]'" in capsys.readouterr().err


def test_a_file_needs_no_library_of_clusters():
    code = "import sys; from podfence.cli import main; main(['explain', '--help']); print('aiohttp' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_every_missing_right_is_said_at_once_with_the_rule_that_grants_it(kubeconfig, capsys):
    with answering(*[refusal(403, "never heard of you")] * KINDS) as (at, _):
        kubeconfig(at.server)
        assert main(["check", "cluster:"]) == 2
    said = capsys.readouterr().err
    assert said.count("never heard of you (403)") == KINDS
    assert '{apiGroups: ["networking.k8s.io"], resources: [networkpolicies], verbs: [list]}' in said


def test_an_empty_cluster_is_an_answer(kubeconfig, capsys):
    with answering(*[page()] * KINDS, Answer(body=b'{"groups": [{"name": "cilium.io"}]}')) as (at, _):
        kubeconfig(at.server)
        assert main(["check", "cluster:"]) == 0
    assert "CiliumNetworkPolicy of cilium.io, which are not judged" in capsys.readouterr().out


def test_an_api_that_every_cluster_has_is_missed(kubeconfig, capsys):
    """Only those of few clusters may be absent: a server that has none of them is no API server."""
    with answering(*[refusal(404, "page not found")] * KINDS) as (at, _):
        kubeconfig(at.server)
        assert main(["check", "cluster:"]) == 2
    assert "page not found (404)" in capsys.readouterr().err


def test_a_control_character_in_the_servers_words_does_not_reach_the_terminal(kubeconfig, capsys):
    with answering(*[refusal(403, "\x1b[2Jgone")] * KINDS) as (at, _):
        kubeconfig(at.server)
        assert main(["check", "cluster:"]) == 2
    assert "\x1b[2J" not in capsys.readouterr().err


def test_it_can_be_interrupted_while_the_server_is_silent(kubeconfig):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        kubeconfig(f"http://127.0.0.1:{silent.getsockname()[1]}")
        code = "import sys; from podfence.cli import main; sys.exit(main())"
        command = [sys.executable, "-c", code, "check", "cluster:"]
        started = subprocess.Popen(command, env=os.environ, stderr=subprocess.PIPE, text=True)
        connection, _ = silent.accept()
        started.send_signal(signal.SIGINT)
        _, said = started.communicate(timeout=20)
        connection.close()
    assert (started.returncode, said) == (130, "")


def test_a_cluster_that_hides_its_groups_is_read_all_the_same(kubeconfig, capsys):
    with answering(*[page()] * KINDS, refusal(403)) as (at, _):
        kubeconfig(at.server)
        assert main(["check", "cluster:"]) == 0
    assert "discovery is forbidden" in capsys.readouterr().out
