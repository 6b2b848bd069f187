"""`graphc runner --only-for model.pb`: graphc-run and libgraphc.so with no other kernels than the models' Plans need.

The parts are those of an installed libgraphc.a (`cmake --install`), which says itself what kernels it has. Its tables,
which name all of them, are replaced by smaller ones: the linker takes what these name. It needs nothing but a C++
compiler.
"""
from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import graphc as gc
from graphc import errors
from graphc.kernels.toolchain.archive import read_archive
from graphc.kernels.toolchain.gate import GateError, read_symbols
from graphc.kernels.toolchain.tables import (
    CHECKPOINTS,
    GPU,
    OTHER_STEPS,
    PREFIX,
    Tables,
    part_of,
    read_tables,
    tables_source,
)
from graphc.plan.plan import Call, Map, Plan
from graphc.serial.plan_proto import graph_hash, load_plan
from graphc.serial.signatures import not_native

USE = "graphc runner --only-for MODEL.pb [--only-for OTHER.pb] [-o FOLDER] [options]"
MAIN = """namespace graphc_core { int run_command(int count, char** given); }
int main(int count, char** given) { return graphc_core::run_command(count, given); }
"""
EXPORTS = "{ global: graphc_*; local: *; };\n"
FLAGS = ("-std=c++17", "-O2", "-fPIC")
LINK = ("-pthread", "-s", "-Wl,--gc-sections", "-Wl,--build-id=none", "-Wl,-z,noexecstack", "-Wl,-z,relro",
        "-Wl,-z,noseparate-code", "-ldl")


def add(commands: Any) -> None:
    """Adds the command to those of `graphc`."""
    command = commands.add_parser("runner", help="link a small C++ runner for some models", usage=USE,
                                  formatter_class=argparse.RawTextHelpFormatter)
    command.add_argument("--only-for", action="append", required=True, metavar="MODEL.pb",
                         help="a model with compiled Plans; may be repeated")
    command.add_argument("-o", "--out", default=".", metavar="FOLDER", help="where to write; default: this folder")
    command.add_argument("--prefix", metavar="FOLDER",
                         help="where the C++ library is installed (lib/libgraphc.a); default: the one that came\n"
                              "with this package, or the checkout's build/runner")
    command.add_argument("--isa", metavar="NAMES", help="comma-separated: x86-64-v3 alone is smaller; default: all")
    command.add_argument("--gpu", action="store_true", help="with what runs models on a GPU (`graphc gpu`)")
    command.add_argument("--cxx", default=os.environ.get("CXX", "c++"), help="the C++ compiler; default: $CXX or c++")
    command.set_defaults(command=_run)


@dataclass(frozen=True)
class Needs:
    """Names of kernels and scalar functions, and of parts of the C++ library (tables.py: PARTS)."""

    kernels: frozenset[str]
    primitives: frozenset[str]
    parts: frozenset[str]


def needs_of(plan: Plan, has_variables: bool = False) -> Needs:
    """What a run of the plan calls. has_variables: whether the file lists any, of which there may be checkpoints."""
    kernels = {step.kernel for body in plan.bodies for step in body.steps if isinstance(step, Call)}
    primitives = set()
    for program in plan.programs:
        kinds = list(program.loads)
        for instr in program.instrs:
            if instr.op not in ("const", "index", "linear"):
                primitives.add(f"{instr.op}.{instr.dtype}.{kinds[instr.args[0]]}")
            kinds.append(instr.dtype)
    parts = set(CHECKPOINTS) if has_variables or plan.states else set()
    if not all(isinstance(step, Call | Map) for body in plan.bodies for step in body.steps):
        parts.add(OTHER_STEPS)
    return Needs(frozenset(kernels), frozenset(primitives), frozenset(parts))


def _run(options: argparse.Namespace) -> None:
    found = [needs for path in options.only_for for needs in model_needs(path)]
    library = find_library(options.prefix)
    tables = _tables(library, (options.isa or "").split(",") if options.isa else None)
    try:
        part = part_of(tables, {name for needs in found for name in needs.kernels},
                       {name for needs in found for name in needs.primitives})
    except KeyError as error:
        raise errors.UnimplementedError(f"{library} has no {error.args[0]}: it is older than the model") from None
    names = ", ".join(dict.fromkeys(os.path.basename(path) for path in options.only_for))
    parts = {name for needs in found for name in needs.parts} | ({GPU} if options.gpu else set())
    for path in link(part, names, parts, library, Path(options.out), shlex.split(options.cxx)):
        print(f"{path}: {path.stat().st_size:,} bytes")
    print(f"for {names}: {len(part.kernels)} kernels and {len(part.primitives)} scalar functions for "
          f"{', '.join(part.functions)}")


