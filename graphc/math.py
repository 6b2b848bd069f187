"""gc.math: elementwise functions, reductions and products, as `tf.math` and the top level of `tf`."""
from __future__ import annotations

from graphc.ops.activations import log_sigmoid, sigmoid, softplus, softsign, tanh
from graphc.ops.binary import (
    accumulate_n,
    add,
    add_n,
    clip_by_value,
    maximum,
    minimum,
    mul,
    multiply,
    pow,
    squared_difference,
    sub,
    subtract,
)
from graphc.ops.comparison import (
    equal,
    greater,
    greater_equal,
    is_finite,
    is_inf,
    is_nan,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    not_equal,
)
from graphc.ops.division import (
    div,
    div_no_nan,
    divide,
    floor_div,
    floordiv,
    floormod,
    mod,
    realdiv,
    truediv,
    truncatediv,
)
from graphc.ops.losses import l2_normalize
from graphc.ops.matmul import batch_matmul, matmul
from graphc.ops.reduce import (
    arg_max,
    arg_min,
    argmax,
    argmin,
    reduce_all,
    reduce_any,
    reduce_logsumexp,
    reduce_max,
    reduce_mean,
    reduce_min,
    reduce_prod,
    reduce_std,
    reduce_sum,
    reduce_variance,
)
from graphc.ops.scan import cumprod, cumsum
from graphc.ops.softmax import log_softmax, softmax
from graphc.ops.trigonometry import acos, asin, atan, atan2, cos, cosh, erf, sin, sinh, tan
from graphc.ops.unary import (
    abs,
    ceil,
    exp,
    expm1,
    floor,
    inv,
    log,
    log1p,
    neg,
    negative,
    reciprocal,
    rint,
    round,
    rsqrt,
    sign,
    sqrt,
    square,
)

__all__ = [
    "abs", "accumulate_n", "acos", "add", "add_n", "arg_max", "arg_min", "argmax", "argmin", "asin", "atan", "atan2",
    "batch_matmul", "ceil", "clip_by_value", "cos", "cosh", "cumprod", "cumsum", "div", "div_no_nan", "divide", "equal", "erf",
    "exp", "expm1", "floor", "floor_div", "floordiv", "floormod", "greater", "greater_equal", "inv", "is_finite", "is_inf",
    "is_nan", "l2_normalize", "less", "less_equal", "log", "log1p", "log_sigmoid", "log_softmax", "logical_and", "logical_not",
    "logical_or", "logical_xor", "matmul", "maximum", "minimum", "mod", "mul", "multiply", "neg", "negative", "not_equal", "pow",
    "realdiv", "reciprocal", "reduce_all", "reduce_any", "reduce_logsumexp", "reduce_max", "reduce_mean", "reduce_min",
    "reduce_prod", "reduce_std", "reduce_sum", "reduce_variance", "rint", "round", "rsqrt", "sigmoid", "sign", "sin", "sinh",
    "softmax", "softplus", "softsign", "sqrt", "square", "squared_difference", "sub", "subtract", "tan", "tanh", "truediv",
    "truncatediv",
]
