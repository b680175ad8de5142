"""How a combination denies: counted, then logged as far as its limit allows, then dropped without an answer.

The limit stands before the log, not before the drop, and is the combination's own, so that a noisy pod hides
nobody else; the difference of the two counters is what it suppressed.
Next: `combinations.py` sends here what no rule admits; `node` reads the log and the counters.
"""

from podfence.model.policy import Direction
from podfence.nft.render.settings import Settings
from podfence.nft.statements import Count, CtDirection, CtState, Limit, Log, Side, State, Statement
from podfence.nft.table import Chain
from podfence.nft.verdicts import DROP
from podfence.program import Combination

INVALID = "invalid"
DENIED, LOGGED = "denied_", "logged_"
_SNAPLEN = 128


def _head(direction: Direction, side: Side) -> str:
    return f"podfence {direction.value} {side.name.lower()}"


_HEADS = {_head(direction, side): (direction, side) for direction in Direction for side in Side}


def chain_name(combination: str, settings: Settings) -> str:
    return f"d_{combination}_{settings.tag}"


def denied_counter(combination: str) -> str:
    return DENIED + combination


def logged_counter(combination: str) -> str:
    return LOGGED + combination


def counters(combination: str) -> tuple[str, str]:
    return denied_counter(combination), logged_counter(combination)


def log_prefix(direction: Direction, side: Side, combination: str) -> str:
    return f"{_head(direction, side)} {combination}"


def read_log_prefix(prefix: str) -> tuple[Direction, Side, str] | None:
    """The way back; None for what others log."""
    head, _, combination = prefix.rpartition(" ")
    return (*_HEADS[head], combination) if head in _HEADS else None


def chain(combination: Combination, settings: Settings) -> Chain:
    """What conntrack calls invalid belongs to no flow, so it is not reported as a denied one."""
    name, direction = combination.name, combination.direction
    limit: tuple[Statement, ...] = (Limit(settings.log_limit),) if settings.log_limit else ()
    reply, original = (
        (*limit, Count(logged_counter(name)), Log(settings.log_group, prefix, _SNAPLEN), DROP)
        for prefix in (log_prefix(direction, side, name) for side in (Side.REPLY, Side.ORIGINAL))
    )
    rules = (
        (CtState(State.INVALID), Count(INVALID), DROP),
        (Count(denied_counter(name)),),
        (CtDirection(Side.REPLY), *reply),
        (CtDirection(Side.REPLY), DROP),
        original,
        (DROP,),
    )
    return Chain(chain_name(name, settings), rules)