def model_needs(path: str) -> list[Needs]:
    """Of each of the file's Plans."""
    graph_def = gc.load_graph_def(path)
    hashed = graph_hash(graph_def)
    plans = [load_plan(saved) for saved in graph_def.plans if saved.graph_hash == hashed]
    if not plans:
        raise errors.FailedPreconditionError(f"{path} has no compiled Plans: `graphc convert {path} -o OTHER.pb` makes "
                                             "them")
    wrong = dict.fromkeys(line for plan in plans for line in not_native(plan, functions_are_set=True))
    if wrong:
        raise errors.UnimplementedError(f"{path}: the C++ library cannot run what is computed in Python:\n  "
                                        + "\n  ".join(wrong))
    return [needs_of(plan, bool(graph_def.state.variables)) for plan in plans]


def find_library(prefix: str | None) -> Path:
    """libgraphc.a below `prefix`, or the one that is here. Raises NotFoundError."""
    package = Path(gc.__file__).parent
    folders = [Path(prefix)] if prefix is not None else [package / "_runner", package.parent / "build/runner"]
    for folder in folders:
        for path in (folder / "lib/libgraphc.a", folder / "lib64/libgraphc.a", *folder.glob("lib/*/libgraphc.a"),
                     folder / "libgraphc.a"):
            if path.is_file():
                return path
    raise errors.NotFoundError(f"there is no libgraphc.a in {' or '.join(map(str, folders))}: build the C++ library, "
                               "and give the folder that it is installed to as --prefix (docs/embedding.md)")


def _tables(library: Path, isas: Sequence[str] | None) -> Tables:
    """Those of the library, for these instruction sets."""
    try:
        objects = [data for name, data in read_archive(library.read_bytes()) if name.endswith(".o")]
        symbols = [read_symbols(data).defined for data in objects]
        holding = [data for data, defined in zip(objects, symbols, strict=True) if "gc_isas" in defined]
        there = {name.removeprefix(PREFIX) for defined in symbols for name in defined if name.startswith(PREFIX)}
        return read_tables(holding, _ordered(library, there, isas))
    except (GateError, ValueError) as error:
        raise errors.DataLossError(f"{library} is damaged, or none of this version's: {error}") from None


def _ordered(library: Path, there: set[str], wanted: Sequence[str] | None) -> list[str]:
    """Best first."""
    from graphc.kernels.toolchain.targets import TARGETS

    known = [target.name for target in TARGETS.values() if target.symbol in there]
    for name in wanted or ():
        if name not in known:
            raise errors.InvalidArgumentError(f"{library} has no code for {name}; it has {', '.join(known)}")
    return [name for name in known if wanted is None or name in wanted]


def link(tables: Tables, made_for: str, parts: Collection[str], library: Path, out: Path,
         compiler: Sequence[str]) -> list[Path]:
    """Writes the program and the library into the folder `out`; returns their paths."""
    out.mkdir(parents=True, exist_ok=True)
    program, shared, name = out / "graphc-run", out / "libgraphc.so.1", out / "libgraphc.so"
    with tempfile.TemporaryDirectory(prefix="graphc-") as scratch:
        sources = {"tables.cpp": tables_source(tables, made_for, parts), "main.cpp": MAIN, "exports": EXPORTS}
        for file, text in sources.items():
            Path(scratch, file).write_text(text)
        done = [os.path.join(scratch, p.name) for p in (program, shared)]
        _compile([*compiler, *FLAGS, "-c", "tables.cpp", "-o", "tables.o"], scratch)
        # The tables stand in front of the archive: so its own ones are not taken.
        parts = ["tables.o", str(library.resolve()), *LINK]
        _compile([*compiler, *FLAGS, "main.cpp", *parts, "-o", done[0]], scratch)
        _compile([*compiler, "-shared", "-Wl,-u,graphc_run", *parts, f"-Wl,-soname,{shared.name}",
                  "-Wl,--version-script=exports", "-o", done[1]], scratch)
        for made, path in zip(done, (program, shared), strict=True):
            _put(Path(made), path)
    if name.is_symlink() or name.exists():
        name.unlink()
    name.symlink_to(shared.name)
    return [program, shared]


def _put(made: Path, path: Path) -> None:
    """Under its name at once: a program that runs keeps the file that it had."""
    from graphc.io.whole_files import NewFile

    with NewFile(str(path)) as file:
        file.file.write(made.read_bytes())
        os.chmod(file.path, 0o755 & ~_umask())
        file.sync()
        file.rename()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _compile(command: Sequence[str], folder: str) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except OSError as error:
        raise errors.NotFoundError(f"the C++ compiler {command[0]} does not start ({error.strerror}): give one as "
                                   "--cxx") from None
    if done.returncode:
        raise errors.UnknownError(f"{' '.join(command)} failed:\n{done.stderr.strip()}")
