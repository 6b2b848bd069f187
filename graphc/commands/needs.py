"""What a runner for some models has to have: kernels, scalar functions, parts of kernels, the runtime and C++.

Which of its parts a kernel goes by is decided by sizes. Those of a Plan are known, or within bounds; kernels themselves
say what they may do then (graphc/kernels/toolchain/reach.py). What the runtime needs for maps is said by their strides.
"""
from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import graphc as gc
from graphc import errors
from graphc.exec.cuda.split.host_body import PROGRAMS
from graphc.exec.cuda.support import lacking_steps
from graphc.ir.host import STRINGS as OF_STRINGS
from graphc.kernels.contracts.all import KERNELS
from graphc.kernels.contracts.kernel import Kernel
from graphc.kernels.toolchain.gate import PART_SYMBOL
from graphc.kernels.toolchain.intervals import Some, either, greatest, least
from graphc.kernels.toolchain.tables import CHECKPOINTS, GPU, OTHER_STEPS, STRING_OPS, STRINGS
from graphc.plan.joined import joined
from graphc.plan.plan import Body, Buffer, BufferKind, Call, Dim, DimKind, Map, Plan, Program
from graphc.plan.uncarried import uncarried
from graphc.serial.plan_proto import graph_hash, load_plan
from graphc.serial.signatures import not_native

LARGEST = 1 << 40                      # of a size that nothing is known of
# Parts of the runtime (@part in graphc/kernels/runtime).
REDUCED, TOGETHER, TURNED, STREAMED, CONTROL = "reduced", "together", "turned", "streamed", "control"
_RELATION = re.compile(r"(\w+) (>=|<=) (-?\d+)")       # what at_least and at_most of contracts/kernel.py make


@dataclass(frozen=True)
class SizedCall:
    """A kernel, by its full name; of each of its sizes and attributes the least and the greatest that it may be, and of
    Choice.PERSISTENT, too: whether the operand that it may have packed is a constant."""

    kernel: str
    numbers: tuple[tuple[int, int], ...]
    persistent: tuple[int, int]


@dataclass(frozen=True)
class Needs:
    """Names of kernels and scalar functions, parts of the C++ library (tables.py: PARTS), how kernels are called, parts
    of the runtime."""

    kernels: frozenset[str]
    primitives: frozenset[str]
    parts: frozenset[str]
    calls: frozenset[SizedCall]
    runtime: frozenset[str]


def needs_of(plan: Plan, has_variables: bool = False) -> Needs:
    """What a run of the plan calls. has_variables: whether the file lists any, of which there may be checkpoints."""
    calls, runtime = frozenset(call for body in plan.bodies for call in _calls(body)), set()
    primitives = set()
    for program in plan.programs:
        kinds = list(program.loads)
        for instr in program.instrs:
            if instr.op not in ("const", "index", "linear"):
                primitives.add(f"{instr.op}.{instr.dtype}.{kinds[instr.args[0]]}")
            kinds.append(instr.dtype)
    parts = set(CHECKPOINTS) if has_variables or plan.states else set()
    if not all(isinstance(step, Call | Map) for body in plan.bodies for step in body.steps):
        parts.add(OTHER_STEPS)
        runtime.add(CONTROL)
    for body in plan.bodies:
        runtime |= _map_parts(body, plan.programs)
    if any(row.dtype == "str" for row in (*plan.inputs, *plan.outputs, *plan.constants)):
        parts.add(STRINGS)
    if any(name.startswith(OF_STRINGS) for name in plan.hosts):
        parts |= {STRINGS, STRING_OPS}
    return Needs(frozenset(call.kernel for call in calls), frozenset(primitives), frozenset(parts), calls,
                 frozenset(runtime))


