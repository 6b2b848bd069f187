"""Transformations for Dataset.apply, as `tf.data.experimental` and `tf.contrib.data` have them."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.data import batches, mapping, mixing, order, sources
from graphc.data.dataset import Dataset, seeds_of, steps_of
from graphc.data.functions import Function, scalar
from graphc.data.iterator import first_element
from graphc.data.pipeline import parameter
from graphc.data.structure import DatasetPart, leaves_like, pack

Transformation = Callable[[Dataset], Dataset]


@public("data.experimental.map_and_batch", "contrib.data.map_and_batch",
        "data.experimental.map_and_batch_with_legacy_function", "contrib.data.map_and_batch_with_legacy_function")
def map_and_batch(map_func: Callable[..., Any], batch_size: Any, num_parallel_batches: Any = None,
                  drop_remainder: Any = False, num_parallel_calls: Any = None) -> Transformation:
    """map and batch, as `tf.data.experimental.map_and_batch`. What is parallel in TensorFlow changes nothing."""
    if num_parallel_batches is not None and num_parallel_calls is not None:
        raise ValueError("The `num_parallel_batches` and `num_parallel_calls` arguments are mutually exclusive.")
    return lambda dataset: dataset.map(map_func).batch(batch_size, drop_remainder)


@public("contrib.data.batch_and_drop_remainder")
def batch_and_drop_remainder(batch_size: Any) -> Transformation:
    """Batches of batch_size, never fewer, as `tf.contrib.data.batch_and_drop_remainder`."""
    return lambda dataset: dataset.batch(batch_size, drop_remainder=True)


@public("contrib.data.padded_batch_and_drop_remainder")
def padded_batch_and_drop_remainder(batch_size: Any, padded_shapes: Any, padding_values: Any = None) -> Transformation:
    """padded_batch, never fewer, as `tf.contrib.data.padded_batch_and_drop_remainder`."""
    return lambda dataset: dataset.padded_batch(batch_size, padded_shapes, padding_values, drop_remainder=True)


@public("data.experimental.dense_to_sparse_batch", "contrib.data.dense_to_sparse_batch")
def dense_to_sparse_batch(batch_size: Any, row_shape: Any) -> Transformation:
    """Batches as SparseTensors, as `tf.data.experimental.dense_to_sparse_batch`."""
    size = parameter(batch_size, "batch_size")
    return lambda dataset: dataset._then(batches.SparseBatch(dataset._step, size, row_shape))


@public("data.experimental.unbatch", "contrib.data.unbatch")
def unbatch() -> Transformation:
    """The rows of the elements, as `tf.data.experimental.unbatch`."""
    return lambda dataset: dataset.unbatch()


@public("data.experimental.shuffle_and_repeat", "contrib.data.shuffle_and_repeat")
def shuffle_and_repeat(buffer_size: Any, count: Any = None, seed: Any = None) -> Transformation:
    """shuffle and repeat, as `tf.data.experimental.shuffle_and_repeat`."""
    return lambda dataset: dataset.shuffle(buffer_size, seed).repeat(count)


@public("data.experimental.parallel_interleave", "contrib.data.parallel_interleave")
def parallel_interleave(map_func: Callable[..., Any], cycle_length: Any, block_length: Any = 1, sloppy: Any = False,
                        buffer_output_elements: Any = None, prefetch_input_elements: Any = None) -> Transformation:
    """interleave, as `tf.data.experimental.parallel_interleave`: the order is the deterministic one, sloppy or not, and
    nothing is computed ahead."""
    return lambda dataset: dataset.interleave(map_func, cycle_length, block_length)


@public("contrib.data.sloppy_interleave")
def sloppy_interleave(map_func: Callable[..., Any], cycle_length: Any, block_length: Any = 1) -> Transformation:
    """interleave, as `tf.contrib.data.sloppy_interleave`, in the deterministic order."""
    return parallel_interleave(map_func, cycle_length, block_length, sloppy=True)


@public("data.experimental.group_by_window", "contrib.data.group_by_window")
def group_by_window(key_func: Callable[..., Any], reduce_func: Callable[..., Any], window_size: Any = None,
                    window_size_func: Callable[..., Any] | None = None) -> Transformation:
    """window_size elements with equal keys become what reduce_func(key, dataset) makes of them, as
    `tf.data.experimental.group_by_window`."""
    if (window_size is None) == (window_size_func is None):
        raise ValueError("Must pass either window_size or window_size_func, but not both.")
    size_of = window_size_func or (lambda key: gc.convert_to_tensor(window_size, gc.int64))

    def transform(dataset: Dataset) -> Dataset:
        key = scalar(dataset._function(key_func, "group_by_window"), gc.int64, "group_by_window: key_func")
        reduce = Function(reduce_func, key.structure, DatasetPart(dataset._step.structure), wrap=Dataset,
                          what="group_by_window")
        size = scalar(Function(lambda k: gc.cast(size_of(k), gc.int64), key.structure, wrap=Dataset,
                               what="group_by_window"), gc.int64, "group_by_window: window_size_func")
        return dataset._then(mapping.GroupByWindow(dataset._step, key, reduce, size))

    return transform


@public("data.experimental.bucket_by_sequence_length", "contrib.data.bucket_by_sequence_length")
def bucket_by_sequence_length(element_length_func: Callable[..., Any], bucket_boundaries: Sequence[int],
                              bucket_batch_sizes: Sequence[int], padded_shapes: Any = None, padding_values: Any = None,
                              pad_to_bucket_boundary: bool = False, no_padding: bool = False,
                              drop_remainder: bool = False) -> Transformation:
    """Batches of elements of like length, as `tf.data.experimental.bucket_by_sequence_length`."""
    if len(bucket_batch_sizes) != len(bucket_boundaries) + 1:
        raise ValueError("len(bucket_batch_sizes) must equal len(bucket_boundaries) + 1")
    boundaries, sizes = list(map(int, bucket_boundaries)), list(map(int, bucket_batch_sizes))

    def bucket_of(*element: Any) -> Any:
        length = gc.cast(element_length_func(*element), gc.int32)
        return gc.reduce_sum(gc.cast(gc.constant(boundaries, gc.int32) <= length, gc.int64))

    def batch_size_of(bucket: Any) -> Any:
        return gc.gather(gc.constant(sizes, gc.int64), bucket)

    def batch_of(bucket: Any, dataset: Dataset) -> Dataset:
        size = batch_size_of(bucket)
        if no_padding:
            return dataset.batch(size, drop_remainder)
        filler = None
        if pad_to_bucket_boundary:
            message = "When pad_to_bucket_boundary=True, elements must have length < max(bucket_boundaries)."
            check = gc.Assert(gc.less(bucket, len(sizes) - 1), [message])
            with gc.control_dependencies([check]):
                filler = gc.gather(gc.constant(boundaries, gc.int64), bucket) - 1
        shapes = padded_shapes if padded_shapes is not None else dataset.output_shapes
        return dataset.padded_batch(size, _filled(shapes, dataset.output_types, filler), padding_values, drop_remainder)

    return group_by_window(bucket_of, batch_of, window_size_func=batch_size_of)


def _filled(shapes: Any, types: Any, filler: Any) -> Any:
    """The shapes with unknown sizes made `filler`."""
    if filler is None:
        return shapes
    flat = []
    for shape in leaves_like(types, shapes):
        sizes = gc.TensorShape(shape).as_list()
        flat.append(gc.stack([filler if n is None else gc.constant(n, gc.int64) for n in sizes])
                    if None in sizes else sizes)
    return pack(types, flat)


@public("data.experimental.scan", "contrib.data.scan")
def scan(initial_state: Any, scan_func: Callable[..., Any]) -> Transformation:
    """(state, element) becomes (state, output), as `tf.data.experimental.scan`; the outputs are the elements."""
    return lambda dataset: dataset._then(mapping.Scan(dataset._step, initial_state,
                                                      dataset._stateful(scan_func, "scan")))


@public("data.experimental.take_while")
def take_while(predicate: Callable[..., Any]) -> Transformation:
    """The elements before the first one of which predicate is false, as `tf.data.experimental.take_while`."""
    return lambda dataset: dataset._then(mapping.TakeWhile(
        dataset._step, scalar(dataset._function(predicate, "take_while"), gc.bool, "take_while")))


@public("data.experimental.unique", "contrib.data.unique")
def unique() -> Transformation:
    """Elements, of one scalar each, that have not been there before, as `tf.data.experimental.unique`."""
    def transform(dataset: Dataset) -> Dataset:
        if dataset.output_types not in (gc.int32, gc.int64, gc.string):
            raise TypeError("`tf.data.experimental.unique()` only supports inputs with a single `tf.int32`, "
                            f"`tf.int64`, or `tf.string` component, but the elements are {dataset.output_types}")
        return dataset._then(order.Unique(dataset._step))

    return transform


@public("data.experimental.ignore_errors", "contrib.data.ignore_errors")
def ignore_errors() -> Transformation:
    """The elements that are no errors, as `tf.data.experimental.ignore_errors`."""
    return lambda dataset: dataset._then(order.IgnoreErrors(dataset._step))


@public("data.experimental.enumerate_dataset", "contrib.data.enumerate_dataset")
def enumerate_dataset(start: Any = 0) -> Transformation:
    """(number, element), as `tf.data.experimental.enumerate_dataset`."""
    return lambda dataset: dataset.enumerate(start)


@public("data.experimental.prefetch_to_device", "contrib.data.prefetch_to_device")
def prefetch_to_device(device: Any, buffer_size: Any = None) -> Transformation:
    """The same elements, as `tf.data.experimental.prefetch_to_device`: there is one device, and nothing is computed
    ahead."""
    return lambda dataset: dataset.prefetch(buffer_size)


@public("data.experimental.copy_to_device", "contrib.data.copy_to_device")
def copy_to_device(target_device: Any, source_device: Any = "/cpu:0") -> Transformation:
    """The same elements, as `tf.data.experimental.copy_to_device`: there is one device."""
    return lambda dataset: dataset


@public("data.experimental.sample_from_datasets", "contrib.data.sample_from_datasets")
def sample_from_datasets(datasets: Sequence[Dataset], weights: Any = None, seed: Any = None) -> Dataset:
    """Each element is of a dataset drawn by weights (equal ones if None), as
    `tf.data.experimental.sample_from_datasets`; with a seed always the same, but not those that TensorFlow draws."""
    if isinstance(weights, Dataset):
        raise TypeError("sample_from_datasets: weights must be a list or a tensor; choose_from_datasets takes a "
                        "dataset of numbers")
    given = [1.0 / len(datasets)] * len(datasets) if weights is None else weights
    if not isinstance(given, gc.Tensor) and len(given) != len(datasets):
        raise ValueError("`weights` must be a vector of length `len(datasets)`.")
    return Dataset(mixing.Sampled(steps_of(datasets), given, seeds_of(seed)))


@public("data.experimental.choose_from_datasets", "contrib.data.choose_from_datasets")
def choose_from_datasets(datasets: Sequence[Dataset], choice_dataset: Dataset) -> Dataset:
    """The next element of the dataset that choice_dataset names, as `tf.data.experimental.choose_from_datasets`."""
    if choice_dataset.output_types != gc.int64:
        raise TypeError("`choice_dataset` must be a dataset of scalar `tf.int64` tensors.")
    return Dataset(mixing.Chosen(steps_of(datasets), choice_dataset._step))


@public("data.experimental.Counter", "contrib.data.Counter")
def Counter(start: Any = 0, step: Any = 1, dtype: Any = gc.int64) -> Dataset:
    """start, start + step, ... for ever, as `tf.data.experimental.Counter`."""
    return Dataset(sources.Range(parameter(start, "start"), None, parameter(step, "step"), gc.as_dtype(dtype)))


@public("data.experimental.RandomDataset", "contrib.data.RandomDataset")
class RandomDataset(Dataset):
    """Random numbers in [0, 2**32), as `tf.data.experimental.RandomDataset`."""

    def __init__(self, seed: Any = None) -> None:
        super().__init__(sources.Random(seeds_of(seed)))


@public("data.experimental.get_single_element", "contrib.data.get_single_element")
def get_single_element(dataset: Dataset) -> Any:
    """The tensors of the one element, as `tf.data.experimental.get_single_element`. InvalidArgumentError if there is
    none, or a second one."""
    if not isinstance(dataset, Dataset):
        raise TypeError("`dataset` must be a `tf.data.Dataset` object.")
    return first_element(order.Single(dataset._step))
