"""Code of the map JIT against the evaluator, to the bit: random programs over random strided operands."""
from __future__ import annotations

import json
from typing import Any

import llvmlite.binding as llvm
import numpy as np
import pytest
from test_map import elements, random_array, random_shape, random_view

from graphc.exec.jit import CompiledProgram, compile_form, compile_programs, is_compilable, still_loads
from graphc.exec.library import load_library
from graphc.exec.pass_code import Form, passes_of, row_values
from graphc.ir.dtypes import as_dtype
from graphc.kernels.toolchain.backend import compile_text
from graphc.kernels.toolchain.targets import TARGETS
from graphc.plan.plan import Access, Body, Buffer, BufferKind, Dim, DimKind, Instr, Map, Plan, Program

from maps import BoundMap, Operand, value_dtype

RNG = np.random.default_rng(11)
FLOAT_UNARY = ("neg", "abs", "exp", "tanh", "sigmoid", "erf", "log1p", "sqrt", "floor", "round", "square", "sin")
FLOAT_BINARY = ("add", "sub", "mul", "div", "min", "max", "pow")
INT_BINARY = ("add", "sub", "mul", "floordiv", "mod", "min", "max")


def random_program(loads: tuple[str, ...], length: int, rank: int) -> Program:
    """Any values of fitting dtypes combined; the last values are stored."""
    instrs: list[Instr] = []
    dtypes = list(loads)

    def pick(dtype: str) -> int | None:
        found = [v for v, d in enumerate(dtypes) if d == dtype]
        return int(RNG.choice(found)) if found else None

    while len(instrs) < length:
        kind = int(RNG.integers(0, 8))
        floating = str(RNG.choice(["f32", "f64"], p=[0.8, 0.2]))
        new: Instr | None = None
        if kind == 0:
            new = Instr("const", floating, (), float(RNG.standard_normal()))
        elif kind == 1 and rank:
            new = Instr("index", "i64", (), int(RNG.integers(rank))) if RNG.random() < 0.7 else Instr("linear", "i64")
        elif kind == 2 and pick(floating) is not None:
            new = Instr(str(RNG.choice(FLOAT_UNARY)), floating, (pick(floating),))
        elif kind == 3 and pick(floating) is not None:
            new = Instr(str(RNG.choice(FLOAT_BINARY)), floating, (pick(floating), pick(floating)))
        elif kind == 4:
            integer = str(RNG.choice(["i32", "i64"]))
            if pick(integer) is not None:
                new = Instr(str(RNG.choice(INT_BINARY)), integer, (pick(integer), pick(integer)))
        elif kind == 5:
            source = int(RNG.integers(len(dtypes))) if dtypes else None
            target = str(RNG.choice(["f32", "f64", "i32", "i64", "bool", "u8", "i16"]))
            if source is not None and dtypes[source] != target:
                new = Instr("cast", target, (source,))
        elif kind == 6 and pick(floating) is not None:
            new = Instr("less", "bool", (pick(floating), pick(floating)))
        elif kind == 7 and pick("bool") is not None and pick(floating) is not None:
            new = Instr("select", floating, (pick("bool"), pick(floating), pick(floating)))
        if new is not None:
            instrs.append(new)
            dtypes.append(new.dtype)
    last = len(dtypes) - 1
    stores = tuple({last, int(RNG.integers(len(loads), last + 1))})
    return Program(loads, tuple(instrs), stores)


def bits(array: np.ndarray) -> np.ndarray:
    return np.frombuffer(array.tobytes(), f"u{array.itemsize}")


