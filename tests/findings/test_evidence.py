"""What findings are judged by: pods alike count once, workloads stand for their pods, the finished are nobody."""

import pytest

from findings.inputs import codes, ingress, item, labels, manifests, pod
from podfence.analysis.findings.evidence import evidence
from podfence.analysis.findings.spelling import Spelling, is_typo


def deployment(name, replicas, **equal):
    template = {"metadata": {"labels": equal}, "spec": {"containers": [{"ports": [{"containerPort": 80}]}]}}
    return item("Deployment", name, "default", spec={"replicas": replicas, "template": template})


def replica(number, **extra):
    return pod(f"web-{number}", {"app": "web", "pod-template-hash": "5d8", **extra}, 80)


def test_replicas_are_one_however_many():
    few, many = (evidence(manifests(*map(replica, range(amount)))) for amount in (2, 40))
    assert len(few.alike) == len(many.alike) == 1
    assert len(many.alike[0].pods) == 40


def test_a_label_that_a_controller_writes_counts_where_a_policy_names_it():
    pods = [pod(f"db-{n}", {"statefulset.kubernetes.io/pod-name": f"db-{n}"}) for n in (0, 1)]
    first = ingress(podSelector=labels(**{"statefulset.kubernetes.io/pod-name": "db-0"}))
    assert len(evidence(manifests(*pods)).alike) == 1
    assert len(evidence(manifests(*pods, first)).alike) == 2
    assert "selects-nothing" not in codes(*pods, first)


@pytest.mark.parametrize("replicas", [0, 1, 3])
def test_a_workload_stands_for_its_pods(replicas):
    assert "selects-nothing" not in codes(
        deployment("web", replicas, app="web"), ingress(podSelector=labels(app="web"))
    )
    assert "selects-nothing" in codes(
        deployment("web", replicas, app="web"), ingress(podSelector=labels(app="db"))
    )


def test_a_finished_pod_is_nobody():
    done = pod("job", {"app": "job"})
    done["status"] = {"phase": "Succeeded"}
    other = pod("web", {"app": "web"})
    assert "selects-nothing" in codes(done, other, ingress(podSelector=labels(app="job")))


@pytest.mark.parametrize(
    ("word", "known"),
    [
        ("databse", "database"),
        ("databasee", "database"),
        ("dtaabase", "database"),
        ("Database", "database"),
        ("a_b", "a-b"),
    ],
)
def test_typing_errors(word, known):
    assert is_typo(word, known)
    assert Spelling([known, "unlike"]).near(word) == (known,)


@pytest.mark.parametrize(
    ("word", "known"),
    [("web", "wcb"), ("v1", "v2"), ("app-1", "app-12"), ("same", "same"), ("front", "backend")],
)
def test_other_words(word, known):
    assert not is_typo(word, known)
    assert Spelling([known]).near(word) == ()
