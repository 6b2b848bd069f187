"""The library in place of libcuda: what a GPU would refuse, or get wrong in silence, is an error there."""
from __future__ import annotations

import ctypes
from collections.abc import Iterator

import numpy as np
import pytest

from graphc import errors
from graphc.exec.cuda.driver import CudaError, Device, find_device
from graphc.exec.cuda.work import Launch

from ptx.programs import text_of
from stand_in_driver import IS_THERE, Library, driver_standing_in

pytestmark = pytest.mark.skipif(not IS_THERE, reason="the library is for x86-64")
Found = tuple[Device, Library]


@pytest.fixture
def found() -> Iterator[Found]:
    with driver_standing_in() as library:
        device = find_device()
        assert device is not None
        device.enter()
        yield device, library
        library.mend()


def launch(device: Device, lines: str, *addresses: int, threads: int = 32, target: str = "sm_75") -> None:
    text = text_of(lines, len(addresses)).replace("sm_80", target)
    Launch(text, "gc_test", (1,), (threads,), addresses).submit(device)


@pytest.mark.parametrize(("lines", "code", "said"), [
    ("ld.global.b32 %r1, [%rd40+256];\nst.global.b32 [%rd40], %r1;", 700, "touches what is not its own, near an "
     "allocation of 256 bytes, byte 256"),
    ("mov.u64 %rd1, 0;\nld.global.b32 %r1, [%rd1];\nst.global.b32 [%rd40], %r1;", 700, "near no allocation"),
    ("ld.global.b32 %r1, [%rd40+2];\nst.global.b32 [%rd40], %r1;", 716, "no multiple of 4"),
    ("setp.gt.u32 %p1, %r0, 3;\n@%p1 bra behind;\nbar.sync 0;\nbehind:", 719, "4 of 32 threads wait at a barrier, 28"),
    ("setp.gt.u32 %p1, %r0, 3;\n@%p1 bra behind;\nshfl.sync.up.b32 %r1, %r0, 1, 0, -1;\nbehind:", 719, "28 have ended"),
    ("mov.u64 %rd1, room;\nst.shared.b32 [%rd1+1024], %r0;", 700, "touches what is not its own"),
])
def test_a_kernel_that_fails_loses_the_context(found: Found, lines: str, code: int, said: str) -> None:
    device, library = found
    address = device.allocate(256)
    launch(device, lines, address)
    with pytest.raises(CudaError, match=rf"\({code}\): a kernel failed"):
        device.wait()
    assert said in library.complaint() and "kernel gc_test, block 0" in library.complaint()
    with pytest.raises(CudaError, match=rf"\({code}\)"):
        device.allocate(4)
    library.mend()
    device.free(address)


def test_memory_is_not_used_once_it_was_freed(found: Found) -> None:
    device, library = found
    first, second = device.allocate(64), device.allocate(64)
    graph = device.record(lambda: device.clear(first, 64))
    device.free(first)
    with pytest.raises(CudaError, match="INVALID_VALUE"):
        device.free(first)
    library.mend()
    device.replay(graph)
    with pytest.raises(CudaError, match="a kernel failed"):
        device.wait()
    assert "a memset of 64 bytes" in library.complaint()
    library.mend()
    launch(device, "st.global.b32 [%rd40], %r0;", first, threads=1)
    with pytest.raises(CudaError, match="a kernel failed"):
        device.wait()
    library.mend()
    device.free(second)


def test_writing_beside_an_allocation_is_found_when_it_is_freed(found: Found) -> None:
    device, library = found
    address = device.allocate(8)                               # 248 bytes are left to the next multiple of 256
    launch(device, "st.global.b32 [%rd40+12], %r0;", address, threads=1)
    device.wait()
    with pytest.raises(CudaError):
        device.free(address)
    assert "something was written beside an allocation of 8 bytes" in library.complaint()


def test_copies_stay_in_their_allocation(found: Found) -> None:
    device, library = found
    address, host = device.allocate(16), np.zeros(64, np.uint8)
    device.upload(address, host.ctypes.data, 32)
    with pytest.raises(CudaError, match="a kernel failed"):
        device.wait()
    assert "upload of 32 bytes to an allocation of 16 bytes" in library.complaint()


