"""ScalarProgram: writes a plan.Program while an op's scalar function runs.

It is the `s` that `Elementwise.scalar` and the functions given to `BodyBuilder.map` receive: s("mul", x, y) appends an
instruction and gives its value; equal instructions are one value. Which primitives exist: kernels/scalars.

Types. The primitives work on f32, f64, i32, i64 and bool. Values of a narrower type are widened, computed and narrowed
again by each instruction: integers wrap as NumPy's do, 16-bit floats are rounded. uint64 is computed in int64
(plan/unsigned_scalars.py), a complex value is two real ones (plan/complex_scalars.py). Any other type is an
UnimplementedError.
"""
from __future__ import annotations

from typing import Any

from graphc.errors import UnimplementedError
from graphc.ir import dtypes
from graphc.ir.dtypes import DType
from graphc.ir.op import Scalars
from graphc.ir.records import dataclass
from graphc.kernels.contracts import dtypes as table
from graphc.plan import plan
from graphc.plan.complex_scalars import Complex, complex_cast, complex_primitive
from graphc.plan.unsigned_scalars import unsigned_cast, unsigned_primitive, unsigned_reduce

COMPARISONS = frozenset({"less", "less_equal", "greater", "greater_equal", "equal", "not_equal",
                         "is_nan", "is_inf", "is_finite"})
WIDENED = {short: dtypes.as_dtype(wide) for short, wide in table.WIDENED.items()}
PRIMITIVE = frozenset(table.COMPUTED).difference(WIDENED)
HELD = frozenset(row.short for row in table.DTYPES.values() if row.use != "held" or row.kind == "quantized") | {"str"}
OF_STRINGS = frozenset({"equal", "not_equal", "select"})       # what their numbers allow
RESULT_OF_OTHER = {"select": 1, "philox_bits": 0}


@dataclass(frozen=True, eq=False)
class Scalar:
    """A value of the program. row: it is made from a reduction, one for each index of the outer axes."""

    op: str
    dtype: DType
    args: tuple[Scalar, ...] = ()
    value: float | int | bool = 0
    row: bool = False


