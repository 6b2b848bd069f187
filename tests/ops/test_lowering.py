"""Every op's lowering, apart from machine code: the compiled Plan evaluated in NumPy (tests/plan/numpy_plan.py) by its
samples.

What fails here is a wrong Plan; what fails in test_all_ops.py's CPU test only is a wrong kernel.
"""
from __future__ import annotations

import numpy as np
import pytest
from test_all_ops import FETCHABLE, RANK_BY_SIZE

from graphc.exec.reference import apply_reference
from graphc.ir.op import Op, Sample
from graphc.plan.compile import compile_graph

from numpy_plan import NumpyModel
from samples import arrays, build, definition, difference, each_sample


@pytest.mark.parametrize("op_type", FETCHABLE)
def test_plan_agrees_with_reference(op_type: str) -> None:
    def check(op: type[Op], sample: Sample) -> str | None:
        values = arrays(op, sample)
        expected = apply_reference(definition(op, sample), values)
        for dynamic in (False,) if op_type in RANK_BY_SIZE else (False, True):
            built = build(op, sample, values, dynamic=dynamic)
            compiled = compile_graph(built.outputs, feeds=built.inputs, feed_ranks=[v.ndim for v in values])
            found = NumpyModel(compiled.plan, compiled.constants, hosts=compiled.hosts).run(*values)
            for i, (a, b) in enumerate(zip(found, expected, strict=True)):
                problem = difference(a, np.asarray(b), max(sample.tolerance, 1e-5))
                if problem is not None:
                    return f"{'unknown' if dynamic else 'known'} sizes, result {i}: {problem}"
        return None

    each_sample(op_type, check)