def model_needs(path: str, gpu: bool = False) -> list[Needs]:
    """Of each of the file's Plans; gpu: and of runs with a GPU. Raises FailedPreconditionError if there are none,
    UnimplementedError if C++ cannot run them."""
    graph_def = gc.load_graph_def(path)
    hashed = graph_hash(graph_def)
    plans = [load_plan(saved) for saved in graph_def.plans if saved.graph_hash == hashed]
    if not plans:
        raise errors.FailedPreconditionError(f"{path} has no compiled Plans: `graphc convert {path} -o OTHER.pb` makes "
                                             "them")
    wrong = dict.fromkeys(line for plan in plans for line in not_native(plan, functions_are_set=True))
    if wrong:
        raise errors.UnimplementedError(f"{path}: the C++ library cannot run what is computed in Python:\n  "
                                        + "\n  ".join(wrong))
    found = [needs_of(plan, bool(graph_def.state.variables)) for plan in plans]
    return [*found, *(needs for plan in plans for needs in _with_gpu(plan))] if gpu else found


def _with_gpu(plan: Plan) -> Iterable[Needs]:
    """What else a run with a GPU calls; of a plan that a GPU does in part whatever may be left for the host."""
    none: frozenset[Any] = frozenset()
    yield Needs(none, none, frozenset({GPU}), none, none)
    if any(True for _ in lacking_steps(plan)):
        divided = uncarried(joined(plan).plan)[0]
        yield needs_of(replace(divided, programs=(*divided.programs, *PROGRAMS)))
        yield Needs(frozenset({"sizes.i64"}), none, frozenset({OTHER_STEPS}), none, frozenset({CONTROL}))


# Bounds of sizes

def _sizes(body: Body) -> list[Any]:
    """Of each dim a number, or Some."""
    sizes: list[Any] = []
    for dim in body.dims:
        sizes.append(_size(dim, sizes))
    return sizes


def _calls(body: Body) -> Iterable[SizedCall]:
    sizes = _sizes(body)
    for step in body.steps:
        if isinstance(step, Call):
            kernel = KERNELS[step.kernel.partition(".")[0]]
            numbers = [*(sizes[dim] for dim in step.dims), *step.attrs]
            yield SizedCall(step.kernel, tuple(_checked(kernel, numbers)), _persistent(kernel, step, body.buffers))


def _persistent(kernel: Kernel, step: Call, buffers: Sequence[Buffer]) -> tuple[int, int]:
    """As the runtime tells it (kernels/runtime/bind.py, choose); a state may be one that the plan writes."""
    for operand, number in zip(kernel.operands, step.operands, strict=True):
        if operand.packable:
            buffer = buffers[number]
            kind = buffers[buffer.index].kind if buffer.kind == BufferKind.ALIAS else buffer.kind
            if kind == BufferKind.STATE:
                return 0, 1
            return (1, 1) if kind in (BufferKind.CONST, BufferKind.PREPARED) else (0, 0)
    return 0, 0


def _size(dim: Dim, known: Sequence[Any]) -> Any:
    """A number, or Some."""
    if dim.kind == DimKind.CONST:
        return dim.value
    if dim.kind == DimKind.INPUT:
        return Some(0, LARGEST)
    if dim.kind == DimKind.RUNTIME:
        return Some(-LARGEST, LARGEST)
    a, b, *others = (known[operand] for operand in dim.operands)
    if dim.kind == DimKind.BROADCAST:                    # equal, or one of them is 1
        return next((size for size in (a, b) if not isinstance(size, Some) and size != 1), either(a, b))
    if dim.kind == DimKind.SELECT:
        return either(b, others[0])
    if dim.kind in (DimKind.EQUAL, DimKind.LESS):
        return Some(0, 1)
    return {DimKind.ADD: lambda: a + b, DimKind.SUB: lambda: a - b, DimKind.MUL: lambda: a * b,
            DimKind.FLOORDIV: lambda: a // b, DimKind.MOD: lambda: a % b, DimKind.MIN: lambda: least(a, b),
            DimKind.MAX: lambda: greatest(a, b)}[dim.kind]()


def _bounds(size: Any) -> tuple[int, int]:
    return (size.low, size.high) if isinstance(size, Some) else (size, size)


