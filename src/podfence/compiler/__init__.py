"""Snapshot → Program, whole or a change at a time. `semantics` says what it must mean; tests hold them equal."""

from __future__ import annotations

from podfence.compiler.incremental import Compiler
from podfence.model.change import between
from podfence.model.cluster import Snapshot
from podfence.program import Program


def compile(snapshot: Snapshot, node: str | None = None) -> Program:  # noqa: A001  precedent: re.compile
    """The program of one node, or of all nodes together."""
    compiler = Compiler(node)
    compiler.apply(between(Snapshot(), snapshot))
    return compiler.program


__all__ = ["Compiler", "compile"]
