"""The Plan: what a compiled graph is, as plain data.

A Plan is a list of bodies. Body 0 is what a run executes; the others are the bodies of loops and branches and, if there
is one, the prepare body, whose outputs are the PREPARED buffers of every other body. Nothing here knows an op: a step
calls a kernel by name, evaluates a scalar program over a domain, or is one of the few forms of control below.

Invariants (plan/verify.py checks them in Python, kernels/runtime/verify.py on every load, in Python and in C++):
 1. an id refers into its own body's table (dims, buffers, slots) or the plan's (programs, constants, states, names);
 2. a dim's operands come before it; a RUNTIME dim is bound by exactly one step of its body;
 3. buffers are contiguous and row-major; their rank is fixed, their dims are dim ids;
 4. CONST and INPUT buffers are never written; STATE buffers only by steps of a body that lists them in `writes`;
    CARRIED buffers are in no body that is not a loop's or a branch's, and both branches have the same ones;
 5. a buffer is written (in part at least) before it is read; a slot is filled before it is taken;
 6. a body refers only to bodies with a larger index, so nesting is finite;
 7. a step's origins name the user's ops it came from; errors and profiles quote them.

Strings are int64 in the memory of a Plan: their numbers in a table of the process (docs/adr/0022). Only ports,
constants and states say "str", and the names of functions which of their operands and results are strings.
"""
from __future__ import annotations

from dataclasses import field
from enum import IntEnum

from graphc.ir.records import dataclass

FORMAT_VERSION = 1


class DimKind(IntEnum):
    """How a dim is computed. Operands are ids of earlier dims, but for CONST (value) and INPUT (input number, axis)."""

    CONST = 0      # value
    INPUT = 1      # size of axis b of the body's input a
    RUNTIME = 2    # bound while the body runs, by the step that lists it
    ADD = 3        # a + b
    SUB = 4        # a - b
    MUL = 5        # a * b
    FLOORDIV = 6   # a // b, rounded down; b == 0 is an error
    MOD = 7        # a - b * (a // b)
    MIN = 8
    MAX = 9
    EQUAL = 10     # 1 if a == b else 0
    LESS = 11      # 1 if a < b else 0
    SELECT = 12    # b if a != 0 else c
    BROADCAST = 13  # a if a == b or b == 1, b if a == 1; anything else is an error


@dataclass(frozen=True)
class Dim:
    kind: DimKind
    operands: tuple[int, ...] = ()
    value: int = 0                    # CONST only


class BufferKind(IntEnum):
    INPUT = 0       # index: which input of the body (a feed; a carried or captured value)
    OUTPUT = 1      # index: which output of the body; memory belongs to the caller
    CONST = 2       # index: which constant of the plan
    STATE = 3       # index: which state of the plan; read and written in place
    STATE_INFO = 4  # index: which state; int64[2] = (initialised, version)
    PREPARED = 5    # index: which output of the prepare body
    ARENA = 6       # memory of this body's arena
    ALIAS = 7       # index: the buffer (not ALIAS) whose memory this one is, under other dims of equal product
    COUNTER = 8     # int64[2] = (runs of this session so far, iteration number: ops/random/philox.py)
    CARRIED = 9     # index: which input of a loop's or branch's body; an output, too: changed in place


@dataclass(frozen=True)
class Buffer:
    kind: BufferKind
    dtype: str                        # "f32", "i64", "bool", "handle", ... (ir/dtypes.py); never "str"
    dims: tuple[int, ...]
    index: int = 0


@dataclass(frozen=True)
class Slot:
    """A value whose shape is known only once the step that fills it has run."""

    dtype: str
    rank: int


@dataclass(frozen=True)
class SlotBind:
    """RUNTIME dim `dim` becomes the size of axis `axis` of slot `slot`."""

    slot: int
    axis: int
    dim: int


class GuardKind(IntEnum):
    EQUAL = 0        # a == b
    LESS_EQUAL = 1   # a <= b
    LESS = 2         # a < b


@dataclass(frozen=True)
class Guard:
    """A relation that could not be proved while compiling; checked as soon as both dims are known."""

    kind: GuardKind
    a: int
    b: int
    origin: int
    message: str                      # what does not fit, in the user's terms: "inner dimensions of MatMul"


@dataclass(frozen=True)
class Access:
    """An operand of a map: element (i0, i1, ...) of the domain is at offset + sum(i_k * strides[k]), in elements."""

    buffer: int
    offset: int                       # dim id
    strides: tuple[int, ...]          # dim ids, one an axis of the domain (stores of row values: one an outer axis)


@dataclass(frozen=True)
class Instr:
    """One value of a scalar program.

    op is "const" (value: Python number), "index" (value: axis of the domain), "linear" (row-major number of the
    element), "reduce.<prim>" (combines its argument along the reduced axes:
    reduce.add, .mul, .max, .min, .and, .or), or
    the name of a primitive of kernels/scalars without its types: "add", "tanh", "cast", "select".
    """

    op: str
    dtype: str                        # of the result
    args: tuple[int, ...] = ()        # numbers of earlier values
    value: float | int | bool = 0


