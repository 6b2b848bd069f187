"""Elementwise arithmetic of two arguments, and sums of many."""
from __future__ import annotations

from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import as_dtype, string
from graphc.ir.late_imports import load
from graphc.ir.tensor_shape import as_shape
from graphc.ops.math.binary import Add, AddN, AddV2, Maximum, Minimum, Mul, Pow, SquaredDifference, Sub


@public("add", "math.add")
def add(x, y, name=None):
    """x + y, broadcast; of strings one after the other.

    x, y: numbers of one dtype, or strings; a Python value takes the dtype of the tensor beside it. Shapes broadcast as
    in NumPy, also along sizes that only a run knows. Raises TypeError for two tensors of different dtypes, ValueError
    for shapes that are known not to fit. The operator + of tensors is this function. As `tf.add`.

    >>> gc.add([[1., 2.], [3., 4.]], [10., 20.]).eval()
    array([[11., 22.],
           [13., 24.]], dtype=float32)
    >>> gc.add(["a", "b"], "!").eval()
    array([b'a!', b'b!'], dtype=object)
    """
    return _joined(x, y, name) if _is_string(x) or _is_string(y) else apply(Add, x, y, name=name)


def add_v2(x, y, name=None):
    """x + y, broadcast; the op behind the operator +."""
    return _joined(x, y, name) if _is_string(x) or _is_string(y) else apply(AddV2, x, y, name=name)


def _is_string(x):
    while isinstance(x, (list, tuple)) and x:
        x = x[0]
    return isinstance(x, (str, bytes)) or getattr(x, "dtype", None) is string


def _joined(x, y, name):
    functions = load("graphc.api.strings.letters")       # not loaded for numbers
    return functions.joined_broadcast(x, y, name)


@public("subtract", "math.subtract", "sub", "math.sub")
def subtract(x, y, name=None):
    """x - y, broadcast. `gc.sub` is the older name; the operator - is this function.

    x, y: numbers of one dtype; unsigned integers wrap. Raises TypeError for different dtypes, strings and bools,
    ValueError for shapes that are known not to broadcast. As `tf.subtract`.

    >>> gc.subtract([[1., 2.], [3., 4.]], [[1.], [2.]]).eval()
    array([[0., 1.],
           [1., 2.]], dtype=float32)
    """
    return apply(Sub, x, y, name=name)


@public("multiply", "math.multiply", "mul", "math.mul")
def multiply(x, y, name=None):
    """x * y, elementwise and broadcast. `gc.mul` is the older name; the operator * is this function.

    x, y: numbers of one dtype; integers wrap. For products of matrices see `gc.matmul`. Raises TypeError for different
    dtypes, strings and bools, ValueError for shapes that are known not to broadcast. As `tf.multiply`.

    >>> x = gc.placeholder(gc.float32, [None, 2])           # any batch size
    >>> gc.multiply(x, [1., 10.]).eval({x: [[1., 2.], [3., 4.], [5., 6.]]})
    array([[ 1., 20.],
           [ 3., 40.],
           [ 5., 60.]], dtype=float32)
    """
    return apply(Mul, x, y, name=name)


@public("pow", "math.pow")
def pow(x, y, name=None):
    """x ** y, broadcast; the operator ** is this function.

    x, y: numbers of one dtype. A negative base with a broken exponent is NaN; integers wrap, and a negative exponent of
    integers ends the run with InvalidArgumentError. Raises TypeError for different dtypes, strings and bools,
    ValueError for shapes that are known not to broadcast. As `tf.pow`.

    >>> gc.pow([2., 3., -2.], [3., 0.5, 2.]).eval()
    array([8.    , 1.7321, 4.    ], dtype=float32)
    >>> gc.pow(gc.constant([2, 3]), 10).eval()
    array([ 1024, 59049], dtype=int32)
    """
    return apply(Pow, x, y, name=name)


