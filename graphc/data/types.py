"""The dtypes, shapes and classes of a dataset's or iterator's elements."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.data.structure import DatasetPart, SparsePart, map_leaves


def types_of(structure: Any) -> Any:
    return map_leaves(lambda part: types_of(part.structure) if isinstance(part, DatasetPart) else part.dtype, structure)


def shapes_of(structure: Any) -> Any:
    return map_leaves(lambda part: shapes_of(part.structure) if isinstance(part, DatasetPart) else part.shape,
                      structure)


def classes_of(structure: Any) -> Any:
    return map_leaves(lambda part: gc.SparseTensor if isinstance(part, SparsePart) else
                      gc.data.Dataset if isinstance(part, DatasetPart) else gc.Tensor, structure)


@public("data.get_output_types")
def get_output_types(dataset_or_iterator: Any) -> Any:
    """The dtypes of an element's components, as `tf.data.get_output_types`.

    In the structure of its elements. It takes an iterator, too.

    >>> gc.data.get_output_types(gc.data.Dataset.from_tensors({"x": 1., "label": 2}))
    {'x': gc.float32, 'label': gc.int32}
    """
    return dataset_or_iterator.output_types


@public("data.get_output_shapes")
def get_output_shapes(dataset_or_iterator: Any) -> Any:
    """The shapes of an element's components, as `tf.data.get_output_shapes`.

    TensorShapes in the structure of its elements. It takes an iterator, too.

    >>> gc.data.get_output_shapes(gc.data.Dataset.from_tensor_slices(np.zeros([6, 2])).batch(4))
    TensorShape([Dimension(None), Dimension(2)])
    """
    return dataset_or_iterator.output_shapes


@public("data.get_output_classes")
def get_output_classes(dataset_or_iterator: Any) -> Any:
    """Tensor, SparseTensor or Dataset, for each component, as `tf.data.get_output_classes`.

    In the structure of its elements. It takes an iterator, too.

    >>> gc.data.get_output_classes(gc.data.Dataset.range(3))
    <class 'graphc.ir.tensor.Tensor'>
    """
    return dataset_or_iterator.output_classes
