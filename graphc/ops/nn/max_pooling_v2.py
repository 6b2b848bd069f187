"""Max pooling, its gradient and the gradient's gradient, with the window and the strides as operands.

Both must be known when a run is compiled, as the attributes of MaxPool are.
"""
from __future__ import annotations

from typing import Any

from graphc.ir.known import known_ints
from graphc.ir.op import operand_field, register
from graphc.ir.spec import Spec
from graphc.ops.nn.max_pooling import MaxPool, MaxPoolGrad, MaxPoolGradGrad
from graphc.ops.nn.pooling import Pooling


def _rest(op: Any) -> dict[str, Any]:
    return {"padding": op.padding, "data_format": op.data_format}


class _ByOperands(Pooling):
    def infer(self, *inputs: Spec) -> Spec | tuple[Spec, ...]:
        known_ints(self.ksize, "ksize")
        known_ints(self.strides, "strides")
        return super().infer(*inputs)


@register
class MaxPoolV2(_ByOperands, MaxPool):
    """The largest element of each window"""

    operands = ("input", "ksize", "strides")
    ksize: tuple[int, ...] = operand_field("ints")
    strides: tuple[int, ...] = operand_field("ints")

    def grad(self, g, node, dy):
        x, ksize, strides = node.inputs
        return [g.max_pool_grad_v2(x, node.outputs[0], dy, ksize, strides, **_rest(self)), None, None]


@register
class MaxPoolGradV2(_ByOperands, MaxPoolGrad):
    """Each window's gradient goes to its first largest element"""

    operands = ("orig_input", "orig_output", "grad", "ksize", "strides")
    ksize: tuple[int, ...] = operand_field("ints")
    strides: tuple[int, ...] = operand_field("ints")

    def grad(self, g, node, ddx):
        x, y, _, ksize, strides = node.inputs
        return [g.zeros_like(x), g.zeros_like(y), g.max_pool_grad_grad_v2(x, y, ddx, ksize, strides, **_rest(self)),
                None, None]


@register
class MaxPoolGradGradV2(_ByOperands, MaxPoolGradGrad):
    """For each window, the element of `grad` at the place of the picture's first largest element"""

    operands = ("orig_input", "orig_output", "grad", "ksize", "strides")
    ksize: tuple[int, ...] = operand_field("ints")
    strides: tuple[int, ...] = operand_field("ints")

    def grad(self, g, node, ddy):
        x, y, _, ksize, strides = node.inputs
        return [g.zeros_like(x), g.zeros_like(y), g.max_pool_grad_v2(x, y, ddy, ksize, strides, **_rest(self)), None,
                None]
