"""No build fails for what the documentation of Kubernetes shows, nor for the examples of this repository."""

from pathlib import Path

import pytest

from podfence.analysis.findings.report import judge
from podfence.cli import main
from podfence.manifests.loaded import Severity
from podfence.sources import read

ROOT = Path(__file__).parents[2]
DOCUMENTED = sorted((Path(__file__).parent / "documentation").glob("*.yaml"))


@pytest.mark.parametrize("path", DOCUMENTED, ids=lambda path: path.stem)
def test_a_documented_policy_alone_is_fine(path, capsys):
    assert main(["check", str(path)]) == 0
    assert {finding.severity for finding in judge(read([str(path)])).findings} <= {Severity.INFO}


def test_the_documented_policies_are_all_here():
    assert len(DOCUMENTED) == 9


def test_a_denial_of_everything_is_not_even_worth_a_note():
    for name in ("default-deny-ingress", "default-deny-egress", "deny-all"):
        assert judge(read([f"{Path(__file__).parent}/documentation/{name}.yaml"])).findings == ()


@pytest.mark.parametrize(
    ("sources", "doubts"),
    [
        (("seed",), set()),
        (("seed", "seed-world"), set()),
        (("retail-store/shop",), set()),
        # the mended policy of the last exercise takes the name of the one before, as it should in a cluster
        (("retail-store",), {"duplicate-name"}),
    ],
)
def test_the_examples_of_the_repository(sources, doubts):
    found = judge(read([str(ROOT / "examples" / source) for source in sources])).findings
    assert {finding.code for finding in found if finding.severity is not Severity.INFO} == doubts


def test_the_exercise_that_does_not_work_says_why():
    """Number 5 of the workshop: it looks as if ui may ask orders."""
    shop = ROOT / "examples/retail-store"
    found = judge(
        read([str(shop / "shop"), str(shop / "policies/5-allow-order-ingress-fail-debug.yaml")])
    ).findings
    (doubt,) = (finding for finding in found if finding.severity is not Severity.INFO)
    assert (doubt.code, doubt.field) == ("selects-nothing", "spec.ingress[0].from[0]")
    assert "pods in ui have it" in doubt.remedy
