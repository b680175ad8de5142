"""What may stand in an nft text or a netlink attribute as a name: the one place where hostile strings stop.

Every value of this package checks its names when it is made, so that printing never needs to escape.
Next: `statements.py` and `table.py`, which call these.
"""

import re

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,126}")
_INTERFACE = re.compile(r"[A-Za-z0-9_.@:+-]{1,15}")
_PREFIX = re.compile(r"[A-Za-z0-9_.,:;=+/@ -]{1,127}")


def name(text: str) -> str:
    """A table, chain, set or counter name that nft's own parser accepts unquoted."""
    return _checked(_NAME, text, "a name is a letter, then at most 126 letters, digits, '_', '.' or '-'")


def interface(text: str) -> str:
    """A network interface; the kernel allows more, our own are plain."""
    return _checked(_INTERFACE, text, "an interface is 1 to 15 letters, digits or one of _.@:+-")


def log_prefix(text: str) -> str:
    return _checked(_PREFIX, text, "a log prefix is 1 to 127 letters, digits, spaces or one of _.,:;=+/@-")


def _checked(pattern: re.Pattern[str], text: str, rule: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError(f"{text[:140]!r} cannot be used in nftables: {rule}")
    return text


def in_range(number: int, last: int, what: str, first: int = 0) -> int:
    if not first <= number <= last:
        raise ValueError(f"{what} {number} is not between {first} and {last}")
    return number
