"""Every op against TensorFlow on random shapes, dtypes, attributes, values: results, static shapes, gradients, errors.

`make parity` runs this and writes docs/parity.md. PARITY_EXAMPLES: cases an op; PARITY_SEED: other cases than those of
every run. A case that fails is shrunken by hypothesis; what TensorFlow's kernels do otherwise for a reason stands in
known_refusals.py and known_values.py, what is compared elsewhere in elsewhere.py.
"""
from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from both import SIGN_IS_FREE, Outcome, compare_run, tensorflow
from cases import NUMERIC, UNIMPLEMENTED, Case, accepted, cases, sample_dtypes, sample_shapes
from differences_known import NOT_IN_TENSORFLOW, known
from elsewhere import ELSEWHERE, NOWHERE
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st

from graphc.ir.dtypes import ALL, DType
from graphc.ir.op import OPS

from samples import registered

EXAMPLES = int(os.environ.get("PARITY_EXAMPLES", "20"))
SEED = os.environ.get("PARITY_SEED")
RESULTS = Path(os.environ.get("PARITY_RESULTS", "build/parity"))
# Of the largest magnitude of a result.
TOLERANCE = {
    "bfloat16": 4e-2,
    "float16": 5e-3,
    "float32": 2e-5,
    "float64": 1e-10,
    "complex64": 2e-5,
    "complex128": 1e-10,
}
# A result that is far smaller than what it is made of cannot be right to more digits than that: of a gradient, of
# weights of magnitude 1.
SMALLEST = {"value": 1e-3, "gradient": 0.03}
AT_BUILDING = ("ValueError", "TypeError", "NotImplementedError")  # TensorFlow's errors of graphs, not of runs
TYPES = [t for t in registered() if not t.startswith("_") and t not in ELSEWHERE]


class Record:
    """What was seen of an op: written when its test ends."""

    def __init__(self, op_type: str) -> None:
        self.op_type = op_type
        self.cases = self.compared = self.both_refuse = self.gradients = 0
        self.dtypes: set[str] = set()
        self.worst = {"value": 0.0, "gradient": 0.0}
        self.known: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    def write(self) -> None:
        RESULTS.mkdir(parents=True, exist_ok=True)
        found = {
            **vars(self),
            "unimplemented": sorted(UNIMPLEMENTED.get(self.op_type, ())),
            "dtypes": sorted(self.dtypes),
            "missing": missing_dtypes(self.op_type),
        }
        (RESULTS / f"{self.op_type}.json").write_text(json.dumps(found))


class Difference(NamedTuple):
    """kind, result: as in differences_known.py. error: how large, of the largest magnitude."""

    kind: str
    result: int | None
    words: str
    error: float = np.inf


@pytest.mark.parametrize("op_type", TYPES)
def test_agrees(op_type: str) -> None:
    record = Record(op_type)
    compare(record, EXAMPLES)
    record.write()
    assert record.compared or record.known or op_type in NOWHERE, (
        f"nothing to compare in {record.cases} cases: {dict(record.refused)}")


def compare(record: Record, examples: int, phases: tuple[Phase, ...] = (Phase.generate, Phase.shrink)) -> None:
    """Raises AssertionError for a difference that is not known. Each case is another one, until one fails."""
    seen: set[str] = set()
    failed = False

    @settings(max_examples=examples, deadline=None, database=None, derandomize=SEED is None, phases=phases,
              suppress_health_check=list(HealthCheck))
    @given(st.data())
    def check(data: st.DataObject) -> None:
        nonlocal failed
        case = data.draw(cases(record.op_type))
        assume(failed or repr(case) not in seen)
        seen.add(repr(case))
        already, failed = failed, True     # an exception of either's is a failure, too
        ours, theirs = compare_run(case)
        problem = difference(case, ours, theirs, record)
        failed = already or problem is not None
        assert problem is None, f"{case!r}: {problem}"

    (check if SEED is None else seed(int(SEED))(check))()


def difference(case: Case, ours: Outcome, theirs: Outcome, record: Record) -> str | None:
    record.cases += 1
    for found in differences(case, ours, theirs, record):
        entry = known(case, *found)
        if entry is None:
            return f"{found.kind}: {found.words}"
        record.known[f"{found.kind}: {entry.reason}"] += 1
    return None


def differences(case: Case, ours: Outcome, theirs: Outcome, record: Record) -> Iterator[Difference]:
    if theirs.error is not None:
        for part, reason in NOT_IN_TENSORFLOW.items():
            if part in theirs.error:
                record.refused[reason] += 1
                return
    if ours.error is not None or theirs.error is not None:
        yield from of_errors(ours.error, theirs.error, record)
        return
    record.compared += 1
    record.dtypes.update(name_of(np.asarray(v).dtype) for v in (*case.values, *ours.values))
    if theirs.open_error is not None:
        yield Difference("accepts", None, f"graphc takes unknown sizes; TensorFlow: {theirs.open_error}")
        theirs.shapes = [None] * len(ours.shapes)
    yield from of_shapes((*ours.shapes, *ours.known_shapes), (*theirs.shapes, *theirs.known_shapes))
    within = tolerances((*case.values, *map(np.asarray, ours.values)))
    for i in SIGN_IS_FREE.get(case.op.type, ()):
        ours.values[i], theirs.values[i] = np.abs(ours.values[i]), np.abs(theirs.values[i])
    yield from compared("value", ours.values, theirs.values, record, within)
    if ours.no_gradient != theirs.no_gradient:
        yield Difference("no gradient", None, f"{'graphc' if ours.no_gradient else 'TensorFlow'} alone has none")
    elif case.style != "special":      # where a function has no derivative, both may say anything
        record.gradients += any(g is not None for g in ours.gradients)
        yield from compared("gradient", ours.gradients, theirs.gradients, record, within)


