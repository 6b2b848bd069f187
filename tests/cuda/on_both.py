"""A graph run on the CPU and on the device, and the results compared; a map run alone."""
from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.exec.cuda.maps import BoundMap, Place, launches
from graphc.exec.cuda.memory import Block
from graphc.exec.library import load_library
from graphc.plan.plan import Program

from stand_in_driver import IS_THERE

TYPES = {"f32": np.float32, "f64": np.float64, "i32": np.int32, "i64": np.int64, "bool": np.bool_, "u8": np.uint8,
         "i8": np.int8, "i16": np.int16, "u16": np.uint16, "u32": np.uint32, "u64": np.uint64, "f16": np.float16,
         "bf16": np.uint16}
Build = Callable[[], Any]
ON_GPU = os.environ.get("GRAPHC_TEST_GPU") == "1"
EVERYTHING = os.environ.get("GRAPHC_TEST_CUDA") == "all"       # make test-cuda
# What the fixture `device` gives: the library does asynchronous work as late as CUDA allows, or at once.
DEVICES = ["gpu"] if ON_GPU else ["emulator", *(["late"] if IS_THERE else []), *(["now"] if EVERYTHING else [])]


def results(where: str, build: Build, feeds: Sequence[Any] = (), runs: int = 1) -> list[Any]:
    """What the last of some runs gives. build: makes the graph and returns what is fetched; placeholders are fed in
    the order of their creation."""
    graph = gc.Graph()
    with graph.as_default(), graph.device(where):
        gc.set_random_seed(7)
        fetches = build()
        given = [op.outputs[0] for op in graph.get_operations() if op.type == "Placeholder"]
        variables = gc.global_variables()
        start = gc.global_variables_initializer() if variables else None
        with gc.Session() as session:
            if start is not None:
                session.run(start)
            for _ in range(runs):
                found = session.run(fetches, dict(zip(given, feeds, strict=True)))
    return list(found)


def check_equal(build: Build, *feeds: Any, runs: int = 1) -> None:
    """The device gives the CPU's bits (a NaN for a NaN)."""
    for ours, theirs in zip(results("/gpu:0", build, feeds, runs), results("/cpu:0", build, feeds, runs), strict=True):
        assert_same_bits(np.asarray(ours), np.asarray(theirs))


def check_close(build: Build, *feeds: Any, runs: int = 1, tolerance: float = 1e-5) -> None:
    """Sums of floats are in another order on the device."""
    for ours, theirs in zip(results("/gpu:0", build, feeds, runs), results("/cpu:0", build, feeds, runs), strict=True):
        if theirs is not None:
            assert np.asarray(ours).dtype == np.asarray(theirs).dtype
            np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def refused(build: Build, *feeds: Any) -> str:
    """What the CPU and the device both say of a run that is an InvalidArgumentError."""
    said = []
    for where in ("/cpu:0", "/gpu:0"):
        with pytest.raises(gc.errors.InvalidArgumentError) as caught:
            results(where, build, feeds)
        said.append(str(caught.value))
    assert said[0] == said[1]
    return said[0]


def assert_same_bits(ours: np.ndarray, theirs: np.ndarray) -> None:
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
    if ours.dtype.kind == "f":
        assert (np.isnan(ours) == np.isnan(theirs)).all()
        ours, theirs = np.where(np.isnan(ours), 0, ours), np.where(np.isnan(theirs), 0, theirs)
    bits = [np.frombuffer(a.tobytes(), np.uint8) for a in (ours, theirs)]
    assert (bits[0] == bits[1]).all(), f"{(bits[0] != bits[1]).sum()} bytes of {ours.nbytes} differ"


def run_map(device: Any, program: Program, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """A map over flat arrays of one length; its stores, flat."""
    device.enter()
    count, loads = len(arrays[0]), len(program.loads)
    kinds = [program.loads[v] if v < loads else program.instrs[v - loads].dtype for v in program.stores]
    outputs = [np.empty(count, TYPES[kind]) for kind in kinds]
    blocks = [Block(device, a.nbytes) for a in (*arrays, *outputs)]
    for block, array in zip(blocks, arrays, strict=False):
        device.upload(block.address, array.ctypes.data, array.nbytes)
    places = {i: Place(b.address, (a.itemsize,)) for i, (b, a) in
              enumerate(zip(blocks, (*arrays, *outputs), strict=True))}
    for i in program.instrs:
        if i.op == "linear":
            places[len(places)] = Place(0, (1,))
    for work in launches(BoundMap(program, (count,), 0, places), load_library(), lambda count: 0):
        work.prepare(device)
        work.submit(device)
    for block, array in zip(blocks[len(arrays):], outputs, strict=True):
        device.download(array.ctypes.data, block.address, array.nbytes)
    device.wait()
    return outputs
