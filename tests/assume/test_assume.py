"""What files leave out is supplied, the same every time; what is given wins."""

import time
from dataclasses import replace
from random import Random

import pytest

from podfence.errors import PodfenceError
from podfence.manifests.addressing import Wishes
from podfence.manifests.assume import FOR_ANALYSIS, FOR_LAB, Options, assume, complete
from podfence.manifests.loaded import Manifests
from podfence.manifests.standins import MOST_REPLICAS
from podfence.model.address import address, network
from podfence.model.cluster import Namespace, Node, Owner, Pod, Service, ServicePort, Template
from podfence.model.labels import NAMESPACE_NAME_LABEL
from podfence.model.policy import Direction, NetworkPeer, PodSelection, Policy, Rule
from podfence.model.ports import Protocol

WEB = Template("shop", "Deployment", "web", {"app": "web"}, replicas=3)
DB = Template("shop", "StatefulSet", "db", {"app": "db"}, replicas=2, first_ordinal=0)
AGENT = Template("sys", "DaemonSet", "agent", {"app": "agent"}, host_network=True, per_node=True)
FRONT = Service("shop", "web", (ServicePort("", Protocol.TCP, 80, 80),), {"app": "web"})


def allowing(*blocks, excepts=()):
    peers = tuple(NetworkPeer(network(block), tuple(map(network, excepts))) for block in blocks)
    subject = PodSelection("shop")
    return Policy("shop", "p", subject, frozenset({Direction.EGRESS}), egress=(Rule(peers),))


def from_templates(*templates, objects=(), options=FOR_ANALYSIS):
    return complete(Manifests(objects, templates), options)


def names(world):
    return [pod.name for pod in world.pods.values()]


def test_namespaces_that_anything_mentions_are_assumed_with_their_name_label():
    completion = assume(Manifests((allowing("10.0.0.0/8"), FRONT, Pod("other", "a")), (AGENT,)))
    spaces = completion.snapshot.namespaces
    assert sorted(spaces) == ["other", "shop", "sys"]
    assert spaces["shop"].labels == {NAMESPACE_NAME_LABEL: "shop"}
    assert "assumed namespaces, with no label but their name: other, shop, sys" in completion.assumptions


def test_a_given_namespace_keeps_its_labels():
    given = Namespace("shop", {NAMESPACE_NAME_LABEL: "shop", "team": "a"})
    world = from_templates(WEB, objects=(given,))
    assert world.namespaces["shop"] is given
    assert all("namespace" not in pod.assumed for pod in world.pods.values())


def test_a_deployments_pods_are_named_as_kubernetes_shapes_names():
    world = from_templates(WEB)
    assert len(world.pods) == 3
    for pod in world.pods.values():
        stem, template_hash, suffix = pod.name.rsplit("-", 2)
        assert (stem, len(suffix), pod.labels["pod-template-hash"]) == ("web", 5, template_hash)
        assert pod.owner == Owner("Deployment", "web")
        assert pod.assumed == {"pod", "node", "address", "namespace"}


def test_a_statefulsets_pods_are_numbered_and_labelled_with_their_number():
    world = from_templates(replace(DB, first_ordinal=5))
    assert names(world) == ["db-5", "db-6"]
    assert world.pods["shop", "db-6"].labels["statefulset.kubernetes.io/pod-name"] == "db-6"
    assert world.pods["shop", "db-6"].labels["apps.kubernetes.io/pod-index"] == "6"


def test_a_daemonset_has_one_pod_on_every_node():
    world = from_templates(AGENT, options=FOR_LAB)
    assert sorted(pod.node for pod in world.pods.values()) == ["node-1", "node-2"]
    assert all(pod.addresses == world.nodes[pod.node].addresses for pod in world.pods.values())


@pytest.mark.parametrize("kind", ["ReplicaSet", "ReplicationController", "Job"])
def test_other_workloads_pods_have_one_suffix(kind):
    (pod,) = from_templates(Template("shop", kind, "w")).pods.values()
    assert len(pod.name) == len("w-") + 5
    assert ("job-name" in pod.labels) == (kind == "Job")


