"""The datasets that the nodes of a GraphDef stand for, as TensorFlow 1 and 2 write them.

Elements of such datasets are flat tuples of components; functions take and give as many tensors, behind which stand the
tensors that the function was given from outside. What graphc does not have is a dataset, too: to open it is an error.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import graphc as gc
from graphc import errors
from graphc.data import mapping, mixing, order, readers, sources
from graphc.data.dataset import Dataset
from graphc.data.files import FixedLengthRecordDataset, TextLineDataset, TFRecordDataset
from graphc.data.iterator import first_element
from graphc.data.pipeline import Run, Step, parameter
from graphc.data.structure import Element, flatten, structure_of

# What they give is what they get: they say how TensorFlow should compute it.
_PASSING = ("Prefetch", "Options", "Model", "Optimize", "MaxIntraOpParallelism", "PrivateThreadPool", "ThreadPool",
            "Finalize", "LatencyStats", "BytesProducedStats", "SetStatsAggregator", "NonSerializable", "AssertNext",
            "AssertPrev", "AssertCardinality", "Rewrite")
_REFUSED = (errors.OpError, TypeError, ValueError)


@dataclass(frozen=True)
class Node:
    """inputs: tensors and datasets; attributes: by name; function: one of the file's library, by its name."""

    op: str
    inputs: Sequence[Any]
    attributes: Mapping[str, Any]
    function: Callable[[str], Callable[..., list[Any]]]

    @property
    def dataset(self) -> Dataset:
        found = self.inputs[0]
        if not isinstance(found, Dataset):
            raise TypeError("its first input is no data set")
        return found

    def given(self, types: str = "Targuments") -> int:
        """How many tensors a function is given from outside."""
        return len(self.attributes.get(types) or ())

    @property
    def rest(self) -> Sequence[Any]:
        """The inputs behind the dataset and what its function is given."""
        return self.inputs[1 + self.given():]

    def called(self, name: str, first: int = 1, types: str = "Targuments", single: bool = False) -> Callable[..., Any]:
        """The function in an attribute, as datasets take it. first: the place of the first input that it is given. It
        gives a dataset, a tuple of tensors, or one tensor if `single`."""
        function, further = self.function(self.attributes[name]), self.inputs[first:first + self.given(types)]

        def call(*components: Any) -> Any:
            made = function(*components, *further)
            return made[0] if single or isinstance(made[0], Dataset) else tuple(made)

        return call


class Flat(Step):
    """The same elements, whose structure is a tuple of their components."""

    def __init__(self, before: Step) -> None:
        self.before, self.structure = (before,), tuple(flatten(before.structure))

    def open(self, run: Run) -> Iterator[Element]:
        return self.before[0].open(run)


class Refused(Step):
    """A dataset that graphc cannot make: `reason` says why."""

    def __init__(self, types: Sequence[Any], shapes: Sequence[Any], reason: str) -> None:
        self.structure, self.reason = structure_of(tuple(types), tuple(shapes)), reason

    def open(self, run: Run) -> Iterator[Element]:
        raise errors.UnimplementedError(f"{self.reason}; feed what the iterator's IteratorGetNext gives, or make the "
                                        "data set anew with gc.data")


def dataset_of(op: str, name: str, inputs: Sequence[Any], attributes: Mapping[str, Any],
               function: Callable[[str], Callable[..., list[Any]]]) -> Dataset | None:
    """The dataset of a node; None for what only keeps the state of one."""
    kind = re.sub(r"V\d+$", "", op).removeprefix("Experimental")
    if not kind.endswith("Dataset"):
        return None
    make = _KINDS.get(kind.removesuffix("Dataset"), _unknown)
    return Dataset(_step(make, Node(op, inputs, attributes, function), name))


def element_of(op: str, name: str, inputs: Sequence[Any], attributes: Mapping[str, Any],
               function: Callable[[str], Callable[..., list[Any]]]) -> list[Any]:
    """The tensors that the node gives of a dataset: ReduceDataset, DatasetToSingleElement."""
    make = _reduced if op == "ReduceDataset" else lambda n: Dataset(order.Single(n.dataset._step))
    return list(first_element(_step(make, Node(op, inputs, attributes, function), name)))


def _step(make: Callable[[Node], Dataset], node: Node, name: str) -> Step:
    step: Step
    try:
        step = make(node)._step
    except _REFUSED as error:
        types = node.attributes.get("output_types") or node.attributes.get("Toutput_types") or []
        step = Refused(types, node.attributes.get("output_shapes") or [None] * len(types), _refused_before(node) or (
            f"the data set {node.op} '{name}' of the GraphDef cannot be made: {error}"))
    except (AttributeError, IndexError, KeyError) as error:
        raise errors.DataLossError(f"it has {len(node.inputs)} inputs and the attributes {sorted(node.attributes)}, "
                                   "which are not those of such a data set; the file is damaged") from error
    return Flat(step)


def _refused_before(node: Node) -> str:
    """Why the data set that it goes on from could not be made; "" if it was."""
    before = node.inputs[0]._step.before[0] if node.inputs and isinstance(node.inputs[0], Dataset) else None
    return before.reason if isinstance(before, Refused) else ""


def _unknown(node: Node) -> Dataset:
    raise errors.UnimplementedError("graphc has none of this kind")


def _generated(node: Node) -> Dataset:
    raise errors.UnimplementedError("it is a Python generator of the program that wrote the graph")


