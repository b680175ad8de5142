"""`reach --exposure`: how open workloads are, in sections as the field prints them; after the connections."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from podfence.analysis.exposure import Exposure, exposures, unprotected
from podfence.analysis.narrowing import Answer
from podfence.cli.show.lines import FORMS, Entry, allowed_json, connection, entry_line, shown
from podfence.cli.text import printable
from podfence.model.policy import Direction

ARROWS = {Direction.EGRESS: "=>", Direction.INGRESS: "<="}


def with_exposure(output: str, answer: Answer, more: Iterable[Entry]) -> Iterator[str]:
    """In every format that has lines."""
    if output == "json":
        yield from _json(answer, more)
    elif output == "text":
        yield from shown(FORMS["text"], answer, more)
        yield from _text(answer)
    else:
        form = FORMS[output]
        yield from shown(form, answer, more)
        yield "\n## Exposure Analysis Result:\n" + form.head if output == "md" else ""
        outside = output == "md"
        entries = (e for e in exposures(answer) if outside or not e.other.endswith("[External]"))
        yield from (entry_line(form, entry(each)) for each in entries)


def entry(exposure: Exposure) -> Entry:
    """From the one who speaks to the one who is spoken to."""
    ends = (exposure.workload.title, exposure.other)
    source, destination = ends if exposure.direction is Direction.EGRESS else ends[::-1]
    return Entry(source, destination, exposure.allowed)


def _text(answer: Answer) -> Iterator[str]:
    found = list(exposures(answer))
    yield "\nExposure Analysis Result:\n"
    for direction in Direction:
        lines = [each for each in found if each.direction is direction]
        width = max((len(printable(each.workload.title)) for each in lines), default=0)
        if lines:
            yield f"{direction.value.capitalize()} Exposure:\n"
            yield from (_line(each, width) for each in lines)
            yield "\n"
    if bare := list(unprotected(answer)):
        yield "Workloads not protected by network policies:\n"
        for end, direction in bare:
            yield f"{printable(end.title)} is not protected on {direction.value.capitalize()}\n"


def _line(each: Exposure, width: int) -> str:
    workload = printable(each.workload.title).ljust(width)
    return f"{workload}  {ARROWS[each.direction]}  {printable(each.other)} : {connection(each.allowed)}\n"


def _json(answer: Answer, more: Iterable[Entry]) -> Iterator[str]:
    yield '{"podfence": 1, "reach": '
    yield from shown(FORMS["json"], answer, more)
    yield ', "exposure": [\n'
    yield ",\n".join(json.dumps(_told(each)) for each in exposures(answer))
    yield "\n]}\n"


def _told(exposure: Exposure) -> dict[str, Any]:
    source, destination, allowed, _ = entry(exposure)
    direction = exposure.direction.value
    ends = {"src": source, "dst": destination, **allowed_json(allowed)}
    return {
        **ends,
        "workload": exposure.workload.title,
        "direction": direction,
        "protected": exposure.protected,
    }
