"""What neither input says is assumed alike for both, and makes no difference."""

import pytest

from podfence.analysis.alignment import aligned
from podfence.analysis.changes import differences
from podfence.manifests.load import load

POD = "{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: %s, labels: {app: %s}}, spec: {%s}%s}\n---\n"
POLICY = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: %s, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress: [{from: [{ipBlock: {cidr: %s}}]}]
---
"""
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: %s, namespace: shop}
spec:
  replicas: %d
  selector: {matchLabels: {app: %s}}
  template: {metadata: {labels: {app: %s}}, spec: {containers: []}}
---
"""


def pod(name, address="", spec=""):
    return POD % (name, name, spec, f", status: {{podIPs: [{{ip: {address}}}]}}" if address else "")


def deployment(name, replicas=1):
    return DEPLOYMENT % (name, replicas, name, name)


def both(old, new):
    found = aligned(load(old.encode()), load(new.encode()))
    return found.old, found.new


def changed(old, new):
    return {(p.kind.value, p.source.title, p.destination.title) for p in differences(*both(old, new)).pairs}


def assumed(old, new):
    """Name → addresses of pods that both have, on each side."""
    sides = both(old, new)
    shared = sides[0].pods.keys() & sides[1].pods.keys()
    return [{key: side.pods[key].addresses for key in shared} for side in sides]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (pod("db") + pod("web"), pod("a") + pod("b") + pod("db") + pod("web")),
        (pod("db") + pod("web") + pod("a"), pod("db") + pod("web", "10.244.0.3")),
        (pod("db") + pod("web", "10.9.9.9"), pod("db") + pod("web")),
        (
            deployment("db", 3) + deployment("web"),
            deployment("a", 5) + deployment("db", 4) + deployment("web"),
        ),
        (pod("db") + POLICY % ("p", "10.1.0.0/16"), pod("db") + POLICY % ("p", "10.244.0.0/28") + pod("a")),
    ],
    ids=["pods came", "one is given", "one was given", "workloads", "a block inside the usual one"],
)
def test_a_pod_of_both_sides_has_the_same_addresses(old, new):
    before, after = assumed(old, new)
    assert before == after
    assert before


def test_an_address_that_one_side_gives_holds_for_both():
    before, after = both(pod("db") + pod("web", "10.9.9.9"), pod("db") + pod("web"))
    assert before.pods["shop", "web"].addresses == after.pods["shop", "web"].addresses
    assert str(after.pods["shop", "web"].addresses[0]) == "10.9.9.9"


def test_nobody_gets_an_address_that_somebody_else_is_given():
    before, after = both(pod("db") + pod("web"), pod("a") + pod("db", "10.244.0.2") + pod("web"))
    for side in (before, after):
        held = [address for found in side.pods.values() for address in found.addresses]
        assert len(held) == len(set(held))


def test_a_new_block_around_assumed_addresses_is_no_difference_by_itself():
    """10.244.0.0/16 is where pods usually are: both sides move out of the way."""
    world = pod("db") + pod("web")
    narrow, wide = POLICY % ("p", "192.0.2.0/24"), POLICY % ("p", "10.244.0.0/24")
    found = changed(world + narrow, world + wide)
    assert all("web" not in source for _, source, _ in found)
    assert any("10.244.0.0-10.244.0.255" in source for _, source, _ in found)


def test_policies_alone_are_compared_in_one_world_derived_from_both():
    old, new = (
        POLICY % ("p", "192.0.2.0/24"),
        POLICY % ("p", "192.0.2.0/24") + POLICY % ("q", "198.51.100.0/24"),
    )
    before, after = both(old, new)
    assert before.pods == after.pods
    assert before.pods
    assert {kind for kind, *_ in changed(old, new)} == {"added"}


def test_nothing_is_derived_where_one_side_has_pods():
    before, after = both(POLICY % ("p", "192.0.2.0/24"), POLICY % ("p", "192.0.2.0/24") + pod("db"))
    assert not before.pods
    assert set(after.pods) == {("shop", "db")}


def test_each_side_keeps_its_own_policies():
    before, after = both(
        pod("db") + POLICY % ("p", "192.0.2.0/24"), pod("db") + POLICY % ("q", "192.0.2.0/24")
    )
    assert [policy.name for policy in before.policies.values()] == ["p"]
    assert [policy.name for policy in after.policies.values()] == ["q"]


def test_a_rollout_that_renames_pods_is_no_difference():
    owner = "metadata: {namespace: shop, name: web-%s, labels: {app: web, pod-template-hash: %s}, ownerReferences: [{controller: true, kind: ReplicaSet, name: web-%s}]}"

    def replica(hash_):
        return f"{{apiVersion: v1, kind: Pod, {owner % (hash_ + '-x', hash_, hash_)}, spec: {{}}}}\n---\n"

    assert not differences(*both(pod("db") + replica("abc"), pod("db") + replica("def")))
