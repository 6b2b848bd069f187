"""Decoders, attention and beam search give TensorFlow's numbers, with variables of TensorFlow's names.

recorded.json: what TensorFlow 1.15's contrib.seq2seq gave for decoding_models.py, its Python code on kernels and layers
of 2.21: names of variables, and of each result its shape, the sum, and the sum times cos(0), cos(1), ...
"""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from decoding_models import MODELS, result_of

import graphc as gc

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "recorded.json").read_text())


@pytest.mark.parametrize("name", MODELS)
def test_numbers_and_names(name: str) -> None:
    gc.reset_default_graph()
    names, prints = result_of(*MODELS[name](), 1.3)
    assert names == RECORDED[name]["names"]
    assert [p[0] for p in prints] == [p[0] for p in RECORDED[name]["prints"]]
    for position, (found, wanted) in enumerate(zip(prints, RECORDED[name]["prints"], strict=True)):
        np.testing.assert_allclose(found[1:], wanted[1:], rtol=3e-4, atol=3e-4, err_msg=f"result {position}")
