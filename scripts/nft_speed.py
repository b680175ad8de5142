"""How long the nft layer takes, in a network namespace of its own: `unshare -n .venv/bin/python scripts/nft_speed.py`."""

import time
from collections.abc import Callable

from podfence.nft import wire
from podfence.nft.difference import diff
from podfence.nft.kernel import Kernel
from podfence.nft.keys import KeyType, service_key
from podfence.nft.statements import AddressIn, AddressMap, CtMark, End, Family, ServiceMap
from podfence.nft.table import Chain, Hook, HookPoint, Set, Table
from podfence.nft.transaction import AddElements, DeleteElements, Operation, ReplaceRules, Transaction
from podfence.nft.verdicts import ACCEPT, DROP, RETURN, goto, jump

PODS = [(0x0A000000 + number).to_bytes(4, "big") for number in range(1, 10_001)]
V4, SRC, DST = Family.IPV4, End.SOURCE, End.DESTINATION


def milliseconds(work: Callable[[], object], repeat: int = 1) -> float:
    """The median of several runs."""
    taken = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return sorted(taken)[len(taken) // 2] * 1000


def table(combinations: int) -> Table:
    """10,000 pods, each combination with a port map, two groups and a shared set of 1,000 peers each."""
    numbers = range(combinations)
    groups = [Set(f"peers_{n}", (KeyType.IPV4,), dict.fromkeys(PODS[n : n + 1000])) for n in numbers]
    port_maps = [
        Set(
            f"ports_{n}",
            (KeyType.PROTOCOL, KeyType.PORT),
            {service_key(6, p): goto(f"group_{n}") for p in range(140)},
            verdicts=True,
        )
        for n in numbers
    ]
    verdicts = [jump(f"combination_{n}") for n in numbers]
    dispatch = Set(
        "egress",
        (KeyType.IPV4,),
        {pod: verdicts[at % combinations] for at, pod in enumerate(PODS)},
        verdicts=True,
    )
    chains = [Chain(f"group_{n}", ((AddressIn(V4, DST, f"peers_{n}"), RETURN), (DROP,))) for n in numbers]
    chains += [Chain(f"combination_{n}", ((ServiceMap(DST, f"ports_{n}"),), (DROP,))) for n in numbers]
    base = Chain(
        "forward",
        ((CtMark(0xFFFF0000, 0x10000), ACCEPT), (AddressMap(V4, SRC, "egress"),)),
        Hook(HookPoint.FORWARD),
    )
    return Table.of("podfence", 1, sets=(*groups, *port_maps, dispatch), chains=(*chains, base))


def one(*operations: Operation) -> Transaction:
    return Transaction("podfence", switch=operations)


def main() -> None:
    plain = Set("plain", (KeyType.IPV4,), dict.fromkeys(PODS))
    added = AddElements(plain.shape(), plain.elements)
    encoding = milliseconds(lambda: b"".join(wire.encode("podfence", added)), 20)
    print(f"encode an element                      {encoding / len(PODS) * 1000:8.3f} us")
    with Kernel() as kernel:
        kernel.apply(diff(Table.of("podfence", 1, sets=(plain.shape(),)), None))
        fill, empty = one(added), one(DeleteElements(plain.shape(), tuple(PODS)))
        times = [
            (milliseconds(lambda: kernel.apply(fill)), milliseconds(lambda: kernel.apply(empty)))
            for _ in range(7)
        ]
        print(f"add 10,000 elements                    {sorted(times)[3][0]:8.3f} ms")
        kernel.apply(fill)
        print(f"read them back                         {milliseconds(kernel.read, 5):8.3f} ms")
        new = (0x0B000000).to_bytes(4, "big")
        measure_single(kernel, plain, new)
        kernel.remove()
        for combinations in (10, 100, 400):
            measure_table(kernel, combinations)


def measure_single(kernel: Kernel, described: Set, key: bytes, verdict: object = None) -> None:
    shape = described.shape()
    add, delete = one(AddElements(shape, {key: verdict})), one(DeleteElements(shape, (key,)))  # type: ignore[dict-item]
    pairs = [
        (milliseconds(lambda: kernel.apply(add)), milliseconds(lambda: kernel.apply(delete)))
        for _ in range(300)
    ]
    print(f"add one element to {described.name:<20}{sorted(add for add, _ in pairs)[150] * 1000:8.1f} us")
    print(f"delete it again                        {sorted(gone for _, gone in pairs)[150] * 1000:8.1f} us")


def measure_table(kernel: Kernel, combinations: int) -> None:
    wanted = table(combinations)
    print(
        f"--- 10,000 pods, {combinations} combinations, {len(wanted.chains)} chains, {len(wanted.sets)} sets"
    )
    print(f"make the transaction                   {milliseconds(lambda: diff(wanted, None)):8.1f} ms")
    print(
        f"load the table                         {milliseconds(lambda: kernel.apply(diff(wanted, None))):8.1f} ms"
    )
    print(f"read the table                         {milliseconds(kernel.read):8.1f} ms")
    found = kernel.read()
    print(f"compare with what was read             {milliseconds(lambda: diff(wanted, found)):8.1f} ms")
    measure_single(kernel, wanted.sets["peers_0"], PODS[-1])
    measure_single(kernel, wanted.sets["egress"], b"\x0b\0\0\0", jump("combination_0"))
    bump = one(ReplaceRules(wanted.chains["forward"]))
    print(
        f"replace the base rules (GEN)           {milliseconds(lambda: kernel.apply(bump), 50) * 1000:8.1f} us"
    )
    kernel.remove()


if __name__ == "__main__":
    main()
