"""Data sets and iterators of a file.

In a file, a data set is a value of dtype variant, and what is done to its elements is a function of the file's library.
Here it is a gc.data.Dataset (graphc/data/imported.py), made when its node is reached; no operation stands for it. A
data set that graphc does not have, or whose functions use what graphc does not know, is an error of the run that starts
an iterator over it, not of the import: graphs are often cut behind an iterator, by feeding what it gives.
"""
from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphc.api.array.identity import identity
from graphc.api.array.passing import identity_n
from graphc.api.control import iterators
from graphc.errors import DataLossError, UnimplementedError
from graphc.ir.graph import get_default_graph
from graphc.ir.late_imports import load
from graphc.ir.tensor import Operation, Tensor
from graphc.ops.control.script import HOSTS, PyFunc
from graphc.serial.graph_pb2 import AttrValue, NodeDef
from graphc.serial.lowered.parts import Part
from graphc.serial.tensors import shape_from_proto

if TYPE_CHECKING:
    from graphc.serial.lowered.building import Builder
    from graphc.serial.lowered.values import Value, Values

_DATASET = re.compile(r"\w+(Dataset|SeedGenerator|MemoryCache)(V\d+)?")
_NAMED = ("IteratorFromStringHandle", "IteratorFromStringHandleV2")
_OF_NAMED = ("IteratorToStringHandle", "IteratorGetNext")
_OF_ELEMENTS = ("ReduceDataset", "DatasetToSingleElement")
ITERATORS = ("MakeIterator", "OneShotIterator", *_OF_ELEMENTS, *_NAMED, *_OF_NAMED)


@dataclass(eq=False)
class DataSet:
    """What a node gives. dataset: a gc.data.Dataset, or None for what only keeps the state of one."""

    dataset: Any


@dataclass(eq=False)
class FedIterator:
    """Stands for the iterator that the string `fed` names."""

    handle: Tensor
    fed: Tensor


def is_dataset(op: str) -> bool:
    return _DATASET.fullmatch(op) is not None and op not in _OF_ELEMENTS


def is_of_data(node: NodeDef, first: Value | None) -> bool:
    """Whether a node with this first input is made here. The iterators that graphc writes name their data set by an
    attribute."""
    if node.op in ("MakeIterator", "OneShotIterator"):
        return "dataset" not in node.attr
    if node.op in _OF_NAMED:
        return isinstance(first, FedIterator)
    return is_dataset(node.op) or node.op in _OF_ELEMENTS or (node.op in _NAMED and first is not None)


def make(part: Part, node: NodeDef, values: Values, builder: Builder, name: str) -> None:
    """Builds a node. The operation that stands for it, if there is one, is called `name`."""
    made = _Made(part, node, values, builder, name)
    with get_default_graph().control_dependencies(builder.waits(part, values)):
        made.dataset() if is_dataset(node.op) else made.iterator()


