"""Ops that call back into Python: py_func, Print and Assert. A plan names the function; this process has it by that
name.

Such an op runs at most once in a run, in the order in which the ops were made, on the thread that called Session.run.
An exception comes out of Session.run with the user's line and, as its cause, the original.
"""
from __future__ import annotations

import itertools
import sys
import threading
import traceback
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc import errors
from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import DType, bool_, string
from graphc.ir.op import Effect, Op, attr, register
from graphc.ir.spec import Spec
from graphc.ir.values import to_array
from graphc.ops.strings.format import summarized

if TYPE_CHECKING:
    from graphc.ir.graph import Operation, Tensor


# What Plan.hosts name, in this process, as long as an op or a plan with that name is there.
HOSTS: weakref.WeakValueDictionary[str, Callable[..., Any]] = weakref.WeakValueDictionary()


def host_function(name: str) -> Callable[..., Any]:
    """The function that a plan calls `name`. Raises NotFoundError for one of another process."""
    function = HOSTS.get(name)
    if function is None and name.startswith("dataset:"):
        raise errors.NotFoundError(f"the data set '{name}' is not in this process: files do not hold the data sets of "
                                   "gc.data; feed what the iterator's IteratorGetNext gives, or build the iterator "
                                   "again")
    if function is None:
        raise errors.NotFoundError(f"the Python function '{name}' is not in this process; py_func cannot be loaded "
                                   "from a file, build the op again")
    return function


@register
class PyFunc(Op):
    """Calls the Python function `token` with the inputs as arrays."""

    operands = ("input*",)
    results = ("output*",)
    effect = Effect.HOST
    token: str = attr("string")
    Tin: tuple[DType, ...] = attr("list(type)")
    Tout: tuple[DType, ...] = attr("list(type)")

    def __post_init__(self) -> None:
        object.__setattr__(self, "_function", HOSTS.get(self.token))     # kept while the op is

    @property
    def guessed(self) -> Call | None:
        """What holds the ranks of the results, if they may be guesses."""
        call = HOSTS.get(self.token)
        return call if isinstance(call, Call) else None

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        call = HOSTS.get(self.token)
        if not isinstance(call, Call) or not GUESSING.get():
            return tuple(Spec(dtype, None) for dtype in self.Tout)
        return tuple(Spec(dtype, shape) for dtype, shape in zip(self.Tout, call.shapes(inputs), strict=True))

    def reference(self, *inputs: np.ndarray) -> Any:
        function = host_function(self.token)
        return function.results(inputs) if isinstance(function, Call) else function(*inputs)

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Sequence[Tensor | None]:
        return [None] * len(node.inputs)

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        b.host(self.token, inputs, outputs)


@register
class Print(Op):
    """input; prints `data` to standard error whenever it is computed."""

    operands = ("input", "data*")
    results = ("output",)
    types = {"T": "input"}
    effect = Effect.HOST
    U: tuple[DType, ...] = attr("list(type)", ())
    message: str = attr("string", "")
    first_n: int = attr("int", -1)
    summarize: int = attr("int", 3)

    def infer(self, x: Spec, *data: Spec) -> Spec:
        return x

    def reference(self, x: np.ndarray, *data: np.ndarray) -> np.ndarray:
        self._printer()(*data)
        return x

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Sequence[Tensor | None]:
        return [dys[0], *[None] * (len(node.inputs) - 1)]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        printer = self._printer()
        b.host(add_host("print", printer), inputs[1:], [])
        b.copy(inputs[0], outputs[0])

    def _printer(self) -> Callable[..., Any]:
        count = itertools.count()

        def show(*arrays: np.ndarray) -> tuple[()]:
            if self.first_n < 0 or next(count) < self.first_n:
                sys.stderr.write(self.message + "".join(f"[{summarized(a, self.summarize)}]" for a in arrays) + "\n")
            return ()

        return show


class Check:
    """Raises what `error` makes of the other arguments, unless all of the first one is true.

    asserts: it need not be called if it is, so that nothing is converted (exec/host.py).
    """

    stays_inside = True
    asserts = True

    def __init__(self, error: Callable[..., errors.OpError]) -> None:
        self._error = error

    def __call__(self, condition: np.ndarray, *data: np.ndarray) -> tuple[()]:
        if not condition.all():
            raise self._error(*data)
        return ()


