"""Convolutions by NVIDIA's library, on one that stands in for it (standin/cudnn.cpp): how pictures and filters lie,
what is asked of it and when, which of its algorithms is taken, and that it is taken again. On a GPU (`make gpu`) by
the library that is there, which is made to convolve whatever its algorithms are faster than."""
from __future__ import annotations

import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.exec.cuda.driver import find_device
from graphc.exec.cuda.vendor import choices, convolutions, trial
from graphc.exec.cuda.vendor.find import open_cudnn
from graphc.kernels.toolchain import cache

from on_both import ON_GPU
from stand_in_driver import IS_THERE, driver_standing_in, library

pytestmark = [pytest.mark.skipif(not ON_GPU and not IS_THERE, reason="the library stands in on x86-64 only"),
              pytest.mark.skipif(ON_GPU and open_cudnn() is None, reason="there is no cuDNN here")]
of_stand_in = pytest.mark.skipif(ON_GPU, reason="about the library that stands in")
RANDOM = np.random.default_rng(7)
Opened = Callable[..., Any]


@pytest.fixture
def opened(monkeypatch: Any) -> Iterator[Opened]:
    """A context in which the library is there, all convolutions are worth a trial, and each of its algorithms is taken
    for faster than an own kernel, of which a busy machine tells little; what is found is this test's."""
    kind = f"convolution-{uuid.uuid4().hex}-"
    monkeypatch.setattr(convolutions, "ENTRIES", kind)
    monkeypatch.setattr(convolutions, "FEWEST_OPERATIONS", 0.0)
    monkeypatch.setattr(choices, "CLEARLY", 1e9)
    yield on_gpu if ON_GPU else lambda mode="late", **settings: driver_standing_in(mode, cudnn=True, **settings)
    for entry in cache.directory().glob(f"{kind}*"):
        entry.unlink()


@contextmanager
def on_gpu(compute: int = 0) -> Iterator[None]:
    """The machine's own, of which nothing is known yet."""
    find_device().libraries.clear()
    yield


def calls() -> int:
    """Convolutions that the library has made: those that were put into the stream, on a GPU."""
    return MADE[0] if ON_GPU else int(library().calls.standin_convolutions())


MADE = [0]


@pytest.fixture(autouse=True)
def counted(monkeypatch: Any) -> None:
    submit = convolutions.LibraryConvolution.submit

    def counting(self: Any, device: Any) -> None:
        MADE[0] += 1
        submit(self, device)

    monkeypatch.setattr(convolutions.LibraryConvolution, "submit", counting)


def numbers(*shape: int, dtype: Any = np.float32) -> np.ndarray:
    return RANDOM.standard_normal(shape).astype(dtype)


def ran(build: Callable[..., Any], *feeds: np.ndarray, gpu: bool = True, runs: int = 2, config: Any = None) -> Any:
    """What `build` makes of placeholders."""
    with gc.Graph().as_default() as graph, graph.device("/gpu:0" if gpu else "/cpu:0"):
        given = [gc.placeholder(feed.dtype, feed.shape) for feed in feeds]
        wanted = build(*given)
        with gc.Session(config=config) as session:
            for _ in range(runs):
                found = session.run(wanted, dict(zip(given, feeds, strict=True)))
    return found


def check(opened: Opened, build: Callable[..., Any], *feeds: np.ndarray, kinds: int = 3,
          tolerance: float = 2e-5) -> None:
    """What it makes by the library is what the CPU makes; so many convolutions are the library's, in each run."""
    with opened():
        ran(build, *feeds, runs=1)                                 # and what is found is kept
        before = calls()
        found = ran(build, *feeds, runs=2)
        if ON_GPU:
            assert calls() > before, "it has an algorithm for none of them"
        else:
            assert calls() - before == 2 * kinds and not library().complaint()
    for ours, wanted in zip(found, ran(build, *feeds, gpu=False, runs=1), strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=tolerance, atol=tolerance * max(np.abs(wanted).max(), 1))


def with_gradients(*args: Any, **how: Any) -> Callable[..., Any]:
    def build(x: Any, f: Any) -> Any:
        y = gc.nn.conv2d(x, f, *args, **how)
        return [y, *gc.gradients(gc.tanh(y) * 0.5, [x, f])]

    return build