@public("maximum", "math.maximum")
def maximum(x, y, name=None):
    """The larger of x and y, elementwise and broadcast.

    x, y: real numbers of one dtype; NaN in either gives NaN. In a tie the gradient goes to x alone. Raises TypeError
    for other or different dtypes, ValueError for shapes that are known not to broadcast. As `tf.maximum`.

    >>> x = gc.constant([-1., 0., 2.])
    >>> gc.maximum(x, 0.).eval()
    array([0., 0., 2.], dtype=float32)
    >>> gc.gradients(gc.maximum(x, 0.), x)[0].eval()
    array([0., 1., 1.], dtype=float32)
    """
    return apply(Maximum, x, y, name=name)


@public("minimum", "math.minimum")
def minimum(x, y, name=None):
    """The smaller of x and y, elementwise and broadcast.

    x, y: real numbers of one dtype; NaN in either gives NaN. In a tie the gradient goes to x alone. Raises TypeError
    for other or different dtypes, ValueError for shapes that are known not to broadcast. As `tf.minimum`.

    >>> gc.minimum([[1., 5.], [7., 2.]], [4., 3.]).eval()
    array([[1., 3.],
           [4., 2.]], dtype=float32)
    """
    return apply(Minimum, x, y, name=name)


@public("squared_difference", "math.squared_difference")
def squared_difference(x, y, name=None):
    """(x - y) ** 2, broadcast; of complex numbers |x - y| ** 2 (in their dtype).

    x, y: numbers of one dtype. Raises TypeError for different dtypes, strings and bools, ValueError for shapes that are
    known not to broadcast. As `tf.squared_difference`.

    >>> labels, predictions = gc.constant([1., 2., 3., 4.]), gc.constant([1.5, 2., 1., 4.])
    >>> gc.reduce_mean(gc.squared_difference(labels, predictions)).eval()
    np.float32(1.0625)
    """
    return apply(SquaredDifference, x, y, name=name)


@public("add_n", "math.add_n")
def add_n(inputs, name=None):
    """The sum of a list of tensors, all of one shape and dtype: no broadcasting.

    inputs: a list or tuple of number tensors; of one tensor without a name the result is that tensor itself.
    IndexedSlices count as dense. Raises ValueError if it is empty, no list, or the shapes are known to differ,
    TypeError for different dtypes, strings and bools. As `tf.add_n`.

    >>> losses = [gc.constant(1.5), gc.constant(2.), gc.constant(0.25)]
    >>> gc.add_n(losses).eval()
    np.float32(3.75)
    """
    if not isinstance(inputs, (list, tuple)) or not inputs:
        raise ValueError("add_n: inputs must be a list of at least one tensor with the same dtype and shape")
    if len(inputs) == 1 and name is None:
        return convert_to_tensor(inputs[0])
    return apply(AddN, list(inputs), name=name)


@public("accumulate_n", "math.accumulate_n")
def accumulate_n(inputs, shape=None, tensor_dtype=None, name=None):
    """The sum of a list of tensors of one shape and dtype: `gc.add_n` that also checks.

    shape, tensor_dtype: what the inputs must have (ValueError, TypeError if they do not), and what is then known of the
    result. Errors else as of `gc.add_n`. As `tf.accumulate_n`.

    >>> gc.accumulate_n([[1., 2.], [3., 4.], [5., 6.]], shape=[2]).eval()
    array([ 9., 12.], dtype=float32)
    """
    total = add_n(inputs, name=name or "AccumulateNV2")
    if tensor_dtype is not None and total.dtype != as_dtype(tensor_dtype):
        raise TypeError(f"accumulate_n: argument 'tensor_dtype' is {as_dtype(tensor_dtype).name}, but the inputs are "
                        f"of {total.dtype.name}")
    known = as_shape(shape)
    for x in total.op.inputs:
        known = known.merge_with(x.shape)
    total.set_shape(known)
    return total
