"""map_fn, scan, foldl, foldr: loops over the elements of tensors, each one while_loop over TensorArrays."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphc.api.array.shapes import shape
from graphc.api.array.source import constant
from graphc.api.control.tensor_array import TensorArray
from graphc.api.control.while_loop import while_loop
from graphc.api.public import public
from graphc.ir import nest
from graphc.ir.apply import convert_to_tensor
from graphc.ir.dtypes import DType, as_dtype, int32
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor


class _Elements:
    """What a function is mapped over: tensors of equal first size, in a structure."""

    def __init__(self, elems: Any, function: str) -> None:
        self.structure = elems
        if any(map(nest.is_composite, nest.flatten(elems))):
            raise TypeError(f"{function}: argument 'elems' must hold no SparseTensor; go over its values: "
                            f"gc.SparseTensor(elems.indices, gc.{function}(fn, elems.values), elems.dense_shape), or "
                            "make it dense: gc.sparse.to_dense")
        self.tensors = [convert_to_tensor(e, name="elem") for e in nest.flatten(elems)]
        if not self.tensors:
            raise ValueError(f"{function}: argument 'elems' holds no tensor")
        for tensor in self.tensors:
            if tensor.shape.ndims == 0:
                raise ValueError(f"{function}: elements in elems must be 1+ dimensional Tensors, not scalars: "
                                 f"{tensor.name}")
        sizes = {t.shape[0].value for t in self.tensors if t.shape.ndims is not None} - {None}
        if len(sizes) > 1:
            raise ValueError(f"{function}: elems have different first sizes: "
                             f"{', '.join(f'{t.name} {t.shape}' for t in self.tensors)}")
        self.known: int | None = next(iter(sizes), None)
        self.count = constant(self.known, int32) if self.known is not None else shape(self.tensors[0])[0]
        self.arrays = [TensorArray(t.dtype, self.count, element_shape=t.shape[1:]).unstack(t) for t in self.tensors]

    def read(self, index: Tensor) -> Any:
        return nest.pack_sequence_as(self.structure, [a.read(index) for a in self.arrays])

    def first(self, index: int | Tensor) -> list[Tensor]:
        return [a.read(index) for a in self.arrays]

    def stacked(self, array: TensorArray) -> Tensor:
        made = array.stack()
        if made.shape.ndims is not None:
            made.set_shape([self.known, *made.shape.as_list()[1:]])
        return made


def _callable(fn: Any, function: str) -> None:
    if not callable(fn):
        raise TypeError(f"{function}: fn must be callable, but is {fn!r}")


def _results(arrays: Sequence[TensorArray], values: Sequence[Any], index: Tensor) -> list[TensorArray]:
    return [array.write(index, value) for array, value in zip(arrays, values, strict=True)]


@public("map_fn")
def map_fn(fn: Callable[..., Any], elems: Any, dtype: Any = None, parallel_iterations: int | None = None,
           back_prop: bool = True, swap_memory: bool = False, infer_shape: bool = True, name: str | None = None) -> Any:
    """fn of each element along the first axis, stacked.

    elems: a tensor or a structure of tensors of one first size, which fn gets one element of. dtype: of what fn
    returns, in its structure, if it is not that of elems. infer_shape=False: results may differ in shape.
    parallel_iterations and swap_memory change nothing. What works on whole tensors is faster without it. As
    `tf.map_fn`. Raises ValueError if the structure of the results is another one, for scalars and different first
    sizes; TypeError for SparseTensors, another dtype of the results, and an fn that cannot be called.

    >>> rows = gc.constant([[1., 2.], [3., 4.]])
    >>> gc.map_fn(lambda row: row / gc.reduce_sum(row), rows).eval()
    array([[0.3333, 0.6667],
           [0.4286, 0.5714]], dtype=float32)
    >>> a, b = gc.constant([1, 2]), gc.constant([30, 40])
    >>> total, product = gc.map_fn(lambda pair: (pair[0] + pair[1], pair[0] * pair[1]), (a, b))
    >>> total.eval(), product.eval()
    (array([31, 42], dtype=int32), array([30, 80], dtype=int32))
    >>> gc.map_fn(lambda row: gc.argmax(row), rows, dtype=gc.int64).eval()
    array([1, 1])
    """
    _callable(fn, "map_fn")
    with get_default_graph().name_scope(name or "map"):
        elements = _Elements(elems, "map_fn")
        structure: Any = elems if dtype is None else dtype
        dtypes = [t.dtype for t in elements.tensors] if dtype is None else [as_dtype(d) for d in nest.flatten(dtype)]

        def body(i: Tensor, arrays: list[TensorArray]) -> tuple[Tensor, list[TensorArray]]:
            result = fn(elements.read(i))
            nest.assert_same_structure(structure, result, "map_fn: dtype (or elems) and what fn returns")
            return i + 1, _results(arrays, nest.flatten(result), i)

        arrays = [TensorArray(d, elements.count, infer_shape=infer_shape) for d in dtypes]
        _, made = while_loop(lambda i, _: i < elements.count, body, (0, arrays), back_prop=back_prop,
                             parallel_iterations=parallel_iterations or 10, swap_memory=swap_memory,
                             maximum_iterations=elements.count)
        return nest.pack_sequence_as(structure, [elements.stacked(a) for a in made])


@public("vectorized_map")
def vectorized_map(fn: Callable[..., Any], elems: Any) -> Any:
    """fn of each element along the first axis, stacked; fn's results may have any dtypes and structure.

    elems: a tensor or a structure of tensors of one first size. As `tf.vectorized_map`, by a loop: fn may do anything
    that a loop's body may. Raises TypeError if fn cannot be called, ValueError for scalars and different first sizes.

    >>> gc.vectorized_map(lambda row: (gc.reduce_max(row), gc.argmax(row)), gc.constant([[1., 5.], [7., 3.]]))[1].eval()
    array([1, 0])
    """
    _callable(fn, "vectorized_map")
    with get_default_graph().name_scope("vectorized_map"):
        dtypes = _dtypes_of(fn, elems)
    return map_fn(fn, elems, dtypes, name="vectorized_map")


def _dtypes_of(fn: Callable[..., Any], elems: Any) -> Any:
    """The dtypes of fn's results: what it builds for this stands in a body that nothing runs."""
    from graphc.api.control.control import new_function
    from graphc.ir.func_graph import outermost

    rows = [convert_to_tensor(e)[0] for e in nest.flatten(elems)]
    trial = new_function("vectorized_map_dtypes")
    with trial.as_default():
        found = nest.map_structure(lambda v: convert_to_tensor(v).dtype, fn(nest.pack_sequence_as(elems, rows)))
    del outermost(trial).functions[trial.name]
    return found


