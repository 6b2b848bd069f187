"""Products by NVIDIA's library, on one that stands in for it (standin/cublas.cpp): how factors lie, what is asked of it
and when, which of its algorithms is taken, and that it is taken again."""
from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.exec.cuda.driver import find_device
from graphc.exec.cuda.vendor import choices, products, trial
from graphc.exec.cuda.vendor.find import open_cublas
from graphc.kernels.toolchain import cache

from stand_in_driver import IS_THERE, driver_standing_in, library

pytestmark = pytest.mark.skipif(not IS_THERE, reason="the library stands in on x86-64 only")
RANDOM = np.random.default_rng(5)
Opened = Callable[..., Any]


@pytest.fixture
def opened(monkeypatch: Any) -> Iterator[Opened]:
    """A context in which the library is there, all products are worth a trial, and each of its algorithms is taken for
    faster than an own kernel, of which a busy machine tells little; what is found is this test's."""
    kind = f"product-{uuid.uuid4().hex}-"
    monkeypatch.setattr(products, "KIND", kind)
    monkeypatch.setattr(products, "FEWEST_OPERATIONS", 0.0)
    monkeypatch.setattr(choices, "CLEARLY", 1e9)
    monkeypatch.setattr(products, "WORKSPACE", 1 << 16)        # of each test's device
    yield lambda mode="late", **settings: driver_standing_in(mode, cublas=True, **settings)
    for entry in cache.directory().glob(f"{kind}*"):
        entry.unlink()


def calls() -> int:
    return int(library().calls.standin_products())


def ran(fetched: Callable[[], Any], feeds: Any = (), runs: int = 1, config: Any = None) -> Any:
    with gc.Graph().as_default() as graph, graph.device("/gpu:0"):
        gc.set_random_seed(3)
        y = fetched()
        given = [op.outputs[0] for op in graph.get_operations() if op.type == "Placeholder"]
        with gc.Session(config=config) as session:
            for _ in range(runs):
                found = session.run(y, dict(zip(given, feeds, strict=True)))
    return found


def factors(*shapes: tuple[int, ...], dtype: Any = np.float32) -> list[np.ndarray]:
    return [RANDOM.standard_normal(shape).astype(dtype) for shape in shapes]


def multiply(dtype: Any = gc.float32, **how: bool) -> Callable[[], Any]:
    return lambda: gc.matmul(gc.placeholder(dtype), gc.placeholder(dtype), **how)


@pytest.mark.parametrize("turned", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 17, 31), (65, 31, 17), (64, 64, 64), (1, 65, 33)])
@pytest.mark.parametrize("dtype", [gc.float32, gc.float64])
def test_products(opened: Opened, shape: tuple[int, int, int], turned: tuple[bool, bool], dtype: Any) -> None:
    m, n, k = shape
    a, b = factors((k, m) if turned[0] else (m, k), (n, k) if turned[1] else (k, n), dtype=dtype.as_numpy_dtype)
    with opened():
        before = calls()
        found = ran(multiply(dtype, transpose_a=turned[0], transpose_b=turned[1]), (a, b), runs=2)
        assert calls() > before
    wanted = (a.T if turned[0] else a).astype(float) @ (b.T if turned[1] else b)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5 if dtype == gc.float32 else 1e-13)


