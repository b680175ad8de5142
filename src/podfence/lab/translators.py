"""The lab's own table on every node, which translates Services. Separate from the table that enforces, which is the product's.

Next: `running` changes it whenever pods or Services do.
"""

from __future__ import annotations

from collections.abc import Iterable

from podfence.lab import services
from podfence.lab.network import Fabric
from podfence.lab.topology import node_place
from podfence.model.address import Address
from podfence.model.cluster import Snapshot
from podfence.model.ports import Protocol
from podfence.netlink import conntrack
from podfence.nft.difference import diff
from podfence.nft.kernel import Kernel
from podfence.nft.table import Table


class Translators:
    def __init__(self, fabric: Fabric) -> None:
        self._fabric = fabric
        self._kernels: dict[str, Kernel] = {}
        self._tables: dict[str, Table] = {}

    def change(self, snapshot: Snapshot) -> None:
        """On every node that is there, the difference and no more."""
        for name in self._kernels.keys() - snapshot.nodes.keys():
            self._kernels.pop(name).close()
            del self._tables[name]
        for name in snapshot.nodes:
            self._translate(name, services.table(snapshot, name))

    def forget(self, gone: Iterable[Address], nodes: Iterable[str]) -> None:
        """A datagram's sender keeps its port, so without this it would be sent to a pod that is no more."""
        addresses = {bytes(address) for address in gone}
        if not addresses:
            return
        for name in nodes:
            with self._fabric.inside(node_place(name)):
                conntrack.forget(
                    lambda entry: entry.original.protocol == Protocol.UDP and entry.reply.source in addresses
                )

    def close(self) -> None:
        for kernel in self._kernels.values():
            kernel.close()

    def _translate(self, name: str, wanted: Table) -> None:
        if name not in self._kernels:
            with self._fabric.inside(node_place(name)):
                self._kernels[name] = Kernel(services.NAME, grace=lambda: None)
        if transaction := diff(wanted, self._tables.get(name)):
            self._kernels[name].apply(transaction)
        self._tables[name] = wanted
