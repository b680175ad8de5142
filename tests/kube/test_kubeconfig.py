"""Kubeconfig files as kubectl reads them, and words for those that lead nowhere."""

import base64
import json

import pytest

from podfence.kube.kubeconfig import KubeconfigError, find


def config(name, **more):
    return {
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}/", **more.pop("cluster", {})}}],
        "users": [{"name": name, "user": {"token": f"token of {name}"}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
        **more,
    }


@pytest.fixture
def write(tmp_path):
    def written(name, content):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    return written


def test_the_current_context_and_one_by_name(write):
    path = write(
        "config",
        config("a") | {"contexts": [*config("a")["contexts"], {"name": "b", "context": {"cluster": "a"}}]},
    )
    assert find("", {"KUBECONFIG": path}).user.token == "token of a"
    assert find("b", {"KUBECONFIG": path}).user.token == ""
    assert find("a", {"KUBECONFIG": path}).server == "https://a"


def test_files_are_merged_and_the_first_wins(write):
    paths = ":".join([write("one", config("a")), write("two", config("b")), "/does/not/exist"])
    assert find("", {"KUBECONFIG": paths}).name == "a"
    assert find("b", {"KUBECONFIG": paths}).server == "https://b"


def test_the_usual_file_is_in_the_home_directory(write, tmp_path):
    write(".kube/config", config("home"))
    assert find("", {"HOME": str(tmp_path)}).name == "home"


def test_relative_paths_start_at_the_file_that_has_them(write):
    write("sub/ca.crt", "an authority")
    path = write("sub/config", config("a", cluster={"certificate-authority": "ca.crt"}))
    assert find("", {"KUBECONFIG": path}).authority == "an authority"


def test_data_wins_over_a_file(write):
    data = base64.b64encode(b"inline").decode()
    cluster = {"certificate-authority-data": data, "certificate-authority": "/does/not/exist"}
    assert find("", {"KUBECONFIG": write("config", config("a", cluster=cluster))}).authority == "inline"


def test_a_pod_uses_its_own_account(tmp_path):
    for name in ("token", "ca.crt"):
        (tmp_path / name).write_text(name)
    inside = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443", "HOME": str(tmp_path)}
    found = find("", inside, account=tmp_path)
    assert (found.server, found.authority) == ("https://[fd00::1]:443", "ca.crt")
    assert found.user.token_file == str(tmp_path / "token")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not YAML"),
        ("[]", "not a kubeconfig: Expected `object`, got `array`"),
        ({"clusters": [{"name": "a"}]}, "not a kubeconfig: Object missing required field `cluster`"),
        (
            config("a", users=[{"name": "a", "user": {"token": 1}}]),
            "not a kubeconfig: Expected `str`, got `int`",
        ),
        ("", "no current context"),
        (config("a", clusters=[]), "context 'a' names cluster 'a', which the kubeconfig does not have"),
        (config("a", users=None), "context 'a' names user 'a', which the kubeconfig does not have"),
        (config("a", cluster={"certificate-authority-data": "?"}), "no base64"),
    ],
)
def test_what_leads_nowhere_is_said(write, content, said):
    with pytest.raises(KubeconfigError, match=said.replace("[", r"\[")):
        find("", {"KUBECONFIG": write("config", content)})


def test_a_context_that_is_not_there(write):
    path = write("config", config("staging"))
    with pytest.raises(KubeconfigError, match=r"no context 'stagin'; did you mean staging\?"):
        find("stagin", {"KUBECONFIG": path})


def test_a_list_of_files_that_are_all_missing():
    with pytest.raises(KubeconfigError, match=r"\$KUBECONFIG names /no/a, /no/b: no such file"):
        find("", {"KUBECONFIG": "/no/a:/no/b"})


def test_nothing_at_all(tmp_path):
    with pytest.raises(KubeconfigError, match="no kubeconfig"):
        find("", {"HOME": str(tmp_path)})


def test_a_pod_without_a_token(tmp_path):
    with pytest.raises(KubeconfigError, match="automountServiceAccountToken"):
        find("", {"KUBERNETES_SERVICE_HOST": "h", "HOME": str(tmp_path)}, account=tmp_path)
