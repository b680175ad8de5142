"""Services as a table of a node's own: cluster addresses lead to pods, as kube-proxy does it.

A table like any other: a pure value, changed by the difference to the one that is there. A port without pods behind it has no
entry, so nothing is translated and the network outside answers that there is no such place. Policies see what comes out:
translation happens before the `forward` hook and masquerading behind it. Next: `running` applies it on every node.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from podfence.model.address import Address
from podfence.model.backends import Backend, backends
from podfence.model.cluster import Service, ServicePort, Snapshot
from podfence.nft.keys import Key, KeyType, address_service_key
from podfence.nft.statements import Address as Match
from podfence.nft.statements import (
    AddressMap,
    AddressServiceMap,
    Chance,
    Dnat,
    End,
    Family,
    L4Proto,
    Masquerade,
    Rule,
)
from podfence.nft.table import Chain, Hook, HookPoint, Set, Table
from podfence.nft.verdicts import Verdict, goto
from podfence.program import digest

NAME, LAYOUT = "podfence-lab", 1
_FAMILIES = {4: (Family.IPV4, KeyType.IPV4), 6: (Family.IPV6, KeyType.IPV6)}
_BEFORE_ROUTING, _AFTER_ROUTING = -100, 100


def table(snapshot: Snapshot, node: str) -> Table:
    """What translates on one node. Chains are named by what they say, so equal ones are one and none ever changes."""
    spreads = dict(_entries(snapshot))
    chains = {chain.name: chain for chain in (_spread(port, found) for (_, port), found in spreads.items())}
    selves = sorted({b.address for found in spreads.values() for b in found if b.pod.node == node})
    chains |= {chain.name: chain for chain in map(_hairpin, selves)}
    return Table.of(
        NAME,
        LAYOUT,
        sets=[each for family in (4, 6) for each in (_services(family, spreads), _selves(family, selves))],
        chains=[*chains.values(), *_hooks()],
    )


Entry = tuple[Address, ServicePort]


def _entries(snapshot: Snapshot) -> Iterator[tuple[Entry, tuple[Backend, ...]]]:
    """Every cluster address and port that leads somewhere."""
    for service in _in_order(snapshot.services.values()):
        for address in service.addresses:
            for port in service.ports:
                if found := backends(snapshot, service, port, address.family):
                    yield (address, port), found


def _in_order(services: Iterable[Service]) -> list[Service]:
    return sorted(services, key=lambda service: service.key)


def _services(family: int, spreads: dict[Entry, tuple[Backend, ...]]) -> Set:
    elements: dict[Key, Verdict | None] = {
        address_service_key(address, port.protocol, port.number): goto(_spread(port, found).name)
        for (address, port), found in spreads.items()
        if address.family == family
    }
    types = (_FAMILIES[family][1], KeyType.PROTOCOL, KeyType.PORT)
    return Set(f"services{family}", types, elements, verdicts=True)


def _spread(port: ServicePort, found: tuple[Backend, ...]) -> Chain:
    """Each backend gets an equal share: one in n, then one in n-1 of the rest, and so on; the last takes what is left."""
    protocol, left = L4Proto(port.protocol), len(found)
    rules: list[Rule] = []
    for backend in found:
        to = Dnat(bytes(backend.address), backend.port)
        rules.append((protocol, Chance(left), to) if left > 1 else (protocol, to))
        left -= 1
    name = digest(port.protocol, [(str(backend.address), backend.port) for backend in found])
    return Chain(f"spread_{name}", tuple(rules))


def _hairpin(address: Address) -> Chain:
    """A pod that reached itself through a Service must not see its own address as the sender: it would answer itself."""
    return Chain(f"self_{address.hex()}", ((Match(End.DESTINATION, bytes(address)), Masquerade()),))


def _selves(family: int, addresses: list[Address]) -> Set:
    elements: dict[Key, Verdict | None] = {
        bytes(address): goto(_hairpin(address).name) for address in addresses if address.family == family
    }
    return Set(f"selves{family}", (_FAMILIES[family][1],), elements, verdicts=True)


def _hooks() -> tuple[Chain, ...]:
    """Forwarded connections and the node's own are translated alike."""
    translate = tuple(
        (AddressServiceMap(name, End.DESTINATION, f"services{family}"),)
        for family, (name, _) in _FAMILIES.items()
    )
    selves = tuple(
        (AddressMap(name, End.SOURCE, f"selves{family}"),) for family, (name, _) in _FAMILIES.items()
    )
    return (
        Chain("prerouting", translate, Hook(HookPoint.PREROUTING, _BEFORE_ROUTING, kind="nat")),
        Chain("output", translate, Hook(HookPoint.OUTPUT, _BEFORE_ROUTING, kind="nat")),
        Chain("postrouting", selves, Hook(HookPoint.POSTROUTING, _AFTER_ROUTING, kind="nat")),
    )
