"""Which generation a table may use: none that a connection still carries from another life.

Marks outlive the table that set them, and an idle connection keeps its mark for days. So our bits are cleared
when a table is made and when the numbers begin again; in between they only rise, and none is met twice.
Next: `enforcement.py` asks for the first and the next.
"""

from podfence.netlink import conntrack
from podfence.nft.render import Settings
from podfence.nft.statements import SetCtMark
from podfence.nft.table import Table


def current(table: Table, settings: Settings) -> int | None:
    """What the table stamps now; None where it stamps nothing, or other bits than ours."""
    stamps = _stamps(table)
    if len(stamps) != 1:
        return None
    (stamp,) = stamps
    return settings.generation_of(stamp.value) or None if stamp.mask == settings.mark else None


def first(settings: Settings, replaced: Table | None) -> int:
    """For a table that is made anew. What an older one goes on stamping until the switch is not used."""
    conntrack.clear_marks(settings.mark)
    stamped = _stamps(replaced) if replaced else set()
    found = {stamp.value for stamp in stamped} | conntrack.marks_in_use(settings.mark)
    taken = {mark & settings.mark for mark in found}
    everything = range(1, settings.last_generation + 1)
    return next(each for each in everything if settings.marked(each) not in taken)


def following(settings: Settings, generation: int) -> int:
    """The next one. Where the numbers begin again, every connection is judged once more."""
    after = settings.after(generation)
    if after < generation:
        conntrack.clear_marks(settings.mark)
    return after


def _stamps(table: Table) -> set[SetCtMark]:
    statements = (each for chain in table.chains.values() for rule in chain.rules for each in rule)
    return {each for each in statements if isinstance(each, SetCtMark)}
