"""Types of arguments that the commands of a lab share."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from cyclopts import Parameter

Name = Annotated[str | None, Parameter(name="--name")]
Namespace = Annotated[str, Parameter(name=("--namespace", "-n"))]
Files = Annotated[
    tuple[str, ...],
    Parameter(
        name=("--filename", "-f"), negative_iterable=(), allow_leading_hyphen=True, consume_multiple=False
    ),
]
Output = Annotated[Literal["text", "json"], Parameter(name=("--output", "-o"))]
Words = Annotated[tuple[str, ...], Parameter(negative_iterable=())]
Flag = Annotated[bool, Parameter(negative="")]
All = Annotated[bool, Parameter(name="--all", negative="")]
Everywhere = Annotated[bool, Parameter(name=("--all-namespaces", "-A"), negative="")]


def ask(name: str | None, command: str, **request: Any) -> dict[str, Any]:
    """The answer of the lab of that name."""
    from podfence.lab.client import Client

    return Client(name).ask(command, **request)
