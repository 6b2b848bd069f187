"""The ops that update variables with gradients, as `tf.raw_ops` has them: graphc/train makes optimizers of them.

Each takes its op's operands (ops/training) in TensorFlow's order or by their names, Variables where it writes, and
gives the variable's new value.
"""
from __future__ import annotations

from typing import Any

from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import int64
from graphc.ir.op import OPS
from graphc.ir.tensor import Tensor
from graphc.ops.training.update import INTEGERS


def _updated(op_type: str, operands: tuple[Any, ...], name: str | None, more: dict[str, Any]) -> Tensor:
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
    given.update({o: convert_to_tensor(given[o], int64) for o in INTEGERS if isinstance(given.get(o), int)})
    values = [given[o]._ref() if o in op.refs and hasattr(given[o], "_ref") else given[o] for o in op.operands]
    result: Tensor = apply(op, *values, name=name, **more)
    return result


@public("raw_ops.ApplyGradientDescent")
def ApplyGradientDescent(*operands: Any, name: str | None = None, **more: Any) -> Tensor:
    """var -= alpha * delta.

    var: a variable of floating point; delta: of its dtype and shape; alpha: a scalar of it. Operands may be given by
    name. As `tf.raw_ops.ApplyGradientDescent`. Raises TypeError for other dtypes and for operands that are missing,
    given twice or not known, ValueError for other shapes, InvalidArgumentError when run if var is no variable.

    >>> var = gc.Variable([1., 2.])
    >>> gc.global_variables_initializer().run()
    >>> gc.raw_ops.ApplyGradientDescent(var, alpha=0.1, delta=[1., 10.]).eval()
    array([0.9, 1. ], dtype=float32)
    """
    return _updated("ApplyGradientDescent", operands, name, more)


@public("raw_ops.ApplyMomentum")
def ApplyMomentum(*operands: Any, name: str | None = None, **more: Any) -> Tensor:
    """accum = accum * momentum + grad; var -= lr * accum.

    With use_nesterov var -= lr * (grad + momentum * accum). var, accum: variables of floating point of one dtype and
    shape; grad: of these; other operands: scalars of the dtype. As `tf.raw_ops.ApplyMomentum`. Raises as
    `ApplyGradientDescent`.

    >>> var, accum = gc.Variable([1., 2.]), gc.Variable([0., 1.])
    >>> gc.global_variables_initializer().run()
    >>> gc.raw_ops.ApplyMomentum(var, accum, lr=0.1, grad=[1., 1.], momentum=0.9).eval()
    array([0.9 , 1.81], dtype=float32)
    """
    return _updated("ApplyMomentum", operands, name, more)


@public("raw_ops.SparseApplyMomentum")
def SparseApplyMomentum(*operands: Any, name: str | None = None, **more: Any) -> Tensor:
    """`ApplyMomentum` of the rows at the indices; grad has a row an index.

    indices: int32 or int64 [n]; grad: [n, ...], of var's dtype; other operands as of `ApplyMomentum`. As
    `tf.raw_ops.SparseApplyMomentum`. Raises as that; a computed index that is no row ends the run with
    InvalidArgumentError.

    >>> var, accum = gc.Variable([[1.], [2.]]), gc.Variable([[0.], [1.]])
    >>> gc.global_variables_initializer().run()
    >>> gc.raw_ops.SparseApplyMomentum(var, accum, lr=0.1, grad=[[1.]], indices=[1], momentum=0.9).eval()
    array([[1.  ],
           [1.81]], dtype=float32)
    """
    return _updated("SparseApplyMomentum", operands, name, more)


