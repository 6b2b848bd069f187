"""Attention on the device: one kernel (code/attention.py, on tensor cores code/tensor_attention.py), or the products,
sums and softmax that it stands for, with a matrix of all scores in memory: of rows of v that are longer than the
kernel's threads can have, and without tensor cores where the matrix is not large."""
from __future__ import annotations

import struct
from dataclasses import replace

from graphc.exec.cuda.calls.call import Call, Products, ProgramBuilder, blocks, map_work, size_of
from graphc.exec.cuda.calls.products import Factors, product
from graphc.exec.cuda.calls.rows import softmax
from graphc.exec.cuda.code.attention import SIDE, Attention
from graphc.exec.cuda.code.attention import attention as kernel_of
from graphc.exec.cuda.code.ptx import TENSOR_COMPUTE
from graphc.exec.cuda.code.tensor_attention import TensorAttention, tensor_attention
from graphc.exec.cuda.work import Clear, Work

MOST_COLUMNS = 128
FEW_SCORES = 1 << 30           # bytes, up to which products without tensor cores are the quicker way (docs/adr/0051)
# Of tensor cores: how long rows may be so that a warp's registers hold 32 of them, and below how many one has 16.
MOST_OF_TWO_BANDS, ROWS_OF_ONE_BAND = 64, 128


def attention(call: Call) -> list[Work]:
    """y = softmax(scale * q kT + mask) v of each of outer * inner matrices."""
    outer, inner, rows, cols, depth, columns, *steps = call.dims
    dtype, batch = call.types[0], outer * inner
    if not batch * rows * columns:
        return []
    if not cols:
        return [Clear(call.operands[4], batch * rows * columns * size_of(dtype))]
    if columns > MOST_COLUMNS:
        return _composed(call)
    if call.products == Products.ROUNDED and dtype == "f32" and 0 < depth <= MOST_COLUMNS:
        return _on_tensor_cores(call)
    if batch * rows * cols * size_of(dtype) <= FEW_SCORES:
        return _composed(call)
    group = 16 // size_of(dtype)
    width = -(-columns // (SIDE * group)) * group
    height = min(group, _power_of_two(-(-rows // SIDE)))
    shape = Attention(dtype, height, width, bool(call.attrs[0]))
    return blocks(call, kernel_of(shape), (batch * -(-rows // shape.rows_of_tile),), *call.operands, rows, cols, depth,
                  columns, inner, *steps, call.attrs[1])


def _on_tensor_cores(call: Call) -> list[Work]:
    outer, inner, rows, cols, depth, columns, *steps = call.dims
    (k, v), longest = call.operands[1:3], max(depth, columns)
    bands = 2 if longest <= MOST_OF_TWO_BANDS and rows > ROWS_OF_ONE_BAND else 1
    shape = TensorAttention(-(-depth // 8), -(-columns // 8), bands, 32 if longest <= MOST_OF_TWO_BANDS else 16,
                            bool(call.attrs[0]), not (k % 16 or depth % 4), not (v % 16 or columns % 4))
    return blocks(call, tensor_attention(shape), (outer * inner * -(-rows // shape.rows_of_tile),), *call.operands,
                  rows, cols, depth, columns, inner, *steps, call.attrs[1], compute=TENSOR_COMPUTE)


def _power_of_two(count: int) -> int:
    return 1 << max(count - 1, 0).bit_length()


def _composed(call: Call) -> list[Work]:
    (q, k, v, mask, y), dtype, (masked, scale_bits) = call.operands, call.types[0], call.attrs
    outer, inner, rows, cols, depth, columns, *steps = call.dims
    batch, factor = outer * inner, struct.unpack("<d", struct.pack("<q", scale_bits))[0]
    scores = call.scratch(batch * rows * cols * size_of(dtype))
    work = product(call, Factors(dtype, batch, rows, cols, depth, rows * depth, cols * depth, False, True), q, k,
                   scores)
    b = ProgramBuilder(dtype, *([dtype] if masked else []))
    made = b("mul", dtype, 0, b("const", dtype, value=factor))
    made = b("add", dtype, made, 1) if masked else made
    places = [(scores, (inner * rows * cols, rows * cols, cols, 1)), *([(mask, (*steps, 1))] if masked else []),
              (scores, (inner * rows * cols, rows * cols, cols, 1))]
    work += map_work(call, b.program(made), (outer, inner, rows, cols), 0, places)
    work += softmax(replace(call, operands=(scores, scores), dims=(batch * rows, cols), attrs=()))
    return work + product(call, Factors(dtype, batch, rows, columns, cols, rows * cols, cols * columns), scores, v, y)
