"""Gets the library of machine code for an instruction set from the disk cache, or builds it.

It is an archive of objects, for linkers and the map JIT, and an image, which a process maps (image.py). Imports neither
numba nor llvmlite: building is done by builder.py in a process of its own.
"""
from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from . import cache, progress
from .image import Image

FOLDER = Path(__file__).parent.parent
PREBUILT = FOLDER / "prebuilt"          # of wheels: an image for each instruction set
PACKAGE = __package__.rpartition(".")[0]


class BuildError(Exception):
    """The library does not build; the message holds what the compilers said."""


def library_key(isa: str, only: Sequence[str] = ()) -> str:
    """Name in the cache of the library for `isa`: a hash of all of kernels/ and of the tools."""
    return f"{isa}-{cache.hash_of(isa, ','.join(only), _sources_hash())}.a"


def _sources_hash() -> str:
    """A hash of all files of kernels/ and of the tools' versions. To find it takes 15 ms, so it is kept, with the sizes
    and times of the files that it comes from."""
    paths = sorted(_source_files(str(FOLDER)))
    stats = [(path, (found := os.stat(path)).st_size, found.st_mtime_ns) for path in [*paths, *_version_files()]]
    state = cache.hash_of(repr(stats), sys.version).encode()
    stamp = f"sources-{cache.hash_of(str(FOLDER), sys.executable)}"
    kept = cache.read(stamp)
    if kept is not None and kept.startswith(state):
        return kept[len(state):].decode()
    texts = [f"{os.path.relpath(path, FOLDER)}\n{Path(path).read_text()}" for path in paths]
    made = cache.hash_of(cache.tool_versions(), *texts)
    if os.access(cache.directory(), os.W_OK):     # else whoever stores a library says that it cannot be written
        cache.write(stamp, state + made.encode())
    return made


def _source_files(folder: str) -> Iterator[str]:
    """Every .py file below; this takes half of Path.rglob's time, and every process waits for it."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                yield entry.path
            elif entry.name != "__pycache__" and entry.is_dir(follow_symlinks=False):
                yield from _source_files(entry.path)


def _version_files() -> list[str]:
    """The files that a new version of a tool replaces."""
    found = [importlib.util.find_spec(name) for name in ("numba", "llvmlite")]
    origins = [spec.origin for spec in found if spec is not None and spec.origin is not None]
    return [os.path.join(os.path.dirname(origin), "_version.py") for origin in origins]


def library_archive(isa: str, only: Sequence[str] = ()) -> bytes:
    """An `ar` archive of the objects for `isa`. only: the library of these kernels alone, for tests."""
    key = library_key(isa, only)
    found = cache.read(key)
    if found is None:
        with cache.locked():           # whoever waited here finds what the other process has built
            found = cache.read(key)
            if found is None:
                if not only:
                    print(f"graphc: compiling the kernel library for {isa}, once; this takes a minute or two",
                          file=sys.stderr, flush=True)
                found = _build([isa], only)[isa]
                if cache.write(key, found) and not only:
                    print(f"graphc: the kernel library is kept in {cache.directory()}", file=sys.stderr, flush=True)
    return found


def library_image(isa: str) -> Image:
    """The library for `isa` as an image. Its notes: `entries`, C types of the entry points, and `hash`, of the archive.
    Attached is the scalars' LLVM text, compressed.
    """
    found = cache.read_file(PREBUILT / f"{isa}.image")
    if found is None:
        key = library_key(isa).removesuffix(".a") + ".image"
        found = cache.read(key)
        if found is None:
            found = link_library(isa, library_archive(isa))
            cache.write(key, found)
    return Image.from_bytes(found)


def write_package(archives: Mapping[str, bytes], folder: Path) -> None:
    """Writes the images into `folder`, which is PREBUILT of an installed package."""
    folder.mkdir(parents=True, exist_ok=True)
    for isa, archive in archives.items():
        path = folder / f"{isa}.image"
        cache.write_file(path, link_library(isa, archive))
        path.chmod(0o644)


def link_library(isa: str, archive: bytes) -> bytes:
    """The image of a library's archive."""
    from .archive import ENTRIES, SCALARS, read_archive
    from .link import link
    members = dict(read_archive(archive))
    entries = json.loads(members.pop(ENTRIES))
    scalars = zlib.compress(members.pop(SCALARS), 9)
    suffix = isa.replace("-", "_")
    names = ["gc_registry", "gc_registry_words", "gc_names", "gc_names_bytes", f"gc_functions_{suffix}",
             *(f"{name}_{suffix}" for name in entries)]
    notes = {"entries": entries, "hash": cache.hash_of(archive)}
    return replace(link(list(members.values()), names), notes=notes, attachment=scalars).to_bytes()


