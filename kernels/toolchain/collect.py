"""What there is to compile: all that kernels/ declares, grouped into units that are compiled and cached separately.

Kernels are those of kernels/contracts/all.py; the modules of their functions are imported here. Scalar primitives are
kernels/primitives.py's PRIMITIVES, entry points of the runtime kernels/runtime's ENTRY. Numbers of kernels and
primitives (their places in the registry) are in order of name.
"""
from __future__ import annotations

import ast
import importlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from numba import types

from ..contracts.all import KERNELS
from ..contracts.calls import Functions
from ..contracts.kernel import Kernel
from ..cpu.products import bfloat16_rows, bfloat16_tiles, micro
from ..numba_types import NUMBA_TYPES
from .frontend import Adapter
from .registry import DeclarationError, KernelEntry, PrimitiveEntry
from .targets import TARGETS

FOLDER = Path(__file__).parent.parent
PACKAGE = __package__.rpartition(".")[0]
# Primitives of these results have a unit each, all others one: who links a function takes the constants of its unit.
PRIMITIVE_UNITS = ("bool", "f32", "f64")
MICRO_KERNELS = f"{PACKAGE}.cpu.products.micro"
BFLOAT16_TILES, BFLOAT16_ROWS = (f"{PACKAGE}.cpu.products.{name}" for name in ("bfloat16_tiles", "bfloat16_rows"))
ROLES = ("bind", "run", "pack")

# Units whose loops are quicker unrolled: rounds of a generator, taps of a window, walks over rows of few numbers.
UNROLLED = frozenset({"candidates", "depthwise", "draws", "max_pool_grad", "pooling", "primitives",
                      "runtime", "segment", "stateless", "truncated"})
# And those of products: units that consist of short inner loops.
ALIGNED = UNROLLED | {"matmul", "micro", "bfloat16_tiles"}


@dataclass
class Unit:
    """Functions of one Python module, which become one LLVM module, whatever ISAs they are for. shares: other units may
    call them. fast: if given, the modules whose functions are compiled for speed, all others for size. features: what
    its code needs beyond its instruction set, in LLVM's names; who calls it knows that the machine has it."""

    name: str
    module: str
    inline_all: bool = True
    adapters: list[Adapter] = field(default_factory=list)
    shares: bool = False
    fast: tuple[str, ...] | None = None
    features: str = ""

    @property
    def unrolls(self) -> bool:
        """Whether LLVM unrolls its loops: others would be a sixth larger, and no faster (docs/adr/0034)."""
        return self.name.partition(".")[0] in UNROLLED

    @property
    def is_aligned(self) -> bool:
        """Whether all its loops are aligned: of others a fortieth of their code would be padding (docs/adr/0094)."""
        return self.name.partition(".")[0] in ALIGNED

    @property
    def weight(self) -> float:
        """About how long it takes to compile, of all units: some 1.5 s for a function tuned for an ISA, 0.1 s for
        others, and much more for the runtime."""
        return 30.0 if self.name == "runtime" else sum(1.5 if a.isa else 0.1 for a in self.adapters)

    def exports(self, isa: str) -> dict[str, str]:
        """What an object of this unit for `isa` defines: symbol without suffix -> name in the LLVM module."""
        return {a.symbol: a.name for wanted in ("", isa) for a in self.adapters if a.isa == wanted}


@dataclass(frozen=True)
class Inventory:
    units: list[Unit]
    kernels: list[KernelEntry]
    primitives: list[PrimitiveEntry]
    functions: list[str | None]        # symbols of the table of functions
    entries: dict[str, list[str]]      # the runtime's entry points: name -> C types of the result and of the parameters


def collect(only: Sequence[str] = ()) -> Inventory:
    """only: if given, just these: "matmul", "matmul.f32", "primitives", "runtime", "strings"."""
    units: dict[str, Unit] = {}
    kernels = _kernels(only)
    table: list[str | None] = []
    for entry in kernels:
        table += _add_kernel(units, entry)
    _add_products(units)
    _add_bfloat16(units)
    primitives: list[PrimitiveEntry] = []
    entries: dict[str, list[str]] = {}
    if not only or "primitives" in only:
        primitives = _add_primitives(units, table)
    if not only or "runtime" in only:
        entries |= _add_entries(units, "runtime")
    if not only or "strings" in only:
        entries |= _add_entries(units, "strings")
    return Inventory(list(units.values()), kernels, primitives, table, entries)


