"""Every kernel stays inside the extents that it declares, by random sizes with many zeros; and a wrong declaration
would show."""
from __future__ import annotations

import dataclasses
import faulthandler
import os
import random
import signal
from collections.abc import Callable

import numpy as np
import pytest
from declared import random_sizes, value_of
from guarded import GuardedKernel, Memory

from graphc.kernels.contracts.all import KERNELS
from graphc.kernels.contracts.calls import Status
from graphc.kernels.contracts.kernel import Kernel
from graphc.kernels.toolchain.testing import load_primitives

from kernel_harness import NUMPY, load

TRIES = 25
NO_NUMPY = {"handle": np.int64, "f16": np.float16, "c64": np.complex64}
ONES = {f"s{i}": 1 for i in range(7)}
# A kernel, sizes under which it touches the last element of every operand, and the operands for which that is so.
TIGHT = [
    ("copy", "copy.f32", {"elements": 37}, "x y"),
    ("softmax", "softmax.f64", {"rows": 3, "cols": 5}, "x y"),
    ("log_softmax", "log_softmax.f32", {"rows": 3, "cols": 5}, "x y"),
    ("softmax_cross_entropy", "softmax_cross_entropy.f32", {"rows": 3, "cols": 4}, "logits labels loss backprop"),
    ("argmax", "argmax.f32.i64", {"outer": 2, "n": 7, "inner": 3}, "x out"),
    ("cumsum", "cumsum.f32", {"outer": 2, "n": 7, "inner": 3}, "x y"),
    ("cumprod_complex", "cumprod_complex.f64", {"outer": 2, "n": 7, "inner": 3}, "x y"),
    ("gather", "gather.f32.i32", {"outer": 2, "axis": 1, "inner": 3, "count": 4}, "params indices out"),
    ("scatter_add", "scatter_add.f32.i32", {"outer": 2, "axis": 1, "inner": 3, "count": 4}, "updates indices out"),
    ("scatter_nd", "scatter_nd.f32", {"batch": 2, "count": 4, "inner": 3, "depth": 1, **ONES},
     "indices updates table"),
    ("checked_indices", "checked_indices.i64", {"count": 9, "depth": 1, **ONES}, "indices y"),
    ("sum_equal", "sum_equal.f32", {"n": 4, "inner": 3}, "rows first out"),
    ("first_equal", "first_equal.i64", {"n": 9}, "x first"),
    ("top_k", "top_k.f32", {"rows": 2, "n": 7, "k": 7}, "x values indices"),
    ("in_top_k", "in_top_k.i32", {"rows": 2, "classes": 5, "k": 9}, "predictions targets out"),
    ("unique", "unique.f32.i32", {"n": 9}, "x places first count"),
    ("bincount", "bincount.f32", {"count": 5, "weighted": 5, "size": 3}, "values weights bins"),
    ("search_sorted", "search_sorted.f32.i32", {"rows": 2, "n": 1, "count": 3}, "row values out"),
    ("segment", "segment.f32.i32", {"n": 3, "inner": 2, "rows": 2}, "data ids out"),
    ("segment_count", "segment_count.i64", {"n": 3}, "ids count"),
    ("nonzero", "nonzero", {"n": 9, "count": 9}, "mask out"),
    ("crop_boxes", "crop_boxes.f32",
     {"batch": 1, "rows": 1, "columns": 1, "depth": 3, "boxes": 2, "high": 2, "wide": 3}, "image box index out"),
    ("crop_boxes_image_grad", "crop_boxes_image_grad.f64",
     {"batch": 1, "rows": 1, "columns": 1, "depth": 3, "boxes": 2, "high": 2, "wide": 3}, "grads box index out"),
    ("crop_boxes_box_grad", "crop_boxes_box_grad.u8",
     {"batch": 1, "rows": 1, "columns": 1, "depth": 3, "boxes": 2, "high": 2, "wide": 3}, "grads image box index out"),
    ("draw_boxes", "draw_boxes",
     {"batch": 2, "rows": 1, "columns": 1, "depth": 3, "boxes": 2, "colors": 2, "channels": 3}, "image box color out"),
    ("suppress_boxes", "suppress_boxes", {"boxes": 3, "most": 4}, "score out count"),
    ("matmul", "matmul.f32", {"batch": 2, "m": 3, "n": 17, "k": 5, "a_batch": 15, "b_batch": 85}, "a b c"),
    ("matmul", "matmul.f64", {"batch": 1, "m": 70, "n": 65, "k": 33, "transpose_b": 1}, "a b c"),
    ("conv2d", "conv2d.f32", {"n": 2, "h": 5, "w": 6, "c": 3, "kh": 3, "kw": 2, "oc": 5, "oh": 3, "ow": 5}, "x w y"),
    ("conv2d_input_grad", "conv2d_input_grad.f32",
     {"n": 2, "h": 5, "w": 6, "c": 3, "kh": 3, "kw": 2, "oc": 5, "oh": 3, "ow": 5}, "dy w dx"),
    ("conv2d_filter_grad", "conv2d_filter_grad.f32",
     {"n": 2, "h": 5, "w": 6, "c": 3, "kh": 3, "kw": 2, "oc": 5, "oh": 3, "ow": 5}, "x dy dw"),
    ("max_pool", "max_pool.f32", {"n": 2, "h": 4, "w": 4, "c": 3, "kh": 2, "kw": 2, "oh": 3, "ow": 3}, "x y"),
    ("avg_pool", "avg_pool.f32", {"n": 2, "h": 4, "w": 4, "c": 3, "kh": 2, "kw": 2, "oh": 3, "ow": 3}, "x y"),
    ("row_order", "row_order", {"n": 9, "depth": 2}, "rows order"),
    ("row_groups", "row_groups", {"n": 9, "depth": 2, "width": 2}, "order group count"),
    ("find_rows", "find_rows", {"n": 9, "m": 1, "depth": 2}, "rows table place"),
    ("sparse_matmul", "sparse_matmul.f32", {"n": 4, "m": 1, "k": 1, "p": 3}, "indices values b out"),
    ("edit_distance", "edit_distance", {"h": 3, "t": 4, "groups": 1}, "found found_group truth truth_group out"),
    ("state_mark", "state_mark", {}, "info"),
    ("sizes", "sizes.i32", {"start": 3, "count": 8}, "out"),
]


