"""What the C++ runner is linked from: libgraphc_kernels.a, graphc_tables.cpp and graphc_layout.h.

The archive has the objects of all instruction sets, but that code of better ones is left out that would only make the
runner larger: the runtime, and families of kernels that it makes no faster. Functions that are the same machine code
have one name, in the tables and among objects (folding.py), and linkers leave the others out.
"""
from __future__ import annotations

import importlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from .. import layout
from ..contracts import calls
from ..contracts.all import KERNELS
from ..strings import tables as strings
from . import cache
from .archive import ENTRIES, read_archive, write_archive
from .folding import same_functions, with_shared_helpers
from .gate import PART_SYMBOL, read_symbols
from .header import layout_header
from .tables import ROLES, Tables, read_tables, tables_source
from .targets import TARGETS, Target

RUNTIME, STRINGS = "runtime.o", "strings.o"
TABLES = ("registry.o", "functions.o")
# Families (files of kernels/cpu) and scalar functions whose code for the plainest instruction set serves all. It gives
# the same bits. Wider vectors make these families at most a sixth faster; what they would do for neural networks in
# float64, which `is_shared` adds, and for these functions is said in docs/adr/0034.
SHARED = frozenset({
    "array/absent", "array/copy", "array/equal_rows", "array/gather", "array/invert_permutation", "array/nonzero",
    "array/pad", "array/scatter_nd", "image/crop_boxes", "image/draw_boxes", "image/glimpse", "image/suppression",
    "math/argextreme", "math/bincount", "math/checked", "math/cumsum", "math/search_sorted", "math/segment",
    "math/top_k", "math/unique", "nn/candidates", "nn/ctc", "nn/ctc_decode", "convolution/depth_taps",
    "nn/in_top_k", "nn/window_sum", "pooling/dilation", "pooling/fractional_pool", "pooling/pooling",
    "pooling/pooling3d", "pooling/pooling_argmax",
    "random/draws", "random/truncated", "signal/fft", "sparse/distance", "sparse/product", "sparse/rows",
    "state/sizes", "state/state"})
# The folders of neural networks.
NETWORKS = frozenset({"attention", "convolution", "grouped", "nn", "pooling"})
SHARED_SCALARS = frozenset({
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "bessel_i0e", "bessel_i1e", "betainc", "cast", "cosh",
    "digamma", "erfc", "erfinv", "igamma", "igammac", "igamma_grad_a", "lgamma", "next_after", "polygamma", "pow",
    "sinh", "softplus", "tan", "zeta"})
SHARED_IN_DOUBLE = frozenset({
    "cos", "erf", "exp", "expm1", "log", "log1p", "philox", "sigmoid", "sin", "tanh"})


def write_runner_library(archives: Mapping[str, bytes], out: Path) -> None:
    """archives: the libraries of sessions, by instruction set; they hold the same kernels."""
    targets = [target for target in TARGETS.values() if target.name in archives]
    base, members = targets[-1], {target.name: dict(read_archive(archives[target.name])) for target in targets}
    entries: dict[str, list[str]] = json.loads(members[base.name][ENTRIES])
    objects = [of_isa[name] for of_isa in members.values() for name in TABLES]
    # A family that is tuned has an object for each dtype: its binds differ, too.
    tuned = {name.partition(".")[0] for name in members[base.name] if name.count(".") > 1}
    tables = _shared(read_tables(objects, [target.name for target in targets]), base, tuned)
    members = _with_shared_helpers(members, {target.name: _needed(members[target.name], target, base, tables)
                                             for target in targets})
    same = same_functions(data for target in targets for data in _needed(members[target.name], target, base,
                                                                         tables).values())
    tables = replace(tables, functions={isa: [same.get(symbol, symbol) for symbol in functions]
                                        for isa, functions in tables.functions.items()})
    linked = [(f"{name[:-2]}.{target.symbol}.o", data) for target in targets
              for name, data in _needed(members[target.name], target, base, tables).items()]
    out.mkdir(parents=True, exist_ok=True)
    (out / "libgraphc_kernels.a").write_bytes(write_archive(linked, index=True))
    (out / "graphc_tables.cpp").write_text(tables_source(
        tables, same_parts={part: other for part, other in same.items() if part.startswith(PART_SYMBOL)}))
    modules = [layout, calls]
    if entries:
        modules.append(importlib.import_module(f"{__package__.rpartition('.')[0]}.runtime.tables"))
    version = cache.hash_of(*(data for _, data in linked))
    (out / "graphc_layout.h").write_text(layout_header(modules, strings, base, entries, version))