def _kernels(only: Sequence[str]) -> list[KernelEntry]:
    found = []
    for kernel in KERNELS.values():
        for choice in kernel.types:
            full_name = kernel.full_name([choice.get(o.dtype, o.dtype) for o in kernel.operands])
            if not only or kernel.name in only or full_name in only:
                found.append(KernelEntry(full_name, kernel, choice))
    known = {name for e in found for name in (e.full_name, e.kernel.name)} | {
        "primitives", "runtime", "strings"}
    unknown = [name for name in only if name not in known]
    if unknown:
        raise ValueError(f"no kernel is called {', '.join(unknown)}; there are {', '.join(sorted(KERNELS))}")
    return sorted(found, key=lambda e: e.full_name)


def _unit_of(units: dict[str, Unit], entry: KernelEntry, functions: Functions) -> Unit:
    """One unit a module; kernels tuned for ISAs are large, so they get one a dtype, which compile in parallel."""
    module = _module(entry.kernel)
    name = module.rpartition(".")[2]
    if any(isinstance(getattr(functions, role), dict) for role in ROLES):
        name = ".".join([name, *list(entry.types.values())[:1]])
    return units.setdefault(name, Unit(name, module))


def _module(kernel: Kernel) -> str:
    return f"{PACKAGE}.{kernel.make.partition(':')[0]}"


def _make(entry: KernelEntry) -> Functions:
    """The functions that the declaration refers to."""
    function = entry.kernel.make.partition(":")[2]
    try:
        make = getattr(importlib.import_module(_module(entry.kernel)), function)
    except (ModuleNotFoundError, AttributeError) as error:
        raise DeclarationError(f"kernel {entry.kernel.name}: there is no {entry.kernel.make}: {error}") from error
    made: Functions = make(dict(entry.types))
    return made


def _add_kernel(units: dict[str, Unit], entry: KernelEntry) -> list[str | None]:
    """Adapters for bind, run and pack; returns their symbols for the table of functions."""
    kernel = entry.kernel
    functions = _make(entry)
    unit = _unit_of(units, entry, functions)
    numbers = len(kernel.dims) + len(kernel.attrs)
    floats = tuple(len(kernel.dims) + i for i, name in enumerate(kernel.attrs) if name in kernel.floats)
    symbols: list[str | None] = []
    for role in ROLES:
        given = getattr(functions, role)
        if given is None:
            symbols.append(None)
            continue
        symbol = f"gc_kernel_{entry.full_name.replace('.', '_')}_{role}"
        operands = _pointer_operands(entry, role)
        for isa, function in _by_isa(given).items():
            unit.adapters.append(Adapter(symbol, role, function, operands, numbers, floats, isa=isa))
        symbols.append(symbol)
    return symbols


def _pointer_operands(entry: KernelEntry, role: str) -> tuple[str, ...]:
    if role == "bind":
        return ()
    if role == "pack":
        return tuple(entry.dtype(o.dtype) for o in entry.kernel.operands if o.packable)[:1]
    return tuple(entry.dtype(o.dtype) for o in entry.kernel.operands)


