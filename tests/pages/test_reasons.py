"""The page explains every pair as `decide` and `nearest` do, and passes what `connections` say."""

import json
from dataclasses import replace
from itertools import product

import pytest
from browser import browser, installed
from hypothesis import given
from hypothesis import strategies as st

from podfence.analysis.connections import connections
from podfence.analysis.narrowing import Answer
from podfence.analysis.nearest import nearest
from podfence.analysis.outside import representatives
from podfence.cli.answers import rule_place
from podfence.cli.show.html import html
from podfence.cli.show.pairs import pairs
from podfence.manifests.assume import assume
from podfence.model.address import address
from podfence.model.cluster import Owner
from podfence.model.flow import Flow, Verdict
from podfence.model.ports import protocol
from podfence.model.portset import NO_PORTS
from podfence.semantics import decide
from podfence.sources import read
from profiles import examples
from strategies import worlds

pytestmark = pytest.mark.skipif(not installed(), reason="no chromium on this machine")

EVERY_REASON = """
JSON.stringify(ENDS.flatMap((_, from) => ENDS.flatMap((_, to) =>
  portsOf(from, to) === UNASKED ? [] : familiesOf(from, to).flatMap((family) =>
    explanations(from, to, family).map(({ walks, misses, ports, flow }) => ({
      from, to, family, protocol: flow.protocol, port: flow.port, ports,
      source: WHY.ends[from].addresses[family], destination: WHY.ends[to].addresses[family],
      walks: walks.map((each) => [each.verdict, WHY.because[each.because], each.isolating.map((n) => WHY.policies[n].title),
        each.match && [WHY.policies[each.match.policy].title, matchPath(each.match).path, matchPath(each.match).line]]),
      misses: misses.map((miss) => [WHY.policies[miss.policy].title, miss.path, miss.line, miss.condition, miss.sentence, miss.edit]),
    })))))
)
"""

WORLD = """
{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {team: red}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: b, labels: {team: blue}}}
---
{apiVersion: v1, kind: Node, metadata: {name: n1}, status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: a, labels: {app: web}}, spec: {nodeName: n1, containers: [{name: c, image: i, ports: [{containerPort: 80, name: http}]}]}, status: {podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}, {ip: "fd00::1"}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: b, labels: {app: db}}, spec: {nodeName: n1, containers: [{name: c, image: i, ports: [{containerPort: 5432, name: sql}, {containerPort: 53, protocol: UDP, name: dns}]}]}, status: {podIP: 10.0.0.2, podIPs: [{ip: 10.0.0.2}, {ip: "fd00::2"}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: old, namespace: b}, spec: {nodeName: n1, containers: [{name: c, image: i}]}, status: {podIP: 10.0.0.3}}
---
{apiVersion: v1, kind: Pod, metadata: {name: agent, namespace: b}, spec: {nodeName: n1, hostNetwork: true, containers: [{name: c, image: i}]}, status: {podIP: 192.168.0.1}}
---
{apiVersion: v1, kind: Pod, metadata: {name: lost, namespace: elsewhere, labels: {app: web}}, spec: {nodeName: n1, containers: [{name: c, image: i}]}, status: {podIP: 10.0.0.9}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: b}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress, Egress]
  ingress:
  - from: [{podSelector: {matchLabels: {app: db, tier: back}}}, {namespaceSelector: {matchLabels: {team: red}}, podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [web]}]}}]
    ports: [{port: sql}, {port: 8000, endPort: 8010}]
  - from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/30]}}]
    ports: [{protocol: UDP, port: dns}]
  - from: [{podSelector: {}}]
    ports: [{port: 7000, endPort: 7010}]
  egress:
  - to: [{ipBlock: {cidr: 10.0.0.0/29, except: [10.0.0.3/32]}}, {ipBlock: {cidr: "fd00::/64"}}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: b}
spec: {podSelector: {}, policyTypes: [Ingress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: sql, namespace: a}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress: [{ports: [{port: sql}, {port: http}]}, {to: [{namespaceSelector: {}}], ports: [{protocol: SCTP}]}]
"""


@pytest.fixture(scope="module")
def chromium():
    with browser() as running:
        yield running


def snapshot_of(*sources):
    manifests = read(sources)
    assert not manifests.refused, manifests.problems
    return assume(manifests).snapshot


def reasons(chromium, snapshot, path):
    path.write_text("".join(html(Answer(connections(snapshot)))))
    page = chromium.open(path)
    found = json.loads(page.run(EVERY_REASON))
    assert page.complaints() == []
    page.close()
    return found


