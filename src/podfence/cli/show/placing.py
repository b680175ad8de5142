"""Where the boxes of namespaces stand on the map. The same names give the same picture, whatever policies say.

A few stand around an ellipse, so that lines between them cross free ground; many stand in a grid, where the page
draws only the lines of the box that is looked at. Next: `pairs`.
"""

from __future__ import annotations

from math import ceil, cos, pi, sin, sqrt
from typing import NamedTuple

WIDTH, HEIGHT = 190, 64
RING = 14
"""More boxes than this are a grid."""

_GAP_X, _GAP_Y, _MARGIN = 70, 56, 40


class Spot(NamedTuple):
    """The upper left corner of a box."""

    x: int
    y: int


class Plan(NamedTuple):
    """`ring`: lines may all be drawn."""

    width: int
    height: int
    spots: tuple[Spot, ...]
    ring: bool


def placed(amount: int) -> Plan:
    """As many boxes, in their order."""
    return _around(amount) if amount <= RING else _in_rows(amount)


def _around(amount: int) -> Plan:
    """From the top, clockwise; as wide as neighbours need."""
    across = max(260, amount * 52)
    down = max(150, amount * 34)
    turns = [2 * pi * n / max(amount, 1) for n in range(amount)]
    spots = (
        Spot(_MARGIN + round(across * (1 + sin(t))), _MARGIN + round(down * (1 - cos(t)))) for t in turns
    )
    return Plan(2 * (_MARGIN + across) + WIDTH, 2 * (_MARGIN + down) + HEIGHT, tuple(spots), ring=True)


def _in_rows(amount: int) -> Plan:
    columns = ceil(sqrt(amount * 0.9))
    step_x, step_y = WIDTH + _GAP_X, HEIGHT + _GAP_Y
    spots = (Spot(_MARGIN + n % columns * step_x, _MARGIN + n // columns * step_y) for n in range(amount))
    width = 2 * _MARGIN + columns * step_x - _GAP_X
    height = 2 * _MARGIN + ceil(amount / columns) * step_y - _GAP_Y
    return Plan(width, height, tuple(spots), ring=False)