def _checked(kernel: Kernel, numbers: Sequence[Any]) -> Iterable[tuple[int, int]]:
    """Bounds, within those that the runtime holds the kernel's sizes to."""
    least_, most = {}, {}
    for relation in kernel.relations:
        found = _RELATION.fullmatch(relation)
        if found:
            (least_ if found[2] == ">=" else most)[found[1]] = int(found[3])
    for name, number in zip((*kernel.dims, *kernel.attrs), numbers, strict=True):
        low, high = _bounds(number)
        yield (low, high) if low == high else (max(low, least_.get(name, low)), min(high, most.get(name, high)))


# Parts of the runtime

def _map_parts(body: Body, programs: Sequence[Program]) -> set[str]:
    """Those that its maps may go by."""
    sizes, found = _sizes(body), set()
    for step in body.steps:
        one = step if isinstance(step, Map) else step.epilogue if isinstance(step, Call) else None
        if one is not None and one.reduced:
            found |= {REDUCED, TOGETHER}
        elif one is not None:
            domain = [sizes[dim] for dim in one.domain]
            if any(may_turn(domain, [sizes[dim] for dim in access.strides]) for access in (*one.loads, *one.stores)):
                found.add(TURNED)
            if len(one.loads) == 1 and not programs[one.program].instrs:
                found.add(STREAMED)
    return found


def may_turn(domain: Sequence[Any], strides: Sequence[Any]) -> bool:
    """Whether neighbours in memory may lie along an axis behind which another one is neither that nor stands still:
    what kernels/runtime/map_blocks.py looks for (turning_axis), without axes of one element. Numbers, or Some."""
    bounds = [_bounds(stride) for size, stride in zip(domain, strides, strict=True) if _bounds(size) != (1, 1)]
    return any(low <= 1 <= high and along not in ((0, 0), (1, 1))
               for i, (low, high) in enumerate(bounds) for along in bounds[i + 1:])


# What is left out

def parts_left_out(needs: Sequence[Needs], symbols: Collection[str], isas: Sequence[str]) -> list[str]:
    """Of an archive's symbols those of parts of kernels and of the runtime that the models have no use for. isas: as
    symbols end with."""
    parts = sorted(symbol for symbol in symbols if symbol.startswith(PART_SYMBOL))
    reached = _reached({call for one in needs for call in one.calls}, isas)
    runtime = {name for one in needs for name in one.runtime}
    left_out = []
    for isa in isas:
        left_out += _of_unit(parts, "runtime", isa, runtime, {REDUCED, TOGETHER, TURNED, STREAMED, CONTROL})
        for unit, names in reached[isa].items():
            if names is not None:
                left_out += _of_unit(parts, unit, isa, names, names)
    return left_out


def _of_unit(parts: Iterable[str], unit: str, isa: str, wanted: Collection[str], known: Collection[str]) -> list[str]:
    """The symbols of a unit's other parts than the wanted ones; none if the library, of another version, lacks a known
    one."""
    theirs = [re.fullmatch(rf"{PART_SYMBOL}{unit}_(\w+?)(_n\d+)?_{isa}", symbol) for symbol in parts]
    found = {match[0]: match[1] for match in theirs if match}
    return [symbol for symbol, name in found.items() if name not in wanted] if {*known} <= {*found.values()} else []


def _reached(calls: Collection[SizedCall], isas: Sequence[str]) -> dict[str, dict[str, list[str] | None]]:
    """What reach.py answers: by instruction set and unit the parts that the calls may lead to, None: any."""
    if not calls:
        return {isa: {} for isa in isas}
    given = {"isas": isas, "calls": [{"kernel": call.kernel, "numbers": call.numbers, "persistent": call.persistent}
                                       for call in sorted(calls, key=repr)]}
    done = subprocess.run([sys.executable, "-m", "graphc.kernels.toolchain.reach"], input=json.dumps(given), text=True,
                          capture_output=True, check=False)
    if done.returncode:
        raise errors.InternalError(f"which parts of kernels are needed cannot be told:\n{done.stderr.strip()}")
    answer: dict[str, dict[str, list[str] | None]] = json.loads(done.stdout)
    return answer
