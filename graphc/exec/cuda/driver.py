"""The CUDA driver (libcuda.so.1) by ctypes: devices, each with its primary context and one stream for all runs of the
process.

Nothing of CUDA is installed with graphc and nothing is imported where no GPU is used: the library is opened by
`find_devices`, which gives none on a machine without a driver or a GPU. The driver itself leaves out what
CUDA_VISIBLE_DEVICES hides. GRAPHC_LIBCUDA names another library (tests have
a stand-in). Every call is checked: CudaError says which call, the driver's name of the error, and what it means.
"""
from __future__ import annotations

import ctypes
import os
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from graphc import errors
from graphc.exec.cuda.code.ptx import OLDEST_COMPUTE
from graphc.exec.cuda.statuses import BEGINNINGS, NO_DEVICE, OUT_OF_MEMORY, STICKY
from graphc.exec.cuda.tensor_map import AnyMap, encode
from graphc.ir.locks import new_lock

POINTER, INT, SIZE, UNSIGNED = ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t, ctypes.c_uint
ADDRESS = ctypes.c_uint64
_COMPUTE_MAJOR, _COMPUTE_MINOR, _MULTIPROCESSORS = 75, 76, 16
_CLOCK, _MEMORY_CLOCK, _BUS_WIDTH = 13, 36, 37         # kHz, kHz, bits
_DYNAMIC_SHARED = 8                                    # attribute of a function: bytes of shared memory it may be given
_NON_BLOCKING, _RELAXED, _RECORD_EXTERNAL, _NO_TIMES = 1, 2, 1, 2
_SIGNATURES: dict[str, tuple[Any, ...]] = {
    "cuInit": (UNSIGNED,),
    "cuDriverGetVersion": (POINTER,),
    "cuDeviceGetCount": (POINTER,),
    "cuDeviceGet": (POINTER, INT),
    "cuDeviceGetName": (POINTER, INT, INT),
    "cuDeviceGetAttribute": (POINTER, INT, INT),
    "cuDeviceTotalMem_v2": (POINTER, INT),
    "cuDevicePrimaryCtxRetain": (POINTER, INT),
    "cuCtxSetCurrent": (POINTER,),
    "cuMemGetInfo_v2": (POINTER, POINTER),
    "cuModuleLoadDataEx": (POINTER, POINTER, UNSIGNED, POINTER, POINTER),
    "cuModuleGetFunction": (POINTER, POINTER, ctypes.c_char_p),
    "cuMemAlloc_v2": (POINTER, SIZE),
    "cuMemFree_v2": (ADDRESS,),
    "cuMemHostAlloc": (POINTER, SIZE, UNSIGNED),
    "cuMemFreeHost": (POINTER,),
    "cuMemcpyHtoDAsync_v2": (ADDRESS, POINTER, SIZE, POINTER),
    "cuMemcpyDtoHAsync_v2": (POINTER, ADDRESS, SIZE, POINTER),
    "cuMemcpyDtoDAsync_v2": (ADDRESS, ADDRESS, SIZE, POINTER),
    "cuMemcpyPeerAsync": (ADDRESS, POINTER, ADDRESS, POINTER, SIZE, POINTER),
    "cuMemsetD8Async": (ADDRESS, ctypes.c_ubyte, SIZE, POINTER),
    "cuStreamCreate": (POINTER, UNSIGNED),
    "cuStreamSynchronize": (POINTER,),
    "cuStreamWaitEvent": (POINTER, POINTER, UNSIGNED),
    "cuStreamBeginCapture_v2": (POINTER, INT),
    "cuStreamEndCapture": (POINTER, POINTER),
    "cuGraphInstantiateWithFlags": (POINTER, POINTER, ctypes.c_uint64),
    "cuGraphLaunch": (POINTER, POINTER),
    "cuGraphExecDestroy": (POINTER,),
    "cuGraphDestroy": (POINTER,),
    "cuEventCreate": (POINTER, UNSIGNED),
    "cuEventDestroy_v2": (POINTER,),
    "cuEventRecord": (POINTER, POINTER),
    "cuEventRecordWithFlags": (POINTER, POINTER, UNSIGNED),
    "cuEventElapsedTime": (POINTER, POINTER, POINTER),
    "cuFuncSetAttribute": (POINTER, INT, INT),
    "cuLaunchKernel": (POINTER, *[UNSIGNED] * 7, POINTER, POINTER, POINTER),
}
# What a driver may lack: from CUDA 12.0 on.
_NEWER: dict[str, tuple[Any, ...]] = {
    "cuTensorMapEncodeTiled": (POINTER, INT, UNSIGNED, ADDRESS, *[POINTER] * 4, *[INT] * 4),
    "cuTensorMapEncodeIm2col": (POINTER, INT, UNSIGNED, ADDRESS, *[POINTER] * 4, UNSIGNED, UNSIGNED, POINTER,
                                *[INT] * 4),
}


