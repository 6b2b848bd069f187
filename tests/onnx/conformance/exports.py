"""What gc.onnx.export writes, onnxruntime computes the same, and gc.onnx.load reads back: every op by its samples, and
whole nets. Run by `make onnx`.

What onnxruntime has no kernel for counts apart, and is listed: its reason is onnxruntime's.
"""
from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

import graphc as gc
from graphc.errors import UnimplementedError
from graphc.ir.op import OPS
from graphc.onnx.exporting import manifest  # noqa: F401  registers the rules
from graphc.onnx.exporting.rules import exported_types

sys.path[:0] = [str(Path(__file__).parents[2] / "ops"), str(Path(__file__).parents[1])]

from exported_nets import NETS
from samples import ELSEWHERE, arrays, build, difference

COUNTS: Counter[str] = Counter()
# onnxruntime's own limits: no kernel for a dtype, or a check of its own.
NO_KERNEL = ("NOT_IMPLEMENTED", "is invalid", "Could not find an implementation")
# Where onnxruntime gives something else than graphc and NumPy: the mean of nothing is 0, NaN is never the greatest.
DIFFERENT = {"Mean": lambda v: v.size == 0, "ArgMax": lambda v: bool(np.isnan(v).any()),
             "ArgMin": lambda v: bool(np.isnan(v).any())}
RANDOM = ("RandomUniform", "RandomStandardNormal")
TYPES = [t for t in exported_types() if t not in ELSEWHERE and t not in RANDOM and OPS[t].samples]


@pytest.fixture(scope="module", autouse=True)
def counts():
    yield
    print(f"\nonnxruntime {onnxruntime.__version__}: {len(TYPES)} ops and {len(NETS)} nets; samples:", dict(COUNTS))


def run_in_onnxruntime(model: onnx.ModelProto, values: list[np.ndarray]) -> list[np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    names = [i.name for i in session.get_inputs()]
    given = dict(zip([i.name for i in model.graph.input], values, strict=True))
    return session.run(None, {name: given[name] for name in names})


def close(expected: np.ndarray, found: np.ndarray, tolerance: float) -> None:
    assert difference(found, expected, tolerance) is None, difference(found, expected, tolerance)


@pytest.mark.parametrize("op_type", TYPES)
def test_samples(op_type: str) -> None:
    op = OPS[op_type]
    for sample in op.samples:
        values = arrays(op, sample)
        built = build(op, sample, values)
        with gc.Session(graph=built.graph) as session:
            wanted = [t for t in built.outputs if not (op_type.startswith("FusedBatchNorm") and t.value_index)]
            expected = [np.asarray(v) for v in session.run(wanted, dict(zip(built.inputs, values, strict=True)))]
            try:
                model = gc.onnx.export(session, wanted, None, list(built.inputs))
            except UnimplementedError as error:
                assert "no equivalent" in str(error) or "ONNX has no element type" in str(error)
                COUNTS["no equivalent"] += 1
                continue
        onnx.checker.check_model(model)
        tolerance = 2e-2 if any(v.dtype.name in ("float16", "bfloat16") for v in expected) else max(
            sample.tolerance, 1e-5)
        try:
            theirs = run_in_onnxruntime(model, values)
        except Exception as error:
            if not any(text in str(error) for text in NO_KERNEL):
                raise
            COUNTS["onnxruntime has no kernel"] += 1
        else:
            if op_type in DIFFERENT and DIFFERENT[op_type](values[0]):
                continue
            for ours, other in zip(expected, theirs, strict=True):
                close(ours, other, tolerance)
        back = gc.onnx.load(model)
        with gc.Session(graph=back.graph) as session:
            again = session.run(list(back.outputs.values()), dict(zip(back.inputs.values(), values, strict=True)))
        for ours, other in zip(expected, again, strict=True):
            close(ours, np.asarray(other), tolerance)
        COUNTS["compared"] += 1


@pytest.mark.parametrize("name", sorted(NETS))
def test_nets(name: str) -> None:
    """With another batch size than that of any constant: sizes are symbols."""
    with gc.Graph().as_default() as graph, gc.Session(graph=graph) as session:
        inputs, outputs, make = NETS[name]()
        session.run(gc.global_variables_initializer())
        model = gc.onnx.export(session, outputs, None, inputs)
        onnx.checker.check_model(model, full_check=True)
        back = gc.onnx.load(model)
        for batch in (3, 1):
            values = make(batch)
            expected = session.run(outputs, dict(zip(inputs, values, strict=True)))
            for ours, other in zip(expected, run_in_onnxruntime(model, values), strict=True):
                close(ours, other, 1e-4)
            with gc.Session(graph=back.graph) as second:
                again = second.run(list(back.outputs.values()), dict(zip(back.inputs.values(), values, strict=True)))
            for ours, other in zip(expected, again, strict=True):
                close(ours, other, 1e-4)
