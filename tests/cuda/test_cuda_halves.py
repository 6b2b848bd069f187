"""16-bit floats that stay 16 bits on a GPU with tensor cores: which products read and write them as such, that nothing
else changes, and what keeps a product from it."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import graphc as gc
from graphc.exec.cuda import frame
from graphc.plan import plan as p

from on_both import EVERYTHING, check_close, results

RANDOM = np.random.default_rng(29)
BF16 = np.dtype(ml_dtypes.bfloat16)
WIDE = ("f32", "f32", "f32")
Build = Callable[[], Any]


def exact(*shape: int, dtype: Any = BF16) -> np.ndarray:
    """Numbers whose sums of products float32 has, in any order."""
    return (RANDOM.integers(-8, 9, shape) / 8).astype(dtype)


@contextmanager
def products(monkeypatch: Any, leave: bool = False) -> Iterator[list[tuple[str, ...]]]:
    """What the products of each part that is bound have in memory: a, b, c. leave: as if there were no narrowing."""
    found: list[tuple[str, ...]] = []

    def narrowed(plan: p.Plan, part: Any, dims: Any) -> Any:
        plan, part = (plan, part) if leave else kept(plan, part, dims)
        body = plan.bodies[part.body]
        found.extend(tuple(body.buffers[b].dtype for b in step.operands) for step in map(
            body.steps.__getitem__, part.steps) if isinstance(step, p.Call) and step.kernel == "matmul.f32")
        return plan, part

    kept = frame.narrowed
    with monkeypatch.context() as patch:
        patch.setattr(frame, "narrowed", narrowed)
        yield found


def check_same_bits(monkeypatch: Any, build: Build, *feeds: np.ndarray, runs: int = 1) -> list[tuple[str, ...]]:
    """The results are those without narrowing, to the bit; what its products have in memory."""
    with products(monkeypatch) as found:
        ours = results("/gpu:0", build, feeds, runs)
    with products(monkeypatch, leave=True):
        theirs = results("/gpu:0", build, feeds, runs)
    for x, y in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(np.asarray(x).astype(np.float64), np.asarray(y).astype(np.float64))
    return found


def fed(*shape: int | None, dtype: Any = gc.bfloat16) -> Any:
    return gc.placeholder(dtype, list(shape))


def trained() -> Any:
    """A step of two layers whose variables are float32, as mixed training has it."""
    x = fed(None, 24)
    first, second = (gc.get_variable(name, shape, initializer=gc.random_uniform_initializer(-0.5, 0.5))
                     for name, shape in (("first", [24, 40]), ("second", [40, 16])))
    bias = gc.get_variable("bias", [40], initializer=gc.zeros_initializer())
    hidden = gc.nn.relu(gc.matmul(x, gc.cast(first, gc.bfloat16)) + gc.cast(bias, gc.bfloat16))
    y = gc.matmul(hidden, gc.cast(second, gc.bfloat16))
    loss = gc.reduce_mean(gc.square(gc.cast(y, gc.float32) - 1.0))
    step = gc.train.GradientDescentOptimizer(0.5).minimize(loss)
    with gc.control_dependencies([step]):
        return [loss, first.read_value(), second.read_value(), bias.read_value()]


def test_all_products_of_a_training_step_read_and_write_16_bits(quick_ampere: Any, monkeypatch: Any) -> None:
    x = exact(48, 24)
    with products(monkeypatch) as found:
        ours = results("/gpu:0", trained, [x], runs=2)
    assert set(found) == {("bf16", "bf16", "bf16")} and len(found) == 5
    for one, other in zip(ours, results("/cpu:0", trained, [x], runs=2), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-2, atol=2e-2)


@pytest.mark.parametrize("dtype", [gc.bfloat16, gc.float16])
def test_results_keep_their_bits(ampere: Any, monkeypatch: Any, dtype: Any) -> None:
    """Behind and in front of other ops: a factor that several read, batches, transposes, sums where a result goes. One
    that is fetched as float32 is read so."""
    def build() -> Any:
        x, w = fed(None, 32, dtype=dtype), fed(32, 24, dtype=dtype)
        y = gc.matmul(x, w)
        z = gc.matmul(gc.nn.relu(y - 1.0), gc.transpose(w))
        both = gc.concat([x, z], 0)
        batches = gc.matmul(gc.reshape(both, [2, -1, 32]), gc.tile(gc.expand_dims(w, 0), [2, 1, 1]))
        return [gc.cast(one, gc.float32) for one in (y, z, batches, gc.matmul(y, y, transpose_a=True))]

    kind = "bf16" if dtype == gc.bfloat16 else "f16"
    x, w = (exact(*shape, dtype=dtype.as_numpy_dtype) for shape in ((40, 32), (32, 24)))
    found = check_same_bits(monkeypatch, build, x, w, runs=2)
    assert found == [(kind, kind, kind)] * 3 + [WIDE]


def test_float32_sums_of_16_bit_factors_stay_float32(ampere: Any, monkeypatch: Any) -> None:
    def build() -> Any:
        x, y = (gc.cast(fed(None, None), gc.float32) for _ in range(2))
        return [gc.matmul(x, y, transpose_b=True) * 3.0]

    assert check_same_bits(monkeypatch, build, exact(16, 40), exact(31, 40)) == [("bf16", "bf16", "f32")]


def test_a_long_product_in_parts(ampere: Any, monkeypatch: Any) -> None:
    def build() -> Any:
        return [gc.cast(gc.matmul(fed(None, None), fed(None, None)), gc.float32)]

    assert check_same_bits(monkeypatch, build, exact(16, 1024), exact(1024, 16)) == [("bf16", "bf16", "bf16")]


@pytest.mark.parametrize(("m", "k", "n"), [(1, 32, 32), (17, 33, 24), (15, 32, 16), (16, 16, 17), (0, 16, 16)])
def test_sizes_that_cannot_be_copied_16_bytes_at_a_time(ampere: Any, monkeypatch: Any, m: int, k: int, n: int) -> None:
    def build() -> Any:
        return [gc.cast(gc.matmul(fed(None, None), fed(None, None)), gc.float32)]

    assert check_same_bits(monkeypatch, build, exact(m, k), exact(k, n)) == [WIDE]


def test_a_factor_that_something_else_reads_as_float32(ampere: Any, monkeypatch: Any) -> None:
    """A widened value that is computed, of which another kernel needs float32: nothing can be stored in its place."""
    def build() -> Any:
        x = gc.cast(gc.cast(fed(None, 16, dtype=gc.float32) * 2.0, gc.bfloat16), gc.float32)
        return [gc.matmul(x, x), gc.cumsum(x, axis=1)]

    assert check_same_bits(monkeypatch, build, exact(16, 16, dtype=np.float32)) == [WIDE]


def test_types_that_differ(ampere: Any, monkeypatch: Any) -> None:
    def build() -> Any:
        x, y = fed(16, 16), fed(16, 16, dtype=gc.float16)
        return [gc.matmul(gc.cast(x, gc.float32), gc.cast(y, gc.float32))]

    assert check_same_bits(monkeypatch, build, exact(16, 16), exact(16, 16, dtype=np.float16)) == [WIDE]


@pytest.mark.parametrize("change", [gc.assign, gc.assign_add])
def test_a_variable_that_changes_before_the_product(quick_ampere: Any, change: Callable[..., Any]) -> None:
    """What was read before the assignment counts, though it lies where the new value does."""
    def build() -> Any:
        v = gc.Variable(gc.ones([16, 16], gc.bfloat16))
        before = gc.cast(v.read_value(), gc.float32)
        with gc.control_dependencies([before]):
            changed = change(v, fed(16, 16))
        with gc.control_dependencies([changed]):
            return [gc.matmul(before, before), gc.cast(gc.matmul(v.read_value(), v.read_value()), gc.float32)]

    x = exact(16, 16)
    for before, after in (results("/gpu:0", build, [x]), results("/cpu:0", build, [x])):
        np.testing.assert_array_equal(before, np.full((16, 16), 16.0))
        y = x.astype(np.float32) + (change is gc.assign_add)
        np.testing.assert_array_equal(after, (y @ y).astype(BF16))


def test_in_loops_and_branches_of_sizes_that_the_data_tell(quick_ampere: Any, monkeypatch: Any) -> None:
    def build() -> Any:
        x, w = fed(None, 16), fed(16, 16)
        kept = gc.boolean_mask(x, gc.reduce_sum(gc.cast(x, gc.float32), 1) > -1e9)

        def step(i: Any, y: Any) -> Any:
            return i + 1, gc.tanh(gc.matmul(y, w)) * gc.constant(0.5, gc.bfloat16)

        y = gc.while_loop(lambda i, y: i < 3, step, [0, kept])[1]
        z = gc.cond(gc.reduce_sum(gc.cast(y, gc.float32)) > 0, lambda: gc.matmul(y, w), lambda: gc.matmul(w, w))
        return [gc.cast(y, gc.float32), gc.cast(z, gc.float32)]

    with products(monkeypatch) as found:
        check_close(build, exact(24, 16), exact(16, 16), tolerance=2e-2)
    assert ("bf16", "bf16", "bf16") in found


def test_the_arena_is_smaller(quick_ampere: Any, monkeypatch: Any) -> None:
    """Of a deep net's step: values that are kept for the gradient take half."""
    def deep() -> Any:
        x = fed(None, 64)
        for number in range(4):
            w = gc.get_variable(f"w{number}", [64, 64], initializer=gc.random_uniform_initializer(-0.2, 0.2))
            x = gc.nn.relu(gc.matmul(x, gc.cast(w, gc.bfloat16)))
        loss = gc.reduce_mean(gc.square(gc.cast(x, gc.float32)))
        return [gc.train.GradientDescentOptimizer(0.1).minimize(loss)]

    taken: list[int] = []
    block = frame.Block
    monkeypatch.setattr(frame, "Block", lambda device, count, **how: taken.append(count) or block(device, count, **how))
    used = []
    for leave in (False, True):
        with products(monkeypatch, leave):
            taken.clear()
            results("/gpu:0", deep, [exact(128, 64)])
        used.append(sum(taken))
    assert used[0] < 0.65 * used[1]