class CudaError(errors.InternalError):
    """A call of the CUDA driver that failed."""


class Driver:
    """The library's functions, checked, as attributes: `driver.cuMemFree_v2(address)`."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._name = library.cuGetErrorName
        self._name.argtypes, self._name.restype = [INT, POINTER], INT
        self.has_tensor_maps = all(hasattr(library, name) for name in _NEWER)
        for name, arguments in {**_SIGNATURES, **(_NEWER if self.has_tensor_maps else {})}.items():
            function = getattr(library, name)
            function.argtypes, function.restype = list(arguments), INT
            setattr(self, name, self._checked(name, function))

    def __getattr__(self, name: str) -> Callable[..., None]:
        raise AttributeError(f"the CUDA driver's {name} is not declared in {__name__}")

    def _checked(self, name: str, function: Callable[..., int]) -> Callable[..., None]:
        def call(*arguments: Any) -> None:
            status = function(*arguments)
            if status:
                raise self._error(name, status)

        return call

    def _error(self, call: str, status: int) -> errors.OpError:
        text = ctypes.c_char_p()
        self._name(status, ctypes.byref(text))
        said = f"{call}: {(text.value or b'unknown error').decode()} ({status})"
        if status == OUT_OF_MEMORY:
            return errors.ResourceExhaustedError(f"the GPU has no memory left ({said})")
        if status in STICKY:
            return CudaError(f"{said}: {STICKY[status]}")
        error = CudaError(f"{said}: {BEGINNINGS[status]}" if status in BEGINNINGS else said)
        error.status = status          # type: ignore[attr-defined]
        return error


class Device:
    """A GPU. number: of those that the process sees; compute: its compute capability, 90 for 9.0. clock: Hz; bandwidth:
    bytes a second that its memory has on paper. All work goes into `stream`. limit: bytes that may be allocated on it
    in all, 0: as many as it has. Nothing is reserved there before the first `enter`."""

    def __init__(self, driver: Driver, number: int = 0) -> None:
        self.driver, self._process = driver, os.getpid()
        self.number = self._get(INT, driver.cuDeviceGet, number)
        name = ctypes.create_string_buffer(256)
        driver.cuDeviceGetName(name, 256, self.number)
        self.name = name.value.decode(errors="replace")
        self.driver_version = self._get(INT, driver.cuDriverGetVersion)
        self.memory = self._get(SIZE, driver.cuDeviceTotalMem_v2, self.number)
        self.compute = 10 * self._attribute(_COMPUTE_MAJOR) + self._attribute(_COMPUTE_MINOR)
        self.multiprocessors = self._attribute(_MULTIPROCESSORS)
        self.clock = 1e3 * self._attribute(_CLOCK)
        self.bandwidth = 1e3 * self._attribute(_MEMORY_CLOCK) * 2 * self._attribute(_BUS_WIDTH) / 8
        self.modules: dict[str, int] = {}              # loaded, by their PTX text
        self.lock = new_lock()                         # held by the run that uses the stream
        self.libraries: dict[str, Any] = {}            # NVIDIA's, by name, as vendor/ has them
        self.limit = 0
        self._context = 0
        self._sizes: dict[int, int] = {}               # of what is allocated, by address

    @staticmethod
    def _get(kind: Any, call: Callable[..., None], *arguments: Any) -> Any:
        """What a call writes where its first argument points."""
        made = kind()
        call(ctypes.byref(made), *arguments)
        return made.value

    def _attribute(self, number: int) -> int:
        return int(self._get(INT, self.driver.cuDeviceGetAttribute, number, self.number))

    def enter(self) -> None:
        """Makes this thread use the device. Raises FailedPreconditionError in a forked child."""
        if not self.usable():
            raise errors.FailedPreconditionError(
                "the GPU was used before this process was forked, and CUDA does not work in a forked child: start it "
                "with multiprocessing's 'spawn', or use the GPU in the child only")
        if not self._context:
            self._begin()
        self.driver.cuCtxSetCurrent(self._context)

    def _begin(self) -> None:
        with self.lock:
            if not self._context:
                context = self._get(POINTER, self.driver.cuDevicePrimaryCtxRetain, self.number)
                self.driver.cuCtxSetCurrent(context)
                self.stream = self._get(POINTER, self.driver.cuStreamCreate, _NON_BLOCKING)
                self._now = self._get(POINTER, self.driver.cuEventCreate, _NO_TIMES)
                self._context = context

    def usable(self) -> bool:
        """False in a forked child."""
        return self._process == os.getpid()

    def free_memory(self) -> int:
        free, total = SIZE(), SIZE()
        self.driver.cuMemGetInfo_v2(ctypes.byref(free), ctypes.byref(total))
        return free.value

    # Memory

    def allocate(self, count: int) -> int:
        """The address of `count` bytes. Raises ResourceExhaustedError."""
        used = sum(self._sizes.values()) if self.limit else 0
        if self.limit and used + count > self.limit:
            raise errors.ResourceExhaustedError(
                f"the GPU {self.name} has no memory for {count} bytes more: {used} are in use, and "
                f"per_process_gpu_memory_fraction allows {self.limit} of {self.memory}; use smaller batches, or allow "
                "more")
        try:
            address = int(self._get(ADDRESS, self.driver.cuMemAlloc_v2, max(count, 1)))
            self._sizes[address] = count
            return address
        except errors.ResourceExhaustedError as error:
            raise errors.ResourceExhaustedError(
                f"the GPU {self.name} has no memory for {count} bytes more ({self.free_memory()} of {self.memory} are "
                f"free): use smaller batches, or run this part without gc.device('/gpu:0'); {error}") from None

    def free(self, address: int) -> None:
        self._sizes.pop(address, None)
        self.driver.cuMemFree_v2(address)

    def allocate_pinned(self, count: int) -> int:
        """The address of `count` bytes of the host's memory to which the device can copy while others work. Raises
        ResourceExhaustedError."""
        try:
            return int(self._get(POINTER, self.driver.cuMemHostAlloc, max(count, 1), 0))
        except errors.ResourceExhaustedError as error:
            raise errors.ResourceExhaustedError(
                f"the host has no pinned memory for {count} bytes, by which a run's feeds and fetches go to the GPU "
                f"{self.name}: feed and fetch less at a time; {error}") from None

    def free_pinned(self, address: int) -> None:
        self.driver.cuMemFreeHost(address)

    def upload(self, target: int, source: int, count: int) -> None:
        if count:
            self.driver.cuMemcpyHtoDAsync_v2(target, source, count, self.stream)

    def download(self, target: int, source: int, count: int) -> None:
        if count:
            self.driver.cuMemcpyDtoHAsync_v2(target, source, count, self.stream)

    def copy(self, target: int, source: int, count: int) -> None:
        if count and target != source:
            self.driver.cuMemcpyDtoDAsync_v2(target, source, count, self.stream)

    def copy_from(self, other: Device, target: int, source: int, count: int) -> None:
        """From another device's memory, behind all that either has to do; what they do next comes after it. Both have
        been entered; this one is, again."""
        if not count:
            return
        other.enter()
        other._come_behind(self)
        self.driver.cuMemcpyPeerAsync(target, self._context, source, other._context, count, other.stream)
        self.enter()
        self._come_behind(other)

    def _come_behind(self, other: Device) -> None:
        """What comes into this stream waits for what is in the other one now."""
        self.driver.cuEventRecord(other._now, other.stream)
        self.driver.cuStreamWaitEvent(self.stream, other._now, 0)

    def clear(self, target: int, count: int) -> None:
        if count:
            self.driver.cuMemsetD8Async(target, 0, count, self.stream)

    def wait(self) -> None:
        self.driver.cuStreamSynchronize(self.stream)

    # Code

    def function(self, ptx: str, name: str) -> int:
        """The kernel `name` of a module, which is loaded once. Raises CudaError: what the driver's compiler says."""
        module = self.modules.get(ptx)
        if module is None:
            module = self.modules[ptx] = self._load(ptx)
        return int(self._get(POINTER, self.driver.cuModuleGetFunction, module, name.encode()))

    def _load(self, ptx: str) -> int:
        log, module = ctypes.create_string_buffer(8192), POINTER()
        options = (INT * 2)(5, 6)                      # CU_JIT_ERROR_LOG_BUFFER, ..._SIZE_BYTES
        values = (POINTER * 2)(ctypes.cast(log, POINTER), POINTER(len(log)))
        try:
            self.driver.cuModuleLoadDataEx(ctypes.byref(module), ptx.encode() + b"\0", 2, options, values)
        except CudaError as error:
            said = log.value.decode(errors="replace").strip()
            raise CudaError(f"{error}; the driver's compiler says: {said or 'nothing'} (GPU {self.name}, compute "
                            f"capability {self.compute}, driver for CUDA {self.driver_version})") from None
        assert module.value is not None
        return module.value

    def allow_shared(self, function: int, count: int) -> None:
        """Launches of the kernel may give each block so many bytes of shared memory."""
        self.driver.cuFuncSetAttribute(function, _DYNAMIC_SHARED, count)

    def tensor_map(self, tensor: AnyMap) -> ctypes.Array[ctypes.c_char]:
        """The map as a kernel's parameter. Raises CudaError where the driver refuses it."""
        return encode(self.driver, tensor)

    def launch(self, function: int, grid: Sequence[int], block: Sequence[int], parameters: ctypes.Array[Any],
               shared: int = 0) -> None:
        """parameters: addresses of the kernel's parameters; shared: bytes for each block, beside what it declares."""
        x, y, z = (*grid, 1, 1)[:3]
        self.driver.cuLaunchKernel(function, x, y, z, *(*block, 1, 1)[:3], shared, self.stream, parameters, None)

    # Graphs: what is recorded once is launched with one call

    def record(self, work: Callable[[], None]) -> int:
        """What `work` puts into the stream, as a graph that is ready to be launched; nothing runs."""
        self.driver.cuStreamBeginCapture_v2(self.stream, _RELAXED)
        try:
            work()
        except BaseException:
            self._stop_recording()
            raise
        graph = POINTER()
        self.driver.cuStreamEndCapture(self.stream, ctypes.byref(graph))
        ready = self._get(POINTER, self.driver.cuGraphInstantiateWithFlags, graph, 0)
        self.driver.cuGraphDestroy(graph)
        return int(ready)

    def _stop_recording(self) -> None:
        """What was recorded is of no use. A call that a recording must not have makes the driver refuse this one, too:
        it stops, and what is told is the first error."""
        graph = POINTER()
        try:
            self.driver.cuStreamEndCapture(self.stream, ctypes.byref(graph))
        except CudaError:
            return
        if graph.value:
            self.driver.cuGraphDestroy(graph)

    def forget(self, graph: int) -> None:
        self.driver.cuGraphExecDestroy(graph)

    def replay(self, graph: int) -> None:
        self.driver.cuGraphLaunch(graph, self.stream)

    # Times

    def seconds(self, work: Callable[[], None]) -> float:
        """How long the device takes for what `work` puts into the stream."""
        times = self.times()
        times.mark()
        work()
        times.mark()
        return times.seconds()[1]

    def times(self, recorded: bool = False) -> Times:
        return Times(self, recorded)


