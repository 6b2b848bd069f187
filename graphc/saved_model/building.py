"""Writing a SavedModel: saved_model.pb, variables/, assets/."""
from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf import text_format
from google.protobuf.any_pb2 import Any as AnyMessage

import graphc as gc
from graphc.api.public import public
from graphc.io.whole_files import written
from graphc.saved_model import fixed_names as names
from graphc.saved_model.signatures import predict_signature_def
from graphc.serial.meta_graph_pb2 import AssetFileDef, SavedModel, SignatureDef
from graphc.train.saving.saveables import all_saveable_objects
from graphc.train.saving.saver import Saver

RESERVED = ("__saved_model_init_op", "__saved_model_train_op")     # names of signatures
_ASSET_TYPE = "type.googleapis.com/tensorflow.AssetFileDef"


@public("saved_model.Builder", "saved_model.builder.SavedModelBuilder",
        "compat.v1.python.saved_model.builder.SavedModelBuilder")
class SavedModelBuilder:
    """Makes the folder export_dir, which must not be there or be empty, as `tf.saved_model.Builder`. `save` writes the
    meta graphs that were added; the variables are written with the first one.

    Raises AssertionError if there is something in it. add_meta_graph_and_variables raises FailedPreconditionError for a
    variable that is not initialised.

    >>> x = gc.placeholder(gc.float32, [None], "x")
    >>> y = gc.multiply(x, gc.Variable(2.), name="y")
    >>> gc.global_variables_initializer().run()
    >>> builder = gc.saved_model.Builder("built")
    >>> signature = gc.saved_model.predict_signature_def({"x": x}, {"y": y})
    >>> builder.add_meta_graph_and_variables(gc.get_default_session(), [gc.saved_model.SERVING], {"double": signature})
    >>> builder.save()
    b'built/saved_model.pb'
    """

    def __init__(self, export_dir: Any) -> None:
        self._folder = export_dir.decode() if isinstance(export_dir, bytes) else os.fspath(export_dir)
        self._made = SavedModel(saved_model_schema_version=names.SAVED_MODEL_SCHEMA_VERSION)
        self._has_variables = False
        self._assets: dict[str, str] = {}                           # name in assets/ -> the file that it is of
        if os.path.exists(self._folder) and (not os.path.isdir(self._folder) or os.listdir(self._folder)):
            raise AssertionError("Export directory already exists, and isn't empty. Please choose a different export "
                                 f"directory, or delete all the contents of the specified directory: {self._folder}")
        os.makedirs(self._folder, exist_ok=True)

    def add_meta_graph_and_variables(self, sess: Any, tags: Sequence[str],
                                     signature_def_map: Mapping[str, SignatureDef] | None = None,
                                     assets_collection: Any = None, legacy_init_op: Any = None,
                                     clear_devices: bool = False, main_op: Any = None,
                                     strip_default_attrs: bool = False, saver: Saver | None = None) -> None:
        """Adds the default graph, and writes the session's variables. main_op (legacy_init_op is its old name): what
        runs when it is loaded. assets_collection: constants that are names of files, which are copied.

        Raises AssertionError if the variables are written already, and for signatures that name no tensor.
        """
        if self._has_variables:
            raise AssertionError("Graph state including variables and assets has already been saved. Please invoke "
                                 "`add_meta_graph()` instead.")
        saver = self._prepare(signature_def_map, assets_collection, legacy_init_op, main_op, saver)
        saver.save(sess, os.path.join(self._folder, names.VARIABLES_DIRECTORY, names.VARIABLES_FILENAME),
                   write_meta_graph=False, write_state=False)
        self._add(saver, tags, signature_def_map, clear_devices, strip_default_attrs)
        self._has_variables = True

    def add_meta_graph(self, tags: Sequence[str], signature_def_map: Mapping[str, SignatureDef] | None = None,
                       assets_collection: Any = None, legacy_init_op: Any = None, clear_devices: bool = False,
                       main_op: Any = None, strip_default_attrs: bool = False, saver: Saver | None = None) -> None:
        """Adds the default graph, with other tags. Raises AssertionError if there are no variables yet."""
        if not self._has_variables:
            raise AssertionError("Graph state including variables and assets has not been saved yet. Please invoke "
                                 "`add_meta_graph_and_variables()` first.")
        saver = self._prepare(signature_def_map, assets_collection, legacy_init_op, main_op, saver)
        self._add(saver, tags, signature_def_map, clear_devices, strip_default_attrs)

    def save(self, as_text: bool = False) -> bytes:
        """Writes saved_model.pb (as_text: saved_model.pbtxt); returns its path."""
        name = names.SAVED_MODEL_FILENAME_PBTXT if as_text else names.SAVED_MODEL_FILENAME_PB
        path = os.path.join(self._folder, name)
        text = text_format.MessageToString(self._made).encode() if as_text else None
        with written(path) as file:
            file.write(self._made.SerializeToString(deterministic=True) if text is None else text)
        return os.fsencode(path)

    def _prepare(self, signatures: Mapping[str, SignatureDef] | None, assets: Any, legacy_init_op: Any, main_op: Any,
                 saver: Saver | None) -> Saver:
        for key, signature in (signatures or {}).items():
            _check_signature(key, signature)
        for tensor in assets or ():
            self._add_asset(tensor)
        _add_main_op(main_op if main_op is not None else legacy_init_op)
        return saver if saver is not None else Saver(all_saveable_objects(), sharded=True, allow_empty=True)

    def _add(self, saver: Saver, tags: Sequence[str], signatures: Mapping[str, SignatureDef] | None,
             clear_devices: bool, strip_default_attrs: bool) -> None:
        made = saver.export_meta_graph(clear_devices=clear_devices, strip_default_attrs=strip_default_attrs)
        made.meta_info_def.tags.extend(tags)
        for key, signature in (signatures or {}).items():
            made.signature_def[key].CopyFrom(signature)
        self._made.meta_graphs.add().CopyFrom(made)

    def _add_asset(self, tensor: Any) -> None:
        """Copies the file, and notes in the graph which one the tensor names."""
        if not isinstance(tensor, gc.Tensor) or tensor.op.type != "Const" or tensor.dtype != gc.string:
            raise TypeError(f"Asset path tensor must be a constant string, but is {tensor!r}")
        source = gc.get_static_value(tensor).item().decode()
        if not source:
            raise ValueError(f"Invalid asset filepath tensor {tensor!r}")
        name = self._asset_name(source)
        if name not in self._assets:
            folder = os.path.join(self._folder, names.ASSETS_DIRECTORY)
            os.makedirs(folder, exist_ok=True)
            shutil.copyfile(source, os.path.join(folder, name))
            self._assets[name] = source
        asset = AssetFileDef(filename=name)
        asset.tensor_info.name = tensor.name
        gc.add_to_collection(names.ASSETS_KEY, AnyMessage(type_url=_ASSET_TYPE, value=asset.SerializeToString()))

    def _asset_name(self, source: str) -> str:
        """Its last part, with a number if another file has that name."""
        base = name = os.path.basename(source)
        count = 0
        while name in self._assets and not filecmp.cmp(self._assets[name], source, shallow=False):
            count += 1
            name = f"{base}_{count}"
        return name


