"""A file of requirements, read strictly: every problem at once, with its line and the nearest known word.

The format is in docs/commands/assert.md. Texts are read as manifests are. Next: `requirements` judges them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import msgspec

from podfence.analysis.questions import PortAsked, port_asked
from podfence.analysis.requirements import Must, Requirement
from podfence.analysis.selecting import EndAsked
from podfence.errors import UsageError, did_you_mean
from podfence.manifests.item import YamlItem, child
from podfence.manifests.load import located
from podfence.manifests.loaded import Problem
from podfence.manifests.reader import items, problem
from podfence.manifests.wrong import Path, Wrong
from podfence.model.address import AddressRange, address, network
from podfence.model.labels import Selector, selector

Texts = list[str] | str


class EndShape(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """An end as it is written."""

    workload: Texts | None = None
    namespace: Texts | None = None
    namespaces: dict[str, str] | None = None
    pods: dict[str, str] | None = None
    addresses: Texts | None = None
    outside: bool | None = None
    anyone: bool | None = None
    excepts: list[EndShape | str] | None = msgspec.field(default=None, name="except")


class RequirementShape(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A requirement as it is written."""

    name: str | None = None
    source: EndShape | str | None = msgspec.field(default=None, name="from")
    to: EndShape | str | None = None
    ports: list[str | int] | None = None
    must: str | None = None
    may_be_empty: bool | None = msgspec.field(default=None, name="may be empty")


_EXPECTED = {
    "name": "a text",
    "from": "an end: a mapping like {workload: shop/web}, or a word like anyone",
    "to": "an end: a mapping like {workload: shop/web}, or a word like anyone",
    "ports": "a list like [8080/TCP, http]",
    "must": "one of reach, not reach, reach only",
    "may be empty": "true or false",
    "outside": "true",
    "anyone": "true",
    "pods": "labels, like {app: web}",
    "namespaces": "labels, like {team: shop}",
    "except": "a list of ends",
}


class File(NamedTuple):
    """What was read of it, and what is wrong with it."""

    requirements: tuple[Requirement, ...]
    problems: tuple[Problem, ...]


def requirements(content: bytes, file: str) -> File:
    """Nothing in it is a problem too: no requirement holds by not being there."""
    found: list[Requirement] = []
    problems: list[Problem] = []
    for item in items(content, file):
        if isinstance(item, Problem):
            problems.append(item)
            continue
        problems += (problem(file, fault) for fault in item.faults)
        if isinstance(item, YamlItem) and isinstance(item.value, list):
            for each in _listed(item):
                requirement, wrong = _read(each)
                found.append(requirement)
                problems += (located(one, each, requirement.name) for one in wrong)
        else:
            problems.append(
                located(
                    Wrong((), "not a list of requirements: each starts with `- `", "wrong-type"), item, ""
                )
            )
    if not (found or problems):
        problems.append(Problem(file, 0, 0, "", "", "no requirements in it", "no-objects"))
    return File(tuple(found), tuple(problems))


def _listed(item: YamlItem) -> Iterator[YamlItem]:
    for index, value in enumerate(item.value):
        spots = child(item.positions, index)
        yield YamlItem(item.file, value, item.positions if spots is None else spots)


def _read(item: YamlItem) -> tuple[Requirement, list[Wrong]]:
    if not item.is_object():
        return _NOTHING, [Wrong((), "not a requirement: write from, to and must", "wrong-type")]
    shape, faults = item.decode(RequirementShape)
    reader = _Reader([_in_our_words(each) for each in faults])
    return replace(reader.requirement(shape), place=item.start), reader.wrong


def _in_our_words(wrong: Wrong) -> Wrong:
    """The door speaks of the API server's types, which these are not."""
    if wrong.code == "wrong-type":
        name = next((part for part in reversed(wrong.path) if isinstance(part, str)), "")
        return wrong._replace(message=f"expected {_EXPECTED.get(name, 'a text, or a list of texts')}")
    return wrong._replace(message=wrong.message.removeprefix("strict decoding error: "))


