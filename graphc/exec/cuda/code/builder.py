"""Writing a kernel that is no map as a program: values with operators, arrays, loops and branches.

    k = KernelBuilder("gc_reversed")
    x, y, count = k.array("x", "f32"), k.array("y", "f32"), k.number("count")
    i = k.thread(count)
    y[count - 1 - i] = x[i]
    text = k.text()

Parameters stand in the order in which they are made, 8 bytes each. A Python number takes the type of the value that it
meets. Scalar functions are the CPU's (`call`), so what they give has the CPU's bits; `primitives` names them for
whoever makes PTX of the text. Positions are int64; `parts` divides in 32 bits if the kernel is `narrow`.
"""
from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from graphc.exec.cuda.code.ptx import ATTRIBUTES, DECLARATIONS
from graphc.exec.cuda.code.text_writer import TextWriter
from graphc.exec.map_code import LLVM_TYPES
from graphc.kernels.contracts.dtypes import DTYPES

THREADS = 256              # of a block
# Attribute of a kernel: up to 128 registers a thread. Without it ptxas may want more blocks, and move some to memory.
TWO_BLOCKS = ' "nvvm.minctasm"="2"'
_ORDERS = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}


class Value:
    """A register with its element type. Comparisons of floats with a NaN are false, but for `differs`."""

    def __init__(self, builder: KernelBuilder, register: str, dtype: str) -> None:
        self.builder, self.register, self.dtype = builder, register, dtype

    def __str__(self) -> str:
        return self.register

    @property
    def floating(self) -> bool:
        return DTYPES[self.dtype].kind == "float"

    @property
    def unsigned(self) -> bool:
        return DTYPES[self.dtype].kind in ("uint", "bool")

    def _binary(self, operation: str, other: Operand, swapped: bool = False) -> Value:
        a, b = self, self.builder.constant(other, self.dtype)
        a, b = (b, a) if swapped else (a, b)
        return self.builder.made(f"{operation} {LLVM_TYPES[self.dtype]} {a}, {b}", self.dtype)

    def _arithmetic(self, operation: str, other: Operand, swapped: bool = False) -> Value:
        return self._binary(f"f{operation}" if self.floating else operation, other, swapped)

    def _signed(self, operation: str) -> str:
        return ("u" if self.unsigned else "s") + operation

    def __add__(self, other: Operand) -> Value:
        return self._arithmetic("add", other)

    def __radd__(self, other: Operand) -> Value:
        return self._arithmetic("add", other, swapped=True)

    def __sub__(self, other: Operand) -> Value:
        return self._arithmetic("sub", other)

    def __rsub__(self, other: Operand) -> Value:
        return self._arithmetic("sub", other, swapped=True)

    def __mul__(self, other: Operand) -> Value:
        return self._arithmetic("mul", other)

    def __rmul__(self, other: Operand) -> Value:
        return self._arithmetic("mul", other, swapped=True)

    def __truediv__(self, other: Operand) -> Value:
        """Of floats."""
        return self._binary("fdiv", other)

    def __floordiv__(self, other: Operand) -> Value:
        """Towards zero, as the machine divides: of numbers that are not negative, otherwise ask `call`."""
        return self._binary(self._signed("div"), other)

    def __mod__(self, other: Operand) -> Value:
        return self._binary(self._signed("rem"), other)

    def __and__(self, other: Operand) -> Value:
        return self._binary("and", other)

    def __or__(self, other: Operand) -> Value:
        return self._binary("or", other)

    def __xor__(self, other: Operand) -> Value:
        return self._binary("xor", other)

    def __lshift__(self, other: Operand) -> Value:
        return self._binary("shl", other)

    def __rshift__(self, other: Operand) -> Value:
        """Zeros come in."""
        return self._binary("lshr", other)

    def __neg__(self) -> Value:
        if self.floating:
            return self.builder.made(f"fneg {LLVM_TYPES[self.dtype]} {self}", self.dtype)
        return 0 - self

    def __invert__(self) -> Value:
        """Not, of a bool."""
        return self._binary("xor", True)

    def _compared(self, order: str, other: Operand) -> Value:
        b = self.builder.constant(other, self.dtype)
        relation = _ORDERS[order]
        if self.floating:
            made = f"fcmp {'une' if order == '!=' else 'o' + relation}"
        else:
            made = f"icmp {relation if order in ('==', '!=') else self._signed(relation)}"
        return self.builder.made(f"{made} {LLVM_TYPES[self.dtype]} {self}, {b}", "bool")

    def __lt__(self, other: Operand) -> Value:
        return self._compared("<", other)

    def __le__(self, other: Operand) -> Value:
        return self._compared("<=", other)

    def __gt__(self, other: Operand) -> Value:
        return self._compared(">", other)

    def __ge__(self, other: Operand) -> Value:
        return self._compared(">=", other)

    def equals(self, other: Operand) -> Value:
        return self._compared("==", other)

    def differs(self, other: Operand) -> Value:
        return self._compared("!=", other)

    def inside(self, first: Operand, end: Operand) -> Value:
        """first <= value < end."""
        return (self >= first) & (self < end)

    def to(self, dtype: str) -> Value:
        """As another type: integers and bools to any size, integers to floats (rounded to the nearest)."""
        if dtype == self.dtype:
            return self
        source, target = LLVM_TYPES[self.dtype], LLVM_TYPES[dtype]
        if source == target:
            return Value(self.builder, self.register, dtype)
        wide, narrow = DTYPES[dtype].size, DTYPES[self.dtype].size
        if DTYPES[dtype].kind == "float":
            operation = ("fpext" if wide > narrow else "fptrunc") if self.floating else (
                "uitofp" if self.unsigned else "sitofp")
        elif self.dtype == "bool" or wide > narrow:
            operation = "zext" if self.unsigned else "sext"
        else:
            operation = "trunc"
        return self.builder.made(f"{operation} {source} {self} to {target}", dtype)


