"""Meta graphs read: the graph into the default one, its collections, and its Saver."""
from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from google.protobuf import text_format
from google.protobuf.message import DecodeError

import graphc as gc
from graphc.api.public import public
from graphc.serial.meta_graph_pb2 import MetaGraphDef
from graphc.train.saving.collections import import_collections
from graphc.train.saving.meta_graph import UNBOUND_KEY
from graphc.train.saving.saveables import all_saveable_objects
from graphc.train.saving.saver import Saver

_SAYS_TRAINABLE = (1, 9)       # TensorFlow's version since which a VariableDef does


@public("train.import_meta_graph", "compat.v1.python.training.saver.import_meta_graph")
def import_meta_graph(meta_graph_or_file: Any, clear_devices: bool = False, import_scope: str | None = None,
                      input_map: Mapping[str, Any] | None = None, return_elements: Sequence[str] | None = None,
                      graph: Any = None, restore_collections_predicate: Callable[[str], bool] = lambda key: True,
                      unbound_inputs_col_name: str = UNBOUND_KEY) -> Saver | None:
    """Adds a meta graph (a message, or the name of a file) to the default graph, with its collections; returns its
    Saver, or None if it has no variables. As `tf.train.import_meta_graph`.

    import_scope: in front of all names. return_elements changes nothing, in TensorFlow either. Resource variables
    become plain ones, whose values are the same. Raises OSError if there is no such file or it is no meta graph, and
    what gc.import_graph_def raises.

    >>> v = gc.Variable([1., 2.], name="v")
    >>> total = gc.reduce_sum(v, name="total")
    >>> gc.global_variables_initializer().run()
    >>> path = gc.train.Saver([v]).save(gc.get_default_session(), "./model")
    >>> with gc.Graph().as_default(), gc.Session() as session:
    ...     saver = gc.train.import_meta_graph("./model.meta")
    ...     saver.restore(session, path)
    ...     print(session.run("total:0"))
    3.0
    """
    proto = meta_graph_or_file if isinstance(meta_graph_or_file, MetaGraphDef) else read_meta_graph(meta_graph_or_file)
    _check_bound(proto, input_map, unbound_inputs_col_name)
    graph = graph if graph is not None else gc.get_default_graph()
    with graph.as_default():
        scope = graph.unique_name(import_scope, mark_as_used=False) if import_scope else graph.get_name_scope()
        graph_def = proto.graph_def
        if clear_devices:
            graph_def = gc.GraphDef.FromString(graph_def.SerializeToString())
            for node in graph_def.node:
                node.device = ""
        gc.import_graph_def(graph_def, name=import_scope or scope, input_map=input_map)
        version = _version(proto.meta_info_def.tensorflow_version)
        import_collections(proto.collection_def, scope or None,
                           lambda key: key != unbound_inputs_col_name and restore_collections_predicate(key),
                           version is None or version >= _SAYS_TRAINABLE)
        if proto.HasField("saver_def"):
            return Saver(saver_def=proto.saver_def, name=scope or None)
        return Saver() if all_saveable_objects() else None


def read_meta_graph(filename: Any) -> MetaGraphDef:
    """The message in a file, in binary or text form. Raises OSError."""
    path = filename.decode() if isinstance(filename, bytes) else os.fspath(filename)
    if not os.path.isfile(path):
        raise OSError(f"File {path} does not exist.")
    with open(path, "rb") as file:
        data = file.read()
    try:
        return MetaGraphDef.FromString(data)
    except DecodeError:
        pass
    try:
        return text_format.Merge(data.decode(), MetaGraphDef())
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise OSError(f"Cannot parse file {path}: {error}. It is no meta graph (.meta), or damaged") from None


def _check_bound(proto: MetaGraphDef, input_map: Mapping[str, Any] | None, key: str) -> None:
    found = proto.collection_def[key].bytes_list.value if key in proto.collection_def else []
    names = [name.decode() for name in found]
    if names and sorted(names) != sorted(input_map or {}):
        raise ValueError(f"Graph contains unbound inputs: {','.join(n for n in names if n not in (input_map or {}))}. "
                         "Must provide these inputs through input_map.")


def _version(text: str) -> tuple[int, ...] | None:
    parts = text.split(".")[:2]
    return tuple(map(int, parts)) if len(parts) == 2 and all(p.isdigit() for p in parts) else None
