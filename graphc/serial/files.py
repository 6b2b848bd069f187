"""Graphs in files: write_graph, load_graph_def."""
from __future__ import annotations

import os
from typing import Any

from google.protobuf import text_format
from google.protobuf.message import DecodeError, Message

from graphc.api.public import public
from graphc.errors import DataLossError, InvalidArgumentError, NotFoundError
from graphc.io.whole_files import written
from graphc.ir.graph import Graph
from graphc.serial.graph_pb2 import GraphDef
from graphc.serial.graphdef import as_graph_def
from graphc.serial.importer import check_version

_SIZE_LIMIT = (1 << 31) - 1      # protobuf's own


@public("write_graph")
def write_graph(graph_or_graph_def: Any, logdir: str, name: str, as_text: bool = True) -> str:
    """Writes a Graph or GraphDef to logdir/name, as `tf.train.write_graph`; returns the path.

    as_text: the text format, which leaves out compiled Plans; use False for files that are to be run. Raises
    TypeError for anything else, InvalidArgumentError for more than 2 GB.
    """
    message = as_graph_def(graph_or_graph_def) if isinstance(graph_or_graph_def, Graph) else graph_or_graph_def
    if not isinstance(message, Message):
        raise TypeError(f"write_graph takes a Graph or a GraphDef, not {type(message).__name__}")
    folder = os.fspath(logdir)
    os.makedirs(folder or ".", exist_ok=True)
    path = os.path.join(folder, name)
    with written(path) as file:
        file.write(_text(message) if as_text else serialized(message))
    return path


def serialized(message: Message) -> bytes:
    """The bytes of a message, the same every time. Raises InvalidArgumentError if they are more than protobuf can
    hold."""
    size = message.ByteSize()
    if size > _SIZE_LIMIT:
        raise InvalidArgumentError(
            f"the graph has {size} bytes, but a .pb can hold {_SIZE_LIMIT} only: keep the weights in "
            "variables and save those, or split the model"
        )
    return message.SerializeToString(deterministic=True)


def _text(message: Message) -> bytes:
    if isinstance(message, GraphDef) and message.plans:
        plain = GraphDef()
        plain.CopyFrom(message)
        del plain.plans[:]
        message = plain
    return text_format.MessageToString(message).encode()


@public("load_graph_def")
def load_graph_def(path: str) -> GraphDef:
    """The GraphDef in a file, in binary or (.pbtxt) text form. (graphc's own)

    Raises NotFoundError if there is no such file, DataLossError if it is truncated, no GraphDef, or made by newer
    software.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {path}") from None
    graph_def = parse_graph_def(data, path)
    check_version(graph_def)
    return graph_def


def parse_graph_def(data: bytes, source: str = "the data") -> GraphDef:
    """Raises DataLossError if `data` is no GraphDef; source: what to call it."""
    if source.endswith((".pbtxt", ".prototxt")):
        try:
            return text_format.Parse(data.decode(), GraphDef())
        except (text_format.ParseError, UnicodeDecodeError) as error:
            raise DataLossError(f"{source} is no GraphDef in text form ({error})") from error
    try:
        graph_def = GraphDef.FromString(data)
    except DecodeError as error:
        raise DataLossError(f"{source} is no GraphDef, or truncated or damaged ({len(data)} bytes were read): copy it "
                            "again, or save the graph again") from error
    if not graph_def.node or any(not n.name or not n.op for n in graph_def.node):
        raise DataLossError(
            f"{source} holds no graph: it is empty or another kind of file (a SavedModel's saved_model.pb and "
            "checkpoints are no GraphDef); freeze the model into a GraphDef first"
        )
    return graph_def
