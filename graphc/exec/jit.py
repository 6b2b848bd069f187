"""The map JIT: compiles a Plan's fused programs to machine code for this machine, some 20 ms each, kept on disk.

Programs that differ in their constants alone share code. What is kept has an end: the programs used last, CODE_KEPT in
this process (others are unloaded with the last engine that uses them) and FILES_KEPT on disk.

A compiled program takes the place of map_run and map_run_range for maps bound as ever; its results are the
evaluator's, bit for bit, since both are made of the same scalar functions and neither contracts nor reassociates
across them. Programs with reductions and single primitives stay with the evaluator. Needs llvmlite, not numba.
"""
from __future__ import annotations

import dataclasses
import json
import os
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from graphc.exec.library import Library, load_library
from graphc.exec.map_code import HELPERS, is_compilable, map_text
from graphc.ir.locks import new_reentrant_lock
from graphc.plan.plan import Body, Call, DimKind, Map, Plan, Program

if TYPE_CHECKING:
    from graphc.exec.engine import Engine

CODE_KEPT, FILES_KEPT = 512, 4096
LONGEST = 100              # instructions of a program that is compiled: the time that LLVM takes grows faster
POLYNOMIALS = frozenset((
    "exp", "log", "log1p", "expm1", "tanh", "sigmoid", "softplus", "erf", "erfinv", "sin", "cos", "tan", "asin", "acos",
    "atan", "atan2", "sinh", "cosh", "pow", "philox", "philox_bits"))


class CompiledProgram(NamedTuple):
    """Addresses: run stands in for gc_map_run, run_range for gc_map_run_range; both are good as long as `code` is."""

    run: int
    run_range: int
    code: Any


_compiled: OrderedDict[tuple[str, Program, frozenset[int]], CompiledProgram] = OrderedDict()
_scalars: dict[str, dict[str, Any]] = {}
_lock = new_reentrant_lock()


def install(engine: Engine) -> int:
    """Compiles the programs of an engine's plan and has it use them from its next bind on; returns how many.

    Does nothing if the environment says GRAPHC_JIT=0. The first time a program is seen on a machine it takes some
    20 ms, later ones come from the disk cache in 1 ms; code_queue.py does it beside the runs.
    """
    if os.environ.get("GRAPHC_JIT") == "0":
        return 0
    programs = compile_programs(engine.plan, wanted=pays)
    if programs:
        engine.use_compiled(programs)
    return len(programs)


def pays(program: Program) -> bool:
    """Whether code for the program beats the evaluator. Code saves the way of every value through the first cache,
    1.1 to 3.5 times in all; but several polynomials in one loop leave their constants no registers, and are up to 3
    times slower than one after the other."""
    ops = [i.op for i in program.instrs]
    return is_compilable(program) and len(ops) <= LONGEST and sum(op in POLYNOMIALS for op in ops) <= 1


def compile_programs(plan: Plan, library: Library | None = None,
                     wanted: Callable[[Program], bool] = is_compilable) -> dict[int, CompiledProgram]:
    """Number of a program in plan.programs -> its code, for those that are wanted."""
    library = library or load_library()
    still: dict[int, frozenset[int]] = {}
    for body in plan.bodies:
        for step in _maps(body):
            if wanted(plan.programs[step.program]):
                loads = still_loads(body, step)
                still[step.program] = still.get(step.program, loads) & loads
    return {number: compile_program(plan.programs[number], loads, library) for number, loads in still.items()}


def compile_program(program: Program, still: frozenset[int] = frozenset(),
                    library: Library | None = None) -> CompiledProgram:
    """still: loads that stay at one element along the innermost axis wherever the program is used."""
    library = library or load_library()
    key = (library.isa, without_constants(program), still)
    with _lock:
        found = _compiled.get(key)
        if found is None:
            found = _compiled[key] = _load(library, _object(library, program, still))
            while len(_compiled) > CODE_KEPT:
                _compiled.popitem(last=False)
        _compiled.move_to_end(key)
    return found


def without_constants(program: Program) -> Program:
    """What the code of a program depends on: it reads the constants where the plan has them."""
    return dataclasses.replace(program, instrs=tuple(
        dataclasses.replace(i, value=0) if i.op == "const" else i for i in program.instrs))


def _maps(body: Body) -> Iterator[Map]:
    for step in body.steps:
        if isinstance(step, Map):
            yield step
        elif isinstance(step, Call) and step.epilogue is not None:
            yield step.epilogue


def still_loads(body: Body, step: Map) -> frozenset[int]:
    """Loads whose stride is known to be 0 along the last axis that may have more than one element."""
    def is_constant(dim: int, value: int) -> bool:
        return body.dims[dim].kind == DimKind.CONST and body.dims[dim].value == value

    axes = [axis for axis, size in enumerate(step.domain) if not is_constant(size, 1)]
    if not axes:
        return frozenset()
    return frozenset(i for i, load in enumerate(step.loads) if is_constant(load.strides[axes[-1]], 0))


def _object(library: Library, program: Program, still: frozenset[int]) -> bytes:
    """The program's object code, from the disk cache or made."""
    from graphc.kernels.toolchain import cache
    from graphc.kernels.toolchain.backend import TARGETS, compile_text
    target = TARGETS[library.isa]
    text = _module(library, program, still)
    key = f"map-{cache.hash_of(cache.tool_versions(), repr(target), text)}.o"
    made = cache.read_used(key)
    if made is None:
        made = compile_text(target, text)
        cache.write_few(key, made, "map-", FILES_KEPT)
    return made


def _module(library: Library, program: Program, still: frozenset[int]) -> str:
    text, primitives = map_text(program, still)
    return "".join([HELPERS, *scalar_functions(library, primitives), text])


def scalar_functions(library: Library, primitives: Collection[str]) -> list[str]:
    """LLVM text: what defines gc_scalar.<name> for each of the primitives, and declares what those call."""
    scalars = _scalars.get(library.isa)
    if scalars is None:
        scalars = _scalars[library.isa] = json.loads(library.scalars)
    functions = [scalars["functions"][name] for name in sorted(primitives)]
    declarations = [line for name, line in sorted(scalars["declarations"].items())
                    if any(f"@{name}(" in f for f in functions)]
    return [*declarations, *functions]


def _load(library: Library, data: bytes) -> CompiledProgram:
    from graphc.kernels.toolchain.load import load_code
    imports = {name: library.entry[name] for name in ("gc_map_offset", "gc_map_gather", "gc_map_scatter")}
    found = load_code([data], ["gc_jit_run", "gc_jit_run_range"], imports)
    return CompiledProgram(found["gc_jit_run"], found["gc_jit_run_range"], found)


if hasattr(os, "register_at_fork"):
    # Compiling imports modules, and a module that is half imported at a fork cannot be imported in the child.
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release)
