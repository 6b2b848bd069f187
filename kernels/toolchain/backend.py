"""Back end: host-independent LLVM IR becomes an object for one instruction set.

retarget (triple, data layout) -> internalise all but the exports -> drop what is not used -> make parts weak ->
optimise and vectorise for the target -> refuse host addresses -> append the ISA to the exports' names -> a section for
each function, and no tables of jumps, so that linkers can leave out what nobody calls -> object code. Needs llvmlite
only.

A part (cpu/memory.py) is a weak symbol, so that whoever links can put another function in its place: what callers know
of it is its type.

Whoever compiles while other threads may fork holds COMPILING (compiling.py).
"""
from __future__ import annotations

import re
from collections.abc import Mapping

import llvmlite.binding as llvm

from . import tsan
from .gate import PART_SYMBOL
from .targets import Target

# The first line of a function: all in front of where a section is named, the function's name, the rest.
_DEFINITION = re.compile(r'^(define [^\n]*?@"?([\w.]+)"?\([^\n]*?)((?: align \d+)? \{)$', re.MULTILINE)
_PART = re.compile(r'^(define [^\n]*?@"?([^"(]+)"?\([^\n]*?) section "\.part\.(\w+)"', re.MULTILINE)
PART_SECTION = ".part."                # and its name: where the front end puts a part
# No function throws, so none needs an entry in unwinders' tables. Tables of jumps stand in one section for all
# functions of an object, and refer to them: whoever has one would keep all of them in a linked program.
_ATTRIBUTES = 'nounwind "no-jump-tables"="true"'
IMPORTED = "gc_"                       # begins the names of functions that are defined in other units
# LLVM begins each loop at a multiple of 16 bytes, outer ones, too: a fortieth of all code is padding for that.
_PADDING = "-max-bytes-for-alignment="
_MOST, _LESS = 15, 7                   # bytes; in front of a loop that would take more there are none
HOST_ADDRESS = re.compile(r"inttoptr \(i64 -?\d+ to ptr\)")


class BackEndError(Exception):
    """IR that cannot become an object of the library."""


def target_machine(target: Target) -> llvm.TargetMachine:
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    return llvm.Target.from_triple(target.triple).create_target_machine(
        cpu=target.cpu, features=target.features, opt=3, reloc=target.relocation, codemodel="default",
        abiname=target.abi)


def build_object(target: Target, bitcode: bytes, exports: Mapping[str, str], inline_all: bool = True,
                 unroll: bool = True, unit: str = "", aligned: bool = True) -> bytes:
    """One object. exports: symbol -> name in `bitcode` of the function that it exports as symbol_<isa>.

    inline_all: inline every helper that is not noinline or to be small, as kernels' inner loops need; False: as LLVM
    judges. unroll: whether loops are unrolled. unit: its name, which the symbols of its parts have. aligned: whether
    all loops begin at multiples of 16 bytes, or only those that need little padding.
    """
    llvm.set_option("graphc", f"{_PADDING}{_MOST if aligned else _LESS}")
    machine = target_machine(target)
    module = llvm.parse_bitcode(bitcode)
    _retarget(module, target, machine)
    _internalise(module, set(exports.values()), inline_all)
    module = _with_parts(module, machine, unit.replace(".", "_"))
    _optimise(module, machine, vectorise=not target.tsan, unroll=unroll)
    if target.tsan:
        module = llvm.parse_assembly(tsan.instrument(str(module)))
    found = HOST_ADDRESS.search(str(module))
    if found:
        raise BackEndError(f"an address of the machine that compiles is left in the code: {found.group(0)}")
    _rename(module, exports, target)
    module = llvm.parse_assembly(_DEFINITION.sub(rf'\1 {_ATTRIBUTES} section ".text.\2"\3', str(module)))
    module.verify()
    return bytes(machine.emit_object(module))


def compile_text(target: Target, text: str) -> bytes:
    """An object from LLVM text made for no machine in particular; for code that runs in this process (the map JIT)."""
    machine = target_machine(target)
    module = llvm.parse_assembly(text)
    _retarget(module, target, machine)
    module.verify()
    _optimise(module, machine)
    return bytes(machine.emit_object(module))


def _retarget(module: llvm.ModuleRef, target: Target, machine: llvm.TargetMachine) -> None:
    module.triple = target.triple
    module.data_layout = str(machine.target_data)


def _internalise(module: llvm.ModuleRef, exports: set[str], inline_all: bool) -> None:
    missing = set(exports)
    for function in module.functions:
        if function.is_declaration:
            continue
        if function.name in exports and function.linkage != llvm.Linkage.internal:
            missing.discard(function.name)
            function.linkage = "external"
        else:
            function.linkage = "internal"
            said = b" ".join(function.attributes)
            if inline_all and b"noinline" not in said and b"optsize" not in said:
                function.add_function_attribute("alwaysinline")
    for variable in module.global_variables:
        if not variable.is_declaration:
            variable.linkage = "internal"
    if missing:
        raise BackEndError(f"not defined: {sorted(missing)}")


def _with_parts(module: llvm.ModuleRef, machine: llvm.TargetMachine, unit: str) -> llvm.ModuleRef:
    """The module with the parts that its exports call as weak symbols, and without their sections."""
    _drop_unused(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
    text = str(module)
    parts: dict[str, str] = {}
    for _, name, part in _PART.findall(text):
        same = [other for other in parts.values() if re.fullmatch(rf"{PART_SYMBOL}{unit}_{part}(_n\d+)?", other)]
        parts[name] = f"{PART_SYMBOL}{unit}_{part}" + (f"_n{len(same)}" if same else "")     # for several types
    if not parts:
        return module
    module = llvm.parse_assembly(_PART.sub(r"\1", text))
    for name, symbol in parts.items():
        function = module.get_function(name)
        function.name, function.linkage, function.visibility = symbol, "weak_any", "hidden"
    return module


def _optimise(module: llvm.ModuleRef, machine: llvm.TargetMachine, vectorise: bool = True,
              unroll: bool = True) -> None:
    tuning = llvm.create_pipeline_tuning_options(speed_level=3)
    tuning.loop_vectorization = vectorise
    tuning.slp_vectorization = vectorise
    tuning.loop_unrolling = vectorise and unroll
    tuning.loop_interleaving = vectorise
    passes = llvm.create_pass_builder(machine, tuning)
    # Numba's environments and exception tables are unused once internal: dropped first, to spend nothing on them.
    _drop_unused(module, passes)
    passes.getModulePassManager().run(module, passes)
    _drop_unused(module, passes)


def _drop_unused(module: llvm.ModuleRef, passes: llvm.PassBuilder) -> None:
    manager = llvm.create_new_module_pass_manager()
    manager.add_global_dead_code_eliminate_pass()
    manager.run(module, passes)


def _rename(module: llvm.ModuleRef, exports: Mapping[str, str], target: Target) -> None:
    """Exports, parts, and what other units export (IMPORTED) get the ISA; what is internal gets a number, for numba's
    names carry counters of its process."""
    number = 0
    symbols = {name: symbol for symbol, name in exports.items()}
    for value in [*module.functions, *module.global_variables]:
        if value.name in symbols and not value.is_declaration:
            value.name = f"{symbols[value.name]}_{target.symbol}"
        elif value.name.startswith(PART_SYMBOL):
            value.name = f"{value.name}_{target.symbol}"
        elif not value.is_declaration and not value.name.startswith("llvm."):
            value.name = f"internal.{number}"
            number += 1
        elif value.name.startswith(IMPORTED):
            value.name = f"{value.name}_{target.symbol}"
