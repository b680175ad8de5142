"""What is to change in a table, as a value: three stages of operations that print as nft commands.

**prepare** makes what nothing points at yet, **switch** makes it count, in one batch, **retire** removes what
nothing points at any more. A packet under way keeps the rules it met but looks into sets afresh, so a chain
that came with the element pointing at it would still be empty for that packet: never both in one batch.
Prepare and retire may be cut anywhere between two messages; the switch never.
Next: `difference.py` makes transactions of two tables, `wire.py` writes them.
"""

from collections.abc import Collection
from dataclasses import dataclass

from podfence.nft import keys
from podfence.nft.keys import Key
from podfence.nft.table import Chain, Elements, Set, element


@dataclass(frozen=True, slots=True)
class AddTable:
    layout: int

    def text(self, table: str) -> str:
        comment = f'{{ comment "layout {self.layout}"; }}' if self.layout else ""
        return f"add table inet {table} {comment}".rstrip()


@dataclass(frozen=True, slots=True)
class DeleteTable:
    def text(self, table: str) -> str:
        return f"delete table inet {table}"


@dataclass(frozen=True, slots=True)
class AddCounter:
    name: str

    def text(self, table: str) -> str:
        return f"add counter inet {table} {self.name}"


@dataclass(frozen=True, slots=True)
class DeleteCounter:
    name: str

    def text(self, table: str) -> str:
        return f"delete counter inet {table} {self.name}"


@dataclass(frozen=True, slots=True)
class AddSet:
    """Declares the set; its elements are an operation of their own."""

    set: Set

    def text(self, table: str) -> str:
        shape = "; ".join(self.set.declaration())
        return f"add {self.set.word} inet {table} {self.set.name} {{ {shape}; }}"


@dataclass(frozen=True, slots=True)
class DeleteSet:
    """Of the set only its name and whether it is a map are looked at."""

    set: Set

    def text(self, table: str) -> str:
        return f"delete {self.set.word} inet {table} {self.set.name}"


@dataclass(frozen=True, slots=True)
class AddElements:
    """Of the set only its shape is looked at.

    An element that is there already does no harm; one with another verdict refuses the batch.
    """

    set: Set
    elements: Elements

    def text(self, table: str) -> str:
        shown = [element(self.set.types, key, verdict) for key, verdict in self.elements.items()]
        return f"add element inet {table} {self.set.name} {{ {', '.join(shown)} }}"


@dataclass(frozen=True, slots=True)
class DeleteElements:
    """An element that is not there refuses the batch."""

    set: Set
    keys: Collection[Key]

    def text(self, table: str) -> str:
        shown = [keys.text(self.set.types, key) for key in self.keys]
        return f"delete element inet {table} {self.set.name} {{ {', '.join(shown)} }}"


@dataclass(frozen=True, slots=True)
class AddChain:
    """Declares the chain; its rules are an operation of their own, since they may name chains yet to come."""

    chain: Chain

    def text(self, table: str) -> str:
        hook = f" {{ {self.chain.hook} }}" if self.chain.hook else ""
        return f"add chain inet {table} {self.chain.name}{hook}"


@dataclass(frozen=True, slots=True)
class ReplaceRules:
    """Makes these the rules of the chain, whatever they were: so it can be repeated."""

    chain: Chain

    def text(self, table: str) -> str:
        place = f"inet {table} {self.chain.name}"
        rules = [f"add rule {place} " + " ".join(map(str, rule)) for rule in self.chain.rules]
        return "\n".join([f"flush chain {place}", *rules])


@dataclass(frozen=True, slots=True)
class DeleteChain:
    name: str

    def text(self, table: str) -> str:
        return f"delete chain inet {table} {self.name}"


Operation = (
    AddTable | DeleteTable | AddCounter | DeleteCounter | AddSet | DeleteSet | AddElements | DeleteElements
    | AddChain | ReplaceRules | DeleteChain
)  # fmt: skip
Batch = tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Transaction:
    table: str
    prepare: tuple[Batch, ...] = ()
    switch: Batch = ()
    retire: tuple[Batch, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.prepare or self.switch or self.retire)

    def __str__(self) -> str:
        """One `nft -f` input a batch, each under its stage."""
        stages = [("prepare", batch) for batch in self.prepare]
        stages += [("switch", self.switch)] if self.switch else []
        stages += [("retire", batch) for batch in self.retire]
        return "\n".join(
            f"# {stage}\n" + "".join(f"{operation.text(self.table)}\n" for operation in batch)
            for stage, batch in stages
        )