class _Fold:
    """Initial values of an accumulator: those given, or the element at `first`."""

    def __init__(self, elements: _Elements, initializer: Any, first: int | Tensor, function: str) -> None:
        self.given = initializer is not None
        self.structure = initializer if self.given else elements.structure
        values = nest.flatten(initializer) if self.given else elements.first(first)
        self.values = [convert_to_tensor(v) for v in values]
        self.packed = nest.pack_sequence_as(self.structure, self.values)
        self.function = function

    def checked(self, result: Any) -> Any:
        nest.assert_same_structure(self.structure, result, f"{self.function}: the initializer and what fn returns")
        return result


@public("foldl")
def foldl(fn: Callable[..., Any], elems: Any, initializer: Any = None, parallel_iterations: int = 10,
          back_prop: bool = True, swap_memory: bool = False, name: str | None = None) -> Any:
    """fn(...fn(fn(initializer, elems[0]), elems[1])...): one value from all elements, the first one first.

    fn gets the value so far and an element along the first axis; both may be structures. Without initializer the first
    element is it. elems as of `map_fn`; the value keeps its dtypes, shapes and structure. As `tf.foldl`. Raises
    ValueError for scalars, different first sizes, and if fn gives another shape or structure, TypeError if another
    dtype, and for SparseTensors.

    >>> gc.foldl(lambda total, x: 10 * total + x, gc.constant([1, 2, 3])).eval()
    np.int32(123)
    """
    return _folded(fn, elems, initializer, False, "foldl", name, {
        "parallel_iterations": parallel_iterations, "back_prop": back_prop, "swap_memory": swap_memory})


