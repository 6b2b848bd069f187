"""Kernels for which the runner has the plainest instruction set's code alone give the same bits with any set's."""
from __future__ import annotations

import numpy as np
import pytest
from test_all_ops import FETCHABLE, RANK_BY_SIZE

from graphc.commands.needs import needs_of
from graphc.exec.engine import Engine
from graphc.exec.library import load_library
from graphc.ir.host import Host
from graphc.ir.op import OPS, Op, Sample
from graphc.kernels.contracts.all import KERNELS
from graphc.kernels.toolchain.runner_library import (
    SHARED,
    SHARED_FOLDERS_IN_DOUBLE,
    SHARED_SCALARS,
    family_of,
    is_shared,
    is_shared_scalar,
)
from graphc.kernels.toolchain.targets import host_targets
from graphc.ops.linalg.by_kernel import ByKernel
from graphc.plan.compile import compile_graph

from samples import arrays, build, each_sample

ISAS = [target.name for target in host_targets()]


def test_folders_whose_kernels_are_shared_in_double_are_there() -> None:
    assert SHARED_FOLDERS_IN_DOUBLE <= {family_of(name).partition("/")[0] for name in KERNELS}


@pytest.mark.skipif(len(ISAS) < 2, reason="this machine has one instruction set")
def test_the_bits_are_the_same() -> None:
    """By the samples of all ops, which together reach all that is shared."""
    reached: set[str] = set()
    for op_type in FETCHABLE:
        if not issubclass(OPS[op_type], Host) or "FFT" in op_type or issubclass(OPS[op_type], ByKernel):
            each_sample(op_type, lambda op, sample: _compared(op, sample, reached))
    assert reached >= (SHARED | SHARED_SCALARS) - {"state/sizes", "state/state"}


def _compared(op: type[Op], sample: Sample, reached: set[str]) -> str | None:
    values = [np.ascontiguousarray(v).reshape(v.shape) for v in arrays(op, sample)]
    # Kernels transform by Fourier what has lengths that are known when compiling.
    built = build(op, sample, values, dynamic=op.__name__ not in RANK_BY_SIZE and "FFT" not in op.__name__)
    values = [v.view(v.dtype[0]) if v.dtype.names else v for v in values]          # quantized numbers
    compiled = compile_graph(built.outputs, (), built.inputs)
    needs = needs_of(compiled.plan)
    reached |= {family_of(name) for name in needs.kernels} | {name.partition(".")[0] for name in needs.primitives}
    if not any(map(is_shared, needs.kernels)) and not any(map(is_shared_scalar, needs.primitives)):
        return None
    hosts = {name: compiled.hosts[name] for name in compiled.plan.hosts}
    found = [Engine(compiled.plan, compiled.constants, None, hosts, 1, library=load_library(isa)).run(values, 0)
             for isa in (ISAS[0], ISAS[-1])]
    for number, (a, b) in enumerate(zip(*found, strict=True)):
        if a.tobytes() != b.tobytes():
            return f"result {number} has other bits in {ISAS[0]} than in {ISAS[-1]}"
    return None
