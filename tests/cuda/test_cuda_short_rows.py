"""Pooling, softmax and norms that read and write 16-bit floats on a GPU with tensor cores, and maps that read what
others would have been given as float32: the same bits as without, and nothing of their size is float32."""
from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from on_device import run_call

import graphc as gc
from graphc.exec.cuda import frame
from graphc.plan import plan as p

from on_both import EVERYTHING, results

RANDOM = np.random.default_rng(37)
Build = Callable[[], Any]


def bound(monkeypatch: Any, build: Build, *feeds: np.ndarray, runs: int = 1) -> list[tuple[str, tuple[str, ...]]]:
    """Kernels of the parts that are bound, with what their operands are in memory; the results are those without
    narrowing, to the bit."""
    before, found = frame.narrowed, []  # type: Any, list[tuple[str, tuple[str, ...]]]

    def narrowed(plan: p.Plan, part: Any, dims: Any) -> Any:
        plan, part = before(plan, part, dims)
        body = plan.bodies[part.body]
        found.extend((step.kernel, tuple(body.buffers[b].dtype for b in step.operands)) for step in map(
            body.steps.__getitem__, part.steps) if isinstance(step, p.Call))
        return plan, part

    with monkeypatch.context() as patch:
        patch.setattr(frame, "narrowed", narrowed)
        ours = results("/gpu:0", build, feeds, runs)
        patch.setattr(frame, "narrowed", lambda plan, part, dims: (plan, part))
        theirs = results("/gpu:0", build, feeds, runs)
    for x, y in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(np.asarray(x).astype(np.float64), np.asarray(y).astype(np.float64))
    return found


def numbers(*shape: int, dtype: Any = gc.bfloat16, strange: bool = False) -> np.ndarray:
    x = RANDOM.standard_normal(shape)
    if strange:
        x.flat[::17], x.flat[5::29] = np.nan, np.inf
    return x.astype(dtype.as_numpy_dtype)


def fed(*shape: int | None, dtype: Any = gc.bfloat16) -> Any:
    return gc.placeholder(dtype, list(shape))


def with_gradient(y: Any, *xs: Any) -> list[Any]:
    return [y, *gc.gradients(y, xs, gc.sin(y) + gc.constant(0.5, y.dtype))]


@pytest.mark.parametrize("dtype", [gc.bfloat16, gc.float16])
@pytest.mark.parametrize("pool", ["max_pool", "avg_pool"])
def test_pooling(quick_ampere: Any, monkeypatch: Any, pool: str, dtype: Any) -> None:
    def build() -> Any:
        x = fed(None, 7, 9, 3, dtype=dtype)
        return with_gradient(getattr(gc.nn, pool)(gc.nn.relu(x), [1, 3, 2, 1], [1, 2, 2, 1], "SAME"), x)

    kind = "bf16" if dtype == gc.bfloat16 else "f16"
    found = bound(monkeypatch, build, numbers(2, 7, 9, 3, dtype=dtype))
    assert len(found) >= 2 and all(set(kinds) == {kind} for kernel, kinds in found if "pool" in kernel), found


def test_pooling_of_nan_and_infinity(quick_ampere: Any, monkeypatch: Any) -> None:
    def build() -> Any:
        x = fed(None, 7, 9, 3)
        return [gc.cast(one(x, [1, 2, 2, 1], [1, 1, 1, 1], "SAME"), gc.float32)
                for one in (gc.nn.max_pool, gc.nn.avg_pool)]

    bound(monkeypatch, build, numbers(1, 7, 9, 3, strange=True))


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("cols", [1, 17, 65, *([9001] if EVERYTHING else [])])
def test_softmax(quick_ampere: Any, monkeypatch: Any, name: str, cols: int) -> None:
    def build() -> Any:
        x = fed(None, cols)
        return with_gradient(getattr(gc.nn, name)(x * gc.constant(2.0, gc.bfloat16)), x)

    found = bound(monkeypatch, build, numbers(3, cols))
    assert all(set(kinds) == {"bf16"} for kernel, kinds in found if "softmax" in kernel), found
    bound(monkeypatch, build, numbers(5, cols, strange=True))


def test_long_rows_of_softmax(quick_ampere: Any, monkeypatch: Any) -> None:
    from graphc.exec.cuda.calls import rows
    monkeypatch.setattr(rows, "LARGEST_SHARE", 0)
    for name in ("softmax", "log_softmax"):
        test_softmax(quick_ampere, monkeypatch, name, 40)


