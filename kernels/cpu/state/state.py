"""state_mark, state_check: the information word of a variable, int64[2] = (initialised, version).

Job: state_mark says that the variable was written; state_check refuses to go on (UNINITIALISED) if it never was.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..words import OK, TILES, UNINITIALISED


def bind(choice):
    choice[TILES] = 1


def mark(info, choice, work, scratch, phase, tile):
    info[0] = 1
    info[1] += 1
    return OK


def check(info, choice, work, scratch, phase, tile):
    return OK if info[0] != 0 else UNINITIALISED


def make_mark(types):
    return Functions(bind, mark)


def make_check(types):
    return Functions(bind, check)