@pytest.mark.parametrize("batches", [((5,), (5,)), ((2, 3), (2, 3)), ((4,), (1,)), ((1,), (4,))])
def test_batches(opened: Opened, batches: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    a, b = factors((*batches[0], 9, 20), (*batches[1], 20, 33))
    with opened():
        before = calls()
        found = ran(multiply(), (a, b))
        assert calls() > before
    np.testing.assert_allclose(found, a.astype(float) @ b, rtol=1e-5, atol=1e-5)


def test_a_product_behind_and_in_front_of_others_in_a_loop(opened: Opened) -> None:
    """Sizes that only the feeds tell; the loop's parts are recorded, and replayed."""
    def looped() -> Any:
        x, w = gc.placeholder(gc.float32, [None, None]), gc.placeholder(gc.float32, [None, None])
        return gc.while_loop(lambda i, y: i < 5, lambda i, y: (i + 1, gc.tanh(gc.matmul(y, w)) * 0.5), [0, x * 2.0])[1]

    x, w = factors((6, 24), (24, 24))
    with opened():
        before = calls()
        found = ran(looped, (x, w))
        assert calls() >= before + 5
    wanted = x * 2.0
    for _ in range(5):
        wanted = np.tanh(wanted @ w) * 0.5
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_training_by_it(opened: Opened) -> None:
    def trained() -> tuple[np.ndarray, float]:
        with gc.Graph().as_default() as graph, graph.device("/gpu:0"):
            x = gc.constant(np.linspace(-1, 1, 160).reshape(8, 20).astype(np.float32))
            w = gc.Variable(np.full((20, 12), 0.05, np.float32))
            loss = gc.reduce_mean(gc.square(gc.nn.relu(gc.matmul(x, w)) - 1.0))
            step = gc.train.GradientDescentOptimizer(0.1).minimize(loss)
            with gc.Session() as session:
                session.run(gc.global_variables_initializer())
                for _ in range(4):
                    session.run(step)
                return session.run([w, loss])

    with opened():
        before = calls()
        ours = trained()
        assert calls() > before
    with driver_standing_in():
        theirs = trained()
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-5)


def test_float32_is_cut_only_where_the_user_lets_it(opened: Opened) -> None:
    a, b = factors((40, 40), (40, 40))
    exact = a.astype(float) @ b
    with opened(compute=80):
        before = calls()
        assert np.abs(ran(multiply(), (a, b)) - exact).max() < 1e-5
        config = gc.ConfigProto()
        config.graph_options.rewrite_options.auto_mixed_precision = 1
        error = np.abs(ran(multiply(), (a, b), config=config) - exact)
        assert 1e-4 < error.max() and (error <= 2.0 ** -9 * (np.abs(a).astype(float) @ np.abs(b))).all()
        assert calls() >= before + 4


@pytest.mark.parametrize("dtype", [gc.float16, gc.bfloat16])
def test_products_of_16_bit_floats_stay_exact(opened: Opened, dtype: Any) -> None:
    """Their sums are float32's: of numbers whose sums float32 has, nothing is lost."""
    a, b = (RANDOM.integers(-8, 9, shape).astype(np.float32) for shape in ((33, 20), (20, 17)))

    def multiplied() -> Any:
        x, y = (gc.cast(gc.placeholder(gc.float32), dtype) for _ in range(2))
        return gc.cast(gc.matmul(x, y), gc.float32)

    with opened(compute=80):
        before = calls()
        found = ran(multiplied, (a, b))
        assert calls() > before
    with gc.Graph().as_default():
        wanted = gc.Session().run(gc.cast(gc.cast(gc.constant(a @ b), dtype), gc.float32))
    assert (found == wanted).all()


