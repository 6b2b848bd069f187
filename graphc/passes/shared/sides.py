"""On which device the user placed an op, as a number, its side: 0 is the usual one, all that a plan for the CPU has."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from graphc.ir.node import Origin

Sides = Mapping[tuple[str, str], int]              # by name and type of the user's ops that are not on side 0
NO_SIDES: Sides = MappingProxyType({})


def side_of(origins: Sequence[Origin], sides: Sides) -> int:
    """The side on which all of these origins of a node or step are; 0 if they are on several, or there are none."""
    if not sides:
        return 0
    found = {sides.get((o.op_name, o.op_type), 0) for o in origins}
    return found.pop() if len(found) == 1 else 0
