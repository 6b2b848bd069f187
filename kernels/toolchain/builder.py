"""Builds the library in a process of its own: python -m graphc.kernels.toolchain.builder ISAS OUT PIECES JOBS [KERNELS]

Each unit is compiled in a fork of this process, up to JOBS at a time, so that what one unit compiles has no influence
on another (the result is the same to the byte whatever is cached). A unit's IR is kept in PIECES under a hash of the
sources that it imports, its objects under a hash of the IR: after a change only what depends on it is compiled again.
A build that is interrupted goes on from there. Every object passes the gate. A function that does not compile ends the
build with its name; nothing is left out.
"""
from __future__ import annotations

import gc
import json
import os
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from . import archive, cache, frontend, tsan
from .backend import build_object, target_machine
from .collect import Inventory, Unit, collect, source_hash_parts
from .frontend import Adapter
from .gate import check_object
from .progress import report
from .registry import functions_assembly, registry_assembly, registry_words
from .scalar_library import joined, scalar_texts
from .targets import Target, find_target


@dataclass(frozen=True)
class Job:
    """adapters: those of the unit that the targets need. shared: functions of other units that it may call.

    key: name in `pieces` of their IR, taken when the build starts, since files may be edited meanwhile. out: where
    objects go, for the archives.
    """

    unit: Unit
    targets: tuple[Target, ...]
    adapters: tuple[Adapter, ...]
    shared: tuple[str, ...]
    key: str
    pieces: Path
    out: Path

    def object_path(self, target: Target) -> Path:
        return self.out / f"{target.name}.{self.unit.name}.o"

    @property
    def scalars_path(self) -> Path:
        return self.out / f"{self.unit.name}.json"


def main(arguments: Sequence[str]) -> int:
    isas, out, pieces, jobs, *only = arguments
    frontend.prepare()
    inventory = collect(tuple(only[0].split(",")) if only else ())
    targets = tuple(find_target(isa) for isa in isas.split(","))
    # Large units first: the last ones to end should be small.
    shared = tuple(adapter.symbol for unit in inventory.units if unit.shares for adapter in unit.adapters)
    work = [_job(unit, targets, shared, Path(pieces), Path(out))
            for unit in sorted(inventory.units, key=lambda u: -u.weight)]
    gc.freeze()
    gc.disable()             # a unit's graphs of objects live until it is done
    failures = run_jobs(work, int(jobs))
    for failure in failures:
        print(failure, file=sys.stderr)
    if failures:
        print(f"{len(failures)} of {len(inventory.units)} units of the kernel library do not compile", file=sys.stderr)
        return 1
    scalars = joined([job.scalars_path.read_bytes() for job in work if job.scalars_path.exists()])
    for target in targets:
        members = [(f"{job.unit.name}.o", job.object_path(target).read_bytes()) for job in work]
        members += _tables(inventory, target)
        members.append((archive.SCALARS, scalars))
        cache.write_file(Path(out) / f"{target.name}.a", archive.write_archive(members))
    return 0


def _job(unit: Unit, targets: tuple[Target, ...], shared: tuple[str, ...], pieces: Path, out: Path) -> Job:
    needed = {name for target in targets for name in unit.exports(target.symbol).values()}
    adapters = tuple(adapter for adapter in unit.adapters if adapter.name in needed)
    signatures = [f"{a.name} {a.kind} {a.operands} {a.numbers} {a.floats} {a.types} {a.result}" for a in adapters]
    key = cache.hash_of(cache.tool_versions(), *_texts("frontend"), *source_hash_parts(unit.module), *signatures,
                        repr(unit.fast))
    return Job(unit, targets, adapters, () if unit.shares else shared, key, pieces, out)


def run_jobs(jobs: list[Job], at_once: int) -> list[str]:
    """Runs every job in a fork; returns the messages of those that failed. Prints how far it is (progress.py); if
    nobody reads that any more, it ends."""
    waiting, running, failures = list(jobs), {}, []
    start, finished = time.monotonic(), 0.0
    work = sum(job.unit.weight for job in jobs)
    while waiting or running:
        while waiting and len(running) < at_once:
            job = waiting.pop(0)
            reader, writer = os.pipe()
            child = os.fork()
            if child == 0:
                os.close(reader)
                os._exit(_run_job(job, writer))
            os.close(writer)
            running[child] = (job, reader)
        child, status = os.wait()
        job, reader = running.pop(child)
        with os.fdopen(reader, "rb") as pipe:
            message = pipe.read().decode()
        if status:
            failures.append(message or f"unit {job.unit.name}: the compiler died, wait status {status}")
        finished += job.unit.weight
        done = len(jobs) - len(waiting) - len(running)
        print(report(done, len(jobs), finished, work, time.monotonic() - start), flush=True)
    return failures