@dataclass
class _Reader:
    """Of one requirement; what was not readable is not asked for again."""

    wrong: list[Wrong]

    def requirement(self, shape: RequirementShape) -> Requirement:
        source, destination = self._end(shape.source, ("from",)), self._end(shape.to, ("to",))
        must = self._must(shape.must)
        ports = tuple(self._ports(shape.ports))
        if must is Must.REACH_ONLY and not ports:
            self._say(("ports",), "`reach only` needs ports: which ones, and no others")
        name = shape.name or f"{source.text} must {must} {destination.text}"
        return Requirement(name, source, destination, must, ports, bool(shape.may_be_empty))

    def _say(self, path: Path, message: str) -> None:
        if not any(each.path[:1] == path[:1] for each in self.wrong):
            self.wrong.append(Wrong(path, message, "bad-requirement"))

    def _must(self, text: str | None) -> Must:
        words = [each.value for each in Must]
        if text in words:
            return Must(text)
        said = f"{text!r} is none of {', '.join(words)}{did_you_mean(text, words)}" if text else "not set"
        self._say(("must",), f"{said}; write reach, not reach or reach only" if not text else said)
        return Must.NOT_REACH

    def _ports(self, given: list[str | int] | None) -> Iterator[PortAsked]:
        for index, each in enumerate(given or ()):
            try:
                yield port_asked(str(each))
            except UsageError as wrong:
                self._say(("ports", index), wrong.message.removeprefix("--port "))

    def _end(self, shape: EndShape | str | None, path: Path) -> EndAsked:
        match shape:
            case None:
                self._say(path, f"not set: expected {_EXPECTED['from']}")
                return EndAsked("nobody")
            case "anyone" | "outside" as word:
                return EndAsked(word, anyone=word == "anyone", outside=word == "outside")
            case str() as text:
                return EndAsked(text, workloads=(text,))
            case EndShape():
                return self._mapping(shape, path)

    def _mapping(self, shape: EndShape, path: Path) -> EndAsked:
        end = EndAsked(
            _text(shape),
            bool(shape.anyone),
            bool(shape.outside),
            _texts(shape.workload),
            _texts(shape.namespace),
            _labels(shape.namespaces),
            _labels(shape.pods),
            tuple(self._addresses(_texts(shape.addresses), (*path, "addresses"))),
            tuple(
                self._end(each, (*path, "except", index)) for index, each in enumerate(shape.excepts or ())
            ),
        )
        if replace(end, text="", excepts=()) == EndAsked(""):
            self._say(path, "says nobody: write workload, namespace, pods, addresses, outside or anyone")
        return end

    def _addresses(self, texts: Sequence[str], path: Path) -> Iterator[AddressRange]:
        for text in texts:
            try:
                yield _range(text)
            except ValueError as wrong:
                self._say(path, f"{wrong}: write an address, a block like 10.0.0.0/8 or a range")


_NOTHING = Requirement("", EndAsked(""), EndAsked(""), Must.NOT_REACH)


def _texts(given: Texts | None) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given or ())


def _labels(given: dict[str, str] | None) -> Selector | None:
    return None if given is None else selector(**given)


def _range(text: str) -> AddressRange:
    if "/" in text:
        block = network(text)
        return AddressRange(block.base, block.last)
    first, dash, last = text.partition("-")
    found = AddressRange(address(first), address(last if dash else first))
    if found.first.family != found.last.family or found.first > found.last:
        raise ValueError(f"{text!r} does not go up")
    return found


def _text(shape: EndShape) -> str:
    """As it is written, on one line."""
    said = {key: value for key, value in msgspec.to_builtins(shape).items() if value is not None}
    parts = (f"{key} {_written(value)}" for key, value in said.items() if value is not False)
    return ", ".join(parts).replace("anyone True", "anyone").replace("outside True", "outside") or "nobody"


def _written(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key}={each}" for key, each in value.items() if each is not None)
    return " and ".join(map(_written, value)) if isinstance(value, list) else str(value)
