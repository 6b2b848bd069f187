"""Products whose operands are rounded to bfloat16, in whole programs: the documented error, threads, training, loops,
16-bit graphs, a process that may not use AMX. On a machine without such instructions only constants are rounded."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from refuse_tiles import UNSUPPORTED

import graphc as gc
from graphc.exec.bfloat16 import machine_bfloat16, wanted_bfloat16
from graphc.kernels.contracts.bfloat16 import DOTS, NOTHING, WEIGHTS

from files import build_runner

ON = gc.ConfigProto()
ON.graph_options.rewrite_options.auto_mixed_precision_onednn_bfloat16 = 1
REFUSING = Path(__file__).parent.parent / "refuse_tiles.py"
rounds_both = pytest.mark.skipif(machine_bfloat16() < DOTS, reason="this machine has no instructions for bfloat16, or "
                                                                   "does not let processes use them")


def values(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def check_error(found: np.ndarray, left: np.ndarray, right: np.ndarray) -> None:
    """What docs/adr/0095 promises."""
    left, right = left.astype(np.float64), right.astype(np.float64)
    bound = (2.0 ** -7 + 2.0 ** -16 + left.shape[-1] * 2.0 ** -22) * (abs(left) @ abs(right))
    assert (abs(found - left @ right) <= bound).all()


@pytest.mark.parametrize("size", [(128, 96, 160), (65, 130, 100), (1, 64, 64), (300, 33, 31), (0, 40, 64), (64, 64, 0)],
                         ids=str)
def test_the_error_is_what_is_documented(size: tuple[int, int, int]) -> None:
    """Constants, variables and what is fed, right and left, transposed, in one graph."""
    m, n, k = size
    a, b = values(m, k, seed=1), values(k, n, seed=2)
    x, y = gc.placeholder(gc.float32, [None, k]), gc.placeholder(gc.float32, [k, None])
    w = gc.Variable(b)
    made = [gc.matmul(x, b), gc.matmul(x, w), gc.matmul(x, y), gc.matmul(gc.transpose(x), y, transpose_a=True),
            gc.matmul(x, gc.transpose(y), transpose_b=True), gc.einsum("ik,kj->ij", x, y),
            gc.matmul(gc.stack([x, x]), gc.stack([y, y]))[1]]
    session = gc.Session(config=ON)
    session.run(gc.global_variables_initializer())
    for found in session.run(made, {x: a, y: b}):
        check_error(found, a, b)


@rounds_both
def test_both_operands_are_rounded_and_threads_do_not_matter() -> None:
    x, w = gc.placeholder(gc.float32, [None, 300]), gc.constant(values(300, 513))
    y = gc.nn.relu(gc.matmul(x, w) + gc.constant(values(513, seed=4)))
    for rows in (9, 65, 700):
        fed, results = {x: values(rows, 300, seed=rows)}, []
        for threads in (1, 2, 5):
            config = gc.ConfigProto(intra_op_parallelism_threads=threads)
            config.MergeFrom(ON)
            results.append(gc.Session(config=config).run(y, fed))
        for other in results[1:]:
            np.testing.assert_array_equal(results[0], other)
        assert not np.array_equal(results[0], gc.Session().run(y, fed))


@rounds_both
def test_training_is_rounded_forward_and_backward() -> None:
    """The loss and both gradients of a layer are the products of rounded operands."""
    x, w = gc.placeholder(gc.float32, [None, 160]), gc.Variable(values(160, 96, seed=1))
    g = gc.placeholder(gc.float32, [None, 96])
    y = gc.matmul(x, w)
    dx, dw = gc.gradients(y, [x, w], g)
    step = w.assign_sub(0.5 * dw)
    session = gc.Session(config=ON)
    session.run(gc.global_variables_initializer())
    a, kept, back = values(128, 160, seed=2), session.run(w), values(128, 96, seed=3)
    found = session.run([y, dx, dw], {x: a, g: back})
    for result, left, right in zip(found, (a, back, a.T), (kept, kept.T, back), strict=True):
        check_error(result, left, right)
        assert abs(result - left.astype(np.float64) @ right.astype(np.float64)).max() > 1e-3
    np.testing.assert_array_equal(session.run(step, {x: a, g: back}), kept - np.float32(0.5) * found[2])


@rounds_both
def test_in_loops_and_branches() -> None:
    w = values(96, 96) / 10
    x = gc.placeholder(gc.float32, [None, 96])

    def body(i: gc.Tensor, y: gc.Tensor) -> list[gc.Tensor]:
        return [i + 1, gc.cond(i < 2, lambda: gc.tanh(gc.matmul(y, w)), lambda: gc.matmul(y, y, transpose_b=True))]

    y = gc.while_loop(lambda i, y: i < 3, body, [0, x])[1]
    fed = {x: values(96, 96, seed=1)}
    found, plain = gc.Session(config=ON).run(y, fed), gc.Session().run(y, fed)
    assert not np.array_equal(found, plain)
    np.testing.assert_allclose(found, plain, atol=0.5)


@rounds_both
def test_products_of_16_bit_tensors_lose_nothing() -> None:
    """Their operands are bfloat16 already, so only the order of float32's sums differs."""
    first, second = gc.placeholder(gc.float32, [128, 128]), gc.placeholder(gc.float32, [128, 128])
    x, y = gc.cast(first, gc.bfloat16), gc.cast(second, gc.bfloat16)
    fed = {first: values(128, 128, seed=1), second: values(128, 128, seed=2)}
    wide = gc.cast(gc.matmul(x, y), gc.float32)
    found, plain = gc.Session(config=ON).run(wide, fed), gc.Session().run(wide, fed)
    np.testing.assert_allclose(found, plain, rtol=2.0 ** -7, atol=1e-4)


