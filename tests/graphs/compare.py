"""Runs one program everywhere and says what differs."""
from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from graphc.ir.graph import Tensor
from graphc.ir.values import as_array
from graphc.ops.control.control import StatelessWhile

import executors
import limits
import smooth
from executors import Runs
from oracle import Expected, Failure, Oracle, TooLong
from programs import BuildError, Built, Input, Program, build

# Errors that say that what the user fed does not fit.
REFUSALS = ("InvalidArgumentError", "FailedPreconditionError", "OutOfRangeError")
# Ops that want the shape alone of what they are given, which is not computed for their sake.
SHAPE_ALONE = {"Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike"}


@dataclass(frozen=True)
class Problem:
    """signature: executor and kind of difference, by which a shrunken program is known to show the same."""

    signature: str
    text: str
    run: int = 0
    fetch: int | None = None


@dataclass
class Report:
    problems: list[Problem] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    compared: int = 0        # values compared with the oracle
    ill: int = 0             # values that are ill-conditioned
    ops: set[str] = field(default_factory=set)
    computed: set[str] = field(default_factory=set)      # op types whose values the fetches need


def check(program: Program, wanted: set[str] | None = None, values: bool = True) -> Report:
    """wanted: the executors to run, by name; None: all but that of GPUs. values: False if only errors are of
    interest."""
    report = Report()
    if not program.fetches:
        report.skipped.append("nothing is left of it")
        return report
    try:
        built = build(program)
    except BuildError as problem:
        reason = limits.while_building(problem)
        if reason is not None:
            report.skipped.append(f"refused while building: {reason}")
        else:
            report.problems.append(Problem(f"build: {_error_kind(type(problem.error).__name__, str(problem.error))}",
                                           f"{problem}"))
        return report
    report.ops = op_types(built.graph)
    fetches = [_fetch(built.elements[f]) for f in program.fetches]
    report.computed = computed_types(built.graph, fetches)
    tensors = [i for i, f in enumerate(fetches) if isinstance(f, Tensor)]
    try:
        expected = Oracle(built, fetches, program.schedule, first=1).expected(values)
    except TooLong:
        report.skipped.append("a loop of too many iterations")
        return report
    _evaluator_faults(expected, report)
    found: dict[str, Runs] = {}
    for name in ("plain", "unfused", "gpu", *executors.SAME_BITS):
        if (wanted is None and name != "gpu") or name in (wanted or ()) or (
                name == "plain" and (wanted or set()) & set(executors.SAME_BITS)):
            found[name] = getattr(executors, name)(built, fetches, program.schedule)
    for name in ("plain", "unfused", "gpu"):
        if name in found:
            against_oracle(name, found[name], expected, report)
    for name in executors.SAME_BITS:
        if name in found:
            same_bits(name, found["plain"], found[name], report)
    if wanted is None or "differences" in wanted:
        report.problems += [Problem("differences: values:", text) for text in smooth.problems(program)]
    if tensors:
        _others(program, built, [fetches[i] for i in tensors], wanted, report, values)
    return report


def _others(program: Program, built: Built, fetches: list[Tensor], wanted: set[str] | None, report: Report,
            values: bool) -> None:
    """The saved graph elsewhere, where operations cannot be fetched and the first run has number 0."""
    for name in ("native", "tensorflow"):
        if (wanted is not None and name not in wanted) or (name == "tensorflow" and not executors.HAS_TENSORFLOW):
            continue
        reason = limits.differs_in_tensorflow(program, report.ops) if name == "tensorflow" else None
        if reason is not None:
            report.skipped.append(f"TensorFlow: {reason}")
            continue
        if name == "native" and any(isinstance(s, Input) and s.static is None for s in program.statements):
            try:
                again = build(ranked(program))
            except BuildError:
                report.skipped.append(f"{name}: does not build with known ranks")
                continue
            built, fetches = again, [_fetch(again.elements[f]) for f, t in zip(
                program.fetches, [_fetch(built.elements[f]) for f in program.fetches], strict=True)
                if isinstance(t, Tensor)]
        runs = getattr(executors, name)(built, fetches, program.schedule)
        if runs is None:
            report.skipped.append(f"{name}: takes no such graph")
            continue
        expected = Oracle(built, fetches, program.schedule, first=0).expected(values)
        against_oracle(name, runs, expected, report)