class Times:
    """Marks in a device's stream, and when it came by them. recorded: they are put there while it records, and the
    graph is to be launched once."""

    def __init__(self, device: Device, recorded: bool) -> None:
        self._device, self._recorded, self._events = device, recorded, []  # type: Device, bool, list[int]

    def mark(self) -> None:
        driver, stream = self._device.driver, self._device.stream
        event = int(self._device._get(POINTER, driver.cuEventCreate, 0))
        self._events.append(event)
        if self._recorded:
            driver.cuEventRecordWithFlags(event, stream, _RECORD_EXTERNAL)
        else:
            driver.cuEventRecord(event, stream)

    def seconds(self) -> list[float]:
        """Of each mark, from the first one on; waits for all that the device has to do. The marks are forgotten."""
        driver, events = self._device.driver, self._events
        self._events = []
        self._device.wait()
        found = [float(self._device._get(ctypes.c_float, driver.cuEventElapsedTime, events[0], event)) / 1e3
                 for event in events]
        for event in events:
            driver.cuEventDestroy_v2(event)
        return found


_found: list[Device | None] = []               # [None]: there is none
_lock = new_lock()


def find_device() -> Device | None:
    """This machine's first GPU, None if there is none. Raises as find_devices."""
    return next(iter(find_devices()), None)


