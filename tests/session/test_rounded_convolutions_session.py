"""Convolutions whose operands are rounded to bfloat16, in whole programs: the documented error, threads, training,
loops, unknown batches, C++. On a machine without AMX convolutions stay float32, which the same bound holds of."""
from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

import graphc as gc
from graphc.exec.bfloat16 import machine_bfloat16
from graphc.kernels.contracts.bfloat16 import TILES

from files import build_runner

ON = gc.ConfigProto()
ON.graph_options.rewrite_options.auto_mixed_precision_onednn_bfloat16 = 1
needs_tiles = pytest.mark.skipif(machine_bfloat16() < TILES,
                                 reason="this machine has no AMX, or does not let processes use it")


def values(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def exact(operation: object, feeds: dict) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """What float64 gives, and the same of the operands' magnitudes, by functions of float64 placeholders."""
    results = []
    for change in (lambda a: a, np.abs):
        session = gc.Session()
        results.append(session.run(operation, {x: change(a.astype(np.float64)) for x, a in feeds.items()}))
    return results[0], results[1]


def within(found: np.ndarray, wanted: np.ndarray, magnitudes: np.ndarray, products: int) -> bool:
    """What docs/adr/0096 promises."""
    return bool((abs(found - wanted) <= (2.0 ** -7 + 2.0 ** -16 + products * 2.0 ** -22) * magnitudes + 1e-30).all())


@pytest.mark.parametrize(("kernel", "stride", "padding", "dilation"), [
    (3, 1, "SAME", 1), (3, 2, "SAME", 1), (1, 1, "VALID", 1), (1, 2, "SAME", 1), (5, 1, "VALID", 1), (3, 1, "SAME", 2)])
def test_the_error_forward_and_backward_is_what_is_documented(kernel: int, stride: int, padding: str,
                                                              dilation: int) -> None:
    """A result and both gradients, for batches that the graph does not know."""
    def build(dtype: gc.DType) -> tuple[list[gc.Tensor], list[gc.Tensor]]:
        x = gc.placeholder(dtype, [None, 19, 23, 33])
        w = gc.placeholder(dtype, [kernel, kernel, 33, 48])
        y = gc.nn.conv2d(x, w, stride, padding, dilations=dilation)
        g = gc.placeholder(dtype, y.shape)
        return [x, w, g], [y, *gc.gradients(y, [x, w], g)]

    fed, made = build(gc.float32)
    wide, exactly = build(gc.float64)
    session = gc.Session(config=ON)
    for batch in (1, 3, 0, 2):
        feeds = [values(batch, 19, 23, 33, seed=batch), values(kernel, kernel, 33, 48, seed=9)]
        height, width = (int(size) for size in made[0].shape[1:3])
        feeds.append(values(batch, height, width, 48, seed=7))
        found = session.run(made, dict(zip(fed, feeds, strict=True)))
        wanted, magnitudes = exact(exactly, dict(zip(wide, feeds, strict=True)))
        products = (kernel ** 2 * 33, kernel ** 2 * 48, batch * height * width)
        for result, value, size, count in zip(found, wanted, magnitudes, products, strict=True):
            assert within(result, value, size, count)


def network(x: gc.Tensor) -> gc.Tensor:
    """With epilogues: bias and relu, relu6, a residual, strides, and a first layer of 3 channels."""
    x = gc.nn.relu(gc.nn.conv2d(x, values(7, 7, 3, 64, seed=1) / 12, 2, "SAME") + values(64, seed=2))
    y = gc.nn.relu6(gc.nn.conv2d(x, values(1, 1, 64, 48, seed=3) / 8, 1, "SAME") + values(48, seed=4))
    y = gc.nn.conv2d(y, values(3, 3, 48, 64, seed=5) / 20, 1, "SAME") + values(64, seed=6)
    x = gc.nn.relu(x + y)
    return gc.reduce_mean(gc.nn.conv2d(x, values(3, 3, 64, 70, seed=7) / 24, 2, "VALID"), [1, 2], name="y")


@needs_tiles
def test_threads_and_cpp_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x = gc.placeholder(gc.float32, [None, 37, 41, 3], name="x")
    y = network(x)
    (tmp_path / "y.pb").write_bytes(gc.freeze(gc.Session(), [y]).SerializeToString())
    for batch in (1, 4):
        fed, results = values(batch, 37, 41, 3, seed=batch), []
        for threads in (1, 2, 5):
            config = gc.ConfigProto(intra_op_parallelism_threads=threads)
            config.MergeFrom(ON)
            results.append(gc.Session(config=config).run(y, {x: fed}))
        monkeypatch.setenv("GRAPHC_WEIGHTS", "bfloat16")
        np.save(tmp_path / "x.npy", fed)
        subprocess.run([build_runner() / "graphc-run", "y.pb", "--feed", "x=x.npy", "--out", "y.npy"], cwd=tmp_path,
                       check=True)
        monkeypatch.delenv("GRAPHC_WEIGHTS")
        for other in (*results[1:], np.load(tmp_path / "y.npy")):
            np.testing.assert_array_equal(results[0], other)
        plain = gc.Session().run(y, {x: fed})
        assert not np.array_equal(results[0], plain)
        np.testing.assert_allclose(results[0], plain, atol=0.05)


@needs_tiles
def test_in_loops_and_branches_and_training() -> None:
    w = gc.Variable(values(3, 3, 32, 32) / 17)
    x = gc.placeholder(gc.float32, [None, 16, 16, 32])

    def body(i: gc.Tensor, y: gc.Tensor) -> list[gc.Tensor]:
        return [i + 1, gc.cond(i < 2, lambda: gc.nn.relu(gc.nn.conv2d(y, w, 1, "SAME")), lambda: gc.tanh(y))]

    y = gc.while_loop(lambda i, y: i < 3, body, [0, x])[1]
    gradient = gc.gradients(gc.reduce_sum(y * y), w)[0]
    fed, results = {x: values(2, 16, 16, 32, seed=1)}, []
    for config in (ON, None):
        session = gc.Session(config=config)
        session.run(gc.global_variables_initializer())
        results.append(session.run([y, gradient], fed))
    for found, plain in zip(*results, strict=True):
        assert not np.array_equal(found, plain)
        assert np.linalg.norm(found - plain) < 0.02 * np.linalg.norm(plain)
