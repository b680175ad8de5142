"""Lets every test import what they share (`sandbox` and its neighbours) from this directory by name."""

import os

import pytest

import profiles  # noqa: F401 - how many examples properties try
from needs import PACKAGES, missing_for

LEFT_OUT = pytest.StashKey[dict]()


def pytest_collection_modifyitems(config, items):
    """Tests whose programs are missing are left out; the summary names them."""
    lacking = {item: missing for item in items if (missing := missing_for(item.nodeid))}
    config.stash[LEFT_OUT] = {item.nodeid: missing for item, missing in lacking.items()}
    if lacking:
        config.hook.pytest_deselected(items=list(lacking))
        items[:] = [item for item in items if item not in lacking]


def pytest_terminal_summary(terminalreporter, config):
    left_out = config.stash.get(LEFT_OUT, {})
    if left_out:
        programs = sorted({program for missing in left_out.values() for program in missing})
        packages = " ".join(PACKAGES[program] for program in programs)
        terminalreporter.write_line(f"{len(left_out)} tests left out, which need: apt install {packages}")
        for name, missing in left_out.items():
            terminalreporter.write_line(f"  {name}  ({', '.join(missing)})")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    """In CI nothing skips: a skipped test fails the run."""
    reporter = session.config.pluginmanager.getplugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if os.environ.get("CI") and session.config.stash.get(LEFT_OUT, {}):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    if skipped and os.environ.get("CI"):
        for report in skipped:
            reporter.write_line(f"skipped, which fails in CI: {report.nodeid}: {report.longrepr}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