@register
class Assert(Op):
    """An error at run time unless `condition`."""

    operands = ("condition", "data*")
    results = ()
    effect = Effect.HOST
    T: tuple[DType, ...] = attr("list(type)", ())
    summarize: int = attr("int", 3)

    def infer(self, condition: Spec, *data: Spec) -> tuple[Spec, ...]:
        if condition.dtype != bool_:
            raise TypeError(f"argument 'condition' must be bool, but has dtype {condition.dtype.name}")
        return ()

    def reference(self, condition: np.ndarray, *data: np.ndarray) -> tuple[()]:
        return Check(self._failed)(condition, *data)

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Sequence[Tensor | None]:
        return [None] * len(node.inputs)

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        check = Check(self._failed)
        b.host(add_host("assert", check), inputs, [])

    def _failed(self, *data: np.ndarray) -> errors.OpError:
        shown = " ".join(f"[{summarized(d, self.summarize)}]" for d in data)
        return errors.InvalidArgumentError(f"assertion failed: {shown}")


@register
class _EndOfData(Op):
    """OutOfRangeError at run time unless `condition`."""

    operands = ("condition",)
    results = ()
    effect = Effect.HOST
    message: str = attr("string", "")

    def infer(self, condition: Spec) -> tuple[Spec, ...]:  # type: ignore[override]
        return ()

    def reference(self, condition: np.ndarray) -> tuple[()]:  # type: ignore[override]
        return Check(self._failed)(condition)

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Sequence[Tensor | None]:
        return [None]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        check = Check(self._failed)
        b.host(add_host("end_of_data", check), inputs, [])

    def _failed(self) -> errors.OpError:
        return errors.OutOfRangeError(self.message)


class RankDiscovered(errors.OpError):
    """A Python function returned an array of another rank than the plan was compiled for; `ranks` are the right ones
    now."""


class Trial(threading.local):
    """While a plan whose ranks are guesses runs: the results of Python functions, to be used again instead of calling
    them a second time once the plan has been compiled for the right ranks."""

    results: dict[str, list[Any]] | None = None
    used: dict[str, int] = {}

    @contextmanager
    def running(self, results: dict[str, list[Any]] | None) -> Iterator[None]:
        """None: a run inside a run, which is no trial."""
        before = self.results, self.used
        self.results, self.used = results, {}
        try:
            yield
        finally:
            self.results, self.used = before


TRIAL = Trial()

GUESSING: ContextVar[bool] = ContextVar("guessing", default=False)   # set while a session compiles


class GuessedRanks:
    """The ranks of what a call from a plan gives: guesses (0) at first, then those seen when it ran."""

    def __init__(self, count: int) -> None:
        self.ranks: list[int] = [0] * count
        self.seen = self.told = False

    @property
    def guesses(self) -> bool:
        """Whether the ranks may be others than those that a plan has been compiled for."""
        return not (self.seen or self.told)

    def ranks_if(self, said: Sequence[Any]) -> list[int]:
        """The ranks for compiling; the shapes that are said come first."""
        self.ranks = [rank if shape is None else len(shape) for rank, shape in zip(self.ranks, said, strict=True)]
        self.told = all(shape is not None for shape in said)
        return self.ranks

    def compare(self, results: Sequence[np.ndarray]) -> None:
        """Raises RankDiscovered, which compiles again, if a guess was wrong."""
        found = [r.ndim for r in results]
        if self.ranks != found:
            if self.seen or TRIAL.results is None:
                raise errors.InvalidArgumentError(f"the components have the ranks {found}, before they had "
                                                  f"{self.ranks}; the rank of a component must not change from element "
                                                  "to element")
            self.ranks = found
            raise RankDiscovered("the ranks of the results are known now")
        self.seen = True


