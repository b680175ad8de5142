"""`podfence completion`: the script that makes a shell complete commands and options."""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import Literal

from podfence.errors import UsageError

Shell = Literal["bash", "zsh", "fish"]


def completion(shell: Shell | None = None, /) -> None:
    """Print the completion script; add `source <(podfence completion bash)` to your shell's start-up file.

    Parameters
    ----------
    shell
        Yours ($SHELL) when it is left out.

    """
    from podfence.cli import application

    print(application().generate_completion(shell=shell or _own_shell()))


def _own_shell() -> Shell:
    name = PurePath(os.environ.get("SHELL", "")).name
    for known in ("bash", "zsh", "fish"):
        if name == known:
            return known
    raise UsageError("$SHELL names no shell that podfence knows: say bash, zsh or fish")
