"""Loading a SavedModel into a session."""
from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from google.protobuf import text_format
from google.protobuf.message import DecodeError

import graphc as gc
from graphc.api.public import public
from graphc.errors import DataLossError
from graphc.saved_model import fixed_names as names
from graphc.serial.meta_graph_pb2 import AssetFileDef, MetaGraphDef, SavedModel
from graphc.train.saving.import_meta import import_meta_graph

INIT_SIGNATURE = "__saved_model_init_op"     # TensorFlow 2's way of naming the main op


@public("saved_model.load", "saved_model.loader.load", "compat.v1.python.saved_model.loader.load")
def load(sess: Any, tags: Iterable[str], export_dir: Any, import_scope: str | None = None,
         **saver_kwargs: Any) -> MetaGraphDef:
    """Adds the graph with exactly these tags to the session's graph, restores its variables and runs its main op;
    returns the graph's message, as `tf.saved_model.load` of TensorFlow 1. saver_kwargs: for gc.train.import_meta_graph.

    Raises OSError if there is no SavedModel, RuntimeError if none of its graphs has these tags.

    >>> x = gc.placeholder(gc.float32, [None], "x")
    >>> y = gc.multiply(x, gc.Variable(2.), name="y")
    >>> gc.global_variables_initializer().run()
    >>> gc.saved_model.simple_save(gc.get_default_session(), "loaded", {"x": x}, {"y": y})
    >>> with gc.Session(graph=gc.Graph()) as session:
    ...     meta_graph = gc.saved_model.load(session, [gc.saved_model.SERVING], "loaded")
    ...     signature = meta_graph.signature_def["serving_default"]
    ...     print(session.run(signature.outputs["y"].name, {signature.inputs["x"].name: [1., 2.]}))
    [2. 4.]
    """
    folder = export_dir.decode() if isinstance(export_dir, bytes) else os.fspath(export_dir)
    found = _with_tags(read_saved_model(folder), tags, folder)
    with sess.graph.as_default():
        saver = import_meta_graph(found, import_scope=import_scope, **saver_kwargs)
        if saver is not None:
            saver.restore(sess, os.path.join(folder, names.VARIABLES_DIRECTORY, names.VARIABLES_FILENAME))
        main_op = _main_op(found, import_scope)
        if main_op is not None:
            sess.run(main_op, {f"{import_scope}/{tensor}" if import_scope else tensor: path
                               for tensor, path in asset_files(found, folder)})
    return found


@public("saved_model.maybe_saved_model_directory", "saved_model.loader.maybe_saved_model_directory",
        "saved_model.contains_saved_model")
def maybe_saved_model_directory(export_dir: Any) -> bool:
    """Whether the folder has a saved_model.pb or saved_model.pbtxt, as `tf.saved_model.contains_saved_model`.

    Raises TypeError if it is no path.

    >>> x = gc.placeholder(gc.float32, [], "x")
    >>> gc.saved_model.simple_save(gc.get_default_session(), "there", {"x": x}, {"y": x + 1.})
    >>> gc.saved_model.contains_saved_model("there"), gc.saved_model.contains_saved_model("elsewhere")
    (True, False)
    """
    return any(os.path.isfile(os.path.join(os.fspath(export_dir), name))
               for name in (names.SAVED_MODEL_FILENAME_PB, names.SAVED_MODEL_FILENAME_PBTXT))


@public("saved_model.main_op.main_op")
def main_op() -> Any:
    """The operation that initialises variables and tables, for a builder's `main_op`, as `tf.saved_model.main_op`.

    >>> v, count = gc.Variable(1.), gc.Variable(0, collections=[gc.GraphKeys.LOCAL_VARIABLES])
    >>> gc.saved_model.main_op.main_op().run()
    >>> v.eval(), count.eval()
    (np.float32(1.0), np.int32(0))
    """
    return gc.group(gc.global_variables_initializer(), gc.local_variables_initializer(), gc.tables_initializer())


@public("saved_model.main_op_with_restore", "saved_model.main_op.main_op_with_restore")
def main_op_with_restore(restore_op_name: str) -> Any:
    """The operation of main_op, and after it the named one, as `tf.saved_model.main_op_with_restore`.

    Raises NotFoundError if the graph has none of that name.

    >>> v = gc.Variable(1.)
    >>> put = gc.group(v.assign(5.), name="put")
    >>> gc.saved_model.main_op_with_restore("put").run()
    >>> v.eval()
    np.float32(5.0)
    """
    with gc.control_dependencies([main_op()]):
        return gc.group(gc.get_default_graph().get_operation_by_name(restore_op_name))


def read_saved_model(folder: str) -> SavedModel:
    """Raises OSError if there is none, DataLossError if it is damaged."""
    path = os.path.join(folder, names.SAVED_MODEL_FILENAME_PB)
    text = os.path.join(folder, names.SAVED_MODEL_FILENAME_PBTXT)
    if not os.path.isfile(path) and not os.path.isfile(text):
        raise OSError(f"SavedModel file does not exist at: {folder}{os.path.sep}"
                      f"{{{names.SAVED_MODEL_FILENAME_PBTXT}|{names.SAVED_MODEL_FILENAME_PB}}}")
    try:
        if os.path.isfile(path):
            with open(path, "rb") as file:
                return SavedModel.FromString(file.read())
        with open(text, encoding="utf-8") as lines:
            return text_format.Merge(lines.read(), SavedModel())
    except (DecodeError, text_format.ParseError, UnicodeDecodeError) as error:
        raise DataLossError(f"{path if os.path.isfile(path) else text} is no SavedModel, or damaged: {error}") from None


def _with_tags(saved: SavedModel, tags: Iterable[str], folder: str) -> MetaGraphDef:
    wanted = {tags} if isinstance(tags, str) else set(tags)
    for graph in saved.meta_graphs:
        if set(graph.meta_info_def.tags) == wanted:
            return graph
    known = [sorted(graph.meta_info_def.tags) for graph in saved.meta_graphs]
    raise RuntimeError(f"MetaGraphDef associated with tags {sorted(wanted)} could not be found in SavedModel {folder}, "
                       f"with available tags {known}")


def _main_op(found: MetaGraphDef, scope: str | None) -> Any:
    for key in (names.MAIN_OP_KEY, names.LEGACY_INIT_OP_KEY):
        listed = found.collection_def[key].node_list.value if key in found.collection_def else []
        if len(listed) > 1:
            raise RuntimeError(f"Expected exactly one SavedModel main op. Found: {list(listed)}")
        if listed:
            return gc.get_default_graph().as_graph_element(f"{scope}/{listed[0]}" if scope else listed[0])
    if INIT_SIGNATURE in found.signature_def:
        name = next(iter(found.signature_def[INIT_SIGNATURE].outputs.values())).name
        return gc.get_default_graph().as_graph_element(f"{scope}/{name}" if scope else name)
    return None


def asset_files(found: MetaGraphDef, folder: str) -> list[tuple[str, str]]:
    """The tensors that name files, and where those are: in the folder, whatever the graph says."""
    listed = list(found.asset_file_def)
    if names.ASSETS_KEY in found.collection_def:
        listed = [AssetFileDef.FromString(any_of.value)
                  for any_of in found.collection_def[names.ASSETS_KEY].any_list.value]
    return [(asset.tensor_info.name, os.path.join(folder, names.ASSETS_DIRECTORY, os.path.basename(asset.filename)))
            for asset in listed]
