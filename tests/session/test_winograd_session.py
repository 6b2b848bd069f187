"""Winograd's convolutions in whole programs: when they run, what switches them off, threads, loops, training."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc
from graphc.kernels.cpu.convolution.conv_tiles import WINOGRAD

WAY = f"variant {WINOGRAD}"
TAPS = pytest.mark.parametrize("taps", [3, 5])
EXCESS = {3: 1, 5: 6}                  # how much greater errors may be with so many taps


def kernels(session: gc.Session, fetch: gc.Tensor, feeds: dict) -> list[str]:
    """What ran, one line a call of a convolution."""
    told = gc.RunMetadata()
    session.run(fetch, feeds, gc.RunOptions(trace_level=gc.RunOptions.FULL_TRACE), told)
    return [line for line in told.kernels if "conv2d" in line and "variant" in line]


def direct(monkeypatch: pytest.MonkeyPatch) -> gc.Session:
    monkeypatch.setenv("GRAPHC_WINOGRAD", "0")
    return gc.Session()


def values(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
@pytest.mark.parametrize("size", [31, 32])
@TAPS
def test_with_bias_relu_and_residual(taps: int, data_format: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of unknown sizes, twice in a row, behind and in front of other ops."""
    x = gc.placeholder(gc.float32, [None, None, None, 40] if data_format == "NHWC" else [None, 40, None, None])
    y = x * 2.0
    for number in range(2):
        w = gc.constant(values(taps, taps, 40, 40, seed=number) / 20 * 3 / taps)
        y = gc.nn.conv2d(y, w, 1, "SAME", data_format=data_format)
        y = gc.nn.relu(gc.nn.bias_add(y, gc.constant(values(40, seed=9)), data_format=data_format)) + x
    session = gc.Session()
    fed = {x: values(3, size, size, 40) if data_format == "NHWC" else values(3, 40, size, size)}
    ran = kernels(session, y, fed)
    assert len(ran) == 2 and all(WAY in line for line in ran)
    found = session.run(y, fed)
    np.testing.assert_array_equal(found, session.run(y, fed))
    plain = direct(monkeypatch)
    assert not any(WAY in line for line in kernels(plain, y, fed))
    np.testing.assert_allclose(found, plain.run(y, fed), rtol=1e-5, atol=3e-5 * EXCESS[taps])


@TAPS
def test_threads_do_not_matter(taps: int) -> None:
    x, dy = gc.placeholder(gc.float32, [None, 30, 30, 48]), gc.placeholder(gc.float32, [None, 30, 30, 65])
    w = gc.constant(values(taps, taps, 48, 65))
    y = gc.nn.relu(gc.nn.conv2d(x, w, 1, "SAME"))
    fetches = [y, *gc.gradients(y, [x, w], dy)]
    for batch in (1, 9):
        fed = {x: values(batch, 30, 30, 48), dy: values(batch, 30, 30, 65, seed=1)}
        results = [gc.Session(config=gc.ConfigProto(intra_op_parallelism_threads=threads)).run(fetches, fed)
                   for threads in (1, 2, 5)]
        for other in results[1:]:
            for a, b in zip(results[0], other, strict=True):
                np.testing.assert_array_equal(a, b)


@TAPS
def test_gradients_of_first_and_second_order(taps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x, w = gc.constant(values(2, 20, 22, 32)), gc.constant(values(taps, taps, 32, 48, seed=1) / 16 * 3 / taps)
    y = gc.tanh(gc.nn.conv2d(x, w, 1, "SAME"))
    first = gc.gradients(y, [x, w], gc.constant(values(2, 20, 22, 48, seed=2)))
    second = gc.gradients(gc.reduce_sum(first[0] * first[0]), [x, w])
    session = gc.Session()
    assert any("input_grad" in line and WAY in line for line in kernels(session, second[0], {}))
    found = session.run([*first, *second])
    for a, b in zip(found, direct(monkeypatch).run([*first, *second]), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5 * EXCESS[taps] * np.abs(b).max())


@TAPS
def test_in_loops_and_branches(taps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The filter changes in each iteration, so it is never packed beforehand."""
    start, w = (gc.placeholder(gc.float32, [None, 25, 25, 32]),
                gc.constant(values(taps, taps, 32, 32) / 17 * 3 / taps))

    def body(i: gc.Tensor, y: gc.Tensor, f: gc.Tensor) -> list[gc.Tensor]:
        z = gc.cond(i < 2, lambda: gc.nn.conv2d(y, f, 1, "SAME"), lambda: gc.nn.relu(gc.nn.conv2d(y, w, 1, "SAME")))
        return [i + 1, z, f * 0.9]

    y = gc.while_loop(lambda i, y, f: i < 4, body, [0, start, w])[1]
    fed, session = {start: values(4, 25, 25, 32)}, gc.Session()
    assert sum(WAY in line for line in kernels(session, y, fed)) == 4
    np.testing.assert_allclose(session.run(y, fed), direct(monkeypatch).run(y, fed), rtol=1e-5,
                               atol=1e-5 * EXCESS[taps])


@TAPS
def test_a_trained_filter_is_read_anew(taps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x = gc.constant(values(4, 24, 24, 32))
    w = gc.Variable(values(taps, taps, 32, 32, seed=1) / 17 * 3 / taps)
    loss = gc.reduce_mean(gc.square(gc.nn.conv2d(gc.nn.conv2d(x, w, 1, "SAME"), w, 1, "VALID") - 1.0))
    train = gc.train.GradientDescentOptimizer(0.2).minimize(loss)

    def losses(session: gc.Session) -> list[float]:
        session.run(gc.global_variables_initializer())
        return [session.run([loss, train])[0] for _ in range(6)] + [session.run(loss)]

    found = losses(gc.Session())
    assert found[-1] < found[0]
    np.testing.assert_allclose(found, losses(direct(monkeypatch)), rtol=1e-4 * EXCESS[taps])