@public("foldr")
def foldr(fn: Callable[..., Any], elems: Any, initializer: Any = None, parallel_iterations: int = 10,
          back_prop: bool = True, swap_memory: bool = False, name: str | None = None) -> Any:
    """As `foldl`, from the last element to the first. As `tf.foldr`.

    Arguments and errors as of that.

    >>> gc.foldr(lambda total, x: 10 * total + x, gc.constant([1, 2, 3])).eval()
    np.int32(321)
    """
    return _folded(fn, elems, initializer, True, "foldr", name, {
        "parallel_iterations": parallel_iterations, "back_prop": back_prop, "swap_memory": swap_memory})


def _folded(fn: Callable[..., Any], elems: Any, initializer: Any, backwards: bool, function: str, name: str | None,
            options: dict[str, Any]) -> Any:
    _callable(fn, function)
    with get_default_graph().name_scope(name or function):
        elements = _Elements(elems, function)
        n = elements.count
        fold = _Fold(elements, initializer, n - 1 if backwards else 0, function)
        start = 0 if fold.given else 1

        def body(i: Tensor, total: Any) -> tuple[Tensor, Any]:
            element = elements.read(n - 1 - i if backwards else i)
            return i + 1, fold.checked(fn(total, element))

        return while_loop(lambda i, _: i < n, body, (start, fold.packed), **options)[1]


@public("scan")
def scan(fn: Callable[..., Any], elems: Any, initializer: Any = None, parallel_iterations: int = 10,
         back_prop: bool = True, swap_memory: bool = False, infer_shape: bool = True, reverse: bool = False,
         name: str | None = None) -> Any:
    """All values of the accumulator of `foldl` (reverse: of `foldr`), stacked: as long as elems.

    Each is [n, ...]. Without initializer the first element is the first value. Arguments and errors as of `foldl`. As
    `tf.scan`.

    >>> gc.scan(lambda total, x: total + x, gc.constant([1, 2, 3])).eval()
    array([1, 3, 6], dtype=int32)
    >>> gc.scan(lambda pair, _: (pair[1], pair[0] + pair[1]), gc.range(6), initializer=(0, 1))[0].eval()
    array([1, 1, 2, 3, 5, 8], dtype=int32)
    """
    _callable(fn, "scan")
    with get_default_graph().name_scope(name or "scan"):
        elements = _Elements(elems, "scan")
        n = elements.count
        fold = _Fold(elements, initializer, n - 1 if reverse else 0, "scan")
        start = 0 if fold.given else 1

        def place(i: Tensor | int) -> Any:
            return n - 1 - i if reverse else i

        def body(i: Tensor, total: Any, arrays: list[TensorArray]) -> tuple[Tensor, Any, list[TensorArray]]:
            result = fold.checked(fn(total, elements.read(place(i))))
            return i + 1, result, _results(arrays, nest.flatten(result), place(i))

        dtypes: list[DType] = [v.dtype for v in fold.values]
        shapes = [v.shape if infer_shape else None for v in fold.values]
        arrays = [TensorArray(d, n, element_shape=s, infer_shape=infer_shape)
                  for d, s in zip(dtypes, shapes, strict=True)]
        if not fold.given:
            arrays = _results(arrays, fold.values, place(0))
        made = while_loop(lambda i, *_: i < n, body, (start, fold.packed, arrays), back_prop=back_prop,
                          parallel_iterations=parallel_iterations, swap_memory=swap_memory, maximum_iterations=n)[2]
        return nest.pack_sequence_as(fold.structure, [elements.stacked(a) for a in made])
