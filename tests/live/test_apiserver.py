"""The server for tests leaves nothing behind, however the tests end."""

import subprocess
import sys
import time
from pathlib import Path

ALONE = """
import pathlib, sys, time
sys.path.insert(0, sys.argv[1])
from apiserver import running
api = running(pathlib.Path(sys.argv[2]))
next(api)
print("ready", flush=True)
time.sleep(60)
"""


def test_it_ends_with_a_process_that_is_killed(api, tmp_path):
    tests = Path(__file__).parents[1]
    with subprocess.Popen([sys.executable, "-c", ALONE, tests, tmp_path], stdout=subprocess.PIPE) as started:
        assert started.stdout.readline() == b"ready\n"
        assert len(started_in(tmp_path)) == 2
        started.kill()
    end = time.monotonic() + 10
    while started_in(tmp_path) and time.monotonic() < end:
        time.sleep(0.05)
    assert started_in(tmp_path) == []


def started_in(directory):
    """Processes that work there; an ended one works nowhere."""
    return [each for each in Path("/proc").glob("[0-9]*/cwd") if _where(each) == directory]


def _where(link):
    try:
        return link.readlink()
    except OSError:
        return None
