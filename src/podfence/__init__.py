"""A Kubernetes network firewall that people can see, test and trust.

The library is `podfence.api`, whose names are found here too, and imported when they are first used.
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False
"""Type checkers take it for true; importing `typing` to ask would be most of what this import costs."""

if TYPE_CHECKING:
    from podfence.api import (
        Address,
        Allowed,
        Comparison,
        Connection,
        Connections,
        Decision,
        Differences,
        End,
        Finding,
        Flow,
        PairDifference,
        PodfenceError,
        PortSet,
        Problem,
        Protocol,
        RefusedError,
        Snapshot,
        Verdict,
        address,
        check,
        contains,
        decide,
        diff,
        equivalent,
        flows,
        load,
        load_both,
        reach,
    )

__all__ = [
    "Address",
    "Allowed",
    "Comparison",
    "Connection",
    "Connections",
    "Decision",
    "Differences",
    "End",
    "Finding",
    "Flow",
    "PairDifference",
    "PodfenceError",
    "PortSet",
    "Problem",
    "Protocol",
    "RefusedError",
    "Snapshot",
    "Verdict",
    "__version__",
    "address",
    "check",
    "contains",
    "decide",
    "diff",
    "equivalent",
    "flows",
    "load",
    "load_both",
    "reach",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'podfence' has no attribute {name!r}")
    from podfence import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
