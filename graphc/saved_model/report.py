"""What `graphc inspect` says of a SavedModel: tags, signatures with their inputs and outputs, variables, assets."""
from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import graphc as gc
from graphc.errors import OpError
from graphc.io.checkpoint.opening import checkpoint_files, open_checkpoint
from graphc.ir.dtypes import as_dtype
from graphc.saved_model import fixed_names as names
from graphc.saved_model.loading import INIT_SIGNATURE, asset_files, read_saved_model
from graphc.serial.meta_graph_pb2 import MetaGraphDef, TensorInfo
from graphc.serial.resource_variables import with_plain_variables
from graphc.serial.tensors import shape_from_proto

SHOWN = 40                 # variables


def report(folder: str) -> str:
    """The text. Raises OSError if there is no SavedModel, DataLossError if it is damaged."""
    saved = read_saved_model(folder)
    lines = [f"{folder}: SavedModel with {_count(len(saved.meta_graphs), 'graph')}"]
    for graph in saved.meta_graphs:
        lines += _graph(graph, folder)
    lines += _variables(os.path.join(folder, names.VARIABLES_DIRECTORY, names.VARIABLES_FILENAME))
    return "\n".join(lines)


def _graph(graph: MetaGraphDef, folder: str) -> Iterator[str]:
    tags = ", ".join(sorted(graph.meta_info_def.tags)) or "(none)"
    maker = graph.meta_info_def.tensorflow_version
    yield f"\ntags {tags}" + (f"   (TensorFlow {maker})" if maker else "")
    for key in sorted(graph.signature_def):
        if key == INIT_SIGNATURE:
            continue
        signature = graph.signature_def[key]
        yield f"  signature {key}" + (f"   {signature.method_name}" if signature.method_name else "")
        yield from _tensors("input", signature.inputs)
        yield from _tensors("output", signature.outputs)
    for tensor, path in asset_files(graph, folder):
        yield f"  asset {os.path.relpath(path, folder)}   {tensor}"
    plain = with_plain_variables(graph.graph_def)
    yield f"  {_count(len(plain.node), 'node')}, {_count(len(plain.library.function), 'function')}"
    try:
        with gc.Graph().as_default():
            gc.import_graph_def(plain, name="")
    except (OpError, ValueError, TypeError) as error:
        yield f"  graphc cannot load it: {error}"


def _tensors(what: str, tensors: Mapping[str, TensorInfo]) -> Iterator[str]:
    for key in sorted(tensors):
        yield f"    {what} {key}: {_described(tensors[key])}   {_names(tensors[key])}"


def _described(info: TensorInfo) -> str:
    try:
        dtype = as_dtype(int(info.dtype)).name
    except TypeError:
        dtype = f"dtype {info.dtype}"
    return f"{dtype} {_shape(shape_from_proto(info.tensor_shape))}"


def _shape(sizes: Any) -> str:
    return "of any shape" if sizes is None else f"[{', '.join('?' if s is None else str(s) for s in sizes)}]"


def _names(info: TensorInfo) -> str:
    if info.WhichOneof("encoding") == "coo_sparse":
        sparse = info.coo_sparse
        return f"{sparse.indices_tensor_name} {sparse.values_tensor_name} {sparse.dense_shape_tensor_name}"
    return info.name


def _variables(prefix: str) -> list[str]:
    if not checkpoint_files(prefix):
        return ["\nno variables"]
    try:
        checkpoint = open_checkpoint(prefix)
        found = [(name, stored) for name in checkpoint.names() if (stored := checkpoint.stored(name)) is not None]
    except OpError as error:
        return [f"\nvariables cannot be read: {error}"]
    lines = [f"\n{_count(len(found), 'tensor')} in variables/"]
    lines += [f"  {name}: {stored.dtype.name} {_shape(stored.shape)}" for name, stored in found[:SHOWN]]
    return lines + ([f"  and {len(found) - SHOWN} more"] if len(found) > SHOWN else [])


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
