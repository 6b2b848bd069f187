"""Products by warpgroups, on the library in place of libcuda: when they are tried, that none is taken which is wrong,
and that what was found is taken again."""
from __future__ import annotations

import sys
import uuid
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.exec.cuda import tensor_map, warpgroup_choice, warpgroup_probe
from graphc.exec.cuda.calls import warpgroup_convolutions, warpgroups
from graphc.exec.cuda.code.ptx import make_ptx
from graphc.exec.cuda.driver import Driver, find_device
from graphc.exec.cuda.vendor import choices, products
from graphc.kernels.toolchain import cache

from stand_in_driver import IS_THERE, driver_standing_in, library

pytestmark = pytest.mark.skipif(not IS_THERE, reason="the library stands in on x86-64 only")
RANDOM = np.random.default_rng(23)
KERNEL, OTHER = "gc_warpgroup_product", "gc_tensor_product"
Opened = Callable[..., Any]


@pytest.fixture
def opened(monkeypatch: Any) -> Iterator[Opened]:
    """A context with a GPU of compute capability 9.0 in which all products are worth a trial, and a variant that is
    right is taken for faster, of which a busy machine tells little; what is found is this test's."""
    kind = f"warpgroup-{uuid.uuid4().hex}-"
    monkeypatch.setattr(warpgroup_choice, "KIND", kind)
    monkeypatch.setattr(warpgroup_probe, "KIND", f"{kind}probe-")
    monkeypatch.setattr(warpgroup_probe, "COMMAND", (sys.executable, "-c", ""))
    monkeypatch.setattr(choices, "CLEARLY", 1e9)
    monkeypatch.setattr(products, "FEWEST_OPERATIONS", 0.0)
    yield lambda **settings: driver_standing_in(**{"compute": 90, **settings})
    for entry in cache.directory().glob(f"{kind}*"):
        entry.unlink()


def ran(fetched: Callable[[], Any], feeds: Any, runs: int = 1, config: Any = None,
        known: bool = False) -> tuple[Any, set[str]]:
    """(what a session fetches, names of the kernels in the last graph). known: of all graphs: nothing is tried."""
    device, launched = find_device(), set()  # type: Any, set[str]
    with gc.Graph().as_default() as graph, graph.device("/gpu:0"):
        y = fetched()
        given = [op.outputs[0] for op in graph.get_operations() if op.type == "Placeholder"]
        with gc.Session(config=config) as session:
            before = device.record

            def record(work: Callable[[], None]) -> Any:
                if not known:
                    launched.clear()           # a trial records, too, before the run does
                return before(work)

            function = device.function

            def noted(ptx: str, name: str) -> Any:
                launched.add(name)
                return function(ptx, name)

            device.record, device.function = record, noted
            try:
                for _ in range(runs):
                    found = session.run(y, dict(zip(given, feeds, strict=True)))
            finally:
                device.record, device.function = before, function
    return found, launched


def numbers(*shapes: tuple[int, ...]) -> list[np.ndarray]:
    return [RANDOM.integers(-8, 9, shape).astype(np.float32) for shape in shapes]


def multiply(dtype: Any = gc.bfloat16, shape: Any = None, **how: bool) -> Callable[[], Any]:
    def made() -> Any:
        a, b = (gc.cast(gc.placeholder(gc.float32, shape), dtype) for _ in range(2))
        return gc.cast(gc.matmul(a, b, **how), gc.float32)

    return made


def allowed() -> gc.ConfigProto:
    config = gc.ConfigProto()
    config.graph_options.rewrite_options.auto_mixed_precision = 1
    return config


def wanted(a: np.ndarray, b: np.ndarray, dtype: Any) -> np.ndarray:
    with gc.Graph().as_default():
        return np.asarray(gc.Session().run(gc.cast(gc.cast(gc.constant(a @ b), dtype), gc.float32)))


