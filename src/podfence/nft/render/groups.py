"""A group as sets: its pods in hash sets that change, its addresses in interval sets that never do.

Which sets there are follows from the definition alone, so that members may come and go as elements.
Next: `combinations.py` asks for `matches` against these sets.
"""

from collections.abc import Iterable, Iterator

from podfence.model.address import EVERYWHERE, Address
from podfence.nft.keys import Key, KeyType
from podfence.nft.render.ends import FAMILIES
from podfence.nft.statements import AddressIn, End, Nfproto, Rule
from podfence.nft.table import Set
from podfence.program import Group

KEY_TYPES = {4: (KeyType.IPV4,), 6: (KeyType.IPV6,)}


def pods_name(group: str, family: int) -> str:
    return f"m_{group}_{family}"


def nets_name(group: str, family: int) -> str:
    return f"n_{group}_{family}"


def keys_of(addresses: Iterable[Address], family: int) -> list[Key]:
    """Plain bytes: a set of the kernel knows nothing of our addresses."""
    length = 4 if family == 4 else 16
    return [bytes(address) for address in addresses if len(address) == length]


def pods_set(group: str, family: int, members: Iterable[Address] = ()) -> Set:
    elements: dict[Key, None] = dict.fromkeys(keys_of(members, family))
    return Set(pods_name(group, family), KEY_TYPES[family], elements)


def sets(group: Group, members: Iterable[Address]) -> Iterator[Set]:
    for family, types in KEY_TYPES.items():
        if group.terms:
            yield pods_set(group.name, family, members)
        if group.addresses.of(family) and not _whole(group, family):
            blocks: dict[Key, None] = {
                (bytes(block.first), bytes(block.last)): None for block in group.addresses.of(family)
            }
            yield Set(nets_name(group.name, family), types, blocks, interval=True)


def matches(group: Group, end: End) -> Iterator[Rule]:
    """One unfinished rule for each way to belong to the group; all ways, if it is anyone's."""
    if group.anyone:
        yield ()
        return
    for number, family in FAMILIES.items():
        if _whole(group, number):
            yield (Nfproto(family),)
            continue
        if group.terms:
            yield (AddressIn(family, end, pods_name(group.name, number)),)
        if group.addresses.of(number):
            yield (AddressIn(family, end, nets_name(group.name, number)),)


def _whole(group: Group, family: int) -> bool:
    return group.addresses.of(family) == EVERYWHERE.of(family)