def _check_signature(key: str, signature: SignatureDef) -> None:
    if key in RESERVED:
        raise KeyError(f"SignatureDef map key \"{key}\" is reserved. Please use a different key.")
    for info in (*signature.inputs.values(), *signature.outputs.values()):
        if info.WhichOneof("encoding") is None or not info.dtype:
            raise AssertionError("All TensorInfo protos used in the SignatureDefs must have the name and dtype fields "
                                 f"set; of signature '{key}' one is: {info}")


def _add_main_op(main_op: Any) -> None:
    if main_op is None:
        return
    if not isinstance(main_op, gc.Operation):
        raise TypeError(f"main_op needs to be an Operation: {main_op!r}")
    for key in (names.MAIN_OP_KEY, names.LEGACY_INIT_OP_KEY):
        if gc.get_collection(key):
            raise ValueError(f"Graph already contains one or more main ops under the collection {key}.")
    gc.add_to_collection(names.MAIN_OP_KEY, main_op)


@public("saved_model.simple_save")
def simple_save(session: Any, export_dir: Any, inputs: Mapping[str, Any], outputs: Mapping[str, Any],
                legacy_init_op: Any = None) -> None:
    """Writes a SavedModel of the session's graph for serving, with one signature, as `tf.saved_model.simple_save`.

    inputs, outputs: name -> tensor. Its tag is SERVING, its signature "serving_default". Raises AssertionError if
    export_dir is there and not empty, FailedPreconditionError for a variable that is not initialised.

    >>> x = gc.placeholder(gc.float32, [None], "x")
    >>> y = gc.multiply(x, gc.Variable(2.), name="y")
    >>> gc.global_variables_initializer().run()
    >>> gc.saved_model.simple_save(gc.get_default_session(), "simple", inputs={"x": x}, outputs={"y": y})
    >>> sorted(gc.io.gfile.listdir("simple"))
    ['saved_model.pb', 'variables']
    """
    signatures = {names.DEFAULT_SERVING_SIGNATURE_DEF_KEY: predict_signature_def(inputs, outputs)}
    with session.graph.as_default():
        builder = SavedModelBuilder(export_dir)
        builder.add_meta_graph_and_variables(
            session, [names.SERVING], signatures, gc.get_collection(gc.GraphKeys.ASSET_FILEPATHS),
            main_op=legacy_init_op, clear_devices=True)
        builder.save()
