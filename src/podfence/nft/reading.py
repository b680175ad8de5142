"""The kernel's dumps as tables again.

What we cannot have written reads as something we never want: a rule as `Unknown`, anything bigger as a table
of layout 0 without content, which `diff` replaces as a whole. So a foreign hand is noticed and never obeyed.
Next: `kernel.py` asks for the dumps.
"""

from collections.abc import Iterable

from podfence.netlink import codec
from podfence.nft import elements, expressions
from podfence.nft.actions import Counter
from podfence.nft.expressions import ForeignError
from podfence.nft.keys import KeyType
from podfence.nft.lifting import lift
from podfence.nft.statements import Rule
from podfence.nft.table import Hook, HookPoint, Set
from podfence.nft.verdicts import Code, Verdict
from podfence.nft.wire import COUNTER, INTERVAL_FLAG, MAP_FLAG, VERDICT_TYPE, type_number

ANONYMOUS_FLAG = 0x1
_KEPT_FLAGS = INTERVAL_FLAG | MAP_FLAG
_HEADER = 4  # of nfnetlink, before the attributes
_TYPES: dict[int, tuple[KeyType, ...]] = {
    type_number(types): types
    for types in (
        *((each,) for each in KeyType),
        (KeyType.PROTOCOL, KeyType.PORT),
        (KeyType.IPV4, KeyType.PROTOCOL, KeyType.PORT),
        (KeyType.IPV6, KeyType.PROTOCOL, KeyType.PORT),
    )
}

Attributes = dict[int, memoryview]


def attributes(message: codec.Message) -> Attributes:
    return dict(codec.attributes(message.payload[_HEADER:]))


def number(found: Attributes, attribute: int, default: int = 0, *, signed: bool = False) -> int:
    return int.from_bytes(found[attribute], "big", signed=signed) if attribute in found else default


def layout(found: Attributes) -> int:
    """The number in the table's comment; 0 where somebody else made the table or put it to sleep."""
    comment = bytes(found.get(6, b""))
    text = comment[2:].rstrip(b"\0").decode("ascii", "replace")
    word, _, digits = text.partition(" ")
    known = not number(found, 2) and comment[:1] == b"\0" and word == "layout" and digits.isdecimal()
    return int(digits) if known else 0


def anonymous(found: Attributes) -> bool:
    """Whether the set belongs to a rule and goes with it."""
    return bool(number(found, 3) & ANONYMOUS_FLAG)


def count(found: Attributes) -> int | None:
    """How many elements the kernel says there are; kernels before 6.16 do not say."""
    return number(found, 20) if 20 in found else None


def described(found: Attributes) -> Set:
    """A set without its elements."""
    flags = number(found, 3)
    name = codec.read_text(found[2])
    types = _TYPES.get(number(found, 4))
    if flags & ~_KEPT_FLAGS or types is None or number(found, 6) not in {0, VERDICT_TYPE}:
        raise ForeignError(f"set {name} is of a kind we never make")
    size = number(dict(codec.attributes(found[9])), 1) if 9 in found else 0
    return Set(name, types, {}, bool(flags & INTERVAL_FLAG), bool(flags & MAP_FLAG), size or None)


def hook(found: Attributes) -> Hook | None:
    if 4 not in found:
        return None
    where = dict(codec.attributes(found[4]))
    policy = Verdict(Code(number(found, 5)))
    priority = number(where, 2, signed=True)
    return Hook(HookPoint(number(where, 1)), priority, policy, codec.read_text(found[7]))


def rule(found: Attributes) -> Rule:
    return lift(tuple(expressions.decode(found.get(4, memoryview(b"")))))


def counter(found: Attributes) -> Counter:
    if number(found, 3) != COUNTER:
        raise ForeignError(f"object {codec.read_text(found[2])} is not a counter")
    content = dict(codec.attributes(found[4]))
    return Counter(number(content, 2), number(content, 1))


def filled(shape: Set, dumped: Iterable[Attributes]) -> Set:
    decoded = [each for found in dumped if 3 in found for each in elements.decode(shape, found[3])]
    content = elements.assemble(shape, decoded)
    return Set(shape.name, shape.types, content, shape.interval, shape.verdicts, shape.size)
