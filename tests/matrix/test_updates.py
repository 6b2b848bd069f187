"""Every op that writes variables, in loops and branches and between neighbours."""
from __future__ import annotations

import os

import pytest

from graphc.ir.op import OPS

from matrix import updates
from matrix.check import report
from samples import registered


@pytest.mark.parametrize("op", [name for name in registered() if OPS[name].refs and OPS[name].samples])
def test_op(op: str) -> None:
    cells = updates.cells(op, every=os.environ.get("GRAPHC_MATRIX") == "all")
    found = updates.failures(cells)
    assert not found, report(found, len(cells))
