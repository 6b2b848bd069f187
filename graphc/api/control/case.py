"""case and switch_case: chains of cond."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphc.api.array.cast import cast
from graphc.api.array.join import stack
from graphc.api.control.cond import cond
from graphc.api.control.script import Assert
from graphc.api.math.comparison import equal, less_equal
from graphc.api.math.reduce import reduce_sum
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor
from graphc.ir.dtypes import bool_, int32
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor

Function = Callable[[], Any]


@public("case")
def case(pred_fn_pairs: Any, default: Function | None = None, exclusive: bool = False, strict: bool = False,
         name: str = "case") -> Any:
    """The first function whose predicate holds, else default().

    pred_fn_pairs: a list of (bool scalar, function without arguments), or a dict; the functions return tensors of the
    same dtypes and structure. Only what is made inside of the function that is taken happens. exclusive: it is an error
    (InvalidArgumentError) if more than one predicate holds. Without default it is an error if none does. As `tf.case`.
    Raises TypeError for predicates that are no tensors of bool, and functions that cannot be called, ValueError without
    pairs, for a predicate that is no scalar, and as `gc.cond` if results differ.

    >>> x = gc.placeholder(gc.float32, [])
    >>> y = gc.case([(x < 0., lambda: -x), (x > 10., lambda: gc.constant(10.))], default=lambda: x)
    >>> y.eval({x: -3.}), y.eval({x: 4.}), y.eval({x: 99.})
    (np.float32(3.0), np.float32(4.0), np.float32(10.0))
    """
    with get_default_graph().name_scope(name):
        predicates, functions = _pairs(pred_fn_pairs)
        if default is not None and not callable(default):
            raise TypeError("case: argument 'default' must be callable")
        if default is None:
            default = _checked(functions.pop(), predicates)
            last = predicates.pop()
            del last
        chosen: Function = default
        for predicate, function in zip(reversed(predicates), reversed(functions), strict=True):
            def chosen(predicate: Tensor = predicate, function: Function = function, rest: Function = chosen) -> Any:
                return cond(predicate, function, rest, strict=strict)
        if not exclusive:
            return chosen()
        every, _ = _pairs(pred_fn_pairs)
        together = stack(every)
        check = Assert(less_equal(reduce_sum(cast(together, int32)), 1),
                       ["Input error: exclusive=True: more than 1 conditions evaluated as True:", together])
        with get_default_graph().control_dependencies([check]):
            return chosen()


def _pairs(pred_fn_pairs: Any) -> tuple[list[Tensor], list[Function]]:
    if not isinstance(pred_fn_pairs, (list, tuple, dict)):
        raise TypeError("case: pred_fn_pairs must be a list, tuple, or dict")
    pairs = list(pred_fn_pairs.items() if isinstance(pred_fn_pairs, dict) else pred_fn_pairs)
    if not pairs:
        raise ValueError("case: pred_fn_pairs must be non-empty")
    predicates, functions = [], []
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(f"case: each entry in pred_fn_pairs must be a 2-tuple, but one is {pair!r}")
        predicate, function = pair
        predicate = convert_to_tensor(predicate) if not isinstance(predicate, bool) else predicate
        if isinstance(predicate, bool) or predicate.dtype != bool_:
            raise TypeError(f"case: pred must be a tensor of type bool, but is {predicate!r}")
        if not callable(function):
            raise TypeError(f"case: fn for pred {predicate.name} must be callable")
        predicates.append(predicate)
        functions.append(function)
    return predicates, functions


def _checked(function: Function, predicates: Sequence[Tensor]) -> Function:
    """What stands at the end of a chain without default: the last function, if its predicate holds."""
    last, every = predicates[-1], list(predicates)

    def chosen() -> Any:
        check = Assert(last, ["Input error: None of conditions evaluated as True:", stack(every)])
        with get_default_graph().control_dependencies([check]):
            return function()

    return chosen


@public("switch_case")
def switch_case(branch_index: Any, branch_fns: Any, default: Function | None = None, name: str = "switch_case") -> Any:
    """branch_fns[branch_index](); for any other index default(), or else the last function.

    branch_index: an int32 scalar; branch_fns: a list of functions, or of (index, function), or a dict. As
    `tf.switch_case`. Raises TypeError for a branch_index of another dtype, and for no functions or ones that cannot be
    called; ValueError if it is no scalar, a number comes twice, or results differ in dtype or structure.

    >>> i = gc.placeholder(gc.int32, [])
    >>> words = [lambda: gc.constant("zero"), lambda: gc.constant("one")]
    >>> y = gc.switch_case(i, words, default=lambda: gc.constant("many"))
    >>> y.eval({i: 1}), y.eval({i: 7})
    (b'one', b'many')
    """
    with get_default_graph().name_scope(name):
        index = convert_to_tensor(branch_index, name="branch_index")
        if index.dtype != int32:
            raise TypeError(f"switch_case: branch_index must be int32, but is {index.dtype.name}")
        branches = _branches(branch_fns)
        if default is None:
            default = branches.pop()[1]
        chosen: Function = default
        for number, function in reversed(branches):
            def chosen(number: int = number, function: Function = function, rest: Function = chosen) -> Any:
                return cond(equal(index, number), function, rest)
        return chosen()


def _branches(branch_fns: Any) -> list[tuple[int, Function]]:
    """Functions with their numbers, in ascending order."""
    if not isinstance(branch_fns, (list, tuple, dict)) or not branch_fns:
        raise TypeError("switch_case: branch_fns must be a non-empty list, tuple, or dict")
    if isinstance(branch_fns, dict):
        pairs = list(branch_fns.items())
    elif all(callable(f) for f in branch_fns):
        pairs = list(enumerate(branch_fns))
    else:
        pairs = list(branch_fns)
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(pair[0], int) or not callable(pair[1]):
            raise TypeError("switch_case: each entry in branch_fns must be a 2-tuple of an int and a callable, but one "
                            f"is {pair!r}")
    if len({number for number, _ in pairs}) != len(pairs):
        raise ValueError("switch_case: branch_fns has a number twice")
    return sorted(pairs, key=lambda pair: pair[0])
