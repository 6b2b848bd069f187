"""Graphs in files: write_graph, load_graph_def."""
from __future__ import annotations

import os
import sys
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
from graphc.serial.large_graphs import SMALLEST_ASIDE, whole_size, with_constants_aside, with_constants_inside
from graphc.serial.side_files import open_side_file

_SIZE_LIMIT = (1 << 31) - 1      # protobuf's own


@public("write_graph")
def write_graph(graph_or_graph_def: Any, logdir: str, name: str, as_text: bool = True,
                aside_over: int | None = None) -> str:
    """Writes a Graph or GraphDef to logdir/name; returns the path.

    as_text: the text format, which leaves out compiled Plans; use False for files that are to be run. A graph that is
    too big for one file (2 GB) gets a second one, name.data, with its constants, and a line on stderr says so;
    TensorFlow cannot read it. aside_over: constants of more bytes than this go there, however small the graph is
    (graphc's own). As `tf.train.write_graph`. Raises TypeError for anything else, InvalidArgumentError for what is too
    big for a file.

    >>> x = gc.constant(1., name="x")
    >>> gc.train.write_graph(gc.get_default_graph(), "graphs", "graph.pbtxt")
    'graphs/graph.pbtxt'
    >>> print(open("graphs/graph.pbtxt").read())
    node {
      name: "x"
      op: "Const"
      ...
    """
    message = as_graph_def(graph_or_graph_def) if isinstance(graph_or_graph_def, Graph) else graph_or_graph_def
    if not isinstance(message, Message):
        raise TypeError(f"write_graph takes a Graph or a GraphDef, not {type(message).__name__}")
    folder = os.fspath(logdir)
    os.makedirs(folder or ".", exist_ok=True)
    path = os.path.join(folder, name)
    if isinstance(message, GraphDef):
        _write_graph_def(message, path, as_text, aside_over)
    else:
        with written(path) as file:
            file.write(_text(message) if as_text else serialized(message))
    return path


def _write_graph_def(graph_def: GraphDef, path: str, as_text: bool, aside_over: int | None) -> None:
    too_big = whole_size(graph_def) > _SIZE_LIMIT
    if as_text and (too_big or aside_over is not None):
        raise InvalidArgumentError(f"{path}: the text form has no second file for constants; write it with "
                                   "as_text=False")
    if not too_big and aside_over is None:
        whole = with_constants_inside(graph_def) if graph_def.HasField("side_file") else graph_def
        with written(path) as file:
            file.write(_text(whole) if as_text else serialized(whole))
        return
    aside = f"{path}.data"
    with written(path) as file:
        with written(aside) as data:           # has its name before the graph has
            made = with_constants_aside(graph_def, SMALLEST_ASIDE if aside_over is None else aside_over, data,
                                        os.path.basename(aside))
            content = serialized(made)
        file.write(content)
    sys.stderr.write(f"graphc: {path} has its constants in {aside}, {made.side_file.size} bytes; keep the two "
                     "together. TensorFlow cannot read it.\n")


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
    if isinstance(message, GraphDef) and (message.plans or message.HasField("state")):
        plain = GraphDef()
        plain.CopyFrom(message)
        del plain.plans[:]
        plain.ClearField("state")
        message = plain
    return text_format.MessageToString(message).encode()


@public("load_graph_def")
def load_graph_def(path: str) -> GraphDef:
    """The GraphDef in a file, in binary or (.pbtxt) text form. (graphc's own)

    Of a graph over 2 GB the constants are in a second file, which is mapped into memory: it must stay as it is.
    Raises NotFoundError if there is no such file, DataLossError if it is truncated, no GraphDef, or made by newer
    software.

    >>> x = gc.constant(1., name="x")
    >>> path = gc.train.write_graph(gc.get_default_graph(), ".", "graph.pb", as_text=False)
    >>> [node.name for node in gc.load_graph_def(path).node]
    ['x']
    """
    try:
        with open(os.fspath(path), "rb") as file:
            data = file.read()
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {path}") from None
    graph_def = parse_graph_def(data, path)
    check_version(graph_def)
    if graph_def.HasField("side_file"):
        open_side_file(os.fspath(path), graph_def.side_file)
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