def name_of(dtype: np.dtype[Any]) -> str:
    """TensorFlow's name of what NumPy calls [('qint8', 'i1')], |S5 or object, too."""
    if dtype.kind in "OSU":
        return "string"
    return dtype.names[0] if dtype.names else str(dtype)


def of_errors(ours: str | None, theirs: str | None, record: Record) -> Iterator[Difference]:
    words = f"graphc: {ours or 'computes it'}; TensorFlow: {theirs or 'computes it'}"
    if ours is None:
        yield Difference("accepts", None, words)
    elif theirs is None:
        yield Difference("refuses", None, words)
    else:
        record.both_refuse += 1
        classes = [error.split(":")[0] for error in (ours, theirs)]
        if classes[0] != classes[1] and classes[1] not in AT_BUILDING:
            yield Difference("error class", None, words)


def of_shapes(ours: Iterable[Any], theirs: Iterable[Any]) -> Iterator[Difference]:
    """Where graphc knows less than TensorFlow, or another size."""
    for a, b in zip(ours, theirs, strict=True):
        if b is not None and (a is None or len(a) != len(b) or any(y not in (None, x) for x, y in zip(
                a, b, strict=True))):
            yield Difference("shape", None, f"graphc: {a}; TensorFlow: {b}")


def tolerances(values: Iterable[np.ndarray]) -> dict[str, float]:
    """By dtype: what has to do with float32 numbers (operands or results) is as right as those, whatever its dtype."""
    least = max((TOLERANCE[str(v.dtype)] for v in values if str(v.dtype) in TOLERANCE), default=0.0)
    return {dtype: max(bound, least) for dtype, bound in TOLERANCE.items()}


def compared(kind: str, ours: list[Any], theirs: list[Any], record: Record,
             within: dict[str, float]) -> Iterator[Difference]:
    for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        if a is None or b is None:
            if (a is None) != (b is None) and np.any(np.asarray(b if a is None else a)):
                yield Difference(kind, i, f"{i}: graphc: {a}; TensorFlow: {b}")
            continue
        a, b = np.asarray(a), np.asarray(b)
        if a.shape != b.shape or a.dtype != b.dtype:
            yield Difference(kind, i, f"{i}: {a.dtype}{a.shape} instead of {b.dtype}{b.shape}")
            continue
        worst, at = largest_error(a, b, SMALLEST[kind])
        if worst > within.get(str(a.dtype), 0.0):
            what = kind if np.isfinite(worst) or str(a.dtype) not in TOLERANCE else f"not finite {kind}"
            yield Difference(what, i, f"{i}, at {at}: {a[at]!r} instead of {b[at]!r}: {worst:.1e}", worst)
        else:
            record.worst[kind] = max(record.worst[kind], worst)


def largest_error(a: np.ndarray, b: np.ndarray, smallest: float) -> tuple[float, tuple[int, ...]]:
    """Of the largest finite magnitude, at least `smallest`; infinite where one is infinite or no number."""
    rank = a.ndim
    if str(a.dtype) not in TOLERANCE:
        error = np.where(a == b, 0.0, np.inf)
    else:
        if a.dtype.kind == "c":
            a, b = (np.stack([v.real, v.imag], -1) for v in (a, b))
        a, b = a.astype(np.float64), b.astype(np.float64)
        with np.errstate(all="ignore"):
            same = (a == b) | (np.isnan(a) & np.isnan(b))
            finite = np.isfinite(a) & np.isfinite(b)
            size = max(float(np.abs(b[finite]).max(initial=0.0)), smallest)
            error = np.where(same, 0.0, np.where(finite, np.abs(a - b) / size, np.inf))
    if not error.size:
        return 0.0, ()
    at = np.unravel_index(int(error.argmax()), error.shape)
    return float(error[at]), tuple(int(k) for k in at[:rank])


def missing_dtypes(op_type: str) -> list[str]:
    """The dtypes that TensorFlow's CPU kernels have and graphc's op does not, by type attribute."""
    theirs = tensorflow().ask(op_type)
    op, ours = OPS[op_type], {}
    attributes = {a: source.rstrip("*") for a, source in op.types.items()}
    operands = [n.rstrip("*") for n in op.operands if n.rstrip("*") not in op.field_operands()]
    for sample in op.samples:
        shapes, dtypes = sample_shapes(sample), sample_dtypes(sample)
        for name in theirs:
            source = attributes.get(name)
            where = {d for n, d in zip(operands, dtypes, strict=False) if n == source} or {
                v for k, v in sample.attributes.items() if k == name and isinstance(v, DType)
            }
            for slot in where:
                for other in NUMERIC:
                    fields = {
                        k: other if isinstance(v, DType) and v == slot else v for k, v in sample.attributes.items()
                    }
                    if accepted(op, fields, [other if d == slot else d for d in dtypes], shapes):
                        ours.setdefault(name, set()).add(other.name)
    numbers = {d.number: d.name for d in ALL if d.name[0] != "q" and d.name not in ("resource", "variant")}
    return [
        f"{name}: {' '.join(lacking)}"
        for name, allowed in theirs.items()
        if name in ours and (lacking := sorted({numbers[n] for n in allowed if n in numbers} - ours[name]))
    ]


@pytest.mark.parametrize("op_type", [t for t in registered() if not t.startswith("_")])
def test_is_in_tensorflow(op_type: str) -> None:
    assert tensorflow().ask(op_type) is not None or op_type in ELSEWHERE, (
        f"TensorFlow 2.21 has no op {op_type}: say in tests/peers/elsewhere.py what proves it")
