"""The work grows with what is printed: counted in pieces looked at, not by the clock."""

import pytest
from shops import chain

from podfence.analysis.connections import View, connections
from podfence.analysis.workloads import Level
from podfence.model.change import snapshot


def worked(workloads, replicas, by=Level.WORKLOAD):
    found = connections(snapshot(chain(workloads, replicas)), View(by))
    lines = sum(1 for _ in found)
    return found, lines


@pytest.mark.parametrize("workloads", [50, 200])
def test_twice_the_workloads_are_twice_the_work(workloads):
    (small, few), (large, many) = worked(workloads, 2), worked(2 * workloads, 2)
    assert many <= 2 * few + 8
    assert large.kinds.matrix.worked <= 2.2 * small.kinds.matrix.worked


def test_replicas_cost_nothing_but_their_reading():
    (small, few), (large, many) = worked(50, 2), worked(50, 40)
    assert (few, small.kinds.matrix.worked) == (many, large.kinds.matrix.worked)
    assert len(small.kinds.members.kinds) == len(large.kinds.members.kinds)


def test_one_workload_costs_one_row():
    found = connections(snapshot(chain(400, 1)))
    before = found.kinds.matrix.worked
    found.row(found.numbers["x/app-7[Deployment]"])
    first = found.kinds.matrix.worked - before
    found.row(found.numbers["x/app-8[Deployment]"])
    assert found.kinds.matrix.worked - before - first <= 10
