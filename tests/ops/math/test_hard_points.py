"""Every elementwise op at the hard points of each of its element types (hard_points.py): whole vectors and tails, the
evaluator and compiled code, for each instruction set of this machine."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from dtype_samples import Variant, variants
from hard_points import combinations, difference
from test_all_ops import FETCHABLE

import graphc as gc
from graphc.exec import jit
from graphc.exec.reference import apply_reference
from graphc.ir.dtypes import COMPLEX, bfloat16, float32, float64, int32
from graphc.ir.op import OPS, REFUSED, Elementwise, Op, Sample
from graphc.kernels.toolchain.targets import host_targets
from graphc.session.prepared_run import RUNS_BEFORE_CODE

from samples import arrays, build, definition, specs

ELEMENTWISE = [name for name in FETCHABLE if issubclass(OPS[name], Elementwise)]
TOLERANCE = {"f": 2e-6, "d": 1e-12, "e": 1e-3}
# bfloat16 is float16 with another cast; what complex functions give at infinities is nowhere laid down.
LEFT_OUT = (bfloat16, *COMPLEX)
COMPILED = (float32, float64, int32)     # the shorter integers are the same primitives between two casts
TAIL = 3        # fewer elements than any vector has


@pytest.mark.parametrize("op_type", ELEMENTWISE)
def test_hard_points(op_type: str) -> None:
    problems = [f"{variant}: {problem}" for variant in accepted(OPS[op_type])
                for problem in problems_of(OPS[op_type], variant)]
    assert not problems, f"{op_type}\n" + "\n".join(problems)


def accepted(op: type[Op]) -> list[Variant]:
    """The op in each element type, at hard points."""
    found = []
    for variant in variants(op):
        if any(d in LEFT_OUT or d.numpy is None for d in variant.changed):
            continue              # strings have no hard points
        made: Any = definition(op, variant.sample)
        values = combinations([v.dtype for v in arrays(op, variant.sample)])
        try:
            values = shaped(made, values)
        except TypeError:
            continue
        if made.refused is not None and values[-1].dtype.kind in "iu":
            values = [v[..., ~REFUSED[made.refused][0](values[-1])] for v in values]
        if made.inexact is not None:
            values = [v[..., ~made.inexact[1](*values)] for v in values]
        found.append(Variant(Sample(variant.sample.attributes, tuple(values)), variant.changed))
    return found


def shaped(op: Op, values: list[np.ndarray]) -> list[np.ndarray]:
    """The vectors, the first one as a matrix of one row if the op wants a matrix. Raises TypeError for a refused
    dtype."""
    try:
        op.infer(*specs(values))
    except ValueError:
        values = [values[0][None], *values[1:]]
        op.infer(*specs(values))
    return values


def problems_of(op: type[Op], variant: Variant) -> list[str]:
    values = list(variant.sample.inputs)
    with np.errstate(all="ignore"):
        expected = np.asarray(apply_reference(definition(op, variant.sample), values)[0])
    problems = []
    for isa in host_targets():
        for compiled in (False, True) if variant.changed[1] in COMPILED else (False,):
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("GRAPHC_ISA", isa.name)
                patch.setenv("GRAPHC_JIT", str(int(compiled)))
                patch.setattr(jit, "pays", jit.is_compilable)
                results = computed(op, variant.sample, values, compiled)
            problems += [f"{isa.name}, {'compiled' if compiled else 'evaluated'}, {where}: {text}"
                         for where, found in results for text in shown(found, expected, values)]
    return problems


def computed(op: type[Op], sample: Sample, values: list[np.ndarray], compiled: bool) -> list[tuple[str, np.ndarray]]:
    """The results on the whole vectors, and on a few elements at a time.

    compiled: of a program that turns the result's sign (inverts booleans) as well, since one primitive is not
    compiled; that is undone here.
    """
    built = build(op, sample, values, dynamic=True)
    result = built.outputs[0]
    undo = np.logical_not if result.dtype == gc.bool else np.negative
    with built.graph.as_default():
        if result.dtype.is_quantized:
            result = gc.cast(result, result.dtype.unquantized)
        if compiled:
            result = gc.logical_not(result) if result.dtype == gc.bool else gc.negative(result)
    with gc.Session(graph=built.graph) as session:
        def run(parts: Sequence[np.ndarray]) -> np.ndarray:
            found = np.asarray(session.run(result, dict(zip(built.inputs, parts, strict=True))))
            return undo(found) if compiled else found

        for _ in range(RUNS_BEFORE_CODE if compiled else 0):
            run(values)
        count = values[-1].shape[-1]
        tails = [run([v[..., i:i + TAIL] for v in values]) for i in range(0, count, TAIL)]
        return [("vectors", run(values)), ("tails", np.concatenate(tails, axis=-1))]


def shown(found: np.ndarray, expected: np.ndarray, values: Sequence[np.ndarray]) -> list[str]:
    wrong = difference(found, expected, TOLERANCE.get(found.real.dtype.char, 0)).ravel()
    at = np.flatnonzero(wrong)
    return [f"{len(at)} of {wrong.size} points, at ({', '.join(repr(v.ravel()[i].item()) for v in values)}): "
            f"{found.ravel()[i]!r} instead of {expected.ravel()[i]!r}" for i in at[:3]]
