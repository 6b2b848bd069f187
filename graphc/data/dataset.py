"""Dataset: the methods that make a pipeline and add steps to it."""
from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.data import batches, caches, mapping, order, readers, sources
from graphc.data.functions import Function, scalar
from graphc.data.iterator import Iterator, first_element, initializable, one_shot
from graphc.data.options import Options
from graphc.data.pipeline import Step, parameter
from graphc.data.structure import DatasetPart, flatten, is_nested, leaves_like, pack, structure_of
from graphc.data.types import classes_of, shapes_of, types_of

AUTOTUNE = -1


@public("data.Dataset", "contrib.data.Dataset", "python.data.ops.dataset_ops.Dataset")
class Dataset:
    """A pipeline of elements: structures (tuples, namedtuples, dicts) of tensors, as `tf.data.Dataset`.

    Everything is computed on the thread that asks for an element, but for pictures, which map with num_parallel_calls
    decodes in other threads (graphc/data/ahead.py), and the order is always the same. map and filter may read tensors
    and files up to 64 elements ahead; Python functions are called, and random numbers drawn, when an element is asked
    for. prefetch changes nothing. Parameters may be tensors, whose values are taken when an iterator is started.

    Raises TypeError for functions that are not callable, return None, or for sizes that are no integers; what only a
    run knows ends it with InvalidArgumentError. It is no Python iterator (RuntimeError). A static shape has None where
    only a run knows the size.

    >>> x, y = np.arange(5.), np.arange(5) * 10
    >>> dataset = gc.data.Dataset.from_tensor_slices((x, y)).map(lambda x, y: (x * 2., y)).batch(2)
    >>> dataset
    <Dataset shapes: (TensorShape([Dimension(None)]), TensorShape([Dimension(None)])), types: (gc.float64, gc.int64)>
    >>> batch = dataset.make_one_shot_iterator().get_next()
    >>> session = gc.get_default_session()
    >>> for _ in range(3):
    ...     session.run(batch)
    (array([0., 2.]), array([ 0, 10]))
    (array([4., 6.]), array([20, 30]))
    (array([8.]), array([40]))
    >>> session.run(batch)
    Traceback (most recent call last):
        ...
    graphc.errors.OutOfRangeError: IteratorGetNext 'IteratorGetNext': End of sequence ...
    """

    def __init__(self, step: Step, options: Options | None = None) -> None:
        self._step, self._options = step, options or Options()

    def _then(self, step: Step) -> Dataset:
        return Dataset(step, self._options)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} shapes: {self.output_shapes}, types: {self.output_types}>"

    def __iter__(self) -> Any:
        raise RuntimeError("a Dataset is no Python iterator here: its elements are what session.run gives for "
                           "dataset.make_one_shot_iterator().get_next()")

    output_types = property(lambda self: types_of(self._step.structure), doc="The dtypes of an element's components.")
    output_shapes = property(lambda self: shapes_of(self._step.structure), doc="The shapes of an element's components.")
    output_classes = property(lambda self: classes_of(self._step.structure), doc="Tensor or SparseTensor, for each.")
    element_spec = property(lambda self: self._step.structure, doc="The structure of an element.")

    # Where elements come from

    @staticmethod
    def from_tensors(tensors: Any) -> Dataset:
        """One element, the tensors: what gc.convert_to_tensor takes, in structures. Raises ValueError for None."""
        return Dataset(sources.Tensors(tensors))

    @staticmethod
    def from_tensor_slices(tensors: Any) -> Dataset:
        """The rows of the tensors. ValueError if they have different numbers of rows, or a scalar is among them."""
        return Dataset(sources.Slices(tensors))

    @staticmethod
    def from_sparse_tensor_slices(sparse_tensor: Any) -> Dataset:
        """The rows of a SparseTensor. Raises TypeError for anything else."""
        if not isinstance(sparse_tensor, gc.SparseTensor):
            raise TypeError(f"`sparse_tensor` must be a `tf.SparseTensor` object. Was {sparse_tensor!r}.")
        return Dataset(sources.Slices(sparse_tensor))

    @staticmethod
    def from_generator(generator: Callable[..., Any], output_types: Any, output_shapes: Any = None,
                       args: Any = None) -> Dataset:
        """What generator(*args) yields; args may be tensors, which it gets as arrays. Raises TypeError if it cannot be
        called; an element of another dtype or shape ends a run with InvalidArgumentError."""
        if not callable(generator):
            raise TypeError("`generator` must be callable.")
        return Dataset(sources.Generated(generator, structure_of(output_types, output_shapes), tuple(args or ())))

    @staticmethod
    def range(*args: Any) -> Dataset:
        """Numbers of int64, as Python's range(stop), range(start, stop) or range(start, stop, step). Raises TypeError
        for other numbers than integers; a step of 0 ends a run with InvalidArgumentError."""
        if not 1 <= len(args) <= 3:
            raise ValueError(f"Invalid arguments to RangeDataset: {args}")
        numbers = [parameter(a, "range") for a in args]
        start, stop, step = [0, *numbers, 1] if len(numbers) == 1 else [*numbers, 1][:3]
        return Dataset(sources.Range(start, stop, step))

    @staticmethod
    def zip(datasets: Any) -> Dataset:
        """Elements side by side; datasets: a tuple or another structure of datasets, which elements have too. Raises
        TypeError for a list, and for what is no dataset."""
        for found in flatten(datasets):
            if not isinstance(found, Dataset):
                raise TypeError("The argument to `Dataset.zip()` must be a nested structure of `Dataset` objects (not "
                                f"a list), but holds {found!r}")
        steps = tuple(d._step for d in flatten(datasets))
        return Dataset(order.Zip(steps, pack(datasets, [s.structure for s in steps])))

    @staticmethod
    def list_files(file_pattern: Any, shuffle: Any = None, seed: Any = None) -> Dataset:
        """The names of the files that match the pattern, or one of several; shuffled unless shuffle says no.
        InvalidArgumentError when it is started if there is none."""
        found = Dataset(readers.Matching(file_pattern))
        return found.shuffle(1 << 40, seed) if shuffle is None or shuffle else found

    # Their number and order

    def concatenate(self, dataset: Dataset) -> Dataset:
        """The other dataset's elements after these. Raises TypeError if their dtypes differ."""
        mine, others = self.output_types, dataset.output_types
        if mine != others:
            raise TypeError(f"Two datasets to concatenate have different types {mine} and {others}")
        return self._then(order.Concatenate(self._step, dataset._step))

    def take(self, count: Any) -> Dataset:
        """The first elements; all of them for -1. Raises TypeError if count is no integer."""
        return self._then(order.Take(self._step, parameter(count, "count")))

    def skip(self, count: Any) -> Dataset:
        """All but the first elements; none for -1. Raises TypeError if count is no integer."""
        return self._then(order.Skip(self._step, parameter(count, "count")))

    def repeat(self, count: Any = None) -> Dataset:
        """count times the elements; for ever for None and -1. Raises TypeError if it is no integer."""
        return self._then(order.Repeat(self._step, -1 if count is None else parameter(count, "count")))

    def shard(self, num_shards: Any, index: Any) -> Dataset:
        """Every num_shards-th element, from the index-th on. Raises ValueError for num_shards below 1, and for an index
        outside."""
        shards, place = parameter(num_shards, "num_shards"), parameter(index, "index")
        if isinstance(shards, int) and shards < 1:
            raise ValueError("num_shards must be >= 1")
        if isinstance(place, int) and (place < 0 or (isinstance(shards, int) and place >= shards)):
            raise ValueError(f"index must be between 0 and num_shards - 1 ({shards} shards), but is {place}")
        return self._then(order.Shard(self._step, shards, place))

    def shuffle(self, buffer_size: Any, seed: Any = None, reshuffle_each_iteration: bool | None = None) -> Dataset:
        """The elements in a random order, each drawn from a buffer; with a seed, in TensorFlow's order. A buffer_size
        below 1 ends a run with InvalidArgumentError."""
        return self._then(order.Shuffle(self._step, parameter(buffer_size, "buffer_size"), seeds_of(seed),
                                        reshuffle_each_iteration is None or bool(reshuffle_each_iteration)))

    def cache(self, filename: Any = "") -> Dataset:
        """Keeps the elements once all have been computed, in memory or in a file. Raises TypeError for what is no
        path."""
        if isinstance(filename, (str, bytes, os.PathLike)) and not os.fspath(filename):
            return self._then(caches.CacheInMemory(self._step))
        return self._then(caches.CacheInFile(self._step, filename if isinstance(filename, gc.Tensor) else
                                             os.fspath(filename)))

    def prefetch(self, buffer_size: Any) -> Dataset:
        """The same elements: nothing is computed ahead. Raises TypeError if buffer_size is no integer."""
        return self._then(order.Prefetch(self._step, AUTOTUNE if buffer_size is None else
                                         parameter(buffer_size, "buffer_size")))

    def enumerate(self, start: Any = 0) -> Dataset:
        """(number, element), with numbers of int64 from start on. Raises TypeError if that is no integer."""
        return self._then(order.Enumerate(self._step, parameter(start, "start")))

    # Functions of them

    def map(self, map_func: Callable[..., Any], num_parallel_calls: Any = None, num_threads: Any = None,
            output_buffer_size: Any = None) -> Dataset:
        """map_func of each element; a tuple becomes several arguments. With num_parallel_calls other than 1 (or
        num_threads, which TensorFlow 1.2's contrib.data.Dataset has), pictures are decoded ahead, in other threads;
        output_buffer_size changes nothing. Raises TypeError for what is no function, and for one that gives None or a
        dataset."""
        parallel = any(n is not None and not (isinstance(n, int) and n == 1) for n in (num_parallel_calls, num_threads))
        return self._then(mapping.Map(self._step, self._function(map_func, "map"), parallel))

    def map_with_legacy_function(self, map_func: Callable[..., Any], num_parallel_calls: Any = None) -> Dataset:
        """As map."""
        return self.map(map_func, num_parallel_calls)

    def filter(self, predicate: Callable[..., Any]) -> Dataset:
        """The elements of which predicate is true. Raises TypeError unless it gives a bool scalar."""
        function = scalar(self._function(predicate, "filter"), gc.bool, "filter")
        return self._then(mapping.Filter(self._step, function))

    def filter_with_legacy_function(self, predicate: Callable[..., Any]) -> Dataset:
        """As filter."""
        return self.filter(predicate)

    def flat_map(self, map_func: Callable[..., Any]) -> Dataset:
        """The elements of the datasets that map_func gives, one dataset behind the other. Raises TypeError if it gives
        none."""
        return self._then(mapping.Interleave(self._step, self._function(map_func, "flat_map"), 1, 1, "flat_map"))

    def interleave(self, map_func: Callable[..., Any], cycle_length: Any = AUTOTUNE, block_length: Any = 1,
                   num_parallel_calls: Any = None) -> Dataset:
        """The elements of the datasets that map_func gives, block_length of each of cycle_length datasets in turn.
        Raises TypeError if it gives none; lengths below 1 end a run with InvalidArgumentError."""
        cycle = parameter(cycle_length, "cycle_length")
        return self._then(mapping.Interleave(self._step, self._function(map_func, "interleave"),
                                             (os.cpu_count() or 1) if cycle == AUTOTUNE else cycle,
                                             parameter(block_length, "block_length"), "interleave"))

    def group_by_window(self, key_func: Callable[..., Any], reduce_func: Callable[..., Any], window_size: Any = None,
                        window_size_func: Callable[..., Any] | None = None) -> Dataset:
        """window_size elements with equal keys (of int64) become what reduce_func(key, dataset of them) gives. Raises
        ValueError unless one of window_size and window_size_func is given, TypeError for other keys, and for what is no
        dataset."""
        if (window_size is None) == (window_size_func is None):
            raise ValueError("Must pass either window_size or window_size_func, but not both.")
        what = "group_by_window"
        key = scalar(self._function(key_func, what), gc.int64, f"{what}: key_func")
        reduce = Function(reduce_func, key.structure, DatasetPart(self._step.structure), wrap=Dataset, what=what)

        def size_of(key: Any) -> Any:
            return gc.cast(window_size_func(key) if window_size_func is not None else window_size, gc.int64)

        size = scalar(Function(size_of, key.structure, wrap=Dataset, what=what), gc.int64, f"{what}: window_size_func")
        return self._then(mapping.GroupByWindow(self._step, key, reduce, size))

    def reduce(self, initial_state: Any, reduce_func: Callable[..., Any]) -> Any:
        """The last state, as tensors: reduce_func(state, element) gives the next one. Raises TypeError if its dtypes
        change, ValueError if its structure does."""
        return first_element(mapping.Reduce(self._step, initial_state, self._stateful(reduce_func, "reduce")))

    def apply(self, transformation_func: Callable[[Dataset], Any]) -> Any:
        """transformation_func(self). Raises TypeError if that is no Dataset."""
        made = transformation_func(self)
        if not isinstance(made, Dataset):
            raise TypeError(f"`transformation_func` must return a Dataset, but returned {made!r}")
        return made

    def _function(self, func: Callable[..., Any], what: str) -> Function:
        return Function(func, self._step.structure, wrap=Dataset, what=what)

    def _stateful(self, func: Callable[..., Any], what: str) -> Callable[[Any, Any], Function]:
        return lambda state, element: Function(func, state, element, wrap=Dataset, what=what)

    # Elements together

    def batch(self, batch_size: Any, drop_remainder: Any = False) -> Dataset:
        """batch_size elements, one below the other: [batch_size, ...]; drop_remainder: never fewer. Raises TypeError if
        batch_size is no integer; one below 1, and elements of different shapes, end a run with InvalidArgumentError."""
        return self._then(batches.Batch(self._step, parameter(batch_size, "batch_size"), flag(drop_remainder)))

    def padded_batch(self, batch_size: Any, padded_shapes: Any, padding_values: Any = None,
                     drop_remainder: Any = False) -> Dataset:
        """Batches of elements filled up to padded_shapes (None or -1: as long as the longest) with padding_values.
        Raises ValueError for shapes of another rank, TypeError for values of another dtype and for SparseTensors; a
        larger element ends a run with DataLossError."""
        structure = self._step.structure
        values = ([None] * len(flatten(structure)) if padding_values is None
                  else leaves_like(structure, padding_values))
        return self._then(batches.PaddedBatch(self._step, parameter(batch_size, "batch_size"),
                                              leaves_like(structure, padded_shapes), values, flag(drop_remainder)))

    def unbatch(self) -> Dataset:
        """The rows of the elements. Raises ValueError if a component is a scalar."""
        return self._then(batches.Unbatch(self._step))

    def window(self, size: Any, shift: Any = None, stride: Any = 1, drop_remainder: Any = False) -> Dataset:
        """Datasets of size elements, shift (size) apart, of every stride-th element: flat_map takes them apart. Raises
        TypeError for what is no integer; numbers below 1 end a run with InvalidArgumentError."""
        return self._then(batches.Window(self._step, parameter(size, "size"),
                                         None if shift is None else parameter(shift, "shift"),
                                         parameter(stride, "stride"), flag(drop_remainder)))

    # Settings

    def options(self) -> Options:
        """What with_options was given."""
        return self._options

    def with_options(self, options: Options) -> Dataset:
        """The dataset with these options, which change no result. Raises TypeError for anything else."""
        return Dataset(self._step, self._options.merge(options))

    # Iterators

    def make_one_shot_iterator(self) -> Iterator:
        """An iterator that needs no initializer. ValueError if the dataset uses placeholders or variables."""
        return one_shot(self._step)

    def make_initializable_iterator(self, shared_name: str | None = None) -> Iterator:
        """An iterator that starts when session.run(iterator.initializer) says so."""
        return initializable(self._step, shared_name)


