"""Glimpses of pictures, and boxes drawn on them, on the device."""
from __future__ import annotations

from graphc.exec.cuda.calls.call import Call, launch
from graphc.exec.cuda.calls.scans import NARROW
from graphc.exec.cuda.code import drawn as code
from graphc.exec.cuda.work import Work


def glimpse(call: Call) -> list[Work]:
    (image, place, out), (batch, rows, columns, depth, high, wide) = call.operands, call.dims
    centered, normalized = map(bool, call.attrs)
    elements = batch * high * wide * depth
    narrow = max(elements, batch * rows * columns * depth) < NARROW
    return launch(call, code.glimpse(centered, normalized, narrow), elements, image, place, out, elements, rows,
                  columns, depth, high, wide)


def boxes(call: Call) -> list[Work]:
    batch, rows, columns, depth, *_ = call.dims
    elements = batch * rows * columns * depth
    return launch(call, code.boxes(elements < NARROW), elements, *call.operands, elements, *call.dims[1:])
