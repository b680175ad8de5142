"""One API server for all tests of this directory; where it is not built, they are left out by name."""

import pytest

from apiserver import UnavailableError, programs, running

from .world import fill


@pytest.fixture(scope="session")
def api(tmp_path_factory):
    try:
        programs()
    except UnavailableError as missing:
        pytest.skip(str(missing))
    yield from running(tmp_path_factory.mktemp("apiserver"))


@pytest.fixture(scope="session")
def world(api):
    fill(api)
    return api


def pytest_terminal_summary(terminalreporter):
    """A short run does not say what it skipped; these are worth a sentence."""
    skipped = [each for each in terminalreporter.stats.get("skipped", []) if "tests/live/" in each.nodeid]
    if skipped:
        terminalreporter.write_line("left out, for there is no kube-apiserver (make apiserver builds it):")
        for report in skipped:
            terminalreporter.write_line(f"  {report.nodeid}")