class ScalarProgram(Scalars):
    """See the header. Loads are made first to last by `load`; `finish` gives the Program."""

    def __init__(self) -> None:
        self.loads: list[Scalar] = []
        self.instrs: list[Scalar] = []
        self.uses_index = False
        self.uses_linear = False
        self._known: dict[Any, Scalar] = {}

    def load(self, dtype: DType) -> Any:
        """The next load; of a complex dtype it is two, of the real and of the imaginary part."""
        if dtype.is_complex:
            return Complex(self.load(dtype.real_dtype), self.load(dtype.real_dtype))
        made = Scalar("load", dtype, value=len(self.loads))
        self.loads.append(made)
        return made

    def __call__(self, primitive: str, *arguments: Any) -> Any:
        args = tuple(arguments)
        if any(isinstance(a, Complex) for a in args):
            return complex_primitive(self, primitive, args)
        if any(a.dtype.short == "u64" for a in args):
            return unsigned_primitive(self, primitive, args)
        narrow = next((a.dtype for a in args if a.dtype.short in WIDENED), None)
        if narrow is not None:
            wide = WIDENED[narrow.short]
            result = self(primitive, *(self.cast(a, wide) if a.dtype.short in WIDENED else a for a in args))
            return result if result.dtype.is_bool else self.cast(result, narrow)
        for argument in args:
            check_computed(argument.dtype, primitive, strings=primitive in OF_STRINGS)
        dtype = dtypes.bool_ if primitive in COMPARISONS else args[RESULT_OF_OTHER.get(primitive, 0)].dtype
        return self._instr(primitive, dtype, args)

    def constant(self, value: Any, dtype: DType) -> Any:
        dtype = dtype.unquantized
        if dtype.is_complex:
            number = complex(value)
            return Complex(self.constant(number.real, dtype.real_dtype), self.constant(number.imag, dtype.real_dtype))
        if dtype.short == "u64":
            return self.cast(self.constant((int(value) + 2**63) % 2**64 - 2**63, dtypes.int64), dtype)
        if dtype.is_half:
            return self.cast(self.constant(float(value), dtypes.float32), dtype)
        check_computed(dtype, "const", True, strings=not value)
        if dtype.is_bool:
            return self._instr("const", dtype, (), bool(value))
        if dtype.is_floating:
            return self._instr("const", dtype, (), float(value))
        return self._instr("const", dtype, (), int(value))

    def cast(self, x: Any, dtype: DType) -> Any:
        dtype = dtype.unquantized
        if x.dtype == dtype:
            return x
        if dtype.is_complex or x.dtype.is_complex:
            return complex_cast(self, x, dtype)
        if "u64" in (x.dtype.short, dtype.short):
            return unsigned_cast(self, x, dtype)
        if x.op == "cast" and x.dtype == dtypes.float32 and dtype.is_half and x.args[0].dtype == dtype:
            return x.args[0]                # there and back: it is exact
        for half in (x.dtype, dtype):       # which has casts from and to float32 alone
            if half.is_half and dtypes.float32 not in (x.dtype, dtype):
                return self.cast(self.cast(x, dtypes.float32), dtype)
        check_computed(x.dtype, "cast", True)
        check_computed(dtype, "cast", True)
        return self._instr("cast", dtype, (x,))

    def complex(self, real: Scalar, imaginary: Scalar) -> Complex:
        """The complex value of two parts."""
        return Complex(real, imaginary)

    def typed(self, primitive: str, dtype: DType, *arguments: Any) -> Scalar:
        """A primitive whose result has another dtype than its first argument: s.typed("philox", float32, key, ...)."""
        return self._instr(primitive, dtype, tuple(arguments))

    def dtype(self, x: Scalar) -> DType:
        return x.dtype

    def index(self, axis: int) -> Scalar:
        self.uses_index = True
        return self._instr("index", dtypes.int64, (), int(axis))

    def linear(self) -> Scalar:
        self.uses_linear = True
        return self._instr("linear", dtypes.int64)

    def reduce(self, combine: str, x: Any) -> Any:
        """x combined along the map's reduced axes: a row value. combine: add, mul, max, min, and, or."""
        if x.row:
            raise ValueError("a row value cannot be reduced in the same map")
        if isinstance(x, Complex):
            if combine != "add":
                raise UnimplementedError(f"the reduction '{combine}' is not implemented for {x.dtype.name}")
            return Complex(self.reduce(combine, x.re), self.reduce(combine, x.im))
        if x.dtype.short == "u64":
            return unsigned_reduce(self, combine, x)
        if x.dtype.short in WIDENED:
            total = self.reduce(combine, self.cast(x, WIDENED[x.dtype.short]))
            if combine in ("max", "min"):       # of nothing, it is beyond the bounds of the narrow dtype
                bound = x.dtype.min if combine == "max" else x.dtype.max
                total = self(combine, total, self.constant(bound, total.dtype))
            return self.cast(total, x.dtype)
        return self._instr(f"reduce.{combine}", x.dtype, (x,), row=True)

    def finish(self, stores: list[Scalar]) -> tuple[plan.Program, list[int]]:
        """The Program that stores these values, without dead instructions; and the numbers of the loads it kept."""
        live = self._live(stores)
        kept = [load for load in self.loads if load in live]
        order = [*kept, *(i for i in self.instrs if i in live)]
        number = {scalar: i for i, scalar in enumerate(order)}
        instrs = tuple(plan.Instr(i.op, i.dtype.stored.short, tuple(number[a] for a in i.args), i.value)
                       for i in order[len(kept):])
        loads = tuple(load.dtype.stored.short for load in kept)
        program = plan.Program(loads, instrs, tuple(number[v] for v in stores))
        return program, [int(load.value) for load in kept]

    def _instr(self, op: str, dtype: DType, args: tuple[Scalar, ...] = (), value: Any = 0, row: bool = False) -> Scalar:
        key = (op, dtype.number, tuple(map(id, args)), repr(value))
        found = self._known.get(key)
        if found is None:
            found = Scalar(op, dtype, args, value, row or any(a.row for a in args))
            self._known[key] = found
            self.instrs.append(found)
        return found

    @staticmethod
    def _live(stores: list[Scalar]) -> set[Scalar]:
        live: set[Scalar] = set()
        waiting = list(stores)
        while waiting:
            scalar = waiting.pop()
            if scalar not in live:
                live.add(scalar)
                waiting.extend(scalar.args)
        return live


def check_held(dtype: DType) -> None:
    """Raises UnimplementedError if no step can hold values of this dtype, whatever it does with them."""
    if dtype.short in HELD:
        return
    raise UnimplementedError(f"values of dtype {dtype.name} are not supported; use numbers, strings or bool from the "
                             "start")


def check_computed(dtype: DType, primitive: str, moved_only: bool = False, strings: bool = False) -> None:
    """Raises UnimplementedError if no primitive exists for this dtype. strings: it takes their numbers."""
    if dtype.short in PRIMITIVE or (moved_only and dtype.short in WIDENED):
        return
    if dtype == dtypes.string:
        if strings:
            return
        raise UnimplementedError(f"'{primitive}' does not compute with strings; use gc.strings, or a gc.py_func")
    raise UnimplementedError(f"'{primitive}' is not implemented for dtype {dtype.name}; cast to one of float32, "
                             "float64, int32, int64 (gc.cast)")
