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
from pathlib import Path
from typing import Any

import graphc as gc
from graphc import errors
from graphc.commands.needs import model_needs, parts_left_out
from graphc.kernels.toolchain.archive import read_archive
from graphc.kernels.toolchain.gate import GateError, read_symbols
from graphc.kernels.toolchain.tables import (
    PREFIX,
    Tables,
    part_of,
    read_tables,
    tables_source,
)

USE = "graphc runner --only-for MODEL.pb [--only-for OTHER.pb] [-o FOLDER] [options]"
MAIN = """namespace graphc_core { int run_command(int count, char** given); }
int main(int count, char** given) { return graphc_core::run_command(count, given); }
"""
ALL = "all"                            # of --isa
EXPORTS = "{ global: graphc_*; local: *; };\n"
FLAGS = ("-std=c++17", "-O2", "-fPIC")
LINK = ("-pthread", "-s", "-Wl,--gc-sections", "-Wl,--build-id=none", "-Wl,-z,noexecstack", "-Wl,-z,relro",
        "-Wl,-z,now", "-Wl,-z,noseparate-code", "-ldl")


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
    command.add_argument("--isa", metavar="NAMES",
                         help="comma-separated; default: the one that every machine of the library has (x86-64-v3).\n"
                              "x86-64-v4,x86-64-v3 adds code for AVX-512, up to three times as fast there, in about\n"
                              "a third more; all: whatever the library has")
    command.add_argument("--gpu", action="store_true", help="with what runs models on a GPU (`graphc gpu`)")
    command.add_argument("--cxx", default=os.environ.get("CXX", "c++"), help="the C++ compiler; default: $CXX or c++")
    command.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> None:
    found = [needs for path in options.only_for for needs in model_needs(path, options.gpu)]
    library = find_library(options.prefix)
    objects = _objects(library)
    tables = _tables(library, objects, options.isa.split(",") if options.isa else [])
    try:
        part = part_of(tables, {name for needs in found for name in needs.kernels},
                       {name for needs in found for name in needs.primitives})
    except KeyError as error:
        raise errors.UnimplementedError(f"{library} has no {error.args[0]}: it is older than the model") from None
    names = ", ".join(dict.fromkeys(os.path.basename(path) for path in options.only_for))
    parts = {name for needs in found for name in needs.parts}
    left_out = parts_left_out(found, {name for defined in objects.values() for name in defined},
                              [isa.replace("-", "_") for isa in tables.functions])
    for path in link(part, names, parts, left_out, library, Path(options.out), shlex.split(options.cxx)):
        print(f"{path}: {path.stat().st_size:,} bytes")
    print(f"for {names}: {len(part.kernels)} kernels and {len(part.primitives)} scalar functions for "
          f"{', '.join(part.functions)}{_more(objects, part)}")


def _more(objects: dict[bytes, frozenset[str]], made: Tables) -> str:
    """What is said of instruction sets that nobody asked for."""
    known = _known(objects)
    others = [name for name in known if name not in made.functions]
    more = ", ".join(others)
    return f"; --isa {','.join(known)} adds {more}, which is faster where a machine has it" if others else ""


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


def _objects(library: Path) -> dict[bytes, frozenset[str]]:
    """What each object of the library defines."""
    try:
        found = [data for name, data in read_archive(library.read_bytes()) if name.endswith(".o")]
        return {data: read_symbols(data).defined for data in found}
    except (GateError, ValueError) as error:
        raise _damaged(library, error) from None


def _tables(library: Path, objects: dict[bytes, frozenset[str]], isas: Sequence[str]) -> Tables:
    """Those of the library, for these instruction sets; if none are given, for the plainest one."""
    known = _known(objects)
    for name in isas:
        if name not in (*known, ALL):
            raise errors.InvalidArgumentError(f"{library} has no code for {name}; it has {', '.join(known)}")
    wanted = known if ALL in isas else [name for name in known if name in (isas or known[-1:])]
    try:
        return read_tables([data for data, defined in objects.items() if "gc_isas" in defined], wanted)
    except (GateError, ValueError) as error:
        raise _damaged(library, error) from None


def _known(objects: dict[bytes, frozenset[str]]) -> list[str]:
    """The instruction sets of the library, best first."""
    from graphc.kernels.toolchain.targets import TARGETS

    there = {name.removeprefix(PREFIX) for defined in objects.values() for name in defined if name.startswith(PREFIX)}
    return [target.name for target in TARGETS.values() if target.symbol in there]


def _damaged(library: Path, error: Exception) -> errors.DataLossError:
    return errors.DataLossError(f"{library} is damaged, or none of this version's: {error}")


def link(tables: Tables, made_for: str, parts: Collection[str], left_out: Collection[str], library: Path, out: Path,
         compiler: Sequence[str]) -> list[Path]:
    """Writes the program and the library into the folder `out`; returns their paths. left_out: symbols of parts of
    kernels."""
    out.mkdir(parents=True, exist_ok=True)
    program, shared, name = out / "graphc-run", out / "libgraphc.so.1", out / "libgraphc.so"
    with tempfile.TemporaryDirectory(prefix="graphc-") as scratch:
        sources = {"tables.cpp": tables_source(tables, made_for, parts, left_out), "main.cpp": MAIN, "exports": EXPORTS}
        for file, text in sources.items():
            Path(scratch, file).write_text(text)
        done = [os.path.join(scratch, p.name) for p in (program, shared)]
        _compile([*compiler, *FLAGS, "-c", "tables.cpp", "-o", "tables.o"], scratch)
        # The tables stand in front of the archive: so its own ones are not taken, nor the parts that they stand in for.
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
