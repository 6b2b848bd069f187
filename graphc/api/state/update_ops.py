"""The ops that update variables with gradients, as `tf.raw_ops` has them: graphc/train makes optimizers of them.

Each takes its op's operands (ops/training) in TensorFlow's order or by their names, Variables where it writes, and
gives the variable's new value.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ir.op import OPS
from graphc.ir.tensor import Tensor


def _update(op_type: str) -> Callable[..., Tensor]:
    def update(*operands: Any, name: str | None = None, **more: Any) -> Tensor:
        op = OPS[op_type]
        given = dict(zip(op.operands, operands, strict=False))
        if len(operands) > len(op.operands):
            raise TypeError(f"{op_type} takes {len(op.operands)} operands ({', '.join(op.operands)}), but was given "
                            f"{len(operands)}")
        for operand in op.operands:
            if operand in more:
                if operand in given:
                    raise TypeError(f"{op_type}: operand '{operand}' is given twice")
                given[operand] = more.pop(operand)
            elif operand not in given:
                raise TypeError(f"{op_type}: operand '{operand}' is missing")
        values = [given[o]._ref() if o in op.refs and hasattr(given[o], "_ref") else given[o] for o in op.operands]
        result: Tensor = apply(op, *values, name=name, **more)
        return result

    update.__name__ = update.__qualname__ = op_type
    update.__doc__ = f"As `tf.raw_ops.{op_type}`."
    declared: Callable[..., Tensor] = public(f"raw_ops.{op_type}")(update)
    return declared


ApplyAdadelta, SparseApplyAdadelta = _update("ApplyAdadelta"), _update("SparseApplyAdadelta")
ApplyAdagrad, SparseApplyAdagrad = _update("ApplyAdagrad"), _update("SparseApplyAdagrad")
ApplyAdagradDA, SparseApplyAdagradDA = _update("ApplyAdagradDA"), _update("SparseApplyAdagradDA")
ApplyAdam = _update("ApplyAdam")
ApplyAddSign, ApplyPowerSign = _update("ApplyAddSign"), _update("ApplyPowerSign")
ApplyCenteredRMSProp = _update("ApplyCenteredRMSProp")
SparseApplyCenteredRMSProp = _update("SparseApplyCenteredRMSProp")
ApplyFtrl, SparseApplyFtrl = _update("ApplyFtrl"), _update("SparseApplyFtrl")
ApplyFtrlV2, SparseApplyFtrlV2 = _update("ApplyFtrlV2"), _update("SparseApplyFtrlV2")
ApplyGradientDescent = _update("ApplyGradientDescent")
ApplyMomentum, SparseApplyMomentum = _update("ApplyMomentum"), _update("SparseApplyMomentum")
ApplyProximalAdagrad = _update("ApplyProximalAdagrad")
SparseApplyProximalAdagrad = _update("SparseApplyProximalAdagrad")
ApplyProximalGradientDescent = _update("ApplyProximalGradientDescent")
SparseApplyProximalGradientDescent = _update("SparseApplyProximalGradientDescent")
ApplyRMSProp, SparseApplyRMSProp = _update("ApplyRMSProp"), _update("SparseApplyRMSProp")
