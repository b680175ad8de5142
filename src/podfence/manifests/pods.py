"""Pods and the workloads that make them. Next: `kinds`; `owners` finds the workload at the top."""

from __future__ import annotations

from collections.abc import Callable

from podfence.manifests import narrow
from podfence.manifests.common import container_ports, controller, identify, kept_annotations, known_address
from podfence.manifests.item import Item
from podfence.manifests.metadata import check_labels
from podfence.manifests.narrow import given
from podfence.manifests.owners import by_hash
from podfence.manifests.reading import Context, Reading
from podfence.manifests.wrong import Wrong, invalid
from podfence.model.address import Address
from podfence.model.cluster import Owner, Pod, Template

_EMPTY_SPEC = narrow.PodSpec()


def read_pod(item: Item, context: Context) -> Reading:
    pod, wrong = item.decode(narrow.Pod)
    namespace, name, meta = identify(pod.metadata, item, context, wrong)
    spec, status = pod.spec or _EMPTY_SPEC, pod.status or narrow.PodStatus()
    value = Pod(
        namespace=namespace,
        name=name,
        labels=meta.labels or {},
        addresses=_addresses(status, wrong),
        node=spec.nodeName or "",
        ports=container_ports(spec, ("spec",), wrong),
        host_network=bool(spec.hostNetwork),
        finished=status.phase in ("Succeeded", "Failed"),
        created=meta.creationTimestamp or "",
        owner=_owner(meta),
        service_account=_service_account(spec),
        annotations=kept_annotations(meta.annotations),
    )
    return Reading(value, tuple(wrong), name, namespace, stored=bool(meta.uid))


def _owner(meta: narrow.ObjectMeta) -> Owner | None:
    """Already the Deployment where names say so; `owners` settles the rest once all objects are known."""
    owner = controller(meta)
    return owner and by_hash(owner, meta.labels or {})


def _service_account(spec: narrow.PodSpec) -> str:
    return spec.serviceAccountName or spec.serviceAccount or "default"


def _addresses(status: narrow.PodStatus, wrong: list[Wrong]) -> tuple[Address, ...]:
    """All of podIPs; podIP alone only where there are none."""
    texts = [(("status", "podIPs", at, "ip"), each.ip) for at, each in given(status.podIPs) if each.ip]
    if not texts and status.podIP:
        found = known_address(status.podIP, ("status", "podIP"), wrong)
        return (found,) if found else ()
    addresses = (known_address(text, path, wrong) for path, text in texts)
    return tuple(found for found in addresses if found)


def workload(kind: str) -> Callable[[Item, Context], Reading]:
    """The reader of a kind whose `spec.template` is a pod."""

    def read(item: Item, context: Context) -> Reading:
        given_workload, wrong = item.decode(narrow.Workload)
        made = _Made(kind, given_workload.metadata, given_workload.spec, ("spec",))
        return _template(made, item, context, wrong)

    return read


def read_cron_job(item: Item, context: Context) -> Reading:
    cron_job, wrong = item.decode(narrow.CronJob)
    job = cron_job.spec.jobTemplate if cron_job.spec else None
    made = _Made("CronJob", cron_job.metadata, job.spec if job else None, ("spec", "jobTemplate", "spec"))
    return _template(made, item, context, wrong)


class _Made:
    """The parts of a workload object, and where its spec stands."""

    __slots__ = ("kind", "metadata", "path", "spec")

    def __init__(
        self,
        kind: str,
        metadata: narrow.ObjectMeta | None,
        spec: narrow.WorkloadSpec | None,
        path: tuple[str, ...],
    ) -> None:
        self.kind, self.metadata, self.path = kind, metadata, path
        self.spec = spec or narrow.WorkloadSpec()


def _template(made: _Made, item: Item, context: Context, wrong: list[Wrong]) -> Reading:
    namespace, name, meta = identify(made.metadata, item, context, wrong)
    template = made.spec.template or narrow.PodTemplateSpec()
    pod_meta, pod = template.metadata or narrow.EMPTY_METADATA, template.spec or _EMPTY_SPEC
    path = (*made.path, "template")
    if not meta.uid:
        wrong += check_labels(pod_meta.labels or {}, (*path, "metadata", "labels"))
    value = Template(
        namespace=namespace,
        kind=made.kind,
        name=name,
        labels=pod_meta.labels or {},
        ports=container_ports(pod, (*path, "spec"), wrong),
        host_network=bool(pod.hostNetwork),
        replicas=_replicas(made, wrong),
        first_ordinal=_first_ordinal(made),
        per_node=made.kind == "DaemonSet",
        service_account=_service_account(pod),
        node=pod.nodeName or "",
        annotations={**kept_annotations(meta.annotations), **kept_annotations(pod_meta.annotations)},
        controller=controller(meta),
        place=item.place(()),
    )
    return Reading(value, tuple(wrong), name, namespace, stored=bool(meta.uid))


def _replicas(made: _Made, wrong: list[Wrong]) -> int:
    """One unless written; a Job counts the pods that run at the same time."""
    key = "parallelism" if made.kind in ("Job", "CronJob") else "replicas"
    number = made.spec.parallelism if key == "parallelism" else made.spec.replicas
    if number is not None and number < 0:
        message = invalid(number, "must be greater than or equal to 0")
        wrong.append(Wrong((*made.path, key), message, "bad-replicas"))
    return 1 if number is None else max(number, 0)


def _first_ordinal(made: _Made) -> int | None:
    if made.kind != "StatefulSet":
        return None
    return (made.spec.ordinals.start if made.spec.ordinals else None) or 0
