"""podfence.toml: what a project has decided once. In the working directory, or where `--config` says.

[check]
ignore = ["allows-everything", "selects-nothing:shop/web"]
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from podfence.analysis.findings.suppression import Ignore, ignore
from podfence.errors import UsageError, did_you_mean

USUAL = Path("podfence.toml")


@dataclass(frozen=True, slots=True)
class Config:
    """`ignore`: findings that `check` leaves out."""

    ignore: tuple[Ignore, ...] = ()


def config(path: str | None) -> Config:
    """UsageError for a file that was named and is not there, and for anything in it that means nothing."""
    if path is None and not USUAL.is_file():
        return Config()
    where = Path(path or USUAL)
    try:
        found = tomllib.loads(where.read_text(encoding="utf-8"))
        return Config(tuple(map(ignore, _texts(_section(found, "check", {"ignore"}), "ignore"))))
    except FileNotFoundError:
        raise UsageError(f"{where}: no such file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as trouble:
        raise UsageError(f"{where} is not TOML: {trouble}") from None
    except UsageError as trouble:
        raise UsageError(f"{where}: {trouble.message}") from None


def _section(found: dict[str, Any], name: str, known: set[str]) -> dict[str, Any]:
    section = found.get(name, {})
    if not isinstance(section, dict):
        raise UsageError(f"{name} must be a table: [{name}]")
    for key in section:
        if key not in known:
            raise UsageError(f"[{name}] has no {key!r}{did_you_mean(key, known)}")
    return section


def _texts(section: dict[str, Any], key: str) -> list[str]:
    texts = section.get(key, [])
    if isinstance(texts, list) and all(isinstance(each, str) for each in texts):
        return texts
    raise UsageError(f"{key} must be a list of texts")
