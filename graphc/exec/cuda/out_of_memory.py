"""What to say when the device's memory does not suffice: which values are the largest, and whose they are."""
from __future__ import annotations

from typing import TYPE_CHECKING

from graphc import errors

if TYPE_CHECKING:
    from graphc.exec.cuda.frame import DeviceFrame

LISTED, NAMED = 5, 3           # values, and ops of the step that makes one, the last ones
SMALLEST = 100                 # so many times smaller than the largest one, a value is of no interest


def explained(error: errors.ResourceExhaustedError, frame: DeviceFrame) -> errors.ResourceExhaustedError:
    """The same error, with the largest values of the part that had no room, and the ops and lines that make them."""
    first: dict[int, int] = {}                         # value -> the step that uses it first
    for number, use in zip(frame.part.steps, frame.uses, strict=True):
        for buffer in (*use.writes, *use.reads):
            first.setdefault(buffer, number)
    largest = sorted(first, key=frame.size_of, reverse=True)[:LISTED]
    largest = [b for b in largest if frame.size_of(b) * SMALLEST >= frame.size_of(largest[0])]
    origins = frame.plan.origins
    lines, blamed = [], None
    for buffer in largest:
        found = [origins[o] for o in frame.body.steps[first[buffer]].origins]
        blamed = blamed or (found[-1] if found else None)
        who = ", ".join(f"{o.op_type} '{o.op_name}'" for o in found[-NAMED:]) or "a value"
        where = f" ({found[-1].file}:{found[-1].line})" if found and found[-1].file else ""
        row = frame.body.buffers[buffer]
        lines.append(f"\n  {frame.size_of(buffer):,} bytes: {row.dtype}{list(frame.shape(buffer))} of {who}{where}")
    return errors.ResourceExhaustedError(f"{error}; the largest values of this run there are{''.join(lines)}", blamed)
