"""Attention on the device and its gradient: kernels that never have a matrix of scores in memory (code/attention.py, on
tensor cores code/tensor_attention.py), of which longer rows than a block's threads can add up are cut into parts; or,
where the matrix is not large and there are no tensor cores or few rows, products (attention_by_products.py)."""
from __future__ import annotations

from dataclasses import replace

from graphc.errors import InternalError
from graphc.exec.cuda.calls import attention_by_products as by_products
from graphc.exec.cuda.calls.call import Call, Products, ProgramBuilder, blocks, map_work, size_of
from graphc.exec.cuda.code.attention import attention as kernel_of
from graphc.exec.cuda.code.attention import gradient_of_q, gradients_of_keys
from graphc.exec.cuda.code.attention_tile import SIDE, Shape
from graphc.exec.cuda.code.builder import KernelBuilder
from graphc.exec.cuda.code.ptx import TENSOR_COMPUTE
from graphc.exec.cuda.code.tensor_attention import TensorAttention, tensor_attention
from graphc.exec.cuda.work import Clear, Work

FEW_SCORES = 1 << 30       # bytes, up to which products without tensor cores are the quicker way (docs/adr/0051)
WIDEST, NARROW = 8, 1 << 31            # columns that a thread adds up; elements of a matrix
# Of tensor cores: the longest rows; how long they may be so that a warp's registers hold 32 of them (two bands), and
# how many tiles of that size fill the device; up to how many rows of q products are quicker there, too.
LONGEST, LONGEST_OF_TWO_BANDS, TILES_OF_TWO_BANDS, FEW_ROWS = 128, 64, 512, 16


def attention(call: Call) -> list[Work]:
    """y = softmax(scale * q kT + mask) v of each of outer * inner matrices."""
    return _forward(of_whole_matrices(call), kept=False)


def attention_kept(call: Call) -> list[Work]:
    """The same, and what the gradient is computed from."""
    return _forward(of_whole_matrices(call), kept=True)


def of_whole_matrices(call: Call) -> Call:
    """The same with nine dims, sizes and the mask's steps, and two attributes, masked and scale: a plan of a GPU has
    matrices that are whole (the pass attention_strides is the CPU's) and masks that are added."""
    outer, inner, rows, cols, depth, columns, *others = call.dims
    masked, *inside, scale = call.attrs
    whole = not any(inside) and masked <= 1
    for number, (count, length) in enumerate([(rows, depth), (cols, depth), (cols, columns), (rows, columns)]):
        if places := others[3 + 4 * number:7 + 4 * number]:
            steps = ((outer, inner * count * length), (inner, count * length), (count, length))
            whole &= places[0] == 0 and all(size <= 1 or step == own
                                            for (size, step), own in zip(steps, places[1:], strict=True))
    if not whole:
        raise InternalError("attention on a GPU of matrices that are not whole, or of a mask that is not added: dims "
                            f"{call.dims}, attrs {call.attrs}")
    return replace(call, dims=call.dims[:9], attrs=(masked, scale))


