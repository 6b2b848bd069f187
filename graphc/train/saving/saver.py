"""Saver: writes a session's variables into checkpoints, and reads them back.

What runs is nodes of the graph (nodes.py); the rest is which checkpoints are kept (states.py has the text file), and
what errors say (restored.py). The format is V2: proto/bundle.proto.
"""
from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.errors import InvalidArgumentError, NotFoundError, UnimplementedError
from graphc.io.checkpoint.leftovers import SAFETENSORS
from graphc.io.checkpoint.opening import checkpoint_files, open_checkpoint
from graphc.io.checkpoint.write_bundle import several_devices
from graphc.serial.meta_graph_pb2 import MetaGraphDef, SaverDef
from graphc.train.saving import states
from graphc.train.saving.collections import Kind, register
from graphc.train.saving.kept_graph import KeptGraph
from graphc.train.saving.meta_graph import export_meta_graph
from graphc.train.saving.nodes import add_nodes
from graphc.train.saving.restored import explained, restore_directly, restored_by
from graphc.train.saving.saveables import all_saveable_objects, saveables_of
from graphc.wording import warn

HOUR = 3600


@public("train.Saver", "compat.v1.python.training.saver.Saver", "compat.v1.python.training.training.Saver")
class Saver:
    """Saves and restores variables, as `tf.train.Saver`. Checkpoints are TensorFlow's.

    var_list: variables, or a dictionary of name in the checkpoint -> variable; None: all global ones and what the
    collection SAVEABLE_OBJECTS holds. reshape: variables may have another shape than in the checkpoint, with as many
    elements. sharded: one file of data a device. restore_sequentially may be given and changes nothing: restoring is
    sequential. write_version: SaverDef.V1 writes the format of TensorFlow before 0.12, one file, slowly. Raises
    ValueError without variables (unless allow_empty), UnimplementedError for a builder (var_list takes
    SaveableObjects), and for V1 with sharded. Raises TypeError for what is no variable, ValueError for a name that is
    there twice. save raises FailedPreconditionError for a variable that is not initialised, restore ValueError if there
    is no such checkpoint, NotFoundError if it lacks a variable, InvalidArgumentError for other dtypes or shapes.

    >>> v = gc.Variable([1., 2.], name="v")
    >>> saver = gc.train.Saver({"weights": v}, max_to_keep=3)
    >>> gc.global_variables_initializer().run()
    >>> path = saver.save(gc.get_default_session(), "./model", global_step=7)
    >>> path
    './model-7'
    >>> v.assign([0., 0.]).eval()
    array([0., 0.], dtype=float32)
    >>> saver.restore(gc.get_default_session(), path)
    >>> v.eval()
    array([1., 2.], dtype=float32)
    """

    def __init__(self, var_list: Any = None, reshape: bool = False, sharded: bool = False,
                 max_to_keep: int | None = 5, keep_checkpoint_every_n_hours: float = 10000.0, name: str | None = None,
                 restore_sequentially: bool = False, saver_def: SaverDef | None = None, builder: Any = None,
                 defer_build: bool = False, allow_empty: bool = False, write_version: int = SaverDef.V2,
                 pad_step_number: bool = False, save_relative_paths: bool = False,
                 filename: str | None = None) -> None:
        if defer_build and var_list:
            raise ValueError("If `var_list` is provided then build cannot be deferred. Either set defer_build=False or "
                             "var_list=None.")
        if builder is not None:
            raise UnimplementedError("Saver: argument 'builder' is not supported; the nodes of a Saver are always "
                                     "TensorFlow's usual ones. What is saved in a way of its own goes into var_list, "
                                     "as a SaveableObject")
        if write_version not in (SaverDef.V1, SaverDef.V2):
            raise ValueError(f"Saver: write_version is {write_version}, but must be SaverDef.V1 or SaverDef.V2")
        if write_version == SaverDef.V1 and sharded:
            raise UnimplementedError("Saver: checkpoints of format V1 are written into one file: leave out `sharded`, "
                                     "or write_version")
        self.saver_def = saver_def
        self._var_list, self._reshape, self._sharded = var_list, reshape, sharded
        self._max_to_keep, self._hours = max_to_keep or 0, keep_checkpoint_every_n_hours
        self._version = write_version
        self._name, self._filename, self._allow_empty = name, filename, allow_empty
        self._pads_step, self._relative = pad_step_number, save_relative_paths
        self._is_built = self._is_empty = False
        self._last_checkpoints: list[tuple[str, float]] = []
        self._to_be_deleted: list[tuple[str, float]] = []
        self._next_kept = math.inf
        self._graph = KeptGraph()
        if not defer_build:
            self.build()

    def __repr__(self) -> str:
        keeps = f"keeps {self._max_to_keep}" if self._max_to_keep else "keeps all"
        last = f", last: {self._last_checkpoints[-1][0]}" if self._last_checkpoints else ""
        return f"<Saver {'' if self._is_built else 'not built yet, '}{keeps}{last}>"

    def build(self) -> None:
        """Adds the nodes to the default graph, unless they are there."""
        if self._is_built:
            return
        self._is_built = True
        if self.saver_def is None:
            self._add_nodes()
        elif self._name:
            scope = self._name.rstrip("/")
            made = SaverDef()
            made.CopyFrom(self.saver_def)
            for field in ("filename_tensor_name", "save_tensor_name", "restore_op_name"):
                setattr(made, field, f"{scope}/{getattr(made, field)}")
            self.saver_def = made
        if self.saver_def is not None:
            _check(self.saver_def)
            self._next_kept = time.time() + self.saver_def.keep_checkpoint_every_n_hours * HOUR

    def _add_nodes(self) -> None:
        chosen = all_saveable_objects() if self._var_list is None else self._var_list
        if not chosen:
            if not self._allow_empty:
                raise ValueError("No variables to save")
            self._is_empty = True
            return
        self.saver_def = add_nodes(saveables_of(chosen), self._name, self._filename or "model", self._reshape,
                                   self._sharded, self._version)
        self.saver_def.max_to_keep = self._max_to_keep
        self.saver_def.keep_checkpoint_every_n_hours = self._hours

    # Saving

    def save(self, sess: Any, save_path: Any, global_step: Any = None, latest_filename: str | None = None,
             meta_graph_suffix: str = "meta", write_meta_graph: bool = True, write_state: bool = True,
             strip_default_attrs: bool = False, save_debug_info: bool = False) -> str | None:
        """Writes a checkpoint, its meta graph and the file `checkpoint`; returns the checkpoint's name, as
        `tf.train.Saver.save`. global_step (a number, tensor or its name) comes after save_path. A save_path that
        ends in ".safetensors" is one file of that format, and the step comes before the ending.

        Raises FailedPreconditionError if a variable is not initialised, TypeError if sess is no session.
        """
        self._check_built("save")
        if save_debug_info:
            raise UnimplementedError("Saver.save: argument 'save_debug_info' is not supported (graphc's graphs have a "
                                     "line for each operation, which is not saved)")
        latest = latest_filename or states.LATEST
        if os.path.split(latest)[0]:
            raise ValueError("'latest_filename' must not contain path components")
        if not hasattr(sess, "run") or not hasattr(sess, "graph"):
            raise TypeError(f"'sess' must be a Session; {sess!r}")
        prefix = self._prefix(sess, _text(save_path), global_step, latest)
        if not self._is_empty:
            assert self.saver_def is not None
            if self.saver_def.sharded and prefix.endswith(SAFETENSORS):
                raise several_devices(prefix)
            prefix = _text(sess.run(self.saver_def.save_tensor_name, {self.saver_def.filename_tensor_name: prefix}))
        if write_meta_graph:
            with sess.graph.as_default():
                self.export_meta_graph(states.meta_graph_name(prefix, meta_graph_suffix),
                                       strip_default_attrs=strip_default_attrs)
        if write_state and not self._is_empty:      # last: it names checkpoints that have all of their files
            self._note(prefix, os.path.dirname(_text(save_path)), latest, meta_graph_suffix)
        return None if self._is_empty else prefix

    def _prefix(self, sess: Any, save_path: str, global_step: Any, latest: str) -> str:
        if global_step is None:
            if os.path.basename(save_path) == latest and not self._sharded:
                raise ValueError(f"'latest_filename' collides with 'save_path': '{latest}' and '{save_path}'")
            return save_path
        if not hasattr(global_step, "__index__"):
            global_step = gc.train.global_step(sess, global_step)
        ending = SAFETENSORS if save_path.endswith(SAFETENSORS) else ""
        step = f"{int(global_step):08d}" if self._pads_step else str(int(global_step))
        return f"{save_path.removesuffix(ending)}-{step}{ending}"

    def _note(self, prefix: str, folder: str, latest: str, suffix: str) -> None:
        """A checkpoint has been written: the text file says so, and the oldest one may go."""
        assert self.saver_def is not None
        if self.saver_def.max_to_keep:
            self._last_checkpoints = [p for p in self._last_checkpoints if p[0] != prefix] + [(prefix, time.time())]
            if len(self._last_checkpoints) > self.saver_def.max_to_keep:
                self._to_be_deleted.append(self._last_checkpoints.pop(0))
        paths = [prefix, *self.last_checkpoints]
        if self._relative:
            paths = states.relative_to(folder, paths)
        states.update_checkpoint_state(folder, paths[0], paths[1:], latest)
        self._delete_oldest(suffix)

    def _delete_oldest(self, suffix: str) -> None:
        assert self.saver_def is not None
        if not self._to_be_deleted:
            return
        path, written = self._to_be_deleted.pop(0)
        if written > self._next_kept:
            self._next_kept += self.saver_def.keep_checkpoint_every_n_hours * HOUR
            return
        try:
            states.remove_checkpoint(path, self.saver_def.version, suffix)
        except OSError as error:
            warn(f"an old checkpoint could not be deleted: {error}")

    # Restoring

    def restore(self, sess: Any, save_path: Any) -> None:
        """Puts a checkpoint's values into the variables, which need not be initialised, as `tf.train.Saver.restore`.

        Raises ValueError if there is no such checkpoint, NotFoundError for variables that it lacks (with the nearest
        names), InvalidArgumentError for other shapes, DataLossError if it is damaged.
        """
        if self._is_empty:
            return
        if save_path is None:
            raise ValueError("Can't load save_path when it is None. (gc.train.latest_checkpoint gives None if a folder "
                             "holds no checkpoint)")
        self._check_built("restore")
        assert self.saver_def is not None
        prefix = _text(save_path)
        if not checkpoint_files(prefix):
            raise ValueError(f"The passed save_path is not a valid checkpoint: {prefix}{_near(prefix)}")
        operation = sess.graph.get_operation_by_name(self.saver_def.restore_op_name)
        if restore_directly(sess, operation, self.saver_def.filename_tensor_name, prefix):
            return
        try:
            sess.run(operation, {self.saver_def.filename_tensor_name: prefix, **_reshaped(operation, prefix)})
        except (NotFoundError, InvalidArgumentError) as error:
            raise explained(error, operation, prefix) from error

    # Which checkpoints there are

    @property
    def last_checkpoints(self) -> list[str]:
        """Those that have been written and not deleted, oldest first."""
        return [path for path, _ in self._last_checkpoints]

    def set_last_checkpoints(self, last_checkpoints: list[str]) -> None:
        """Says which checkpoints there are, oldest first; none of them is kept for its age."""
        assert isinstance(last_checkpoints, list)
        self._last_checkpoints = [(path, math.inf) for path in last_checkpoints]

    def set_last_checkpoints_with_time(self, last_checkpoints_with_time: list[tuple[str, float]]) -> None:
        """Says which checkpoints there are, oldest first, and when they were written (seconds)."""
        assert isinstance(last_checkpoints_with_time, list)
        self._last_checkpoints = last_checkpoints_with_time

    def recover_last_checkpoints(self, checkpoint_paths: Sequence[str]) -> None:
        """Goes on with those of these checkpoints that are there, as after a restart of the program."""
        found = [(path, times) for path in checkpoint_paths if (times := states.get_checkpoint_mtimes([path]))]
        self.set_last_checkpoints_with_time([(path, times[0]) for path, times in found])

    # As messages

    def as_saver_def(self) -> SaverDef | None:
        """The names of its nodes, and what is kept, as `tf.train.Saver.as_saver_def`."""
        return self.saver_def

    def to_proto(self, export_scope: str | None = None) -> SaverDef | None:
        """As as_saver_def; export_scope: without that scope in front of the names, or None if they are not in it."""
        if not export_scope or self.saver_def is None:
            return self.saver_def
        scope = export_scope.rstrip("/") + "/"
        made = SaverDef()
        made.CopyFrom(self.saver_def)
        for field in ("filename_tensor_name", "save_tensor_name", "restore_op_name"):
            if not getattr(made, field).startswith(scope):
                return None
            setattr(made, field, getattr(made, field).removeprefix(scope))
        return made

    @staticmethod
    def from_proto(saver_def: SaverDef, import_scope: str | None = None) -> Saver:
        """The Saver whose nodes are in the graph already, under import_scope."""
        return Saver(saver_def=saver_def, name=import_scope)

    def export_meta_graph(self, filename: str | None = None, collection_list: Sequence[str] | None = None,
                          as_text: bool = False, export_scope: str | None = None, clear_devices: bool = False,
                          clear_extraneous_savers: bool = False, strip_default_attrs: bool = False,
                          save_debug_info: bool = False) -> MetaGraphDef:
        """gc.train.export_meta_graph of the default graph with this Saver."""
        graph_def = None if export_scope else self._graph.graph_def(gc.get_default_graph())
        return export_meta_graph(filename, graph_def=graph_def, saver_def=self.saver_def,
                                 collection_list=collection_list, as_text=as_text, export_scope=export_scope,
                                 clear_devices=clear_devices, clear_extraneous_savers=clear_extraneous_savers,
                                 strip_default_attrs=strip_default_attrs, save_debug_info=save_debug_info)

    def _check_built(self, what: str) -> None:
        if not self._is_built:
            raise RuntimeError(f"`build()` should be called before {what} if defer_build==True")


