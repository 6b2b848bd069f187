"""Every op against TensorFlow on random shapes, dtypes, attributes and values: values, static shapes, gradients.

`make parity` runs this and writes docs/parity.md. PARITY_EXAMPLES: cases an op. A case that fails is shrunken by
hypothesis; what TensorFlow's kernels do otherwise for a reason stands in differences_known.py.
"""
from __future__ import annotations

import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np
import pytest
import tensorflow as tf
from both import Outcome, compare_run
from cases import Case, cases
from differences_known import KNOWN, NOT_IN_TENSORFLOW
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphc.ir.op import OPS, Effect

from samples import ELSEWHERE, registered

EXAMPLES = int(os.environ.get("PARITY_EXAMPLES", "20"))
RESULTS = Path(os.environ.get("PARITY_RESULTS", "build/parity"))
TOLERANCE = {"float16": 2e-2, "float32": 2e-4, "float64": 1e-9, "complex64": 2e-4, "complex128": 1e-9}
TYPES = [t for t in registered() if t not in ELSEWHERE and OPS[t].effect == Effect.PURE and hasattr(tf.raw_ops, t)
         and OPS[t].samples and "List" not in t and t not in ("NoOp", "PreventGradient", "Range")]


class Record:
    """What was seen of an op: written when its test ends."""

    def __init__(self, op_type: str) -> None:
        self.op_type = op_type
        self.cases = self.refused = 0
        self.dtypes: set[str] = set()
        self.worst = {"value": 0.0, "gradient": 0.0}
        self.known: dict[str, str] = {}

    def write(self) -> None:
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / f"{self.op_type}.json").write_text(json.dumps({
            "cases": self.cases, "refused": self.refused, "dtypes": sorted(self.dtypes), "worst": self.worst,
            "known": self.known}))


@pytest.mark.parametrize("op_type", TYPES)
def test_agrees(op_type: str) -> None:
    record = Record(op_type)

    @settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
              suppress_health_check=list(HealthCheck))
    @given(st.data())
    def check(data: st.DataObject) -> None:
        case = data.draw(cases(op_type))
        ours, theirs = compare_run(case)
        record.cases += 1
        record.dtypes.update(str(v.dtype) for v in case.values)
        problem = difference(case, ours, theirs, record)
        assert problem is None, f"{case!r}: {problem}"

    check()
    record.write()


def difference(case: Case, ours: Outcome, theirs: Outcome, record: Record) -> str | None:
    known = KNOWN.get(case.op.type, {})
    for kind, said in found(case, ours, theirs, record):
        if kind not in known:
            return f"{kind}: {said}"
        record.known[kind] = known[kind]
        if kind == "error":
            return None
    return None


def found(case: Case, ours: Outcome, theirs: Outcome, record: Record):
    """(kind, words) of each difference."""
    if theirs.error is not None and any(reason in theirs.error for reason in NOT_IN_TENSORFLOW):
        record.refused += 1
        return
    if (ours.error is None) != (theirs.error is None):
        yield "error", f"graphc: {ours.error}; TensorFlow: {theirs.error}"
        return
    if ours.error is not None:
        return
    for a, b in zip(ours.shapes, theirs.shapes, strict=True):
        if b is not None and (a is None or len(a) != len(b) or any(y is not None and x != y for x, y in zip(
                a, b, strict=True))):
            yield "shape", f"graphc: {a}; TensorFlow: {b}"
    yield from compared("value", ours.values, theirs.values, record)
    if ours.no_gradient != theirs.no_gradient:
        yield "gradient", f"graphc has {'none' if ours.no_gradient else 'one'}, TensorFlow the other"
        return
    if case.style != "special":      # where a function has no derivative, both may say anything
        yield from compared("gradient", ours.gradients, theirs.gradients, record)


def compared(kind: str, ours: list, theirs: list, record: Record):
    for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        if (a is None) != (b is None):
            given = b if a is None else a
            if np.any(np.asarray(given)):
                yield kind, f"{i}: graphc: {a}; TensorFlow: {b}"
            continue
        if a is None:
            continue
        a, b = np.asarray(a), np.asarray(b)
        if a.shape != b.shape or a.dtype != b.dtype:
            yield kind, f"{i}: {a.dtype}{a.shape} instead of {b.dtype}{b.shape}"
        elif a.dtype.kind not in "fc":
            if not np.array_equal(a, b):
                yield kind, f"{i}: {a} instead of {b}"
        else:
            with np.errstate(all="ignore"):
                same = (a == b) | (np.isnan(a) & np.isnan(b))
                finite = np.isfinite(a) & np.isfinite(b)
                size = max(float(np.abs(b[finite]).max(initial=0.0)), 1e-3)
                error = np.where(same, 0.0, np.where(finite, np.abs(a - b) / size, np.inf))
            worst = float(error.max(initial=0.0))
            if worst > TOLERANCE[str(a.dtype)]:
                at = tuple(int(k) for k in np.argwhere(error == error.max())[0])
                yield kind, f"{i}, at {at}: {a[at]!r} instead of {b[at]!r}"
            else:
                record.worst[kind] = max(record.worst[kind], worst)
