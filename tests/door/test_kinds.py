"""Every other kind: what is read of it, and that its types are looked at too."""

import pytest

from door.reading import noted, read
from podfence.manifests.load import load
from podfence.manifests.loaded import Severity
from podfence.manifests.reading import Context
from podfence.model.address import address, network
from podfence.model.cluster import ContainerPort, Owner, ServicePort
from podfence.model.ports import Protocol

TCP, UDP = Protocol.TCP, Protocol.UDP


def one(text):
    found = read(text)
    assert found.problems == ()
    (value,) = (*found.objects, *found.templates)
    return value


POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: web-5d8-x
  namespace: shop
  labels: {app: web, pod-template-hash: 5d8}
  creationTimestamp: "2026-11-01T00:00:00Z"
  annotations:
    lab.podfence.dev/body.80: hello
    kubectl.kubernetes.io/last-applied-configuration: "{}"
    vpc.amazonaws.com/pod-eni: "[]"
  ownerReferences:
  - {apiVersion: apps/v1, kind: ReplicaSet, name: web-5d8, uid: u, controller: true}
spec:
  nodeName: n1
  serviceAccountName: web
  containers:
  - name: a
    image: x
    ports: [{containerPort: 80, name: http}, {containerPort: 53, protocol: UDP}]
  - name: b
  initContainers:
  - {name: sidecar, restartPolicy: Always, ports: [{containerPort: 9090, name: metrics}]}
  - {name: once, ports: [{containerPort: 1}]}
status:
  phase: Running
  podIP: 10.0.0.1
  podIPs: [{ip: 10.0.0.1}, {ip: "fd00::1"}]
"""


def test_a_pod():
    pod = one(POD)
    assert pod.key == ("shop", "web-5d8-x")
    assert pod.addresses == (address("10.0.0.1"), address("fd00::1"))
    assert pod.ports == (
        ContainerPort("http", TCP, 80),
        ContainerPort("", UDP, 53),
        ContainerPort("metrics", TCP, 9090),
    )
    assert (pod.node, pod.service_account, pod.created) == ("n1", "web", "2026-11-01T00:00:00Z")
    assert pod.annotations == {"lab.podfence.dev/body.80": "hello", "vpc.amazonaws.com/pod-eni": "[]"}
    assert (pod.finished, pod.host_network) == (False, False)


def test_the_owner_of_a_pod_is_the_deployment_by_the_hash():
    assert one(POD).owner == Owner("Deployment", "web")


def test_without_the_hash_it_is_the_replica_set():
    assert one(POD.replace(", pod-template-hash: 5d8", "")).owner == Owner("ReplicaSet", "web-5d8")


def test_a_replica_set_in_the_input_says_who_made_it():
    replica_set = """\
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: web-5d8
  namespace: shop
  ownerReferences: [{kind: Deployment, name: other, controller: true}]
