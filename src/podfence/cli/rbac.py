"""`podfence rbac`: the role that reading a cluster needs, as a manifest for `kubectl apply -f -`. Asks no cluster."""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import Parameter

from podfence.errors import UsageError
from podfence.kube.access import Bound, binding, role, service_account


def rbac(
    *,
    account: Annotated[str, Parameter(name="--for", show_default=False)] = "",
    user: Annotated[str, Parameter(show_default=False)] = "",
    group: Annotated[str, Parameter(show_default=False)] = "",
) -> int:
    """The ClusterRole that `cluster:` needs, and a ClusterRoleBinding where somebody is named.

    Parameters
    ----------
    account
        `system:serviceaccount:NAMESPACE:NAME` gets the role.
    user
        The user of this name gets the role.
    group
        The members of this group get the role.

    """
    named = [
        *([service_account(account)] if account else []),
        *([Bound("User", user)] if user else []),
        *([Bound("Group", group)] if group else []),
    ]
    if len(named) > 1:
        raise UsageError(
            "name one of --for, --user and --group: a binding has one name, and so one holder here"
        )
    sys.stdout.write("---\n".join([role(), *map(binding, named)]))
    return 0
