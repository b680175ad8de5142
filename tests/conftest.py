"""Lets every test import what they share (`sandbox` and its neighbours) from this directory by name."""

import os

import pytest

import profiles  # noqa: F401 - how many examples properties try


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    """In CI nothing skips: a skipped test fails the run."""
    reporter = session.config.pluginmanager.getplugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if skipped and os.environ.get("CI"):
        for report in skipped:
            reporter.write_line(f"skipped, which fails in CI: {report.nodeid}: {report.longrepr}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
