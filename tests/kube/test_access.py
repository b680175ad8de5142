"""The role that is printed: exactly what is read, and names that cannot say anything else."""

import pytest
import yaml

from podfence.errors import UsageError
from podfence.kube.access import Bound, binding, role, service_account
from podfence.kube.resources import EVERYTHING


def test_the_role_is_what_is_read_and_only_to_list():
    rules = yaml.safe_load(role())["rules"]
    granted = {
        (group, plural) for rule in rules for group in rule["apiGroups"] for plural in rule["resources"]
    }
    assert granted == {(each.group, each.plural) for each in EVERYTHING}
    assert {verb for rule in rules for verb in rule["verbs"]} == {"list"}


def test_a_service_account_is_bound():
    (subject,) = yaml.safe_load(binding(service_account("system:serviceaccount:ops:podfence")))["subjects"]
    assert subject == {"kind": "ServiceAccount", "name": "podfence", "namespace": "ops"}


@pytest.mark.parametrize("name", ["jane", "a: b", 'q"}\n- x', "{}", "é\x85\u2028", "null", "# no"])
def test_any_name_stays_a_name(name):
    (subject,) = yaml.safe_load(binding(Bound("User", name)))["subjects"]
    assert subject == {"kind": "User", "name": name, "apiGroup": "rbac.authorization.k8s.io"}


@pytest.mark.parametrize(
    "text", ["", "podfence", "ops:podfence", "system:serviceaccount:a", "system:serviceaccount:a:b:c"]
)
def test_what_is_no_service_account(text):
    with pytest.raises(UsageError, match="system:serviceaccount:NAMESPACE:NAME"):
        service_account(text)
