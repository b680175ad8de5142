"""Statements in the kernel's terms and back."""

import pytest

from nft.samples import ENDPOINTS, NAT, RULES
from podfence.netlink import codec
from podfence.nft import expressions
from podfence.nft.lifting import lift
from podfence.nft.lowering import lower
from podfence.nft.statements import Address, End, Unknown
from podfence.nft.verdicts import RETURN

RETURN_FROM_ONE = (Address(End.SOURCE, bytes((10, 0, 0, 1))), RETURN)
EVERY_RULE = [*RULES, *(rule for chain in (*ENDPOINTS, *NAT) for rule in chain.rules)]


@pytest.mark.parametrize("rule", EVERY_RULE, ids=lambda rule: " ".join(map(str, rule)))
def test_a_rule_comes_back_from_the_wire_as_it_was(rule):
    wire = memoryview(expressions.encode(lower(rule)))
    assert lift(tuple(expressions.decode(wire))) == rule


def test_an_expression_we_do_not_know_is_unknown():
    foreign = (("meta", 1, 29), ("cmp", 1, 0, b"\0\0\0\1"), ("immediate", 0, RETURN))
    assert lift(foreign) == (Unknown(("meta", "cmp", "immediate")),)


def test_a_known_expression_with_a_foreign_attribute_is_unknown():
    hashed = codec.nested(1, codec.text(1, "masq"), codec.nested(2, codec.be32(1, 4)))
    assert lift(tuple(expressions.decode(memoryview(hashed)))) == (Unknown(("masq",)),)


def test_an_address_without_its_family_asked_first_is_unknown():
    guarded = lower(RETURN_FROM_ONE)
    assert lift(guarded) == RETURN_FROM_ONE
    assert isinstance(lift(guarded[2:])[0], Unknown)


def test_a_match_of_another_width_is_unknown():
    payload, cmp, verdict = lower(RETURN_FROM_ONE)[2:]
    assert isinstance(lift((*lower(RETURN_FROM_ONE)[:2], (*payload[:4], 3), cmp, verdict))[0], Unknown)