@public("raw_ops.ApplyAdam")
def ApplyAdam(*operands: Any, name: str | None = None, **more: Any) -> Tensor:
    """m and v are moving averages of grad and of its square; var -= lr' * m / (sqrt(v) + epsilon).

    lr' = lr * sqrt(1 - beta2_power) / (1 - beta1_power): the powers beta ** step are scalars that the caller keeps.
    var, m, v: variables of floating point of one dtype and shape; grad: of these; other operands: scalars of the dtype.
    As `tf.raw_ops.ApplyAdam`. Raises as `ApplyGradientDescent`.

    >>> var, m, v = gc.Variable([1., 2.]), gc.Variable([0., 0.]), gc.Variable([0., 0.])
    >>> gc.global_variables_initializer().run()
    >>> gc.raw_ops.ApplyAdam(var, m, v, beta1_power=0.9, beta2_power=0.999, lr=0.1, beta1=0.9, beta2=0.999,
    ...     epsilon=1e-8, grad=[1., -5.]).eval()
    array([0.9, 2.1], dtype=float32)
    """
    return _updated("ApplyAdam", operands, name, more)


@public("raw_ops.ApplyAdagrad")
def ApplyAdagrad(*operands: Any, name: str | None = None, **more: Any) -> Tensor:
    """accum += grad ** 2; var -= lr * grad / sqrt(accum). update_slots=False: accum stays.

    var, accum: variables of floating point of one dtype and shape; grad: of these; other operands: scalars of the
    dtype. As `tf.raw_ops.ApplyAdagrad`. Raises as `ApplyGradientDescent`.

    >>> var, accum = gc.Variable([1., 2.]), gc.Variable([0., 3.])
    >>> gc.global_variables_initializer().run()
    >>> gc.raw_ops.ApplyAdagrad(var, accum, lr=0.1, grad=[5., 1.]).eval()
    array([0.9 , 1.95], dtype=float32)
    """
    return _updated("ApplyAdagrad", operands, name, more)


@public("raw_ops.SparseApplyAdagrad")
def SparseApplyAdagrad(*operands: Any, name: str | None = None, **more: Any) -> Tensor:
    """`ApplyAdagrad` of the rows at the indices; grad has a row an index.

    indices: int32 or int64 [n]; grad: [n, ...], of var's dtype; other operands as of `ApplyAdagrad`. As
    `tf.raw_ops.SparseApplyAdagrad`. Raises as that; a computed index that is no row ends the run with
    InvalidArgumentError.

    >>> var, accum = gc.Variable([[1.], [2.]]), gc.Variable([[0.], [3.]])
    >>> gc.global_variables_initializer().run()
    >>> gc.raw_ops.SparseApplyAdagrad(var, accum, lr=0.1, grad=[[1.]], indices=[1]).eval()
    array([[1.  ],
           [1.95]], dtype=float32)
    """
    return _updated("SparseApplyAdagrad", operands, name, more)


@public("raw_ops.ApplyAdagradDA")
def ApplyAdagradDA(*operands: Any, name: str | None = None, **more: Any) -> Tensor:
    """Adagrad by dual averaging: var is computed again from the sums of gradients and of their squares.

    var and the sums: variables of floating point of one dtype and shape; grad: of these; global_step: an int64 scalar;
    other operands: scalars of the dtype. As `tf.raw_ops.ApplyAdagradDA`. Raises as `ApplyGradientDescent`.

    >>> var, total, squares = gc.Variable([1., 2.]), gc.Variable([0., 0.]), gc.Variable([0.1, 0.1])
    >>> gc.global_variables_initializer().run()
    >>> gc.raw_ops.ApplyAdagradDA(var, total, squares, grad=[1., -1.], lr=0.1, l1=0., l2=0., global_step=1).eval()
    array([-0.0953,  0.0953], dtype=float32)
    """
    return _updated("ApplyAdagradDA", operands, name, more)


@public("raw_ops.SparseApplyAdagradDA")
def SparseApplyAdagradDA(*operands: Any, name: str | None = None, **more: Any) -> Tensor:
    """`ApplyAdagradDA` of the rows at the indices; grad has a row an index.

    indices: int32 or int64 [n]; grad: [n, ...], of var's dtype; other operands as of `ApplyAdagradDA`. As
    `tf.raw_ops.SparseApplyAdagradDA`. Raises as that; a computed index that is no row ends the run with
    InvalidArgumentError.

    >>> var, total, squares = gc.Variable([[1.], [2.]]), gc.Variable([[0.], [0.]]), gc.Variable([[0.1], [0.1]])
    >>> gc.global_variables_initializer().run()
    >>> gc.raw_ops.SparseApplyAdagradDA(var, total, squares, grad=[[1.]], indices=[1], lr=0.1, l1=0., l2=0.,
    ...     global_step=1).eval()
    array([[ 1.    ],
           [-0.0953]], dtype=float32)
    """
    return _updated("SparseApplyAdagradDA", operands, name, more)


