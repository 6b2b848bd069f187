"""sizes: dims of a Plan become elements of an integer tensor, out[start + i] = d_i for i < count: a shape as a value.

Up to eight a call; a longer list takes several calls with different starts.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..words import OK, TILES


def make(types):
    def bind(d0, d1, d2, d3, d4, d5, d6, d7, start, count, choice):
        choice[TILES] = 1

    def run(out, d0, d1, d2, d3, d4, d5, d6, d7, start, count, choice, work, scratch, phase, tile):
        for i in range(count):
            value = d0
            if i == 1:
                value = d1
            elif i == 2:
                value = d2
            elif i == 3:
                value = d3
            elif i == 4:
                value = d4
            elif i == 5:
                value = d5
            elif i == 6:
                value = d6
            elif i == 7:
                value = d7
            out[start + i] = value
        return OK
    return Functions(bind, run)