def told(snapshot, flow):
    """What Python says, in the page's words."""
    decision = decide(snapshot, flow)
    walks = [
        [walk.verdict.value, walk.because.value, [p.title for p in walk.isolating], _match(walk)]
        for walk in decision.walks
    ]
    misses = [
        [
            m.policy.title,
            m.path,
            rule_place(m.policy, m.path).line,
            m.condition.value,
            m.sentence,
            m.instruction,
        ]
        for m in nearest(snapshot, decision)
    ]
    return walks, misses


def _match(walk):
    if not walk.match:
        return None
    policy, path = walk.match.policy, walk.match.path
    return [policy.title, path, rule_place(policy, path).line]


@pytest.fixture
def world(tmp_path):
    path = tmp_path / "world.yaml"
    path.write_text(WORLD)
    return str(path)


@pytest.mark.parametrize(
    "sources",
    [["examples/retail-store"], ["examples/seed", "examples/seed-world"], None],
    ids=["shop", "seed", "corners"],
)
def test_every_explanation_is_what_decide_and_nearest_say(chromium, tmp_path, world, sources):
    snapshot = snapshot_of(*(sources or [world]))
    found = reasons(chromium, snapshot, tmp_path / "page.html")
    assert found
    for each in found:
        flow = Flow(
            address(each["source"]), address(each["destination"]), protocol(each["protocol"]), each["port"]
        )
        assert (each["walks"], each["misses"]) == told(snapshot, flow), flow


@examples(15)
@given(worlds())
def test_reasons_hold_in_any_world(chromium, tmp_path_factory, world):
    for each in reasons(chromium, world, tmp_path_factory.mktemp("world") / "page.html"):
        flow = Flow(
            address(each["source"]), address(each["destination"]), protocol(each["protocol"]), each["port"]
        )
        walks, misses = told(world, flow)
        assert each["walks"] == walks, flow
        # What the Admin and Baseline tiers deny has an order of its own: the page says the rule, and no edit.
        assert each["misses"] == [
            [*miss[:5], ""] if miss[3] == "denied by a rule" else miss for miss in misses
        ]


def passes_what_connections_say(chromium, snapshot, path):
    """Every port of every group of reasons, by family."""
    found = connections(snapshot)
    shown = pairs(Answer(found)).ends
    for each in reasons(chromium, snapshot, path):
        families = found.between(shown[each["from"]], shown[each["to"]]).families
        allowed, verdict = families.get(int(each["family"]), NO_PORTS), not each["misses"]
        for name, first, last in each["ports"]:
            asked = (first, last) if first >= 0 else (None,)
            assert all(((protocol(name), port) in allowed) is verdict for port in asked), each


def test_what_the_page_explains_as_allowed_is_what_passes(chromium, tmp_path, world):
    passes_what_connections_say(chromium, snapshot_of(world), tmp_path / "page.html")


OWNERS = st.sampled_from([None, Owner("Deployment", "a"), Owner("DaemonSet", "b")])


@examples(15)
@given(worlds(), st.lists(OWNERS, min_size=8, max_size=8))
def test_a_workload_answers_for_its_replicas(chromium, tmp_path_factory, world, owners):
    pods = {
        key: replace(pod, owner=owner) for (key, pod), owner in zip(world.pods.items(), owners, strict=False)
    }
    owned = replace(world, pods={**world.pods, **pods})
    passes_what_connections_say(chromium, owned, tmp_path_factory.mktemp("owned") / "page.html")


def test_every_pair_is_explained(chromium, tmp_path, world):
    snapshot = snapshot_of(world)
    found = reasons(chromium, snapshot, tmp_path / "page.html")
    ends = pairs(Answer(connections(snapshot))).ends
    told = {(each["from"], each["to"]) for each in found}
    common = {
        (a, b)
        for (a, one), (b, other) in product(enumerate(ends), repeat=2)
        if a != b and (one.pods or other.pods) and _families(snapshot, one) & _families(snapshot, other)
    }
    assert told == common
    assert {verdict for each in found for verdict, *_ in each["walks"]} == {v.value for v in Verdict}


def _families(snapshot, end):
    """None where every address of a range is a pod's: the page says so."""
    if end.addresses:
        return {each.family for each in representatives(snapshot, end.addresses)}
    return {each.family for pod in end.pods for each in pod.addresses}