@public("raw_ops.ApplyAdadelta")
def ApplyAdadelta(*operands: Any, name: str | None = None, **more: Any) -> Tensor:
    """The step is as large as the recent steps were, in units of the recent gradients (Zeiler).

    accum and accum_update are averages, by rho, of the squares of gradients and of steps. var, accum, accum_update:
    variables of floating point of one dtype and shape; grad: of these; other operands: scalars of the dtype. As
    `tf.raw_ops.ApplyAdadelta`. Raises as `ApplyGradientDescent`.

    >>> var, accum, steps = gc.Variable([1., 2.]), gc.Variable([0., 0.]), gc.Variable([1., 1.])
    >>> gc.global_variables_initializer().run()
    >>> gc.raw_ops.ApplyAdadelta(var, accum, steps, lr=1., rho=0.5, epsilon=0., grad=[1., 4.]).eval()
    array([-0.4142,  0.5858], dtype=float32)
    """
    return _updated("ApplyAdadelta", operands, name, more)


@public("raw_ops.SparseApplyAdadelta")
def SparseApplyAdadelta(*operands: Any, name: str | None = None, **more: Any) -> Tensor:
    """`ApplyAdadelta` of the rows at the indices; grad has a row an index.

    indices: int32 or int64 [n]; grad: [n, ...], of var's dtype; other operands as of `ApplyAdadelta`. As
    `tf.raw_ops.SparseApplyAdadelta`. Raises as that; a computed index that is no row ends the run with
    InvalidArgumentError.

    >>> var, accum, steps = gc.Variable([[1.], [2.]]), gc.Variable([[0.], [0.]]), gc.Variable([[1.], [1.]])
    >>> gc.global_variables_initializer().run()
    >>> gc.raw_ops.SparseApplyAdadelta(var, accum, steps, lr=1., rho=0.5, epsilon=0., grad=[[4.]], indices=[1]).eval()
    array([[1.    ],
           [0.5858]], dtype=float32)
    """
    return _updated("SparseApplyAdadelta", operands, name, more)


@public("raw_ops.ApplyRMSProp")
def ApplyRMSProp(*operands: Any, name: str | None = None, **more: Any) -> Tensor:
    """ms is a moving average of grad ** 2; mom = momentum * mom + lr * grad / sqrt(ms + epsilon); var -= mom.

    ms = rho * ms + (1 - rho) * grad ** 2. var, ms, mom: variables of floating point of one dtype and shape; grad: of
    these; other operands: scalars of the dtype. As `tf.raw_ops.ApplyRMSProp`. Raises as `ApplyGradientDescent`.

    >>> var, ms, mom = gc.Variable([1., 2.]), gc.Variable([1., 1.]), gc.Variable([0., 0.])
    >>> gc.global_variables_initializer().run()
    >>> gc.raw_ops.ApplyRMSProp(var, ms, mom, lr=0.1, rho=0., momentum=0., epsilon=0., grad=[5., -3.]).eval()
    array([0.9, 2.1], dtype=float32)
    """
    return _updated("ApplyRMSProp", operands, name, more)


@public("raw_ops.SparseApplyRMSProp")
def SparseApplyRMSProp(*operands: Any, name: str | None = None, **more: Any) -> Tensor:
    """`ApplyRMSProp` of the rows at the indices; grad has a row an index.

    indices: int32 or int64 [n]; grad: [n, ...], of var's dtype; other operands as of `ApplyRMSProp`. As
    `tf.raw_ops.SparseApplyRMSProp`. Raises as that; a computed index that is no row ends the run with
    InvalidArgumentError.

    >>> var, ms, mom = gc.Variable([[1.], [2.]]), gc.Variable([[1.], [1.]]), gc.Variable([[0.], [0.]])
    >>> gc.global_variables_initializer().run()
    >>> gc.raw_ops.SparseApplyRMSProp(var, ms, mom, lr=0.1, rho=0., momentum=0., epsilon=0., grad=[[5.]],
    ...     indices=[1]).eval()
    array([[1. ],
           [1.9]], dtype=float32)
    """
    return _updated("SparseApplyRMSProp", operands, name, more)


