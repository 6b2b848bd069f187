"""Defun: functions as TensorFlow 1 defined them, with a gradient of their own if they have one.

A call builds the body where it stands, so that the compiler sees through it; only the gradient makes a difference,
and is `custom_gradient`'s.
"""
from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import graphc as gc
from graphc.api.public import public


@dataclass(frozen=True)
class FunctionCall:
    """A call of a function, as a python_grad_func sees it."""

    inputs: Sequence[Any]
    outputs: Sequence[Any]


@public("compat.v1.python.framework.function.Defun")
class Defun:
    """Decorator of a function of tensors that computes tensors: built anew at each call.

    input_types: the dtypes of its arguments, which are converted to them; without any they are taken as they come.
    grad_func: a function of the inputs and the outputs' gradients that gives the inputs' gradients. python_grad_func:
    one of the call, which has `inputs` and `outputs`, and those gradients. Other options (func_name, noinline,
    shape_func, out_names, ...) change nothing. A call raises TypeError for another number of arguments than
    input_types. As `tensorflow.python.framework.function.Defun` of TensorFlow 1.15.

    >>> Defun = gc.compat.v1.python.framework.function.Defun
    >>> @Defun(gc.float32, python_grad_func=lambda op, dy: 10. * dy)
    ... def double(x):
    ...     return 2. * x
    >>> x = gc.constant(3.)
    >>> y = double(x)
    >>> y.eval(), gc.gradients(y, x)[0].eval()
    (np.float32(6.0), np.float32(10.0))
    """

    def __init__(self, *input_types: Any, grad_func: Callable[..., Any] | None = None,
                 python_grad_func: Callable[..., Any] | None = None, **options: Any) -> None:
        if grad_func is not None and python_grad_func is not None:
            raise ValueError("Gradient defined twice: give grad_func or python_grad_func")
        self._types = [gc.as_dtype(t) for t in input_types]
        self._grad_func, self._python_grad_func = grad_func, python_grad_func

    def __call__(self, func: Callable[..., Any]) -> Callable[..., Any]:
        if not callable(func):
            raise ValueError(f"func {func!r} must be callable")

        @functools.wraps(func)
        def call(*args: Any, **kwargs: Any) -> Any:
            kwargs.pop("name", None)
            return self._call(func, self._converted(func, args), kwargs)

        return call

    def _converted(self, func: Callable[..., Any], args: Sequence[Any]) -> list[Any]:
        if self._types and len(args) != len(self._types):
            name = getattr(func, "__name__", "function")
            raise TypeError(f"{name}: the function was declared with {len(self._types)} argument types, but is called "
                            f"with {len(args)} arguments")
        return [gc.convert_to_tensor(x, t) for x, t in zip(args, self._types or [None] * len(args), strict=True)]

    def _call(self, func: Callable[..., Any], inputs: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        if self._grad_func is None and self._python_grad_func is None:
            return func(*inputs, **kwargs)

        def with_gradient(*tensors: Any) -> Any:
            results = func(*tensors, **kwargs)
            return results, functools.partial(self._gradient, tensors, results)

        return gc.custom_gradient(with_gradient)(*inputs)

    def _gradient(self, tensors: Sequence[Any], results: Any, *dys: Any) -> Any:
        if self._grad_func is not None:
            return self._grad_func(*tensors, *dys)
        outputs = list(results) if isinstance(results, (list, tuple)) else [results]
        return self._python_grad_func(FunctionCall(tensors, outputs), *dys)  # type: ignore[misc]


@public("compat.v1.python.util.function_utils.fn_args", "compat.v1.python.estimator.util.fn_args")
def fn_args(fn: Any) -> tuple[str, ...]:
    """The names of the arguments of a function, a method (without self), a functools.partial (those that it leaves
    open) or an object that can be called.

    As `tensorflow.python.util.function_utils.fn_args`.

    >>> import functools
    >>> fn_args = gc.compat.v1.python.util.function_utils.fn_args
    >>> fn_args(lambda features, labels, mode: None), fn_args(functools.partial(lambda a, b, c: None, 1, c=2))
    (('features', 'labels', 'mode'), ('b',))
    """
    if isinstance(fn, functools.partial):
        left = fn_args(fn.func)[len(fn.args):]
        return tuple(name for name in left if name not in fn.keywords)
    if not inspect.isroutine(fn) and not inspect.isclass(fn) and callable(fn):
        fn = fn.__call__
    named = inspect.getfullargspec(inspect.unwrap(fn)).args
    return tuple(named[1:] if inspect.ismethod(fn) else named)
