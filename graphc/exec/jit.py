"""The map JIT: compiles a Plan's fused programs to machine code for this machine, some 20 ms each, kept on disk.

Programs that differ in their constants alone share code. What is kept has an end: the programs used last, CODE_BYTES in
this process (others are unloaded with the last engine that uses them), on disk as kernels/toolchain/cache.py says. Code
from the disk is mapped as it is: LLVM is imported when there is something to compile.

The code of a pass takes the place of its list of primitives (pass_code.py) in maps bound as ever; its results are the
evaluator's, bit for bit, since both are made of the same scalar functions and neither contracts nor reassociates
across them. Single primitives stay with the evaluator. Needs llvmlite, not numba.

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
from graphc.exec.map_code import LLVM_TYPES, value_dtype
from graphc.exec.pass_code import Form, Pass, kind_of_bound, pass_text, passes_of, row_values
from graphc.kernels.runtime.map_words import LONG_ROW
from graphc.kernels.toolchain.compiling import COMPILING
from graphc.plan.plan import Body, Call, DimKind, Map, Plan, Program

if TYPE_CHECKING:
    from graphc.exec.engine import Engine

CODE_BYTES = 32 << 20
LONGEST = 100              # instructions of a program that is compiled: the time that LLVM takes grows faster
MASK_BITS = 63             # loads that a word can tell of


class CompiledProgram(NamedTuple):
    """Of each pass the address of its code, 0: the evaluator does it; the code is good as long as `code` is."""

    pass_0: int
    pass_1: int
    still: int = 0             # bits of the loads that have to stay at one element while a chunk lasts
    registers: int = 0         # what the code wants of a map's scratch beside the evaluator's
    code: Any = None
    size: int = 0              # bytes


_compiled: OrderedDict[tuple[str, Form], CompiledProgram] = OrderedDict()
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


def is_compilable(program: Program) -> bool:
    """Whether code may take the place of the evaluator in some pass."""
    dtypes = {value_dtype(program, v) for v in range(len(program.loads) + len(program.instrs))}
    return dtypes <= set(LLVM_TYPES) and any(made.pays for made in passes_of(Form(program)))


def pays(program: Program) -> bool:
    """Whether code for the program is worth the time that it takes to make."""
    return is_compilable(program) and len(program.instrs) <= LONGEST


def compile_programs(plan: Plan, library: Library | None = None,
                     wanted: Callable[[Program], bool] = is_compilable) -> dict[int, CompiledProgram]:
    """Number of a program in plan.programs -> its code, for those that are wanted."""
    library = library or load_library()
    forms: dict[int, Form] = {}
    for body in plan.bodies:
        for step in _maps(body):
            program = plan.programs[step.program]
            if wanted(program) and stores_rows_of_values(program, step):
                still, seen = still_loads(body, step, program), forms.get(step.program)
                forms[step.program] = Form(program, still & seen.still if seen else still)
    return {number: compile_form(form, library) for number, form in forms.items()}


def compile_form(form: Form, library: Library | None = None) -> CompiledProgram:
    library = library or load_library()
    form = dataclasses.replace(form, program=without_constants(form.program))
    key = library.isa, form
    with COMPILING:
        found = _compiled.get(key)
        if found is None:
            found = _compiled[key] = _load(library, form)
            _forget_oldest()
        _compiled.move_to_end(key)
    return found


def _forget_oldest() -> None:
    """Of the programs but the newest, those used longest ago, until the others fit."""
    kept = sum(code.size for code in _compiled.values())
    while kept > CODE_BYTES and len(_compiled) > 1:
        kept -= _compiled.popitem(last=False)[1].size


def without_constants(program: Program) -> Program:
    """What the code of a program depends on: it reads the constants where the plan has them. In place of their values
    stands what kind of a bound they make."""
    return dataclasses.replace(program, instrs=tuple(
        dataclasses.replace(i, value=kind_of_bound(i.value)) if i.op == "const" else i for i in program.instrs))


def _maps(body: Body) -> Iterator[Map]:
    for step in body.steps:
        if isinstance(step, Map):
            yield step
        elif isinstance(step, Call) and step.epilogue is not None:
            yield step.epilogue


def stores_rows_of_values(program: Program, step: Map) -> bool:
    """Whether what the map stores a row at a time are the values that depend on a reduction, and no others."""
    rows = row_values(program)
    return bool(rows) == (step.reduced > 0) and all((len(access.strides) < len(step.domain)) == (value in rows)
               for access, value in zip(step.stores, program.stores, strict=True))


def still_loads(body: Body, step: Map, program: Program) -> frozenset[int]:
    """Loads that are known to stay at one element as long as a chunk lasts (kernels/runtime/map_bind.py): everywhere,
    or along the last axis that may have more than one element, which is not known to be short. What is stored or
    reduced as it is read, is read like all others."""
    def constant(dim: int) -> int | None:
        return body.dims[dim].value if body.dims[dim].kind == DimKind.CONST else None

    sizes = [constant(dim) for dim in step.domain]
    axes = [axis for axis, size in enumerate(sizes) if size != 1]
    as_read = {*program.stores, *(i.args[0] for i in program.instrs if i.op.startswith("reduce."))}
    last = sizes[axes[-1]] if axes else None
    crossed = step.reduced > 0 or (last is not None and last < LONG_ROW)
    looked_at = axes if crossed else axes[-1:]
    return frozenset(i for i, load in enumerate(step.loads[:MASK_BITS])
                     if i not in as_read and all(constant(load.strides[axis]) == 0 for axis in looked_at))


def _image(library: Library, form: Form, passes: list[Pass]) -> bytes:
    """The form's code (kernels/toolchain/image.py), from the disk cache or made."""
    from graphc.kernels.toolchain import cache
    from graphc.kernels.toolchain.image import MAGIC
    depends = MAGIC, library.isa, library.hash, _writer_text(), repr(form.program), repr(sorted(form.still))
    key = f"map-{cache.hash_of(*depends)}.image"
    made = cache.read_used(key)
    if made is None:
        _import_llvm()
        from graphc.kernels.toolchain.backend import compile_text
        from graphc.kernels.toolchain.link import link
        from graphc.kernels.toolchain.targets import TARGETS
        compiled = compile_text(TARGETS[library.isa], _module(library, passes))
        made = link([compiled], [_name(p) for p in passes]).to_bytes()
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
    texts = [pkgutil.get_data("graphc.exec", name) for name in ("map_code.py", "pass_code.py")]
    return b"".join(text or b"" for text in texts)


def _name(made: Pass) -> str:
    return f"gc_jit_pass_{made.number}"


def _module(library: Library, passes: list[Pass]) -> str:
    texts, primitives = list[str](), set[str]()
    for made in passes:
        text, called = pass_text(made, _name(made))
        texts.append(text)
        primitives |= called
    return "".join([*scalar_functions(library, primitives), *texts])


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


def _load(library: Library, form: Form) -> CompiledProgram:
    from graphc.kernels.toolchain.image import Image
    from graphc.kernels.toolchain.load import Code
    passes = [made for made in passes_of(form) if made.pays]
    if not passes:
        return CompiledProgram(0, 0)
    image = Image.from_bytes(_image(library, form, passes))
    found = Code(image, {})
    addresses = [0, 0]
    for made in passes:
        addresses[made.number] = found[_name(made)]
    return CompiledProgram(addresses[0], addresses[1], sum(1 << i for i in form.still),
                           max(made.registers for made in passes), found, len(image.memory))