def test_a_cronjobs_pod_carries_the_name_of_its_job():
    (pod,) = from_templates(Template("shop", "CronJob", "tidy")).pods.values()
    assert pod.name.startswith(pod.labels["job-name"] + "-")
    assert pod.labels["job-name"].removeprefix("tidy-").isdigit()


def test_a_template_stands_back_where_a_pod_of_its_owner_is_given():
    given = Pod("shop", "web-1", owner=Owner("Deployment", "web"))
    assert names(from_templates(WEB, objects=(given,))) == ["web-1"]


def test_the_same_owner_in_another_namespace_is_another_owner():
    given = Pod("other", "web-1", owner=Owner("Deployment", "web"))
    assert len(from_templates(WEB, objects=(given,)).pods) == 4


def test_a_deployment_and_its_replicaset_make_the_pods_of_one():
    made = Template("shop", "ReplicaSet", "web-7d9", replicas=3, controller=Owner("Deployment", "web"))
    assert names(from_templates(WEB, made)) == names(from_templates(WEB))


def test_without_its_deployment_the_replicaset_that_is_scaled_up_makes_them():
    old, new = (
        Template("shop", "ReplicaSet", f"web-{name}", replicas=n, controller=Owner("Deployment", "web"))
        for name, n in (("zzz", 0), ("aaa", 2))
    )
    world = from_templates(old, new)
    assert [pod.name[:8] for pod in world.pods.values()] == ["web-aaa-", "web-aaa-"]
    assert {pod.owner for pod in world.pods.values()} == {Owner("Deployment", "web")}


def test_scaled_to_zero_counts_as_one_for_analysis_and_as_zero_in_the_lab():
    idle = replace(WEB, replicas=0)
    assert len(from_templates(idle).pods) == 1
    assert not from_templates(idle, options=FOR_LAB).pods


def test_a_typing_error_in_replicas_does_not_fill_the_memory():
    completion = assume(Manifests(templates=(replace(WEB, replicas=2_000_000_000),)))
    assert len(completion.snapshot.pods) == MOST_REPLICAS
    assert "cut off at 1000 pods each: shop/web" in completion.assumptions


def test_a_made_name_gives_way_to_a_given_one():
    taken = names(from_templates(WEB))[0]
    world = from_templates(WEB, objects=(Pod("shop", taken, {"app": "mine"}),))
    assert len(world.pods) == 4
    assert world.pods["shop", taken].labels == {"app": "mine"}


def test_long_names_are_cut_as_kubernetes_cuts_them():
    (pod,) = from_templates(Template("shop", "Job", "x" * 63)).pods.values()
    assert len(pod.name) == 63


def test_pods_get_an_address_of_each_family_in_the_block_of_their_node():
    world = from_templates(WEB, DB, options=FOR_LAB)
    for pod in world.pods.values():
        assert [found.family for found in pod.addresses] == [4, 6]
        blocks = world.nodes[pod.node].pod_blocks
        assert all(found in block for found, block in zip(pod.addresses, blocks, strict=True))


def test_no_two_have_one_address():
    many = [replace(WEB, name=f"w{n}", replicas=50) for n in range(40)]
    world = from_templates(*many, objects=(FRONT, *(Service("shop", f"s{n}") for n in range(500))))
    holders = [*world.pods.values(), *world.nodes.values(), *world.services.values()]
    found = [one for holder in holders for one in holder.addresses]
    assert len(found) == len(set(found)) == 2 * (2000 + 1 + 501)


def test_families_are_a_choice():
    world = from_templates(WEB, objects=(FRONT,), options=Options(wishes=Wishes(families=(6,))))
    holders = [*world.pods.values(), *world.nodes.values(), *world.services.values()]
    assert {one.family for holder in holders for one in holder.addresses} == {6}


def test_given_addresses_stay_and_nobody_else_gets_them():
    (first, *_) = from_templates(WEB).pods.values()
    mine = Pod("other", "mine", addresses=first.addresses)
    world = from_templates(WEB, objects=(mine,))
    assert world.pods["other", "mine"].addresses == first.addresses
    assert world.pods[first.key].addresses != first.addresses


