"""Boxes suppressed on the device: a block a choice, one for all classes of a picture behind that."""
from __future__ import annotations

from graphc.exec.cuda.calls.call import Call, blocks
from graphc.exec.cuda.calls.checks import Refusal
from graphc.exec.cuda.code import suppression as code
from graphc.exec.cuda.work import Work
from graphc.kernels.contracts.calls import Status

ROOM = 256 << 20           # bytes for the keys of boxes at once, if one choice does not need more


def _refusal(call: Call) -> int:
    """Where the record of a bad limit stands."""
    refusal = Refusal(call.scratch(8 * Refusal.words), Status.INVALID_VALUE)
    call.checks.append(refusal)
    return refusal.place


def boxes(call: Call) -> list[Work]:
    return _suppress(call, _refusal(call), by_table=False)


def overlaps(call: Call) -> list[Work]:
    return _suppress(call, 0, by_table=True)


def _suppress(call: Call, record: int, by_table: bool) -> list[Work]:
    count, most = call.dims
    keys, seen, factors = call.scratch(8 * count), call.scratch(8 * count), call.scratch(4 * min(count, most))
    return blocks(call, code.suppress(by_table), (1,), *call.operands, keys, seen, factors, record, count, most)


def classes(call: Call) -> list[Work]:
    box, score, limit, least, *out = call.operands
    batch, count, kinds, kind_count, each, most = call.dims
    if not batch:
        return []
    choices, per_class = batch * kind_count, min(each, count)
    at_once = min(max(ROOM // max(8 * count, 1), 1), max(choices, 1))
    picked, kept = call.scratch(4 * choices * per_class), call.scratch(4 * choices * per_class)
    counts, used, keys = call.scratch(8 * choices), call.scratch(8 * choices), call.scratch(8 * at_once * count)
    work: list[Work] = []
    for first in range(0, choices, at_once):
        work += blocks(call, code.suppress_class(), (min(at_once, choices - first),), box, score, limit, least, picked,
                       kept, counts, keys, first, count, kinds, kind_count, per_class)
    return work + blocks(call, code.best_of_classes(bool(call.attrs[0])), (batch,), box, limit, picked, kept, counts,
                         used, _refusal(call), *out, count, kinds, kind_count, per_class, most)
