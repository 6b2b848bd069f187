"""BodyBuilder: writes one body of a Plan; it is the `b` that `Op.lower(b, inputs, outputs)` gets.

ir/steps.py says what an op may ask of it; inputs and outputs are Accesses (ir/access.py). The rest is for the
compiler, which writes buffers, slots and steps of loops here, too.

Dims are hash-consed: a Size becomes rows of the table once. Maps drop axes of size 1 and merge neighbouring axes that
lie contiguously in every access, so most elementwise maps are one-dimensional.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.errors import InternalError, UnimplementedError
from graphc.ir import dims, dtypes
from graphc.ir.access import Access, Text, whole
from graphc.ir.dims import Size
from graphc.ir.dtypes import DType
from graphc.ir.host import Host, with_strings
from graphc.ir.spec import Spec
from graphc.kernels.contracts import dtypes as table
from graphc.kernels.contracts.all import KERNELS
from graphc.kernels.contracts.kernel import Kernel
from graphc.ops.control.script import WithValues, add_host, host_function
from graphc.ops.control.session_objects import ObjectCall
from graphc.plan import plan
from graphc.plan.complex_scalars import Complex
from graphc.plan.dim_table import DimTable
from graphc.plan.map_shape import MapShape
from graphc.plan.plan_builder import PlanBuilder
from graphc.plan.scalar_program import Scalar, ScalarProgram

if TYPE_CHECKING:
    from graphc.ir.steps import ScalarFunction

MAX_RANK = 8
MOVED_AS = {row.short: dtypes.as_dtype(row.moved_as) for row in table.DTYPES.values() if row.moved_as}
SIZES_PER_CALL = 8
# Kernels that only move elements or tell equal ones, as the numbers of strings allow.
MOVING = frozenset({"copy", "gather", "gather_nd", "scatter_nd", "absent", "unique"})
GUARDS = {"equal": plan.GuardKind.EQUAL, "less_equal": plan.GuardKind.LESS_EQUAL, "less": plan.GuardKind.LESS}


class BodyBuilder:
    """See the header. `origins` are the plan's numbers of the user's ops behind the steps being written."""

    def __init__(self, owner: PlanBuilder, name: str) -> None:
        self.plan = owner
        self.name = name
        self.dims = DimTable()
        self.buffers: list[plan.Buffer] = []
        self.inputs: list[int] = []
        self.outputs: list[int] = []
        self.slots: list[plan.Slot] = []
        self.guards: list[plan.Guard] = []
        self.steps: list[plan.Step] = []
        self.writes: set[int] = set()
        self.origins: tuple[int, ...] = ()
        self._counter: Access | None = None
        self._counts: dict[Size, Access] = {}       # sizes stored as int64[1]
        self._constants: dict[int, Access] = {}
        self._elements: list[Size] = []                # of each buffer
        self._seen: dict[tuple[int, str], int] = {}    # aliases of a buffer as one of another dtype

    # Sizes and buffers

    def size(self, size: Size) -> int:
        """The dim id of a Size."""
        return self.dims.id(size)

    def buffer(self, kind: plan.BufferKind, dtype: DType, shape: Sequence[Size], index: int = 0) -> Access:
        """A new buffer of the body, whole."""
        if len(shape) > MAX_RANK:
            raise UnimplementedError(f"tensors of rank {len(shape)} are not supported; the limit is {MAX_RANK}")
        number = len(self.buffers)
        self.buffers.append(plan.Buffer(kind, dtype.stored.short, tuple(self.size(s) for s in shape), index))
        self._elements.append(dims.product(shape))
        return whole(number, dtype.unquantized, shape)

    def temporary(self, dtype: DType, shape: Sequence[Size]) -> Access:
        return self.buffer(plan.BufferKind.ARENA, dtype, shape)

    def constant(self, value: Any, name: str | None = None) -> Access:
        """A constant of the Plan, from a NumPy array. `name`: of the node that holds it in the saved graph."""
        array = dtypes.integers(np.asarray(value))
        number = self.plan.constant(array, name if array is value else None)
        found = self._constants.get(number)
        if found is None:
            found = self.buffer(plan.BufferKind.CONST, dtypes.as_dtype(array.dtype), array.shape, number)
            self._constants[number] = found
        return found

    def counter(self) -> Access:
        if self._counter is None:
            self._counter = self.buffer(plan.BufferKind.COUNTER, dtypes.int64, (2,))
        return self._counter

    def same_memory(self, x: Access, y: Access) -> bool:
        """Whether both lie in one buffer, maybe seen through aliases."""
        return self._base(x) == self._base(y)

    def _base(self, x: Access) -> int:
        root = self.buffers[x.buffer]
        return root.index if root.kind == plan.BufferKind.ALIAS else x.buffer

    def reshape(self, x: Access, shape: Sequence[Size]) -> Access:
        x = self.contiguous(x)
        if len(shape) == x.rank and all(dims.same(a, b) for a, b in zip(shape, x.shape, strict=True)):
            return x
        return self.buffer(plan.BufferKind.ALIAS, x.dtype, shape, self._base(x))

    def bitcast(self, x: Access, dtype: DType, shape: Sequence[Size]) -> Access:
        """The bits of x, of numbers, as numbers of another dtype, of this shape."""
        x = self.contiguous(x)
        if not dims.same(self._elements[x.buffer], dims.product(x.shape)):     # a part of a buffer is no alias of it
            x, part = self.temporary(x.dtype, x.shape), x
            self.copy(part, x)
        return self.buffer(plan.BufferKind.ALIAS, dtype, shape, self._base(x))

    def seen_as(self, x: Access, dtype: DType) -> Access:
        """x, contiguous, as numbers of another dtype: the same bits, one after the other (rank 1)."""
        base = self._base(x)
        number = self._seen.get((base, dtype.short))
        count = self._elements[base] * (table.DTYPES[self.buffers[base].dtype].size // dtype.size)
        if number is None:
            made = self.buffer(plan.BufferKind.ALIAS, dtype, (count,), base)
            self._seen[(base, dtype.short)] = made.buffer
            return made
        return whole(number, dtype, (count,))

    def parts(self, x: Access) -> tuple[Access, ...]:
        """The real and the imaginary parts of a complex x, each every second number of its memory; else x itself."""
        if not x.dtype.is_complex:
            return (x,)
        flat = self.seen_as(x, x.dtype.real_dtype)
        strides = tuple(s * 2 for s in x.strides)
        return tuple(Access(flat.buffer, flat.dtype, x.shape, strides, x.offset * 2 + i) for i in range(2))

    def contiguous(self, x: Access) -> Access:
        if x.is_contiguous:
            return x
        copied = self.temporary(x.dtype, x.shape)
        self.copy(x, copied)
        return copied

    # Steps

    def call(self, kernel: str, operands: Sequence[Access], dims: Sequence[Size] = (),
             attrs: Sequence[float] = ()) -> None:
        """Calls a kernel. What it only reads is copied if not contiguous."""
        declared = KERNELS[kernel]
        inputs = len(operands) - declared.outputs
        for result in operands[inputs:]:
            if not result.is_contiguous:
                raise InternalError(f"kernel {kernel} cannot write into strides {result.strides}")
        operands = [*(self.contiguous(x) for x in operands[:inputs]), *operands[inputs:]]
        if declared.moves:
            operands, dims = self._bits(declared, operands, dims)
        self.step(plan.Call(declared.full_name(_stored(kernel, operands)), tuple(x.buffer for x in operands),
                            tuple(self.size(d) for d in dims), declared.attr_words(attrs), origins=self.origins))

    def _bits(self, kernel: Kernel, operands: list[Access], sizes: Sequence[Size]) -> tuple[list[Access], list[Size]]:
        """Operands and dims of a kernel that only moves elements, in dtypes that it has."""
        each, seen = 1, []
        for x, operand in zip(operands, kernel.operands, strict=True):
            if operand.dtype in kernel.variables and not kernel.has(operand.dtype, x.dtype.stored.short):
                other = MOVED_AS[x.dtype.short]
                each, x = x.dtype.size // other.size, self.seen_as(x, other)
            seen.append(x)
        return seen, [d * each if name == kernel.moves else d for name, d in zip(kernel.dims, sizes, strict=True)]

    def map(self, function: ScalarFunction, inputs: Sequence[Access], outputs: Sequence[Access]) -> None:
        program = ScalarProgram()
        values = function(program, *(program.load(x.dtype) for x in inputs))
        stores = list(values) if isinstance(values, (tuple, list)) else [values]
        if len(stores) != len(outputs):
            raise InternalError(f"the scalar function gives {len(stores)} values for {len(outputs)} outputs")
        self.emit_map(program, outputs[0].shape, 0, inputs, stores, outputs)

    def elementwise(self, function: ScalarFunction, inputs: Sequence[Access], outputs: Sequence[Access]) -> None:
        self.map(function, [x.broadcast(outputs[0].shape) for x in inputs], outputs)

    def copy(self, source: Access | Text, target: Access) -> None:
        source = self.constant(source.value) if isinstance(source, Text) else source
        if source.is_contiguous and target.is_contiguous:
            self.call("copy", [source, target], [source.elements])
        else:
            self.map(lambda s, x: x, [source], [target])

    def fill(self, target: Access, value: float | int | bool) -> None:
        self.map(lambda s: s.constant(value, target.dtype), [], [target])

    def reduce(self, combine: str, x: Access, y: Access, axes: Sequence[int], element: ScalarFunction | None = None,
               finish: ScalarFunction | None = None) -> None:
        kept = [i for i in range(x.rank) if i not in axes]
        moved = x.transpose([*kept, *axes])
        target = Access(y.buffer, y.dtype, tuple(x.shape[i] for i in kept), _kept_strides(y, x, kept), y.offset)
        program = ScalarProgram()
        value = program.load(x.dtype)
        row = program.reduce(combine, element(program, value) if element else value)
        loads = [moved]
        if finish is not None:
            count, extra = self.count(program, dims.product(x.shape[i] for i in axes), moved.shape)
            row = finish(program, row, count)
            loads += extra
        if not axes:
            self.emit_map(program, moved.shape, 0, loads, [row], [target])
        else:
            self.emit_map(program, moved.shape, len(axes), loads, [row], [target])

    def count(self, program: ScalarProgram, size: Size, domain: Sequence[Size]) -> tuple[Scalar, list[Access]]:
        """A size as an int64 scalar of a program, and the loads that this needs (none if it is known)."""
        if isinstance(size, int):
            return program.constant(size, dtypes.int64), []
        stored = self._counts.get(size)
        if stored is None:
            stored = self._counts[size] = self.temporary(dtypes.int64, (1,))
            self.store_sizes([size], stored)
        return program.load(dtypes.int64), [stored.squeeze((0,)).broadcast(domain)]

    def store_sizes(self, sizes: Sequence[Size], y: Access) -> None:
        for start in range(0, len(sizes), SIZES_PER_CALL):
            part = list(sizes[start:start + SIZES_PER_CALL])
            padded = [*part, *([0] * (SIZES_PER_CALL - len(part)))]
            self.call("sizes", [y], padded, [start, len(part)])

    def bind(self, x: Access, sizes: Sequence[Size]) -> None:
        x = self.contiguous(x)
        self.step(plan.Bind(x.buffer, tuple(self.dims.runtime(s) for s in sizes), origins=self.origins))

    def bind_unknown(self, x: Access, sizes: Sequence[Size]) -> None:
        unknown = [i for i, size in enumerate(sizes) if self.dims.is_unbound(size)]
        if not unknown:
            return
        found = self.temporary(x.dtype, (len(unknown),))
        for position, i in enumerate(unknown):
            self.copy(x.part(0, i, 1), found.part(0, position, 1))
        self.bind(found, [sizes[i] for i in unknown])

    def host(self, name: str, operands: Sequence[Access | Text], outputs: Sequence[Access]) -> None:
        """outputs: buffers whose sizes may be symbols that this call makes known (bound from the results' shapes)."""
        if any(isinstance(x, Text) for x in operands) and isinstance(host_function(name), ObjectCall):
            operands = [self.constant(x.value) if isinstance(x, Text) else x for x in operands]
        texts = {i: x.value for i, x in enumerate(operands) if isinstance(x, Text)}
        if texts:
            function = WithValues(name, texts)
            name = add_host(name.partition(":")[0], function)
        given = [x for x in operands if isinstance(x, Access)]
        taken, made = ([i for i, x in enumerate(xs) if x.dtype == dtypes.string] for xs in (given, outputs))
        number = self.plan.host(name, with_strings(name, taken, made) if taken or made else name)
        inputs = tuple(self.contiguous(x).buffer for x in given)
        self.into_slots(outputs, lambda slots, binds: plan.Host(number, inputs, slots, binds, origins=self.origins))

    def compute(self, op: Host, operands: Sequence[Access | Text], outputs: Sequence[Access]) -> None:
        operands = [self.constant(x.value) if isinstance(x, Text) else x for x in operands]
        sizes = op.sizes()
        if sizes:
            known = self.temporary(dtypes.int64, (len(sizes),))
            self.store_sizes(sizes, known)
            operands = [*operands, known]
        self.host(self.plan.computed(op), operands, outputs)

    def into_slots(self, outputs: Sequence[Access | Spec], make: Callable[..., plan.Step]) -> None:
        """A step made by make(slots, binds) whose results go through slots into these buffers (a Spec: not wanted).

        Sizes of the outputs that are symbols not known yet become known, from the results' shapes.
        """
        slots, binds = [], []
        for output in outputs:
            shape = output.shape or ()
            slot = len(self.slots)
            self.slots.append(plan.Slot(output.dtype.stored.short, len(shape)))
            slots.append(slot)
            for axis, size in enumerate(shape):
                if self.dims.is_unbound(size):
                    binds.append(plan.SlotBind(slot, axis, self.dims.runtime(size)))
        self.step(make(tuple(slots), tuple(binds)))
        for slot, output in zip(slots, outputs, strict=True):
            if isinstance(output, Access):
                self.step(plan.Take(slot, output.buffer, origins=self.origins))

    def require(self, relation: str, a: Size, b: Size, message: str) -> None:
        """A guard: checked as soon as both sizes are known. Each is kept once."""
        origin = self.origins[0] if self.origins else -1
        guard = plan.Guard(GUARDS[relation], self.size(a), self.size(b), origin, message)
        if guard not in self.guards[-8:]:
            self.guards.append(guard)

    def emit_map(self, program: ScalarProgram, domain: Sequence[Size], reduced: int, loads: Sequence[Access],
                 values: list[Any], stores: Sequence[Access]) -> None:
        """The map step itself: values[j] goes to stores[j]; the accesses of row values lack the reduced axes."""
        self.step(self.make_map(program, domain, reduced, loads, values, stores))

    def make_map(self, program: ScalarProgram, domain: Sequence[Size], reduced: int, loads: Sequence[Access],
                 values: list[Any], stores: Sequence[Access]) -> plan.Map:
        loads, stores = ([part for x in accesses for part in self.parts(x)] for accesses in (loads, stores))
        values = [part for v in values for part in ((v.re, v.im) if isinstance(v, Complex) else (v,))]
        finished, kept = program.finish(values)
        accesses = [loads[i] for i in kept]
        for access in [*accesses, *stores]:
            if access.rank not in (len(domain), len(domain) - reduced):
                raise InternalError(f"an access of shape {access.shape} in a map over {tuple(domain)}")
        if reduced and all(s.rank < len(domain) for s in stores) and not any(v.row for v in values):
            domain, accesses, reduced = domain[:-reduced], [_rows(x, reduced) for x in accesses], 0
        elif reduced:
            # What no reduction goes into (ones of a sum's shape) is a value of each element, equal ones in a row.
            stores = [s if v.row or s.rank == len(domain) else s.broadcast_trailing(domain[-reduced:])
                      for s, v in zip(stores, values, strict=True)]
            reduced = reduced if any(v.row for v in values) else 0
        shape = MapShape(domain, reduced, [a.strides for a in [*accesses, *stores]])
        if not program.uses_index:
            shape.merge()
        if len(shape.domain) > MAX_RANK:
            raise UnimplementedError(f"a map over {len(shape.domain)} axes is not supported; the limit is {MAX_RANK}")
        made = [plan.Access(a.buffer, self.size(a.offset), tuple(self.size(s) for s in strides))
                for a, strides in zip([*accesses, *stores], shape.strides, strict=True)]
        return plan.Map(self.plan.program(finished), tuple(self.size(s) for s in shape.domain), shape.reduced,
                        tuple(made[:len(accesses)]), tuple(made[len(accesses):]), origins=self.origins)

    def step(self, step: plan.Step) -> None:
        self.steps.append(step)

    def finish(self) -> plan.Body:
        """The body, complete."""
        self.dims.check_bound(self.name)
        return plan.Body(self.name, self.dims.rows(), tuple(self.buffers), tuple(self.inputs), tuple(self.outputs),
                         tuple(self.slots), tuple(self.guards), tuple(self.steps), tuple(sorted(self.writes)))


def _stored(kernel: str, operands: Sequence[Access]) -> list[str]:
    """The dtypes in memory of a kernel's operands. Raises UnimplementedError for strings if it computes with them."""
    if kernel not in MOVING and any(x.dtype == dtypes.string for x in operands):
        raise UnimplementedError(f"kernel '{kernel}' does not compute with strings; use gc.strings, or a gc.py_func")
    return [x.dtype.stored.short for x in operands]


def _rows(x: Access, reduced: int) -> Access:
    """An access that stays where it is along the reduced axes, without them."""
    return replace(x, shape=x.shape[:-reduced], strides=x.strides[:-reduced])


def _kept_strides(y: Access, x: Access, kept: Sequence[int]) -> tuple[Size, ...]:
    """Strides of y for the kept axes of x, whether or not y keeps the reduced ones with size 1."""
    if y.rank == x.rank:
        return tuple(y.strides[i] for i in kept)
    if y.rank == len(kept):
        return y.strides
    raise InternalError(f"a reduction of {x.shape} cannot be stored in shape {y.shape}")
