"""Iterator: the elements of a dataset as tensors of the graph. Where it stands belongs to the session."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.data.pipeline import Pipeline
from graphc.data.structure import assert_same, flatten, packed_tensors, structure_of, tensors_of
from graphc.data.types import classes_of, shapes_of, types_of

_STATEFUL = ("Variable", "VariableV2", "VarHandleOp", "Placeholder")


@public("data.Iterator", "contrib.data.Iterator", "python.data.ops.iterator_ops.Iterator")
class Iterator:
    """Goes over a dataset, an element at each run that uses get_next(), as `tf.data.Iterator`. Made by
    dataset.make_one_shot_iterator() and its kin, or Iterator.from_structure.

    A run after the last element ends with OutOfRangeError, one before the initializer with FailedPreconditionError.
    make_initializer raises TypeError for a dataset of other dtypes or shapes.

    >>> training, test = gc.data.Dataset.range(3), gc.data.Dataset.range(100, 103)
    >>> iterator = gc.data.Iterator.from_structure(training.output_types, training.output_shapes)
    >>> use_training, use_test = iterator.make_initializer(training), iterator.make_initializer(test)
    >>> n = iterator.get_next()
    >>> use_training.run()
    >>> n.eval(), n.eval()
    (np.int64(0), np.int64(1))
    >>> use_test.run()
    >>> n.eval()
    np.int64(100)
    """

    def __init__(self, handle: gc.Tensor, initializer: gc.Operation | None, structure: Any,
                 fed_handle: gc.Tensor | None = None) -> None:
        self._handle, self._initializer, self._structure, self._fed = handle, initializer, structure, fed_handle
        self._string_handle = fed_handle if fed_handle is not None else gc.raw_ops.IteratorToStringHandle(handle)

    @staticmethod
    def from_structure(output_types: Any, output_shapes: Any = None, shared_name: str | None = None,
                       output_classes: Any = None) -> Iterator:
        """An iterator for several datasets of such elements: make_initializer(dataset) starts it."""
        structure = structure_of(output_types, output_shapes, output_classes)
        return Iterator(_handle(structure, shared_name), None, structure)

    @staticmethod
    def from_string_handle(string_handle: Any, output_types: Any, output_shapes: Any = None,
                           output_classes: Any = None) -> Iterator:
        """Stands for the iterator of which session.run(iterator.string_handle()) gave the handle."""
        structure = structure_of(output_types, output_shapes, output_classes)
        fed = gc.convert_to_tensor(string_handle, gc.string)
        return Iterator(gc.raw_ops.IteratorFromStringHandleV2(*_types_and_shapes(structure)), None, structure, fed)

    @property
    def initializer(self) -> gc.Operation:
        """Starts the iterator. Raises ValueError for one that has none."""
        if self._initializer is None:
            raise ValueError("Iterator does not have an initializer.")
        return self._initializer

    def make_initializer(self, dataset: Any, name: str | None = None) -> gc.Operation:
        """An operation that starts the iterator at the first element of the dataset. Raises TypeError or ValueError if
        its elements are not such as the iterator's."""
        self._check(dataset._step.structure)
        with gc.name_scope(name, "make_initializer") as scope:
            made: gc.Operation = gc.raw_ops.MakeIterator(Pipeline(dataset._step), self._handle, name=scope)
        return made

    def _check(self, structure: Any) -> None:
        try:
            assert_same(self._structure, structure)
        except (TypeError, ValueError):
            raise self._other_types(structure) from None
        for mine, other in zip(flatten(self._structure), flatten(structure), strict=True):
            if type(mine) is not type(other) or mine.dtype != other.dtype:
                raise self._other_types(structure)
            if not mine.shape.is_compatible_with(other.shape):
                raise TypeError(f"Expected output shapes compatible with {shapes_of(self._structure)!r} but got "
                                f"dataset with output shapes {shapes_of(structure)!r}.")

    def _other_types(self, structure: Any) -> TypeError:
        return TypeError(f"Expected output types {types_of(self._structure)!r} but got dataset with output types "
                         f"{types_of(structure)!r}.")

    def get_next(self, name: str | None = None) -> Any:
        """The next element, at each run, in the dataset's structure; a second get_next() is another element.
        OutOfRangeError after the last one."""
        tensors = gc.raw_ops.IteratorGetNext(self._handle, *_types_and_shapes(self._structure), self._fed, name=name)
        return packed_tensors(self._structure, tensors)

    def string_handle(self, name: str | None = None) -> gc.Tensor:
        """A string that stands for the iterator: Iterator.from_string_handle."""
        if name is None or self._fed is not None:
            return self._string_handle
        made: gc.Tensor = gc.raw_ops.IteratorToStringHandle(self._handle, name=name)
        return made

    output_types = property(lambda self: types_of(self._structure), doc="The dtypes of an element's components.")
    output_shapes = property(lambda self: shapes_of(self._structure), doc="The shapes of an element's components.")
    output_classes = property(lambda self: classes_of(self._structure), doc="Tensor or SparseTensor, for each.")
    element_spec = property(lambda self: self._structure, doc="The structure of an element.")


def initializable(step: Any, shared_name: str | None) -> Iterator:
    handle = _handle(step.structure, shared_name)
    return Iterator(handle, gc.raw_ops.MakeIterator(Pipeline(step), handle), step.structure)


def one_shot(step: Any) -> Iterator:
    pipeline = Pipeline(step)
    for tensor in pipeline.captures:
        _check_stateless(tensor.op)
    handle = gc.raw_ops.OneShotIterator(pipeline, *_types_and_shapes(step.structure))
    return Iterator(handle, None, step.structure)


def first_element(step: Any) -> Any:
    """The tensors of the first element: the pipeline starts anew in each run."""
    handle = _handle(step.structure, None)
    with gc.control_dependencies([gc.raw_ops.MakeIterator(Pipeline(step), handle)]):
        tensors = gc.raw_ops.IteratorGetNext(handle, *_types_and_shapes(step.structure))
    return packed_tensors(step.structure, tensors)


def _handle(structure: Any, shared_name: str | None) -> gc.Tensor:
    made: gc.Tensor = gc.raw_ops.IteratorV2(shared_name or "", "", *_types_and_shapes(structure))
    return made


def _types_and_shapes(structure: Any) -> tuple[list[Any], list[Any]]:
    pairs = tensors_of(structure)
    return [dtype for dtype, _ in pairs], [shape for _, shape in pairs]


def _check_stateless(operation: gc.Operation) -> None:
    seen, waiting = {operation}, [operation]
    while waiting:
        found = waiting.pop()
        if found.type in _STATEFUL:
            kind = "placeholder" if found.type == "Placeholder" else "stateful node"
            raise ValueError(
                "Failed to create a one-shot iterator for a dataset. `Dataset.make_one_shot_iterator()` does not "
                "support datasets that capture stateful objects, such as a `Variable` or `LookupTable`. In these "
                "cases, use `Dataset.make_initializable_iterator()`. (Original error: Cannot capture a "
                f"{kind} (name:{found.name}, type:{found.type}) by value.)")
        new = {t.op for t in found.inputs} - seen
        seen |= new
        waiting += new
