"""A combination as chains: port → stages → peer, and a denial that is counted, limited and logged for it alone.

    e_NAME      replies goto re_NAME; ports vmap @p_NAME; then the stages of all other ports
    e_NAME_1    replies goto re_NAME_1; peer in @m_GROUP: return; ...; goto d_NAME
    d_NAME      counter; limit, log; drop

To return is to be allowed: the base chain goes on. Whatever isolates ends in `d_NAME`. `i` instead of `e` is
ingress, an `r` before it the same for replies, with the fields swapped; all names end in the tag of the
settings. All of it is named by the definition and never changes, so a new definition can be prepared beside the old one before anything points at it.
Next: `tables.py` collects what is made here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from podfence.model.policy import Action, Direction
from podfence.nft.keys import Key, KeyType, service_key
from podfence.nft.render import denials, groups
from podfence.nft.render.ends import peer_end, port_end
from podfence.nft.render.settings import Settings
from podfence.nft.statements import (
    CtDirection,
    PortMap,
    Rule,
    ServiceMap,
    Side,
    Verdict,
)
from podfence.nft.table import Chain, Set
from podfence.nft.verdicts import RETURN, goto
from podfence.program import Combination, Entry, PortClass, Stages

LETTERS = {Direction.EGRESS: "e", Direction.INGRESS: "i"}
EXPANDED = 256
"""The widest range written port by port: one more hash look-up is cheaper than a tree, until memory is not."""


def entrance(direction: Direction, combination: str, settings: Settings) -> str:
    """The chain that packets of a subject jump to."""
    return f"{LETTERS[direction]}_{combination}_{settings.tag}"


def sets(combination: Combination, settings: Settings) -> Iterator[Set]:
    return _Written(combination, settings).sets()


def chains(combination: Combination, settings: Settings) -> Iterator[Chain]:
    yield denials.chain(combination, settings)
    yield from _Written(combination, settings).chains()


@dataclass(frozen=True)
class _Written:
    """`numbered` are the stages that need a chain of their own, in the order of their numbers."""

    combination: Combination
    settings: Settings
    numbered: dict[Stages, int] = field(init=False)

    def __post_init__(self) -> None:
        needed = (each for found in self.combination.classes for each in _with_passes(found.stages))
        others = (each for each in _with_passes(self.combination.rest) if each is not self.combination.rest)
        distinct = dict.fromkeys(each for each in (*needed, *others) if self._outcome(each) is None)
        object.__setattr__(self, "numbered", {stages: n for n, stages in enumerate(distinct, 1)})

    @property
    def deny(self) -> Verdict:
        return goto(denials.chain_name(self.combination.name, self.settings))

    def _chain(self, side: Side, number: int = 0) -> str:
        name = entrance(self.combination.direction, self.combination.name, self.settings)
        return ("r" if side is Side.REPLY else "") + name + (f"_{number}" if number else "")

    def chains(self) -> Iterator[Chain]:
        for side in reversed(Side):
            yield self._stages_chain(side, 0, self.combination.rest)
            for stages, number in self.numbered.items():
                yield self._stages_chain(side, number, stages)

    def _stages_chain(self, side: Side, number: int, stages: Stages) -> Chain:
        swap: Rule = (CtDirection(Side.REPLY), goto(self._chain(Side.REPLY, number)))
        first = (swap,) if side is Side.ORIGINAL else ()
        ports = tuple(self._port_rules(side)) if not number else ()
        return Chain(self._chain(side, number), (*first, *ports, *self._stage_rules(stages, side)))

    def _port_rules(self, side: Side) -> Iterator[Rule]:
        if self._narrow():
            yield (ServiceMap(port_end(side), self._ports_name()),)
        for protocol in self._wide():
            yield (PortMap(protocol, port_end(side), self._ports_name(protocol)),)

    def _stage_rules(self, stages: Stages, side: Side) -> Iterator[Rule]:
        """Falling off the end is to be allowed: no tier had anything against it."""
        end = peer_end(self.combination.direction, side)
        for at, stage in enumerate(stages):
            for entry in stage.entries:
                verdict = self._verdict(entry, stages[at + 1 :])
                yield from ((*match, verdict) for match in groups.matches(entry.group, end))
                if entry.group.anyone:
                    return
            if stage.isolates:
                yield (self.deny,)
                return

    def _verdict(self, entry: Entry, later: Stages) -> Verdict:
        match entry.action:
            case Action.ACCEPT:
                return RETURN
            case Action.DENY:
                return self.deny
            case _:
                return self._target(later)

    def _target(self, stages: Stages) -> Verdict:
        return self._outcome(stages) or goto(self._chain(Side.ORIGINAL, self.numbered[stages]))

    def _outcome(self, stages: Stages) -> Verdict | None:
        """What happens whoever the peer is; None where it depends."""
        for at, stage in enumerate(stages):
            if stage.entries and not stage.entries[0].group.anyone:
                return None
            if stage.entries and stage.entries[0].action is Action.PASS:
                return self._outcome(stages[at + 1 :])
            if stage.entries:
                return RETURN if stage.entries[0].action is Action.ACCEPT else self.deny
            if stage.isolates:
                return self.deny
        return RETURN

    def sets(self) -> Iterator[Set]:
        if narrow := self._narrow():
            types = (KeyType.PROTOCOL, KeyType.PORT)
            yield Set(self._ports_name(), types, narrow, verdicts=True)
        for protocol, wide in self._wide().items():
            name = self._ports_name(protocol)
            yield Set(name, (KeyType.PORT,), wide, interval=True, verdicts=True)

    def _ports_name(self, protocol: int | None = None) -> str:
        name = f"p_{self.combination.name}_{self.settings.tag}"
        return name if protocol is None else f"{name}_{protocol}"

    def _narrow(self) -> dict[Key, Verdict]:
        return {
            service_key(found.protocol, port): self._target(found.stages)
            for found in self.combination.classes
            if not _is_wide(found)
            for port in range(found.ports.first, found.ports.last + 1)
        }

    def _wide(self) -> dict[int, dict[Key, Verdict]]:
        maps: dict[int, dict[Key, Verdict]] = {}
        for found in filter(_is_wide, self.combination.classes):
            key = found.ports.first.to_bytes(2, "big"), found.ports.last.to_bytes(2, "big")
            maps.setdefault(int(found.protocol), {})[key] = self._target(found.stages)
        return maps


def _is_wide(found: PortClass) -> bool:
    return found.ports.last - found.ports.first >= EXPANDED


def _with_passes(stages: Stages) -> Iterator[Stages]:
    """These stages, and what is left of them behind each that may be passed over."""
    yield stages
    for at, stage in enumerate(stages):
        if any(entry.action is Action.PASS for entry in stage.entries):
            yield stages[at + 1 :]