def _shuffled(node: Node) -> Dataset:
    buffer_size, *seeds = (parameter(n, "shuffle") for n in node.inputs[1:4] if n is not None)
    first, second = seeds if len(seeds) == 2 else (0, 0)
    again = node.attributes.get("reshuffle_each_iteration")
    return Dataset(order.Shuffle(node.dataset._step, buffer_size, (first, second), again is None or again))


def _padded(node: Node) -> Dataset:
    count = node.attributes["N"]
    shapes, values = node.inputs[2:2 + count], node.inputs[2 + count:2 + 2 * count]
    return node.dataset.padded_batch(node.inputs[1], tuple(shapes), tuple(values), *node.inputs[2 + 2 * count:])


def _cached(node: Node) -> Dataset:
    known = gc.get_static_value(node.inputs[1])
    return node.dataset.cache("" if known is not None and not known[()] else node.inputs[1])


def _mapped_and_batched(node: Node) -> Dataset:
    size, _, *drop = node.rest
    return node.dataset.map(node.called("f")).batch(size, *drop)


def _grouped(node: Node) -> Dataset:
    places, first = {}, 1
    for part in ("key", "reduce", "window_size"):
        places[part] = (first, f"T{part}_func_other_arguments")
        first += node.given(places[part][1])
    return node.dataset.group_by_window(
        node.called("key_func", *places["key"], single=True), node.called("reduce_func", *places["reduce"]),
        window_size_func=node.called("window_size_func", *places["window_size"], single=True))


def _scanned(node: Node) -> Dataset:
    count = node.given("Tstate")
    function, dataset = node.called("f", 1 + count), node.dataset

    def step(state: Any, element: Any) -> Any:
        made = function(*state, *element)
        return made[:count], made[count:]

    return dataset._then(mapping.Scan(dataset._step, tuple(node.inputs[1:1 + count]), dataset._stateful(step, "scan")))


def _reduced(node: Node) -> Dataset:
    count = node.given("Tstate")
    function, dataset = node.called("f", 1 + count), node.dataset
    return Dataset(mapping.Reduce(dataset._step, tuple(node.inputs[1:1 + count]), dataset._stateful(
        lambda state, element: function(*state, *element), "reduce")))


def _steps(*datasets: Any) -> list[Step]:
    return [dataset._step for dataset in datasets]


_KINDS: dict[str, Callable[[Node], Dataset]] = {
    **dict.fromkeys(_PASSING, lambda n: n.dataset),
    "Tensor": lambda n: Dataset.from_tensors(tuple(n.inputs)),
    "TensorSlice": lambda n: Dataset.from_tensor_slices(tuple(n.inputs)),
    "Range": lambda n: Dataset.range(*n.inputs[:3]),
    "Random": lambda n: Dataset(sources.Random((parameter(n.inputs[0], "seed"), parameter(n.inputs[1], "seed2")))),
    "TFRecord": lambda n: TFRecordDataset(*n.inputs[:2]),
    "TextLine": lambda n: TextLineDataset(*n.inputs[:2]),
    "FixedLengthRecord": lambda n: FixedLengthRecordDataset(
        n.inputs[0], n.inputs[2], n.inputs[1], n.inputs[3],
        compression_type=n.inputs[5] if len(n.inputs) > 5 else None),
    "MatchingFiles": lambda n: Dataset(readers.Matching(n.inputs[0])),
    "Zip": lambda n: Dataset.zip(tuple(n.inputs)),
    "Concatenate": lambda n: n.dataset.concatenate(n.inputs[1]),
    "DirectedInterleave": lambda n: Dataset(mixing.Chosen(_steps(*n.inputs[1:]), n.dataset._step)),
    "Repeat": lambda n: n.dataset.repeat(n.inputs[1]),
    "Take": lambda n: n.dataset.take(n.inputs[1]),
    "Skip": lambda n: n.dataset.skip(n.inputs[1]),
    "Shard": lambda n: n.dataset.shard(n.inputs[1], n.inputs[2]),
    "Generator": _generated,
    "Shuffle": _shuffled,
    "ShuffleAndRepeat": lambda n: _shuffled(n).repeat(n.inputs[4]),
    "Cache": _cached,
    "Unique": lambda n: n.dataset._then(order.Unique(n.dataset._step)),
    "IgnoreErrors": lambda n: n.dataset._then(order.IgnoreErrors(n.dataset._step)),
    "Batch": lambda n: n.dataset.batch(*n.inputs[1:3]),
    "ParallelBatch": lambda n: n.dataset.batch(n.inputs[1], n.inputs[3]),
    "PaddedBatch": _padded,
    "Unbatch": lambda n: n.dataset.unbatch(),
    "Window": lambda n: n.dataset.window(*n.inputs[1:5]),
    "Map": lambda n: n.dataset.map(n.called("f")),
    "ParallelMap": lambda n: n.dataset.map(n.called("f")),
    "MapAndBatch": _mapped_and_batched,
    "Filter": lambda n: n.dataset.filter(n.called("predicate", single=True)),
    "TakeWhile": lambda n: n.dataset.apply(gc.data.experimental.take_while(n.called("predicate", single=True))),
    "FlatMap": lambda n: n.dataset.flat_map(n.called("f")),
    "Interleave": lambda n: n.dataset.interleave(n.called("f"), *n.rest[:2]),
    "ParallelInterleave": lambda n: n.dataset.interleave(n.called("f"), *n.rest[:2]),
    "LegacyParallelInterleave": lambda n: n.dataset.interleave(n.called("f"), *n.rest[:2]),
    "GroupByWindow": _grouped,
    "Scan": _scanned,
}
