"""Every finding has an input that triggers it, and a near one that does not."""

import pytest

from findings.cases import CASES
from findings.inputs import codes, findings
from podfence.analysis.findings.catalogue import CODES
from podfence.manifests.loaded import Severity

PAIRS = [(code, *pair) for code, pairs in CASES.items() for pair in pairs]


@pytest.mark.parametrize(
    ("code", "wrong", "fine"), PAIRS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_finding_and_its_near_miss(code, wrong, fine):
    assert code in codes(*wrong, spare=True)
    assert code not in codes(*fine, spare=True)


def test_every_code_has_a_case():
    assert CASES.keys() == CODES.keys()


@pytest.mark.parametrize(
    ("code", "wrong", "fine"), PAIRS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_finding_says_where_what_and_the_way_out(code, wrong, fine):
    for finding in findings(*wrong, spare=True):
        if finding.code in CODES:
            assert finding.place.line
            assert finding.message
            assert finding.remedy
            assert finding.object
            assert finding.severity in Severity
