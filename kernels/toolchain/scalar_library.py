"""The scalar functions as LLVM text, from which the map JIT (graphc/exec/jit.py) builds whole programs without numba.

Made from the bitcode of the tile primitives, which define a `gc_scalar.<name>` each (kernels/scalars/tiles.py):
everything else is dropped, helpers are inlined, and what is left is simplified but not vectorised, for no machine in
particular.
"""
from __future__ import annotations

import json
import re
from collections.abc import Sequence

import llvmlite.binding as llvm

from .backend import _drop_unused

PREFIX = "gc_scalar."
_CALLED = re.compile(r"\bnoinline\b")           # kernels/scalars/machine.py: a program has no functions beside its own
_REFERENCE = re.compile(r"@\"?([\w.]+)\"?\(")
_LOCAL = re.compile(r"%(\"[^\"]+\"|[-\w.$]+)|^(\"[^\"]+\"|[-\w.$]+)(?=:)", re.MULTILINE)      # a value, or a block


def scalar_texts(bitcode: bytes) -> bytes:
    """JSON: {"functions": {name: text of its definition}, "declarations": {LLVM intrinsic: text}}."""
    llvm.initialize_native_target()
    machine = llvm.Target.from_default_triple().create_target_machine(cpu="generic", opt=2)
    functions: dict[str, str] = {}
    declarations: dict[str, str] = {}
    module = llvm.parse_assembly(_CALLED.sub("nounwind", str(llvm.parse_bitcode(bitcode))))
    _simplify(module, machine)
    for function in module.functions:
        if function.name.startswith(PREFIX):
            function.linkage = "internal"      # only now: before, it would have been dropped as unused
        text = _plain(str(function))
        if function.is_declaration:
            declarations[function.name] = text
        elif function.name.startswith(PREFIX):
            functions[function.name.removeprefix(PREFIX)] = text
    used = {name for text in functions.values() for name in _REFERENCE.findall(text)}
    return _text(functions, {n: t for n, t in declarations.items() if n in used})


def joined(parts: Sequence[bytes]) -> bytes:
    """One of several results of scalar_texts."""
    functions: dict[str, str] = {}
    declarations: dict[str, str] = {}
    for part in map(json.loads, parts):
        functions.update(part["functions"])
        declarations.update(part["declarations"])
    return _text(functions, declarations)


def _text(functions: dict[str, str], declarations: dict[str, str]) -> bytes:
    return json.dumps({"functions": functions, "declarations": declarations}, sort_keys=True).encode()


def _simplify(module: llvm.ModuleRef, machine: llvm.TargetMachine) -> None:
    for function in module.functions:
        if function.is_declaration:
            continue
        if function.name.startswith(PREFIX):
            function.linkage = "external"
        else:
            function.linkage = "internal"
            function.add_function_attribute("alwaysinline")
    for variable in module.global_variables:
        if not variable.is_declaration:
            variable.linkage = "internal"
    tuning = llvm.create_pipeline_tuning_options(speed_level=2)
    tuning.loop_vectorization = tuning.slp_vectorization = tuning.loop_interleaving = False
    passes = llvm.create_pass_builder(machine, tuning)
    _drop_unused(module, passes)
    passes.getModulePassManager().run(module, passes)
    _drop_unused(module, passes)


def _plain(text: str) -> str:
    """A definition without what refers to the rest of its module: attribute groups, metadata, comments."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(";")]
    joined = "\n".join(re.sub(r"\s+;.*$", "", line) for line in lines)
    joined = re.sub(r" #\d+", "", joined)
    joined = re.sub(r",? !\w+(\.\w+)* !\d+", "", joined)
    return _short_names(joined) + "\n"


def _short_names(text: str) -> str:
    """With v0, v1, ... in place of values' and blocks' names, which tell from where LLVM has inlined what."""
    names: dict[str, str] = {}

    def short(found: re.Match[str]) -> str:
        name = names.setdefault(found[1] or found[2], f"v{len(names)}")
        return f"%{name}" if found[1] else name

    return _LOCAL.sub(short, text)
