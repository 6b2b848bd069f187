"""Code of the map JIT against the evaluator, to the bit: random programs over random strided operands."""
from __future__ import annotations

import json
from typing import Any

import llvmlite.binding as llvm
import numpy as np
import pytest
from test_map import elements, random_array, random_shape, random_view

from graphc.exec.jit import compile_program, compile_programs, still_loads
from graphc.exec.library import load_library
from graphc.exec.map_code import is_compilable
from graphc.ir.dtypes import as_dtype
from graphc.kernels.toolchain.backend import compile_text
from graphc.kernels.toolchain.targets import TARGETS
from graphc.plan.plan import Access, Body, Buffer, BufferKind, Dim, DimKind, Instr, Map, Plan, Program

from maps import BoundMap, Operand, native, value_dtype

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


def run_both(program: Program, shape: tuple[int, ...], still: frozenset[int] = frozenset(), given: Any = None) -> None:
    kinds = [as_dtype(d).numpy for d in program.loads]
    views = given or [random_view(shape, kind) for kind in kinds]
    results = []
    out_views = [random_view(shape, as_dtype(value_dtype(program, v)).numpy, writable=True) for v in program.stores]
    for compiled in (False, True):
        stores = [elements(view, base) for view, base in out_views]
        for _, base in out_views:
            base[...] = 0
        bound = BoundMap(program, shape, 0, [elements(v, b) for v, b in views], stores)
        bound.run(native(compile_program(program, still).run) if compiled else None)
        results.append([base.copy() for _, base in out_views])
    for expected, got in zip(*results, strict=True):
        same = (bits(got) == bits(expected)) | ((got != got) & (expected != expected)).reshape(-1)
        assert same.all(), f"{program}\n{got.reshape(-1)[~same]}\n{expected.reshape(-1)[~same]}"


@pytest.mark.parametrize("seed", range(25))
def test_random_programs(seed: int) -> None:
    global RNG
    RNG = np.random.default_rng(seed)
    rank = seed % 6
    shape = random_shape(rank)
    loads = tuple(str(d) for d in RNG.choice(["f32", "f64", "i32", "i64", "bool", "u8", "i16"], 3))
    program = random_program(("f32", *loads), int(RNG.integers(3, 14)), rank)
    if is_compilable(program):
        with np.errstate(all="ignore"):
            run_both(program, shape)


AXPY = Program(("f32", "f32", "f32"), (Instr("mul", "f32", (0, 1)), Instr("add", "f32", (3, 2)),
                                       Instr("tanh", "f32", (4,))), (5,))


@pytest.mark.parametrize("shape", [(37, 65), (5, 1), (1, 700), (3, 4, 1), (3, 1300)])
def test_still_loads(shape: tuple[int, ...]) -> None:
    """A load that is expected to stay along the last axis, also where it moves because that axis has one element."""
    x, row = random_array(shape, np.float32), random_array((*shape[:-1], 1), np.float32)
    bias = random_array(shape[-1:], np.float32)
    given = [(x, x), (np.broadcast_to(row, shape), row), (np.broadcast_to(bias, shape), bias)]
    run_both(AXPY, shape, frozenset({1}), given)


def test_ranges_and_in_place() -> None:
    x, w = random_array((50, 300), np.float32), random_array((300,), np.float32)
    expected = np.empty_like(x)
    loads = [Operand(x, (300, 1)), Operand(w, (0, 1)), Operand(w, (0, 1))]
    BoundMap(AXPY, (50, 300), 0, loads, [Operand(expected, (300, 1))]).run()
    bound = BoundMap(AXPY, (50, 300), 0, loads, [Operand(x, (300, 1))])
    code = native(compile_program(AXPY).run_range)
    for begin in range(0, x.size, 777):
        bound.run_range(begin, min(begin + 777, x.size), code)
    np.testing.assert_array_equal(x, expected)


def test_programs_of_a_plan() -> None:
    """Only programs that pay are compiled; loads known to stay are found."""
    dims = (Dim(DimKind.INPUT, (0, 0)), Dim(DimKind.CONST, (), 4), Dim(DimKind.CONST, (), 1), Dim(DimKind.CONST, (), 0))
    row, full = Access(1, 3, (2, 3)), Access(0, 3, (1, 2))
    buffers = (Buffer(BufferKind.INPUT, "f32", (0, 1)), Buffer(BufferKind.INPUT, "f32", (0,), 1),
               Buffer(BufferKind.OUTPUT, "f32", (0, 1)))
    step = Map(0, (0, 1), 0, (full, row, row), (Access(2, 3, (1, 2)),))
    copy = Map(1, (0, 1), 0, (full,), (Access(2, 3, (1, 2)),))
    body = Body("main", dims, buffers, (0, 1), (2,), (), (), (step, copy))
    assert still_loads(body, step) == {1, 2}
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