CASES = [
    # kernel, channels, results, groups, strides, padding, dilations
    ((3, 3), 3, 5, 1, (1, 1), "SAME", (1, 1)),
    ((3, 2), 3, 5, 1, (1, 1), "SAME", (1, 1)),                     # more zeros behind than before, in one direction
    ((3, 3), 4, 2, 1, (2, 2), "SAME", (1, 1)),
    ((2, 3), 1, 17, 1, (2, 3), "VALID", (1, 1)),                   # pixels that no window sees
    ((1, 1), 17, 3, 1, (1, 1), "SAME", (1, 1)),
    ((1, 1), 3, 4, 1, (2, 2), "VALID", (1, 1)),
    ((3, 3), 2, 3, 1, (1, 1), "SAME", (2, 1)),
    ((3, 2), 6, 4, 2, (2, 1), "SAME", (1, 1)),
    ((2, 2), 3, 3, 3, (1, 1), "VALID", (2, 3)),
    ((3, 3), 3, 2, 1, (2, 1), [[0, 0], [0, 2], [3, 1], [0, 0]], (1, 1)),
]


@pytest.mark.parametrize(("kernel", "channels", "results", "groups", "strides", "padding", "dilations"), CASES)
def test_convolutions_and_their_gradients(opened: Opened, kernel: Any, channels: int, results: int, groups: int,
                                          strides: Any, padding: Any, dilations: Any) -> None:
    build = with_gradients([1, *strides, 1], padding, dilations=[1, *dilations, 1])
    check(opened, build, numbers(2, 8, 9, channels), numbers(*kernel, channels // groups, results))


def test_float64_which_the_library_has_channel_by_channel_only(opened: Opened) -> None:
    x, f = numbers(2, 7, 6, 3, dtype=np.float64), numbers(3, 2, 3, 4, dtype=np.float64)
    check(opened, with_gradients([1, 2, 1, 1], "SAME"), x, f, tolerance=1e-13)


@pytest.mark.parametrize(("strides", "padding"), [((1, 1), "SAME"), ((2, 2), "SAME"), ((2, 2), "VALID")])
def test_one_filter_a_channel(opened: Opened, strides: Any, padding: str) -> None:
    def build(x: Any, f: Any) -> Any:
        y = gc.nn.depthwise_conv2d(x, f, [1, *strides, 1], padding)
        return [y, *gc.gradients(gc.tanh(y), [x, f])]

    check(opened, build, numbers(2, 7, 8, 5), numbers(3, 3, 5, 1))


def test_transposed(opened: Opened) -> None:
    def build(x: Any, f: Any) -> Any:
        y = gc.nn.conv2d_transpose(x, f, [2, 12, 13, 3], [1, 2, 2, 1], "SAME")
        return [y, *gc.gradients(gc.tanh(y), [x, f])]

    check(opened, build, numbers(2, 6, 7, 4), numbers(3, 3, 3, 4))


def test_what_is_not_finite_goes_where_it_does_on_the_cpu(opened: Opened) -> None:
    """Zeros around a picture, and between the pixels of dy, are not multiplied."""
    x, f, bad_x, bad_f = numbers(2, 6, 7, 2), numbers(3, 3, 2, 3), numbers(2, 6, 7, 2), numbers(3, 3, 2, 3)
    bad_x[0, 0, 0, 0], bad_x[1, 3, 0, 1], bad_f[0, 2, 1, 1], bad_f[0, 0, 0, 0] = np.inf, np.nan, -np.inf, np.nan
    for strides in ([1, 1, 1, 1], [1, 2, 2, 1]):
        def build(x: Any, f: Any, bad_x: Any, bad_f: Any, strides: Any = strides) -> Any:
            y, z = gc.nn.conv2d(bad_x, f, strides, "SAME"), gc.nn.conv2d(x, bad_f, strides, "SAME")
            return [y, z, *gc.gradients(y, [bad_x, f]), *gc.gradients(z, [x, bad_f])]

        with opened():
            before = calls()
            found = ran(build, x, f, bad_x, bad_f)
            assert calls() > before
        for ours, wanted in zip(found, ran(build, x, f, bad_x, bad_f, gpu=False), strict=True):
            np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=1e-4, equal_nan=True)
        assert sum(np.isnan(one).any() and not np.isnan(one).all() for one in found) >= 3


@pytest.mark.parametrize("dtype", [gc.bfloat16, gc.float16])
@pytest.mark.parametrize("strides", [(1, 1), (2, 1)])
def test_16_bit_floats_that_are_such_in_memory(opened: Opened, dtype: Any, strides: Any) -> None:
    """Of numbers whose sums are exact: the CPU's bits, which has no transforms for such filters."""
    def build(x: Any, f: Any) -> Any:
        y = gc.nn.conv2d(gc.cast(x, dtype), gc.cast(f, dtype), [1, *strides, 1], "SAME")
        dx, df = gc.gradients(y, [x, f], gc.sign(y) * gc.constant(0.5, dtype))
        return [gc.cast(y, gc.float32) * 2.0, dx, df]

    x, f = (RANDOM.integers(-2, 3, shape).astype(np.float32) / 2 for shape in ((2, 5, 4, 16), (3, 2, 16, 24)))
    with opened(compute=80):
        before = calls()
        found = ran(build, x, f)
        assert calls() - before >= 6, "each is the library's"
    for ours, wanted in zip(found, ran(build, x, f, gpu=False, runs=1), strict=True):
        np.testing.assert_array_equal(ours, wanted)


@of_stand_in
def test_training_in_a_loop_with_unknown_sizes(opened: Opened) -> None:
    def trained(gpu: bool) -> Any:
        with gc.Graph().as_default() as graph, graph.device("/gpu:0" if gpu else "/cpu:0"):
            x = gc.placeholder(gc.float32, [None, None, None, 3])
            f = gc.Variable(np.linspace(-0.4, 0.4, 81).reshape(3, 3, 3, 3).astype(np.float32))
            y = gc.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, gc.tanh(gc.nn.conv2d(y, f, [1] * 4, "SAME"))),
                              [0, x])[1]
            loss = gc.reduce_mean(gc.square(y - 0.3))
            step = gc.train.GradientDescentOptimizer(0.1).minimize(loss)
            with gc.Session() as session:
                session.run(gc.global_variables_initializer())
                for size in (5, 6, 5):
                    session.run(step, {x: np.sin(np.arange(size * size * 3)).reshape(1, size, size, 3)})
                return session.run([f, loss], {x: np.ones((2, 4, 7, 3))})

    with opened():
        before = calls()
        ours = trained(True)
        assert calls() >= before + 27
    for found, wanted in zip(ours, trained(False), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


@of_stand_in
def test_float32_is_cut_only_where_the_user_lets_it(opened: Opened) -> None:
    x, f = numbers(2, 9, 9, 16), numbers(3, 3, 16, 8)

    def build(x: Any, f: Any) -> Any:
        return gc.nn.conv2d(x, f, [1] * 4, "VALID")

    exact = ran(build, x.astype(np.float64), f.astype(np.float64), gpu=False)
    with opened(compute=80):
        before = calls()
        assert np.abs(ran(build, x, f) - exact).max() < 2e-5
        config = gc.ConfigProto()
        config.graph_options.rewrite_options.auto_mixed_precision = 1
        error = np.abs(ran(build, x, f, config=config) - exact).max()
        assert 1e-4 < error < 0.2
        assert calls() >= before + 4


@pytest.mark.parametrize("dtype", [gc.float16, gc.bfloat16])
def test_16_bit_floats_stay_exact(opened: Opened, dtype: Any) -> None:
    """Of numbers whose sums float32 has, nothing is lost."""
    x, f = (RANDOM.integers(-8, 9, shape).astype(np.float32) for shape in ((1, 6, 6, 16), (3, 3, 16, 16)))

    def build(x: Any, f: Any) -> Any:
        return gc.cast(gc.nn.conv2d(gc.cast(x, dtype), gc.cast(f, dtype), [1] * 4, "SAME"), gc.float32)

    with opened(compute=80):
        before = calls()
        found = ran(build, x, f)
        assert calls() > before
    assert (found == ran(build, x, f, gpu=False)).all()


def convolved(x: Any, f: Any) -> Any:
    return gc.nn.conv2d(x, f, [1] * 4, "SAME")


X, F = numbers(1, 6, 6, 3), numbers(3, 3, 3, 4)


@of_stand_in
def test_the_next_process_takes_the_same_algorithm_without_a_trial(opened: Opened) -> None:
    with opened():
        begin = calls()
        first, tried = ran(convolved, X, F, runs=1), calls() - begin
    with opened():                             # another Device, which knows nothing
        begin = calls()
        again = ran(convolved, X, F, runs=1)
        assert calls() - begin == 2 < tried    # once before it is recorded
    assert (first == again).all()


def check_not_taken(opened: Opened) -> None:
    """By the next session, and by the next process."""
    for _ in range(2):
        with opened():
            begin = calls()
            ran(convolved, X, F)
            assert calls() == begin


@of_stand_in
def test_a_library_that_is_slower_is_not_taken(opened: Opened, monkeypatch: Any) -> None:
    monkeypatch.setenv("GRAPHC_STANDIN_CUDNN", "slow")
    monkeypatch.setattr(choices, "CLEARLY", 0.95)
    monkeypatch.setattr(trial, "MOST_REPEATS", 1)
    with opened():
        begin = calls()
        ran(convolved, X, F)
        assert calls() > begin
    monkeypatch.delenv("GRAPHC_STANDIN_CUDNN")
    check_not_taken(opened)


@of_stand_in
@pytest.mark.parametrize(("fault", "said"), [
    ("wrong", r"cuDNN differs from graphc's own kernel in 1 of 144 elements, for a convolution of "
              r"pictures \[1, 6, 6, 3\] by filters \[3, 3, 3, 4\] in f32"),
    ("failing", "cuDNN failed: cudnnConvolutionForward.*EXECUTION_FAILED"),
    ("restless", "cuDNN does not repeat its result to the bit")])
def test_an_algorithm_that_is_not_right_is_told_of_and_never_taken(opened: Opened, monkeypatch: Any, fault: str,
                                                                   said: str) -> None:
    monkeypatch.setenv("GRAPHC_STANDIN_CUDNN", fault)
    with opened(), pytest.warns(UserWarning, match=said):
        found = ran(convolved, X, F)
    np.testing.assert_allclose(found, ran(convolved, X, F, gpu=False), rtol=1e-5, atol=1e-5)
    check_not_taken(opened)


@of_stand_in
@pytest.mark.parametrize("fault", ["missing", "large"])
def test_convolutions_for_which_the_library_has_no_algorithm(opened: Opened, monkeypatch: Any, fault: str) -> None:
    monkeypatch.setenv("GRAPHC_STANDIN_CUDNN", fault)
    check_not_taken(opened)


@of_stand_in
@pytest.mark.parametrize(("fault", "said"), [
    ("broken", "NOT_INITIALIZED"), ("old", r"version 7605; graphc knows versions 8 \(8000 to 8999\) and 9"),
    ("newer", "is made for CUDA 14, the driver for CUDA 1[0-9]")])
def test_a_library_that_cannot_be_used_is_told_of(opened: Opened, monkeypatch: Any, fault: str, said: str) -> None:
    monkeypatch.setenv("GRAPHC_STANDIN_CUDNN", fault)
    matching = f"cuDNN cannot be used, graphc's own kernels convolve.*{said}"
    with opened(), pytest.warns(UserWarning, match=matching) as told:
        begin = calls()
        ran(convolved, X, F)
        ran(with_gradients([1] * 4, "VALID"), X, F)
        assert calls() == begin and len(told) == 1


@of_stand_in
def test_off_and_small(opened: Opened, monkeypatch: Any) -> None:
    """For small ones the library isn't even opened."""
    monkeypatch.setattr(convolutions, "FEWEST_OPERATIONS", 1e8)
    monkeypatch.setenv("GRAPHC_STANDIN_CUDNN", "broken")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_not_taken(opened)
    monkeypatch.delenv("GRAPHC_STANDIN_CUDNN")
    monkeypatch.setattr(convolutions, "FEWEST_OPERATIONS", 0.0)
    monkeypatch.setenv("GRAPHC_CUDA_LIBRARIES", "0")
    check_not_taken(opened)


@of_stand_in
def test_no_memory_for_a_trial(opened: Opened) -> None:
    x, f = numbers(2, 20, 20, 8), numbers(3, 3, 8, 16)
    with opened():
        find_device().limit, begin = 180_000, calls()
        ran(convolved, x, f)
        assert calls() == begin


def test_no_pictures(opened: Opened) -> None:
    with opened():
        assert ran(convolved, numbers(0, 6, 6, 3), F).shape == (0, 6, 6, 4)
