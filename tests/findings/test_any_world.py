"""Findings of any world: known codes, places that are fields of the policy, the same answer twice."""

import re
from dataclasses import replace

from hypothesis import given

from podfence.analysis.findings.catalogue import CODES, FAMILIES, ON_REQUEST
from podfence.analysis.findings.evidence import evidence_of
from profiles import examples
from strategies import worlds

FIELD = re.compile(
    r"(metadata(\.(namespace|annotations))?|spec(\.podSelector|\.(ingress|egress)(\[\d+\](\.(from|to|ports)(\[\d+\].*)?)?)?)?)?"
)


def told(world):
    facts = evidence_of(world)
    return [finding for family in (*FAMILIES, ON_REQUEST) for finding in family(facts)]


@examples(40)
@given(worlds())
def test_every_finding_is_a_known_one_with_a_field(world):
    found = told(world)
    assert found == told(world)
    for finding in found:
        assert finding.code in CODES
        assert finding.message
        assert finding.remedy
        assert FIELD.fullmatch(finding.field), finding.field


@examples(30)
@given(worlds())
def test_without_pods_namespaces_and_services_none_of_them_is_missed(world):
    alone = replace(world, pods={}, namespaces={}, services={}, nodes={})
    needs_input = {
        *("selects-nothing", "unknown-namespace", "label-typo", "no-such-port-name", "port-not-exposed"),
        *("service-port", "host-network-pods", "block-holds-pods", "service-address", "missing-namespace"),
        *("no-default-deny", "unprotected-pods", "default-namespace", "redundant-here"),
    }
    assert not {finding.code for finding in told(alone)} & needs_input
