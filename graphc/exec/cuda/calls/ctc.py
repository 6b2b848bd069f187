"""Connectionist temporal classification on the device: as many sequences at once as memory is kept for."""
from __future__ import annotations

from graphc.exec.cuda.calls.call import Call, ProgramBuilder, blocks, map_work
from graphc.exec.cuda.calls.checks import Range
from graphc.exec.cuda.calls.indices import refuse_bad
from graphc.exec.cuda.code.ctc import KNOWN, ctc_loss
from graphc.exec.cuda.work import Work
from graphc.kernels.contracts.calls import Status

ROOM = 256 << 20           # bytes for what sequences need at once, if one does not need more


def loss(call: Call) -> list[Work]:
    (x, indices, values, lengths, found, gradient), (t, b, c, n) = call.operands, call.dims
    if not b:
        return []
    most = min(t, n)
    states = 2 * most + 1
    rows = (most + KNOWN, t, t * states, 2 * states, states)       # labels, sums, forward, lines, counts: 8 bytes each
    at_once = min(max(ROOM // (8 * sum(rows)), 1), b)
    rooms = [call.scratch(8 * count * at_once) for count in rows]
    refused = call.scratch(8 * b)
    work = _in_range(call, lengths, "i32", b, 1, t + 1)
    work += _in_range(call, indices, "i64", n, 2, b)
    work += _in_range(call, values, "i32", n, 1, c, at_most=c - 1)
    for first in range(0, b, at_once):
        work += blocks(call, ctc_loss(call.types[0]), (min(at_once, b - first),), x, indices, values, lengths, found,
                       gradient, refused, *rooms, first, t, b, c, n, most, *call.attrs)
    return work + refuse_bad(call, refused, refused, "i64", b, "limit", Status.INVALID_VALUE)[0]


def _in_range(call: Call, numbers: int, dtype: str, count: int, step: int, size: int,
              at_most: int | None = None) -> list[Work]:
    """What has those that are not in [0, size) reported; larger ones count as at_most."""
    if not count:
        return []
    place = call.scratch(16)
    call.checks.append(Range(place, size))
    b = ProgramBuilder(dtype)
    wide = 0 if dtype == "i64" else b("cast", "i64", 0)
    if at_most is not None:
        wide = b("min", "i64", wide, b("const", "i64", value=max(at_most, 0)))
    program = b.program(b("reduce.min", "i64", wide), b("reduce.max", "i64", wide))
    return list(map_work(call, program, (count,), 1, [(numbers, (step,)), (place, (0,)), (place + 8, (0,))]))
