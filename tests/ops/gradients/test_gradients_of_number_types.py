"""Gradients of every op in complex numbers, against finite differences, and in float16, against those in float32."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from dtype_samples import Variant, variants
from test_all_ops import FETCHABLE, FIRST_RESULT_ONLY

import graphc as gc
from graphc.api.gradients.gradients import gradients
from graphc.exec.reference import run_reference
from graphc.ir.dtypes import DType, complex128, float16, float32, float64
from graphc.ir.op import OPS, Effect, Op, Sample

from samples import Built, arrays, build, definition, specs

STEP = 1e-6
# The gradient of Sign is 0, as TensorFlow has it, though complex numbers of size 1 do move. Vectors of the others have
# phases (signs, of matrices that are real as the samples') that LAPACK chooses anew: test_linalg_complex.py.
ELSEWHERE = {"Sign", "Qr", "SelfAdjointEigV2", "Svd"}
SMOOTH = [*(name for name in FETCHABLE if any(s.gradient for s in OPS[name].samples)
            and OPS[name].effect is Effect.PURE and name not in ELSEWHERE),
          "Complex", "Real", "Imag", "Conj", "Angle", "ComplexAbs"]


def in_dtype(op: type[Op], dtype: DType) -> list[Sample]:
    """The samples of an op in a dtype that it accepts."""
    if op.type in ("Complex", "Real", "Imag", "Angle", "ComplexAbs"):
        # Their operands and results are of two dtypes, which change together.
        of = float64 if op.type == "Complex" else complex128
        out = complex128 if op.type == "Complex" else float64
        sample = Sample({"Tout": out}, ((3, 4), (4,))[:len(op.operands)], (of, of))
        return [Sample(sample.attributes, tuple(arrays(op, sample)))] if dtype == complex128 else []
    found: list[Variant] = [v for v in variants(op) if v.changed[1] == dtype and v.changed[0] in (float32, float64)]
    return [v.sample for v in found if v.sample.gradient and accepts(op, v.sample)
            and not any(np.asarray(x).dtype == np.float32 for x in v.sample.inputs)]


def accepts(op: type[Op], sample: Sample) -> bool:
    try:
        definition(op, sample).infer(*specs(list(sample.inputs)))
    except TypeError:
        return False
    return True


def weights(tensors: list[Any], values: list[np.ndarray], seed: int) -> list[np.ndarray]:
    """Of each tensor: the gradient of a loss by it."""
    generator = np.random.default_rng(seed)
    made = []
    for tensor, value in zip(tensors, values, strict=True):
        weight = generator.normal(size=value.shape)
        if tensor.dtype.is_complex:
            weight = weight + 1j * generator.normal(size=value.shape)
        made.append(np.asarray(weight).astype(tensor.dtype.numpy))
    return made


def dense(found: list[Any]) -> list[Any]:
    return [None if g is None else gc.convert_to_tensor(g) for g in found]


def moves(x: Any) -> bool:
    return bool(x.dtype.is_complex or x.dtype.is_floating)


@pytest.mark.parametrize("op_type", SMOOTH)
def test_complex_gradients_agree_with_finite_differences(op_type: str) -> None:
    """The loss is the real part of the products with conjugate weights; its gradient the direction of ascent."""
    for sample in in_dtype(OPS[op_type], complex128):
        for order in (1, 2):
            problem = complex_problem(OPS[op_type], sample, order)
            assert problem is None, f"{op_type} {sample.attributes}, order {order}: {problem}"


def complex_problem(op: type[Op], sample: Sample, order: int) -> str | None:
    values = list(sample.inputs)
    built = build(op, sample, values)
    feeds = dict(zip(built.inputs, values, strict=True))
    inputs = [t for t in built.inputs if moves(t)]
    outputs = [t for t in built.outputs if moves(t)]
    with built.graph.as_default():
        for number in range(order):
            weight = weights(outputs, run_reference(outputs, feeds), number)
            found = dense(gradients(outputs, inputs, grad_ys=[gc.constant(w) for w in weight]))
            last, outputs = outputs, [g for g in found if g is not None]
            if number == 0:        # what has no gradient stands still
                inputs, found = [t for t, g in zip(inputs, found, strict=True) if g is not None], outputs
            if not outputs:
                return None
    generator = np.random.default_rng(7)
    direction = {t: generator.normal(size=feeds[t].shape) + (
        1j * generator.normal(size=feeds[t].shape) if t.dtype.is_complex else 0) for t in inputs}
    still = {t for t, g in zip(inputs, found, strict=True) if g is None}

    def loss(step: float) -> float:
        moved = {t: v + step * direction[t] if t in direction and t not in still else v for t, v in feeds.items()}
        results = run_reference(last, moved)
        return sum(float(np.sum(np.conj(w) * r).real) for w, r in zip(weight, results, strict=True))

    numeric = (loss(STEP) - loss(-STEP)) / (2 * STEP)
    known = [t for t, g in zip(inputs, found, strict=True) if g is not None]
    parts = [np.sum(np.conj(g) * direction[t]).real for t, g in zip(known, run_reference(outputs, feeds), strict=True)]
    size = max(1.0, abs(numeric), sum(map(abs, parts)))
    return None if abs(sum(parts) - numeric) <= 1e-5 * size else f"{sum(parts)} by gradients, {numeric} by differences"


@pytest.mark.parametrize("op_type", SMOOTH)
def test_float16_gradients_agree_with_float32(op_type: str) -> None:
    """In a Session, of the same numbers. The results are rounded op by op, to 11 bits."""
    for sample in in_dtype(OPS[op_type], float16):
        values = [np.asarray(v) for v in sample.inputs]
        narrow = gradients_of(OPS[op_type], sample, values)
        wide = Sample({k: float32 if v is float16 else v for k, v in sample.attributes.items()}, ())
        widened = [v.astype(np.float32) if v.dtype == np.float16 else v for v in values]
        expected = gradients_of(OPS[op_type], wide, widened)
        for found, truth in zip(narrow, expected, strict=True):
            assert found.dtype == np.float16
            np.testing.assert_allclose(found.astype(np.float32), truth, atol=0.02 * max(np.abs(truth).max(), 1), rtol=0,
                                       err_msg=f"{op_type} {sample.attributes}")


def gradients_of(op: type[Op], sample: Sample, values: list[np.ndarray]) -> list[np.ndarray]:
    built: Built = build(op, sample, values)
    outputs = [t for t in (built.outputs[:1] if op.type in FIRST_RESULT_ONLY else built.outputs) if moves(t)]
    inputs = [t for t in built.inputs if moves(t)]
    with built.graph.as_default():
        shapes = [r.shape for r in run_reference(outputs, dict(zip(built.inputs, values, strict=True)))]
        given = [gc.cast(gc.constant(np.linspace(0.5, 1, 7)[np.arange(np.prod(shape, dtype=int)) % 7].reshape(shape)),
                         t.dtype) for t, shape in zip(outputs, shapes, strict=True)]
        found = [g for g in dense(gradients(outputs, inputs, grad_ys=given)) if g is not None]
    with gc.Session(graph=built.graph) as session:
        made: list[np.ndarray] = session.run(found, dict(zip(built.inputs, values, strict=True)))
    return made
