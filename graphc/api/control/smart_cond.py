"""Branches that are chosen while the graph is built, if the condition is known by then."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphc.api.control.case import case
from graphc.api.control.cond import cond
from graphc.api.graph.inspect import get_static_value
from graphc.api.public import public
from graphc.api.state.variables import Variable
from graphc.ir.apply import convert_to_tensor, is_tensor_like


@public("contrib.framework.smart_cond", "compat.v1.python.layers.utils.smart_cond",
        "compat.v1.python.framework.smart_cond.smart_cond")
def smart_cond(pred: Any, true_fn: Callable[[], Any] | None = None, false_fn: Callable[[], Any] | None = None,
               name: str | None = None) -> Any:
    """true_fn() or false_fn(), chosen here if pred is known, else by gc.cond: for arguments such as `training`.

    pred: a bool, 0, 1, or a bool scalar. As `tf.contrib.framework.smart_cond`. Raises TypeError for another pred and
    for functions that cannot be called, else as `gc.cond`.

    >>> gc.contrib.framework.smart_cond(True, lambda: "here", lambda: "there")
    'here'
    """
    if not callable(true_fn):
        raise TypeError("`true_fn` must be callable.")
    if not callable(false_fn):
        raise TypeError("`false_fn` must be callable.")
    known = smart_constant_value(pred)
    if known is None:
        return cond(pred, true_fn=true_fn, false_fn=false_fn, name=name)
    return true_fn() if known else false_fn()


@public("contrib.framework.smart_constant_value", "compat.v1.python.layers.utils.constant_value",
        "compat.v1.python.framework.smart_cond.smart_constant_value")
def smart_constant_value(pred: Any) -> bool | None:
    """The bool that `pred` is, or None if only a run knows.

    Raises TypeError for anything but a bool, 0, 1 or a tensor. As `tf.contrib.framework.smart_constant_value`.

    >>> known = gc.contrib.framework.smart_constant_value
    >>> known(True), known(gc.constant(False)), known(gc.placeholder(gc.bool, []))
    (True, False, None)
    """
    if isinstance(pred, Variable):
        return None
    if is_tensor_like(pred):
        value = get_static_value(convert_to_tensor(pred))
        return None if value is None else bool(value)
    if pred in (0, 1):                   # False and True, and NumPy's
        return bool(pred)
    raise TypeError("`pred` must be a Tensor, or a Python bool, or 1 or 0. Found instead: "
                    f"{type(pred).__name__} {pred!r}")


@public("contrib.framework.smart_case")
def smart_case(pred_fn_pairs: Any, default: Callable[[], Any] | None = None, exclusive: bool = False,
               name: str = "smart_case") -> Any:
    """`gc.case`; pairs whose condition is known to be False are left out, and one known to be True ends the list.

    Conditions: bool scalars, or bools, 0 and 1. As `tf.contrib.framework.smart_case`. Raises ValueError if none can be
    true and there is no default, TypeError for other conditions, else as `gc.case`.

    >>> y = gc.contrib.framework.smart_case([(False, lambda: 1), (True, lambda: 2)], default=lambda: 3)
    >>> y
    2
    """
    pairs: Sequence[tuple[Any, Callable[[], Any]]] = (
        list(pred_fn_pairs.items()) if isinstance(pred_fn_pairs, dict) else list(pred_fn_pairs))
    open_pairs: list[tuple[Any, Callable[[], Any]]] = []
    for pred, function in pairs:
        known = smart_constant_value(pred)
        if known and not open_pairs:
            return function()
        if known:
            default = function           # nothing after it can be reached
            break
        if known is None:
            open_pairs.append((pred, function))
    if open_pairs:
        return case(open_pairs, default, exclusive=exclusive, name=name)
    if default is None:
        raise ValueError("smart_case: no condition can be true, and there is no default")
    return default()