def _shared(tables: Tables, base: Target, tuned: Collection[str]) -> Tables:
    """With the functions of `base` for the families that share them, and for the binds of those that are not tuned."""
    plain, shared = tables.functions[base.name], []
    for name in tables.kernels:
        shared += [is_shared(name) or family_of(name).rpartition("/")[2] not in tuned, *[is_shared(name)] * (ROLES - 1)]
    shared += [is_shared_scalar(name) for name in tables.primitives]
    return replace(tables, functions={isa: [theirs if only else own for own, theirs, only in
                                            zip(functions, plain, shared, strict=True)]
                                      for isa, functions in tables.functions.items()})


def is_shared(kernel: str) -> bool:
    """Whether the kernel of this full name has the plainest instruction set's code alone."""
    family = family_of(kernel)
    in_double = kernel.split(".")[1:2] == ["f64"] and (
        family.partition("/")[0] in NETWORKS or family == "random/stateless")
    return family in SHARED or in_double


def is_shared_scalar(primitive: str) -> bool:
    name, _, dtypes = primitive.partition(".")
    return name in SHARED_SCALARS or (name in SHARED_IN_DOUBLE and dtypes.startswith("f64"))


def family_of(kernel: str) -> str:
    """The file of kernels/cpu that holds the kernel of this full name: "pooling/dilation"."""
    return KERNELS[kernel.partition(".")[0]].make.partition(":")[0].removeprefix("cpu.").replace(".", "/")


def _needed(members: Mapping[str, bytes], target: Target, base: Target, tables: Tables) -> dict[str, bytes]:
    """The objects that the tables name, and those that these call."""
    objects = {name: data for name, data in members.items() if name.endswith(".o") and name not in TABLES
               and (name not in (RUNTIME, STRINGS) or target is base)}
    symbols = {name: read_symbols(data) for name, data in objects.items()}
    named = {name for name in objects if name in (RUNTIME, STRINGS) or not symbols[name].defined.isdisjoint(
        tables.functions[target.name])}
    called = frozenset().union(*(symbols[name].undefined for name in named))
    return {name: data for name, data in objects.items()
            if name in named or not symbols[name].defined.isdisjoint(called)}


def _with_shared_helpers(members: Mapping[str, Mapping[str, bytes]],
                         needed: Mapping[str, Mapping[str, bytes]]) -> dict[str, dict[str, bytes]]:
    places = [(isa, name) for isa, objects in needed.items() for name in objects]
    shared = with_shared_helpers([needed[isa][name] for isa, name in places])
    made = {isa: dict(of_isa) for isa, of_isa in members.items()}
    for (isa, name), data in zip(places, shared, strict=True):
        made[isa][name] = data
    return made


def size_report(archives: Mapping[str, bytes]) -> str:
    """The sizes of all objects, for whoever builds a library."""
    sizes = {isa: {name: len(data) for name, data in read_archive(archive)} for isa, archive in archives.items()}
    names: Sequence[str] = sorted({name for of_isa in sizes.values() for name in of_isa})
    lines = [f"{'bytes':24}" + "".join(f"{isa:>12}" for isa in sizes)]
    lines += [f"{name:24}" + "".join(f"{of_isa.get(name, 0):>12,}" for of_isa in sizes.values()) for name in names]
    lines.append(f"{'total':24}" + "".join(f"{sum(of_isa.values()):>12,}" for of_isa in sizes.values()))
    return "\n".join(lines)