register(gc.GraphKeys.SAVERS, Kind(SaverDef, Saver.to_proto, Saver.from_proto))


def _check(saver_def: Any) -> None:
    if not isinstance(saver_def, SaverDef):
        raise ValueError(f"saver_def must be a SaverDef message: {saver_def!r}")
    for field in ("save_tensor_name", "restore_op_name"):
        if not getattr(saver_def, field):
            raise ValueError(f"saver_def must specify the {field}: {saver_def}")


def _reshaped(operation: Any, prefix: str) -> dict[Any, Any]:
    """The values of those tensors that are brought to another shape, or go to variables without a known one: their
    ranks are the checkpoint's, which nothing in the graph tells."""
    found = [one for one in restored_by(operation) if one.reshaped or not one.variable.shape.is_fully_defined()]
    checkpoint = open_checkpoint(prefix) if found else None
    return {one.tensor: checkpoint.tensor(one.name) for one in found
            if checkpoint is not None and not one.slice_spec and checkpoint.stored(one.name) is not None}


def _near(prefix: str) -> str:
    try:
        open_checkpoint(prefix)
    except NotFoundError as error:
        return error.message.partition(prefix)[2]
    return ""


def _text(path: Any) -> str:
    return path.decode() if isinstance(path, bytes) else os.fspath(path)
