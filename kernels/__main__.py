"""`python -m graphc.kernels build`: the library of machine code for the C++ runner, or for the wheel.

    build --isa x86-64-v4,x86-64-v3 --out build/kernels   libgraphc_kernels.a, graphc_layout.h, size report
    build --only matmul,softmax                           compile these alone, to see whether they do
    build --package build/lib/graphc/kernels/prebuilt     shared objects, as a wheel carries them (--cxx: who links)
"""
from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from pathlib import Path

from . import layout
from .contracts import calls
from .toolchain import cache
from .toolchain.archive import ENTRIES, read_archive, write_archive
from .toolchain.build import BuildError, build_archives
from .toolchain.shared import LinkError, write_package


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m graphc.kernels", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["build"])
    parser.add_argument("--isa", default="", help="comma-separated; default: the best of this machine")
    parser.add_argument("--out", default="", help="directory for the runner's library and header")
    parser.add_argument("--only", default="", help="comma-separated names of kernels, `primitives`, `runtime`")
    parser.add_argument("--jobs", type=int, default=None, help="compilers at once; default: one a core")
    parser.add_argument("--package", default="", help="directory for what a wheel carries")
    parser.add_argument("--cxx", default="c++", help="the C++ compiler that links for --package")
    parser.add_argument("--tsan", action="store_true", help="code that tells ThreadSanitizer what it does")
    arguments = parser.parse_args()
    only = tuple(filter(None, arguments.only.split(",")))
    from .toolchain.backend import TSAN
    start = time.perf_counter()
    try:
        isas = list(filter(None, arguments.isa.split(","))) or _host_isas()
        suffix = TSAN if arguments.tsan else ""
        built = build_archives([isa + suffix for isa in isas], only, arguments.jobs)
        archives = {isa: built[isa + suffix] for isa in isas}
        print(f"compiled for {', '.join(isas)} in {time.perf_counter() - start:.1f} s")
        if arguments.out:
            _write_runner_library(archives, Path(arguments.out))
        if arguments.package:
            write_package(archives, Path(arguments.package), arguments.cxx)
    except (BuildError, LinkError) as error:
        print(error, file=sys.stderr)
        return 1
    print(_size_report(archives))
    return 0


def _host_isas() -> list[str]:
    from .toolchain.load import host_targets
    return [host_targets()[0].name]


def _write_runner_library(archives: dict[str, bytes], out: Path) -> None:
    """One archive of all ISAs' objects; the registry is the same in each of them, so it stands there once."""
    from .toolchain.backend import TARGETS
    from .toolchain.header import layout_header
    targets = [t for t in TARGETS.values() if t.name in archives]
    out.mkdir(parents=True, exist_ok=True)
    members: list[tuple[str, bytes]] = []
    entries: dict[str, list[str]] = {}
    for number, target in enumerate(targets):
        objects = read_archive(archives[target.name])
        for name, data in objects:
            if name == ENTRIES:
                entries = json.loads(data)
            elif name.endswith(".o") and (name != "registry.o" or number == 0):
                members.append((name if name == "registry.o" else f"{name[:-2]}.{target.symbol}.o", data))
    (out / "libgraphc_kernels.a").write_bytes(write_archive(members, index=True))
    modules = [layout, calls]
    if entries:
        modules.append(importlib.import_module(f"{__package__}.runtime.tables"))
    version = cache.hash_of(*(data for _, data in members))
    (out / "graphc_layout.h").write_text(layout_header(modules, targets, entries, version))


def _size_report(archives: dict[str, bytes]) -> str:
    sizes = {isa: {name: len(data) for name, data in read_archive(archive)} for isa, archive in archives.items()}
    names = sorted({name for of_isa in sizes.values() for name in of_isa})
    lines = [f"{'bytes':24}" + "".join(f"{isa:>12}" for isa in sizes)]
    lines += [f"{name:24}" + "".join(f"{of_isa.get(name, 0):>12,}" for of_isa in sizes.values()) for name in names]
    lines.append(f"{'total':24}" + "".join(f"{sum(of_isa.values()):>12,}" for of_isa in sizes.values()))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
