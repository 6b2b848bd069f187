"""Numbers of stateless ops, gamma and Poisson numbers, and choices by running sums, on the device."""
from __future__ import annotations

from graphc.exec.cuda.calls.call import Call, ProgramBuilder, launch, map_work, size_of
from graphc.exec.cuda.calls.checks import Refusal
from graphc.exec.cuda.calls.scans import NARROW
from graphc.exec.cuda.code import draws as code
from graphc.exec.cuda.code import rejection
from graphc.exec.cuda.code.truncated import truncated as code_truncated
from graphc.exec.cuda.work import Clear, Work
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


def refused(call: Call) -> list[Work]:
    """What refuses the call, whatever its operands hold."""
    refusal = Refusal(call.scratch(8 * Refusal.words), Status.INVALID_VALUE)
    call.checks.append(refusal)
    b = ProgramBuilder()
    program = b.program(b("const", "i64", value=1))
    return list(map_work(call, program, (Refusal.words,), 0, [(refusal.place, (1,))]))


def gamma(call: Call) -> list[Work]:
    return _drawn(call, "gamma")


def poisson(call: Call) -> list[Work]:
    return _drawn(call, "poisson")


def _drawn(call: Call, distribution: str) -> list[Work]:
    """Without parameters no number can be drawn."""
    count, parameters = call.dims
    if not parameters:
        return refused(call) if count else []
    return launch(call, rejection.drawn(distribution), count, *call.operands, count, parameters, *call.attrs)


def truncated(call: Call) -> list[Work]:
    """A row whose deviation is not positive, or whose bounds are out of order, is refused."""
    counter, mean, deviation, low, high, out = call.operands
    (rows, each), [key] = call.dims, call.attrs
    if not rows * each:
        return []
    refusal = Refusal(call.scratch(8 * Refusal.words), Status.INVALID_VALUE)
    call.checks.append(refusal)
    b = ProgramBuilder("f64", "f64", "f64")
    good = b("and", "bool", b("less", "bool", b("const", "f64", value=0.0), 0), b("less", "bool", 1, 2))
    program = b.program(b("reduce.max", "i64", b("sub", "i64", b("const", "i64", value=1), b("cast", "i64", good))))
    work: list[Work] = [Clear(refusal.place, 8 * Refusal.words)]
    work += map_work(call, program, (rows,), 1, [(deviation, (1,)), (low, (1,)), (high, (1,)), (refusal.place, (0,))])
    return work + launch(call, code_truncated(), rows * each, counter, mean, deviation, low, high, out, rows * each,
                         each, key)


def gamma_gradient(call: Call) -> list[Work]:
    return launch(call, rejection.gamma_gradient(), call.dims[0], *call.operands, call.dims[0])


def search_sums(call: Call) -> list[Work]:
    """Nothing can be chosen from no sums."""
    (sums, u, out), (rows, cols, count) = call.operands, call.dims
    if not rows * count:
        return []
    if not cols:
        return refused(call)
    kernel = code.search_sums(call.types[0], rows * max(cols, count) < NARROW)
    return launch(call, kernel, rows * count, sums, u, out, rows * count, cols, count)