def _run_job(job: Job, writer: int) -> int:
    try:
        start = time.process_time()
        ir = _ir(job)
        front = time.process_time() - start
        for target in job.targets:
            job.object_path(target).write_bytes(_object(job, target, ir))
        if job.unit.name.startswith("primitives."):
            job.scalars_path.write_bytes(_scalars(job, ir))
        if os.environ.get("GRAPHC_BUILD_VERBOSE"):
            back = time.process_time() - start - front
            print(f"{job.unit.name:24} front {front:6.1f} s  back {back:6.1f} s", file=sys.stderr)
        return 0
    except Exception as error:
        known = type(error).__name__ in ("FrontEndError", "BackEndError", "GateError")
        text = str(error) if known else traceback.format_exc()
        os.write(writer, f"unit {job.unit.name}: {text}"[-60000:].encode())
        return 1


def _texts(*names: str) -> list[str]:
    return [(Path(__file__).parent / f"{name}.py").read_text() for name in names]


def _ir(job: Job) -> bytes:
    """The unit's bitcode, from the cache or made."""
    path = job.pieces / f"{job.key}.bc"
    made = cache.read_file(path)
    if made is None:
        made = frontend.compile_module(f"gc_{job.unit.name}", job.adapters, job.unit.fast)
        cache.write_file(path, made)
    return made


def _object(job: Job, target: Target, ir: bytes) -> bytes:
    """The unit's object for `target`, from the cache or made."""
    exports = job.unit.exports(target.symbol)
    if exports and job.unit.features:
        target = replace(target, features=",".join(filter(None, [target.features, job.unit.features])))
    sources = _texts("backend", "elf", "gate", *(["tsan"] if target.tsan else []))
    key = cache.hash_of(*sources, cache.tool_versions(), job.unit.name, repr(target), repr(exports),
                        str(job.unit.inline_all), str(job.unit.unrolls), str(job.unit.is_aligned), ir)
    path = job.pieces / f"{key}.o"
    made = cache.read_file(path)
    if made is None:
        made = build_object(target, ir, exports, job.unit.inline_all, job.unit.unrolls, job.unit.name,
                            job.unit.is_aligned)
        defined, imported = ([f"{name}_{target.symbol}" for name in names] for names in (exports, job.shared))
        check_object(made, defined, [*imported, *(tsan.IMPORTS if target.tsan else ())])
        cache.write_file(path, made)
    return made


def _scalars(job: Job, ir: bytes) -> bytes:
    """What the map JIT builds on, of a unit of primitives."""
    path = job.pieces / f"{cache.hash_of(*_texts('scalar_library'), cache.tool_versions(), ir)}.json"
    made = cache.read_file(path)
    if made is None:
        made = scalar_texts(ir)
        cache.write_file(path, made)
    return made


def _tables(inventory: Inventory, target: Target) -> list[tuple[str, bytes]]:
    names = [k.full_name for k in inventory.kernels] + [p.full_name for p in inventory.primitives]
    words = registry_words(inventory.kernels, inventory.primitives)
    registry = _assemble(target, registry_assembly(words, names))
    check_object(registry, ["gc_registry", "gc_registry_words", "gc_names", "gc_names_bytes"])
    table = f"gc_functions_{target.symbol}"
    functions = _assemble(target, functions_assembly(inventory.functions, target.symbol))
    check_object(functions, [table], [f"{s}_{target.symbol}" for s in inventory.functions if s])
    entries = json.dumps(inventory.entries).encode()
    return [("registry.o", registry), ("functions.o", functions), (archive.ENTRIES, entries)]


def _assemble(target: Target, text: str) -> bytes:
    import llvmlite.binding as llvm
    machine = target_machine(target)
    module = llvm.parse_assembly(text)
    module.triple = target.triple
    module.data_layout = str(machine.target_data)
    return bytes(machine.emit_object(module))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
