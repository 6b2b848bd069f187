"""Transformations for Dataset.apply, as `tf.data.experimental` and `tf.contrib.data` have them."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.data import batches, mapping, mixing, order, sources
from graphc.data.dataset import AUTOTUNE, Dataset, seeds_of, steps_of
from graphc.data.functions import scalar
from graphc.data.iterator import first_element
from graphc.data.pipeline import parameter
from graphc.data.structure import leaves_like, pack

Transformation = Callable[[Dataset], Dataset]


@public("data.experimental.map_and_batch", "contrib.data.map_and_batch",
        "data.experimental.map_and_batch_with_legacy_function", "contrib.data.map_and_batch_with_legacy_function")
def map_and_batch(map_func: Callable[..., Any], batch_size: Any, num_parallel_batches: Any = None,
                  drop_remainder: Any = False, num_parallel_calls: Any = None) -> Transformation:
    """map and batch, as `tf.data.experimental.map_and_batch`; pictures are decoded in other threads, unless
    num_parallel_calls is 1.

    Raises ValueError if both num_parallel_batches and num_parallel_calls are given; the rest as of Dataset.map and
    Dataset.batch.

    >>> squares = gc.data.Dataset.range(5).apply(gc.data.experimental.map_and_batch(lambda n: n * n, batch_size=3))
    >>> batch = squares.make_one_shot_iterator().get_next()
    >>> batch.eval(), batch.eval()
    (array([0, 1, 4]), array([ 9, 16]))
    """
    if num_parallel_batches is not None and num_parallel_calls is not None:
        raise ValueError("The `num_parallel_batches` and `num_parallel_calls` arguments are mutually exclusive.")
    calls = AUTOTUNE if num_parallel_calls is None else num_parallel_calls
    return lambda dataset: dataset.map(map_func, calls).batch(batch_size, drop_remainder)


@public("contrib.data.batch_and_drop_remainder")
def batch_and_drop_remainder(batch_size: Any) -> Transformation:
    """Batches of batch_size, never fewer, as `tf.contrib.data.batch_and_drop_remainder`.

    batch_size: an integer, or an integer scalar tensor (TypeError); an iterator over less than 1 raises
    InvalidArgumentError.

    >>> numbers = gc.data.Dataset.range(5).apply(gc.contrib.data.batch_and_drop_remainder(2))
    >>> numbers.output_shapes
    TensorShape([Dimension(2)])
    >>> batch = numbers.make_one_shot_iterator().get_next()
    >>> batch.eval(), batch.eval()
    (array([0, 1]), array([2, 3]))
    """
    return lambda dataset: dataset.batch(batch_size, drop_remainder=True)


@public("contrib.data.padded_batch_and_drop_remainder")
def padded_batch_and_drop_remainder(batch_size: Any, padded_shapes: Any, padding_values: Any = None) -> Transformation:
    """padded_batch, never fewer, as `tf.contrib.data.padded_batch_and_drop_remainder`.

    Raises ValueError for padded_shapes of another rank than the elements, TypeError for padding_values of another
    dtype; a larger element ends a run with DataLossError.

    >>> rows = gc.data.Dataset.range(1, 4).map(lambda n: gc.fill(gc.expand_dims(n, 0), n))
    >>> batches = rows.apply(gc.contrib.data.padded_batch_and_drop_remainder(2, padded_shapes=[None]))
    >>> batches.make_one_shot_iterator().get_next().eval()
    array([[1, 0],
           [2, 2]])
    """
    return lambda dataset: dataset.padded_batch(batch_size, padded_shapes, padding_values, drop_remainder=True)


@public("data.experimental.dense_to_sparse_batch", "contrib.data.dense_to_sparse_batch")
def dense_to_sparse_batch(batch_size: Any, row_shape: Any) -> Transformation:
    """Batches as SparseTensors, as `tf.data.experimental.dense_to_sparse_batch`.

    row_shape: the shape that elements fit in, None for the largest of the batch. The dense shape is [elements,
    *row_shape]. An element that is larger is an InvalidArgumentError. Raises TypeError unless elements are single dense
    tensors.

    >>> rows = gc.data.Dataset.range(1, 3).map(lambda n: gc.fill(gc.expand_dims(n, 0), n))
    >>> batches = rows.apply(gc.data.experimental.dense_to_sparse_batch(2, row_shape=[3]))
    >>> gc.sparse_tensor_to_dense(batches.make_one_shot_iterator().get_next()).eval()
    array([[1, 0, 0],
           [2, 2, 0]])
    """
    size = parameter(batch_size, "batch_size")
    return lambda dataset: dataset._then(batches.SparseBatch(dataset._step, size, row_shape))


@public("data.experimental.unbatch", "contrib.data.unbatch")
def unbatch() -> Transformation:
    """The rows of the elements, as `tf.data.experimental.unbatch`.

    Components have at least one axis (ValueError).

    >>> rows = gc.data.Dataset.from_tensors(([[1, 2], [3, 4]], ["a", "b"])).apply(gc.data.experimental.unbatch())
    >>> gc.get_default_session().run(rows.make_one_shot_iterator().get_next())
    (array([1, 2], dtype=int32), b'a')
    """
    return lambda dataset: dataset.unbatch()


@public("data.experimental.shuffle_and_repeat", "contrib.data.shuffle_and_repeat")
def shuffle_and_repeat(buffer_size: Any, count: Any = None, seed: Any = None) -> Transformation:
    """shuffle and repeat, as `tf.data.experimental.shuffle_and_repeat`.

    Each pass in another order, and all of one before the next; count: None for ever. buffer_size: an integer, or an
    integer tensor (TypeError); an iterator with less than 1 raises InvalidArgumentError.

    >>> numbers = gc.data.Dataset.range(4).apply(gc.data.experimental.shuffle_and_repeat(4, count=2, seed=1))
    >>> batch = numbers.batch(4).make_one_shot_iterator().get_next()
    >>> sorted(batch.eval().tolist()), sorted(batch.eval().tolist())
    ([0, 1, 2, 3], [0, 1, 2, 3])
    """
    return lambda dataset: dataset.shuffle(buffer_size, seed).repeat(count)


@public("data.experimental.parallel_interleave", "contrib.data.parallel_interleave")
def parallel_interleave(map_func: Callable[..., Any], cycle_length: Any, block_length: Any = 1, sloppy: Any = False,
                        buffer_output_elements: Any = None, prefetch_input_elements: Any = None) -> Transformation:
    """interleave, as `tf.data.experimental.parallel_interleave`: the order is the deterministic one, sloppy or not, and
    nothing is computed ahead.

    map_func gives a Dataset (TypeError); cycle_length and block_length below 1 end a run with InvalidArgumentError.

    >>> threes = gc.data.Dataset.range(2).apply(gc.data.experimental.parallel_interleave(
    ...     lambda n: gc.data.Dataset.from_tensors(n).repeat(3), cycle_length=2))
    >>> threes.batch(6).make_one_shot_iterator().get_next().eval()
    array([0, 1, 0, 1, 0, 1])
    """
    return lambda dataset: dataset.interleave(map_func, cycle_length, block_length)


@public("contrib.data.sloppy_interleave")
def sloppy_interleave(map_func: Callable[..., Any], cycle_length: Any, block_length: Any = 1) -> Transformation:
    """interleave, as `tf.contrib.data.sloppy_interleave`, in the deterministic order.

    Raises as parallel_interleave.

    >>> pairs = gc.data.Dataset.range(2).apply(gc.contrib.data.sloppy_interleave(
    ...     lambda n: gc.data.Dataset.from_tensors(n).repeat(2), cycle_length=2))
    >>> pairs.batch(4).make_one_shot_iterator().get_next().eval()
    array([0, 1, 0, 1])
    """
    return parallel_interleave(map_func, cycle_length, block_length, sloppy=True)


@public("data.experimental.group_by_window", "contrib.data.group_by_window")
def group_by_window(key_func: Callable[..., Any], reduce_func: Callable[..., Any], window_size: Any = None,
                    window_size_func: Callable[..., Any] | None = None) -> Transformation:
    """window_size elements with equal keys become what reduce_func(key, dataset) makes of them, as
    `tf.data.experimental.group_by_window`.
    key_func: from an element to an int64 scalar. window_size_func: from the key to the size, instead of
    window_size. At the end smaller windows are left.

    Raises ValueError unless exactly one of window_size and window_size_func is given, TypeError if key_func gives
    anything else, or reduce_func no Dataset; a size below 1 ends a run with InvalidArgumentError.

    >>> batches = gc.data.Dataset.range(6).apply(gc.data.experimental.group_by_window(
    ...     key_func=lambda n: n % 2, reduce_func=lambda key, numbers: numbers.batch(3), window_size=3))
    >>> batch = batches.make_one_shot_iterator().get_next()
    >>> batch.eval(), batch.eval()
    (array([0, 2, 4]), array([1, 3, 5]))
    """
    return lambda dataset: dataset.group_by_window(key_func, reduce_func, window_size, window_size_func)


@public("data.experimental.bucket_by_sequence_length", "contrib.data.bucket_by_sequence_length")
def bucket_by_sequence_length(element_length_func: Callable[..., Any], bucket_boundaries: Sequence[int],
                              bucket_batch_sizes: Sequence[int], padded_shapes: Any = None, padding_values: Any = None,
                              pad_to_bucket_boundary: bool = False, no_padding: bool = False,
                              drop_remainder: bool = False) -> Transformation:
    """Batches of elements of like length, as `tf.data.experimental.bucket_by_sequence_length`.

    element_length_func: from an element to its length, an int32 scalar. Lengths below bucket_boundaries[0] are the
    first bucket, and so on: bucket_batch_sizes has one entry more. pad_to_bucket_boundary: to the longest length of
    the bucket, not of the batch. no_padding: lengths within a bucket are the same. Raises ValueError if it has not.
    With pad_to_bucket_boundary a longer element than all boundaries ends a run with InvalidArgumentError.

    >>> rows = gc.data.Dataset.range(1, 5).map(lambda n: gc.fill(gc.expand_dims(n, 0), n))
    >>> batches = rows.apply(gc.data.experimental.bucket_by_sequence_length(
    ...     lambda row: gc.size(row), bucket_boundaries=[3], bucket_batch_sizes=[2, 2]))
    >>> batch = batches.make_one_shot_iterator().get_next()
    >>> batch.eval()
    array([[1, 0],
           [2, 2]])
    >>> batch.eval()
    array([[3, 3, 3, 0],
           [4, 4, 4, 4]])
    """
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
    """(state, element) becomes (state, output), as `tf.data.experimental.scan`; the outputs are the elements.

    The state keeps its dtypes. Raises TypeError for other ones, or if scan_func gives no pair.

    >>> totals = gc.data.Dataset.range(1, 5).apply(gc.data.experimental.scan(
    ...     gc.constant(0, gc.int64), lambda total, n: (total + n, total + n)))
    >>> totals.batch(4).make_one_shot_iterator().get_next().eval()
    array([ 1,  3,  6, 10])
    """
    return lambda dataset: dataset._then(mapping.Scan(dataset._step, initial_state,
                                                      dataset._stateful(scan_func, "scan")))


@public("data.experimental.take_while")
def take_while(predicate: Callable[..., Any]) -> Transformation:
    """The elements before the first one of which predicate is false, as `tf.data.experimental.take_while`.

    predicate gives a bool scalar (TypeError).

    >>> numbers = gc.data.Dataset.range(10).apply(gc.data.experimental.take_while(lambda n: n < 3))
    >>> numbers.batch(10).make_one_shot_iterator().get_next().eval()
    array([0, 1, 2])
    """
    return lambda dataset: dataset._then(mapping.TakeWhile(
        dataset._step, scalar(dataset._function(predicate, "take_while"), gc.bool, "take_while")))


@public("data.experimental.unique", "contrib.data.unique")
def unique() -> Transformation:
    """Elements, of one scalar each, that have not been there before, as `tf.data.experimental.unique`.

    They are int32, int64 or strings (TypeError).

    >>> letters = gc.data.Dataset.from_tensor_slices(["a", "b", "a"]).apply(gc.data.experimental.unique())
    >>> letters.batch(3).make_one_shot_iterator().get_next().eval()
    array([b'a', b'b'], dtype=object)
    """
    def transform(dataset: Dataset) -> Dataset:
        if dataset.output_types not in (gc.int32, gc.int64, gc.string):
            raise TypeError("`tf.data.experimental.unique()` only supports inputs with a single `tf.int32`, "
                            f"`tf.int64`, or `tf.string` component, but the elements are {dataset.output_types}")
        return dataset._then(order.Unique(dataset._step))

    return transform


@public("data.experimental.ignore_errors", "contrib.data.ignore_errors")
def ignore_errors() -> Transformation:
    """The elements that are no errors, as `tf.data.experimental.ignore_errors`.

    Of any dtypes and shapes.

    >>> numbers = gc.data.Dataset.from_tensor_slices([1., 0., 4.]).map(lambda x: gc.check_numerics(1. / x, "inf"))
    >>> n = numbers.apply(gc.data.experimental.ignore_errors()).make_one_shot_iterator().get_next()
    >>> n.eval(), n.eval()
    (np.float32(1.0), np.float32(0.25))
    """
    return lambda dataset: dataset._then(order.IgnoreErrors(dataset._step))


@public("data.experimental.enumerate_dataset", "contrib.data.enumerate_dataset")
def enumerate_dataset(start: Any = 0) -> Transformation:
    """(number, element), as `tf.data.experimental.enumerate_dataset`.

    The numbers are int64 scalars from start on. Raises TypeError if it is no integer.

    >>> letters = gc.data.Dataset.from_tensor_slices(["a", "b"]).apply(gc.data.experimental.enumerate_dataset(start=5))
    >>> pair = letters.make_one_shot_iterator().get_next()
    >>> gc.get_default_session().run(pair)
    (np.int64(5), b'a')
    """
    return lambda dataset: dataset.enumerate(start)


@public("data.experimental.prefetch_to_device", "contrib.data.prefetch_to_device")
def prefetch_to_device(device: Any, buffer_size: Any = None) -> Transformation:
    """The same elements, as `tf.data.experimental.prefetch_to_device`: there is one device, and nothing is computed
    ahead.

    buffer_size: an integer, -1 or at least 0; TypeError for what is none, InvalidArgumentError in a run for others.

    >>> numbers = gc.data.Dataset.range(3).apply(gc.data.experimental.prefetch_to_device("/cpu:0"))
    >>> numbers.make_one_shot_iterator().get_next().eval()
    np.int64(0)
    """
    return lambda dataset: dataset.prefetch(buffer_size)


@public("data.experimental.copy_to_device", "contrib.data.copy_to_device")
def copy_to_device(target_device: Any, source_device: Any = "/cpu:0") -> Transformation:
    """The same elements, as `tf.data.experimental.copy_to_device`: there is one device.

    target_device changes nothing.

    >>> numbers = gc.data.Dataset.range(3).apply(gc.data.experimental.copy_to_device("/cpu:0"))
    >>> numbers.make_one_shot_iterator().get_next().eval()
    np.int64(0)
    """
    return lambda dataset: dataset


@public("data.experimental.sample_from_datasets", "contrib.data.sample_from_datasets")
def sample_from_datasets(datasets: Sequence[Dataset], weights: Any = None, seed: Any = None) -> Dataset:
    """Each element is of a dataset drawn by weights (equal ones if None), as
    `tf.data.experimental.sample_from_datasets`; with a seed always the same, but not those that TensorFlow draws.

    weights: a list or a vector of numbers, one for each dataset; ValueError for another length, TypeError for a
    Dataset.

    >>> letters = [gc.data.Dataset.from_tensors(letter).repeat() for letter in "abc"]
    >>> mixed = gc.data.experimental.sample_from_datasets(letters, weights=[0.5, 0.5, 0.], seed=1)
    >>> sorted(set(mixed.batch(100).make_one_shot_iterator().get_next().eval()))
    [b'a', b'b']
    """
    if isinstance(weights, Dataset):
        raise TypeError("sample_from_datasets: weights must be a list or a tensor; choose_from_datasets takes a "
                        "dataset of numbers")
    given = [1.0 / len(datasets)] * len(datasets) if weights is None else weights
    if not isinstance(given, gc.Tensor) and len(given) != len(datasets):
        raise ValueError("`weights` must be a vector of length `len(datasets)`.")
    return Dataset(mixing.Sampled(steps_of(datasets), given, seeds_of(seed)))


@public("data.experimental.choose_from_datasets", "contrib.data.choose_from_datasets")
def choose_from_datasets(datasets: Sequence[Dataset], choice_dataset: Dataset) -> Dataset:
    """The next element of the dataset that choice_dataset names, as `tf.data.experimental.choose_from_datasets`.

    A dataset that has no more is passed over. choice_dataset: int64 scalars (TypeError); a number that names no dataset
    ends a run with InvalidArgumentError. Raises ValueError for no datasets.

    >>> letters = [gc.data.Dataset.from_tensors(letter).repeat() for letter in "ab"]
    >>> choice = gc.data.Dataset.from_tensor_slices(np.array([1, 0, 1]))
    >>> letter = gc.data.experimental.choose_from_datasets(letters, choice).make_one_shot_iterator().get_next()
    >>> [letter.eval() for _ in range(3)]
    [b'b', b'a', b'b']
    """
    if choice_dataset.output_types != gc.int64:
        raise TypeError("`choice_dataset` must be a dataset of scalar `tf.int64` tensors.")
    return Dataset(mixing.Chosen(steps_of(datasets), choice_dataset._step))


@public("data.experimental.Counter", "contrib.data.Counter")
def Counter(start: Any = 0, step: Any = 1, dtype: Any = gc.int64) -> Dataset:
    """start, start + step, ... for ever, as `tf.data.experimental.Counter`.

    They are scalars of dtype. Raises TypeError if start or step is no integer.

    >>> numbers = gc.data.experimental.Counter(start=10, step=5).take(3)
    >>> n = numbers.make_one_shot_iterator().get_next()
    >>> [n.eval() for _ in range(3)]
    [np.int64(10), np.int64(15), np.int64(20)]
    """
    return Dataset(sources.Range(parameter(start, "start"), None, parameter(step, "step"), gc.as_dtype(dtype)))


@public("data.experimental.RandomDataset", "contrib.data.RandomDataset")
class RandomDataset(Dataset):
    """Random numbers in [0, 2**32), as `tf.data.experimental.RandomDataset`.

    They are int64 scalars, without end; with a seed the same ones each time. Raises TypeError for a seed that is no
    integer.

    >>> n = gc.data.experimental.RandomDataset(seed=1).make_one_shot_iterator().get_next()
    >>> n.dtype, bool(0 <= n.eval() < 2 ** 32)
    (gc.int64, True)
    """

    def __init__(self, seed: Any = None) -> None:
        super().__init__(sources.Random(seeds_of(seed)))


@public("data.experimental.get_single_element", "contrib.data.get_single_element")
def get_single_element(dataset: Dataset) -> Any:
    """The tensors of the one element, as `tf.data.experimental.get_single_element`. InvalidArgumentError if there is
    none, or a second one.

    TypeError for what is no Dataset. The tensors have the structure, dtypes and shapes of the element.

    >>> total = gc.data.Dataset.range(5).batch(5).map(gc.reduce_sum)
    >>> gc.data.experimental.get_single_element(total).eval()
    np.int64(10)
    """
    if not isinstance(dataset, Dataset):
        raise TypeError("`dataset` must be a `tf.data.Dataset` object.")
    return first_element(order.Single(dataset._step))