Operand = Value | int | float
Condition = Callable[[], Value]


class Variable:
    """A place in registers that holds a value which changes."""

    def __init__(self, builder: KernelBuilder, place: str, dtype: str) -> None:
        self.builder, self.place, self.dtype = builder, place, dtype

    def get(self) -> Value:
        return self.builder.made(f"load {LLVM_TYPES[self.dtype]}, ptr {self.place}", self.dtype)

    def set(self, value: Operand) -> None:
        kind = LLVM_TYPES[self.dtype]
        self.builder.emit(f"store {kind} {self.builder.constant(value, self.dtype)}, ptr {self.place}")


class Array:
    """Elements in memory from an address on."""

    def __init__(self, builder: KernelBuilder, register: str, dtype: str, space: int = 1) -> None:
        self.builder, self.register, self.dtype, self.space = builder, register, dtype, space

    def _place(self, index: Operand) -> str:
        kind = "i8" if self.dtype == "bool" else LLVM_TYPES[self.dtype]
        return self.builder.value(f"getelementptr {kind}, ptr addrspace({self.space}) {self.register}, i64 {index}")

    def at(self, index: Operand) -> Array:
        """The elements from that one on."""
        return Array(self.builder, self._place(index), self.dtype, self.space)

    def __getitem__(self, index: Operand) -> Value:
        place = self._place(index)
        if self.dtype == "bool":
            stored = self.builder.value(f"load i8, ptr addrspace({self.space}) {place}")
            return self.builder.made(f"icmp ne i8 {stored}, 0", "bool")
        return self.builder.made(f"load {LLVM_TYPES[self.dtype]}, ptr addrspace({self.space}) {place}", self.dtype)

    def __setitem__(self, index: Operand, value: Operand) -> None:
        place, value = self._place(index), self.builder.constant(value, self.dtype)
        if self.dtype == "bool":
            wide = self.builder.value(f"zext i1 {value} to i8")
            self.builder.emit(f"store i8 {wide}, ptr addrspace({self.space}) {place}")
        else:
            self.builder.emit(f"store {LLVM_TYPES[self.dtype]} {value}, ptr addrspace({self.space}) {place}")

    def group(self, index: Operand, count: int) -> list[Value]:
        """`count` elements from `index` on, at once: the first must lie at a multiple of their bytes."""
        kind, size = LLVM_TYPES[self.dtype], DTYPES[self.dtype].size
        whole = self.builder.value(f"load <{count} x {kind}>, ptr addrspace({self.space}) {self._place(index)}, "
                                   f"align {count * size}")
        return [self.builder.made(f"extractelement <{count} x {kind}> {whole}, i32 {i}", self.dtype)
                for i in range(count)]

    def set_group(self, index: Operand, values: Sequence[Value]) -> None:
        """The same way, stored."""
        kind, size, whole = LLVM_TYPES[self.dtype], DTYPES[self.dtype].size, "undef"
        for i, value in enumerate(values):
            whole = self.builder.value(f"insertelement <{len(values)} x {kind}> {whole}, {kind} {value}, i32 {i}")
        self.builder.emit(f"store <{len(values)} x {kind}> {whole}, ptr addrspace({self.space}) {self._place(index)}, "
                          f"align {len(values) * size}")


