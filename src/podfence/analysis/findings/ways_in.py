"""Ways into the cluster that end at a policy: routes to pods that let nobody in from outside of their namespace.

The one question here that takes whole pairs to answer: it is asked, and what answers it imported, only where there
are routes. Next: `report`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from podfence.analysis.findings.finding import Finding
from podfence.analysis.findings.labels import listed
from podfence.manifests.loaded import Manifests, Severity, object_key
from podfence.model.cluster import Pod
from podfence.model.policy import NOWHERE_KNOWN

if TYPE_CHECKING:
    from podfence.analysis.routes import Blocked


def find(manifests: Manifests) -> Iterator[Finding]:
    """Of each route once what the same policies block, however many pods are told apart behind it."""
    blocked = _blocked(manifests) if manifests.routes and _has_pods(manifests) else ()
    alike: defaultdict[object, list[Blocked]] = defaultdict(list)
    for each in blocked:
        if each.closed:
            alike[each.route, str(each.closed), each.isolating].append(each)
    yield from (_told(manifests, several) for several in alike.values())


def _has_pods(manifests: Manifests) -> bool:
    """Pods that are derived from policies prove nothing about them."""
    return bool(manifests.templates) or any(isinstance(value, Pod) for value in manifests.objects)


def _blocked(manifests: Manifests) -> Iterator[Blocked]:
    from podfence.analysis.connections import connections
    from podfence.analysis.routes import Routing
    from podfence.manifests.assume import complete

    return Routing(connections(complete(manifests)), manifests.routes).blocked()


def _told(manifests: Manifests, several: Sequence[Blocked]) -> Finding:
    blocked = several[0]
    ends = listed(sorted({each.end.title for each in several}))
    place = manifests.places.get(object_key(blocked.route), NOWHERE_KNOWN)
    message = (
        f"this {blocked.route.kind} leads to {ends} on {blocked.closed}, where {blocked.isolating} "
        "lets in nobody from another namespace or address"
    )
    remedy = f"allow {blocked.closed} from the namespace that your controller runs in"
    return Finding("route-blocked", Severity.WARNING, place, blocked.route.title, "", message, remedy)
