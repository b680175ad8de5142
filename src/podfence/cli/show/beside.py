"""Lines beside those of pairs: ways in through a controller, and Services, each port of them. Next: `lines`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from podfence.analysis.connections import Allowed
from podfence.analysis.narrowing import Answer
from podfence.analysis.routes import CONTROLLER, Routing
from podfence.analysis.services import Served, Serving
from podfence.cli.show.lines import Entry
from podfence.model.policy import Direction
from podfence.model.ports import PortRange
from podfence.model.portset import PortSet


def ways_in(routing: Routing, answer: Answer) -> Iterator[Entry]:
    """A controller is no end that anybody can ask from, but what it reaches is."""
    wanted = answer.wanted
    for end, ports in routing.lines.items():
        chosen = all(some is None or end in some for some in (wanted.focus, wanted.destinations))
        if chosen and wanted.sources is None and wanted.direction is not Direction.EGRESS:
            yield Entry(CONTROLLER, answer.found.ends[end].title, Allowed(ports))


def services(answer: Answer) -> Iterator[Entry]:
    """Who reaches a Service on its own port, though policies judge the port of the pods behind it."""
    wanted = answer.wanted
    for served in Serving(answer.found).lines(wanted.sources):
        behind = frozenset(each.end for each in served.behind)
        if wanted.destinations is not None and not behind & wanted.destinations:
            continue
        if wanted.focus is None or served.source in wanted.focus or behind & wanted.focus:
            yield _entry(answer, served)


def _entry(answer: Answer, served: Served) -> Entry:
    port = served.port
    ports = PortSet({port.protocol: (PortRange(port.number, port.number),)})
    refused = sorted(each.pod.title for each in set(served.behind) - set(served.reached))
    more = {
        "service_port": port.number,
        "backends": sorted(f"{each.pod.title}:{each.port}" for each in served.reached),
        **({"refused_by": refused} if refused else {}),
    }
    title = f"{served.service.title}[Service]"
    return Entry(answer.found.ends[served.source].title, title, Allowed(ports), more)


def partly(entries: Iterable[Entry]) -> Iterator[str]:
    """A Service some of whose pods refuse: connections to it fail now and then, which no line of text can say."""
    for entry in entries:
        if refused := entry.more.get("refused_by"):
            yield f"{entry.source} => {entry.destination}: refused by {', '.join(refused)}"
