"""The examples load without problems, and mean step by step what `examples/README.md` says of them."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from podfence.manifests.assume import FOR_ANALYSIS, FOR_LAB, assume, complete
from podfence.manifests.world import external_addresses
from podfence.model.address import address
from podfence.model.backends import backends
from podfence.model.change import after, gone, put
from podfence.model.flow import Flow, Verdict
from podfence.model.ports import Protocol
from podfence.semantics import decide
from podfence.sources import read

EXAMPLES = Path(__file__).parents[2] / "examples"
SHOP = EXAMPLES / "retail-store" / "shop"
STEPS = sorted((EXAMPLES / "retail-store" / "policies").iterdir())
INTERNET = address("192.0.2.1")

A, D = Verdict.ALLOWED, Verdict.DENIED


def world(*paths, options=FOR_ANALYSIS):
    manifests = read([str(path) for path in paths])
    assert not manifests.problems
    return complete(manifests, options)


@pytest.mark.parametrize("path", ["seed", "seed-world", "retail-store/shop", "retail-store/policies"])
def test_an_example_has_no_problem(path):
    assert not read([str(EXAMPLES / path)]).problems


def test_the_shop_is_eleven_pods_on_two_nodes_and_no_policy():
    shop = world(SHOP, options=FOR_LAB)
    owners = sorted(f"{pod.namespace}/{pod.owner.name}" for pod in shop.pods.values())
    assert owners == [
        *("carts/carts", "carts/carts-dynamodb", "catalog/catalog", "catalog/catalog-mysql"),
        *("checkout/checkout", "checkout/checkout-redis", "kube-system/coredns", "kube-system/coredns"),
        *("orders/orders", "orders/orders-postgresql", "ui/ui"),
    ]
    assert {pod.node for pod in shop.pods.values()} == {"node-1", "node-2"}
    assert (len(shop.services), len(shop.policies)) == (10, 0)


def test_services_of_the_shop_answer_at_port_80_on_port_8080():
    shop = world(SHOP)
    for name in ("ui", "catalog", "carts", "checkout", "orders"):
        service = shop.services[name, name]
        assert [end.port for end in backends(shop, service, service.ports[0], 4)] == [8080]


def test_every_service_of_the_shop_has_somebody_behind_each_port():
    shop = world(SHOP)
    for service in shop.services.values():
        assert all(backends(shop, service, port, family) for port in service.ports for family in (4, 6))


def test_the_shop_says_what_the_workshop_prints():
    bodies = {
        p.owner.name: p.annotations.get("lab.podfence.dev/body.8080") for p in world(SHOP).pods.values()
    }
    assert bodies["catalog"] == "OK"
    assert bodies["checkout"] == '{"status":"ok","info":{},"error":{},"details":{}}'


def test_names_are_served_where_a_cluster_serves_them():
    dns = world(SHOP).services["kube-system", "kube-dns"]
    assert dns.addresses == (address("10.96.0.10"),)
    assert {(port.protocol, port.number) for port in dns.ports} == {(Protocol.UDP, 53), (Protocol.TCP, 53)}


CATALOG = ("catalog/catalog", Protocol.TCP, 8080)
MYSQL = ("catalog/catalog-mysql", Protocol.TCP, 3306)
ORDERS = ("orders/orders", Protocol.TCP, 8080)
DNS = ("kube-system/coredns", Protocol.UDP, 53)
CHECKOUT = ("checkout/checkout", Protocol.TCP, 8080)


@pytest.mark.parametrize(
    ("applied", "source", "target", "verdict"),
    [
        (0, "catalog/catalog", CHECKOUT, A),
        (1, "ui/ui", DNS, D),
        (1, "ui/ui", CATALOG, D),
        (1, "orders/orders", CATALOG, A),
        (2, "ui/ui", DNS, A),
        (2, "ui/ui", CATALOG, A),
        (2, "ui/ui", ORDERS, A),
        (2, "ui/ui", MYSQL, D),
        (2, "ui/ui", None, D),
        (2, "orders/orders", None, A),
        (2, "orders/orders", CATALOG, A),
        (3, "ui/ui", CATALOG, A),
        (3, "orders/orders", CATALOG, D),
        (3, "orders/orders", MYSQL, A),
        (3, "catalog/catalog", DNS, A),
        (4, "orders/orders", MYSQL, D),
        (4, "catalog/catalog", MYSQL, A),
        (5, "ui/ui", ORDERS, D),
        (6, "ui/ui", ORDERS, A),
        (6, "catalog/catalog", ORDERS, D),
    ],
)
def test_the_workshop_step_by_step(applied, source, target, verdict):
    shop = world(SHOP, *STEPS[:applied])
    for sender, (receiver, protocol, port) in product(of(shop, source), ends(shop, target)):
        for flow in flows(sender, receiver, protocol, port):
            assert decide(shop, flow).verdict is verdict, flow


def of(shop, workload):
    namespace, name = workload.split("/")
    found = [p.addresses for p in shop.pods.values() if (p.namespace, p.owner.name) == (namespace, name)]
    assert found
    return found


def ends(shop, target):
    if target is None:
        return [((INTERNET,), Protocol.TCP, 80)]
    workload, protocol, port = target
    return [(addresses, protocol, port) for addresses in of(shop, workload)]


def flows(sender, receiver, protocol, port):
    pairs = [(a, b) for a, b in product(sender, receiver) if a.family == b.family]
    assert pairs
    return [Flow(a, b, protocol, port) for a, b in pairs]


def test_steps_five_and_six_are_one_object():
    assert len(world(SHOP, *STEPS).policies) == len(STEPS) - 1


def test_a_new_catalog_pod_may_ask_the_database_as_the_old_one_did():
    """Restarted, it has another name and address; the policy goes by labels."""
    shop = world(SHOP, *STEPS[:4])
    old = next(pod for pod in shop.pods.values() if pod.owner.name == "catalog")
    new = replace(old, name="catalog-restarted", addresses=(address("10.244.0.250"),))
    restarted = after(shop, [gone(old), put(new)])
    (database,) = of(restarted, MYSQL[0])
    for source, verdict in ((new.addresses[0], A), (old.addresses[0], D)):
        assert decide(restarted, Flow(source, database[0], *MYSQL[1:])).verdict is verdict


SEED = [EXAMPLES / "seed", EXAMPLES / "seed-world"]


@pytest.mark.parametrize(
    ("source", "target", "verdict"),
    [
        (("default", "frontend"), ("db-0", 6379), A),
        (("default", "frontend"), ("db-0", 6380), D),
        (("myproject", "worker"), ("db-0", 6379), A),
        (("myproject", "worker"), ("db-0", 6380), D),
        (("default", "backend"), ("db-0", 6379), D),
        (("default", "unlabelled"), ("db-0", 6379), D),
        (("otherproject", "frontend"), ("db-0", 6379), D),
        (("project", "worker"), ("db-0", 6379), D),
        (("default", "db-0"), ("frontend", 80), D),
        (("default", "backend"), ("frontend", 80), A),
    ],
)
def test_the_seed_world_stands_on_both_sides_of_every_selector(source, target, verdict):
    seed = world(*SEED)
    name, port = target
    pair = zip(seed.pods[source].addresses, seed.pods["default", name].addresses, strict=True)
    assert {decide(seed, Flow(a, b, Protocol.TCP, port)).verdict for a, b in pair} == {verdict}


@pytest.mark.parametrize("paths", [SEED, SEED[:1]])
def test_hosts_stand_on_both_sides_of_every_block(paths):
    seed = world(*paths)
    (db,) = (pod for pod in seed.pods.values() if seed.policies_for(pod, *subject_of(seed)))
    hosts = [host for host in external_addresses(seed).addresses if host.family == 4]
    assert list(map(str, hosts)) == ["10.0.0.1", "10.0.1.1", "172.17.1.1", "172.17.2.1"]
    into = [decide(seed, Flow(host, db.addresses[0], Protocol.TCP, 6379)).verdict for host in hosts]
    out = [decide(seed, Flow(db.addresses[0], host, Protocol.TCP, 5978)).verdict for host in hosts]
    assert (into, out) == ([D, D, D, A], [A, D, D, D])


def subject_of(seed):
    (policy,) = seed.policies.values()
    return policy.tier, next(iter(policy.directions))


def test_the_seed_alone_says_what_was_made_up():
    notes = assume(read([str(EXAMPLES / "seed")])).assumptions
    assert notes[0] == "no pods are given: 8 are derived from the policies, on both sides of what these say"


def test_the_seeds_rules_stand_where_the_documentation_has_them():
    (policy,) = world(EXAMPLES / "seed").policies.values()
    assert (policy.place("").line, policy.place("spec.egress[0]").line) == (1, 29)
