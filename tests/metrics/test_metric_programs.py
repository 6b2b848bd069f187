"""Every metric as TensorFlow 2.21 (compat.v1) computed and named it over two batches: metrics_in_tensorflow.json."""
from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

import graphc as gc

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import metric_programs

RECORDED = json.loads((HERE / "metrics_in_tensorflow.json").read_text())


def test_every_metric_is_recorded() -> None:
    assert list(RECORDED) == [name for name, _ in metric_programs.cases(gc, defaultdict(lambda: None))]


@pytest.mark.parametrize("rows", [3, None])
@pytest.mark.parametrize("name", RECORDED)
def test_as_in_tensorflow(name: str, rows: int | None) -> None:
    if rows is None and name.startswith("mean_tensor"):
        pytest.skip("its variables need the shape")
    found = metric_programs.run(gc, np, name, rows)
    assert found[:3] == RECORDED[name][:3]
    for batch, wanted in zip(found[3:], RECORDED[name][3:], strict=True):
        for a, b in zip(batch, wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-6, atol=1e-6)
