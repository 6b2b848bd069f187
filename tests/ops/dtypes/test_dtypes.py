"""Every op in every element type: one that `infer` accepts gives the reference's values on the CPU, any other is
refused while the graph is built, by an error that names the dtype."""
from __future__ import annotations

import numpy as np
import pytest
from dtype_samples import Variant, variants
from test_all_ops import FETCHABLE, UPDATES, update_problem

import graphc as gc
from graphc.exec.reference import apply_reference
from graphc.ir.op import OPS, Effect, Op

from samples import arrays, build, definition, difference, specs

BY_SIZE = {"Bitcast"}       # the last axis must fit the sizes of both dtypes


@pytest.mark.parametrize("op_type", FETCHABLE)
def test_every_dtype_is_computed_or_refused(op_type: str) -> None:
    problems = []
    for variant in variants(OPS[op_type]):
        try:
            problem = problem_of(OPS[op_type], variant)
        except Exception as error:    # every variant is tried, then all problems are shown
            problem = f"{type(error).__name__}: {error}".splitlines()[0]
        if problem is not None:
            problems.append(f"{variant}: {problem}")
    assert not problems, f"{op_type}\n" + "\n".join(problems)


@pytest.mark.parametrize("op_type", UPDATES)
def test_every_dtype_of_an_update_is_computed_or_refused(op_type: str) -> None:
    for variant in variants(OPS[op_type]):
        op, values = OPS[op_type], arrays(OPS[op_type], variant.sample)
        made = definition(op, variant.sample)
        try:
            made.infer(*specs(values))
        except TypeError as refusal:
            assert variant.changed[1].name in str(refusal), f"{variant}: a refusal that does not name it: {refusal}"
            continue
        problem = update_problem(op, variant.sample, values)
        assert problem is None, f"{variant}: {problem}"


def problem_of(op: type[Op], variant: Variant) -> str | None:
    """What is wrong with the op in this dtype, in words."""
    sample = variant.sample
    values = arrays(op, sample)
    try:
        definition(op, sample).infer(*specs(values))
    except TypeError as refusal:
        return None if variant.changed[1].name in str(refusal) else f"a refusal that does not name it: {refusal}"
    except ValueError as refusal:
        if op.type in BY_SIZE and "must have the size" in str(refusal):
            return None
        raise
    built = build(op, sample, values)
    with gc.Session(graph=built.graph) as session:
        found = session.run(built.outputs, dict(zip(built.inputs, values, strict=True)))
    if op.effect is Effect.RANDOM:
        return next((f"{a.dtype} instead of {t.dtype.name}" for a, t in zip(found, built.outputs, strict=True)
                     if a.dtype != (t.dtype.numpy or object)), None)
    expected = apply_reference(definition(op, sample), values)
    for i, (a, b) in enumerate(zip(found, expected, strict=True)):
        problem = difference(a, np.asarray(b), max(sample.tolerance, 1e-5))
        if problem is not None:
            return f"result {i}: {problem}"
    return None