def _by_isa(given: Callable[..., Any] | dict[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    return {k.replace("-", "_"): f for k, f in given.items()} if isinstance(given, dict) else {"": given}


def _add_products(units: dict[str, Unit]) -> None:
    """The micro-kernels of the dtypes whose units multiply."""
    dtypes = {unit.name.partition(".")[2] for unit in units.values() if MICRO_KERNELS in _closure(unit.module)}
    for dtype in sorted(dtypes - {""}):
        unit = units[f"micro.{dtype}"] = Unit(f"micro.{dtype}", MICRO_KERNELS, shares=True)
        for isa in [target.symbol for target in TARGETS.values()]:
            known = isa if isa in micro.ISAS else ""
            shapes = micro.shapes(known, dtype)
            bfloat16_tiles = micro.bfloat16_shapes(known) if dtype == "f32" else ()
            unit.adapters += [Adapter(micro.symbol(dtype, shape), "emitted", partial(micro.emit, dtype, shape), isa=isa)
                              for shape in (shapes.main, shapes.narrow, shapes.wide, *bfloat16_tiles)]


def _add_bfloat16(units: dict[str, Unit]) -> None:
    """The functions for processors that multiply bfloat16, if a unit may call them."""
    for module, emitted in ((BFLOAT16_TILES, bfloat16_tiles.symbols()), (BFLOAT16_ROWS, bfloat16_rows.symbols())):
        if any(module in _closure(unit.module) for unit in list(units.values())):
            name = module.rpartition(".")[2]
            units[name] = Unit(name, module, shares=True, features=bfloat16_tiles.FEATURES)
            units[name].adapters += [Adapter(symbol, "emitted", emit, isa=bfloat16_tiles.ISA)
                                     for symbol, emit in emitted.items()]


def _add_primitives(units: dict[str, Unit], table: list[str | None]) -> list[PrimitiveEntry]:
    """Primitives are many and small: several units, which compile in parallel, too."""
    module = f"{PACKAGE}.primitives"
    declared = sorted(importlib.import_module(module).PRIMITIVES, key=lambda row: row[0])
    entries = []
    for primitive in declared:
        full_name, result, arguments, function = primitive
        part = f"primitives.{result if result in PRIMITIVE_UNITS else 'others'}"
        unit = units.setdefault(part, Unit(part, module))
        symbol = f"gc_primitive_{full_name.replace('.', '_')}"
        wanted = _primitive_types(result, arguments, function)
        unit.adapters.append(Adapter(symbol, "primitive", function, types=wanted))
        entries.append(PrimitiveEntry(full_name, result, tuple(arguments), primitive.is_reduce))
        table.append(symbol)
    return entries


def _primitive_types(result: str, arguments: Iterable[str], function: Callable[..., Any]) -> tuple[Any, ...]:
    """Pointers to what is read and written; addresses for parameters that no argument stands for; the count."""
    code = getattr(function, "py_func", function).__code__
    pointers = [types.CPointer(NUMBA_TYPES[name]) for name in (result, *arguments)]
    return (*pointers, *[types.int64] * (code.co_argcount - len(pointers)))


def _add_entries(units: dict[str, Unit], folder: str) -> dict[str, list[str]]:
    """The entry points that a folder of kernels/ declares, as one unit."""
    module = f"{PACKAGE}.{folder}"
    declared = importlib.import_module(module)
    fast = getattr(declared, "FAST", None)
    unit = units.setdefault(module, Unit(folder, module, inline_all=False,
                                         fast=fast and tuple(f"{module}.{name}" for name in fast)))
    for name, (function, argument_types, result) in declared.ENTRY.items():
        unit.adapters.append(Adapter(name, "entry", function, types=tuple(argument_types), result=result))
    return {name: [_c_type(result), *map(_c_type, arguments)]
            for name, (_, arguments, result) in declared.ENTRY.items()}


def _c_type(type_: Any) -> str:
    if isinstance(type_, types.CPointer):
        return f"{_c_type(type_.dtype)}*"
    return "void" if type_ in (None, types.none, types.void) else f"{type_.name}_t"


def source_hash_parts(module: str) -> list[str]:
    """Texts of all files of kernels/ that `module` imports, directly or not, itself included."""
    return [f"{name}\n{text}" for name, text in sorted(_closure(module).items())]


@cache
def _closure(module: str) -> dict[str, str]:
    """Those texts, by the module's name."""
    texts: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in texts:
            found = _source(name)
            if found is not None:
                texts[name], imported = found
                waiting += imported
    return texts


@cache
def _source(module: str) -> tuple[str, list[str]] | None:
    """The text of a module of kernels/, and what may be modules of kernels/ that it imports; None if it is none."""
    relative = module.removeprefix(PACKAGE).strip(".").replace(".", "/")
    path = FOLDER / f"{relative}.py"
    package = module.rpartition(".")[0]
    if not path.is_file():
        path, package = FOLDER / relative / "__init__.py", module
    if not path.is_file():
        return None
    text = path.read_text()
    imported: list[str] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.level:
            parents = package.split(".")[:package.count(".") + 2 - node.level]
            base = ".".join([*parents, *([node.module] if node.module else [])])
            imported += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return text, imported