def ranked(program: Program) -> Program:
    """With the rank of every placeholder known, as a saved graph needs it."""
    return dataclasses.replace(program, statements=tuple(
        dataclasses.replace(s, static=(None,) * s.values[0].ndim) if isinstance(s, Input) and s.static is None else s
        for s in program.statements))


def _fetch(element: Any) -> Any:
    return element._ref() if hasattr(element, "_ref") else element


def _evaluator_faults(expected: Sequence[Any], report: Report) -> None:
    for number, run in enumerate(expected):
        if isinstance(run, Failure) and run.kind == "evaluator":
            report.problems.append(Problem(f"evaluator: {_error_kind('', run.message)}", str(run), number))


def against_oracle(name: str, runs: Runs, expected: Sequence[Any], report: Report) -> None:
    for number, (found, wanted) in enumerate(zip(runs, expected, strict=True)):
        if isinstance(wanted, Failure):
            if isinstance(found, Failure):
                if found.kind not in REFUSALS and found.kind != "refused" and not limits.while_compiling(found.message):
                    report.problems.append(Problem(f"{name}: {_error_kind(found.kind, found.message)}",
                                                   f"{found}\ninstead of {wanted}", number))
            elif limits.is_not_looked_at(wanted.message, report.computed):
                report.skipped.append(f"{name}: an index into what is not computed")
                return
            elif wanted.kind != "evaluator" and name != "tensorflow":
                report.problems.append(Problem(f"{name}: {_error_kind('no error', wanted.message)}",
                                               f"values instead of {wanted}", number))
                return      # what it wrote makes later runs differ
        elif isinstance(found, Failure):
            reason = limits.while_compiling(found.message)
            if reason is not None:
                report.skipped.append(f"{name}: {reason}")
            elif name == "tensorflow":
                report.skipped.append("TensorFlow: " + _error_kind(found.kind, found.message)[:90])
            else:
                report.problems.append(Problem(f"{name}: {_error_kind(found.kind, found.message)}", str(found), number))
        else:
            _values(name, number, found, wanted, report)


def _values(name: str, number: int, found: list[Any], wanted: list[Expected | None], report: Report) -> None:
    for i, (a, b) in enumerate(zip(found, wanted, strict=True)):
        if b is None:
            continue
        report.compared += 1
        report.ill += bool(b.allowed.size and np.isinf(b.allowed).all())
        problem = difference(as_array(a), b)
        if problem is not None and name == "tensorflow" and np.asarray(a).dtype.kind == "f" and np.isnan(a).any():
            report.skipped.append("TensorFlow: NaN, which other ops pass on in other ways")
        elif problem is not None:
            what = problem.split(" ", 1)[0]
            report.problems.append(Problem(f"{name}: {what}", f"run {number}, fetch {i}: {problem}", number, i))


def difference(found: np.ndarray, expected: Expected) -> str | None:
    wanted, allowed = expected.array, expected.allowed
    if found.dtype != wanted.dtype:
        return f"dtype {found.dtype} instead of {wanted.dtype}"
    if allowed.size and np.isinf(allowed).all():
        return None
    if found.shape != wanted.shape:
        return f"shape {found.shape} instead of {wanted.shape}"
    with np.errstate(all="ignore"):
        if wanted.dtype.kind in "fc":
            wide = np.complex128 if wanted.dtype.kind == "c" else np.float64
            same = (found == wanted) | (np.isnan(found) & np.isnan(wanted))
            wrong = ~same & ~(np.abs(found.astype(wide) - wanted) <= allowed)
        else:
            wrong = (found != wanted) & (allowed == 0)
    if not wrong.any():
        return None
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    return (f"values: {int(wrong.sum())} of {wrong.size} differ, first at {at}: {found[at]!r} instead of {wanted[at]!r}"
            f" (allowed: {float(allowed[at]):.2g})")