@public("raw_ops.ApplyCenteredRMSProp")
def ApplyCenteredRMSProp(*operands: Any, name: str | None = None, **more: Any) -> Tensor:
    """`ApplyRMSProp` with the variance of the gradients, ms - mg ** 2, in place of their mean square.

    var, mg, ms, mom: variables of floating point of one dtype and shape; grad: of these; other operands: scalars of the
    dtype. As `tf.raw_ops.ApplyCenteredRMSProp`. Raises as `ApplyGradientDescent`.

    >>> var, mg, ms, mom = gc.Variable([1., 2.]), gc.Variable([0., 0.]), gc.Variable([1., 1.]), gc.Variable([0., 0.])
    >>> gc.global_variables_initializer().run()
    >>> gc.raw_ops.ApplyCenteredRMSProp(var, mg, ms, mom, lr=0.1, rho=0.5, momentum=0., epsilon=0.,
    ...     grad=[1., 1.]).eval()
    array([0.8845, 1.8845], dtype=float32)
    """
    return _updated("ApplyCenteredRMSProp", operands, name, more)


@public("raw_ops.SparseApplyCenteredRMSProp")
def SparseApplyCenteredRMSProp(*operands: Any, name: str | None = None, **more: Any) -> Tensor:
    """`ApplyCenteredRMSProp` of the rows at the indices; grad has a row an index.

    indices: int32 or int64 [n]; grad: [n, ...], of var's dtype; other operands as of `ApplyCenteredRMSProp`. As
    `tf.raw_ops.SparseApplyCenteredRMSProp`. Raises as that; a computed index that is no row ends the run with
    InvalidArgumentError.

    >>> var, mg = gc.Variable([[1.], [2.]]), gc.Variable([[0.], [0.]])
    >>> ms, mom = gc.Variable([[1.], [1.]]), gc.Variable([[0.], [0.]])
    >>> gc.global_variables_initializer().run()
    >>> gc.raw_ops.SparseApplyCenteredRMSProp(var, mg, ms, mom, lr=0.1, rho=0.5, momentum=0., epsilon=0., grad=[[1.]],
    ...     indices=[1]).eval()
    array([[1.    ],
           [1.8845]], dtype=float32)
    """
    return _updated("SparseApplyCenteredRMSProp", operands, name, more)


@public("raw_ops.ApplyFtrl")
def ApplyFtrl(*operands: Any, name: str | None = None, **more: Any) -> Tensor:
    """FTRL-Proximal: accum += grad ** 2; linear gathers gradients; var is computed again from both.

    It is 0 where |linear| <= l1: weights that do not matter vanish. var, accum, linear: variables of floating point of
    one dtype and shape; grad: of these; other operands: scalars of the dtype. As `tf.raw_ops.ApplyFtrl`. Raises as
    `ApplyGradientDescent`.

    >>> var, accum, linear = gc.Variable([1., 2.]), gc.Variable([1., 1.]), gc.Variable([0., 0.])
    >>> gc.global_variables_initializer().run()
    >>> gc.raw_ops.ApplyFtrl(var, accum, linear, grad=[1., 1.], lr=0.1, l1=0., l2=0., lr_power=-0.5).eval()
    array([0.2222, 0.5151], dtype=float32)
    """
    return _updated("ApplyFtrl", operands, name, more)


@public("raw_ops.SparseApplyFtrl")
def SparseApplyFtrl(*operands: Any, name: str | None = None, **more: Any) -> Tensor:
    """`ApplyFtrl` of the rows at the indices; grad has a row an index.

    indices: int32 or int64 [n]; grad: [n, ...], of var's dtype; other operands as of `ApplyFtrl`. As
    `tf.raw_ops.SparseApplyFtrl`. Raises as that; a computed index that is no row ends the run with
    InvalidArgumentError.

    >>> var, accum, linear = gc.Variable([[1.], [2.]]), gc.Variable([[1.], [1.]]), gc.Variable([[0.], [0.]])
    >>> gc.global_variables_initializer().run()
    >>> gc.raw_ops.SparseApplyFtrl(var, accum, linear, grad=[[1.]], indices=[1], lr=0.1, l1=0., l2=0.,
    ...     lr_power=-0.5).eval()
    array([[1.    ],
           [0.5151]], dtype=float32)
    """
    return _updated("SparseApplyFtrl", operands, name, more)


