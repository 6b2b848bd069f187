"""in_top_k: whether the target's prediction is among the k greatest of its row.

Job: predictions[rows, classes], targets[rows] -> out[rows]. Ties with the k-th count as in; a target that is no class,
or a row that holds a NaN or an infinity where it is looked at, gives false, as in TensorFlow.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..memory import address, offset, pointer_to
from ..words import OK, TILES, USER

TILE = 16384                           # predictions of a tile, about
bytes_at = pointer_to("u8")           # a bool is one byte, 0 or 1


def make(types):
    def bind(rows, classes, k, choice):
        per_tile = max(TILE // max(classes, 1), 1)
        choice[USER] = per_tile
        choice[TILES] = (rows + per_tile - 1) // per_tile

    def run(predictions, targets, out, rows, classes, k, choice, work, scratch, phase, tile):
        flags = bytes_at(address(out))
        first = tile * choice[USER]
        for number in range(first, min(first + choice[USER], rows)):
            row, target = offset(predictions, number * classes), targets[number]
            inside = target >= 0 and target < classes
            greater = 0
            if inside:
                wanted = row[target]
                inside = wanted - wanted == 0
                for i in range(classes):
                    value = row[i]
                    if not inside or greater > k:
                        break
                    if value - value != 0:
                        inside = False
                    elif value > wanted:
                        greater += 1
            flags[number] = 1 if inside and greater < k else 0
        return OK
    return Functions(bind, run)
