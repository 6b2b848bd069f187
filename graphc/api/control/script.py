"""py_func, Print and Assert."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import as_dtype
from graphc.ops.control import script

if TYPE_CHECKING:
    from graphc.ir.graph import Operation, Tensor


@public("py_func")
def py_func(func: Callable[..., Any], inp: Sequence[Any], Tout: Any, stateful: bool = True,
            name: str | None = None) -> Any:
    """Calls `func` with NumPy arrays when the graph runs.

    inp: tensors, one an argument. Tout: the dtype of the result, or a list of them; `func` returns an array for each,
    of that dtype (InvalidArgumentError) and always of the same rank. An exception of it is the cause of the
    UnknownError that the run raises, or the error of TensorFlow's class for it. No gradient passes through; set_shape
    says what is known of the result. stateful changes nothing: no call is merged with another. It stays in the process:
    a saved graph cannot run it elsewhere. As `tf.py_func`. Raises ValueError if func cannot be called, TypeError for a
    Tout that is no dtype.

    >>> def longest(words):
    ...     return max(words, key=len)
    >>> word = gc.py_func(longest, [gc.constant(["a", "abc", "ab"])], gc.string)
    >>> word.eval()
    b'abc'
    """
    if not callable(func):
        raise ValueError(f"py_func: argument 'func' must be callable, but is {func!r}")
    inputs = [convert_to_tensor(x) for x in inp]
    many = isinstance(Tout, (list, tuple))
    dtypes = tuple(as_dtype(t) for t in (Tout if many else [Tout]))
    call = script.Call(func, dtypes)
    call.name = script.add_host("py_func", call)
    outputs = apply(script.PyFunc, inputs, name=name, token=call.name, Tin=tuple(t.dtype for t in inputs), Tout=dtypes)
    call.operation = outputs[0].op if isinstance(outputs, tuple) else outputs
    if not dtypes:
        return call.operation
    return list(outputs) if many else outputs[0]


@public("numpy_function")
def numpy_function(func: Callable[..., Any], inp: Sequence[Any], Tout: Any, name: str | None = None) -> Any:
    """As `py_func`. As `tf.numpy_function`.

    Arguments and errors as of that.

    >>> gc.numpy_function(np.cumsum, [gc.constant([1, 2, 3], gc.int64)], gc.int64).eval()
    array([1, 3, 6])
    """
    return py_func(func, inp, Tout, stateful=True, name=name)


@public("Print")
def Print(input_: Any, data: Sequence[Any], message: str | None = None, first_n: int | None = None,
          summarize: int | None = None, name: str | None = None) -> Tensor:
    """input_; prints `data` to standard error whenever it is computed. Use the result, or nothing prints.

    message: printed first; first_n: at most so often; summarize: elements of each tensor, 3 by default. input_, data:
    tensors of any dtypes and shapes; data is a list (TypeError). As `tf.Print`.

    >>> x = gc.constant([1., 2.])
    >>> y = 2. * gc.Print(x, [x, gc.shape(x)], message="x and its shape: ")
    >>> y.eval()
    array([2., 4.], dtype=float32)
    """
    tensors = [convert_to_tensor(d) for d in data]
    return apply(script.Print, input_, tensors, name=name, U=tuple(t.dtype for t in tensors), message=message or "",
                 first_n=-1 if first_n is None else first_n, summarize=3 if summarize is None else summarize)


@public("Assert", "debugging.Assert")
def Assert(condition: Any, data: Sequence[Any], summarize: int | None = None,
           name: str | None = None) -> Operation:
    """An operation that fails with InvalidArgumentError unless all of `condition` hold; the message shows `data`.

    summarize: elements of each tensor in it. It runs if it is fetched, or as a control dependency. condition: bools of
    any shape (TypeError for others); data: a list of tensors. As `tf.Assert`.

    >>> x = gc.placeholder(gc.float32, [])
    >>> with gc.control_dependencies([gc.Assert(x > 0., ["x is", x])]):
    ...     y = gc.log(x)
    >>> y.eval({x: 1.})
    np.float32(0.0)
    >>> y.eval({x: -1.})
    Traceback (most recent call last):
        ...
    graphc.errors.InvalidArgumentError: Assert 'Assert': assertion failed: [x is] [-1] ...
    """
    tensors = [convert_to_tensor(d) for d in data]
    return apply(script.Assert, convert_to_tensor(condition), tensors, name=name, T=tuple(t.dtype for t in tensors),
                 summarize=3 if summarize is None else summarize)
