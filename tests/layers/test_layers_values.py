"""tf.layers against TensorFlow: values, gradients, variables after updates, names (recorded by layer_cases.py)."""
from __future__ import annotations

import json

import layer_cases
import pytest

import graphc as gc

CASES = {name: (build, steps) for name, build, steps in layer_cases.cases(gc)}
RECORDED = json.loads(layer_cases.RECORDED.read_text())
# TF 1.15 names the ops of a convolution along one axis otherwise than TF 2 does.
OF_1_15 = {"Conv1D": "conv1d"}


@pytest.mark.parametrize("name", CASES)
def test_as_tensorflow(name: str) -> None:
    arrays, names = layer_cases.run(gc, *CASES[name])
    layer_cases.check(arrays, RECORDED[name]["arrays"])
    assert names == sorted("/".join(OF_1_15.get(part, part) for part in n.split("/")) for n in RECORDED[name]["names"])


def test_all_recorded_cases_are_tested() -> None:
    assert RECORDED.keys() == CASES.keys()
