"""Problems and findings as SARIF 2.1.0, which code scanning of several forges reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from podfence import __version__
from podfence.analysis.findings.catalogue import CODES
from podfence.analysis.findings.finding import Finding
from podfence.analysis.findings.report import Report
from podfence.manifests.loaded import Problem, Severity
from podfence.model.policy import Place

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}

Told = Problem | Finding


def as_sarif(problems: Sequence[Problem], report: Report) -> str:
    every: tuple[Told, ...] = (*problems, *report.findings)
    codes = sorted({each.code for each in every})
    driver = {"name": "podfence", "version": __version__, "rules": [_rule(code) for code in codes]}
    run = {
        "tool": {"driver": driver},
        "results": [_result(each, codes.index(each.code)) for each in every],
        "invocations": [_invocation(problems, report)],
        "columnKind": "unicodeCodePoints",
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(code: str) -> dict[str, Any]:
    said = CODES.get(code)
    return {"id": code, "shortDescription": {"text": said}} if said else {"id": code}


def _result(each: Told, rule: int) -> dict[str, Any]:
    """The fingerprint leaves lines out: a finding that moved is the same one."""
    parts = (each.object, each.field, each.message, each.remedy if isinstance(each, Finding) else "")
    result = {
        "ruleId": each.code,
        "ruleIndex": rule,
        "level": LEVELS[each.severity],
        "message": {"text": ": ".join(part for part in parts if part)},
        "partialFingerprints": {"podfence/v1": _fingerprint(each)},
    }
    return {**result, "locations": [_location(each.place)]} if each.place.file else result


def _location(at: Place) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(at.file)}}
    if at.line:
        physical["region"] = {"startLine": at.line, "startColumn": max(at.column, 1)}
    return {"physicalLocation": physical}


def _uri(file: str) -> str:
    from urllib.parse import quote

    return quote(file.removeprefix("./"), errors="surrogatepass")


def _fingerprint(each: Told) -> str:
    text = json.dumps([each.code, each.object, each.field, each.message])
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _invocation(problems: Sequence[Problem], report: Report) -> dict[str, Any]:
    """What was not checked stands beside the results."""
    notes = [{"level": "note", "message": {"text": note}} for note in report.notes]
    return {"executionSuccessful": not problems, "toolExecutionNotifications": notes}