@public("data.make_one_shot_iterator")
def make_one_shot_iterator(dataset: Dataset) -> Iterator:
    """dataset.make_one_shot_iterator(): an iterator that goes over it once and needs no initialization.

    Raises ValueError if it uses placeholders or variables. As `tf.data.make_one_shot_iterator`.

    >>> n = gc.data.make_one_shot_iterator(gc.data.Dataset.range(2)).get_next()
    >>> n.eval(), n.eval()
    (np.int64(0), np.int64(1))
    """
    return dataset.make_one_shot_iterator()


@public("data.make_initializable_iterator")
def make_initializable_iterator(dataset: Dataset, shared_name: str | None = None) -> Iterator:
    """dataset.make_initializable_iterator(): an iterator to be started by its `initializer`, each time at the
    beginning.

    The dataset may use placeholders and variables, whose values are taken then. As
    `tf.data.make_initializable_iterator`.

    >>> size = gc.placeholder(gc.int64, [])
    >>> iterator = gc.data.make_initializable_iterator(gc.data.Dataset.range(size))
    >>> n = iterator.get_next()
    >>> iterator.initializer.run({size: 2})
    >>> n.eval(), n.eval()
    (np.int64(0), np.int64(1))
    >>> n.eval()
    Traceback (most recent call last):
        ...
    graphc.errors.OutOfRangeError: IteratorGetNext 'IteratorGetNext': End of sequence ...
    """
    return dataset.make_initializable_iterator(shared_name)


def seeds_of(seed: Any) -> tuple[Any, Any]:
    """The two seeds of a step; (0, 0): none."""
    if isinstance(seed, gc.Tensor):
        return gc.get_seed(0)[0], parameter(seed, "seed")
    first, second = gc.get_seed(None if seed is None else parameter(seed, "seed"))
    return first or 0, second or 0


def flag(value: Any) -> bool:
    """A bool that must be known now."""
    known = gc.get_static_value(value) if isinstance(value, gc.Tensor) else value
    if known is None:
        raise ValueError(f"drop_remainder must be known when the dataset is made, but is the tensor '{value.name}'")
    return bool(known)


def steps_of(datasets: Sequence[Any]) -> list[Step]:
    if is_nested(datasets) or isinstance(datasets, list):
        return [d._step for d in datasets]
    raise TypeError(f"a list of datasets is needed, but this was given: {datasets!r}")