@public("raw_ops.ApplyFtrlV2")
def ApplyFtrlV2(*operands: Any, name: str | None = None, **more: Any) -> Tensor:
    """`ApplyFtrl` with l2_shrinkage: 2 * l2_shrinkage * var joins the gradient that linear gathers.

    var, accum, linear: variables of floating point of one dtype and shape; grad: of these; other operands: scalars of
    the dtype. As `tf.raw_ops.ApplyFtrlV2`. Raises as `ApplyGradientDescent`.

    >>> var, accum, linear = gc.Variable([1., 2.]), gc.Variable([1., 1.]), gc.Variable([0., 0.])
    >>> gc.global_variables_initializer().run()
    >>> gc.raw_ops.ApplyFtrlV2(var, accum, linear, grad=[1., 1.], lr=0.1, l1=0., l2=0., l2_shrinkage=0.1,
    ...     lr_power=-0.5).eval()
    array([0.208 , 0.4868], dtype=float32)
    """
    return _updated("ApplyFtrlV2", operands, name, more)


@public("raw_ops.SparseApplyFtrlV2")
def SparseApplyFtrlV2(*operands: Any, name: str | None = None, **more: Any) -> Tensor:
    """`ApplyFtrlV2` of the rows at the indices; grad has a row an index.

    indices: int32 or int64 [n]; grad: [n, ...], of var's dtype; other operands as of `ApplyFtrlV2`. As
    `tf.raw_ops.SparseApplyFtrlV2`. Raises as that; a computed index that is no row ends the run with
    InvalidArgumentError.

    >>> var, accum, linear = gc.Variable([[1.], [2.]]), gc.Variable([[1.], [1.]]), gc.Variable([[0.], [0.]])
    >>> gc.global_variables_initializer().run()
    >>> gc.raw_ops.SparseApplyFtrlV2(var, accum, linear, grad=[[1.]], indices=[1], lr=0.1, l1=0., l2=0.,
    ...     l2_shrinkage=0.1, lr_power=-0.5).eval()
    array([[1.    ],
           [0.4868]], dtype=float32)
    """
    return _updated("SparseApplyFtrlV2", operands, name, more)


@public("raw_ops.ApplyProximalGradientDescent")
def ApplyProximalGradientDescent(*operands: Any, name: str | None = None, **more: Any) -> Tensor:
    """A step of gradient descent, then towards 0 by alpha * l1 and a division by 1 + alpha * l2.

    var, delta: as of `ApplyGradientDescent`; other operands: scalars of var's dtype. As
    `tf.raw_ops.ApplyProximalGradientDescent`. Raises as `ApplyGradientDescent`.

    >>> var = gc.Variable([1., 0.1])
    >>> gc.global_variables_initializer().run()
    >>> gc.raw_ops.ApplyProximalGradientDescent(var, alpha=0.1, l1=1., l2=0., delta=[1., 0.]).eval()
    array([0.8, 0. ], dtype=float32)
    """
    return _updated("ApplyProximalGradientDescent", operands, name, more)


@public("raw_ops.SparseApplyProximalGradientDescent")
def SparseApplyProximalGradientDescent(*operands: Any, name: str | None = None, **more: Any) -> Tensor:
    """`ApplyProximalGradientDescent` of the rows at the indices; grad has a row an index.

    indices: int32 or int64 [n]; grad: [n, ...], of var's dtype; other operands as of `ApplyProximalGradientDescent`. As
    `tf.raw_ops.SparseApplyProximalGradientDescent`. Raises as that; a computed index that is no row ends the run with
    InvalidArgumentError.

    >>> var = gc.Variable([[1.], [2.]])
    >>> gc.global_variables_initializer().run()
    >>> gc.raw_ops.SparseApplyProximalGradientDescent(var, alpha=0.1, l1=1., l2=0., grad=[[1.]], indices=[0]).eval()
    array([[0.8],
           [2. ]], dtype=float32)
    """
    return _updated("SparseApplyProximalGradientDescent", operands, name, more)


