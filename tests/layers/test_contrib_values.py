"""contrib.layers against TensorFlow: values, gradients, variables after updates, names (recorded by contrib_cases.py).
"""
from __future__ import annotations

import json

import contrib_cases
import layer_cases
import pytest

import graphc as gc
import graphc.compat.v1 as tf

CASES = {name: (build, steps) for name, build, steps in contrib_cases.cases(gc, tf.contrib.slim)}
RECORDED = json.loads(contrib_cases.RECORDED.read_text())
OF_1_15 = {"Conv1D": "conv1d"}           # TF 2 calls the scope of a convolution along one axis otherwise


@pytest.mark.parametrize("name", CASES)
def test_as_tensorflow(name: str) -> None:
    arrays, names = layer_cases.run(gc, *CASES[name])
    layer_cases.check(arrays, RECORDED[name]["arrays"])
    assert names == sorted("/".join(OF_1_15.get(part, part) for part in n.split("/")) for n in RECORDED[name]["names"])


def test_all_recorded_cases_are_tested() -> None:
    assert RECORDED.keys() == CASES.keys()
