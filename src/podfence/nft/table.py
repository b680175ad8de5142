"""One nftables table as a value: what we want the kernel to hold, or what we found it to hold.

Chains and the shapes of sets are immutable under their names; only elements and base chains ever change.
Mappings keep the order of creation, which is the order nft lists, and ignore it when compared. Every table
is of the `inet` family. `str(table)` is the text that `nft list table` prints and `nft -f` accepts.
Next: `difference.py` compares two tables, `wire.py` writes and reads them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Self

from podfence.nft import keys, names
from podfence.nft.actions import Counter
from podfence.nft.keys import Key, KeyType
from podfence.nft.statements import Rule, check
from podfence.nft.verdicts import ACCEPT, DROP, Verdict

Elements = Mapping[Key, Verdict | None]

_NEXT_LINE = ",\n\t\t\t     "


class HookPoint(IntEnum):
    PREROUTING = 0
    INPUT = 1
    FORWARD = 2
    OUTPUT = 3
    POSTROUTING = 4


_PRIORITIES = {"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100}
_ONLY_AT = {"dstnat": HookPoint.PREROUTING, "srcnat": HookPoint.POSTROUTING}


@dataclass(frozen=True, slots=True)
class Hook:
    """Where packets enter a base chain."""

    point: HookPoint
    priority: int = 0
    policy: Verdict = ACCEPT
    kind: str = "filter"

    def __post_init__(self) -> None:
        if self.kind not in {"filter", "nat"} or self.policy not in (ACCEPT, DROP):
            raise ValueError(f"a base chain is of kind filter or nat, with policy accept or drop, not {self}")

    def __str__(self) -> str:
        return (
            f"type {self.kind} hook {self.point.name.lower()} priority {self._priority()}; "
            f"policy {self.policy};"
        )

    def _priority(self) -> str:
        """A few priorities have names, which nft prints, for their neighbours as well."""
        for word, number in _PRIORITIES.items():
            offset = self.priority - number
            if abs(offset) <= 10 and _ONLY_AT.get(word, self.point) == self.point:
                return word if not offset else f"{word} {'-+'[offset > 0]} {abs(offset)}"
        return str(self.priority)


@dataclass(frozen=True, slots=True)
class Chain:
    name: str
    rules: tuple[Rule, ...] = ()
    hook: Hook | None = None

    def __post_init__(self) -> None:
        names.name(self.name)
        for rule in self.rules:
            check(rule)

    def __str__(self) -> str:
        hook = [str(self.hook)] if self.hook else []
        lines = hook + [" ".join(map(str, rule)) for rule in self.rules]
        return f"\tchain {self.name} {{\n" + "".join(f"\t\t{line}\n" for line in lines) + "\t}\n"


@dataclass(frozen=True, slots=True)
class Set:
    """A set, or with `verdicts` a map of keys to verdicts; `interval` keys are (first, last) pairs.

    Without `size` a hash set grows as it must (about 160 bytes an element). With it the kernel reserves all
    buckets at once and refuses one element more (ENFILE): 55 bytes where it fits, but 2 MiB for an empty
    65,536. A shape never changes, so `size` is for what never grows under its name, not for members.
    """

    name: str
    types: tuple[KeyType, ...]
    elements: Elements = field(default_factory=dict)
    interval: bool = False
    verdicts: bool = False
    size: int | None = None

    def __post_init__(self) -> None:
        names.name(self.name)
        if not self.types or (self.interval and (len(self.types) > 1 or self.size)):
            raise ValueError(f"set {self.name}: an interval set has one key type and no size")
        if self.size is not None:
            names.in_range(self.size, 0xFFFFFFFF, f"set {self.name}: size", first=1)
        self._check_elements()

    def _check_elements(self) -> None:
        """By whole mappings rather than by element, since there may be ten thousands of them."""
        if not self.elements:
            return
        ends = [each for key in self.elements for each in key] if self.interval else self.elements
        if set(map(type, ends)) != {bytes} or set(map(len, ends)) != {keys.width(self.types)}:  # type: ignore[arg-type]
            raise ValueError(f"set {self.name}: every key must be {keys.width(self.types)} bytes long")
        if set(map(type, self.elements.values())) != {Verdict if self.verdicts else type(None)}:
            raise ValueError(f"set {self.name}: elements carry verdicts in a map and only there")

    @property
    def word(self) -> str:
        return "map" if self.verdicts else "set"

    def shape(self) -> "Set":
        """The set without its elements: what can never change under its name."""
        return replace(self, elements={})

    def declaration(self) -> list[str]:
        verdict = " : verdict" if self.verdicts else ""
        lines = ["type " + " . ".join(each.word for each in self.types) + verdict]
        if self.size is not None:
            lines.append(f"size {self.size}")
        if self.interval:
            lines.append("flags interval")
        return lines

    def __str__(self) -> str:
        lines = self.declaration()
        if self.elements:
            lines.append(f"elements = {{ {self._listed()} }}")
        return f"\t{self.word} {self.name} {{\n" + "".join(f"\t\t{line}\n" for line in lines) + "\t}\n"

    def _listed(self) -> str:
        width = self.types[0].per_line if len(self.types) == 1 else 1
        ordered = sorted(self.elements, key=lambda key: keys.order(self.types, key))
        shown = [element(self.types, key, self.elements[key]) for key in ordered]
        return _NEXT_LINE.join(", ".join(shown[at : at + width]) for at in range(0, len(shown), width))


def element(types: tuple[KeyType, ...], key: Key, verdict: Verdict | None) -> str:
    shown = keys.text(types, key)
    return shown if verdict is None else f"{shown} : {verdict}"


@dataclass(frozen=True, slots=True)
class Table:
    """`layout` is the number of our own way to arrange rules; 0 means: not arranged by us at all."""

    name: str
    layout: int
    counters: Mapping[str, Counter] = field(default_factory=dict)
    sets: Mapping[str, Set] = field(default_factory=dict)
    chains: Mapping[str, Chain] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names.name(self.name)
        for each in self.counters:
            names.name(each)

    @classmethod
    def of(
        cls,
        name: str,
        layout: int,
        *,
        counters: Iterable[str] = (),
        sets: Iterable[Set] = (),
        chains: Iterable[Chain] = (),
    ) -> Self:
        return cls(
            name,
            layout,
            {each: Counter() for each in counters},
            {each.name: each for each in sets},
            {each.name: each for each in chains},
        )

    def __str__(self) -> str:
        comment = f'\tcomment "layout {self.layout}"\n' if self.layout else ""
        counters = [
            f"\tcounter {name} {{\n\t\tpackets {counter.packets} bytes {counter.bytes}\n\t}}\n"
            for name, counter in self.counters.items()
        ]
        blocks = [*counters, *map(str, self.sets.values()), *map(str, self.chains.values())]
        return f"table inet {self.name} {{\n{comment}" + "\n".join(blocks) + "}\n"
