"""Learning rates that fall."""
from __future__ import annotations

from typing import Any

from graphc.api.array.cast import cast
from graphc.api.math.binary import multiply, pow
from graphc.api.math.division import truediv
from graphc.api.math.unary import floor
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor
from graphc.ir.dtypes import float32
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor


@public("train.exponential_decay")
def exponential_decay(learning_rate: Any, global_step: Any, decay_steps: Any, decay_rate: Any, staircase: bool = False,
                      name: str | None = None) -> Tensor:
    """learning_rate * decay_rate ** (global_step / decay_steps), as `tf.train.exponential_decay`.

    staircase: the quotient is rounded down. Raises ValueError without a global step.
    """
    if global_step is None:
        raise ValueError("global_step is required for exponential_decay.")
    with get_default_graph().name_scope(name or "ExponentialDecay") as scope:
        rate = convert_to_tensor(learning_rate, preferred_dtype=float32, name="learning_rate")
        steps = cast(global_step, rate.dtype)
        quotient = truediv(steps, cast(decay_steps, rate.dtype))
        if staircase:
            quotient = floor(quotient)
        return multiply(rate, pow(cast(decay_rate, rate.dtype), quotient), name=scope)
