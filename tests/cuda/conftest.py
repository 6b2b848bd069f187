"""The device on which the tests of this folder run: the machine's GPU if GRAPHC_TEST_GPU=1 (`make gpu`); else two that
stand in for one, the emulator of PTX and the library in place of libcuda."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from graphc.exec.cuda.calls.all import CALLS
from graphc.exec.cuda.code.ptx import OLDEST_COMPUTE, TENSOR_COMPUTE, WARPGROUP_COMPUTE
from graphc.exec.cuda.driver import find_device

from on_both import DEVICES, ON_GPU
from stand_in import StandIn, standing_in
from stand_in_driver import driver_standing_in


@pytest.fixture(params=DEVICES)
def device(request: Any) -> Iterator[Any]:
    """The device, which sessions find."""
    if request.param == "emulator":
        with standing_in(StandIn()) as stand_in:
            yield stand_in
        return
    if request.param == "gpu":
        found = find_device()
        assert found is not None, "GRAPHC_TEST_GPU=1, but there is no GPU"
        yield found
        return
    with driver_standing_in(request.param) as library:
        found = find_device()
        found.work = library.work()    # as the emulator counts
        yield found
        said = library.complaint()
        library.mend()
        assert not said, said


@pytest.fixture(params=["gpu"] if ON_GPU else ["emulator", "late"])
def ampere(request: Any, monkeypatch: Any) -> Iterator[Any]:
    """A device that has tensor cores."""
    with of_compute(TENSOR_COMPUTE, request.param, monkeypatch) as device:
        assert device.compute >= TENSOR_COMPUTE, "this GPU has no tensor cores"
        yield device


@pytest.fixture
def quick(monkeypatch: Any) -> Iterator[Any]:
    """A device for whole programs, which the emulator is slow at: the library alone, or the GPU."""
    with of_compute(OLDEST_COMPUTE, "gpu" if ON_GPU else "late", monkeypatch) as device:
        yield device


@pytest.fixture
def quick_ampere(monkeypatch: Any) -> Iterator[Any]:
    """The same with tensor cores."""
    with of_compute(TENSOR_COMPUTE, "gpu" if ON_GPU else "late", monkeypatch) as device:
        yield device


@pytest.fixture(params=["gpu"] if ON_GPU else ["emulator", "late"])
def hopper(request: Any, monkeypatch: Any) -> Iterator[Any]:
    """A device that has warpgroups and TMA, which those of compute capability 9.0 alone have."""
    with of_compute(WARPGROUP_COMPUTE, request.param, monkeypatch) as device:
        if device.compute != WARPGROUP_COMPUTE:
            pytest.skip("this GPU has no warpgroups")
        yield device


@contextmanager
def of_compute(compute: Any, kind: str, monkeypatch: Any) -> Iterator[Any]:
    """The GPU, whatever it is, or what stands in for one of that compute capability."""
    if kind == "gpu":
        found = find_device()
        assert found is not None
        yield found
    elif kind == "emulator":
        monkeypatch.setattr(StandIn, "compute", compute)
        with standing_in(StandIn()) as stand_in:
            yield stand_in
    else:
        with driver_standing_in(kind, compute=compute):
            yield find_device()


@pytest.fixture
def without_top_k(monkeypatch: Any) -> None:
    """As if the device had no kernel for top_k: an op that only the host can do, whatever comes to the device."""
    monkeypatch.delitem(CALLS, "top_k")
