"""The objects of one file, whatever it is written in: YAML or JSON, one document or many, Lists flattened.

Next: `load` gives each to the reader of its kind.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from podfence.manifests.item import Item, YamlItem
from podfence.manifests.jsonitem import JsonItem
from podfence.manifests.kinds import holds_known, listed_kind
from podfence.manifests.loaded import Problem
from podfence.manifests.yamlbuild import Fault
from podfence.manifests.yamlevents import documents


class Found(NamedTuple):
    """An object and what it says it is; `kind` may come from the List around it."""

    item: Item
    api_version: str
    kind: str


class TextError(ValueError):
    """Bytes that are no text in an encoding that Kubernetes reads."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def text_of(content: bytes) -> str:
    """UTF-8 with or without a mark, UTF-16 with one."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _decoded(content, "utf-16")
    return _decoded(content, "utf-8-sig")


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as wrong:
        before = content[: wrong.start].decode(encoding, errors="ignore")
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        message = f"not {encoding.removesuffix('-sig').upper()}: {wrong.reason}; save the file as UTF-8"
        raise TextError(Fault(line, column, "not-text", message)) from None


def items(content: bytes, file: str) -> Iterator[Item | Problem]:
    """Every document that has content, and what is wrong with the others."""
    try:
        text = text_of(content)
    except TextError as wrong:
        yield problem(file, wrong.fault)
        return
    looks_like_json = text.lstrip()[:1] == "{"
    if looks_like_json and (found := _json(text, content, file)):
        yield from found
    elif looks_like_json and file.endswith(".json"):
        yield from _neither(text, file)
    else:
        yield from _yaml(text, file)


def problem(file: str, fault: Fault, title: str = "") -> Problem:
    return Problem(file, fault.line, fault.column, title, "", fault.message, fault.code)


def _json(text: str, content: bytes, file: str) -> list[Item]:
    """One JSON object, or several in a row; nothing when this is not JSON after all."""
    blank = text[: len(text) - len(text.lstrip())]
    line, column = blank.count("\n") + 1, len(blank) - (blank.rfind("\n") + 1) + 1
    # large files are UTF-8 without a mark, and need not be encoded again
    raw = content if content[:1] == b"{" else text.strip().encode()
    item = JsonItem(file, raw, line, column)
    try:
        item.head(), item.listed
    except (msgspec.DecodeError, RecursionError):
        return _concatenated(text, file)
    return [item]


def _concatenated(text: str, file: str) -> list[Item]:
    found: list[Item] = []
    decoder, at, line = json.JSONDecoder(), 0, 1
    while rest := text[at:].lstrip() if at else text.lstrip():
        start = len(text) - len(rest)
        line += text.count("\n", at, start)
        try:
            _, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            return []
        found.append(JsonItem(file, text[start:end].encode(), line, start - text.rfind("\n", 0, start)))
        line, at = line + text.count("\n", start, end), end
    return found


def _yaml(text: str, file: str) -> Iterator[Item | Problem]:
    """A key written twice leaves a document to read; other faults do not."""
    for document in documents(text):
        if document.value is None:
            yield from (problem(file, fault) for fault in document.faults)
        else:
            yield YamlItem(file, document.value, document.spots, document.faults)


def _neither(text: str, file: str) -> list[Item | Problem]:
    """Broken JSON is told in JSON's terms; kubectl does take YAML in a .json file."""
    found = list(_yaml(text, file))
    if not any(isinstance(each, Problem) and each.code == "yaml-syntax" for each in found):
        return found
    try:
        json.loads(text)
    except json.JSONDecodeError as wrong:
        fault = Fault(wrong.lineno, wrong.colno, "json-syntax", f"invalid JSON: {wrong.msg}")
        return [problem(file, fault)]
    return found


def objects(item: Item) -> Iterator[Found | Problem]:
    """The object, or those of the Lists it is, in order. Without kind and apiVersion both are empty."""
    waiting = [(item, "", "")]
    while waiting:
        each, api_version, kind = waiting.pop()
        if not each.is_object():
            yield _at(each, "wrong-type", "not an object: a manifest is a mapping with apiVersion and kind")
            continue
        own = each.head()
        found = Found(each, _word(own[0]) or api_version, _word(own[1]) or kind)
        inside = listed_kind(found.kind)
        children = each.children() if inside is not None else None
        if children is not None and inside is not None:
            implied = (found.api_version, inside) if inside else ("", "")
            waiting += [(child, *implied) for child in reversed(children)]
        elif inside is not None and holds_known(found.kind):
            yield _at(each, "wrong-type", f"the items of a {found.kind} are not a list")
        else:
            yield found


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""


def _at(item: Item, code: str, message: str) -> Problem:
    start = item.start
    return Problem(start.file, start.line, start.column, "", "", message, code)
