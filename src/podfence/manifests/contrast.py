"""Labels that a selector matches and labels that it just misses; ports that a rule names and those beside them.

Requirements on different keys do not see each other, so each key is solved alone and completely.
`world` casts its pods from these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from podfence.model.cluster import ContainerPort
from podfence.model.labels import Operator, Requirement, Selector
from podfence.model.ports import ALL_PORTS, LAST_PORT, PortMatch, PortRange, Protocol

FIRST_NAMED = 8080
"""Named ports get numbers from here on: high enough to listen on without privilege, and familiar."""

DEFAULT_PORT = ContainerPort("", Protocol.TCP, 80)
"""Where those listen of whom no rule names a port, and for rules that leave the number open."""

MOST_PORTS = 32
"""Of one pod or host."""

_OTHER = {Protocol.TCP: Protocol.UDP, Protocol.UDP: Protocol.TCP, Protocol.SCTP: Protocol.TCP}


def matching(selector: Selector) -> dict[str, str] | None:
    """The smallest labels that all requirements hold of; None when they contradict each other."""
    found = {}
    for key, requirements in _by_key(selector).items():
        fitting = [value for value in _candidates(requirements) if _hold(requirements, key, value)]
        if not fitting:
            return None
        found[key] = fitting[0]
    return _present(found)


def near_misses(selector: Selector) -> Iterator[dict[str, str]]:
    """For each requirement, labels of which it alone is false (or, where that cannot be, it and few others)."""
    matched = matching(selector)
    for requirement in selector.requirements:
        same_key = _by_key(selector)[requirement.key]
        others = [other for other in same_key if other != requirement]
        wrong = [v for v in reversed(_candidates(same_key)) if not _hold([requirement], requirement.key, v)]
        alone = [value for value in wrong if _hold(others, requirement.key, value)]
        if matched is not None and wrong:
            yield _present({**matched, requirement.key: (alone or wrong)[0]})


def _by_key(selector: Selector) -> dict[str, list[Requirement]]:
    found: dict[str, list[Requirement]] = {}
    for requirement in selector.requirements:
        found.setdefault(requirement.key, []).append(requirement)
    return found


def _candidates(requirements: list[Requirement]) -> list[str | None]:
    """All that one key can usefully be, None for absent: every value named, and one that nobody names."""
    wanted = [v for r in requirements if r.operator is Operator.IN for v in r.values]
    unwanted = [v for r in requirements if r.operator is Operator.NOT_IN for v in r.values]
    fresh = f"not-{wanted[0]}" if wanted and wanted[0] else requirements[0].key.rpartition("/")[2]
    fresh = fresh[:60].rstrip("-_.")
    while fresh in {*wanted, *unwanted}:
        fresh = f"{fresh[:60]}-x"
    return [*wanted, *unwanted, None, fresh]


def _hold(requirements: Iterable[Requirement], key: str, value: str | None) -> bool:
    labels = {} if value is None else {key: value}
    return all(requirement.matches(labels) for requirement in requirements)


def _present(labels: Mapping[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in sorted(labels.items()) if value is not None}


def numbers_for_names(entries: Iterable[PortMatch]) -> dict[str, int]:
    """A number for every port name, outside of the ranges that rules give by number."""
    listed = list(entries)
    taken = [entry.port for entry in listed if isinstance(entry.port, PortRange) and entry.port != ALL_PORTS]
    free = (n for n in range(FIRST_NAMED, LAST_PORT) if not any(n in span for span in taken))
    names = sorted({entry.port for entry in listed if isinstance(entry.port, str)})
    return {name: next(free, FIRST_NAMED + index) for index, name in enumerate(names)}


def listeners(entries: tuple[PortMatch, ...], names: Mapping[str, int]) -> Iterator[ContainerPort]:
    """Ports that tell the entries apart from their neighbours: both ends, one beyond, another protocol."""
    for entry in entries:
        if not entry.protocol.has_ports:
            continue
        name = entry.port if isinstance(entry.port, str) else ""
        span = _span(entry, names)
        yield ContainerPort(name, entry.protocol, span.first)
        yield ContainerPort(name, entry.protocol, span.last)
        yield ContainerPort("", _OTHER[entry.protocol], span.first)
        if entry.port != ALL_PORTS:
            same = [_span(other, names) for other in entries if other.protocol == entry.protocol]
            yield from (ContainerPort("", entry.protocol, number) for number in _beyond(span, same))


def _span(entry: PortMatch, names: Mapping[str, int]) -> PortRange:
    if isinstance(entry.port, str):
        return PortRange(names[entry.port], names[entry.port])
    return PortRange(DEFAULT_PORT.number, DEFAULT_PORT.number) if entry.port == ALL_PORTS else entry.port


def _beyond(span: PortRange, others: list[PortRange]) -> list[int]:
    """The nearest number after a range, else before it, that no range of the rule holds; none if all are held."""
    after = sorted(other.last + 1 for other in others if span.last <= other.last < LAST_PORT)
    before = sorted((other.first - 1 for other in others if 1 < other.first <= span.first), reverse=True)
    return [n for n in [*after, *before] if not any(n in other for other in others)][:1]