@pytest.mark.parametrize("dtype", [gc.bfloat16, gc.float16])
def test_products_of_16_bit_floats(opened: Opened, dtype: Any) -> None:
    a, b = numbers((33, 20), (20, 17))
    with opened():
        found, launched = ran(multiply(dtype), (a, b), runs=2)
    assert KERNEL in launched and (found == wanted(a, b, dtype)).all()


PICTURES, FILTERS = (2, 6, 3, 16), (2, 2, 16, 16)


def convolve(strides: int = 1, with_gradients: bool = True) -> Callable[[], Any]:
    """A convolution of bfloat16, and both gradients."""
    def made() -> Any:
        x, f = (gc.placeholder(gc.bfloat16, shape) for shape in (PICTURES, FILTERS))
        y = gc.nn.conv2d(x, f, [1, strides, 1, 1], "SAME")
        further = gc.gradients(y, [x, f], gc.sign(y) * gc.constant(0.5, gc.bfloat16)) if with_gradients else []
        return [y, *further]

    return made


@pytest.mark.parametrize("strides", [1, 2])
def test_convolutions_and_their_gradients(opened: Opened, monkeypatch: Any, strides: int) -> None:
    """Of some filters that are infinite, in which zeros around a picture take no part."""
    x, f = (one.astype(gc.bfloat16.as_numpy_dtype) for one in numbers(PICTURES, FILTERS))
    f[0, 0, 1, 2], f[1, 1, 0, 0] = np.inf, np.nan
    monkeypatch.setattr(warpgroup_convolutions, "parts_that_fill", lambda factors, columns: 1)
    with opened():
        found, launched = ran(convolve(strides), (x, f), runs=2)
    assert KERNEL in launched and ("gc_fold" in launched) == (strides == 2), "dx with strides has columns"
    with gc.Graph().as_default() as graph:
        y = convolve(strides)()
        theirs = gc.Session().run(y, dict(zip([op.outputs[0] for op in graph.get_operations()
                                               if op.type == "Placeholder"], (x, f), strict=True)))
    for ours, wanted in zip(found, theirs, strict=True):
        np.testing.assert_array_equal(ours.astype(float), wanted.astype(float))


def test_a_wrong_kernel_of_windows_is_told_of_and_not_used(opened: Opened, monkeypatch: Any) -> None:
    """TMA that began a pixel further."""
    whole = tensor_map.encode

    def shifted(driver: Any, tensor: Any) -> Any:
        if isinstance(tensor, tensor_map.PictureMap):
            tensor = replace(tensor, address=tensor.address + 2 * tensor.c, n=tensor.n - 1)
        return whole(driver, tensor)

    monkeypatch.setattr("graphc.exec.cuda.driver.encode", shifted)
    x, f = (one.astype(gc.bfloat16.as_numpy_dtype) for one in numbers(PICTURES, FILTERS))
    with opened(), pytest.warns(UserWarning, match="differs from graphc's own kernel"):
        found, launched = ran(convolve(with_gradients=False), (x, f))
    assert KERNEL not in launched and OTHER in launched and np.isfinite(found[0].astype(float)).all()


def test_float32_where_the_user_lets_it(opened: Opened) -> None:
    a, b = numbers((20, 32), (24, 32))
    with opened():
        for config, there in ((allowed(), True), (None, False)):
            found, launched = ran(multiply(gc.float32, transpose_b=True), (a, b), config=config)
            assert (KERNEL in launched) == there and (found == a @ b.T).all()


@pytest.mark.parametrize("settings", [{"compute": 80}, {"devices": 1, "off": 1}])
def test_where_there_are_none(opened: Opened, monkeypatch: Any, settings: dict[str, int]) -> None:
    if settings.pop("off", 0):
        monkeypatch.setenv("GRAPHC_CUDA_WARPGROUPS", "0")
    a, b = numbers((16, 16), (16, 16))
    with opened(**settings):
        assert OTHER in ran(multiply(), (a, b))[1]