def _forward(call: Call, kept: bool) -> list[Work]:
    outer, inner, rows, cols, depth, columns, *_ = call.dims
    dtype, batch = call.types[0], outer * inner
    if not cols:
        sizes = ((2,) if kept else ()) + (columns,)
        return [Clear(at, batch * rows * length * size_of(dtype))
                for at, length in zip(call.operands[4:], sizes, strict=True)]
    tensors = call.products != Products.FUSED and dtype == "f32" and 0 < depth <= LONGEST and 0 < columns <= LONGEST
    if tensors and not (rows <= FEW_ROWS and _are_few(call)):
        return _on_tensor_cores(call, kept)
    if _are_few(call):
        return by_products.attended(call)
    shape, (q, k, v, *others) = _shape(call, rows, columns), call.operands
    v = v if columns else others[1]            # what lies outside is loaded from an array's first element
    return _launched(call, kernel_of(shape, kept), batch * -(-rows // shape.rows_of_tile), max(columns, int(kept)),
                     shape, (q, k, v, *others))


def attention_gradient(call: Call) -> list[Work]:
    """dq, dk and dv, times dy."""
    call = of_whole_matrices(call)
    q, k, v, y, kept, dy, mask, dq, dk, dv = call.operands
    outer, inner, rows, cols, depth, columns, *_ = call.dims
    dtype, batch = call.types[0], outer * inner
    sums = call.scratch(batch * rows * size_of(dtype))
    work = sums_of_rows(call, batch * rows, columns, y, dy, sums)
    if _are_few(call):
        return work + by_products.gradient(call, sums)
    if not columns:
        v, dy = q, q                           # as in _forward
    if not depth:
        q, k = dy, dy
    shape, given = _shape(call, rows, depth), (q, k, v, dy, kept, sums, mask)
    work += _launched(call, gradient_of_q(shape), batch * -(-rows // shape.rows_of_tile), depth, shape, (*given, dq))
    longest = max(depth, columns)
    shape = _shape(call, cols, longest)
    return work + _launched(call, gradients_of_keys(shape), batch * -(-cols // shape.rows_of_tile), longest, shape,
                            (*given, dk, dv))


def sums_of_rows(call: Call, rows: int, columns: int, y: int, dy: int, sums: int) -> list[Work]:
    """dy * y, added up along each row."""
    dtype = call.types[0]
    b = ProgramBuilder(dtype, dtype)
    program = b.program(b("reduce.add", dtype, b("mul", dtype, 0, 1)))
    return list(map_work(call, program, (rows, columns), 1,
                         [(y, (columns, 1)), (dy, (columns, 1)), (sums, (1, 0))]))


def _are_few(call: Call) -> bool:
    outer, inner, rows, cols, *_ = call.dims
    return outer * inner * rows * cols * size_of(call.types[0]) <= FEW_SCORES


def _shape(call: Call, rows: int, columns: int) -> Shape:
    """For tiles of so many rows, and so many columns to add up."""
    group = 16 // size_of(call.types[0])
    width = min(max(-(-columns // (SIDE * group)), 1) * group, WIDEST)
    _, _, count, cols, depth, length, *_ = call.dims
    return Shape(call.types[0], min(group, _power_of_two(-(-rows // SIDE))), width, bool(call.attrs[0]),
                 max(count, cols) * max(depth, length) < NARROW)


def _launched(call: Call, kernel: KernelBuilder, tiles: int, columns: int, shape: Shape,
              arrays: tuple[int, ...]) -> list[Work]:
    """A block for each tile and part of the columns."""
    if not tiles * columns:
        return []
    _, inner, *sizes = call.dims
    words = (*arrays, *sizes[:4], inner, *sizes[4:], call.attrs[1])
    return blocks(call, kernel, (tiles, -(-columns // shape.part)), *words)


def _on_tensor_cores(call: Call, kept: bool) -> list[Work]:
    outer, inner, rows, cols, depth, columns, *steps = call.dims
    (k, v), longest = call.operands[1:3], max(depth, columns)
    short = longest <= LONGEST_OF_TWO_BANDS
    shape = TensorAttention(-(-depth // 8), -(-columns // 8), 2 if short else 1, 32 if short else 16,
                            bool(call.attrs[0]), kept, not (k % 16 or depth % 4), not (v % 16 or columns % 4))
    tiles = outer * inner * -(-rows // shape.rows_of_tile)
    if not tiles:
        return []
    if tiles < TILES_OF_TWO_BANDS:
        shape = replace(shape, bands=1)
        tiles = outer * inner * -(-rows // shape.rows_of_tile)
    return blocks(call, tensor_attention(shape), (tiles,), *call.operands, rows, cols, depth, columns, inner, *steps,
                  call.attrs[1], compute=TENSOR_COMPUTE)


def _power_of_two(count: int) -> int:
    return 1 << max(count - 1, 0).bit_length()
