"""What ops say of themselves to the passes (ir/op.py: neutral_operand, self_inverse, ...) is true, whoever says it."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from graphc.ir.dtypes import as_dtype
from graphc.ir.op import OPS, Composite, Elementwise, Op, Reduction, View

from samples import arrays, definition, registered

X = np.random.default_rng(0).uniform(-2, 2, (3, 4)).astype(np.float32)
ROW = X[0] + np.float32(1)


def saying(fact: Callable[[type[Op]], Any]) -> list[str]:
    return [name for name in registered() if fact(OPS[name])]


def uses(name: str) -> list[tuple[Any, list[np.ndarray]]]:
    """(op, arrays) of each sample."""
    op = OPS[name]
    return [(definition(op, sample), arrays(op, sample)) for sample in op.samples]


@pytest.mark.parametrize("name", saying(lambda op: op.neutral_operand))
def test_neutral(name: str) -> None:
    number, operands = OPS[name].neutral_operand or (0, ())
    assert operands
    for operand in operands:
        filled = np.full((4,) if operand else (3, 4), number, np.float32)
        given = [filled, X] if operand == 0 else [X, filled]
        np.testing.assert_array_equal(OPS.make(name).reference(*given), X)


@pytest.mark.parametrize("name", saying(lambda op: op.homogeneous))
def test_homogeneous(name: str) -> None:
    op, factors = OPS.make(name), np.array([2, 0.5, -4, 1], np.float32)
    np.testing.assert_array_equal(op.reference(X * factors, ROW * factors), op.reference(X, ROW) * factors)


@pytest.mark.parametrize("name", saying(lambda op: op.self_inverse))
def test_self_inverse(name: str) -> None:
    for op, given in uses(name):
        np.testing.assert_array_equal(op.reference(op.reference(*given)), given[0])


@pytest.mark.parametrize("name", saying(lambda op: op.of_one))
def test_of_one(name: str) -> None:
    np.testing.assert_array_equal(OPS.make(name).reference(X), X)


@pytest.mark.parametrize("name", saying(lambda op: op.keeps_order))
def test_keeps_order(name: str) -> None:
    same = [(op, given) for op, given in uses(name) if op.reference(*given).shape == given[0].shape]
    assert same, "no sample whose result has the operand's shape"
    for op, given in same:
        np.testing.assert_array_equal(op.reference(*given), given[0])


@pytest.mark.parametrize("name", saying(lambda op: issubclass(op, Elementwise) and op.fills is not None))
def test_fills(name: str) -> None:
    for op, given in uses(name):
        assert np.all(op.reference(*given) == op.fills)


@pytest.mark.parametrize("name", saying(lambda op: issubclass(op, Reduction) and op.keeps_single()))
def test_keeps_single(name: str) -> None:
    for _, given in uses(name):
        x = given[0].reshape(-1, 1)
        np.testing.assert_array_equal(OPS.make(name, axis=(1,)).reference(x), x[:, 0])


@pytest.mark.parametrize("name", saying(lambda op: issubclass(op, View) and op.permutation is not View.permutation))
def test_permutation(name: str) -> None:
    for op, given in uses(name):
        np.testing.assert_array_equal(op.reference(*given), np.transpose(given[0], op.permutation()))


@pytest.mark.parametrize("name", saying(lambda op: op.with_transposed is not Op.with_transposed))
def test_with_transposed(name: str) -> None:
    tried = 0
    for op, given in uses(name):
        for operand in range(len(given)):
            changed = op.with_transposed(operand, as_dtype(given[operand].dtype))
            if changed is not None:
                tried += 1
                moved = [np.swapaxes(x, -1, -2) if i == operand else x for i, x in enumerate(given)]
                np.testing.assert_array_equal(changed.reference(*moved), op.reference(*given))
    assert tried


def test_facts_are_said() -> None:
    """The lists above are not empty by mistake."""
    assert {"Add", "AddV2", "Sub", "Mul", "RealDiv", "Div", "BiasAdd"} <= set(saying(lambda op: op.neutral_operand))
    assert {"Sum", "Mean", "Max", "All"} <= set(saying(lambda op: issubclass(op, Reduction) and op.keeps_single()))
    assert saying(lambda op: issubclass(op, Composite) and op.expands_early) == ["_SumTo"]