def run_both(program: Program, shape: tuple[int, ...], still: frozenset[int] = frozenset(), given: Any = None,
             reduced: int = 0) -> CompiledProgram:
    kinds = [as_dtype(d).numpy for d in program.loads]
    views = given or [random_view(shape, kind) for kind in kinds]
    rows, code = row_values(program), compile_form(Form(program, still))
    results = []
    out_views = [random_view(shape[:len(shape) - reduced] if v in rows else shape,
                             as_dtype(value_dtype(program, v)).numpy, writable=True) for v in program.stores]
    for made in (None, code):
        stores = [elements(view, base) for view, base in out_views]
        for operand, value in zip(stores, program.stores, strict=True):
            operand.strides += (None,) * (reduced if value in rows else 0)
        for _, base in out_views:
            base[...] = 0
        BoundMap(program, shape, reduced, [elements(v, b) for v, b in views], stores, code=made).run()
        results.append([base.copy() for _, base in out_views])
    for expected, got in zip(*results, strict=True):
        same = (bits(got) == bits(expected)) | ((got != got) & (expected != expected)).reshape(-1)
        assert same.all(), f"{program}\n{got.reshape(-1)[~same]}\n{expected.reshape(-1)[~same]}"
    return code


@pytest.mark.parametrize("seed", range(25))
def test_random_programs(seed: int) -> None:
    global RNG
    RNG = np.random.default_rng(seed)
    rank = seed % 6
    shape = random_shape(rank)
    loads = tuple(str(d) for d in RNG.choice(["f32", "f64", "i32", "i64", "bool", "u8", "i16"], 3))
    program = random_program(("f32", *loads), int(RNG.integers(3, 24)), rank)
    if is_compilable(program):
        with np.errstate(all="ignore"):
            run_both(program, shape)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("op", ["max", "min"])
@pytest.mark.parametrize("bound", [0.0, -0.0, 6.0, -np.inf, np.inf, np.nan])
def test_bounds_of_what_may_be_nan_or_a_zero_of_either_sign(dtype: str, op: str, bound: float) -> None:
    special = np.array([np.nan, 0.0, -0.0, np.inf, -np.inf, 1e-45, -7.0, 6.0] * 9, as_dtype(dtype).numpy)
    program = Program((dtype,), (Instr("const", dtype, (), bound), Instr(op, dtype, (0, 1)), Instr("neg", dtype, (2,)),
                                 Instr(op, dtype, (1, 0))), (2, 3, 4))
    run_both(program, special.shape, given=[(special, special)])


def with_reductions(program: Program) -> Program:
    """The program, some of its floats reduced, with arithmetic on what that gives; one element value is stored, too."""
    instrs, loads = list(program.instrs), len(program.loads)
    floats = [v for v in range(loads + len(instrs)) if value_dtype(program, v) == "f32"]
    for _ in range(2):
        how = "reduce." + str(RNG.choice(["add", "max", "min"]))
        instrs.append(Instr(how, "f32", (int(RNG.choice(floats)),)))
    first = loads + len(program.instrs)
    instrs += [Instr("sub", "f32", (first, first + 1)), Instr("tanh", "f32", (first + 2,)),
               Instr("mul", "f32", (first + 3, first)), Instr("exp", "f32", (first + 4,))]
    return Program(program.loads, tuple(instrs), (program.stores[-1], first + 5, first))


@pytest.mark.parametrize("seed", range(18))
def test_random_programs_with_reductions(seed: int) -> None:
    """Along rows, down columns, of both: by random views of the operands."""
    global RNG
    RNG = np.random.default_rng(seed)
    rank = 1 + seed % 4
    shape = random_shape(rank)
    program = with_reductions(random_program(("f32", "f32", "i32"), int(RNG.integers(3, 14)), 0))
    with np.errstate(all="ignore"):
        code = run_both(program, shape, reduced=int(RNG.integers(1, rank + 1)))
    assert code.pass_1


AXPY = Program(("f32", "f32", "f32"), (Instr("mul", "f32", (0, 1)), Instr("add", "f32", (3, 2)),
                                       Instr("tanh", "f32", (4,))), (5,))