def test_who_asks_and_for_what(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRAPHC_WEIGHTS", raising=False)
    assert wanted_bfloat16(False, "x86-64-v4") == NOTHING
    assert wanted_bfloat16(True, "x86-64-v3") == wanted_bfloat16(True, "aarch64") == WEIGHTS
    assert wanted_bfloat16(True, "x86-64-v4") == machine_bfloat16() >= WEIGHTS
    monkeypatch.setenv("GRAPHC_WEIGHTS", "bfloat16")
    assert wanted_bfloat16(False, "x86-64-v3") == WEIGHTS


def refused(*command: object, folder: Path) -> str:
    told = subprocess.run([sys.executable, REFUSING, *map(str, command)], cwd=folder, check=False, capture_output=True,
                          text=True)
    if told.returncode == UNSUPPORTED:
        pytest.skip("this system sets no filters of system calls")
    assert told.returncode == 0, told.stderr
    return told.stdout


@pytest.mark.skipif(machine_bfloat16() == DOTS, reason="this processor multiplies bfloat16 without asking")
def test_a_process_that_may_not_use_amx_rounds_weights_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHC_WEIGHTS", "bfloat16")
    program = ("from graphc.exec.bfloat16 import machine_bfloat16; import graphc as gc, numpy as np; "
               "x = gc.placeholder(gc.float32, [None, 130], name='x'); "
               "w = np.random.default_rng(0).standard_normal((130, 70)).astype(np.float32); "
               "y = gc.matmul(x, w, name='y'); "
               "open('y.pb', 'wb').write(gc.freeze(gc.Session(), [y]).SerializeToString()); "
               "a = np.random.default_rng(1).standard_normal((90, 130)).astype(np.float32); np.save('x.npy', a); "
               "np.save('y.npy', gc.Session().run(y, {x: a})); print(machine_bfloat16())")
    assert int(refused(sys.executable, "-c", program, folder=tmp_path)) == WEIGHTS
    refused(build_runner() / "graphc-run", "y.pb", "--feed", "x=x.npy", "--out", "z.npy", folder=tmp_path)
    found = np.load(tmp_path / "y.npy")
    np.testing.assert_array_equal(found, np.load(tmp_path / "z.npy"))
    command = [build_runner() / "graphc-run", "y.pb", "--feed", "x=x.npy", "--out", "v.npy"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert np.array_equal(found, np.load(tmp_path / "v.npy")) == (machine_bfloat16() == WEIGHTS)
