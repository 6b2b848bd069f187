"""`python -m graphc.kernels`: the library of machine code for the C++ runner, for wheels, and for sessions here.

    get                                                   what sessions use: from the cache, else compiled into it
    build --isa x86-64-v4,x86-64-v3 --out build/kernels   what the runner is linked from; a report of sizes
    build --only matmul,softmax                           compile these alone, to see whether they do
    build --package build/lib/graphc/kernels/prebuilt     images, as a wheel carries them
"""
from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from .toolchain import cache
from .toolchain.build import PREBUILT, BuildError, build_archives, library_image, write_package


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m graphc.kernels", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["get", "build"])
    parser.add_argument("--isa", default="", help="comma-separated; default: the best of this machine")
    parser.add_argument("--out", default="", help="directory for the runner's library and header")
    parser.add_argument("--only", default="", help="comma-separated: kernels, `primitives`, `runtime`, `strings`")
    parser.add_argument("--jobs", type=int, default=None, help="compilers at once; default: one a core")
    parser.add_argument("--package", default="", help="directory for what a wheel carries")
    parser.add_argument("--tsan", action="store_true", help="code that tells ThreadSanitizer what it does")
    arguments = parser.parse_args()
    if arguments.command == "get":
        return _get()
    only = tuple(filter(None, arguments.only.split(",")))
    from .toolchain.runner_library import size_report, write_runner_library
    from .toolchain.targets import TSAN
    start = time.perf_counter()
    try:
        isas = list(filter(None, arguments.isa.split(","))) or _host_isas()
        suffix = TSAN if arguments.tsan else ""
        built = build_archives([isa + suffix for isa in isas], only, arguments.jobs)
        archives = {isa: built[isa + suffix] for isa in isas}
        print(f"compiled for {', '.join(isas)} in {time.perf_counter() - start:.1f} s")
        if arguments.out:
            write_runner_library(archives, Path(arguments.out))
        if arguments.package:
            write_package(archives, Path(arguments.package))
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    print(size_report(archives))
    return 0


def _get() -> int:
    try:
        for isa in _host_isas():
            library_image(isa)
            is_packaged = (PREBUILT / f"{isa}.image").exists()
            print(f"the kernel library for {isa} is in {PREBUILT if is_packaged else cache.directory()}")
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _host_isas() -> list[str]:
    from .toolchain.targets import TARGETS, host_targets
    found = host_targets()
    if not found:
        raise BuildError(f"this machine's processor has none of the instruction sets {', '.join(TARGETS)}")
    return [found[0].name]


if __name__ == "__main__":
    sys.exit(main())
