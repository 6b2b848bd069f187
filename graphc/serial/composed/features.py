"""Examples as TensorFlow 2 parses them: the keys are vectors, and one Example may stand for a vector of them."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.array.join import unstack
from graphc.errors import DataLossError, UnimplementedError
from graphc.ir.apply import apply
from graphc.ir.op import OPS
from graphc.ir.tensor import Tensor
from graphc.serial.attributes import from_attribute
from graphc.serial.composed.kind import Composed, g
from graphc.serial.graph_pb2 import NodeDef


def _function(name: str) -> Any:
    raise DataLossError(f"it names a function, '{name}'")


def _parsed(node: NodeDef, inputs: Sequence[Tensor]) -> list[Any]:
    """ParseExampleV2, by ParseExample."""
    serialized, names, sparse_keys, dense_keys, _, *defaults = inputs
    if node.attr["ragged_value_types"].list.type:
        raise UnimplementedError("it has ragged features, which are not supported; parse them as sparse ones")
    fields = {n: from_attribute(k, node.attr[n], _function) for n, k in (
        ("sparse_types", "list(type)"), ("Tdense", "list(type)"), ("dense_shapes", "list(shape)"))}
    sparse, dense = len(fields["sparse_types"]), len(fields["Tdense"])
    keys = [*unstack(sparse_keys, num=sparse), *unstack(dense_keys, num=dense)]
    if serialized.spec.rank is None:
        raise UnimplementedError("it is not known whether 'serialized' is one Example or a vector of them")
    single = serialized.spec.rank == 0
    if single:
        serialized, names = (g.reshape(t, [-1]) for t in (serialized, names))
    made = [] if not keys else list(apply(OPS["ParseExample"], serialized, names, [*keys, *defaults], Nsparse=sparse,
                                          Ndense=dense, **fields))
    if single:
        made = [*(indices[:, 1:] for indices in made[:sparse]), *made[sparse:2 * sparse],
                *(shape[1:] for shape in made[2 * sparse:3 * sparse]), *(value[0] for value in made[3 * sparse:])]
    return made


def _names(node: NodeDef) -> list[tuple[str, int]]:
    sparse, dense = len(node.attr["sparse_types"].list.type), len(node.attr["Tdense"].list.type)
    return [(name, i) for name, count in (("sparse_indices", sparse), ("sparse_values", sparse),
                                          ("sparse_shapes", sparse), ("dense_values", dense)) for i in range(count)]


def _names_of_sequences(node: NodeDef) -> list[tuple[str, int]]:
    found = []
    for part, dense_types in (("context", "Tcontext_dense"), ("feature_list", "feature_list_dense_types")):
        sparse, dense = (len(node.attr[name].list.type) for name in (f"{part}_sparse_types", dense_types))
        found += [(f"{part}_{name}", i) for name, count in (("sparse_indices", sparse), ("sparse_values", sparse),
                                                            ("sparse_shapes", sparse), ("dense_values", dense))
                  for i in range(count)]
    lengths = dense if node.op == "ParseSequenceExample" else 0
    return found + [("feature_list_dense_lengths", i) for i in range(lengths)]


FEATURES = {"ParseExampleV2": Composed(5, _names, _parsed)}
# The same results, of ops that have one list of them here.
LISTED = {"ParseExample": _names, "ParseSingleExample": _names, "ParseSequenceExample": _names_of_sequences,
          "ParseSingleSequenceExample": _names_of_sequences}