def test_a_driver_that_has_no_tensor_maps(opened: Opened, monkeypatch: Any) -> None:
    before = Driver.__init__

    def older(self: Any, opened_library: Any) -> None:
        before(self, opened_library)
        self.has_tensor_maps = False

    monkeypatch.setattr(Driver, "__init__", older)
    a, b = numbers((16, 16), (16, 16))
    with opened():
        assert OTHER in ran(multiply(), (a, b))[1]


PLANTED = {"a wrong step along k": ("add.s32 %rw_at, %rw_a, 4;", "add.s32 %rw_at, %rw_a, 2;", "differs from graphc's"),
           "a kernel that would hang": ("@%pw_more mbarrier.arrive.shared::cta.b64 _, [%rw_before];", "",
                                        "differs from graphc's own kernel in 1920 of 1920 elements"),
           "a kernel that is no kernel": ("bar.sync \t0;", "bar.sync \t3;", "failed: cuModuleLoadDataEx")}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_kernel_that_is_wrong_is_told_of_and_not_taken(opened: Opened, monkeypatch: Any, planted: str) -> None:
    right, wrong, said = PLANTED[planted]
    monkeypatch.setattr(warpgroups, "make_ptx", lambda text, compute: make_ptx(text, compute).replace(right, wrong))
    monkeypatch.setattr(warpgroups, "TRIES", 3)
    monkeypatch.setattr(warpgroups, "TRIES_OF_A_PANEL", 0)
    a, b = numbers((2, 40, 300), (2, 300, 24))
    with opened():
        with pytest.warns(UserWarning, match=rf"bf16, tiles of 128 columns.*{said}.*2 times \[40, 300\]") as told:
            found, launched = ran(multiply(shape=[2, None, None]), (a, b))
        assert len(told) == 1 and OTHER in launched and KERNEL not in launched
    with opened(), warnings.catch_warnings():          # another process knows of it
        warnings.simplefilter("error")
        assert KERNEL not in ran(multiply(shape=[2, None, None]), (a, b))[1]
    assert (found == wanted(a, b, gc.bfloat16)).all()


def test_a_map_that_the_driver_refuses_is_told_of(opened: Opened, monkeypatch: Any) -> None:
    monkeypatch.setitem(tensor_map._TYPES, "bf16", 99)
    a, b = numbers((16, 16), (16, 16))
    with opened(), pytest.warns(UserWarning, match="failed: cuTensorMapEncodeTiled"):
        assert OTHER in ran(multiply(), (a, b))[1]


def test_another_process_tries_the_kernels_first(opened: Opened, monkeypatch: Any) -> None:
    program = str(Path(__file__).parent / "stand_in_program.py")
    monkeypatch.setattr(warpgroup_probe, "COMMAND", (sys.executable, program, warpgroup_probe.__file__, "tf32"))
    with opened():
        device = find_device()
        assert device is not None and warpgroup_probe.complaint(device) == ""
        monkeypatch.setattr(warpgroup_probe, "COMMAND", ("no such program",))
        assert warpgroup_probe.complaint(device) == "", "it is known"


@pytest.mark.parametrize(("command", "said"), [
    ((sys.executable, "-c", "import os; os.abort()"), "a test ended with -6: nothing was said"),
    ((sys.executable, "-c", "raise SystemExit('a wrong number')"), "a test ended with 1: a wrong number"),
    ((sys.executable, "-c", "import time; time.sleep(60)"), "no end after 0.1 s"),
    (("no such program",), "no such program cannot be run")])
def test_kernels_that_do_not_work_are_told_of(opened: Opened, monkeypatch: Any, command: tuple[str, ...],
                                              said: str) -> None:
    monkeypatch.setattr(warpgroup_probe, "COMMAND", command)
    monkeypatch.setattr(warpgroup_probe, "SECONDS", 0.1 if "sleep" in command[-1] else 60)
    a, b = numbers((16, 16), (16, 16))
    with opened(), pytest.warns(UserWarning, match=f"do not work on stand-in: {said}") as told:
        assert OTHER in ran(multiply(), (a, b))[1]
    assert len(told) == 1


