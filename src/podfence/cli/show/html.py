"""Connections as one page that explains itself: a matrix, a map and a list, in a file that needs no network.

The page is written once, as files beside this module, and filled here with tables: `pairs` for what is allowed,
`reasons` for why. Nothing in it is loaded from anywhere, and nothing runs but what its own hashes name.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import Any

from podfence.analysis.narrowing import Answer
from podfence.cli.show.lines import Entry
from podfence.cli.show.pairs import Pairs, pairs
from podfence.cli.show.reasons import Reasons
from podfence.errors import UsageError

MOST_ENDS = 2500
"""A browser holds a number for every pair; beyond this no screen shows them anyway."""

SCRIPTS = ("tables", "decide", "nearest", "view", "matrix", "moving", "map", "listing", "panel", "page")


def html(answer: Answer, more: Iterable[Entry] = ()) -> Iterator[str]:
    found = pairs(answer, more)
    if len(found.ends) > MOST_ENDS:
        raise UsageError(
            f"a page shows up to {MOST_ENDS} ends, and here are {len(found.ends)}: "
            "narrow it with --focus, or ask --by namespace"
        )
    yield from _page(embedded(_tables(found)))


def _tables(found: Pairs) -> dict[str, Any]:
    by_namespace = any(end.kind == "Namespace" for end in found.ends)
    why = None if by_namespace else Reasons(found.answer.found.kinds.snapshot, found.ends).tables()
    return {"podfence": 1, **found.tables(), "why": why}


def embedded(tables: object) -> str:
    """JSON in which no name can end the element that it stands in."""
    return json.dumps(tables, separators=(",", ":")).replace("<", "\\u003c").replace(">", "\\u003e")


def _page(tables: str) -> Iterator[str]:
    style, script = _asset("page.css"), "\n".join(_asset(f"{name}.js") for name in SCRIPTS)
    filled = {
        "POLICY": f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}",
        "STYLE": style,
        "TABLES": tables,
        "SCRIPT": script,
    }
    before = _asset("page.html")
    for name, content in filled.items():
        left, before = before.split(f"@{name}@")
        yield left
        yield content
    yield before


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _asset(name: str) -> str:
    return (files("podfence.cli.show") / "page" / name).read_text(encoding="utf-8")