@dataclass(frozen=True)
class Program:
    """A typed scalar program in SSA form: value i < len(loads) is load i, the others are the instructions in order.

    A value that depends on a reduce is a row value: one for each index of the outer axes. Element values never depend
    on row values, nor row values on element values, but for loads whose strides along the reduced axes are the constant
    0. stores[j] is the number of the value that the map's j-th store access writes.
    """

    loads: tuple[str, ...]            # dtypes
    instrs: tuple[Instr, ...]
    stores: tuple[int, ...]


@dataclass(frozen=True)
class Step:
    origins: tuple[int, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True)
class Map(Step):
    """Evaluates a program at every point of a domain; the last `reduced` axes are reduced (0: none)."""

    program: int
    domain: tuple[int, ...]           # dim ids, row-major order of evaluation
    reduced: int
    loads: tuple[Access, ...]
    stores: tuple[Access, ...]


@dataclass(frozen=True)
class Call(Step):
    """Calls a kernel of the registry: operands, dims and attributes in the order in which the registry lists them.

    An attribute is an int64 word, whatever it means: of one that is declared as a float, the bits of a float64.

    The epilogue is a map without reduction whose domain, in row-major order, is the kernel's last operand's elements;
    its loads and stores of that operand stand at those elements. It runs tile by tile, after the kernel.
    """

    kernel: str
    operands: tuple[int, ...]         # buffer ids, outputs last
    dims: tuple[int, ...]
    attrs: tuple[int, ...] = ()
    epilogue: Map | None = None


@dataclass(frozen=True)
class Bind(Step):
    """dims[i] (RUNTIME) = element i of an int64 (or int32) buffer of rank 0 or 1."""

    buffer: int
    dims: tuple[int, ...]


@dataclass(frozen=True)
class Take(Step):
    """Copies a slot into a buffer of the same dtype and, checked at run time, the same shape."""

    slot: int
    buffer: int


@dataclass(frozen=True)
class Host(Step):
    """Calls the embedder's function `host` (an index into Plan.hosts) on the calling thread."""

    host: int
    operands: tuple[int, ...]
    slots: tuple[int, ...]
    binds: tuple[SlotBind, ...] = ()


@dataclass(frozen=True)
class While(Step):
    """carried = operands[:carried]; while cond(*operands): carried = body(*operands). Slots receive the carried values.

    cond and body are bodies with len(operands) inputs (carried first, then captured); cond has one bool scalar output,
    body has `carried` outputs. What is CARRIED there is a copy of the operand, or the operand if that is CARRIED here.
    """

    cond: int
    body: int
    operands: tuple[int, ...]
    carried: int
    slots: tuple[int, ...]
    binds: tuple[SlotBind, ...] = ()


@dataclass(frozen=True)
class If(Step):
    """Slots receive the outputs of body `then` or `orelse`, run on the operands, as the bool scalar `pred` tells.

    CARRIED buffers: as in While.
    """

    pred: int
    then: int
    orelse: int
    operands: tuple[int, ...]
    slots: tuple[int, ...]
    binds: tuple[SlotBind, ...] = ()


@dataclass(frozen=True)
class Push(Step):
    """result = source with value put on top. Lists are persistent stacks; a handle never written is the empty list."""

    source: int                       # handle buffer
    value: int
    result: int                       # handle buffer


@dataclass(frozen=True)
class Pop(Step):
    """result = source without its top, which goes to the slot; an empty list is an error."""

    source: int
    result: int
    slot: int
    binds: tuple[SlotBind, ...] = ()


@dataclass(frozen=True)
class Length(Step):
    """buffer (int32 scalar) = number of elements of the list."""

    source: int
    buffer: int


@dataclass(frozen=True)
class List(Step):
    """An operation on a list that may be read and written anywhere: a ListOperation of kernels/layout.py."""

    operation: int
    operands: tuple[int, ...]
    slots: tuple[int, ...]            # one
    binds: tuple[SlotBind, ...] = ()


@dataclass(frozen=True)
class Body:
    name: str
    dims: tuple[Dim, ...]
    buffers: tuple[Buffer, ...]
    inputs: tuple[int, ...]           # INPUT buffers, input i has index i
    outputs: tuple[int, ...]          # OUTPUT buffers, output i has index i
    slots: tuple[Slot, ...]
    guards: tuple[Guard, ...]
    steps: tuple[Step, ...]
    writes: tuple[int, ...] = ()      # states written by this body's own steps


@dataclass(frozen=True)
class Constant:
    name: str                         # node name in the saved graph; its value is stored there, once
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class State:
    name: str
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Origin:
    """The user's op behind a step, and the line of the user's file that built it."""

    op_name: str
    op_type: str
    file: str = ""
    line: int = 0


@dataclass(frozen=True)
class Port:
    """A feed or a fetch: the name a user knows it by, and the static part of its shape (-1: any)."""

    name: str
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    bodies: tuple[Body, ...]
    programs: tuple[Program, ...]
    constants: tuple[Constant, ...] = ()
    states: tuple[State, ...] = ()
    hosts: tuple[str, ...] = ()       # names of the embedder's functions, e.g. "py_func:3"
    origins: tuple[Origin, ...] = ()
    prepare: int = -1                 # index of the prepare body, -1: none
