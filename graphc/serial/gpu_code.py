"""Recorded runs -> proto/gpu_code.proto, which the C++ library reads."""
from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from graphc.exec.cuda.calls.checks import Check, Range
from graphc.exec.cuda.recording.recorded import Kernel, Memory, Moved, Recorded, Step, Task
from graphc.exec.cuda.recording.recorded_parts import RecordedPart, Walk
from graphc.io.crc32c import crc32c
from graphc.io.wire import EIGHT, FOUR, bytes_field, number_bytes, varint_field
from graphc.serial.plan_pb2 import SavedPlan
from graphc.serial.plan_proto import save_plan

FORMAT_VERSION = 2
Runs = Sequence[Recorded] | Walk       # of a plan that a GPU does alone, or of which it does parts
_KINDS = ("launch", "copy", "clear", "upload", "download")
_TARGET = re.compile(r"^\.target\s+sm_(\d+)", re.MULTILINE)


def gpu_code(graph_hash: int, runs: Mapping[str, tuple[SavedPlan, Runs]]) -> bytes:
    """The file. runs: by signature, of the plans in a graph with this hash."""
    modules: dict[str, int] = {}
    plans = [bytes_field(5, _plan(name, saved, found, modules)) for name, (saved, found) in runs.items()]
    needed = max((int(compute) for ptx in modules for compute in _TARGET.findall(ptx)), default=0)
    return b"".join([
        varint_field(1, FORMAT_VERSION), _fixed(2, EIGHT, graph_hash), varint_field(3, needed),
        *(bytes_field(4, ptx.encode()) for ptx in modules), *plans])


def _plan(signature: str, saved: SavedPlan, runs: Runs, modules: dict[str, int]) -> bytes:
    hashed = crc32c(saved.plan.SerializeToString(deterministic=True))
    made = _walk(runs, modules) if isinstance(runs, Walk) else (bytes_field(3, _run(run, modules)) for run in runs)
    return b"".join([bytes_field(1, signature.encode()), _fixed(2, FOUR, hashed), *made])


def _walk(walk: Walk, modules: dict[str, int]) -> Iterator[bytes]:
    yield bytes_field(4, save_plan(walk.plan).plan.SerializeToString(deterministic=True))
    yield from (bytes_field(5, _part(part, modules)) for part in walk.parts)
    yield _packed(6, walk.here)
    yield from (bytes_field(7, _packed(1, sizes)) for sizes in walk.sizes)


def _part(part: RecordedPart, modules: dict[str, int]) -> bytes:
    return b"".join([varint_field(1, part.has_leaves), varint_field(2, part.repeats),
                     *(bytes_field(3, _run(run, modules)) for run in part.runs)])


def _run(run: Recorded, modules: dict[str, int]) -> bytes:
    parts = [_packed(1, run.sizes), *(bytes_field(2, _memory(m)) for m in run.memory)]
    for field, tasks in zip((3, 4, 5), run.tasks, strict=True):
        parts += [bytes_field(field, _task(task, modules)) for task in tasks]
    parts += [bytes_field(6, _check(step, check)) for step, check in run.checks]
    parts += [varint_field(7, run.early), varint_field(8, run.check_place), varint_field(9, run.has_counter),
              _packed(10, run.uploads), _packed(11, run.downloads)]
    parts += [bytes_field(12, varint_field(1, state) + varint_field(2, body) + varint_field(3, step))
              for (body, step), state in run.needed]
    parts.append(_packed(13, run.written))
    if run.shapes is not None:
        rows = (run.shapes.uploads, run.shapes.given, run.shapes.made, run.shapes.downloads)
        parts += [bytes_field(field, _packed(1, shape)) for field, shapes in zip((14, 15, 16, 17), rows, strict=True)
                  for shape in shapes]
    return b"".join(parts)


def _memory(memory: Memory) -> bytes:
    return (varint_field(1, memory.kind) + varint_field(2, memory.size) + varint_field(3, memory.index)
            + (bytes_field(4, memory.facts) if memory.facts else b""))


def _task(task: Task, modules: dict[str, int]) -> bytes:
    if isinstance(task, Moved):
        return b"".join([varint_field(1, _KINDS.index(task.kind)), *(
            varint_field(number, max(value, 0)) for number, value in (
                (8, task.target.memory), (9, task.target.offset), (10, task.source.memory), (11, task.source.offset),
                (12, task.count)))])
    assert isinstance(task, Kernel)
    words = [_signed(place.offset) for place in task.words]
    return b"".join([varint_field(2, modules.setdefault(task.ptx, len(modules))), bytes_field(3, task.name.encode()),
                     _packed(4, task.grid), _packed(5, task.block), _packed(6, [w << 1 ^ w >> 63 for w in words]),
                     _packed(7, [place.memory + 1 for place in task.words])])


def _signed(word: int) -> int:
    return word - (1 << 64) if word >> 63 else word


def _check(step: Step, check: Check) -> bytes:
    made = varint_field(1, int(check.status)) + varint_field(2, step[0]) + varint_field(3, step[1])
    return made + (varint_field(4, 1) + varint_field(5, check.size) if isinstance(check, Range) else b"")


def _packed(field: int, numbers: Iterable[int]) -> bytes:
    data = b"".join(number_bytes(n & 2**64 - 1) for n in numbers)
    return bytes_field(field, data) if data else b""


def _fixed(field: int, kind: int, value: int) -> bytes:
    return number_bytes(field << 3 | kind) + value.to_bytes(8 if kind == EIGHT else 4, "little")
