"""Routes that end at a policy: told once, however many pods stand behind them, and only of pods that are given."""

from findings.cases import ROUTED
from findings.inputs import findings, ingress, labels, pod, service


def blocked(*objects):
    return [each for each in findings(*objects) if each.code == "route-blocked"]


def test_pods_that_the_same_policies_block_are_told_together():
    more = [pod(f"web-{n}", {"app": "web"}, "http=8080") for n in range(3)]
    (finding,) = blocked(ingress(), *more, *ROUTED)
    assert finding.object == "Ingress default/way"
    assert finding.message.startswith("this Ingress leads to default/web-0[Pod], default/web-1[Pod]")
    assert "on TCP 8080, where default/p lets in nobody" in finding.message


def test_pods_that_are_derived_from_policies_prove_nothing():
    closed = ingress(podSelector=labels(app="web"))
    routed = (service("web", {"app": "web"}, 80, 8080), ROUTED[-1])
    assert blocked(closed, ROUTED[0], *routed)
    assert not blocked(closed, *routed)