@dataclass
class _Made:
    """One node."""

    part: Part
    node: NodeDef
    values: Values
    builder: Builder
    name: str

    def dataset(self) -> None:
        with get_default_graph().name_scope(f"{self.name}/"):
            made = load("graphc.data.imported").dataset_of(*self._described())
        self.values.name(self.part.name, DataSet(made), result="handle")
        self.values.name(self.part.name, DataSet(None), 1, "deleter")

    def iterator(self) -> None:
        graph = get_default_graph()
        graph.mark_name(self.name)
        if self.node.op == "MakeIterator":
            if len(self.part.texts) != 2:
                raise DataLossError(f"it has {len(self.part.texts)} inputs, but takes a data set and an iterator")
            dataset, handle = (self._input(text) for text in self.part.texts)
            self._name(iterators.make_iterator(self._pipeline(dataset), handle, name=f"{self.name}/"))
        elif self.node.op == "OneShotIterator":
            made = iterators.one_shot_iterator(self._pipeline(*self._function(_python(
                self.node.attr["dataset_factory"]))()), *self._elements(), name=f"{self.name}/")
            self._name(made.op, handle=made)
        elif self.node.op in _OF_ELEMENTS:
            with graph.name_scope(f"{self.name}/"):
                tensors = load("graphc.data.imported").element_of(*self._described())
            self._several(identity_n(tensors, name=f"{self.name}/") if len(tensors) > 1 else
                          [identity(tensors[0], name=f"{self.name}/")])
        elif self.node.op in _NAMED:
            made = iterators.iterator_from_string_handle(*self._elements(), name=f"{self.name}/")
            self.values.operations[self.part.name] = made.op
            self.values.name(self.part.name, FedIterator(made, self._input(self.part.texts[0])), 0, "resource_handle")
        else:
            self._of_named()

    def _of_named(self) -> None:
        named = self.builder.raw(self.part.texts[0], self.values)
        assert isinstance(named, FedIterator)
        if self.node.op == "IteratorToStringHandle":
            made = identity(named.fed, name=f"{self.name}/")
            self._name(made.op, string_handle=made)
        else:
            self._several(iterators.iterator_get_next(self.builder.visible(named.handle), *self._elements(), named.fed,
                                                      name=f"{self.name}/"))

    def _several(self, tensors: list[Tensor]) -> None:
        self.values.operations[self.part.name] = tensors[0].op
        for i, tensor in enumerate(tensors):
            for key in (f"{self.part.name}:{i}", f"{self.part.name}:components:{i}"):
                self.values.tensors[key] = tensor

    def _name(self, operation: Operation, **results: Tensor) -> None:
        self.values.operations[self.part.name] = operation
        for result, tensor in results.items():
            self.values.name(self.part.name, tensor, result=result)

    def _elements(self) -> tuple[Any, Any]:
        """The dtypes and shapes of an element's components."""
        return _python(self.node.attr["output_types"]), _python(self.node.attr["output_shapes"])

    def _described(self) -> tuple[Any, ...]:
        """What graphc/data/imported.py makes a data set of."""
        return (self.node.op, self.part.name, [self._input(text) for text in self.part.texts],
                {key: _python(value) for key, value in self.node.attr.items()}, self._function)

    def _pipeline(self, *given: Any) -> Any:
        if len(given) != 1 or not isinstance(given[0], load("graphc.data.dataset").Dataset):
            raise DataLossError("what it goes over is no data set; the file is damaged")
        return load("graphc.data.pipeline").Pipeline(given[0]._step)

    def _input(self, text: str) -> Any:
        """A tensor, or a dataset."""
        found = self.builder.raw(text, self.values)
        return found.dataset if isinstance(found, DataSet) else self.builder.tensor(text, self.values)

    def _function(self, name: str) -> Callable[..., list[Any]]:
        """A function of the file's library, of tensors and datasets."""
        def call(*arguments: Any) -> list[Any]:
            given = [a if isinstance(a, Tensor) else DataSet(a) for a in arguments]
            results = self.builder.call(name, given, self.builder.fresh(f"{self.name}/f"))
            for op in get_default_graph().get_operations():
                if isinstance(op.definition, PyFunc) and op.definition.token not in HOSTS:
                    raise UnimplementedError("its function calls a Python function of the program that wrote the "
                                             f"graph, in PyFunc '{op.name}'")
            return [made.dataset if isinstance(made, DataSet) else made for made in results]

        return call


def _python(value: AttrValue) -> Any:
    """An attribute: a bool, number or bytes, a function's name, or a list of dtypes or shapes (None: unknown)."""
    kind = value.WhichOneof("value")
    if kind == "func":
        return value.func.name
    if kind == "list":
        shapes = [shape_from_proto(shape) for shape in value.list.shape]
        return shapes or list(value.list.type) or list(value.list.i)
    return getattr(value, kind) if kind is not None else None
