"""The library: load sources, ask questions about snapshots. What it names is public; everything else may change.

`import podfence` imports none of it: names are looked up when they are used. docs/library.md has examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from podfence.analysis import changes
from podfence.analysis.alignment import aligned
from podfence.analysis.changes import Differences, PairDifference
from podfence.analysis.connections import Allowed, Connection, Connections, View, connections
from podfence.analysis.containment import Comparison, contains, equivalent
from podfence.analysis.ends import Ends
from podfence.analysis.findings.finding import Finding
from podfence.analysis.findings.report import judge
from podfence.analysis.questions import Asking, port_asked
from podfence.analysis.workloads import End, Level
from podfence.errors import PodfenceError
from podfence.manifests.assume import complete
from podfence.manifests.loaded import Manifests, Problem
from podfence.model.address import Address, address
from podfence.model.cluster import Snapshot
from podfence.model.flow import Decision, Flow, Verdict
from podfence.model.ports import Protocol
from podfence.model.portset import PortSet
from podfence.semantics import decide
from podfence.sources import read

__all__ = [
    "Address",
    "Allowed",
    "Comparison",
    "Connection",
    "Connections",
    "Decision",
    "Differences",
    "End",
    "Finding",
    "Flow",
    "PairDifference",
    "PodfenceError",
    "PortSet",
    "Problem",
    "Protocol",
    "RefusedError",
    "Snapshot",
    "Verdict",
    "address",
    "check",
    "contains",
    "decide",
    "diff",
    "equivalent",
    "flows",
    "load",
    "load_both",
    "reach",
]


class RefusedError(PodfenceError):
    """The input is not what Kubernetes would accept; `problems` are all of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("the input is refused", *map(str, problems))
        self.problems = tuple(problems)


def load(*sources: str, namespace: str = "default", exclude: Sequence[str] = ()) -> Snapshot:
    """Files, directories, `-`, `cluster:[CONTEXT]` or `lab:[NAME]` as one snapshot; the last wins.

    What files leave out (addresses, nodes, namespaces) is assumed, the same way every time.
    RefusedError where Kubernetes would refuse something, UsageError for a source that does not exist.
    """
    return complete(_manifests(sources, namespace, exclude))


def load_both(
    old: Sequence[str], new: Sequence[str], *, namespace: str = "default", exclude: Sequence[str] = ()
) -> tuple[Snapshot, Snapshot]:
    """Two snapshots to compare: what is assumed is the same in both, so that it makes no difference."""
    both = aligned(*(_manifests(side, namespace, exclude) for side in (old, new)))
    return both.old, both.new


def _manifests(sources: Sequence[str], namespace: str, exclude: Sequence[str]) -> Manifests:
    found = read(sources, namespace=namespace, exclude=exclude)
    if found.refused:
        raise RefusedError(found.problems)
    return found


def flows(snapshot: Snapshot, source: str, destination: str, port: str = "") -> tuple[Flow, ...]:
    """The flows that two names stand for, as `explain` takes them: to be decided one by one.

    UsageError, with a suggestion, for a name that stands for nothing.
    """
    ends = Ends(snapshot)
    asked = Asking(snapshot).questions(ends.find(source), ends.find(destination), port_asked(port))
    return tuple(question.flow for question in asked)


def reach(snapshot: Snapshot, by: Literal["pod", "workload", "namespace"] = "workload") -> Connections:
    """Every pair that has any port, with its ports: iterate, or ask `between` two of its `ends`."""
    return connections(snapshot, View(Level(by)))


def diff(old: Snapshot, new: Snapshot) -> Differences:
    """Which pairs differ and which edits explain it; false where nothing differs.

    Snapshots whose addresses were assumed come from `load_both`, not from `load` twice.
    """
    return changes.differences(old, new)


def check(
    *sources: str, namespace: str = "default", exclude: Sequence[str] = ()
) -> tuple[tuple[Problem, ...], tuple[Finding, ...]]:
    """(what Kubernetes would refuse, what it accepts but you would regret); no findings where there are problems."""
    found = read(sources, namespace=namespace, exclude=exclude)
    return found.problems, () if found.refused else judge(found).findings