def test_a_given_pod_lacks_only_what_it_lacks():
    world = complete(Manifests((Pod("shop", "a", addresses=(address("10.9.0.1"),)),)))
    assert world.pods["shop", "a"].addresses == (address("10.9.0.1"),)
    assert world.pods["shop", "a"].assumed == {"node", "namespace"}


def test_finished_pods_get_no_address():
    assert not complete(Manifests((Pod("shop", "a", finished=True),))).pods["shop", "a"].addresses


def test_a_pods_node_exists_and_then_no_other_is_assumed():
    world = from_templates(WEB, objects=(Pod("shop", "a", node="ip-10-0-0-1"),), options=FOR_LAB)
    assert list(world.nodes) == ["ip-10-0-0-1"]
    assert {pod.node for pod in world.pods.values()} == {"ip-10-0-0-1"}


def test_a_pod_on_the_host_network_tells_its_nodes_addresses():
    proxy = Pod("sys", "proxy", addresses=(address("10.0.0.5"),), node="n", host_network=True)
    assert complete(Manifests((proxy,))).nodes["n"].addresses == (address("10.0.0.5"),)


def test_given_nodes_win_and_lend_their_blocks():
    node = Node("n", addresses=(address("10.0.0.5"),), pod_blocks=(network("10.8.3.0/24"),))
    world = from_templates(WEB, objects=(node,), options=FOR_LAB)
    assert world.nodes["n"].addresses == (address("10.0.0.5"),)
    assert all(pod.addresses[0] in network("10.8.3.0/24") for pod in world.pods.values())
    assert all(pod.addresses[1].family == 6 for pod in world.pods.values())


def test_services_get_cluster_addresses_unless_headless_external_or_given():
    headless = replace(FRONT, name="headless", headless=True)
    external = replace(FRONT, name="external", external_name="example.com")
    given = replace(FRONT, name="given", addresses=(address("10.96.0.10"),))
    found = complete(Manifests((FRONT, headless, external, given))).services
    assert [one.family for one in found["shop", "web"].addresses] == [4, 6]
    assert found["shop", "web"].addresses[0] in network("10.96.0.0/16")
    assert not found["shop", "headless"].addresses + found["shop", "external"].addresses
    assert found["shop", "given"].addresses == given.addresses


def test_an_assumed_pod_is_never_in_a_block_that_a_policy_allows():
    completion = assume(Manifests((allowing("10.0.0.0/8", "fd00::/8"),), (WEB,)))
    pods = completion.snapshot.pods.values()
    assert not any(
        one in network(b) for pod in pods for one in pod.addresses for b in ("10.0.0.0/8", "fd00::/8")
    )
    assert any(
        "172.28.0.0/16 instead of 10.244.0.0/16: policies name" in note for note in completion.assumptions
    )


def test_blocks_that_nobody_uses_are_not_talked_of():
    notes = assume(Manifests((allowing("10.0.0.0/8"),), (WEB,))).assumptions
    assert not any("Services" in note for note in notes)


def test_a_given_nodes_block_is_left_to_it():
    node = Node("n", pod_blocks=(network("10.244.0.0/24"),))
    completion = assume(Manifests((node, Pod("shop", "a", node="m"))))
    assert completion.snapshot.pods["shop", "a"].addresses[0] in network("172.28.0.0/16")
    assert any(note.endswith("instead of 10.244.0.0/16: it is in use") for note in completion.assumptions)


def test_in_a_block_that_people_chose_nodes_get_what_others_leave():
    node = Node("n", pod_blocks=(network("10.1.0.0/24"),))
    wished = Options(wishes=Wishes(families=(4,), pods=(network("10.1.0.0/16"),)))
    world = complete(Manifests((node, Pod("shop", "a", node="m"))), wished)
    assert world.nodes["m"].pod_blocks == (network("10.1.1.0/24"),)


