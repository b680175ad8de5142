"""CIDR blocks as the API server reads them: the old parser that accepts sloppy text, and what 1.36 refuses of it.

Leading zeros are decimal, host bits are masked, an IPv4-mapped block is its IPv4 block: never a wider one.
Next: `rules` judges ipBlocks, `networkpolicy` builds peers of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from podfence.manifests.wrong import invalid
from podfence.model.address import MAPPED_PREFIX, Address, Network, address, masked

_LENGTH = re.compile(r"[0-9]{1,8}")
_IPV4 = re.compile(r"[0-9]{1,8}(?:\.[0-9]{1,8}){3}")
_GROUP = re.compile(r"[0-9a-fA-F]{1,12}")

NOT_A_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"


@dataclass(frozen=True, slots=True)
class Block:
    """A CIDR block as it was written."""

    text: str
    base: Address
    length: int

    @property
    def mapped(self) -> bool:
        return len(self.base) == 16 and self.base.startswith(MAPPED_PREFIX)

    @property
    def leading_zeros(self) -> bool:
        """What Go's strict parser does not read although the sloppy one does; five digits in IPv6 as well."""
        base, _, length = self.text.partition("/")
        octets = base.rpartition(":")[2].split(".") if "." in base else []
        groups = [group for group in base.split(":") if "." not in group]
        zeros = any(len(number) > 1 and number.startswith("0") for number in [*octets, length])
        return zeros or (":" in base and any(len(group) > 4 for group in groups))

    @property
    def network(self) -> Network:
        return masked(self.base, self.length)

    @property
    def host_bits(self) -> bool:
        bits = len(self.base) * 8 - self.length
        return bool(self.base.number & ((1 << bits) - 1))

    def strictly_holds(self, other: Block) -> bool:
        """The server's test: the other's base is inside, and its prefix is written longer."""
        return other.network.base in self.network and other.length > self.length


@lru_cache(maxsize=8192)
def block(text: str) -> Block | None:
    """None when not even the sloppy parser reads it."""
    base, _, length = text.partition("/")
    if not _LENGTH.fullmatch(length):
        return None
    try:
        found = address(_canonical_ipv6(base) if ":" in base else _canonical_ipv4(base))
    except ValueError:
        return None
    return Block(text, found, int(length)) if int(length) <= len(found) * 8 else None


def _canonical_ipv4(text: str) -> str:
    if not _IPV4.fullmatch(text):
        raise ValueError(text)
    return ".".join(str(int(octet)) for octet in text.split("."))


def _canonical_ipv6(text: str) -> str:
    return ":".join(_canonical_group(group) for group in text.split(":"))


def _canonical_group(text: str) -> str:
    if "." in text:
        return _canonical_ipv4(text)
    if text and not _GROUP.fullmatch(text):
        raise ValueError(text)
    return f"{int(text, 16):x}" if text else ""


def strict_fault(found: Block) -> str | None:
    """What Kubernetes 1.36 and later refuse in a block that the sloppy parser read: the first of three."""
    if found.leading_zeros:
        return invalid(found.text, "must not have leading 0s in IP or prefix length")
    if found.mapped:
        return invalid(found.text, "must not have an IPv4-mapped IPv6 address")
    if found.host_bits:
        return invalid(found.text, "must not have bits set beyond the prefix length")
    return None


def uncanonical(found: Block) -> str | None:
    """The warning about IPv6 that is not written as RFC 5952 wants it."""
    if len(found.base) == 4 or found.leading_zeros or found.mapped or found.host_bits:
        return None
    from ipaddress import IPv6Address  # only here does it matter that glibc prints some IPv6 as IPv4

    canonical = f"{IPv6Address(bytes(found.base)).compressed}/{found.length}"
    if canonical == found.text:
        return None
    return f'IPv6 CIDR value "{found.text}" should be in RFC 5952 canonical format ("{canonical}")'


def loose_warning(found: Block) -> str:
    """What API servers up to 1.35 warn of where later ones refuse, with the way out."""
    block = found.network
    if not (found.leading_zeros or found.mapped):
        single = f"{found.base}/{len(found.base) * 8}"
        return f'CIDR value "{found.text}" is ambiguous in this context (should be "{block}" or "{single}"?)'
    future = "will be considered invalid in a future Kubernetes release"
    return f'non-standard CIDR value "{found.text}" {future}: use "{block}"'
