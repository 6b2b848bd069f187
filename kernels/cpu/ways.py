"""Which of several ways a kernel takes: the one that was asked for (Choice.WAY), else the one its own model says.

bind asks for each way in turn, those first that are better where they can be; a way that cannot be for the sizes is
asked about with other conditions beside, so to ask for it changes nothing.
"""
from __future__ import annotations

from .memory import helper
from .words import WAY


@helper
def takes(choice, way, best):
    """Whether to take a way that can be taken. best: what the model of costs says."""
    return choice[WAY] == way + 1 or (choice[WAY] == 0 and best)
