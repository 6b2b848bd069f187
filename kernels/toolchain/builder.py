"""Builds the library in a process of its own: python -m graphc.kernels.toolchain.builder ISAS OUT PIECES JOBS [KERNELS]

Each unit is compiled in a fork of this process, up to JOBS at a time, so that what one unit compiles has no influence
on another (the result is the same to the byte whatever is cached). A unit's IR is kept in PIECES under a hash of the
sources that it imports, its objects under a hash of the IR: after a change only what depends on it is compiled again.
Every object passes the gate. A function that does not compile ends the build with its name; nothing is left out.
"""
from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import archive, cache, frontend, tsan
from .backend import Target, build_object, find_target, target_machine
from .collect import Inventory, Unit, collect, source_hash_parts
from .gate import check_object
from .registry import functions_assembly, registry_assembly, registry_words
from .scalar_library import scalar_texts


@dataclass(frozen=True)
class Job:
    """keys: names in `pieces` of the variants' IR, taken when the build starts, since files may be edited meanwhile.
    out: where objects go, for the archives."""

    unit: Unit
    targets: tuple[Target, ...]
    pieces: Path
    out: Path
    keys: dict[str, str]

    def object_path(self, target: Target) -> Path:
        return self.out / f"{target.name}.{self.unit.name}.o"


def main(arguments: Sequence[str]) -> int:
    isas, out, pieces, jobs, *only = arguments
    frontend.prepare()
    inventory = collect(tuple(only[0].split(",")) if only else ())
    targets = tuple(find_target(isa) for isa in isas.split(","))
    # Large units first: the last ones to end should be small.
    by_size = sorted(inventory.units, key=lambda unit: (unit.name != "runtime", len(unit.variants) < 2))
    work = [Job(unit, targets, Path(pieces), Path(out), {isa: _ir_key(unit, isa) for isa in unit.variants})
            for unit in by_size]
    failures = run_jobs(work, int(jobs))
    for failure in failures:
        print(failure, file=sys.stderr)
    if failures:
        print(f"{len(failures)} of {len(inventory.units)} units of the kernel library do not compile", file=sys.stderr)
        return 1
    for target in targets:
        members = [(f"{job.unit.name}.o", job.object_path(target).read_bytes()) for job in work]
        members += _tables(inventory, target)
        members.append((archive.SCALARS, _scalars(work)))
        cache.write_file(Path(out) / f"{target.name}.a", archive.write_archive(members))
    return 0


def run_jobs(jobs: list[Job], at_once: int) -> list[str]:
    """Runs every job in a fork; returns the messages of those that failed."""
    waiting, running, failures = list(jobs), {}, []
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
    return failures


def _run_job(job: Job, writer: int) -> int:
    try:
        start = time.perf_counter()
        ir = _ir(job)
        front = time.perf_counter() - start
        for target in job.targets:
            job.object_path(target).write_bytes(_object(job, target, ir))
        if os.environ.get("GRAPHC_BUILD_VERBOSE"):
            back = time.perf_counter() - start - front
            print(f"{job.unit.name:24} front {front:6.1f} s  back {back:6.1f} s", file=sys.stderr)
        return 0
    except Exception as error:
        known = type(error).__name__ in ("FrontEndError", "BackEndError", "GateError")
        text = str(error) if known else traceback.format_exc()
        os.write(writer, f"unit {job.unit.name}: {text}"[-60000:].encode())
        return 1


def _texts(*names: str) -> list[str]:
    return [(Path(__file__).parent / f"{name}.py").read_text() for name in names]


def _ir_key(unit: Unit, isa: str) -> str:
    adapters = [f"{isa} {a.symbol} {a.kind} {a.operands} {a.numbers} {a.floats} {a.types} {a.result}"
                for a in unit.variants[isa]]
    return cache.hash_of(cache.tool_versions(), *_texts("frontend"), *source_hash_parts(unit.module), *adapters)


def _ir(job: Job) -> list[tuple[str, bytes]]:
    """(ISA symbol or "common", bitcode) for each variant of the unit that the targets need."""
    found = []
    for isa, adapters in sorted(job.unit.variants.items()):
        if not any(isa in _variants(job.unit, target) for target in job.targets):
            continue
        path = job.pieces / f"{job.keys[isa]}.bc"
        kept = cache.read_file(path)
        if kept is None:
            kept = frontend.compile_module(f"gc_{job.unit.name}_{isa or 'common'}", adapters)
            cache.write_file(path, kept)
        found.append((isa or "common", kept))
    return found


def _variants(unit: Unit, target: Target) -> list[str]:
    """The variants that make the unit's object for `target`: its own and, unless they are all, the common ones."""
    own = {a.symbol for a in unit.variants.get(target.symbol, ())}
    rest = any(a.symbol not in own for a in unit.variants.get("", ()))
    return ([target.symbol] if own else []) + ([""] if rest else [])


def _object(job: Job, target: Target, ir: list[tuple[str, bytes]]) -> bytes:
    """The unit's object for `target`, from the cache or made."""
    unit = job.unit
    bitcodes = dict(ir)
    chosen = [bitcodes[isa or "common"] for isa in _variants(unit, target)]
    exports = unit.exports(target.symbol)
    sources = _texts("backend", "gate", *(["tsan"] if target.tsan else []))
    key = cache.hash_of(*sources, cache.tool_versions(), repr(target), repr(exports), str(unit.inline_all), *chosen)
    path = job.pieces / f"{key}.o"
    made = cache.read_file(path)
    if made is None:
        made = build_object(target, chosen, exports, unit.inline_all)
        check_object(made, [f"{name}_{target.symbol}" for name in exports], tsan.IMPORTS if target.tsan else ())
        cache.write_file(path, made)
    return made


def _scalars(jobs: Sequence[Job]) -> bytes:
    """What the map JIT builds on, made of the primitives' IR."""
    primitives = sorted((job for job in jobs if job.unit.name.startswith("primitives.")), key=lambda job: job.unit.name)
    bitcodes = [data for job in primitives for _, data in _ir(job)]
    path = jobs[0].pieces / f"{cache.hash_of(*_texts('scalar_library'), cache.tool_versions(), *bitcodes)}.json"
    made = cache.read_file(path)
    if made is None:
        made = scalar_texts(bitcodes)
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
