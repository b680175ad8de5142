"""The base chains: the fixed path of every packet, and the only rules that change, when the generation does.

    forward   spoofed: drop; accepted before: accept; invalid, stray ICMP errors: drop; replies: goto reverse;
              source vmap @egress; destination vmap @ingress; stamp, accept
    reverse   the same with the fields swapped
    input     what pods send to their node; what the node began is never judged

Only a packet of the flow's own tuple may stamp: an ICMP error is attached to the flow it quotes, which anyone
can quote, so it passes on that flow's mark or not at all.
Next: `tables.py` puts these at the end of the table.
"""

from collections.abc import Iterator

from podfence.model.policy import Direction
from podfence.nft.render.denials import INVALID
from podfence.nft.render.ends import FAMILIES, subject_end
from podfence.nft.render.groups import KEY_TYPES
from podfence.nft.render.settings import Existing, Settings
from podfence.nft.statements import (
    AddressMap,
    Count,
    CtDirection,
    CtMark,
    CtState,
    End,
    HopLimit,
    Icmp6Type,
    Interface,
    ReturnPath,
    Rule,
    SetCtMark,
    Side,
    State,
)
from podfence.nft.table import Chain, Elements, Hook, HookPoint, Set
from podfence.nft.verdicts import ACCEPT, DROP, goto

BASE_CHAINS = frozenset({"reverse", "forward", "input"})
"""The chains whose names do not stand for content."""

SPOOFED, STRAY = "spoofed", "stray_errors"
COUNTERS = (INVALID, SPOOFED, STRAY)

# A routed packet has lost at least one hop, so this is the neighbour and no covert way through.
NEIGHBOUR_DISCOVERY: Rule = (HopLimit(255), Icmp6Type(133, 137), ACCEPT)


def subjects_name(direction: Direction, family: int) -> str:
    return f"{direction.value}{family}"


def subjects_set(direction: Direction, family: int, elements: Elements | None = None) -> Set:
    return Set(subjects_name(direction, family), KEY_TYPES[family], elements or {}, verdicts=True)


def chains(settings: Settings, generation: int) -> tuple[Chain, ...]:
    stamp: Rule = (SetCtMark(settings.mark, settings.marked(generation)), ACCEPT)
    forward = (
        *_spoofed(settings),
        *_fast_path(settings, generation),
        (CtState(State.INVALID), Count(INVALID), DROP),
        (CtState(State.RELATED), Count(STRAY), DROP),
        NEIGHBOUR_DISCOVERY,
        (CtDirection(Side.REPLY), goto("reverse")),
        *_dispatch(Side.ORIGINAL, *Direction),
        stamp,
    )
    incoming = (
        (CtDirection(Side.REPLY), ACCEPT),
        NEIGHBOUR_DISCOVERY,
        *_spoofed(settings),
        *_fast_path(settings, generation),
        *_dispatch(Side.ORIGINAL, Direction.EGRESS),
        (CtState(State.RELATED), ACCEPT),
        stamp,
    )
    return (
        Chain("reverse", (*_dispatch(Side.REPLY, *Direction), stamp)),
        Chain("forward", forward, Hook(HookPoint.FORWARD)),
        Chain("input", incoming, Hook(HookPoint.INPUT)),
    )


def _spoofed(settings: Settings) -> Iterator[Rule]:
    """Before the fast path: a pod must not speak in another's flow either."""
    for pattern in settings.pod_interfaces:
        yield (Interface(End.SOURCE, pattern), ReturnPath(exists=False), Count(SPOOFED), DROP)


def _fast_path(settings: Settings, generation: int) -> Iterator[Rule]:
    yield (CtMark(settings.mark, settings.marked(generation)), ACCEPT)
    if settings.existing is Existing.KEEP:
        yield (CtState(State.ESTABLISHED | State.RELATED), ACCEPT)


def _dispatch(side: Side, *directions: Direction) -> Iterator[Rule]:
    for direction in directions:
        for number, family in FAMILIES.items():
            yield (AddressMap(family, subject_end(direction, side), subjects_name(direction, number)),)