def check_kernel(device: Any, name: str, given: Sequence[np.ndarray], short: Sequence[int], result: int, dims: Any,
                 attrs: Any = (), dtype: Any = gc.bfloat16) -> None:
    """Of operands `short` and the result, which are 16-bit floats in memory: the bits of float32 ones, rounded. given:
    all operands, results at the end, by their shapes."""
    kind, short_type = ("bf16" if dtype == gc.bfloat16 else "f16"), dtype.as_numpy_dtype
    made = [x.astype(short_type).astype(np.float32) if i in short else x for i, x in enumerate(given)]
    wanted = run_call(device, f"{name}.f32", made[:result], made[result:], dims, attrs).outputs
    stored = [kind if i in short or i == result else "f32" for i in range(len(given))]
    ready = [x.astype(short_type) if kind != "f32" else x for x, kind in zip(made, stored, strict=True)]
    found = run_call(device, f"{name}.f32", ready[:result], ready[result:], dims, attrs, stored=stored).outputs
    wanted[0] = wanted[0].astype(short_type)
    for ours, theirs in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(ours.view(np.uint8), theirs.view(np.uint8))


def real(*shape: int) -> np.ndarray:
    return RANDOM.standard_normal(shape).astype(np.float32)


EPSILON = struct.unpack("<q", struct.pack("<d", 1e-5))[0]


@pytest.mark.parametrize("flags", [(1, 1, 1, 1), (0, 0, 0, 0), (1, 0, 1, 0), (0, 1, 0, 1)])
def test_kernels_of_norms(quick_ampere: Any, flags: tuple[int, ...]) -> None:
    """As saved plans have them. flags: centred, scaled, and shifted or added, summed."""
    rows, groups, params = 17, 2, 33
    whole, centred, scaled, added, summed = (rows, groups * params), *flags
    x, y = real(*whole), real(*whole)
    scale, shift = real(scaled * params), real(added * params)
    check_kernel(quick_ampere, "layer_norm", [x, scale, shift, y], [0], 3, (rows, groups, params),
                 (centred, scaled, added, EPSILON))
    addend = real(added * rows, groups * params)
    sums = [real(params) for _ in range(3)]
    check_kernel(quick_ampere, "layer_norm_grad", [real(*whole), x, scale, addend, y, *sums], [0, 1], 4,
                 (rows, groups, params), (centred, scaled, added, summed, EPSILON), dtype=gc.float16)


@pytest.mark.parametrize("cols", [1, 31, 300])
@pytest.mark.parametrize("name", ["softmax_grad", "log_softmax_grad"])
def test_kernels_of_gradients(quick_ampere: Any, name: str, cols: int) -> None:
    check_kernel(quick_ampere, name, [real(5, cols) for _ in range(3)], [0, 1], 2, (5, cols))


def test_a_residual_block_in_training_has_no_float32_pictures(quick_ampere: Any, monkeypatch: Any) -> None:
    """But those that the norm itself needs: convolutions and pools read and write 16 bits."""
    def build() -> Any:
        def variable(name: str, *shape: int) -> Any:
            return gc.get_variable(name, shape, initializer=gc.random_uniform_initializer(-0.2, 0.2))

        def convolved(x: Any, name: str, c: int) -> Any:
            w = gc.cast(variable(name, 3, 3, int(x.shape[3]), c), gc.bfloat16)
            y = gc.nn.conv2d(x, w, [1, 1, 1, 1], "SAME")
            return gc.nn.fused_batch_norm(y, variable(name + "s", c), variable(name + "o", c), is_training=True)[0]

        x = gc.cast(fed(None, 8, 8, 16, dtype=gc.float32), gc.bfloat16)
        a = gc.nn.max_pool(gc.nn.relu(convolved(x, "a", 32)), [1, 3, 3, 1], [1, 2, 2, 1], "SAME")
        b = gc.reduce_mean(gc.nn.relu(convolved(a, "b", 32) + a), [1, 2])
        loss = gc.reduce_mean(gc.square(gc.cast(b, gc.float32) - 1.0))
        step = gc.train.MomentumOptimizer(0.1, 0.9).minimize(loss)
        with gc.control_dependencies([step]):
            return [gc.identity(loss)]

    found = bound(monkeypatch, build, numbers(3, 8, 8, 16, dtype=gc.float32), runs=3)
    kernels = [kinds for kernel, kinds in found if "conv2d" in kernel or "pool" in kernel]
    assert len(kernels) >= 7 and all(set(kinds) == {"bf16"} for kinds in kernels), found