class Call:
    """What a plan calls: the user's function, its results checked, its exceptions made errors of the run.

    ranks: of the results, as guessed (the first input's) or seen when it ran; the user's set_shape comes first.
    """

    def __init__(self, function: Callable[..., Any], dtypes: Sequence[DType]) -> None:
        self.function = function
        self.dtypes = tuple(dtypes)
        self.name = ""
        self.operation: Any = None
        self.ranks: list[int | None] = [None] * len(dtypes)
        self.seen = False

    @property
    def guesses(self) -> bool:
        """Whether the ranks may be others than those that a plan has been compiled for."""
        return bool(self.dtypes) and not self.seen

    def shapes(self, inputs: Sequence[Spec]) -> list[Any]:
        """Shapes of unknown sizes, for compiling."""
        guess = inputs[0].rank if inputs and inputs[0].rank is not None else 0
        found = []
        for i, rank in enumerate(self.ranks):
            said = self._said(i)
            self.ranks[i] = len(said) if said is not None else guess if rank is None else rank
            sizes = said if said is not None else [None] * (self.ranks[i] or 0)
            found.append(tuple(dims.symbol(f"{self.name}.{k}") if s is None else s for k, s in enumerate(sizes)))
        return found

    def _said(self, position: int) -> tuple[int | None, ...] | None:
        """The shape that the user gave a result."""
        return self.operation.outputs[position].spec.static_shape if self.operation is not None else None

    def __call__(self, *arrays: np.ndarray) -> Any:
        trial = TRIAL.results
        if trial is None:
            return self._checked(arrays)
        kept, position = trial.setdefault(self.name, []), TRIAL.used.get(self.name, 0)
        if position == len(kept):
            kept.append(self.results(arrays))
        TRIAL.used[self.name] = position + 1
        self._compare(kept[position])
        return kept[position]

    def _checked(self, arrays: Sequence[np.ndarray]) -> Any:
        found = self.results(arrays)
        self._compare(found)
        return found

    def _compare(self, results: Sequence[np.ndarray]) -> None:
        found = [r.ndim for r in results]
        if self.ranks == found:
            self.seen = True
            return
        if self.seen or TRIAL.results is None:
            raise errors.InvalidArgumentError(f"the function returned arrays of ranks {found}, before it was "
                                              f"{self.ranks}; the "
                                              "rank of a result must not change from call to call")
        for i, result in enumerate(results):
            said = self._said(i)
            if said is not None and len(said) != result.ndim:
                raise errors.InvalidArgumentError(f"value {i} returned by the function has shape {result.shape}, but "
                                                  f"set_shape said {list(said)}")
        self.ranks = list(found)
        raise RankDiscovered("the ranks of the results are known now")

    def results(self, arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        try:
            result = self.function(*(a[()] if a.dtype == object and not a.ndim else a for a in arrays))
        except errors.OpError:
            raise
        except Exception as error:
            raise failure_of(error) from error
        if not self.dtypes:
            return ()
        count = len(self.dtypes)
        listed = isinstance(result, (list, tuple)) and (count > 1 or len(result) == 1)
        results = tuple(result) if listed else (result,)
        if len(results) != count:
            raise errors.InvalidArgumentError(f"the function returned {len(results)} values, but Tout has {count}")
        return tuple(_converted(r, d, i) for i, (r, d) in enumerate(zip(results, self.dtypes, strict=True)))


def _converted(value: Any, dtype: DType, position: int) -> np.ndarray:
    if dtype == string:
        return _strings(value, position)
    array = np.asarray(value)
    if array.dtype == dtype.numpy:
        return array
    if isinstance(value, (np.ndarray, np.generic)) or array.dtype.kind not in "bif":
        raise errors.InvalidArgumentError(f"value {position} returned by the function is {array.dtype}, but Tout says "
                                          f"{dtype.name}; return it with .astype(np.{dtype.name}), or change Tout")
    return array.astype(dtype.numpy)


def _strings(value: Any, position: int) -> np.ndarray:
    try:
        return to_array(np.asarray(value, object), string)
    except TypeError as error:
        raise errors.InvalidArgumentError(f"value {position} returned by the function is no string, but Tout says so: "
                                          f"{error}") from None


_CLASSES = ((StopIteration, errors.OutOfRangeError), (NotImplementedError, errors.UnimplementedError),
            (MemoryError, errors.ResourceExhaustedError), ((ValueError, TypeError), errors.InvalidArgumentError))


def failure_of(error: Exception) -> errors.OpError:
    """The error of TensorFlow's class for an exception inside the function, with its traceback."""
    kind = next((made for known, made in _CLASSES if isinstance(error, known)), errors.UnknownError)
    inside = error.__traceback__.tb_next if error.__traceback__ else None
    frames = "".join(traceback.format_exception(type(error), error, inside))
    return kind(f"{type(error).__name__}: {error}\n{frames.rstrip()}")


def add_host(kind: str, function: Callable[..., Any]) -> str:
    """A name for the function; the caller keeps it until an op or a plan has it."""
    name = f"{kind}:{next(_numbers)}"
    HOSTS[name] = function
    return name


class WithValues:
    """The function `name` as one that gets these arguments, by position, from here and the others as they come."""

    def __init__(self, name: str, values: Mapping[int, Any]) -> None:
        self.function, self.values = host_function(name), values
        self.stays_inside = getattr(self.function, "stays_inside", False)
        self.asserts = 0 not in values and getattr(self.function, "asserts", False)

    @property
    def guesses(self) -> bool:
        return getattr(self.function, "guesses", False)

    def __call__(self, *arrays: np.ndarray) -> Any:
        others, values = iter(arrays), self.values
        return self.function(*(values[i] if i in values else next(others) for i in range(len(arrays) + len(values))))


_numbers = itertools.count()
