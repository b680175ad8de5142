"""Where a packet carries what a direction looks at: replies carry everything on the other side.

In the forward hook addresses are those behind the translation of Services, in either direction, so swapping
the fields is exact.
Next: `base.py` and `combinations.py` write each look-up once for both sides.
"""

from podfence.model.policy import Direction
from podfence.nft.statements import End, Family, Side

FAMILIES = {4: Family.IPV4, 6: Family.IPV6}


def subject_end(direction: Direction, side: Side) -> End:
    return End.SOURCE if (direction is Direction.EGRESS) is (side is Side.ORIGINAL) else End.DESTINATION


def peer_end(direction: Direction, side: Side) -> End:
    return End.DESTINATION if subject_end(direction, side) is End.SOURCE else End.SOURCE


def port_end(side: Side) -> End:
    """Of the port that rules name: the destination's."""
    return End.DESTINATION if side is Side.ORIGINAL else End.SOURCE