def test_nor_is_a_service_or_a_node():
    world = from_templates(WEB, objects=(allowing("10.0.0.0/8", "192.168.0.0/16"), FRONT))
    holders = [*world.services.values(), *world.nodes.values()]
    found = [holder.addresses[0] for holder in holders]
    assert not any(one in network(block) for one in found for block in ("10.0.0.0/8", "192.168.0.0/16"))


def test_the_usual_block_is_kept_where_a_policy_means_everything_or_excepts_it():
    for policy in (allowing("0.0.0.0/0"), allowing("0.0.0.0/0", excepts=["10.0.0.0/8", "192.168.0.0/16"])):
        world = from_templates(WEB, objects=(policy,))
        assert all(pod.addresses[0] in network("10.244.0.0/16") for pod in world.pods.values())


def test_in_a_block_that_people_chose_the_addresses_that_policies_name_are_left_out():
    wished = Options(wishes=Wishes(families=(4,), pods=(network("10.1.0.0/28"),)))
    single = allowing(*(f"10.1.0.{n}/32" for n in range(2, 12)))
    found = {p.addresses[0] for p in from_templates(WEB, objects=(single,), options=wished).pods.values()}
    assert {str(one) for one in found} == {"10.1.0.12", "10.1.0.13", "10.1.0.14"}


def test_a_full_block_names_the_option():
    wished = Options(wishes=Wishes(families=(4,), pods=(network("10.1.0.0/30"),)))
    with pytest.raises(
        PodfenceError, match=r"no address is left for shop/web-.* in 10\.1\.0\.0/30.*--pod-cidr"
    ):
        from_templates(WEB, options=wished)


def test_more_nodes_than_a_block_can_be_divided_for_names_the_option():
    wished = Options(nodes=8, wishes=Wishes(families=(4,), pods=(network("10.1.0.0/31"),)))
    with pytest.raises(PodfenceError, match=r"10\.1\.0\.0/31 has no room for another node.*--pod-cidr"):
        from_templates(WEB, options=wished)


def test_the_order_of_the_input_does_not_matter():
    templates = [replace(WEB, name=f"w{n}") for n in range(30)] + [DB, AGENT]
    objects = [FRONT, Pod("a", "x"), Pod("b", "y", node="n"), allowing("10.0.0.0/8"), Node("m")]
    first = from_templates(*templates, objects=tuple(objects))
    for seed in range(5):
        Random(seed).shuffle(templates)
        Random(seed).shuffle(objects)
        assert from_templates(*templates, objects=tuple(objects)) == first


def test_one_more_workload_renames_nobody_and_renumbers_almost_nobody():
    templates = [replace(WEB, name=f"w{n}") for n in range(20)]
    before = from_templates(*templates, options=FOR_LAB).pods
    after = from_templates(*templates, DB, options=FOR_LAB).pods
    assert before.keys() <= after.keys()
    moved = [key for key, pod in before.items() if after[key].addresses != pod.addresses]
    assert len(moved) <= 2
    assert all(after[key].node == pod.node for key, pod in before.items())


def test_a_policy_alone_becomes_a_world_and_says_so():
    completion = assume(Manifests((allowing("10.0.0.0/8"),)))
    assert completion.assumptions[0].startswith("no pods are given: 2 are derived")
    assert all(pod.addresses and "pod" in pod.assumed for pod in completion.snapshot.pods.values())


def test_with_one_pod_given_none_is_derived():
    assert names(complete(Manifests((allowing("10.0.0.0/8"), Pod("shop", "a"))))) == ["a"]


def test_nothing_stays_nothing():
    world = complete(Manifests())
    assert [*world.pods, *world.namespaces, *world.services, *world.policies] == []


def test_ten_thousand_pods_take_about_a_second_at_most():
    templates = tuple(replace(WEB, name=f"w{n}", replicas=5) for n in range(2000))
    best = min(timed(Manifests(templates=templates)) for _ in range(3))
    assert best < 1.2, "four times what it takes on a quiet machine"


def timed(manifests):
    start = time.process_time()
    assert len(complete(manifests, FOR_LAB).pods) == 10_000
    return time.process_time() - start
