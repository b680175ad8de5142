"""The frame of the command line: exit statuses, streams, colours, and trouble told on one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from podfence import cli
from podfence.cli import main
from podfence.cli.text import Tone, colored, paint, printable
from podfence.errors import MissingExtraError, PodfenceError

EXAMPLES = Path(__file__).parents[2] / "examples"
QUESTION = ["explain", str(EXAMPLES / "seed"), str(EXAMPLES / "seed-world"), "--from", "default/db"]
COMMAND = [sys.executable, "-c", "import sys; from podfence.cli import main; sys.exit(main())"]


def run(*arguments, **more):
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, timeout=60, check=False, stdin=subprocess.DEVNULL, **more
    )


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch):
    """`--color` is passed on through the environment; not from test to test."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.setenv(name, "")


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["chekc"], 2, "did you mean check?"),
        (["explain", "--bogus"], 2, "unknown option --bogus"),
        (["explain", "no-such-file", "--from", "a", "--to", "b"], 2, "no-such-file: no such file"),
        ([*QUESTION, "--to", "10.0.0.7", "-o", "yaml"], 2, "text"),
        ([*QUESTION], 2, "--from and --to"),
        (["--color", "pink", "explain"], 2, "auto, always or never"),
        ([*QUESTION, "--flows", "no-such-flows"], 2, "no-such-flows: No such file or directory"),
    ],
)
def test_trouble_is_one_line_with_a_way_out(capsys, arguments, status, words):
    assert main(arguments) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert words in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(("port", "status"), [("5978", 0), ("5979", 1)])
def test_the_status_is_the_answer(capsys, port, status):
    assert main([*QUESTION, "--to", "10.0.0.7", "--port", port]) == status
    assert capsys.readouterr().out.startswith(("ALLOWED", "DENIED")[status])


def test_version_and_help_are_answers(capsys):
    assert main(["--version"]) == 0
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in cli.COMMANDS)


def test_every_command_is_where_the_frame_says(capsys):
    for name in cli.COMMANDS:
        assert main([name, "--help"]) == 0
        assert "Usage" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("raised", "status", "words"),
    [
        (PodfenceError("wrong", "one", "two"), 2, "error: wrong\n  one\n  two\n"),
        (MissingExtraError("cluster:", "live"), 2, "pip install 'podfence[live]'"),
        (KeyboardInterrupt(), 130, ""),
        (FileNotFoundError(2, "No such file", "there"), 2, "error: there: No such file\n"),
        (RuntimeError("oops"), 2, "this is a fault of podfence"),
    ],
    ids=repr,
)
def test_what_a_command_raises_becomes_a_status(monkeypatch, capsys, raised, status, words):
    def fail(_):
        raise raised

    monkeypatch.setattr(cli, "_run", fail)
    assert main([]) == status
    assert words in capsys.readouterr().err


def test_output_is_utf8_in_any_locale():
    done = run(
        *QUESTION, "--to", "10.0.0.7", "--port", "5979", env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0"}
    )
    assert done.returncode == 1
    assert "default/db-0 → 10.0.0.7" in done.stdout.decode("utf-8")


def test_a_closed_pipe_is_silent():
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*COMMAND, *QUESTION, "--to", "10.0.0.7"],
        stdout=writer,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    os.close(writer)
    assert done.returncode == cli.CLOSED_PIPE
    assert b"Error" not in done.stderr


@pytest.mark.parametrize(("when", "expected"), [("always", True), ("never", False), ("auto", False)])
def test_colour_is_chosen_for_every_command(capsys, when, expected):
    main([*QUESTION, "--to", "10.0.0.7", "--port", "5979", f"--color={when}"])
    assert ("\x1b[" in capsys.readouterr().out) == expected


def test_no_color_wins_over_a_terminal(monkeypatch):
    class Terminal:
        def isatty(self):
            return True

    assert colored(Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not colored(Terminal())


def test_colour_behind_two_dashes_belongs_to_the_other_program(monkeypatch):
    seen = []
    monkeypatch.setattr(cli, "application", lambda: seen.append)
    main(["lab", "exec", "a/b", "--", "ls", "--color=always"])
    assert seen == [["lab", "exec", "a/b", "--", "ls", "--color=always"]]


HOSTILE = [
    "\x1b[31mred",
    "\u202eevil",
    "a\rb",
    "a\nerror: no",
    "\x9b31m",
    "\ud800",
    "\u2028",
    "\x00",
    "\u200b",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_reaches_the_terminal_as_a_command(name):
    shown = printable(name)
    assert shown.isprintable()
    assert shown != name
    assert shown.encode("utf-8")


@pytest.mark.parametrize("name", HOSTILE)
def test_trouble_with_a_hostile_name_stays_on_one_line(capsys, name):
    assert main(["explain", f"./{name}", "--from", "a", "--to", "b"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_plain_text_is_left_alone():
    assert printable("default/db-0 → é") == "default/db-0 → é"
    assert paint("x", Tone.BAD, color=False) == "x"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_every_command(capsys, shell):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(name in script for name in cli.COMMANDS)


def test_completion_asks_which_shell_it_is_for(monkeypatch, capsys):
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    assert main(["completion"]) == 2
    assert "bash, zsh or fish" in capsys.readouterr().err


HEAVY = {"asyncio", "rich", "ctypes", "multiprocessing", "urllib.request", "podfence.netlink", "podfence.lab"}


def test_explain_imports_nothing_it_does_not_need():
    code = (
        "import sys; from podfence.cli import main; main(sys.argv[1:]); "
        f"print(sorted(set(sys.modules) & {HEAVY!r}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *QUESTION, "--to", "10.0.0.7", "--port", "5979"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr.splitlines()[-1] == "[]"
