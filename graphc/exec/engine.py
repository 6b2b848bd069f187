"""Engine: one Plan, ready to run in this process.

Opening makes the image, has the runtime verify it and keeps what it refers to alive. A run takes a frame that was
bound for the same input shapes out of a free list (or opens one), writes the addresses of inputs and fresh outputs
into its call record, and makes one native call without the GIL. Frames are kept for the shapes used last
(frames.py); runs of a kind that is run often go the quick way (quick.py).
"""
from __future__ import annotations

import ctypes
import itertools
import os
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc import errors
from graphc.exec import interrupt, messages
from graphc.exec.bfloat16 import wanted_bfloat16
from graphc.exec.frame import Frame, Shapes, output_in
from graphc.exec.frames import Frames
from graphc.exec.host import Host
from graphc.exec.image import make_image, number_names
from graphc.exec.machine_memory import machine_memory
from graphc.exec.native import close_model, native_functions
from graphc.exec.output_memory import OutputMemory
from graphc.exec.outside import Outside
from graphc.exec.pool import default_threads, worker_pool
from graphc.exec.quick import QuickRuns, is_possible
from graphc.exec.slots import read_slot
from graphc.exec.states import State, StateStore, aligned_empty
from graphc.exec.strings.runs import begin_run, end_run, strings_in
from graphc.exec.strings.table import TABLE, Held
from graphc.exec.ways import Ways, machine_ways, table_of
from graphc.ir import dtypes
from graphc.ir.locks import new_lock
from graphc.kernels.runtime import tables as t
from graphc.kernels.runtime.map_words import CODE_WORDS
from graphc.plan.plan import Plan
from graphc.plan.verify import check_ports

if TYPE_CHECKING:
    from graphc.exec.machine_speed import MachineSpeed

SHAPES_KEPT = 32           # frames for as many different input shapes are kept bound, while they take no more than
BYTES_KEPT = 256 << 20     # bytes together: to bind a large one again takes far less time than to run it
SHAPES_BOUND_ANEW = 4
_engines: weakref.WeakSet[Engine] = weakref.WeakSet()


