"""Attention in training on a GPU: dropout of the weights, which draws the CPU's numbers, and masks that are trained."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.exec.cuda.calls import attention_in_training
from graphc.exec.cuda.calls.all import CALLS
from graphc.exec.cuda.calls.call import Call, launch
from graphc.exec.cuda.code.dropped import PER_GROUP, dropped
from graphc.exec.cuda.memory import Block
from graphc.exec.library import load_library
from graphc.ir.dtypes import as_dtype
from graphc.kernels.contracts.all import kernel_of
from graphc.ops.random.philox import uniform

from on_both import TYPES, check_close, results

RANDOM = np.random.default_rng(31)
RATE = 0.3


@pytest.fixture
def called(monkeypatch: Any) -> list[str]:
    """Names of the attention kernels that parts are made of."""
    names: list[str] = []

    def noted(name: str, kernel: Callable[..., Any]) -> Callable[..., Any]:
        return lambda call: names.append(name) or kernel(call)

    for name in [name for name in CALLS if name.startswith("attention")]:
        monkeypatch.setitem(CALLS, name, noted(name, CALLS[name]))
    return names


def given(*shapes: tuple[int, ...], dtype: Any = np.float32) -> list[np.ndarray]:
    return [RANDOM.standard_normal(shape).astype(dtype) for shape in shapes]


def attended(x: Any, y: Any, z: Any, bias: Any = None, drop: Callable[[Any], Any] | None = None) -> Any:
    scores = gc.matmul(x, y, transpose_b=True) * 0.5
    weights = gc.nn.softmax(scores if bias is None else scores + bias)
    return gc.matmul(weights if drop is None else drop(weights), z)


def dropout(p: Any) -> Any:
    return gc.nn.dropout(p, rate=RATE, seed=3)


def by_floor(p: Any) -> Any:
    return gc.div(p, 1 - RATE) * gc.floor(1 - RATE + gc.random_uniform(gc.shape(p), seed=5, dtype=p.dtype))


def stateless(p: Any) -> Any:
    return p * gc.cast(gc.random.stateless_uniform(gc.shape(p), seed=[3, 4], dtype=p.dtype) >= RATE, p.dtype)


@pytest.mark.parametrize("at_once", [1 << 28, 1])
@pytest.mark.parametrize(("drop", "dtype", "rows", "cols"), [
    (dropout, gc.float32, 9, 17), (by_floor, gc.float64, 3, 5), (stateless, gc.float32, 65, 31)])
def test_dropout(quick: Any, called: list[str], monkeypatch: Any, drop: Callable[[Any], Any], dtype: Any, rows: int,
                 cols: int, at_once: int) -> None:
    """Forwards and backwards, in the first run and the next, all matrices at once and one by one."""
    monkeypatch.setattr(attention_in_training, "MOST_SCORES", at_once)
    shapes = (2, 3, rows, 8), (2, 3, cols, 8), (2, 3, cols, 5)

    def build() -> Any:
        q, k, v = (gc.placeholder(dtype, shape) for shape in shapes)
        y = attended(q, k, v, drop=drop)
        return [y, *gc.gradients(gc.reduce_sum(y * y), [q, k, v])]

    check_close(build, *given(*shapes, dtype=dtype.as_numpy_dtype), runs=2, tolerance=1e-4)
    assert {"attention_dropped", "attention_general_grad"} <= set(called)


def test_scratch_memory_is_that_of_one_chunk(monkeypatch: Any) -> None:
    monkeypatch.setattr(attention_in_training, "MOST_SCORES", 3 * 32 * 64 * 4)
    taken: list[int] = []
    names = {"attention_dropped.f32": (8, 1), "attention_general_grad.f32": (13, 2)}
    for name, (operands, matrices) in names.items():
        dims, steps = (4, 3, 32, 64, 16, 16, 0, 0, 0), [0] * (0 if matrices == 1 else 3)
        places = [at for shape in ((32, 16), (64, 16), (64, 16), (32, 16))[:3 if matrices == 1 else 4]
                  for at in (0, 3 * shape[0] * shape[1], shape[0] * shape[1], shape[1])]
        contract = kernel_of(name)
        assert contract is not None
        attrs = contract.attr_words([0] * (2 if matrices == 1 else 5) + ([] if matrices == 1 else [1, 0]) + [0.5])
        taken.clear()
        call = Call(("f32",), (256,) * operands, (*dims, *places, *steps), tuple(attrs), load_library(),
                    lambda count: taken.append(count) or 256, lambda stored: 0)
        assert list(CALLS[name.partition(".")[0]](call))
        assert sum(taken) < 1.2 * matrices * 3 * 32 * 64 * 4


@pytest.mark.parametrize("at_once", [1 << 28, 400])
@pytest.mark.parametrize(("shape", "drop"), [((1, 3, 7, 9), None), ((1, 1, 7, 9), dropout), ((2, 1, 1, 9), dropout),
                                             ((1, 1, 1, 9), None), ((1, 3, 1, 9), dropout)])
def test_masks_that_are_trained(quick: Any, called: list[str], monkeypatch: Any, shape: tuple[int, ...], drop: Any,
                                at_once: int) -> None:
    monkeypatch.setattr(attention_in_training, "MOST_SCORES", at_once)

    def build() -> Any:
        q, k, v = (gc.placeholder(gc.float32, [2, 3, rows, 8]) for rows in (7, 9, 9))
        bias = gc.placeholder(gc.float32, shape)
        y = attended(q, k, v, bias, drop)
        return [y, *gc.gradients(gc.reduce_sum(y * y), [q, k, v, bias])]

    check_close(build, *given((2, 3, 7, 8), (2, 3, 9, 8), (2, 3, 9, 8), shape), tolerance=1e-4)
    assert "attention_general_grad" in called


@pytest.mark.parametrize("sizes", [(0, 5), (5, 0), (6, 7)])
def test_rows_and_keys_that_are_not_known_or_none(quick: Any, called: list[str], sizes: tuple[int, int]) -> None:
    rows, cols = sizes

    def build() -> Any:
        q, kv = (gc.placeholder(gc.float32, [2, 3, None, size]) for size in (4, 8))
        k, v = gc.split(kv, 2, axis=-1)
        y = attended(q, k, v, drop=dropout)
        return [y, *gc.gradients(gc.reduce_sum(y * y), [q, kv])]

    check_close(build, *given((2, 3, rows, 4), (2, 3, cols, 8)), tolerance=1e-4)
    assert "attention_dropped" in called


def test_in_a_loop_each_iteration_draws_other_numbers(quick: Any, called: list[str]) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [2, 6, 8])
        return [gc.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, attended(y, y, x, drop=dropout)), [0, x])[1]]

    check_close(build, *given((2, 6, 8)), tolerance=1e-4)
    assert "attention_dropped" in called


def test_layers_that_are_trained(quick: Any, called: list[str]) -> None:
    """Two steps of two layers, whose weights and distances are variables: the second one's numbers are the CPU's."""
    def build() -> Any:
        x = gc.placeholder(gc.float32, [4, 10, 16])
        for layer in range(2):
            w = gc.get_variable(f"w{layer}", [16, 16], initializer=gc.random_uniform_initializer(-0.3, 0.3))
            bias = gc.get_variable(f"b{layer}", [1, 10, 10], initializer=gc.zeros_initializer())
            heads = gc.reshape(gc.matmul(gc.reshape(x, [-1, 16]), w), [4, 10, 16])
            x = x + attended(heads, heads, heads, bias, dropout)
        loss = gc.reduce_mean(gc.square(x))
        step = gc.train.GradientDescentOptimizer(0.1).minimize(loss)
        with gc.control_dependencies([step]):
            return [loss, *(v.read_value() for v in gc.trainable_variables())]

    x = given((4, 10, 16))
    for ours, theirs in zip(results("/gpu:0", build, x, 2), results("/cpu:0", build, x, 2), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    assert called.count("attention_dropped") == called.count("attention_general_grad") >= 2


@pytest.mark.parametrize("dtype", [gc.bfloat16, gc.float16])
def test_of_16_bit_floats_on_tensor_cores(quick_ampere: Any, dtype: Any) -> None:
    """Weights are rounded to 10 bits, not to those of the factors."""
    def build() -> Any:
        q, k, v = (gc.cast(gc.placeholder(gc.float32, [2, 3, 24, 16]), dtype) for _ in range(3))
        plain, dropped = attended(q, k, v), attended(k, q, v, drop=dropout)
        loss = gc.reduce_sum(gc.cast(plain * dropped, gc.float32))
        return [gc.cast(x, gc.float32) for x in (plain, dropped, *gc.gradients(loss, [q, k, v]))]

    check_close(build, *given(*[(2, 3, 24, 16)] * 3), tolerance=3e-2)


@pytest.mark.parametrize(("dtype", "first", "word"), [("f32", 0, 0), ("f32", 7, 6), ("f64", 3, 2)])
def test_the_kernel_alone_draws_what_the_random_op_draws(device: Any, dtype: str, first: int, word: int) -> None:
    kind, count, key, run, iteration = TYPES[dtype], 1030, 2**63 - 5, 3, 2
    x, (draw, drop) = np.ones(count, kind), (np.array([key, run, iteration, word]), np.array([0.2, 0.7, 1.5], kind))
    device.enter()
    block = Block(device, 3 * 8 * 1100)
    places = [block.address, block.address + 8800, block.address + 17600]
    for at, array in zip(places, (x, draw, drop), strict=True):
        device.upload(at, array.ctypes.data, array.nbytes)
    call = Call((dtype,), (), (), (), load_library(), lambda size: 0, lambda stored: 0)
    groups = count // PER_GROUP[dtype] + 2
    for work in launch(call, dropped(dtype), groups, *places, groups, first, count):
        work.prepare(device)
        work.submit(device)
    device.download(x.ctypes.data, places[0], x.nbytes)
    device.wait()
    begin = first + word // (1 if dtype == "f32" else 2)
    drawn = uniform(key, run, iteration, begin + count, as_dtype(kind))[begin:]
    np.testing.assert_array_equal(x, (drawn + kind(0.2) >= kind(0.7)) * kind(1.5))
