"""Parts of pictures cut out on the device, and the gradients of that."""
from __future__ import annotations

from graphc.exec.cuda.calls.call import Call, checked, launch, size_of
from graphc.exec.cuda.calls.indices import combine
from graphc.exec.cuda.calls.scans import NARROW
from graphc.exec.cuda.code import boxes as code
from graphc.exec.cuda.code.groups import Combination
from graphc.exec.cuda.work import Clear, Work


def _elements(call: Call) -> tuple[int, int, bool]:
    """(elements of the pictures, of the crops, whether positions are narrow)."""
    batch, rows, columns, depth, boxes, high, wide = call.dims
    pictures, crops = batch * rows * columns * depth, boxes * high * wide * depth
    return pictures, crops, max(pictures, 4 * crops) < NARROW


def crop(call: Call) -> list[Work]:
    image, box, index, outside, out = call.operands
    pictures, crops, narrow = _elements(call)
    work = checked(call, index, call.dims[4], "i32", call.dims[0])
    if not pictures:
        return work
    kernel = code.crop(call.types[0], bool(call.attrs[0]), narrow)
    return work + launch(call, kernel, crops, image, box, index, outside, out, crops, *call.dims)


def image_gradient(call: Call) -> list[Work]:
    """Each pixel adds what crops give to it in the order of boxes and of their pixels."""
    (grads, box, index, out), dtype, nearest = call.operands, call.types[0], bool(call.attrs[0])
    pictures, crops, narrow = _elements(call)
    batch, rows, columns, depth, boxes, high, wide = call.dims
    work = [*checked(call, index, boxes, "i32", batch), Clear(out, pictures * size_of(dtype))]
    if not pictures * crops:
        return work
    entries = boxes * high * wide * (1 if nearest else 4)
    keys, data = call.scratch(8 * entries), call.scratch(entries * depth * size_of(dtype))
    work += launch(call, code.shares(dtype, nearest, narrow), crops, grads, box, index, keys, data, crops, *call.dims)
    c = Combination("add", dtype, "i64", narrow=narrow)
    return work + combine(call, c, keys, data, out, 1, entries, depth, batch * rows * columns)


def box_gradient(call: Call) -> list[Work]:
    grads, image, box, index, out = call.operands
    pictures, _, _ = _elements(call)
    boxes = call.dims[4]
    work = checked(call, index, boxes, "i32", call.dims[0])
    if not pictures:
        return [*work, Clear(out, 16 * boxes)]
    return work + launch(call, code.box_gradient(call.types[0]), boxes, grads, image, box, index, out, *call.dims)