@public("raw_ops.ApplyProximalAdagrad")
def ApplyProximalAdagrad(*operands: Any, name: str | None = None, **more: Any) -> Tensor:
    """`ApplyProximalGradientDescent` with Adagrad's rate: accum += grad ** 2, alpha = lr / sqrt(accum).

    var, accum: variables of floating point of one dtype and shape; grad: of these; other operands: scalars of the
    dtype. As `tf.raw_ops.ApplyProximalAdagrad`. Raises as `ApplyGradientDescent`.

    >>> var, accum = gc.Variable([1., 2.]), gc.Variable([3., 3.])
    >>> gc.global_variables_initializer().run()
    >>> gc.raw_ops.ApplyProximalAdagrad(var, accum, lr=0.2, l1=1., l2=0., grad=[1., 1.]).eval()
    array([0.8, 1.8], dtype=float32)
    """
    return _updated("ApplyProximalAdagrad", operands, name, more)


@public("raw_ops.SparseApplyProximalAdagrad")
def SparseApplyProximalAdagrad(*operands: Any, name: str | None = None, **more: Any) -> Tensor:
    """`ApplyProximalAdagrad` of the rows at the indices; grad has a row an index.

    indices: int32 or int64 [n]; grad: [n, ...], of var's dtype; other operands as of `ApplyProximalAdagrad`. As
    `tf.raw_ops.SparseApplyProximalAdagrad`. Raises as that; a computed index that is no row ends the run with
    InvalidArgumentError.

    >>> var, accum = gc.Variable([[1.], [2.]]), gc.Variable([[3.], [3.]])
    >>> gc.global_variables_initializer().run()
    >>> gc.raw_ops.SparseApplyProximalAdagrad(var, accum, lr=0.2, l1=1., l2=0., grad=[[1.]], indices=[0]).eval()
    array([[0.8],
           [2. ]], dtype=float32)
    """
    return _updated("SparseApplyProximalAdagrad", operands, name, more)


@public("raw_ops.ApplyPowerSign")
def ApplyPowerSign(*operands: Any, name: str | None = None, **more: Any) -> Tensor:
    """m is a moving average of grad, by beta; var -= lr * exp(logbase * sign_decay * sign(grad) * sign(m)) * grad.

    var, m: variables of floating point of one dtype and shape; grad: of these; other operands: scalars of the dtype. As
    `tf.raw_ops.ApplyPowerSign`. Raises as `ApplyGradientDescent`.

    >>> var, m = gc.Variable([1., 2.]), gc.Variable([1., -1.])
    >>> gc.global_variables_initializer().run()
    >>> gc.raw_ops.ApplyPowerSign(var, m, lr=0.1, logbase=1., sign_decay=1., beta=0.9, grad=[1., 1.]).eval()
    array([0.7282, 1.9632], dtype=float32)
    """
    return _updated("ApplyPowerSign", operands, name, more)


@public("raw_ops.ApplyAddSign")
def ApplyAddSign(*operands: Any, name: str | None = None, **more: Any) -> Tensor:
    """m is a moving average of grad, by beta; var -= lr * (alpha + sign_decay * sign(grad) * sign(m)) * grad.

    var, m: variables of floating point of one dtype and shape; grad: of these; other operands: scalars of the dtype. As
    `tf.raw_ops.ApplyAddSign`. Raises as `ApplyGradientDescent`.

    >>> var, m = gc.Variable([1., 2.]), gc.Variable([1., -1.])
    >>> gc.global_variables_initializer().run()
    >>> gc.raw_ops.ApplyAddSign(var, m, lr=0.1, alpha=1., sign_decay=1., beta=0.9, grad=[1., 1.]).eval()
    array([0.8, 2. ], dtype=float32)
    """
    return _updated("ApplyAddSign", operands, name, more)