@pytest.mark.parametrize("shape", [(37, 65), (5, 1), (1, 700), (3, 4, 1), (3, 1300)])
def test_still_loads(shape: tuple[int, ...]) -> None:
    """A load that is expected to stay along the last axis, also where it moves because that axis has one element, or
    where chunks go from row to row."""
    x, row = random_array(shape, np.float32), random_array((*shape[:-1], 1), np.float32)
    bias = random_array(shape[-1:], np.float32)
    given = [(x, x), (np.broadcast_to(row, shape), row), (np.broadcast_to(bias, shape), bias)]
    run_both(AXPY, shape, frozenset({1}), given)


def test_one_polynomial_a_loop() -> None:
    """What one loop leaves for another goes through room, where places are used again; results are written when all
    operands have been read, as they may lie there."""
    names = ("tanh", "exp", "sin", "erf", "log1p")
    instrs = [Instr(name, "f32", (k,)) for k, name in enumerate(names)]
    instrs += [Instr("mul", "f32", (5, 0)), Instr("add", "f32", (6, 4)), Instr("max", "f32", (7, 2))]
    program = Program(("f32",), tuple(instrs), (8, 2))
    made = passes_of(Form(program))[0]
    assert [len(loop.computed) for loop in made.loops] == [1, 1, 1, 1, 4] and made.registers < len(made.spills)
    run_both(program, (3, 700))
    x = random_array((2, 900), np.float32)
    expected, others = np.empty_like(x), [np.empty_like(x), np.empty_like(x)]
    load = Operand(x, (900, 1))
    BoundMap(program, x.shape, 0, [load], [Operand(expected, (900, 1)), Operand(others[0], (900, 1))]).run()
    BoundMap(program, x.shape, 0, [load], [Operand(x, (900, 1)), Operand(others[1], (900, 1))],
             code=compile_form(Form(program))).run()
    np.testing.assert_array_equal(x, expected)
    np.testing.assert_array_equal(*others)


def test_ranges_and_in_place() -> None:
    x, w = random_array((50, 300), np.float32), random_array((300,), np.float32)
    expected = np.empty_like(x)
    loads = [Operand(x, (300, 1)), Operand(w, (0, 1)), Operand(w, (0, 1))]
    BoundMap(AXPY, (50, 300), 0, loads, [Operand(expected, (300, 1))]).run()
    bound = BoundMap(AXPY, (50, 300), 0, loads, [Operand(x, (300, 1))], code=compile_form(Form(AXPY)))
    for begin in range(0, x.size, 777):
        bound.run_range(begin, min(begin + 777, x.size))
    np.testing.assert_array_equal(x, expected)


def test_programs_of_a_plan() -> None:
    """Only programs that pay are compiled; loads known to stay are found."""
    dims = (Dim(DimKind.INPUT, (0, 0)), *(Dim(DimKind.CONST, (), value) for value in (600, 1, 0)))
    row, full = Access(1, 3, (2, 3)), Access(0, 3, (1, 2))
    buffers = (Buffer(BufferKind.INPUT, "f32", (0, 1)), Buffer(BufferKind.INPUT, "f32", (0,), 1),
               Buffer(BufferKind.OUTPUT, "f32", (0, 1)))
    step = Map(0, (0, 1), 0, (full, row, row), (Access(2, 3, (1, 2)),))
    copy = Map(1, (0, 1), 0, (full,), (Access(2, 3, (1, 2)),))
    body = Body("main", dims, buffers, (0, 1), (2,), (), (), (step, copy))
    assert still_loads(body, step, AXPY) == {1, 2}
    plan = Plan((), (), (body,), (AXPY, Program(("f32",), (), (0,))))
    assert set(compile_programs(plan)) == {0}


def test_every_scalar_is_the_program_s_own() -> None:
    """Scalars are internal to the module of a program: LLVM inlines them, and drops those that it has inlined."""
    library = load_library()
    scalars = json.loads(library.scalars())
    assert len(scalars["functions"]) > 200
    text = "".join([*scalars["declarations"].values(), *scalars["functions"].values()])
    module = llvm.parse_assembly(text)
    outside = [f.name for f in module.functions if not f.is_declaration and f.linkage.name != "internal"]
    assert outside == []
    assert b"gc_scalar" not in compile_text(TARGETS[library.isa], text)