def test_new_memory_holds_garbage(found: Found) -> None:
    device, _ = found
    address, host = device.allocate(16), np.zeros(16, np.uint8)
    device.download(host.ctypes.data, address, 16)
    device.wait()
    assert (host == 0xAB).all()
    device.free(address)


def test_work_waits_as_late_as_it_may(found: Found) -> None:
    device, library = found
    address, host, back = device.allocate(4), np.array([1], np.int32), np.zeros(1, np.int32)
    before = library.work()
    device.upload(address, host.ctypes.data, 4)
    device.download(back.ctypes.data, address, 4)
    host[0] = 2                                                # too early: nobody has waited
    assert before["upload"] == 0 and back[0] == 0
    device.wait()
    assert before["upload"] == 1 and back[0] == 2
    device.free(address)
    with driver_standing_in("now"):
        device = find_device()
        device.enter()
        address = device.allocate(4)
        device.upload(address, host.ctypes.data, 4)
        host[0] = 3
        device.download(back.ctypes.data, address, 4)
        assert back[0] == 2
        device.free(address)


def test_freeing_waits_for_the_device(found: Found) -> None:
    device, _ = found
    address, back = device.allocate(4), np.ones(1, np.int32)
    device.clear(address, 4)
    device.download(back.ctypes.data, address, 4)
    device.free(address)
    assert back[0] == 0


@pytest.mark.parametrize("wrong", ["wait", "measured"])
def test_what_cannot_be_recorded_is_refused(found: Found, wrong: str) -> None:
    device, library = found
    with pytest.raises(CudaError, match="STREAM_CAPTURE_UNSUPPORTED"):     # not what ending it says
        device.record(device.wait if wrong == "wait" else lambda: [device.seconds(lambda: None)][:0])
    library.mend()


def test_a_module_for_a_newer_gpu_is_refused(found: Found) -> None:
    device, _ = found
    with pytest.raises(CudaError, match=r"NO_BINARY_FOR_GPU \(209\); the driver's compiler says: made for sm_90"):
        launch(device, "", target="sm_90")


def test_a_module_that_it_does_not_know_says_why(found: Found) -> None:
    device, _ = found
    with pytest.raises(CudaError, match=r"INVALID_PTX .* the stand-in does not know: ex2\.approx\.f32"):
        launch(device, "ex2.approx.f32 %r1, %r0;")
    with pytest.raises(CudaError, match="NOT_FOUND"):
        device.function(text_of("", 0).replace("sm_80", "sm_75"), "gc_other")


def test_launches_that_no_gpu_takes_are_refused(found: Found) -> None:
    device, library = found
    for threads in (0, 1025):
        with pytest.raises(CudaError, match="INVALID_VALUE"):
            launch(device, "", threads=threads)
        library.mend()


def test_calls_without_a_context_are_refused(found: Found) -> None:
    device, _ = found
    device.driver.cuCtxSetCurrent(None)
    with pytest.raises(CudaError, match="INVALID_CONTEXT"):
        device.driver.cuMemAlloc_v2(ctypes.byref(ctypes.c_uint64()), 4)
    device.enter()


def test_memory_ends(found: Found) -> None:
    with driver_standing_in(memory=1 << 26):             # of which devices of earlier tests may still hold some
        device = find_device()
        device.enter()
        left = device.free_memory()
        with pytest.raises(errors.ResourceExhaustedError, match=f"has no memory for {left + 1} bytes more"):
            device.allocate(left + 1)
        device.free(device.allocate(left))


def test_threads_and_blocks_run_in_another_order_each_time(found: Found) -> None:
    """What depends on the order is seen to change: here who comes first."""
    device, _ = found
    firsts, back = [], np.zeros(1, np.uint32)
    for _ in range(2):
        address = device.allocate(4)
        device.clear(address, 4)
        launch(device, "add.u32 %r1, %r0, 1;\natom.global.cas.b32 %r2, [%rd40], 0, %r1;", address)
        device.download(back.ctypes.data, address, 4)
        device.wait()
        firsts.append(int(back[0]))
        device.free(address)
    assert sorted(firsts) == [1, 32]


def test_events_and_times(found: Found) -> None:
    device, _ = found
    address = device.allocate(1 << 20)
    assert 0 < device.seconds(lambda: device.clear(address, 1 << 20)) < 1
    device.free(address)


