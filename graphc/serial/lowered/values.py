"""What the names of a region stand for while it is built, and where: shared by the files that build."""
from __future__ import annotations

from dataclasses import dataclass, field

from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Operation, Tensor
from graphc.serial.lowered.datasets import DataSet, FedIterator
from graphc.serial.lowered.handles import Handle

Value = Tensor | Handle | DataSet | FedIterator
NO_TENSORS = (Handle, DataSet, FedIterator)


@dataclass
class Values:
    """What the names of a region stand for. around: of the region around, for a loop's."""

    around: Values | None = None
    function: str = ""                                                 # "": the graph
    tensors: dict[str, Value] = field(default_factory=dict)            # "node:output", in functions "node:result:0"
    operations: dict[str, Operation] = field(default_factory=dict)

    def find(self, text: str) -> Value | None:
        key = text if ":" in text else f"{text}:0"
        found = self.tensors.get(key)
        return self.around.find(text) if found is None and self.around is not None else found

    def operation(self, name: str) -> Operation | None:
        found = self.operations.get(name)
        return self.around.operation(name) if found is None and self.around is not None else found

    def name(self, node: str, value: Value, index: int = 0, result: str = "output") -> None:
        self.tensors[f"{node}:{index}"] = self.tensors[f"{node}:{result}:0"] = value


def local_name(name: str) -> str:
    """A name for a node in a body, which inputs of the body may have taken."""
    graph, free, count = get_default_graph(), name, 0
    while not graph.is_free(free):
        count += 1
        free = f"{name}_{count}"
    return free