def same_bits(name: str, plain: Runs, other: Runs, report: Report) -> None:
    for number, (a, b) in enumerate(zip(plain, other, strict=True)):
        if isinstance(a, Failure) or isinstance(b, Failure):
            kinds = [r.kind if isinstance(r, Failure) else "values" for r in (a, b)]
            if kinds[0] != kinds[1]:
                report.problems.append(Problem(f"{name}: {kinds[1]} for {kinds[0]}", f"{b}\ninstead of\n{a}", number))
            continue
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            if x is not None and (x.dtype != y.dtype or x.shape != y.shape or not _equal_bits(x, y)):
                report.problems.append(Problem(f"{name}: bits", f"run {number}, fetch {i}: {y!r} instead of {x!r}",
                                               number, i))


def _equal_bits(x: np.ndarray, y: np.ndarray) -> bool:
    """NaNs are alike whatever their bits."""
    if x.dtype.kind == "c":
        return _equal_bits(x.real, y.real) and _equal_bits(x.imag, y.imag)
    if x.dtype.kind != "f":
        return bool(np.array_equal(x, y))
    return bool(np.array_equal(x, y, equal_nan=True) and np.array_equal(np.signbit(x)[~np.isnan(x)],
                                                                        np.signbit(y)[~np.isnan(y)]))


def _error_kind(kind: str, message: str) -> str:
    """An error's class and what it says, without names and numbers of this program."""
    found = re.search(r"check \d+", message)
    if found:
        return f"{kind} ({found.group()})"
    text = re.sub(r"'[^']*'|\"[^\"]*\"", "'..'", message.splitlines()[0] if message else "")
    text = re.sub(r"[-+]?[0-9]+(?:[.][0-9]+)?", "N", text)
    text = re.sub(r"\w*(?:\[[^]]*\]|\([^)]*\)|[.]N)", "_", text)      # sizes
    return f"{kind} ({text[:70]})"


def op_types(graph: Any) -> set[str]:
    return {op.type for g in (graph, *graph.functions.values()) for op in g.get_operations()}


def computed_types(graph: Any, fetches: Sequence[Any]) -> set[str]:
    """Types of the ops whose values the fetches need, those of bodies all together. Of what a loop begins with only
    what the wanted results need: as in TensorFlow, the rest is not computed."""
    found = {op.type for g in graph.functions.values() for op in g.get_operations()}
    waiting, seen = list(fetches), set()
    while waiting:
        element = waiting.pop()
        if element in seen:
            continue
        seen.add(element)
        op = _operation(element)
        found.add(op.type)
        waiting += op.control_inputs
        if isinstance(op.definition, StatelessWhile) and isinstance(element, Tensor):
            carried = _carried(op.definition, element.value_index)
            waiting += [t for i, t in enumerate(op.inputs) if i in carried or i >= len(op.outputs)]
        elif op.type not in SHAPE_ALONE:
            waiting += op.inputs
    return found


def _carried(loop: StatelessWhile, result: int) -> set[int]:
    """The numbers of the values that a loop must carry for its condition and one of its results."""
    needed: set[int] = set()
    more = {result} | _read(loop.cond, loop.cond.outputs)
    while not more <= needed:
        needed |= more
        more = _read(loop.body, [loop.body.outputs[i] for i in needed if i < len(loop.body.outputs)])
    return needed


def _read(body: Any, wanted: Sequence[Tensor]) -> set[int]:
    """The numbers of a body's inputs that these tensors of it need."""
    waiting, seen = list(wanted), set()
    while waiting:
        tensor = waiting.pop()
        if tensor not in seen:
            seen.add(tensor)
            waiting += [*tensor.op.inputs, *(t for op in tensor.op.control_inputs for t in op.inputs)]
    return {i for i, t in enumerate(body.inputs) if t in seen}


def _operation(element: Any) -> Any:
    return element.op if isinstance(element, Tensor) else element
