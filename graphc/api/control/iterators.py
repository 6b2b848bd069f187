"""The ops of iterators, as `tf.raw_ops` has them: graphc/data makes datasets and iterators of them.

A dataset is no tensor but an object of this process, with

    captures    the tensors whose values it takes from the graph
    open(values, callable, threads)
                the iterator over its elements, tuples of arrays; values: of captures; threads: how many may work;
                callable(graph, fetches, feeds, part): a function that runs part of a graph, in a session of that part
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ir.dtypes import as_dtype, string
from graphc.ir.tensor import Operation, Tensor
from graphc.ir.tensor_shape import as_shape
from graphc.ops.control import iterators as ops
from graphc.ops.control.script import add_host


def _attributes(types: Sequence[Any], shapes: Sequence[Any]) -> dict[str, Any]:
    found = [as_shape(s) for s in shapes]
    return {"output_types": tuple(as_dtype(t) for t in types),
            "output_shapes": tuple(None if s.ndims is None else tuple(s.as_list()) for s in found)}


@public("raw_ops.IteratorV2")
def iterator_v2(shared_name: str, container: str, output_types: Sequence[Any], output_shapes: Sequence[Any],
                name: str | None = None) -> Tensor:
    """The handle of an iterator that MakeIterator sets up. As `tf.raw_ops.IteratorV2`.

    output_types, output_shapes: of the components of an element. `gc.data` is the usual way to them. The handle is a
    scalar of gc.resource. Raises TypeError for what is no dtype.

    >>> handle = gc.raw_ops.IteratorV2("", "", output_types=[gc.int64], output_shapes=[[]])
    >>> handle.op.type
    'IteratorV2'
    """
    result: Tensor = apply(ops.IteratorV2, name=name, shared_name=shared_name, container=container,
                           **_attributes(output_types, output_shapes))
    return result


@public("raw_ops.OneShotIterator")
def one_shot_iterator(dataset_factory: Any, output_types: Sequence[Any], output_shapes: Sequence[Any],
                      container: str = "", shared_name: str = "", name: str | None = None) -> Tensor:
    """The handle of an iterator over a dataset that sets itself up. As `tf.raw_ops.OneShotIterator`.

    output_types, output_shapes: of the components of an element, as many. The handle is a scalar of gc.resource.

    >>> iterator = gc.data.make_one_shot_iterator(gc.data.Dataset.range(3))
    >>> element = iterator.get_next()
    >>> element.eval(), element.eval()
    (np.int64(0), np.int64(1))
    """
    token = add_host("dataset", dataset_factory)
    result: Tensor = apply(ops.OneShotIterator, name=name, dataset=token, shared_name=shared_name, container=container,
                           **_attributes(output_types, output_shapes))
    return result


@public("raw_ops.IteratorFromStringHandleV2")
def iterator_from_string_handle(output_types: Sequence[Any] = (), output_shapes: Sequence[Any] = (),
                                name: str | None = None) -> Tensor:
    """The handle of whichever iterator IteratorGetNext is told. As `tf.raw_ops.IteratorFromStringHandleV2`.

    output_types, output_shapes: of the components of an element. The handle is a scalar of gc.resource.

    >>> iterator = gc.data.make_one_shot_iterator(gc.data.Dataset.range(3))
    >>> handle = gc.placeholder(gc.string, [])
    >>> element = gc.data.Iterator.from_string_handle(handle, gc.int64, []).get_next()
    >>> element.eval({handle: iterator.string_handle().eval()})
    np.int64(0)
    """
    result: Tensor = apply(ops.IteratorFromStringHandleV2, name=name, **_attributes(output_types, output_shapes))
    return result


@public("raw_ops.MakeIterator")
def make_iterator(dataset: Any, iterator: Tensor, name: str | None = None) -> Operation:
    """Sets the iterator up at the first element of the dataset. As `tf.raw_ops.MakeIterator`.

    >>> iterator = gc.data.make_initializable_iterator(gc.data.Dataset.range(3))
    >>> element = iterator.get_next()
    >>> iterator.initializer.type
    'MakeIterator'
    >>> iterator.initializer.run()
    >>> element.eval()
    np.int64(0)
    """
    token = add_host("dataset", dataset)
    captured = list(dataset.captures)
    result: Operation = apply(ops.MakeIterator, iterator, captured, name=name, dataset=token,
                              Tcaptured=tuple(t.dtype for t in captured))
    return result


@public("raw_ops.IteratorGetNext")
def iterator_get_next(iterator: Tensor, output_types: Sequence[Any], output_shapes: Sequence[Any],
                      string_handle: Tensor | None = None, name: str | None = None) -> list[Tensor]:
    """The components of the next element, a list. As `tf.raw_ops.IteratorGetNext`.

    They have output_types and output_shapes. After the last element it raises OutOfRangeError when run, of an
    iterator that nothing set up FailedPreconditionError.

    >>> element = gc.data.make_one_shot_iterator(gc.data.Dataset.range(1)).get_next()
    >>> element.op.type, element.eval()
    ('IteratorGetNext', np.int64(0))
    >>> element.eval()
    Traceback (most recent call last):
        ...
    graphc.errors.OutOfRangeError: IteratorGetNext 'IteratorGetNext': End of sequence ...
    """
    handles = [] if string_handle is None else [string_handle]
    made = apply(ops.IteratorGetNext, iterator, handles, name=name, Thandle=(string,) * len(handles),
                 **_attributes(output_types, output_shapes))
    return list(made) if isinstance(made, (tuple, list)) else [made]


@public("raw_ops.IteratorToStringHandle")
def iterator_to_string_handle(resource_handle: Tensor, name: str | None = None) -> Tensor:
    """A string that stands for the iterator, to be fed where IteratorFromStringHandleV2 takes it.

    resource_handle: what IteratorV2 or OneShotIterator gives; the result is a scalar. As
    `tf.raw_ops.IteratorToStringHandle`.

    >>> iterator = gc.data.make_one_shot_iterator(gc.data.Dataset.range(3))
    >>> iterator.string_handle().dtype
    gc.string
    """
    result: Tensor = apply(ops.IteratorToStringHandle, resource_handle, name=name)
    return result
