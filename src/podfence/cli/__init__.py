"""The command line: `podfence COMMAND`. Commands are imported when they are asked for, each from its module.

Exit status: 0 yes, clean, equal, answered; 1 no, findings, different; 2 trouble; 130 interrupted.
A command returns its status, or raises `PodfenceError` for trouble that has a way out.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from podfence import __version__
from podfence.cli.text import Tone, colored, paint, printable
from podfence.errors import PodfenceError, UsageError, did_you_mean

TROUBLE = 2
INTERRUPTED = 130
CLOSED_PIPE = 141

COMMANDS = {
    "check": ("podfence.cli.check:check", "What the API server would refuse, and what you would regret."),
    "explain": ("podfence.cli.explain:explain", "Whether a flow passes, why, and what would change it."),
    "reach": ("podfence.cli.reach:reach", "Who reaches whom, and on which ports."),
    "diff": ("podfence.cli.diff:diff", "Which pairs a change opens or closes, and which edits do it."),
    "assert": (
        "podfence.cli.assertions:assertions",
        "Whether requirements hold: who must reach whom, who must not.",
    ),
    "render": ("podfence.cli.render:render", "The nft text that a node would run."),
    "lab": ("podfence.cli.lab:app", "Try policies on real packets, on this machine."),
    "flows": ("podfence.cli.denials:flows", "What was denied, by which policies, how often."),
    "rbac": ("podfence.cli.rbac:rbac", "The role that reading a cluster needs."),
    "completion": ("podfence.cli.completion:completion", "The completion script for your shell."),
}
"""Where each command lives, and the line `--help` says of it, so that help imports none of them."""

HELP = "Ask, try and enforce Kubernetes network policies."
EPILOGUE = (
    "SOURCE: a file or directory of YAML or JSON, `-` for standard input, `cluster:[CONTEXT]` or `lab:[NAME]`.\n\n"
    "`--color=auto|always|never` goes with every command; `NO_COLOR` is honoured."
)


def application() -> App:
    app = App(
        "podfence",
        help=HELP,
        help_epilogue=EPILOGUE,
        help_format="markdown",
        version=__version__,
        result_action="return_value",
        exit_on_error=False,
        print_error=False,
        suppress_keyboard_interrupt=False,
    )
    for name, (where, line) in COMMANDS.items():
        app.command(where, name=name, help=line)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the status is what the process exits with."""
    _speak_utf8()
    try:
        status = _run(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        _silence_stdout()
        return CLOSED_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    except PodfenceError as trouble:
        return _complain(trouble.message, *trouble.details)
    except CycloptsError as trouble:
        return _complain(_sentence(trouble))
    except OSError as trouble:
        return _complain(f"{trouble.filename}: {trouble.strerror}" if trouble.filename else str(trouble))
    except Exception:  # noqa: BLE001  the status must not read as an answer: Python's own would be 1, "no"
        return _confess()
    return status


def _run(arguments: Sequence[str]) -> int:
    words = _without_color(list(arguments))
    if words and not words[0].startswith("-") and words[0] not in COMMANDS:
        raise UsageError(f"podfence has no command {words[0]!r}{did_you_mean(words[0], COMMANDS)}")
    result = application()(words)
    return result if isinstance(result, int) else 0


def _without_color(arguments: list[str]) -> list[str]:
    """Take `--color WHEN` out, but not from a command that `lab exec` runs: that one stands behind `--`."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    for index, argument in enumerate(arguments[:end]):
        name, _, when = argument.partition("=")
        if name == "--color":
            width = 1 if "=" in argument else 2
            _choose_color(when or next(iter(arguments[index + 1 : end]), ""))
            return arguments[:index] + arguments[index + width :]
    return arguments


def _choose_color(when: str) -> None:
    """Through the environment, where libraries and child processes look too."""
    if when not in ("auto", "always", "never"):
        raise UsageError(f"--color {when!r}: choose auto, always or never")
    if when != "auto":
        chosen, other = ("NO_COLOR", "FORCE_COLOR") if when == "never" else ("FORCE_COLOR", "NO_COLOR")
        os.environ[chosen] = "1"
        os.environ.pop(other, None)


def _speak_utf8() -> None:
    """Whatever the locale: a name that cannot be shown is escaped, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(encoding="utf-8", errors="backslashreplace")


def _silence_stdout() -> None:
    """Nobody reads any more: let the interpreter's last flush go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _sentence(trouble: CycloptsError) -> str:
    """The library's words on one line, with the way out."""
    said = " ".join(str(trouble).split())
    return (
        f"{said} (see podfence --help)"
        if said
        else "this is not a podfence command line (see podfence --help)"
    )


def _complain(message: str, *details: str) -> int:
    label = paint("error:", Tone.BAD, color=colored(sys.stderr))
    print(label, printable(message), file=sys.stderr)
    for line in details:
        print(f"  {printable(line)}", file=sys.stderr)
    return TROUBLE


def _confess() -> int:
    import traceback

    traceback.print_exc()
    return _complain("this is a fault of podfence, not of its input: please report it with the lines above")
