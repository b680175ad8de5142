"""Model values as JSON and back, for those who ask a lab: nothing is lost, and nothing but model values can be made.

A compound is a pair [tag, content]; the tag is a class of the model or one of a few containers. Next: `protocol` sends them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from podfence.model import change, cluster, labels, policy, ports
from podfence.model.address import Address, Network, address

_CLASSES: Mapping[str, type] = {
    each.__name__: each
    for each in (
        Network, change.Change, cluster.ContainerPort, cluster.Namespace, cluster.Node, cluster.Owner, cluster.Pod,
        cluster.Service, cluster.ServicePort, cluster.Snapshot, cluster.Template, labels.Requirement, labels.Selector,
        policy.NetworkPeer, policy.Place, policy.PodSelection, policy.Policy, policy.Rule, ports.PortMatch,
        ports.PortRange,
    )
}  # fmt: skip
_FIELDS: Mapping[type, tuple[str, ...]] = {
    each: tuple(f.name for f in fields(each)) if is_dataclass(each) else getattr(each, "_fields", ())
    for each in _CLASSES.values()
}
_ENUMS: Mapping[str, type[Enum]] = {
    each.__name__: each for each in (labels.Operator, policy.Action, policy.Direction, policy.Tier)
}
_KINDS: Mapping[str, type] = {each.__name__: each for each in change.FIELDS}

_READERS: Mapping[str, Callable[[Any], Any]] = {
    "tuple": lambda content: tuple(map(decode, content)),
    "set": lambda content: frozenset(map(decode, content)),
    "map": lambda content: {decode(key): decode(value) for key, value in content},
    "address": address,
    "protocol": ports.Protocol,
    "kind": _KINDS.__getitem__,
}


def encode(value: Any) -> Any:
    """A value made of model classes as plain lists, dictionaries and scalars."""
    match value:
        case Enum():
            return [type(value).__name__, value.name]
        case Address():
            return ["address", str(value)]
        case ports.Protocol():
            return ["protocol", int(value)]
        case None | bool() | int() | str():
            return value
        case type():
            return ["kind", value.__name__]
        case Mapping():
            return ["map", [[encode(key), encode(content)] for key, content in value.items()]]
        case frozenset():
            return ["set", [encode(each) for each in value]]
        case _:
            return _compound(value)


def _compound(value: Any) -> Any:
    if named := _FIELDS.get(type(value)):
        return [type(value).__name__, [encode(getattr(value, name)) for name in named]]
    if isinstance(value, tuple | list):
        return ["tuple", [encode(each) for each in value]]
    raise TypeError(f"{type(value).__name__} is not a value of the model")


def decode(content: Any) -> Any:
    """What `encode` was given; ValueError for anything else."""
    if not isinstance(content, list):
        return content
    if len(content) != 2:
        raise ValueError(f"not a value of the model: {str(content)[:60]}")
    tag, inner = content
    try:
        if tag in _ENUMS:
            return _ENUMS[tag][inner]
        if tag in _READERS:
            return _READERS[tag](inner)
        return _CLASSES[tag](*map(decode, inner))
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"not a value of the model: {str(content)[:60]}") from error
