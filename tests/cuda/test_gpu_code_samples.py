"""The C++ library on a GPU by the ops' samples: what it does on the CPU, results or errors. A few of each thirty-sixth
op; `make test-cuda` takes all."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_all_ops import FETCHABLE, RANK_BY_SIZE

import graphc as gc
from graphc.exec.cuda.support import lacking_steps
from graphc.ir.host import Host
from graphc.ir.op import OPS, Op, Sample
from graphc.serial.freeze import add_plan
from graphc.serial.graphdef import as_graph_def
from graphc.serial.plan_proto import load_plan

import native as n
from gpu_models import WHERE, Pair, gpu
from on_both import EVERYTHING, ON_GPU
from samples import arrays, build, difference, each_sample

pytestmark = pytest.mark.skipif(not WHERE, reason="the library in place of libcuda is for x86-64")
TAKEN = FETCHABLE if EVERYTHING or ON_GPU else FETCHABLE[::36]
MOST = 1000 if EVERYTHING or ON_GPU else 2


@pytest.mark.parametrize("op_type", [op_type for op_type in TAKEN if not issubclass(OPS[op_type], Host)])
def test_samples(op_type: str, tmp_path: Path) -> None:
    taken = {id(sample) for sample in OPS[op_type].samples[:MOST]}

    def check(op: type[Op], sample: Sample) -> str | None:
        if id(sample) not in taken:
            return None
        values = arrays(op, sample)
        built = build(op, sample, values, dynamic=op_type not in RANK_BY_SIZE)
        model = as_graph_def(built.graph)
        add_plan(model, [t.name for t in built.outputs], [t.name for t in built.inputs])
        return None if list(lacking_steps(load_plan(model.plans[0]))) else on_both(model, values, sample, tmp_path)

    with gpu(WHERE[0], compute=80):
        each_sample(op_type, check)


def on_both(model: gc.GraphDef, values: list[np.ndarray], sample: Sample, folder: Path) -> str | None:
    """What differs."""
    shapes = {port.name: np.shape(v) for port, v in zip(model.plans[0].plan.inputs, values, strict=True)}
    with Pair(model, folder, [shapes]) as pair:
        given = [np.ascontiguousarray(v).reshape(np.shape(v)) for v in values]
        ours, theirs = (outcome(models, given) for models in (pair.gpu, pair.cpu))
    if isinstance(ours, str) or isinstance(theirs, str):
        return None if ours == theirs else f"{ours!r} instead of {theirs!r}"
    for a, b in zip(ours, theirs, strict=True):
        problem = difference(a, b, max(sample.tolerance, 1e-5) if a.dtype.kind in "fc" else 0.0)
        if problem is not None:
            return problem
    return None


def outcome(models: dict[str, n.Model], values: list[np.ndarray]) -> Any:
    try:
        return next(iter(models.values())).run(values)
    except n.NativeError as error:
        return str(error)
