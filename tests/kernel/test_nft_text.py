"""What we write through netlink, nft prints as we print it; what nft writes, we read as what it says."""

import pytest

from nft.samples import EMPTY, EVERYTHING
from podfence.nft.difference import diff
from podfence.nft.kernel import Kernel
from podfence.nft.statements import Unknown
from podfence.nft.table import Table
from sandbox import in_sandbox, run


def listing(table: str = "podfence") -> str:
    return run(f"nft list table inet {table}")


@in_sandbox
@pytest.mark.parametrize("table", [EVERYTHING, EMPTY, Table.of("podfence", 0)], ids=["full", "empty", "bare"])
def test_nft_lists_what_we_wrote_as_we_print_it(table):
    with Kernel() as kernel:
        kernel.apply(diff(table, None))
        assert listing() == str(table)


@in_sandbox
def test_what_we_wrote_is_read_back_equal_and_prints_the_same():
    with Kernel() as kernel:
        kernel.apply(diff(EVERYTHING, None))
        found = kernel.read()
        assert found == EVERYTHING
        assert str(found) == str(EVERYTHING)
        assert not diff(EVERYTHING, found)


@in_sandbox
@pytest.mark.parametrize("table", [EVERYTHING, EMPTY], ids=["full", "empty"])
def test_a_printed_table_that_nft_loads_is_read_back_equal(table, tmp_path):
    text = tmp_path / "table.nft"
    text.write_text(str(table))
    run(f"nft -f {text}")
    with Kernel() as kernel:
        assert kernel.read() == table


@in_sandbox
def test_a_printed_transaction_does_in_nft_what_applying_it_does(tmp_path):
    transaction = diff(EVERYTHING, None)
    for at, part in enumerate(str(transaction).split("# ")[1:]):
        text = tmp_path / f"{at}.nft"
        text.write_text(f"# {part}")
        run(f"nft -f {text}")
    with Kernel() as kernel:
        assert kernel.read() == EVERYTHING


@in_sandbox
@pytest.mark.parametrize(
    "foreign",
    [
        "add rule inet podfence last tcp dport { 80, 443 } accept",
        "add rule inet podfence last meta mark 7 accept",
        "add rule inet podfence last ct state != established accept",
        "add rule inet podfence last limit rate over 3/second drop",
        "add rule inet podfence last limit rate 3/minute drop",
        "add rule inet podfence last log level info",
        "add rule inet podfence last numgen inc mod 3 0 accept",
        "add rule inet podfence last ip saddr & 255.255.0.0 == 10.0.0.0 accept",
        "add rule inet podfence last ip saddr 10.0.0.0/8 accept",
        "add rule inet podfence last ct mark set 7",
        "add rule inet podfence last reject",
        "add rule inet podfence postrouting masquerade random",
        "add rule inet podfence last ip6 saddr @pods6 ip6 daddr @pods6 icmpv6 type echo-request accept",
    ],
)
def test_a_foreign_rule_is_unknown_and_the_difference_removes_it(foreign):
    with Kernel() as kernel:
        kernel.apply(diff(EVERYTHING, None))
        run(f"nft {foreign}")
        found = kernel.read()
        chain = found.chains[foreign.split()[4]]
        assert [type(rule[0]) for rule in chain.rules].count(Unknown) == 1
        kernel.apply(diff(EVERYTHING, found))
        assert kernel.read() == EVERYTHING


@in_sandbox
@pytest.mark.parametrize(
    "foreign",
    [
        "add set inet podfence extra { type ipv4_addr; flags timeout; }",
        "add set inet podfence extra { type ether_addr; }",
        "add map inet podfence extra { type ipv4_addr : ipv4_addr; }",
        "add quota inet podfence extra { over 5 mbytes }",
        "add table inet podfence { flags dormant; }",
        "add chain inet podfence extra { type route hook output priority 0; }",
        "add element inet podfence egress4 { * : drop }",
    ],
)
def test_what_we_can_never_have_written_replaces_the_whole_table(foreign):
    with Kernel() as kernel:
        kernel.apply(diff(EVERYTHING, None))
        run(f"nft {foreign}")
        found = kernel.read()
        assert found.layout == 0
        kernel.apply(diff(EVERYTHING, found))
        assert kernel.read() == EVERYTHING
        assert listing() == str(EVERYTHING)