def test_a_gpu_without_memory_for_the_other_process_is_asked_again(opened: Opened, monkeypatch: Any) -> None:
    no_memory = f"raise SystemExit({warpgroup_probe.NOT_ASKED})"
    with opened():
        device = find_device()
        assert device is not None
        for program, said in ((no_memory, "a test ended with 3: nothing was said"), ("", "")):
            monkeypatch.setattr(warpgroup_probe, "COMMAND", (sys.executable, "-c", program))
            assert warpgroup_probe.complaint(device) == said
    monkeypatch.setattr(warpgroup_probe, "find_devices", lambda: [device])

    def full(count: int) -> int:
        raise gc.errors.ResourceExhaustedError(f"no memory for {count} bytes")

    monkeypatch.setattr(device, "enter", lambda: None)
    monkeypatch.setattr(device, "allocate", full)
    assert warpgroup_probe.main("tf32", "0") == warpgroup_probe.NOT_ASKED


def test_the_next_process_takes_the_same_without_a_trial(opened: Opened) -> None:
    a, b = numbers((20, 70), (70, 30))
    with opened():
        first, launched = ran(multiply(), (a, b))
        assert KERNEL in launched
    with opened():                             # another Device, which knows nothing
        work = library().work()
        again, launched = ran(multiply(), (a, b))
        assert KERNEL in launched and work["launch"] < 10
    assert (first == again).all()


def test_one_that_is_not_faster_is_not_taken(opened: Opened, monkeypatch: Any) -> None:
    monkeypatch.setattr(choices, "CLEARLY", 0.0)
    a, b = numbers((16, 16), (16, 16))
    with opened():
        assert OTHER in ran(multiply(), (a, b))[1]


def test_a_product_for_whose_trial_there_is_no_memory(opened: Opened) -> None:
    a, b = numbers((128, 128), (128, 128))
    with opened():
        find_device().limit = 360_000
        found, launched = ran(multiply(), (a, b))
        assert OTHER in launched and (found == wanted(a, b, gc.bfloat16)).all()


def test_gradients(opened: Opened) -> None:
    def differentiated() -> Any:
        x, w = (gc.cast(gc.placeholder(gc.float32, [None, None]), gc.bfloat16) for _ in range(2))
        y = gc.matmul(x, w)
        return [gc.cast(of, gc.float32) for of in gc.gradients(gc.reduce_sum(y * y), [x, w])]

    x, w = (array / 8 for array in numbers((18, 40), (40, 24)))
    with opened():
        ran(differentiated, (x, w))
    with opened():
        found, launched = ran(differentiated, (x, w), known=True)
    with driver_standing_in(compute=80):
        other, _ = ran(differentiated, (x, w))
    assert KERNEL in launched and OTHER not in launched
    for ours, theirs in zip(found, other, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_in_a_loop_between_others_and_beside_nvidias_library(opened: Opened, monkeypatch: Any) -> None:
    """Sizes that only the feeds tell; the loop's parts are recorded, and replayed."""
    def looped() -> Any:
        x, w = (gc.cast(gc.placeholder(gc.float32, [None, None]), gc.bfloat16) for _ in range(2))
        y = gc.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, gc.nn.relu(gc.matmul(y * 0.5, w)) * 0.25), [0, x])[1]
        return gc.cast(y + 1.0, gc.float32)

    x, w = numbers((18, 24), (24, 24))
    monkeypatch.setenv("GRAPHC_STANDIN_CUBLAS", "slow")
    with opened(cublas=True):
        first, _ = ran(looped, (x, w))
    with opened(cublas=True):
        found, launched = ran(looped, (x, w), known=True)
    assert (first == found).all()
    with driver_standing_in(compute=80):
        other, _ = ran(looped, (x, w))
    assert KERNEL in launched
    np.testing.assert_allclose(found, other, rtol=1e-2)
