"""The map JIT: compiles a Plan's fused programs to machine code for this machine, some 20 ms each, kept on disk.

Programs that differ in their constants alone share code. What is kept has an end: the programs used last, CODE_BYTES in
this process (others are unloaded with the last engine that uses them), on disk as kernels/toolchain/cache.py says. Code
from the disk is mapped as it is: LLVM is imported when there is something to compile.

A compiled program takes the place of map_run and map_run_range for maps bound as ever; its results are the
evaluator's, bit for bit, since both are made of the same scalar functions and neither contracts nor reassociates
across them. Programs with reductions and single primitives stay with the evaluator. Needs llvmlite, not numba.

It works in the thread of code_queue.py, beside runs that wait for Python's lock whenever a call here holds it for long:
so nothing here is one long call.
"""
from __future__ import annotations

import ctypes
import dataclasses
import functools
import gc
import importlib.util
import json
import os
import pkgutil
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from graphc.exec.library import Library, load_library
from graphc.exec.map_code import HELPER_NAMES, HELPERS, is_compilable, map_text
from graphc.kernels.toolchain.compiling import COMPILING
from graphc.plan.plan import Body, Call, DimKind, Map, Plan, Program

if TYPE_CHECKING:
    from graphc.exec.engine import Engine

CODE_BYTES = 32 << 20
LONGEST = 100              # instructions of a program that is compiled: the time that LLVM takes grows faster
POLYNOMIALS = frozenset((
    "exp", "log", "log1p", "expm1", "tanh", "sigmoid", "softplus", "erf", "erfinv", "sin", "cos", "tan", "asin", "acos",
    "atan", "atan2", "sinh", "cosh", "pow", "philox", "philox_bits"))


class CompiledProgram(NamedTuple):
    """Addresses: run stands in for gc_map_run, run_range for gc_map_run_range; both are good as long as `code` is."""

    run: int
    run_range: int
    code: Any
    size: int = 0              # bytes


_compiled: OrderedDict[tuple[str, Program, frozenset[int]], CompiledProgram] = OrderedDict()
_scalars: dict[str, str] = {}
_JSON = json.JSONDecoder()


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
    with COMPILING:
        found = _compiled.get(key)
        if found is None:
            found = _compiled[key] = _load(library, _image(library, program, still))
            _forget_oldest()
        _compiled.move_to_end(key)
    return found


def _forget_oldest() -> None:
    """Of the programs but the newest, those used longest ago, until the others fit."""
    kept = sum(code.size for code in _compiled.values())
    while kept > CODE_BYTES and len(_compiled) > 1:
        kept -= _compiled.popitem(last=False)[1].size


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


def _image(library: Library, program: Program, still: frozenset[int]) -> bytes:
    """The program's code (kernels/toolchain/image.py), from the disk cache or made."""
    from graphc.kernels.toolchain import cache
    from graphc.kernels.toolchain.image import MAGIC
    depends = MAGIC, library.isa, library.hash, _writer_text(), repr(without_constants(program)), repr(sorted(still))
    key = f"map-{cache.hash_of(*depends)}.image"
    made = cache.read_used(key)
    if made is None:
        _import_llvm()
        from graphc.kernels.toolchain.backend import compile_text
        from graphc.kernels.toolchain.link import link
        from graphc.kernels.toolchain.targets import TARGETS
        compiled = compile_text(TARGETS[library.isa], _module(library, program, still))
        made = link([compiled], ["gc_jit_run", "gc_jit_run_range"]).to_bytes()
        cache.write_few(key, made, "map-")
    return made


@functools.cache
def _import_llvm() -> None:
    """Imports llvmlite and holds Python's lock for no more than some milliseconds at a time: LLVM's library, 100 MB, is
    brought into the process by a foreign call, and the new objects do not make Python look for garbage among all."""
    found = importlib.util.find_spec("llvmlite")
    for folder in (found.submodule_search_locations if found is not None else None) or ():
        for path in Path(folder, "binding").glob("libllvmlite*.so"):
            ctypes.CDLL(None).dlopen(os.fsencode(path), os.RTLD_NOW)
    collects = gc.isenabled()
    gc.disable()
    try:
        importlib.import_module("llvmlite.binding")
    finally:
        if collects:
            gc.enable()


@functools.cache
def _writer_text() -> bytes:
    """What turns a program into LLVM text."""
    text = pkgutil.get_data("graphc.exec", "map_code.py")
    assert text is not None
    return text


def _module(library: Library, program: Program, still: frozenset[int]) -> str:
    text, primitives = map_text(program, still)
    return "".join([HELPERS, *scalar_functions(library, primitives), text])


def scalar_functions(library: Library, primitives: Collection[str]) -> list[str]:
    """LLVM text: what defines gc_scalar.<name> for each of the primitives, and declares what those call.

    The library's text of all scalars, 1.4 MB of JSON, is not read as a whole."""
    scalars = _scalars.get(library.isa)
    if scalars is None:
        scalars = _scalars[library.isa] = library.scalars()
    functions = [str(_value_in(scalars, name)) for name in sorted(primitives)]
    declarations = [line for name, line in sorted(_value_in(scalars, "declarations").items())
                    if any(f"@{name}(" in f for f in functions)]
    return [*declarations, *functions]


def _value_in(text: str, name: str) -> Any:
    """The value of that name in an object of JSON, at whatever depth. A quote within a string is escaped: it is not
    found."""
    key = f'"{name}": '
    at = text.find(key)
    if at < 0:
        raise KeyError(name)
    return _JSON.raw_decode(text, at + len(key))[0]


def _load(library: Library, data: bytes) -> CompiledProgram:
    from graphc.kernels.toolchain.image import Image
    from graphc.kernels.toolchain.load import Code
    imports = {name: library.entry[name] for name in HELPER_NAMES}
    image = Image.from_bytes(data)
    found = Code(image, imports)
    return CompiledProgram(found["gc_jit_run"], found["gc_jit_run_range"], found, len(image.memory))