class Engine:
    """Runs a plan. `constants`: values by name; `states`: a StateStore, or values by name (then all are initialised);
    `hosts`: the Python functions of Plan.hosts; `threads`: in all, default one a CPU; `memory_limit`: bytes that the
    plan's own memory may take, default what the machine or the control group has; `bfloat16`: whether operands of
    float32 products may be rounded to bfloat16 (bfloat16.py), which GRAPHC_WEIGHTS asks for, too.

    Raises UnimplementedError if the kernel library lacks something, InternalError if the plan does not verify.
    """

    on_device = False
    code_asked_for = False     # of exec/code_queue.py

    def __init__(
        self,
        plan: Plan,
        constants: Mapping[str, Any] | None = None,
        states: StateStore | Mapping[str, Any] | None = None,
        hosts: Mapping[str, Callable[..., Any]] | None = None,
        threads: int | None = None,
        memory_limit: int = 0,
        library: Any = None,
        bfloat16: bool = False,
    ) -> None:
        self.plan = plan
        if library is None:
            from graphc.exec.library import load_library
            library = load_library()
        self.states = states if isinstance(states, StateStore) else StateStore(states)
        self.names: list[str] = library.names
        self.runs = itertools.count()
        self._writes = any(body.writes for body in plan.bodies)
        self._locks = bool(plan.states)
        self._native = native_functions(library.entry)
        self._image = make_image(plan, *number_names(library.names, library.registry))
        self._registry, self._functions = library.registry, library.functions
        self._verify()
        self._cells = [self.states.state(s.name, s.dtype, s.shape) for s in plan.states]
        self._strings = strings_in(plan, self._cells)
        self._running: dict[int, Frame] = {}           # by thread, if the plan has functions and states
        self._notes_running = self._locks and bool(plan.hosts)
        self._host = Host(
            [(name, (hosts or {})[name]) for name in plan.hosts],
            memory_limit or machine_memory(),
            library.entry,
            Outside(self.states, self._cells_here(), self._strings, self._writes,
                    self._running) if self._notes_running else None,
        )
        self._held = Held(TABLE)               # strings among the constants
        self._constants = [
            self._constant(c.name, c.dtype, c.shape, (constants or {}).get(c.name)) for c in plan.constants
        ]
        self._output_memory = OutputMemory()
        self.frames = Frames()
        self._dtypes = tuple(dtypes.as_dtype(port.dtype).stored.numpy for port in plan.inputs)
        self._output_dtypes = tuple(dtypes.as_dtype(port.dtype).stored.numpy for port in plan.outputs)
        self._compiled = np.zeros(len(plan.programs) + 1, np.int64)
        self._code: list[Any] = []             # machine code that the plan's maps use, and the words that tell of it
        self._ways = [table_of(machine_ways(library), library.names)]
        self._bfloat16 = wanted_bfloat16(bfloat16, library.isa)
        self.library, self._threads = library, default_threads() if threads is None else threads
        self._stale = False                    # a run was left in the middle by a fork
        self._opening = new_lock()
        self._open()
        _engines.add(self)

    def _constant(self, name: str, dtype: str, shape: tuple[int, ...], value: Any) -> np.ndarray:
        if value is None:
            raise errors.InternalError(f"the plan's constant {name} has no value: the graph was changed, or is damaged")
        array = np.asarray(value)
        fits = array.dtype == (object if dtype == "str" else dtypes.as_dtype(dtype).numpy)
        if not fits or array.shape != tuple(shape):
            raise errors.InternalError(f"constant {name} is {array.dtype}{array.shape}, the plan wants {dtype}{shape}")
        if dtype == "str":
            array = TABLE.numbers(array, self._held)
        if array.flags.c_contiguous and array.ctypes.data % 64 == 0:
            return array
        aligned = aligned_empty(array.shape, array.dtype)
        aligned[...] = array
        return aligned

    def _verify(self) -> None:
        work, error = np.empty(4 * len(self._image) + 64, np.int64), np.zeros(t.ERROR_WORDS, np.int64)
        status = self._native["gc_verify"](
            int(self._image.ctypes.data),
            len(self._image),
            int(self._registry.ctypes.data),
            int(work.ctypes.data),
            int(error.ctypes.data),
        )
        if status:
            raise messages.bad_image(self.plan, error)
        check_ports(self.plan)                 # no part of the image

    def _open(self) -> None:
        native, host, library = self._native, self._host.address, self.library
        self._tables = [np.array([int(a.ctypes.data) for a in arrays] or [0], np.int64) for arrays in
                        (self._constants, [c.value for c in self._cells], [c.info for c in self._cells])]
        self._store = native["gc_store_open"](host)
        error = np.zeros(t.ERROR_WORDS, np.int64)
        request = np.zeros(t.OPEN_WORDS, np.int64)
        request[t.OPEN_COMPILED] = self._compiled.ctypes.data
        request[t.OPEN_NO_WINOGRAD] = os.environ.get("GRAPHC_WINOGRAD") == "0"
        request[t.OPEN_MAY_ROUND] = self._bfloat16
        request[t.OPEN_RUN_OTHER] = library.entry["gc_run_other"]
        request[t.OPEN_WAYS] = self._ways[-1].ctypes.data
        request[:t.OPEN_ERROR + 1] = (
            self._image.ctypes.data, self._registry.ctypes.data, self._functions.ctypes.data, host,
            worker_pool(self._threads, library.entry), self._store, *(table.ctypes.data for table in self._tables),
            library.entry["gc_run_body"], error.ctypes.data)
        self._model = native["gc_model_open"](int(request.ctypes.data))
        if not self._model:
            native["gc_store_close"](self._store)
            raise messages.run_error(self.plan, error, None)
        self._run_native = native["gc_run"]
        self._frames: list[int] = []           # every frame's address, to be freed with the engine
        keep = (self._held, self._host, self._compiled, self._image, self._registry, self._functions, self._tables,
                self._constants, self._cells, self._ways)
        self._finalizer = weakref.finalize(self, close_model, native, self._model, self._store, self._frames, keep)
        self._finalizer.atexit = False

    def run(self, inputs: Sequence[np.ndarray], run_number: int | None = None, cancel: int = 0,
            trace: int = 0) -> list[np.ndarray]:
        """The outputs, fresh arrays of the caller's own, for C-contiguous inputs of the plan's dtypes; strings are
        arrays of bytes objects.

        run_number: the counter of random ops (default: runs of this engine so far). cancel: address of an int64 that
        ends the run when it becomes nonzero. trace: address of a graphc.trace.Trace's words, 0: none. Raises the
        classes of graphc.errors, with the op to blame and the user's line.
        """
        number = next(self.runs) if run_number is None else run_number
        if self._strings:
            return self._run_strings(inputs, number, cancel, trace)
        return self.run_fitting(self._fitting(inputs), number, cancel, trace)

    def run_fitting(self, inputs: Sequence[np.ndarray], number: int, cancel: int = 0, trace: int = 0) -> list[Any]:
        """As `run`, of inputs that are as a Session's converters make them (session/feeds.py): nothing but real arrays
        may come here, as the native code reads the address of their data from the objects."""
        if self._strings:
            return self._run_strings(inputs, number, cancel, trace)
        return self._run_numbers(inputs, number, cancel, trace)

    def _run_numbers(self, inputs: Sequence[np.ndarray], number: int, cancel: int, trace: int) -> list[Any]:
        shapes = tuple([a.shape for a in inputs])
        frame = self.frames.take(shapes) or self._frame(shapes)
        outputs = [make() for make in frame.makers]
        places = map(id, outputs) if frame.fast else [0 if o is None else id(o) for o in outputs]
        frame.set_run(number, cancel, trace, *map(id, inputs), *places)
        if self._locks:
            status = self._run_locked(frame)
        else:
            status = self._run_native(frame.call_address)
        if status:
            error = self._error(frame)
            self.frames.keep(frame)
            raise error from error.__cause__
        if not frame.fast:
            outputs = [read_slot(frame.slots[i]) if o is None else o for i, o in enumerate(outputs)]
        self.frames.keep(frame)
        return outputs

    def quick_way(self, counter: Iterator[int], single: bool) -> Callable[..., Any] | None:
        """A function that does a run at once (exec/quick.py: QuickRuns.run): `counter` numbers them, it gives the first
        output alone if `single`. None if runs of this plan need more than that."""
        if self._strings or self._notes_running or not is_possible():
            return None
        quick = QuickRuns(self.library.entry, counter, single, self._dtypes, self._output_dtypes)
        self.frames.quick = quick
        return self._run_quick_locked if self._locks else quick.run

    def _run_quick_locked(self, *values: Any) -> Any:
        """A quick run under the lock of the states, as _run_locked."""
        lock, holder = self.states.lock, object()
        held = lock.writers if self._writes else lock.readers
        try:
            lock.acquire(holder, self._writes)
            if self.states.away:
                self.states.bring_home(self._cells)
            assert self.frames.quick is not None
            return self.frames.quick.run(*values)
        finally:
            held.discard(holder)
            if lock.gates:
                lock.wake()

    def quick_error(self, address: int) -> errors.OpError:
        """What the quick run ended with that gave this number; raises as _error does."""
        assert self.frames.quick is not None
        frame = self.frames.quick.failed(address)
        try:
            return self._error(frame)
        finally:
            frame.free()

    def _run_strings(self, inputs: Sequence[np.ndarray], number: int, cancel: int, trace: int) -> list[np.ndarray]:
        """A run in which there may be strings, held until it ends."""
        strings = self._strings
        assert strings is not None
        outer, held = begin_run()
        try:
            given = [TABLE.numbers(a, held) if i in strings.inputs else a for i, a in enumerate(inputs)]
            found = self._run_numbers(self._fitting(given), number, cancel, trace)
            return [TABLE.strings(a) if i in strings.outputs else a for i, a in enumerate(found)]
        finally:
            end_run(outer, held)

    def device_events(self, trace: int) -> list[Any]:
        """What a GPU did in the run with this trace (exec/cuda/timing.py)."""
        return []

    def gpu_speed(self) -> MachineSpeed | None:
        """What the GPU that runs use can do at best; None if they use none."""
        return None

    def bind(self, inputs: Sequence[np.ndarray]) -> None:
        """Has a frame ready for a run on inputs of these shapes; nothing is computed. Raises as `run` does."""
        shapes = tuple([np.shape(a) for a in inputs])
        self.frames.keep(self.frames.take(shapes) or self._frame(shapes))

    def _run_locked(self, frame: Frame) -> int:
        """A native run under the lock of the states (exec/shared_lock.py says why it looks like this)."""
        lock, thread = self.states.lock, threading.get_ident()
        held = lock.writers if self._writes else lock.readers
        outer = self._running.get(thread)
        try:
            if self._notes_running:
                self._running[thread] = frame
            lock.acquire(frame, self._writes)
            if self.states.away:
                self.states.bring_home(self._cells_here())
            return self._run_held(frame)
        finally:
            held.discard(frame)
            if lock.gates:
                lock.wake()
            if outer is not None:
                self._running[thread] = outer
            elif self._notes_running:
                self._running.pop(thread, None)

    def _run_held(self, frame: Frame) -> int:
        """The run itself, under the lock of the states."""
        if self._strings:
            return self._strings.run_on_variables(self._run_native, frame.call_address)
        return self._run_native(frame.call_address)

    def _cells_here(self) -> list[State]:
        """The variables that the host reads or writes in a run."""
        return self._cells

    def guesses(self) -> bool:
        """Whether the rank of what a Python function gives may turn out to be another one."""
        return any(getattr(function, "guesses", False) for function in self._host.functions)

    def use_compiled(self, programs: Mapping[int, Any]) -> None:
        """From the next bind on, maps of these programs run machine code, each a jit.CompiledProgram. Frames that are
        free are made again, here for the shapes used last, so that no run waits for it; runs may go on meanwhile."""
        for program, code in programs.items():
            told = np.array(code[:CODE_WORDS], np.int64)
            self._code.append((code, told))
            # A bind in another thread finds all of it or nothing: what an address in the table leads to never changes.
            self._compiled[program] = told.ctypes.data
        self._bind_anew()

    def use_ways(self, ways: Ways) -> None:
        """From the next bind on, kernels go these ways (ways.py); frames as in use_compiled."""
        self._ways.append(table_of(ways, self.names))          # a frame may be reading the one before
        (ctypes.c_int64 * t.MODEL_WORDS).from_address(self._model)[t.MODEL_WAYS] = self._ways[-1].ctypes.data
        self._bind_anew()

    def _bind_anew(self) -> None:
        for shapes in self.frames.retire()[-SHAPES_BOUND_ANEW:]:
            with suppress(errors.OpError):     # no memory for a second one: the next run has room
                self.frames.keep(self._frame(shapes))
        self._close_retired()

    def _close_retired(self) -> None:
        while (frame := self.frames.retired()) is not None:
            self._frames.remove(frame.address)
            self._native["gc_frame_close"](frame.address)

    def _fitting(self, inputs: Sequence[Any]) -> list[np.ndarray]:
        return [a if type(a) is np.ndarray and a.dtype == d and a.flags.carray else self._fit(i, a)
                for i, (a, d) in enumerate(zip(inputs, self._dtypes, strict=True))]

    def _fit(self, number: int, array: Any) -> np.ndarray:
        """`array` as an aligned, C-contiguous ndarray; read-only ones pass."""
        port = self.plan.inputs[number]
        array = np.asarray(array)
        if array.dtype != self._dtypes[number]:
            raise errors.InvalidArgumentError(f"feed {port.name} is {array.dtype}, {port.dtype} is wanted")
        fitting: np.ndarray = np.require(array, requirements=["C", "A"]).reshape(array.shape)
        return fitting

    def _frame(self, shapes: Shapes) -> Frame:
        """A frame bound for these shapes: a new one, or the one bound longest ago if there are many or large ones."""
        self._check_ranks(shapes)
        if self._stale:
            self._reopen()
        self._close_retired()
        enough = len(self._frames) >= SHAPES_KEPT or self._frame_bytes() > BYTES_KEPT
        frame = self.frames.oldest() if self.frames.spare or enough else None
        if frame is None:
            frame = Frame(self.plan, self._native, self._model)
            self._frames.append(frame.address)
        self.frames.bind(frame)
        sizes = np.zeros(max(8 * len(shapes), 1), np.int64)
        for i, shape in enumerate(shapes):
            sizes[8 * i:8 * i + len(shape)] = shape
        status = self._native["gc_frame_size"](frame.address, int(sizes.ctypes.data), int(frame.error.ctypes.data))
        if status:
            error = self._error(frame)
            self.frames.spare.append(frame)
            raise error from error.__cause__
        frame.expect(shapes, [output_in(slot, dtype)
                              for slot, dtype in zip(frame.slots, self._output_dtypes, strict=True)],
                     self._output_memory)
        return frame

    def _frame_bytes(self) -> int:
        """What the runtime has allocated for frames: all but packed copies."""
        packed = ctypes.c_int64.from_address(self._store + 8 * t.STORE_TAKEN).value if self._store else 0
        return int(self._host.words[t.HOST_USED]) - packed

    def _check_ranks(self, shapes: Shapes) -> None:
        for port, shape in zip(self.plan.inputs, shapes, strict=True):
            fits = len(shape) == len(port.shape) and all(w in (-1, s) for w, s in zip(port.shape, shape, strict=True))
            if not fits:
                wanted = tuple(None if s == -1 else s for s in port.shape)
                raise errors.InvalidArgumentError(f"feed {port.name} has shape {shape}, {wanted} is wanted")

    def _error(self, frame: Frame) -> errors.OpError:
        """What a run ended with, read while the frame is this thread's own. Raises what ended it from outside: an
        exception of a signal handler (Ctrl-C), or one that is no Exception from a Python function."""
        cause = self._host.take_exception()
        interrupt.raise_pending()
        if cause is not None and not isinstance(cause, Exception):
            raise cause
        return self._described(frame, cause)

    def _described(self, frame: Frame, cause: BaseException | None) -> errors.OpError:
        made = messages.run_error(self.plan, frame.error, cause)
        made.__cause__ = cause
        return made

    def abandon_runs(self) -> None:
        """In a forked child: if a run was under way in another thread, what it worked on is left as it is, and the
        model is opened again before the next run."""
        self._running.clear()
        if self.frames.idle() < len(self._frames):
            self._stale = True
            self.frames.forget()

    def _reopen(self) -> None:
        with self._opening:
            if self._stale:
                self._finalizer.detach()
                self._open()
                self._stale = False


def _after_fork_in_child() -> None:
    for engine in list(_engines):
        engine.abandon_runs()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
