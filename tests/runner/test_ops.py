"""Every op by its samples through the C++ runner: saved with its Plan, loaded from bytes and run, against the
reference."""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from test_all_ops import FETCHABLE, RANK_BY_SIZE

from graphc.exec.reference import apply_reference
from graphc.ir.host import Host
from graphc.ir.op import OPS, Op, Sample
from graphc.ops.linalg.by_kernel import ByKernel
from graphc.serial.cpp_strings import in_cpp
from graphc.serial.freeze import add_plan
from graphc.serial.graphdef import as_graph_def
from graphc.serial.plan_proto import load_plan

from files import build_runner
from native import Native, NativeError
from samples import arrays, build, definition, difference, each_sample


@pytest.fixture(scope="module")
def native() -> Iterator[Native]:
    yield Native(build_runner() / "libgraphc.so")


@pytest.mark.parametrize("op_type", FETCHABLE)
def test_runner_agrees_with_reference(op_type: str, native: Native) -> None:
    def check(op: type[Op], sample: Sample) -> str | None:
        values = arrays(op, sample)
        expected = apply_reference(definition(op, sample), values)
        # Kernels transform by Fourier what has lengths that are known when compiling.
        built = build(op, sample, values, dynamic=op_type not in RANK_BY_SIZE and "FFT" not in op_type)
        graph_def = as_graph_def(built.graph)
        add_plan(graph_def, [t.name for t in built.outputs], [t.name for t in built.inputs])
        data = graph_def.SerializeToString(deterministic=True)
        if not all(map(in_cpp, load_plan(graph_def.plans[0]).hosts)):
            assert issubclass(op, Host) and not issubclass(op, ByKernel)
            with pytest.raises(NativeError, match=f"op '{built.operation.name}' of type {op_type} runs in Python only"):
                native.load(data)
            return None
        with native.load(data) as model:
            found = model.run([np.ascontiguousarray(v).reshape(v.shape) for v in values])
        for i, (a, b) in enumerate(zip(found, expected, strict=True)):
            problem = difference(a, np.asarray(b), sample.tolerance)
            if problem is not None:
                return f"result {i}: {problem}"
        return None

    each_sample(op_type, check)


@pytest.mark.parametrize(("op_type", "refused"), [("FloorDiv", 0), ("FloorMod", 0), ("TruncateDiv", 0), ("Div", 0),
                                                  ("Pow", -1)])
def test_runner_refuses_integers(op_type: str, refused: int, native: Native) -> None:
    """Division by 0 and negative exponents end the run, by the same words as in Python; the next run is a good one."""
    good, bad = (np.array([7, 9], np.int32), np.array([2, 3], np.int32)), np.array([2, refused], np.int32)
    built = build(OPS[op_type], Sample({}, ()), good, dynamic=True)
    graph_def = as_graph_def(built.graph)
    add_plan(graph_def, [t.name for t in built.outputs], [t.name for t in built.inputs])
    with native.load(graph_def.SerializeToString(deterministic=True)) as model:
        message = "negative integer powers" if refused else "Integer division by zero"
        with pytest.raises(NativeError, match=message) as caught:
            model.run([good[0], bad])
        assert op_type in str(caught.value)
        np.testing.assert_array_equal(model.run(list(good))[0], apply_reference(built.operation.definition, good)[0])