def find_devices() -> list[Device]:
    """This machine's GPUs, found once; none if there is no driver or no GPU. Those that are too old for graphc's
    kernels are not among them.

    Raises UnimplementedError if the driver is too old, CudaError if it does not work.
    """
    with _lock:
        if not _found:
            _found.extend(_open() or [None])
        return [device for device in _found if device is not None]


def _open() -> list[Device]:
    try:
        library = ctypes.CDLL(os.environ.get("GRAPHC_LIBCUDA", "libcuda.so.1"))
    except OSError:
        return []
    try:
        driver = Driver(library)
    except AttributeError as error:
        raise errors.UnimplementedError(f"the CUDA driver of this machine is too old for graphc ({error}); it must be "
                                        "one for CUDA 11.4 or newer") from None
    try:
        driver.cuInit(0)
    except errors.OpError as error:
        if getattr(error, "status", 0) == NO_DEVICE:
            return []
        raise
    count = INT()
    driver.cuDeviceGetCount(ctypes.byref(count))
    found = [Device(driver, number) for number in range(count.value)]
    too_old = [device for device in found if device.compute < OLDEST_COMPUTE]
    for device in too_old:
        warnings.warn(f"graphc: the GPU {device.name} has compute capability {device.compute / 10}, and is not used: "
                      f"graphc's kernels need {OLDEST_COMPUTE / 10}", stacklevel=3)
    return [device for device in found if device not in too_old]
