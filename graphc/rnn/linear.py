"""The linear map of cells that make their variables while they are called."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public


@public("compat.v1.contrib.rnn._linear", "compat.v1.contrib.rnn.linear", "compat.v1.nn.rnn_cell._linear",
        "compat.v1.nn.rnn_cell.linear")
def linear(args: Any, output_size: int, bias: bool, bias_initializer: Any = None,
           kernel_initializer: Any = None) -> Any:
    """args [batch, n], or several side by side, times the variable "kernel", plus "bias" if wanted; in the current
    variable scope. Raises ValueError unless args are matrices with a known number of columns.

    As TensorFlow's `_linear`.

    >>> y = gc.compat.v1.contrib.rnn._linear([gc.ones([1, 3]), gc.ones([1, 1])], 2, bias=True,
    ...                                      kernel_initializer=gc.ones_initializer())
    >>> gc.global_variables_initializer().run()
    >>> y.eval()
    array([[4., 4.]], dtype=float32)
    """
    args = list(args) if isinstance(args, (list, tuple)) else [args]
    if not args or args[0] is None:
        raise ValueError("linear: argument 'args' must be specified")
    for tensor in args:
        if tensor.shape.ndims != 2 or tensor.shape[1].value is None:
            raise ValueError("linear is expecting 2D arguments with a known number of columns, but saw "
                             f"{[str(a.shape) for a in args]}")
    rows = sum(tensor.shape[1].value for tensor in args)
    dtype = args[0].dtype
    kernel = gc.get_variable("kernel", [rows, output_size], dtype, initializer=kernel_initializer)
    result = gc.matmul(args[0] if len(args) == 1 else gc.concat(args, 1), kernel)
    if not bias:
        return result
    initializer = gc.zeros_initializer() if bias_initializer is None else bias_initializer
    return gc.nn.bias_add(result, gc.get_variable("bias", [output_size], dtype, initializer=initializer))


@public("compat.v1.contrib.rnn._Linear", "compat.v1.nn.rnn_cell._Linear")
class Linear:
    """A linear map whose variables are made once, of the current variable scope.

    args: a tensor [batch, n] or a list of them, whose sizes count; it is called with such. As TensorFlow's `_Linear`.
    Raises ValueError unless args are matrices with a known number of columns.

    >>> x, h = gc.ones([2, 3]), gc.ones([2, 1])
    >>> linear = gc.compat.v1.contrib.rnn._Linear([x, h], 2, build_bias=True, kernel_initializer=gc.ones_initializer())
    >>> first, second = linear([x, h]), linear([x, h])
    >>> gc.global_variables_initializer().run()
    >>> second.eval(), gc.trainable_variables()
    (array([[4., 4.],
           [4., 4.]], dtype=float32), [<gc.Variable 'kernel:0' shape=(4, 2) dtype=float32_ref>, <gc.Variable
    'bias:0' shape=(2,) dtype=float32_ref>])
    """

    def __init__(self, args: Any, output_size: int, build_bias: bool, bias_initializer: Any = None,
                 kernel_initializer: Any = None) -> None:
        self._scope = gc.get_variable_scope()
        self._settings = (output_size, build_bias, bias_initializer, kernel_initializer)
        linear(args, *self._settings)

    def __call__(self, args: Any) -> Any:
        with gc.variable_scope(self._scope, reuse=True, auxiliary_name_scope=False):
            return linear(args, *self._settings)
