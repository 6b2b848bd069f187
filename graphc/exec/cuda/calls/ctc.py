"""Connectionist temporal classification on the device: as many sequences at once as memory is kept for."""
from __future__ import annotations

from dataclasses import replace

from graphc.exec.cuda.calls.call import Call, blocks, checked, launch
from graphc.exec.cuda.calls.indices import refuse_bad
from graphc.exec.cuda.calls.rows import argmax
from graphc.exec.cuda.code.ctc import KNOWN, ctc_loss
from graphc.exec.cuda.code.ctc_greedy import ctc_greedy
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
    work = checked(call, lengths, b, "i32", t + 1)
    work += checked(call, indices, n, "i64", b, step=2)
    work += checked(call, values, n, "i32", c, at_most=c - 1)
    for first in range(0, b, at_once):
        work += blocks(call, ctc_loss(call.types[0]), (min(at_once, b - first),), x, indices, values, lengths, found,
                       gradient, refused, *rooms, first, t, b, c, n, most, *call.attrs)
    return work + refuse_bad(call, refused, refused, "i64", b, "limit", Status.INVALID_VALUE)[0]


def greedy(call: Call) -> list[Work]:
    """The best class of each time, and a thread a sequence that puts them together."""
    (x, lengths, paths, counts, score), (t, b, c), dtype = call.operands, call.dims, call.types[0]
    work, best = checked(call, lengths, b, "i32", t + 1), call.scratch(8 * t * b)
    work += argmax(replace(call, types=(dtype, "i64"), operands=(x, best), dims=(t * b, c, 1)))
    return work + launch(call, ctc_greedy(dtype), b, x, lengths, best, paths, counts, score, b, t, c, *call.attrs)
