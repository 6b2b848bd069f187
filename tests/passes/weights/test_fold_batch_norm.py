"""fold_batch_norm: scales go into the weights of convolutions that nothing else reads."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.passes.simplification.simplify import simplify
from graphc.passes.weights.fold_batch_norm import fold_batch_norm

from checking import check_compiled, check_rewrite, flow_of

RNG = np.random.default_rng(6)


def array(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def scaled(x: Any) -> Any:
    """A batch norm of inference: (x - mean) * factor + offset."""
    return (x - array(4)) * array(4) + array(4)


def convolution(x: Any) -> Any:
    return gc.nn.conv2d(x, array(3, 3, 4, 4), 1, "SAME")


def factors_left(fetches: list[Any], x: Any) -> int:
    """How many products remain that are not of weights, with the numbers checked."""
    value = array(2, 6, 5, 4)
    after = check_rewrite(simplify(flow_of(fetches, [x])), fold_batch_norm, [value])
    check_compiled(fetches, [x], [value], tolerance=1e-4)
    convolutions = [n for n in after.nodes() if n.op.type == "Conv2D"]
    assert len(convolutions) == 2
    return sum(n.op.type == "Mul" and n.inputs[0].spec.shape == x.spec.shape for n in after.nodes())


@pytest.mark.parametrize("read_twice", [False, True])
def test_the_second_of_two(read_twice: bool) -> None:
    """It has been rebuilt when the pass comes to it; read twice, its result is wanted without the factor, too."""
    with gc.Graph().as_default():
        x = gc.placeholder("float32", (2, 6, 5, 4))
        second = convolution(scaled(convolution(x)))
        fetches = [scaled(second), *([gc.exp(second * 0.1)] if read_twice else [])]
        assert factors_left(fetches, x) == (2 if read_twice else 0)
