"""The ops on strings say what they mean once, in Python: here their samples give what TensorFlow 2.21 gave for them.

string_answers.json is written by tests/peers/record_strings.py.
"""
from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphc.exec.reference import apply_reference
from graphc.ir.op import OPS

from samples import arrays, definition, difference

ANSWERS = json.loads((Path(__file__).parent / "string_answers.json").read_text())


def read(answer: dict[str, Any]) -> np.ndarray:
    values, dtype = answer["values"], np.dtype(answer["dtype"])
    if dtype.kind == "O":
        made = np.empty(len(values), object)
        made[:] = [v.encode("latin-1") for v in values]
    else:
        made = np.array([float(v) if dtype.kind == "f" else ast.literal_eval(v) for v in values], dtype)
    return made.reshape(answer["shape"])


@pytest.mark.parametrize("op_type", ANSWERS)
def test_answers_are_those_of_tensorflow(op_type: str) -> None:
    op = OPS[op_type]
    assert len(op.samples) == len(ANSWERS[op_type]), "the samples have changed: run tests/peers/record_strings.py"
    for sample, answers in zip(op.samples, ANSWERS[op_type], strict=True):
        results = apply_reference(definition(op, sample), arrays(op, sample))
        for found, answer in zip(results, answers, strict=True):
            problem = difference(found, read(answer), 0)
            assert problem is None, f"{sample}: {problem}"