@pytest.mark.parametrize("turned", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("dtype", [gc.float16, gc.bfloat16])
def test_16_bit_floats_in_memory(opened: Opened, dtype: Any, turned: tuple[bool, bool]) -> None:
    """The library reads them and rounds its sums once, as the own kernel does: to the bit, of sums that are exact."""
    shapes = ((24, 40) if turned[0] else (40, 24), (32, 24) if turned[1] else (24, 32))
    a, b = (RANDOM.integers(-8, 9, (3, *shape)).astype(dtype.as_numpy_dtype) for shape in shapes)
    with opened(compute=80):
        before = calls()
        found = ran(multiply(dtype, adjoint_a=turned[0], adjoint_b=turned[1]), (a, b), runs=2)
        assert calls() > before
    wanted = (a.swapaxes(1, 2) if turned[0] else a).astype(float) @ (b.swapaxes(1, 2) if turned[1] else b).astype(float)
    assert found.dtype == a.dtype and (found == wanted.astype(a.dtype)).all()


def test_the_next_process_takes_the_same_algorithm_without_a_trial(opened: Opened) -> None:
    a, b = factors((20, 70), (70, 20))
    with opened():
        begin = calls()
        first, tried = ran(multiply(), (a, b)), calls() - begin
    with opened():                             # another Device, which knows nothing
        begin = calls()
        again = ran(multiply(), (a, b))
        assert calls() - begin == 2 < tried    # once before it is recorded
    assert (first == again).all()


def test_a_library_that_is_slower_is_not_taken(opened: Opened, monkeypatch: Any) -> None:
    a, b = factors((16, 16), (16, 16))
    monkeypatch.setenv("GRAPHC_STANDIN_CUBLAS", "slow")
    monkeypatch.setattr(choices, "CLEARLY", 0.95)
    monkeypatch.setattr(trial, "MOST_REPEATS", 1)
    with opened():
        found = ran(multiply(), (a, b))
        begin = calls()
        ran(multiply(), (a, b))
        assert calls() == begin
    monkeypatch.delenv("GRAPHC_STANDIN_CUBLAS")
    with opened():
        again = ran(multiply(), (a, b))
        assert calls() == begin, "it is known that the own kernel is faster"
    assert (found == again).all()


def test_products_that_the_library_does_not_know(opened: Opened, monkeypatch: Any) -> None:
    a, b = factors((16, 16), (16, 16))
    monkeypatch.setenv("GRAPHC_STANDIN_CUBLAS", "missing")
    with opened():
        begin = calls()
        np.testing.assert_allclose(ran(multiply(), (a, b)), a @ b, rtol=1e-5, atol=1e-5)
        assert calls() == begin


def test_a_library_that_does_not_work_is_told_of(opened: Opened, monkeypatch: Any) -> None:
    a, b = factors((16, 16), (16, 16))
    monkeypatch.setenv("GRAPHC_STANDIN_CUBLAS", "broken")
    with opened(), pytest.warns(UserWarning, match="cuBLASLt cannot be used.*NOT_INITIALIZED"):
        np.testing.assert_allclose(ran(multiply(), (a, b)), a @ b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("fault", "said"), [
    ("wrong", "cuBLASLt differs from graphc's own kernel in 1 of 256 elements"), ("failing", "EXECUTION_FAILED")])
def test_a_result_that_is_not_the_own_kernels_is_told_of_and_never_taken(opened: Opened, monkeypatch: Any, fault: str,
                                                                        said: str) -> None:
    a, b = factors((16, 16), (16, 16))
    monkeypatch.setenv("GRAPHC_STANDIN_CUBLAS", fault)
    with opened():
        with pytest.warns(UserWarning, match=said):
            np.testing.assert_allclose(ran(multiply(), (a, b)), a @ b, rtol=1e-5, atol=1e-5)
        begin = calls()
        ran(multiply(), (a, b))
        assert calls() == begin


def test_off(opened: Opened, monkeypatch: Any) -> None:
    a, b = factors((16, 16), (16, 16))
    monkeypatch.setenv("GRAPHC_CUDA_LIBRARIES", "0")
    with opened():
        begin = calls()
        ran(multiply(), (a, b))
        assert calls() == begin


def test_small_products_are_never_tried(opened: Opened, monkeypatch: Any) -> None:
    monkeypatch.setattr(products, "FEWEST_OPERATIONS", 1e8)
    a, b = factors((16, 16), (16, 16))
    with opened():
        begin = calls()
        ran(multiply(), (a, b))
        assert calls() == begin


def test_a_product_for_whose_trial_there_is_no_memory(opened: Opened) -> None:
    a, b = factors((128, 128), (128, 128))
    with opened():
        find_device().limit, begin = 450_000, calls()
        np.testing.assert_allclose(ran(multiply(), (a, b)), a @ b, rtol=1e-4, atol=1e-4)
        assert calls() == begin


def test_empty_products(opened: Opened) -> None:
    with opened():
        assert ran(multiply(), factors((0, 5), (5, 3))).shape == (0, 3)
        assert (ran(multiply(), factors((4, 0), (0, 3))) == np.zeros((4, 3))).all()


def test_a_library_for_another_driver_is_not_looked_for() -> None:
    """NVIDIA's library calls NVIDIA's driver, whatever GRAPHC_LIBCUDA names."""
    with driver_standing_in():
        assert find_device() is not None and open_cublas(13000) is None


def test_a_path_that_is_no_library(opened: Opened, monkeypatch: Any) -> None:
    with opened():
        monkeypatch.setenv("GRAPHC_CUBLASLT", os.devnull)
        with pytest.warns(UserWarning, match="cuBLASLt cannot be used"):
            ran(multiply(), factors((16, 16), (16, 16)))
