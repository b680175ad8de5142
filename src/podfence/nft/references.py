"""What rules point at: chains they jump to, sets they look into, counters they add to.

Next: `fake.py` refuses what the kernel refuses with this; a renderer may check that a table is closed.
"""

from collections.abc import Iterable, Iterator
from enum import Enum, auto

from podfence.nft.statements import (
    AddressIn,
    AddressMap,
    AddressServiceMap,
    Count,
    InterfaceIn,
    L4ProtoIn,
    PortMap,
    Rule,
    ServiceMap,
    Verdict,
)


class Reference(Enum):
    CHAIN = auto()
    SET = auto()
    COUNTER = auto()


def references(rules: Iterable[Rule]) -> Iterator[tuple[Reference, str]]:
    for rule in rules:
        for statement in rule:
            match statement:
                case AddressIn() | InterfaceIn() | L4ProtoIn():
                    yield Reference.SET, statement.set
                case AddressMap() | ServiceMap() | AddressServiceMap() | PortMap():
                    yield Reference.SET, statement.map
                case Count(counter):
                    yield Reference.COUNTER, counter
                case Verdict(_, chain) if chain:
                    yield Reference.CHAIN, chain
                case _:
                    pass
