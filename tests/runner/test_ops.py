"""Every op by its samples through the C++ runner: saved with its Plan, loaded from bytes and run, against the
reference."""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from test_all_ops import FETCHABLE, RANK_BY_SIZE

from graphc.exec.reference import apply_reference
from graphc.ir.op import Op, Sample
from graphc.serial.freeze import add_plan
from graphc.serial.graphdef import as_graph_def

from files import build_runner
from native import Native
from samples import arrays, build, definition, difference, each_sample


@pytest.fixture(scope="module")
def native() -> Iterator[Native]:
    yield Native(build_runner() / "libgraphc.so")


@pytest.mark.parametrize("op_type", FETCHABLE)
def test_runner_agrees_with_reference(op_type: str, native: Native) -> None:
    def check(op: type[Op], sample: Sample) -> str | None:
        values = arrays(op, sample)
        expected = apply_reference(definition(op, sample), values)
        built = build(op, sample, values, dynamic=op_type not in RANK_BY_SIZE)
        graph_def = as_graph_def(built.graph)
        add_plan(graph_def, [t.name for t in built.outputs], [t.name for t in built.inputs])
        with native.load(graph_def.SerializeToString(deterministic=True)) as model:
            found = model.run([np.ascontiguousarray(v).reshape(v.shape) for v in values])
        for i, (a, b) in enumerate(zip(found, expected, strict=True)):
            problem = difference(a, np.asarray(b), sample.tolerance)
            if problem is not None:
                return f"result {i}: {problem}"
        return None

    each_sample(op_type, check)
