"""What the text of a policy means: defaults, strictness, and what happens to what cannot be read."""

import pytest
from scenes import ALL, ICMP, pairs, pod, world

from podfence.manifests.assume import complete
from podfence.manifests.load import load
from podfence.manifests.loaded import Severity
from podfence.manifests.reading import Context
from podfence.model.change import after, put
from podfence.model.cluster import Pod
from podfence.model.policy import Policy

DEFAULT, OLD = Context(), Context(compat="1.35")


def written(spec, more="", context=DEFAULT):
    """What the door makes of a policy in namespace x with this spec."""
    text = f"""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: p, namespace: x{more}}}
spec: {spec}
"""
    return load(text.encode(), "policy.yaml", context)


def policies(found):
    assert not found.refused, found.problems
    return [value for value in found.objects if isinstance(value, Policy)]


def read_pod(more, status=""):
    text = f"""
apiVersion: v1
kind: Pod
metadata: {{name: a, namespace: x, labels: {{pod: a}}}}
spec: {{nodeName: node-1, {more}}}
status: {{{status}}}
"""
    [found] = [value for value in load(text.encode()).objects if isinstance(value, Pod)]
    return found


# Defaults


def test_a_policy_without_a_spec_denies_all_ingress_of_its_namespace(reach):
    assert reach(*policies(written("{}"))) == ALL - pairs("*", "x")


@pytest.mark.parametrize("types", ["", ", policyTypes: null", ", policyTypes: []"])
def test_an_empty_egress_list_without_types_does_not_isolate_egress(reach, types):
    assert reach(*policies(written("{podSelector: {}, egress: []" + types + "}"))) == ALL - pairs("*", "x")


def test_egress_rules_without_types_isolate_ingress_too(reach):
    assert reach(*policies(written("{podSelector: {}, egress: [{}]}"))) == ALL - pairs("*", "x")


def test_types_decide_which_rules_count(reach):
    assert reach(*policies(written("{policyTypes: [Egress], ingress: [{}], egress: [{}]}"))) == ALL


def test_a_port_entry_without_protocol_is_tcp(allowed):
    one = world(*policies(written("{ingress: [{ports: [{}]}]}")))
    assert allowed(one, "y/a", "x/a", 80)
    assert not allowed(one, "y/a", "x/a", None, ICMP)


@pytest.mark.parametrize("ports", ["", "ports: [], ", "ports: null, "])
def test_absent_null_and_empty_ports_mean_all(allowed, ports):
    assert allowed(
        world(*policies(written("{ingress: [{" + ports + "from: []}]}"))), "y/a", "x/a", None, ICMP
    )


# Selectors: absent is not empty


def test_a_null_namespace_selector_leaves_the_peer_at_home(reach):
    home = "{ingress: [{from: [{namespaceSelector: null, podSelector: {matchLabels: {pod: b}}}]}]}"
    assert reach(*policies(written(home))) == ALL - pairs("*", "x") | pairs("x/b", "x")


def test_an_empty_namespace_selector_takes_the_peer_everywhere(reach):
    anywhere = "{ingress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: {pod: b}}}]}]}"
    assert reach(*policies(written(anywhere))) == ALL - pairs("*", "x") | pairs("x/b y/b z/b", "x")


# Strictness


@pytest.mark.parametrize("cidr", ["10.0.0.1/8", "010.0.0.0/8", "::ffff:10.0.0.0/104"])
def test_sloppy_blocks_are_refused(cidr):
    assert written(f"{{ingress: [{{from: [{{ipBlock: {{cidr: '{cidr}'}}}}]}}]}}").refused


def test_compatibility_warns_of_a_sloppy_block_and_masks_it(allowed):
    found = written("{ingress: [{from: [{ipBlock: {cidr: 10.0.1.1/24}}]}]}", context=OLD)
    assert [warning.severity for warning in found.warnings] == [Severity.WARNING]
    one = world(*policies(found))
    assert allowed(one, "y/c", "x/a")
    assert not allowed(one, "z/c", "x/a")


@pytest.mark.parametrize(
    "spec",
    [
        "{ingress: [{from: [{podSelector: {}, ports: [{port: 80}]}]}]}",
        "{ingress: [{to: [{podSelector: {}}]}]}",
        "{PodSelector: {}}",
        "{podSelector: {}, podSelector: {}}",
        "{ingress: [{from: [{podSelector: {matchLabels: {a: null}}}]}]}",
    ],
)
def test_what_would_be_read_as_openness_is_refused(spec):
    assert written(spec).refused


def test_a_null_rule_allows_all_and_is_called_an_error(reach):
    found = written("{ingress: [null]}")
    assert [warning.severity for warning in found.warnings] == [Severity.ERROR]
    assert reach(*policies(found)) == ALL


# What a server stored is read as far as it can be, and never opens


@pytest.mark.parametrize(
    "rule",
    [
        "from: [{ipBlock: {cidr: nonsense}}]",
        "from: [{ipBlock: {cidr: 0.0.0.0/0, except: [nonsense]}}]",
        "from: [{nodeSelector: {}}]",
        "from: [{podSelector: {matchExpressions: [{key: pod, operator: Gt, values: ['1']}]}}]",
        "ports: [{protocol: XYZ}]",
        "ports: [{port: 0}]",
        "somewhere: else",
    ],
)
def test_what_cannot_be_read_matches_nothing_and_says_so(reach, rule):
    found = written("{ingress: [{" + rule + "}]}", ", uid: u")
    assert found.warnings
    assert reach(*policies(found)) == ALL - pairs("*", "x")


def test_a_subject_that_cannot_be_read_is_the_whole_namespace(reach):
    found = written(
        "{podSelector: {matchExpressions: [{key: pod, operator: Gt, values: ['1']}]}}", ", uid: u"
    )
    assert reach(*policies(found)) == ALL - pairs("*", "x")


# Pods and namespaces


def test_all_addresses_of_the_status_count():
    both = read_pod("", "podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}, {ip: 'fd00::1'}]")
    assert [str(one) for one in both.addresses] == ["10.0.0.1", "fd00::1"]
    assert [str(one) for one in read_pod("", "podIP: 10.0.0.1").addresses] == ["10.0.0.1"]


def test_named_ports_of_restartable_init_containers_count():
    sidecar = "{name: s, image: i, ports: [{name: proxy, containerPort: 15}]"
    init = "initContainers: [" + sidecar + "%s}], containers: [{name: c, image: i}]"
    assert [port.name for port in read_pod(init % ", restartPolicy: Always").ports] == ["proxy"]
    assert read_pod(init % "").ports == ()


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_finished_is_what_the_phase_says(phase):
    assert read_pod("", f"phase: {phase}").finished
    assert not read_pod("", "phase: Running").finished


def test_a_terminating_pod_still_counts():
    text = b"""
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: x, deletionTimestamp: "2026-01-01T00:00:00Z"}
spec: {}
status: {phase: Running, podIP: 10.0.0.1}
"""
    [found] = load(text).objects
    assert found.on_pod_network


def test_the_host_network_is_what_the_spec_says():
    same = "podIP: 192.168.0.1, hostIP: 192.168.0.1"
    assert read_pod("hostNetwork: true", same).host_network
    assert not read_pod("", same).host_network


def test_files_without_namespaces_get_them_with_their_name_label(allowed):
    by_name = "{ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: x}}}]}]}"
    snapshot = complete(written(by_name))
    both = after(snapshot, [put(pod("x/b")), put(pod("x/a"))])
    assert allowed(both, "x/b", "x/a")
