"""Set elements to netlink and back, by the ten thousand.

Elements of a set differ only in their keys, so each is a constant head, its key and a constant tail. An
interval is two elements, its first key and an end mark behind its last; one that reaches the last key of
all has no end mark, since nothing lies behind it.
Next: `wire.py` puts the lists into messages, `reading.py` takes them out of dumps.
"""

from collections.abc import Collection, Iterator
from functools import lru_cache

from podfence.netlink import codec
from podfence.nft import keys
from podfence.nft.expressions import ForeignError, decode_value, encode_value
from podfence.nft.keys import Key
from podfence.nft.table import Elements, Set
from podfence.nft.verdicts import Verdict

LIST_ELEMENT = 1
KEY, DATA, FLAGS = 1, 2, 3
INTERVAL_END = 1
_LIST_LIMIT = 65000  # an attribute is at most 65,535 bytes long

_Frame = tuple[bytes, bytes]


def encode(described: Set, elements: Elements) -> Iterator[bytes]:
    """Lists of encoded elements, each small enough for one message."""
    verdicts = described.verdicts
    if not verdicts:
        return _lists(_encode_keys(described, elements))
    length = keys.width(described.types)
    if described.interval:
        return _lists(
            [_interval(key, length, verdict) for key, verdict in sorted(elements.items(), key=_first)]
        )
    # By identity, since thousands of elements share a few verdicts and hashing each would cost more than the rest.
    shared = {id(verdict): verdict for verdict in elements.values()}
    frames = {identity: _frame(length, verdict) for identity, verdict in shared.items()}
    framed = [(frames[id(verdict)], key) for key, verdict in elements.items()]
    return _lists([head + key + tail for (head, tail), key in framed])  # type: ignore[operator]


def encode_keys(described: Set, wanted: Collection[Key]) -> Iterator[bytes]:
    """The same for elements that go: their keys name them, whatever they carry."""
    return _lists(_encode_keys(described, wanted))


def _encode_keys(described: Set, wanted: Collection[Key]) -> list[bytes]:
    length = keys.width(described.types)
    if described.interval:
        return [_interval(key, length, None) for key in sorted(wanted)]
    head, tail = _frame(length, None)
    return [head + key + tail for key in wanted]  # type: ignore[operator]


def _first(item: tuple[Key, Verdict | None]) -> bytes:
    return item[0][0] if isinstance(item[0], tuple) else item[0]


def _lists(encoded: list[bytes]) -> Iterator[bytes]:
    if not encoded:
        return
    together = _LIST_LIMIT // max(map(len, encoded))
    for at in range(0, len(encoded), together):
        yield b"".join(encoded[at : at + together])


@lru_cache(1024)
def _frame(length: int, verdict: Verdict | None, flags: int = 0) -> _Frame:
    """What stands before and behind a key of this length, found by encoding an element around a mark."""
    mark = b"\xa5" * length
    parts = [codec.nested(KEY, encode_value(mark))]
    if verdict is not None:
        parts.append(codec.nested(DATA, encode_value(verdict)))
    if flags:
        parts.append(codec.be32(FLAGS, flags))
    head, _, tail = codec.nested(LIST_ELEMENT, *parts).partition(mark)
    return head, tail


def _interval(key: Key, length: int, verdict: Verdict | None) -> bytes:
    first, last = key
    if not isinstance(first, bytes) or not isinstance(last, bytes):
        raise TypeError(f"an interval is a pair of keys, not {key!r}")
    head, tail = _frame(length, verdict)
    behind = int.from_bytes(last, "big") + 1
    if behind >> 8 * length:
        return head + first + tail
    end_head, end_tail = _frame(length, None, INTERVAL_END)
    return head + first + tail + end_head + behind.to_bytes(length, "big") + end_tail


def decode(described: Set, content: memoryview) -> list[tuple[bytes, Verdict | None, bool]]:
    """(key, verdict, whether it is an end mark) of each element in a dumped list."""
    if not described.verdicts and not described.interval and (found := _decode_alike(described, content)):
        return found
    length = keys.width(described.types)
    return [_decode(payload, length) for _, payload in codec.attributes(content)]


def _decode_alike(described: Set, content: memoryview) -> list[tuple[bytes, Verdict | None, bool]]:
    """Elements of nothing but a key have all the same shape; empty where one is different."""
    length = keys.width(described.types)
    shape = codec.attr(LIST_ELEMENT, codec.attr(KEY, codec.attr(1, bytes(length))))
    head = shape[:12]
    pieces = [bytes(content[at : at + len(shape)]) for at in range(0, len(content), len(shape))]
    if not all(piece.startswith(head) for piece in pieces):
        return []
    return [(piece[12 : 12 + length], None, False) for piece in pieces]


def _decode(payload: memoryview, length: int) -> tuple[bytes, Verdict | None, bool]:
    found = dict(codec.attributes(payload))
    if KEY not in found:
        raise ForeignError("a set holds an element for everything else, which we never write")
    verdict = _verdict(bytes(found[DATA])) if DATA in found else None
    flags = int.from_bytes(found.get(FLAGS, b""), "big")
    return bytes(found[KEY][4 : 4 + length]), verdict, bool(flags & INTERVAL_END)


@lru_cache(4096)
def _verdict(content: bytes) -> Verdict:
    """Thousands of elements share a few verdicts."""
    verdict = decode_value(memoryview(content))
    if isinstance(verdict, Verdict):
        return verdict
    raise ForeignError("a map leads to something else than verdicts, which we never make")


def assemble(described: Set, decoded: list[tuple[bytes, Verdict | None, bool]]) -> dict[Key, Verdict | None]:
    """Keys as they are, or intervals from their first keys and end marks, which come in any order."""
    if not described.interval:
        return {key: verdict for key, verdict, _ in decoded}
    length = keys.width(described.types)
    opened: tuple[bytes, Verdict | None] | None = None
    found: dict[Key, Verdict | None] = {}
    # An end mark sorts before the first key of a neighbour that begins right there.
    for key, verdict, ends in sorted(decoded, key=lambda each: (each[0], not each[2])):
        if ends and opened:
            found[opened[0], (int.from_bytes(key, "big") - 1).to_bytes(length, "big")] = opened[1]
            opened = None
        elif not ends:
            opened = key, verdict
    if opened:
        found[opened[0], b"\xff" * length] = opened[1]
    return found
