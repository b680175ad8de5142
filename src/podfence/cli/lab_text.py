"""What `podfence lab` says to people: short, aligned, the answer first. Everything that came from an object is escaped."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from podfence.cli.text import printable

Told = dict[str, Any]
FEW = 8


def up(told: Told, seconds: float) -> str:
    lines = [f"{told['name']} is up: {_counts(told)} ({seconds:.1f} s)", *told["notes"]]
    if tried := told.get("try"):
        named = "" if told["name"] == "lab" else f" --name {told['name']}"
        lines.append(f"Try:  podfence lab exec{named} {tried[0]} -- curl -s {tried[1]}")
    return "\n".join(map(printable, lines))


def doubts(told: Told) -> Iterator[str]:
    """What did not come up as it should."""
    for line in told["problems"]:
        yield printable(f"not listening: {line}")
    for line in told["unreached"]:
        yield printable(f"not reached before any policy: {line}")


def _counts(told: Told) -> str:
    parts = [_count(told[f"{what}s"], what) for what in ("node", "pod", "service")]
    amount = told["policies"]
    return ", ".join(
        [*parts, "no policies" if not amount else f"{amount} polic{'y' if amount == 1 else 'ies'}"]
    )


def _count(amount: int, what: str) -> str:
    return f"{amount} {what}{'' if amount == 1 else 's'}"


def listed(name: str, pid: int, told: Told) -> str:
    return printable(f"{name}  {_counts(told)}  pid {pid}")


def status(told: Told) -> str:
    width = max((len(each["name"]) for each in told["ends"]), default=0)
    lines = [_counts(told) + f", {_count(told['denials'], 'denial')} seen"]
    for each in told["ends"]:
        where = ", ".join(each["addresses"])
        lines.append(
            f"  {each['name']:{width}}  {each['node'] or 'outside':8}  {where}  {' '.join(each['ports'])}".rstrip()
        )
    lines += [f"not listening: {line}" for line in told["problems"]]
    return "\n".join(printable(line) for line in [*lines, *told["notes"]])


def report(told: Told, *, every: bool = False) -> str:
    lines = [_object(each) for each in told["objects"]]
    if told["milliseconds"] is None:
        return "\n".join([*map(printable, lines), "nothing changed"])
    lines.append(f"in force on {_nodes(told['nodes'])} after {told['milliseconds']:.1f} ms")
    lines += [
        f"  {word} {name}"
        for word, names in (("gone:", told["went"]), ("new: ", told["came"]))
        for name in names
    ]
    lines += [_pairs(told), *_listed(told, every=every)]
    cut: Counter[str] = Counter(told["cut"])
    lines += [f"  cut  {line}{_times(amount)}" for line, amount in cut.items()]
    lines += [f"not reached from its own node: {line}" for line in told["unreached"]]
    return "\n".join(map(printable, lines))


def _times(amount: int) -> str:
    return f" ({amount} connections)" if amount > 1 else ""


def _object(each: Told) -> str:
    namespace = f"  (namespace {each['namespace']})" if each["namespace"] else ""
    return f"{each['line']}{namespace}"


def _nodes(amount: int) -> str:
    return {1: "the node", 2: "both nodes"}.get(amount, f"all {amount} nodes")


def _pairs(told: Told) -> str:
    sampled = ", one pod for each workload" if told["sampled"] else ""
    changed = len({(each["src"], each["dst"]) for each in told["changed"]})
    cut = f", {_count(len(told['cut']), 'live connection')} cut" if told["cut"] else ""
    return f"{changed} of {told['pairs']} pairs changed{sampled}{cut}"


def _listed(told: Told, *, every: bool) -> Iterator[str]:
    changed, names = told["changed"], told["shown"]
    shown = changed if every else changed[:FEW]
    ends = [
        f"{names.get(each['src'], each['src'])} → {names.get(each['dst'], each['dst'])}" for each in shown
    ]
    width = max(map(len, ends), default=0)
    ports = max((len(each["conn"]) for each in shown), default=0)
    for end, each in zip(ends, shown, strict=True):
        note = "     names no longer resolve" if each["names_lost"] else ""
        yield f"  {end:{width}}  {each['conn']:{ports}}  {each['before']} → {each['after']}{note}"
    if len(changed) > len(shown):
        yield f"  … {len(changed) - len(shown)} more: add --all"


def probe_json(told: Told) -> str:
    return json.dumps({"podfence": 1, "probes": told["probes"]})


def probe_status(told: Told) -> int:
    if any(each["measured"] == "error" for each in told["probes"]):
        return 2
    return int(any(each["measured"] != each["expected"] for each in told["probes"]))


def probe(told: Told) -> str:
    """A picture where it fits, then whatever is not as the policies say."""
    lines = [*_picture(told), _summary(told)]
    wrong = [each for each in told["probes"] if each["measured"] != each["expected"]]
    return "\n".join(map(printable, [*lines, *map(_wrong, wrong[:50])]))


def _summary(told: Told) -> str:
    found = told["probes"]
    count = {what: sum(each["measured"] == what for each in found) for what in ("allowed", "denied", "error")}
    wrong = sum(each["measured"] != each["expected"] for each in found)
    told_of = "all as the policies say" if not wrong else f"{wrong} NOT as the policies say"
    pairs = len({(each["src"], each["dst"]) for each in found})
    return (
        f"{_count(pairs, 'pair')}, {_count(told['packets'], 'packet')} in {told['milliseconds'] / 1000:.1f} s: "
        f"{count['allowed']} allowed, {count['denied']} denied, {_count(count['error'], 'error')}; {told_of}"
    )


def _wrong(each: Told) -> str:
    reason = f"  ({each['reason']})" if each.get("reason") else ""
    return (
        f"  {each['src']} → {each['dst']} {each['protocol']} {each['port']}  "
        f"expected {each['expected']}, measured {each['measured']}{reason}"
    )


LEGEND = "A allowed  d denied  p some ports only  E error  ! not as the policies say  . not asked"
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BESIDE = 20
"""More columns than these leave no room for what is expected beside what is measured."""


def _picture(told: Told) -> Iterator[str]:
    """Rows send, columns receive; a column's letter is that of the row of the same name."""
    sources = dict.fromkeys(each["src"] for each in told["probes"])
    received = dict.fromkeys(each["dst"] for each in told["probes"])
    known = (end for end in told["ends"] if end in sources or end in received)
    names = list(dict.fromkeys([*known, *sources, *received]))
    if len(names) > len(LETTERS):
        yield f"{len(names)} ends are too many for a picture: narrow it with --from and --to"
        return
    columns = {name: letter for name, letter in zip(names, LETTERS, strict=False) if name in received}
    shown = {name: told["shown"].get(name, name) for name in names}
    width = max(map(len, shown.values()), default=0)
    panels = _panels(told["probes"], beside=len(columns) <= _BESIDE)
    yield LEGEND
    yield " " * (width + 6) + "    ".join(f"{title:{2 * len(columns) - 1}}" for title, _ in panels).rstrip()
    yield " " * (width + 6) + "    ".join(" ".join(columns.values()) for _ in panels)
    for name, letter in zip(names, LETTERS, strict=False):
        marks = (" ".join(cells.get((name, to), ".") for to in columns) for _, cells in panels)
        yield f"{letter}  {shown[name]:{width}}   {'    '.join(marks) if name in sources else ''}".rstrip()


Cells = dict[tuple[str, str], str]


def _panels(probes: list[Told], *, beside: bool) -> list[tuple[str, Cells]]:
    """What the policies say beside what packets did."""
    measured = ("measured", _cells(probes, _mark))
    return [("expected", _cells(probes, _expected)), measured] if beside else [measured]


def _cells(probes: list[Told], mark: Callable[[list[Told]], str]) -> Cells:
    ordered = sorted(probes, key=_pair)
    return {pair: mark(list(found)) for pair, found in groupby(ordered, key=_pair)}


def _pair(each: Told) -> tuple[str, str]:
    return each["src"], each["dst"]


def _mark(found: list[Told]) -> str:
    measured = {each["measured"] for each in found}
    if "error" in measured:
        return "E"
    if any(each["measured"] != each["expected"] for each in found):
        return "!"
    return _letter(measured)


def _expected(found: list[Told]) -> str:
    return _letter({each["expected"] for each in found})


def _letter(verdicts: set[str]) -> str:
    return "A" if verdicts == {"allowed"} else "d" if verdicts == {"denied"} else "p"