spec: {replicas: 1}
"""
    found = read(f"{replica_set}---\n{POD.replace(', pod-template-hash: 5d8', '')}")
    (pod,) = found.objects
    (template,) = found.templates
    assert pod.owner == template.owner == Owner("Deployment", "other")


def test_a_replica_set_beside_its_deployment_is_left_out():
    found = read(
        """
        {apiVersion: v1, kind: List, items: [
          {apiVersion: apps/v1, kind: Deployment, metadata: {name: web}},
          {apiVersion: apps/v1, kind: ReplicaSet, metadata:
            {name: web-1, ownerReferences: [{kind: Deployment, name: web, controller: true}]}}]}
        """
    )
    assert [each.kind for each in found.templates] == ["Deployment"]


@pytest.mark.parametrize(("phase", "finished"), [("Succeeded", True), ("Failed", True), ("Pending", False)])
def test_finished_pods(phase, finished):
    assert one(POD.replace("Running", phase)).finished is finished


def test_the_single_address_counts_where_there_is_no_list():
    text = POD.replace('  podIPs: [{ip: 10.0.0.1}, {ip: "fd00::1"}]\n', "")
    assert one(text).addresses == (address("10.0.0.1"),)


@pytest.mark.parametrize(
    ("old", "new", "field", "code"),
    [
        ("containerPort: 80", "containerPort: 0", "spec.containers[0].ports[0].containerPort", "bad-port"),
        ("containerPort: 80", "containerPort: x", "spec.containers[0].ports[0].containerPort", "wrong-type"),
        ("containerPort: 80", "hostPort: 80", "spec.containers[0].ports[0].containerPort", "bad-port"),
        ("protocol: UDP", "protocol: udp", "spec.containers[0].ports[1].protocol", "bad-protocol"),
        ("{app: web,", "{app: yes,", "metadata.labels.app", "wrong-type"),
        ("{app: web,", "{app: ,", "metadata.labels.app", "null-value"),
        ("{app: web,", "{app: 'a b',", "metadata.labels", "bad-label"),
        ("name: web-5d8-x", 'name: "a/b"', "metadata.name", "bad-name"),
        ("name: web-5d8-x", 'name: "a\\nb"', "metadata.name", "bad-name"),
        ("name: web-5d8-x", "nam: x", "metadata.name", "bad-name"),
        ("namespace: shop", "namespace: A", "metadata.namespace", "bad-name"),
        ("[{ip: 10.0.0.1}", "[{ip: 10.0.0.01}", "status.podIPs[0].ip", "bad-address"),
        ("nodeName: n1", "hostNetwork: 'true'", "spec.hostNetwork", "wrong-type"),
    ],
)
def test_fields_that_are_read_are_looked_at(old, new, field, code):
    assert old in POD
    assert [(each.field, each.code) for each in read(POD.replace(old, new)).problems] == [(field, code)]


def test_fields_that_are_not_read_pass():
    assert one(POD.replace("image: x", "image: [1, {a: 2}]\n    frobnicate: yes"))


def workload(kind, spec, version="apps/v1"):
    return one(f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: w, namespace: x}}\nspec: {spec}\n")


TEMPLATE = "template: {metadata: {labels: {a: b}}, spec: {containers: [{ports: [{containerPort: 80}]}]}}"


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"])
def test_workloads(kind):
    template = workload(kind, f"{{replicas: 3, {TEMPLATE}}}")
    assert (template.kind, template.title, template.replicas) == (kind, "x/w", 3)
    assert (template.labels, template.ports) == ({"a": "b"}, (ContainerPort("", TCP, 80),))
    assert template.per_node is (kind == "DaemonSet")
    assert template.first_ordinal == (0 if kind == "StatefulSet" else None)
    assert template.owner == Owner(kind, "w")


def test_replication_controllers_and_jobs():
    assert workload("ReplicationController", f"{{{TEMPLATE}}}", "v1").replicas == 1
    assert workload("Job", f"{{parallelism: 2, {TEMPLATE}}}", "batch/v1").replicas == 2
    cron_job = workload("CronJob", f"{{jobTemplate: {{spec: {{{TEMPLATE}}}}}}}", "batch/v1")
    assert (cron_job.labels, cron_job.owner) == ({"a": "b"}, Owner("CronJob", "w"))


def test_stateful_sets_may_count_from_elsewhere():
    assert workload("StatefulSet", f"{{ordinals: {{start: 5}}, {TEMPLATE}}}").first_ordinal == 5


def test_scaled_to_zero_is_kept():
    assert workload("Deployment", f"{{replicas: 0, {TEMPLATE}}}").replicas == 0


def test_problems_of_a_cron_job_have_their_long_path():
    found = read(
        "{apiVersion: batch/v1, kind: CronJob, metadata: {name: w}, spec: {jobTemplate: {spec: {template:"
        " {spec: {containers: [{ports: [{containerPort: 0}]}]}}}}}}"
    )
    (problem,) = found.problems
    assert problem.field == "spec.jobTemplate.spec.template.spec.containers[0].ports[0].containerPort"


def test_a_namespace_gets_its_name_as_a_label_whatever_it_says():
    found = one(
        "{apiVersion: v1, kind: Namespace, metadata: {name: x, labels: {a: b, kubernetes.io/metadata.name: other}}}"
    )
    assert found.labels == {"a": "b", "kubernetes.io/metadata.name": "x"}


def test_a_node():
    found = one(
        """
        apiVersion: v1
        kind: Node
        metadata: {name: n1, labels: {zone: a}}
        spec: {podCIDR: 10.1.0.0/24, podCIDRs: [10.1.0.0/24, "fd00:1::/64"]}
        status:
          addresses:
          - {type: InternalIP, address: 192.168.0.1}
          - {type: Hostname, address: n1}
          - {type: ExternalIP, address: 8.8.4.4}
        """
    )
    assert found.addresses == (address("192.168.0.1"), address("8.8.4.4"))
    assert found.pod_blocks == (network("10.1.0.0/24"), network("fd00:1::/64"))


def service(spec):
    return one(f"apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec: {spec}\n")


def test_a_service():
    found = service(
        "{selector: {app: web}, clusterIP: 10.9.0.1, clusterIPs: [10.9.0.1, 'fd09::1'],"
        " ports: [{port: 80, targetPort: http}, {name: dns, port: 53, protocol: UDP}, {port: 443, targetPort: 8443}]}"
    )
    assert found.ports == (
        ServicePort("", TCP, 80, "http"),
        ServicePort("dns", UDP, 53, 53),
        ServicePort("", TCP, 443, 8443),
    )
    assert found.addresses == (address("10.9.0.1"), address("fd09::1"))
    assert found.selector == {"app": "web"}


def test_a_headless_service():
    found = service("{clusterIP: None, selector: {a: b}}")
    assert (found.headless, found.addresses) == (True, ())


def test_an_external_name():
    found = service("{type: ExternalName, externalName: example.com, selector: {a: b}}")
    assert (found.external_name, found.selector) == ("example.com", None)


def test_objects_without_a_namespace_get_the_default_and_cluster_wide_ones_do_not():
    content = (
        b"{apiVersion: v1, kind: Pod, metadata: {name: a}}\n---\n"
        b"{apiVersion: v1, kind: Pod, metadata: {name: b, namespace: z}}\n---\n"
        b"{apiVersion: v1, kind: Namespace, metadata: {name: z}}\n"
    )
    found = load(content, "f", Context(namespace="x"))
    assert sorted(found.places) == [("Namespace", "", "z"), ("Pod", "x", "a"), ("Pod", "z", "b")]


@pytest.mark.parametrize(
    ("version", "kind", "code"),
    [
        ("networking.k8s.io/v1beta1", "NetworkPolicy", "unknown-version"),
        ("extensions/v1beta1", "NetworkPolicy", "unknown-version"),
        ("v1", "NetworkPolicy", "unknown-version"),
        ("networking.k8s.io/v1", "Networkpolicy", "unknown-version"),
        ("networking.k8s.io/v1", "NetworkPolcy", "unknown-version"),
    ],
)
def test_a_policy_that_the_server_does_not_know_is_refused(version, kind, code):
    (problem,) = read(f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: p}}\n").problems
    assert (
        problem.code,
        problem.message.startswith(f'no matches for kind "{kind}" in version "{version}"'),
    ) == (
        code,
        True,
    )


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"),
        ("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"),
        ("cilium.io/v2", "CiliumNetworkPolicy"),
        ("crd.projectcalico.org/v1", "GlobalNetworkPolicy"),
        ("projectcalico.org/v3", "NetworkPolicy"),
        ("crd.antrea.io/v1beta1", "ClusterNetworkPolicy"),
        ("networking.k8s.aws/v1alpha1", "ClusterNetworkPolicy"),
    ],
)
def test_policies_of_other_apis_are_said_not_to_be_judged(version, kind):
    found = read(f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: p}}\n")
    assert (found.problems, noted(found)) == ((), [("not-judged", "warning", "")])


def test_other_kinds_pass_in_silence():
    found = read(
        "{apiVersion: v1, kind: ConfigMap}\n---\n{apiVersion: serving.knative.dev/v1, kind: Service}\n---\n"
        "{apiVersion: networking.k8s.io/v1, kind: IngressClass}\n"
    )
    assert (found.problems, found.warnings, found.objects) == ((), (), ())


def test_an_old_version_of_a_workload_is_said_to_be_left_out():
    found = read("apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: w}\n")
    assert noted(found) == [("old-version", "warning", "apiVersion")]


def test_kubectl_get_output_is_read_without_refusal():
    found = read(POD.replace("  name: web-5d8-x", "  uid: u\n  name: web-5d8-x").replace("10.0.0.1}", "x}"))
    assert found.problems == ()
    assert [each.severity for each in found.warnings] == [Severity.WARNING]
    assert found.objects[0].addresses == (address("fd00::1"),)


@pytest.mark.parametrize(
    ("cidr", "block"),
    [
        ("010.0.0.0/8", "10.0.0.0/8"),
        ("10.0.0.1/8", "10.0.0.0/8"),
        ("10.0.0.0/08", "10.0.0.0/8"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("::ffff:10.1.2.3/128", "10.1.2.3/32"),
        ("2001:db8::1/32", "2001:db8::/32"),
    ],
)
def test_sloppy_blocks_of_older_servers_are_read_as_they_read_them(cidr, block):
    text = (
        "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p},"
        f" spec: {{egress: [{{to: [{{ipBlock: {{cidr: '{cidr}'}}}}]}}]}}}}"
    )
    assert [each.code for each in read(text).problems] == ["loose-cidr"]
    found = read(text, compat="1.35")
    assert (found.problems, noted(found)) == (
        (),
        [("loose-cidr", "warning", "spec.egress[0].to[0].ipBlock.cidr")],
    )
    assert str(found.objects[0].egress[0].peers[0].block) == block


@pytest.mark.parametrize(
    ("cidr", "message"),
    [
        (
            "1.2.3.4/24",
            'CIDR value "1.2.3.4/24" is ambiguous in this context (should be "1.2.3.0/24" or "1.2.3.4/32"?)',
        ),
        (
            "01.2.3.0/24",
            (
                'non-standard CIDR value "01.2.3.0/24" will be considered invalid in a future Kubernetes release: '
                'use "1.2.3.0/24"'
            ),
        ),
    ],
)
def test_the_warnings_of_older_servers(cidr, message):
    text = (
        "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p},"
        f" spec: {{egress: [{{to: [{{ipBlock: {{cidr: {cidr}}}}}]}}]}}}}"
    )
    assert [each.message for each in read(text, compat="1.35").warnings] == [message]