def build_archives(isas: Sequence[str], only: Sequence[str] = (), jobs: int | None = None) -> dict[str, bytes]:
    """Builds, one process at a time. What did not change is taken from the pieces kept in the cache, where the results
    are left for sessions."""
    with cache.locked():
        built = _build(isas, only, jobs)
        for isa, archive in built.items():
            cache.write(library_key(isa, only), archive)
    return built


def _build(isas: Sequence[str], only: Sequence[str], jobs: int | None = None) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory(prefix="graphc-") as scratch:
        pieces = cache.directory() / "pieces"
        try:
            cache.make_private(cache.directory())
            pieces.mkdir(mode=0o700, exist_ok=True)
            for folder in (cache.directory(), pieces):
                cache.sweep(folder)
            with tempfile.TemporaryFile(dir=pieces):
                pass
        except OSError:
            pieces = Path(scratch) / "pieces"
            pieces.mkdir()
        environment = dict(os.environ, NUMBA_OPT="0", NUMBA_LOOP_VECTORIZE="0", NUMBA_SLP_VECTORIZE="0",
                           NUMBA_DISABLE_JIT="0", NUMBA_DEBUGINFO="0", NUMBA_BOUNDSCHECK="0", PYTHONHASHSEED="0")
        root = str(_import_root())
        environment["PYTHONPATH"] = os.pathsep.join([root, *filter(None, [environment.get("PYTHONPATH")])])
        # -P: else another graphc in the working directory would be built, and stored as this one's library.
        command = [sys.executable, "-P", "-m", f"{__package__}.builder", ",".join(isas), scratch, str(pieces),
                   str(jobs or os.cpu_count() or 1), *([",".join(only)] if only else [])]
        status, said = _run(command, environment, quiet=bool(only))
        if status:
            died = f" (killed by signal {-status}; is there memory enough?)" if status < 0 else ""
            raise BuildError(f"the kernel library for {', '.join(isas)} does not build{died}:\n{said.strip()}")
        if os.environ.get("GRAPHC_BUILD_VERBOSE"):
            print(said, end="", file=sys.stderr)
        built = {isa: cache.read_file(Path(scratch) / f"{isa}.a") for isa in isas}
    missing = [isa for isa, data in built.items() if data is None]
    if missing:
        raise BuildError(f"the build of {missing} left no result:\n{said.strip()}")
    return {isa: data for isa, data in built.items() if data is not None}


def _run(command: Sequence[str], environment: dict[str, str], quiet: bool) -> tuple[int, str]:
    """Exit status and stderr of the builder; how far it is, which is its stdout, is shown meanwhile unless `quiet`."""
    with tempfile.TemporaryFile("w+") as said:
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=said, text=True) as builder:
            assert builder.stdout is not None
            if quiet:
                builder.stdout.read()
            else:
                progress.show(builder.stdout)
        said.seek(0)
        return builder.returncode, said.read()


def _import_root() -> Path:
    """The directory from which this package, under the name it has in this process, is imported."""
    top = sys.modules[PACKAGE.partition(".")[0]]
    return Path(str(top.__file__)).parent.parent
