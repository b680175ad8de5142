"""What a user shows to the server, above all what programs of the kubeconfig obtain."""

import json

import pytest

from kube.server import access
from podfence.kube import credentials
from podfence.kube.credentials import EXEC_API, obtain
from podfence.kube.kubeconfig import KubeconfigError
from podfence.kube.kubeconfig_file import Exec, User, Variable

V1 = f"{EXEC_API}v1"


@pytest.fixture
def program(tmp_path):
    """A program beside the kubeconfig, with what it does in shell."""

    def written(script, **more):
        path = tmp_path / "obtain"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o700)
        wanted = Exec(**{"api_version": V1, "command": "./obtain", **more})
        return access("https://s", User(exec=wanted), tmp_path)

    return written


def printed(**status):
    return "echo '" + json.dumps({"apiVersion": V1, "kind": "ExecCredential", "status": status}) + "'"


def test_a_program_obtains_a_token(program):
    assert obtain(program(printed(token="fresh"))).current() == (("Authorization", "Bearer fresh"),)


def test_a_program_obtains_a_certificate(program):
    found = obtain(program(printed(clientCertificateData="PEM", clientKeyData="KEY")))
    assert (found.certificate, found.key, found.current()) == ("PEM", "KEY", ())


def test_a_program_is_told_what_it_is_for(program, tmp_path):
    script = f'echo "$KUBERNETES_EXEC_INFO" > told; echo "$EXTRA $1" > given\n{printed(token="t")}'
    script = script.replace("> told", f"> {tmp_path}/told").replace("> given", f"> {tmp_path}/given")
    obtain(program(script, args=["first"], env=[Variable("EXTRA", "more")], provide_cluster_info=True))
    told = json.loads((tmp_path / "told").read_text())
    assert (told["apiVersion"], told["spec"]["cluster"]["server"]) == (V1, "https://s")
    assert (tmp_path / "given").read_text() == "more first\n"


@pytest.mark.parametrize(
    ("script", "more", "said"),
    [
        ("exit 3", {}, "obtained no credentials: status 3"),
        ("echo hello", {}, "printed no ExecCredential"),
        (printed(), {}, "printed no credentials"),
        (printed(token="t"), {"api_version": f"{EXEC_API}v1beta1"}, "printed no credentials of .*v1beta1"),
        (printed(token="t"), {"api_version": f"{EXEC_API}v1alpha1"}, "kubectl and podfence speak"),
        ("", {"command": "./not-here", "install_hint": "Get it\n  there."}, "is not here: Get it there"),
        ("", {"command": "./not-here"}, "is not here: install it, as for kubectl"),
    ],
)
def test_a_program_that_obtains_nothing(program, script, more, said):
    with pytest.raises(KubeconfigError, match=said):
        obtain(program(script, **more))


def test_a_program_that_hangs(program, monkeypatch):
    monkeypatch.setattr(credentials, "PATIENCE", 0.1)
    with pytest.raises(KubeconfigError, match="longer than"):
        obtain(program("exec sleep 5"))


def test_a_token_is_enough_to_leave_the_program_alone(program):
    at = program("exit 1")
    user = User(token="given", exec=at.user.exec)
    assert obtain(access("https://s", user)).current() == (("Authorization", "Bearer given"),)


def test_acting_as_somebody_else_is_never_left_out():
    user = User(
        token="t", act_as="jane", act_as_groups=["dev", "ops"], act_as_extra={"why": ["a"]}, act_as_uid="7"
    )
    assert obtain(access("https://s", user)).current()[1:] == (
        ("Impersonate-User", "jane"),
        ("Impersonate-Uid", "7"),
        ("Impersonate-Group", "dev"),
        ("Impersonate-Group", "ops"),
        ("Impersonate-Extra-why", "a"),
    )


def test_a_name_and_a_password():
    user = User(username="u", password="p")
    assert obtain(access("https://s", user)).current() == (("Authorization", "Basic dTpw"),)


def test_what_kubernetes_no_longer_has():
    with pytest.raises(KubeconfigError, match="auth-provider"):
        obtain(access("https://s", User(auth_provider={"name": "gcp"})))
