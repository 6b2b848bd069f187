"""Assertions: what must hold of tensors' values, ranks and dtypes; and predicates of them.

What is known while building is checked there: InvalidArgumentError for values, ValueError for ranks, TypeError for
dtypes. The rest is an Operation that ends the run: put it into `control_dependencies`.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.api.array.identity import no_op
from graphc.api.array.shapes import rank as rank_of
from graphc.api.array.shapes import reshape
from graphc.api.control.script import Assert
from graphc.api.math import comparison
from graphc.api.math.binary import add, multiply, subtract
from graphc.api.math.reduce import reduce_all, reduce_any
from graphc.api.math.unary import abs as absolute
from graphc.api.public import public
from graphc.errors import InvalidArgumentError
from graphc.ir.apply import convert_to_tensor, is_tensor_like
from graphc.ir.dtypes import as_dtype, float32
from graphc.ir.graph import get_default_graph

if TYPE_CHECKING:
    from graphc.ir.graph import Operation, Tensor

Compare = Callable[[Any, Any], Any]


def _value(x: Tensor) -> np.ndarray | None:
    """The value of a constant."""
    found: np.ndarray | None = x.op.definition.value if x.op.type == "Const" else None  # type: ignore[attr-defined]
    return found


def _require(condition: Tensor, known: bool | None, data: Sequence[Any], summarize: int | None) -> Operation:
    """The Assert operation. Raises InvalidArgumentError at once if the condition is known not to hold."""
    if known is not None and not known:
        shown = [_value(d) if is_tensor_like(d) else d for d in data]
        raise InvalidArgumentError("\n".join(str(d) for d in shown if d is not None and str(d)))
    return Assert(condition, list(data), summarize=summarize)


def _pair(x: Any, y: Any) -> tuple[Tensor, Tensor]:
    """Both as tensors; a number beside a tensor takes its dtype."""
    dtype = next((convert_to_tensor(v).dtype for v in (x, y) if is_tensor_like(v)), None)
    return (convert_to_tensor(x, None if is_tensor_like(x) else dtype, "x"),
            convert_to_tensor(y, None if is_tensor_like(y) else dtype, "y"))


def _binary(symbol: str, label: str, compare: Compare, numpy: Compare, x: Any, y: Any, data: Any, summarize: Any,
            message: Any, name: Any) -> Operation:
    with get_default_graph().name_scope(name or label):
        x, y = _pair(x, y)
        if data is None:
            data = [message or "", f"Condition x {symbol} y did not hold element-wise:", f"x ({x.name}) = ", x,
                    f"y ({y.name}) = ", y]
        known = None
        values = _value(x), _value(y)
        if values[0] is not None and values[1] is not None:
            known = bool(np.all(numpy(*values)))
        return _require(reduce_all(compare(x, y)), known, data, summarize)


def _sign(symbol: str, label: str, compare: Compare, numpy: Compare, x: Any, data: Any, summarize: Any, message: Any,
          name: Any) -> Operation:
    with get_default_graph().name_scope(name or label):
        x = convert_to_tensor(x, name="x")
        if data is None:
            data = [message or "", f"Condition x {symbol} 0 did not hold element-wise:", f"x ({x.name}) = ", x]
        zero = convert_to_tensor(0, x.dtype)
        return _binary(symbol, label, compare, numpy, x, zero, data, summarize, message, None)


@public("debugging.assert_equal", "assert_equal")
def assert_equal(x: Any, y: Any, data: Any = None, summarize: int | None = None, message: str | None = None,
                 name: str | None = None) -> Operation:
    """An operation that fails unless x == y everywhere, broadcast.

    It runs as a control dependency, or if it is fetched; what is known to be wrong while building raises at once. data:
    what the message shows (x and y by default), summarize: how many elements of each; message: what it begins with. x,
    y: of one dtype, any; Python values take that of a tensor. As `tf.assert_equal`. Raises InvalidArgumentError;
    TypeError if dtypes differ, ValueError if shapes do not broadcast.

    >>> x = gc.placeholder(gc.int32, [None])
    >>> with gc.control_dependencies([gc.assert_equal(x, 2, message="only twos")]):
    ...     y = 10 * x
    >>> y.eval({x: [2, 2]})
    array([20, 20], dtype=int32)
    >>> y.eval({x: [2, 3]})
    Traceback (most recent call last):
        ...
    graphc.errors.InvalidArgumentError: Assert 'assert_equal/Assert': assertion failed: [only twos] ...
    """
    if x is y and is_tensor_like(x):
        return no_op(name=name)
    return _binary("==", "assert_equal", comparison.equal, np.equal, x, y, data, summarize, message, name)


@public("debugging.assert_none_equal", "assert_none_equal")
def assert_none_equal(x: Any, y: Any, data: Any = None, summarize: int | None = None, message: str | None = None,
                      name: str | None = None) -> Operation:
    """An operation that fails unless x != y everywhere, broadcast; as `assert_equal`. As `tf.assert_none_equal`.

    x, y and errors as of that.

    >>> gc.assert_none_equal([1, 2], [2, 1]).run()
    """
    return _binary("!=", "assert_none_equal", comparison.not_equal, np.not_equal, x, y, data, summarize, message, name)


@public("debugging.assert_less", "assert_less")
def assert_less(x: Any, y: Any, data: Any = None, summarize: int | None = None, message: str | None = None,
                name: str | None = None) -> Operation:
    """An operation that fails unless x < y everywhere, broadcast; as `assert_equal`. As `tf.assert_less`.

    x, y: real numbers of one dtype (TypeError for others). Else raises as `assert_equal`.

    >>> gc.assert_less([1, 2], 3).run()
    >>> gc.assert_less([1, 3], 3)
    Traceback (most recent call last):
        ...
    graphc.errors.InvalidArgumentError: Condition x < y did not hold element-wise: ...
    """
    return _binary("<", "assert_less", comparison.less, np.less, x, y, data, summarize, message, name)


@public("debugging.assert_less_equal", "assert_less_equal")
def assert_less_equal(x: Any, y: Any, data: Any = None, summarize: int | None = None, message: str | None = None,
                      name: str | None = None) -> Operation:
    """An operation that fails unless x <= y everywhere, broadcast; as `assert_equal`. As `tf.assert_less_equal`.

    x, y: real numbers of one dtype (TypeError for others). Else raises as `assert_equal`.

    >>> gc.assert_less_equal([1, 3], 3).run()
    """
    return _binary("<=", "assert_less_equal", comparison.less_equal, np.less_equal, x, y, data, summarize, message,
                   name)


@public("debugging.assert_greater", "assert_greater")
def assert_greater(x: Any, y: Any, data: Any = None, summarize: int | None = None, message: str | None = None,
                   name: str | None = None) -> Operation:
    """An operation that fails unless x > y everywhere, broadcast; as `assert_equal`. As `tf.assert_greater`.

    x, y: real numbers of one dtype (TypeError for others). Else raises as `assert_equal`.

    >>> gc.assert_greater([4, 5], 3).run()
    """
    return _binary(">", "assert_greater", comparison.greater, np.greater, x, y, data, summarize, message, name)


@public("debugging.assert_greater_equal", "assert_greater_equal")
def assert_greater_equal(x: Any, y: Any, data: Any = None, summarize: int | None = None, message: str | None = None,
                         name: str | None = None) -> Operation:
    """An operation that fails unless x >= y everywhere, broadcast; as `assert_equal`. As `tf.assert_greater_equal`.

    x, y: real numbers of one dtype (TypeError for others). Else raises as `assert_equal`.

    >>> gc.assert_greater_equal([3, 5], 3).run()
    """
    return _binary(">=", "assert_greater_equal", comparison.greater_equal, np.greater_equal, x, y, data, summarize,
                   message, name)


@public("debugging.assert_negative", "assert_negative")
def assert_negative(x: Any, data: Any = None, summarize: int | None = None, message: str | None = None,
                    name: str | None = None) -> Operation:
    """An operation that fails unless x < 0 everywhere; as `assert_equal`. As `tf.assert_negative`.

    x: real numbers of any shape (TypeError for others). Raises InvalidArgumentError as `assert_equal`.

    >>> gc.assert_negative([-1., -0.5]).run()
    """
    return _sign("<", "assert_negative", comparison.less, np.less, x, data, summarize, message, name)


@public("debugging.assert_positive", "assert_positive")
def assert_positive(x: Any, data: Any = None, summarize: int | None = None, message: str | None = None,
                    name: str | None = None) -> Operation:
    """An operation that fails unless x > 0 everywhere; as `assert_equal`. As `tf.assert_positive`.

    x: real numbers of any shape (TypeError for others). Raises InvalidArgumentError as `assert_equal`.

    >>> x = gc.placeholder(gc.float32, [None])
    >>> check = gc.assert_positive(x)
    >>> check.run({x: [1., 2.]})
    """
    return _sign(">", "assert_positive", comparison.greater, np.greater, x, data, summarize, message, name)


@public("debugging.assert_non_negative", "assert_non_negative")
def assert_non_negative(x: Any, data: Any = None, summarize: int | None = None, message: str | None = None,
                        name: str | None = None) -> Operation:
    """An operation that fails unless x >= 0 everywhere; as `assert_equal`. As `tf.assert_non_negative`.

    x: real numbers of any shape (TypeError for others). Raises InvalidArgumentError as `assert_equal`.

    >>> gc.assert_non_negative([0., 1.]).run()
    """
    return _sign(">=", "assert_non_negative", comparison.greater_equal, np.greater_equal, x, data, summarize, message,
                 name)


@public("debugging.assert_non_positive", "assert_non_positive")
def assert_non_positive(x: Any, data: Any = None, summarize: int | None = None, message: str | None = None,
                        name: str | None = None) -> Operation:
    """An operation that fails unless x <= 0 everywhere; as `assert_equal`. As `tf.assert_non_positive`.

    x: real numbers of any shape (TypeError for others). Raises InvalidArgumentError as `assert_equal`.

    >>> gc.assert_non_positive([0., -1.]).run()
    """
    return _sign("<=", "assert_non_positive", comparison.less_equal, np.less_equal, x, data, summarize, message, name)


@public("debugging.assert_near", "assert_near")
def assert_near(x: Any, y: Any, rtol: Any = None, atol: Any = None, data: Any = None, summarize: int | None = None,
                message: str | None = None, name: str | None = None) -> Operation:
    """An operation that fails unless |x - y| <= atol + rtol * |y| everywhere; as `assert_equal`.

    rtol, atol: 10 times the dtype's epsilon by default. x, y: real numbers of one dtype. As `tf.assert_near`. Raises
    TypeError for other dtypes, ValueError if shapes do not broadcast, InvalidArgumentError when run: constants are not
    compared before.

    >>> gc.assert_near([1., 2.], [1.001, 2.], atol=0.01).run()
    """
    with get_default_graph().name_scope(name or "assert_near"):
        x, y = _pair(x, y)
        tenfold = 10 * float(np.finfo(x.dtype.numpy).eps) if x.dtype.is_floating else 0
        relative, absolutely = (convert_to_tensor(tenfold if t is None else t, x.dtype) for t in (rtol, atol))
        if data is None:
            data = [message or "", f"x and y not equal to tolerance rtol = {tenfold if rtol is None else rtol}, atol = "
                    f"{tenfold if atol is None else atol}", f"x ({x.name}) = ", x, f"y ({y.name}) = ", y]
        tolerance = add(absolutely, multiply(relative, absolute(y)))
        return Assert(reduce_all(comparison.less_equal(absolute(subtract(x, y)), tolerance)), data, summarize=summarize)


def _ranks(x: Tensor, label: str, message: str | None, wanted: Any, holds: Callable[[int, Any], bool],
           compare: Callable[[Tensor], Tensor], words: str, data: Any, summarize: Any) -> Operation:
    """wanted: an int, or a list of them, or tensors that are not constants (None)."""
    prefix = f"{message} " if message else ""
    known = x.spec.rank
    if known is not None and wanted is not None:
        if not holds(known, wanted):
            raise ValueError(f"{prefix}Tensor {x.name} must have {words} {wanted}.  Received rank {known}, shape "
                             f"{x.shape}")
        return no_op(name="static_checks_determined_all_ok")
    if data is None:
        data = [message or "", f"Tensor {x.name} must have {words}", "Received rank: ", rank_of(x)]
    return Assert(compare(rank_of(x)), data, summarize=summarize)


def _known_rank(rank: Any) -> Any:
    """The rank as an int; None for a tensor that is no constant. Raises as TF for anything but an integer scalar."""
    tensor = convert_to_tensor(rank, name="rank")
    if not tensor.dtype.is_integer:
        raise TypeError(f"Rank must be an integer, but is {rank!r}")
    if tensor.spec.rank not in (0, None):
        raise ValueError(f"Rank must be a scalar, but is {rank!r}")
    value = _value(tensor)
    return None if value is None else int(value)


@public("debugging.assert_rank", "assert_rank")
def assert_rank(x: Any, rank: Any, data: Any = None, summarize: int | None = None, message: str | None = None,
                name: str | None = None) -> Operation:
    """An operation that fails unless x has this rank.

    Raises ValueError at once if the rank is known and another one, which is the usual case. rank: an integer scalar. As
    `tf.assert_rank`. Raises InvalidArgumentError when run if only then it is known, TypeError if `rank` is no integer.

    >>> gc.assert_rank([[1., 2.]], 2).run()
    >>> gc.assert_rank([1., 2.], 2)
    Traceback (most recent call last):
        ...
    ValueError: Tensor assert_rank_1/x:0 must have rank 2.  Received rank 1, shape (2,) ...
    """
    with get_default_graph().name_scope(name or "assert_rank"):
        return _ranks(convert_to_tensor(x, name="x"), "assert_rank", message, _known_rank(rank), lambda a, b: a == b,
                      lambda found: comparison.equal(found, rank), "rank", data, summarize)


@public("debugging.assert_rank_at_least", "assert_rank_at_least")
def assert_rank_at_least(x: Any, rank: Any, data: Any = None, summarize: int | None = None,
                         message: str | None = None, name: str | None = None) -> Operation:
    """An operation that fails unless x has at least this rank; as `assert_rank`. As `tf.assert_rank_at_least`.

    Arguments and errors as of that.

    >>> gc.assert_rank_at_least(gc.zeros([2, 3, 4]), 2).run()
    """
    with get_default_graph().name_scope(name or "assert_rank_at_least"):
        return _ranks(convert_to_tensor(x, name="x"), "assert_rank_at_least", message, _known_rank(rank),
                      lambda a, b: a >= b, lambda found: comparison.greater_equal(found, rank), "rank at least", data,
                      summarize)


@public("debugging.assert_rank_in", "assert_rank_in")
def assert_rank_in(x: Any, ranks: Sequence[Any], data: Any = None, summarize: int | None = None,
                   message: str | None = None, name: str | None = None) -> Operation:
    """An operation that fails unless the rank of x is one of `ranks`; as `assert_rank`. As `tf.assert_rank_in`.

    ranks: a list of integer scalars. Raises as `assert_rank`.

    >>> gc.assert_rank_in(gc.zeros([2, 3]), (2, 4)).run()
    """
    with get_default_graph().name_scope(name or "assert_rank_in"):
        known = [_known_rank(rank) for rank in ranks]
        return _ranks(convert_to_tensor(x, name="x"), "assert_rank_in", message, None if None in known else known,
                      lambda a, b: a in b, lambda found: reduce_any([comparison.equal(found, rank) for rank in ranks]),
                      "rank in", data, summarize)


@public("debugging.assert_type", "assert_type")
def assert_type(tensor: Any, tf_type: Any, message: str | None = None, name: str | None = None) -> Operation:
    """Raises TypeError, while building, unless tensor has the dtype tf_type; gives an operation that does nothing.

    As `tf.assert_type`.

    >>> gc.assert_type(gc.constant(1), gc.int32).type
    'NoOp'
    >>> gc.assert_type(gc.constant(1), gc.float32)
    Traceback (most recent call last):
        ...
    TypeError: Const_1 must be of type <dtype: 'float32'>, but is <dtype: 'int32'> ...
    """
    with get_default_graph().name_scope(name or "assert_type"):
        tensor = convert_to_tensor(tensor, name="tensor")
        if tensor.dtype != as_dtype(tf_type):
            raise TypeError(f"{message or ''}{tensor.op.name} must be of type {as_dtype(tf_type)}, but is "
                            f"{tensor.dtype}")
        return no_op(name="statically_determined_correct_type")


@public("debugging.assert_integer", "assert_integer")
def assert_integer(x: Any, message: str | None = None, name: str | None = None) -> Operation:
    """Raises TypeError, while building, unless x is of integers; gives an operation that does nothing.

    As `tf.assert_integer`.

    >>> gc.assert_integer(gc.constant(1)).type
    'NoOp'
    """
    with get_default_graph().name_scope(name or "assert_integer"):
        x = convert_to_tensor(x, name="x")
        if not x.dtype.is_integer:
            raise TypeError(f"{message or ''}Expected \"x\" to be integer type.  Found: {x.dtype}")
        return no_op(name="statically_determined_was_integer")


@public("debugging.assert_scalar", "assert_scalar")
def assert_scalar(tensor: Any, name: str | None = None, message: str | None = None) -> Tensor:
    """tensor, if it is a scalar; raises ValueError while building if it is known to be none. As `tf.assert_scalar`.

    A tensor of unknown rank is refused, too; any dtype will do.

    >>> gc.assert_scalar(3.).eval()
    np.float32(3.0)
    """
    with get_default_graph().name_scope(name or "assert_scalar"):
        tensor = convert_to_tensor(tensor, name="tensor")
        if tensor.spec.rank != 0:
            raise ValueError(f"{message or ''}Expected scalar shape for {tensor.name}, saw shape: {tensor.shape}.")
        return tensor


@public("debugging.assert_proper_iterable", "assert_proper_iterable")
def assert_proper_iterable(values: Any) -> None:
    """Raises TypeError unless values is a list, tuple or the like: no tensor, array or string.

    As `tf.assert_proper_iterable`.

    >>> gc.assert_proper_iterable([1, 2])
    >>> gc.assert_proper_iterable("ab")
    Traceback (most recent call last):
        ...
    TypeError: Expected argument "values" to be a "proper" iterable.  Found: <class 'str'> ...
    """
    if is_tensor_like(values) or isinstance(values, (np.ndarray, str, bytes)):
        raise TypeError(f"Expected argument \"values\" to be a \"proper\" iterable.  Found: {type(values)}")
    if not hasattr(values, "__iter__"):
        raise TypeError(f"Expected argument \"values\" to be iterable.  Found: {type(values)}")


@public("debugging.assert_same_float_dtype", "assert_same_float_dtype")
def assert_same_float_dtype(tensors: Sequence[Any] | None = None, dtype: Any = None) -> Any:
    """The one floating point dtype of all tensors, float32 without any.

    dtype: which it must be. As `tf.assert_same_float_dtype`. Raises ValueError if dtypes differ or are no floats.

    >>> gc.assert_same_float_dtype([gc.constant(1., gc.float64), None]), gc.assert_same_float_dtype()
    (gc.float64, gc.float32)
    """
    found = None if dtype is None else as_dtype(dtype)
    for tensor in tensors or ():
        if tensor is None:
            continue
        own = convert_to_tensor(tensor).dtype
        if found is not None and own != found:
            raise ValueError(f"Tensor conversion requested dtype {found.name}, but {tensor!r} has {own.name}")
        found = own
    found = found or float32
    if not found.is_floating:
        raise ValueError(f"Expected floating point type, got {found}.")
    return found


@public("debugging.is_numeric_tensor", "is_numeric_tensor")
def is_numeric_tensor(tensor: Any) -> bool:
    """Whether this is a tensor of numbers: neither bools nor strings. As `tf.is_numeric_tensor`.

    Variables and SparseTensors count; what is no tensor yet does not.

    >>> gc.is_numeric_tensor(gc.constant(1)), gc.is_numeric_tensor(gc.constant("a")), gc.is_numeric_tensor([1])
    (True, False, False)
    """
    return is_tensor_like(tensor) and (tensor.dtype.is_floating or tensor.dtype.is_integer or tensor.dtype.is_complex)


@public("math.is_non_decreasing", "debugging.is_non_decreasing", "is_non_decreasing")
def is_non_decreasing(x: Any, name: str | None = None) -> Tensor:
    """Whether no element of x, row-major, is less than the one before; a bool scalar. As `tf.is_non_decreasing`.

    x: real numbers of any shape (TypeError for others).

    >>> gc.is_non_decreasing([1, 2, 2]).eval(), gc.is_non_decreasing([1, 2, 1]).eval()
    (np.True_, np.False_)
    """
    with get_default_graph().name_scope(name or "is_non_decreasing"):
        flat = reshape(convert_to_tensor(x, name="x"), [-1])
        return reduce_all(comparison.less_equal(flat[:-1], flat[1:]))


@public("math.is_strictly_increasing", "debugging.is_strictly_increasing", "is_strictly_increasing")
def is_strictly_increasing(x: Any, name: str | None = None) -> Tensor:
    """Whether every element of x, row-major, is greater than the one before; a bool scalar. As
    `tf.is_strictly_increasing`.

    x: real numbers of any shape (TypeError for others).

    >>> gc.is_strictly_increasing([1, 2, 3]).eval(), gc.is_strictly_increasing([1, 2, 2]).eval()
    (np.True_, np.False_)
    """
    with get_default_graph().name_scope(name or "is_strictly_increasing"):
        flat = reshape(convert_to_tensor(x, name="x"), [-1])
        return reduce_all(comparison.less(flat[:-1], flat[1:]))
