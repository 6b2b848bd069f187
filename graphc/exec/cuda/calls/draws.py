"""Numbers of stateless ops, and choices by running sums, on the device."""
from __future__ import annotations

from graphc.exec.cuda.calls.call import Call, ProgramBuilder, launch, map_work, size_of
from graphc.exec.cuda.calls.checks import Refusal
from graphc.exec.cuda.calls.scans import NARROW
from graphc.exec.cuda.code import draws as code
from graphc.exec.cuda.work import Work
from graphc.kernels.contracts.calls import Status


def mixed_seeds(call: Call) -> list[Work]:
    return launch(call, code.mixed_seeds(), 1, *call.operands)


def _groups(call: Call) -> tuple[int, int]:
    """(groups of words, numbers)."""
    [count] = call.dims
    return -(-count // (16 // size_of(call.types[0]))), count


def uniform(call: Call) -> list[Work]:
    groups, count = _groups(call)
    return launch(call, code.stateless(call.types[0], normal=False), groups, *call.operands, groups, count)


def normal(call: Call) -> list[Work]:
    groups, count = _groups(call)
    return launch(call, code.stateless(call.types[0], normal=True), groups, *call.operands, groups, count)


def truncated_normal(call: Call) -> list[Work]:
    groups, count = _groups(call)
    return launch(call, code.stateless_truncated(call.types[0]), groups, *call.operands, groups, count)


def integers(call: Call) -> list[Work]:
    """Bounds that leave nothing between them are refused."""
    (mixed, low, high, out), [count], dtype = call.operands, call.dims, call.types[0]
    if not count:
        return []
    refusal = Refusal(call.scratch(8 * Refusal.words), Status.INVALID_VALUE)
    call.checks.append(refusal)
    work = launch(call, code.refused_bounds(dtype), 1, low, high, refusal.place)
    return work + launch(call, code.stateless_integers(dtype), count, mixed, low, high, out, count)


def search_sums(call: Call) -> list[Work]:
    """Nothing can be chosen from no sums."""
    (sums, u, out), (rows, cols, count) = call.operands, call.dims
    if not rows * count:
        return []
    kernel = code.search_sums(call.types[0], rows * max(cols, count) < NARROW)
    if not cols:
        refusal = Refusal(call.scratch(8 * Refusal.words), Status.INVALID_VALUE)
        call.checks.append(refusal)
        b = ProgramBuilder()
        program = b.program(b("const", "i64", value=1))
        return list(map_work(call, program, (Refusal.words,), 0, [(refusal.place, (1,))]))
    return launch(call, kernel, rows * count, sums, u, out, rows * count, cols, count)
