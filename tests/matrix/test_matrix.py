"""Every op in every place where a program may hold it.

Of each op a third of the cells that hold every pair of choices, another third for the next op. GRAPHC_MATRIX=pairs runs
them all, GRAPHC_MATRIX=all combines the main factors in full (`make test-matrix`).
"""
from __future__ import annotations

import os

import numpy as np
import pytest

import graphc as gc
from graphc.ir.apply import apply
from graphc.ir.op import OPS

from matrix import check, choose
from matrix.excluded import EXCLUDED, FIELDS_KNOWN
from samples import arrays, definition, grouped, registered

OPS_TESTED = [name for name in registered() if name not in EXCLUDED and not OPS[name].refs]


@pytest.mark.parametrize("op", OPS_TESTED)
def test_op(op: str) -> None:
    wanted = os.environ.get("GRAPHC_MATRIX")
    cells = choose.everything(op) if wanted == "all" else choose.pairs(op)
    if wanted is None:
        cells = cells[OPS_TESTED.index(op) % 3::3]
    found = check.failures(cells)
    assert not found, check.report(found, len(cells))


def test_excluded_ops_are_registered_and_have_no_samples() -> None:
    stale = [name for name in EXCLUDED if name not in OPS or (OPS[name].samples and OPS[name].operands)]
    assert not stale


@pytest.mark.parametrize("name", sorted(FIELDS_KNOWN))
def test_fields_that_are_never_fed_are_refused(name: str) -> None:
    """Else programs.py leaves out what works."""
    users = [op for op in OPS_TESTED if name in OPS[op].field_operands()]
    assert users
    for op in users:
        sample = OPS[op].samples[0]
        values = arrays(OPS[op], sample)
        with gc.Graph().as_default(), pytest.raises(ValueError, match="must be known while the graph is built"):
            field = np.array(getattr(definition(OPS[op], sample), name), np.int32)
            given = {**sample.attributes, name: gc.placeholder(gc.int32, field.shape)}
            apply(OPS[op], *grouped(OPS[op], [gc.constant(v) for v in values]), **given)