STEPS: list[Callable[[Any, Any], Any]] = [
    lambda a, b: gc.sign(gc.matmul(a, b)),
    lambda a, b: gc.nn.relu(a) - gc.sign(b),
    lambda a, b: gc.transpose(gc.sign(a)),
    lambda a, b: gc.cast(gc.sign(gc.matmul(a, gc.sign(b))), gc.bfloat16),
    lambda a, b: gc.sign(gc.concat([a[:8], b[8:]], 0)),
    lambda a, b: gc.sign(gc.cumsum(gc.sign(a), axis=1)),
    lambda a, b: gc.reshape(gc.nn.max_pool(gc.reshape(a, [1, -1, 16, 1]), [1, 1, 3, 1], [1] * 4, "SAME"), [-1, 16]),
    lambda a, b: gc.sign(gc.nn.softmax(a) - gc.constant(0.0625, gc.bfloat16)),
    lambda a, b: a - gc.cast(gc.sign(gc.reduce_sum(gc.cast(b, gc.float32), 0)), gc.bfloat16),
    lambda a, b: gc.reshape(gc.nn.conv2d(gc.reshape(gc.sign(a), [1, -1, 1, 16]),
                                         gc.reshape(gc.sign(b[:16]), [1, 1, 16, 16]),
                                         [1] * 4, "SAME"), [-1, 16]),
    lambda a, b: gc.cast(gc.sign(gc.matmul(gc.cast(a, gc.float32), gc.cast(gc.sign(b), gc.float32))), gc.bfloat16)]


@pytest.mark.parametrize("seed", range(24 if EVERYTHING else 4))
def test_random_programs_keep_their_bits(quick_ampere: Any, monkeypatch: Any, seed: int) -> None:
    """Of ops that are exact, in any order, on values that are used again: what is read and overwritten where."""
    def build() -> Any:
        draw = np.random.default_rng(seed)
        values = [fed(None, 16), fed(16, 16), fed(16, 16)]
        for _ in range(10):
            a, b = (values[i] for i in draw.integers(0, len(values), 2))
            values.append(STEPS[draw.integers(len(STEPS))](a, b))
        return [gc.cast(value, gc.float32) for value in values[3:]]

    check_same_bits(monkeypatch, build, *(exact(16, 16) for _ in range(3)))