def dtype_of(kernel: Kernel, full: str, dtype: str) -> str:
    types = dict(zip(dict.fromkeys(name for t in kernel.types for name in t), full.split(".")[1:], strict=True))
    return types.get(dtype, dtype)


def operands(kernel: Kernel, full: str, names: dict[str, int], rng: np.random.Generator) -> list[np.ndarray]:
    """Small numbers, so that most indices are inside."""
    made = []
    for operand in kernel.operands:
        name = dtype_of(kernel, full, operand.dtype)
        dtype = NO_NUMPY.get(name) or NUMPY[name]
        high = 2 if name == "bool" else 4
        made.append(rng.integers(0, high, value_of(operand.extent, names)).astype(dtype))
    return made


def call(kernel: GuardedKernel, names: dict[str, int], arrays: list[np.ndarray], persistent: bool) -> int:
    declared = kernel.declared
    packable = next((i for i, o in enumerate(declared.operands) if o.packable), 1)
    return kernel(*arrays, dims=[names[d] for d in declared.dims], attrs=[names[a] for a in declared.attrs],
                  persistent=persistent and any(o.packable for o in declared.operands), packable=packable)


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_kernels_stay_inside_their_extents(name: str) -> None:
    kernels, rng = load(name), random.Random(name)
    ran = 0
    for number in range(2 * TRIES):
        full = rng.choice(sorted(kernels))
        names = random_sizes(kernels[full].declared, rng, 0, most=1 << 14)
        if names is None:
            continue
        arrays = operands(kernels[full].declared, full, names, np.random.default_rng(number))
        assert call(kernels[full], names, arrays, bool(number % 2)) in set(map(int, Status))
        ran += 1
    assert ran >= TRIES, ran


def death_of(action: Callable[[], object]) -> int:
    """Status of a fork that does the action: the negative number of the signal that ended it, or 0."""
    child = os.fork()
    if child == 0:
        faulthandler.disable()
        action()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize(("name", "full", "sizes", "tight"), TIGHT, ids=[f"{t[1]}-{i}" for i, t in enumerate(TIGHT)])
def test_a_wrong_declaration_shows(name: str, full: str, sizes: dict[str, int], tight: str) -> None:
    """Declared with one element less, each operand is touched behind what it declares."""
    kernel = load(name)[full]
    names = {n: sizes.get(n, 1 if "stride" in n or "dilation" in n else 0)
             for n in (*kernel.declared.dims, *kernel.declared.attrs)}
    assert all(value_of(r, names) for r in kernel.declared.relations), names
    arrays = [np.ones_like(a) if a.dtype == np.bool_ else np.zeros_like(a)
              for a in operands(kernel.declared, full, names, np.random.default_rng(0))]
    for persistent in (False, True):
        assert death_of(lambda p=persistent: call(kernel, names, arrays, p)) == 0
    for wrong in tight.split():
        short = tuple(dataclasses.replace(o, extent=f"{o.extent} - 1") if o.name == wrong else o
                      for o in kernel.declared.operands)
        lying = GuardedKernel(dataclasses.replace(kernel.declared, operands=short), kernel.loaded)
        for persistent in (False, True):
            assert death_of(lambda k=lying, p=persistent: call(k, names, arrays, p)) == -signal.SIGSEGV, wrong


def test_the_pages_are_there() -> None:
    for at_end in (False, True):
        block = Memory(at_end).block(100)
        assert death_of(lambda b=block: b.fill(1)) == 0
        outside = np.lib.stride_tricks.as_strided(block[99:] if at_end else block[:1], (2,), (1 if at_end else -1,))
        assert death_of(lambda o=outside: o[1].item()) == -signal.SIGSEGV
        memory = Memory(at_end)
        fixed = memory.block(100)
        memory.forbid_writing(fixed)
        assert death_of(lambda b=fixed: b.fill(1)) == -signal.SIGSEGV


@pytest.mark.parametrize("at_end", [False, True])
def test_primitives_stay_inside_their_tiles(at_end: bool) -> None:
    sizes = {name: np.dtype(dtype).itemsize for name, dtype in NUMPY.items()}
    for name, function in load_primitives().items():
        kinds = [sizes[part] for part in name.split(".") if part in sizes]
        for count in (1, 3, 16, 65, 257):
            memory = Memory(at_end)
            if name.startswith("reduce."):
                blocks = [memory.block(kinds[0], 0), memory.block(kinds[0] * count, 0)]
            else:
                # The first dtype is the result's, the second the first argument's; a select's condition is a bool.
                argument = 1 if name.startswith("select.") else kinds[-1]
                blocks = [memory.block(kinds[0] * count, 0), memory.block(argument * count, 0)]
                blocks += [memory.block(max(kinds) * count, 0) for _ in range(3)]
            if name.startswith("reduce."):
                function(*(b.ctypes.data for b in blocks), 0, 0, 0, count)
                blocks = [memory.block(kinds[0] * count, 0) for _ in range(5)]
            function(*(b.ctypes.data for b in blocks), count)
            memory.free()