class KernelBuilder(TextWriter):
    """See the header."""

    def __init__(self, name: str, narrow: bool = False, before: str = "", attributes: str = "",
                 threads: int = THREADS) -> None:
        """before: declarations; attributes: of the kernel, beside how many threads a block has."""
        super().__init__()
        self.name, self.narrow, self.attributes, self.threads = name, narrow, attributes, threads
        self.primitives: set[str] = set()
        self._parameters: list[str] = []
        self._places: list[str] = []                   # of variables: they must be made in the first block
        self._before = [before]                        # shared memory, declarations

    # Parameters and memory

    def array(self, name: str, dtype: str) -> Array:
        self._parameters.append(f"ptr addrspace(1) %{name}")
        return Array(self, f"%{name}", dtype)

    def number(self, name: str) -> Value:
        self._parameters.append(f"i64 %{name}")
        return Value(self, f"%{name}", "i64")

    def numbers(self, *names: str) -> list[Value]:
        return [self.number(name) for name in names]

    def tensor_map(self, name: str) -> str:
        """The register with the address of a tensor map, which is passed whole (work.TensorMap)."""
        self._parameters.append(f'ptr byval([128 x i8]) align 64 "nvvm.grid_constant" %{name}')
        return f"%{name}"

    def dynamic_shared(self) -> Value:
        """The address of the memory that a launch gives each block beside what the kernel declares."""
        self._before.append("@shared_dynamic = external addrspace(3) global [0 x i8], align 128\n")
        return self.made("ptrtoint ptr addrspace(3) @shared_dynamic to i64", "i64")

    def shared(self, name: str, dtype: str, count: int) -> Array:
        """Memory of the block."""
        kind = "i8" if dtype == "bool" else LLVM_TYPES[dtype]
        self._before.append(f"@shared_{name} = internal addrspace(3) global [{count} x {kind}] undef, align 16\n")
        return Array(self, f"@shared_{name}", dtype, 3)

    def variable(self, value: Operand, dtype: str = "i64") -> Variable:
        dtype = value.dtype if isinstance(value, Value) else dtype
        place = f"%place{len(self._places)}"
        self._places.append(f"  {place} = alloca {LLVM_TYPES[dtype]}\n")
        made = Variable(self, place, dtype)
        made.set(value)
        return made

    # Values

    def made(self, expression: str, dtype: str) -> Value:
        return Value(self, self.value(expression), dtype)

    def constant(self, value: Operand, dtype: str) -> Value:
        """A number as that type; a value must be of it."""
        if isinstance(value, Value):
            assert value.dtype == dtype, f"{value.dtype} where {dtype} is wanted"
            return value
        if dtype == "bool":
            return Value(self, "true" if value else "false", dtype)
        if DTYPES[dtype].kind != "float":
            return Value(self, str(int(value)), dtype)
        rounded = struct.unpack("f", struct.pack("f", value))[0] if dtype == "f32" else float(value)
        return Value(self, f"0x{struct.unpack('Q', struct.pack('d', rounded))[0]:016X}", dtype)

    def from_bits(self, word: Value, dtype: str) -> Value:
        """A value whose bits are the lowest of an int64."""
        size = DTYPES[dtype].size
        bits = word.to(f"u{8 * size}") if size < 8 else word
        if dtype == "bool":
            return bits.differs(0)
        if DTYPES[dtype].kind != "float":
            return Value(self, bits.register, dtype)
        return self.made(f"bitcast {LLVM_TYPES[bits.dtype]} {bits} to {LLVM_TYPES[dtype]}", dtype)

    def choose(self, condition: Value, a: Operand, b: Operand) -> Value:
        """a if the condition holds, else b; one of them must be a value."""
        dtype = a.dtype if isinstance(a, Value) else b.dtype  # type: ignore[union-attr]
        kind, x, y = LLVM_TYPES[dtype], self.constant(a, dtype), self.constant(b, dtype)
        return self.made(f"select i1 {condition}, {kind} {x}, {kind} {y}", dtype)

    def least(self, a: Value, b: Operand) -> Value:
        return self.choose(a < b, a, b)

    def greatest(self, a: Value, b: Operand) -> Value:
        return self.choose(a > b, a, b)

    def call(self, operation: str, *arguments: Value, dtype: str = "") -> Value:
        """A scalar function of the CPU; dtype: of the result, if it is another than the first argument's."""
        dtype = dtype or arguments[0].dtype
        name = f"{operation}.{dtype}.{arguments[0].dtype}"
        self.primitives.add(name)
        given = ", ".join(f"{LLVM_TYPES[a.dtype]} {a}" for a in arguments)
        return self.made(f"call {LLVM_TYPES[dtype]} @gc_scalar.{name}({given})", dtype)

    def multiply_add(self, a: Value, b: Value, c: Value) -> Value:
        """a * b + c, of floats rounded once."""
        if not a.floating:
            return a * b + c
        kind = LLVM_TYPES[a.dtype]
        declaration = f"declare {kind} @llvm.fma.{a.dtype}({kind}, {kind}, {kind})\n"
        if declaration not in self._before:
            self._before.append(declaration)
        return self.made(f"call {kind} @llvm.fma.{a.dtype}({kind} {a}, {kind} {b}, {kind} {c})", a.dtype)

    # Threads

    def index(self, name: str) -> Value:
        """tid.x, ctaid.x, ..."""
        return Value(self, self.special(name), "i64")

    def thread(self, count: Value) -> Value:
        """The number of this thread in the grid; those from `count` on end here."""
        i = self.index("ctaid.x") * THREADS + self.index("tid.x")
        self.go_on_if(i < count)
        return i

    def go_on_if(self, condition: Value) -> None:
        """Other threads end here."""
        label = self._label()
        self.emit(f"br i1 {condition}, label %{label}, label %done")
        self.label(label)

    def parts(self, position: Value, *sizes: Value) -> list[Value]:
        """The indices of a row-major position, of len(sizes) + 1 axes; sizes: of all but the first."""
        kind = "u32" if self.narrow else "u64"
        rest, found = position.to(kind), []
        for size in reversed(sizes):
            by = size.to(kind)
            quotient = rest // by
            found.append((rest - quotient * by).to("i64"))
            rest = quotient
        return [rest.to("i64"), *reversed(found)]

    # Control

    def _label(self) -> str:
        self.fresh += 1
        return f"l{self.fresh}"

    @contextmanager
    def loop(self, first: Operand, end: Operand, step: Operand = 1) -> Iterator[Value]:
        """first, first + step, ... below end."""
        at = self.variable(first)
        with self.repeat(lambda: at.get() < end):
            i = at.get()
            yield i
            at.set(i + step)

    @contextmanager
    def repeat(self, goes_on: Condition) -> Iterator[None]:
        """As long as the condition holds, which is looked at before each round."""
        test, body, out = self._label(), self._label(), self._label()
        self.emit(f"br label %{test}")
        self.label(test)
        self.emit(f"br i1 {goes_on()}, label %{body}, label %{out}")
        self.label(body)
        yield
        self.emit(f"br label %{test}")
        self.label(out)

    @contextmanager
    def when(self, condition: Value) -> Iterator[None]:
        body, out = self._label(), self._label()
        self.emit(f"br i1 {condition}, label %{body}, label %{out}")
        self.label(body)
        yield
        self.emit(f"br label %{out}")
        self.label(out)

    def text(self) -> str:
        """The module's text, without the scalar functions that it calls."""
        bounds = f'"nvvm.maxntid"="{self.threads}"{self.attributes}'
        return "".join([DECLARATIONS, *self._before,
                        f"define ptx_kernel void @{self.name}({', '.join(self._parameters)}) {bounds} {{\nentry:\n",
                        *self._places, *(f"{line}\n" for line in self.lines),
                        "  br label %done\ndone:\n  ret void\n}\n", ATTRIBUTES])

