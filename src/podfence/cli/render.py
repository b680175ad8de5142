"""`podfence render`: the nft text that a node would run. Nothing is applied; no root, no kernel is needed."""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import Parameter

from podfence.cli.arguments import AS_USUAL, Reading, Source
from podfence.cli.source import given
from podfence.cli.text import printable
from podfence.errors import UsageError, did_you_mean
from podfence.model.cluster import Snapshot

GENERATION = 1
"""Of a table that nobody runs: the first."""


def render(
    *sources: Source,
    node: Annotated[str, Parameter(show_default=False)] = "",
    how: Reading = AS_USUAL,
) -> int:
    """The nft text that a node would run.

    Parameters
    ----------
    sources
        Files, directories, `-`, `cluster:[CONTEXT]` or `lab:[NAME]`; the last wins.
    node
        The name of the node; may be left out where there is only one.
    how
        How to read them.

    """
    from podfence.compiler import compile as compiled
    from podfence.nft import render as nft

    source = given(sources, how)
    program = compiled(source.snapshot, node=_node(source.snapshot, node))
    sys.stdout.write(str(nft.render(program, nft.Settings(), GENERATION)))
    for note in source.assumptions:
        print(f"note: {printable(note)}", file=sys.stderr)
    return 0


def _node(snapshot: Snapshot, name: str) -> str:
    """A node that is there: rules of one that is not would allow everything."""
    names = sorted({*snapshot.nodes, *(pod.node for pod in snapshot.pods.values())} - {""})
    if not name and len(names) == 1:
        return names[0]
    if name in names:
        return name
    wrong = f"no node is called {name}" if name else "say which --node"
    raise UsageError(wrong + (did_you_mean(name, names) or f"; there are {', '.join(names) or 'none'}"))
