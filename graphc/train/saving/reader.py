"""What is in a checkpoint, without a graph: NewCheckpointReader, list_variables, load_variable."""
from __future__ import annotations

import os
from typing import Any

from graphc.api.public import public
from graphc.io.checkpoint.opening import missing_tensor, open_checkpoint
from graphc.serial.graph_pb2 import DataType
from graphc.train.saving.states import checkpoint_exists, latest_checkpoint


class CheckpointReader:
    """The tensors of a checkpoint, as `tf.train.NewCheckpointReader` gives it. They are read when asked for."""

    def __init__(self, filepattern: Any) -> None:
        self._checkpoint = open_checkpoint(_text(filepattern))

    def has_tensor(self, tensor_str: Any) -> bool:
        return self._checkpoint.stored(_text(tensor_str)) is not None

    def get_tensor(self, tensor_str: Any) -> Any:
        """An array of the caller's own; of a scalar, a NumPy scalar or bytes. Raises NotFoundError, DataLossError."""
        name = _text(tensor_str)
        if not self.has_tensor(name):
            raise missing_tensor(self._checkpoint, name)
        value = self._checkpoint.tensor(name)
        return value if value.ndim else value[()]

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        return {name: list(self._stored(name).shape) for name in self._checkpoint.names()}

    def get_variable_to_dtype_map(self) -> dict[str, Any]:
        return {name: self._stored(name).dtype for name in self._checkpoint.names()}

    def debug_string(self) -> bytes:
        """A line a tensor: its name, dtype, shape, and the number of its parts if it is stored in parts."""
        lines = []
        for name in self._checkpoint.names():
            stored = self._stored(name)
            parts = f", {len(stored.parts)} slices" if stored.parts else ""
            lines.append(f"{name} ({DataType.Name(stored.dtype.number)}) "
                         f"[{','.join(map(str, stored.shape))}]{parts}\n")
        return "".join(lines).encode()

    def _stored(self, name: str) -> Any:
        return self._checkpoint.stored(name)


@public("train.NewCheckpointReader", "compat.v1.python.pywrap_tensorflow.NewCheckpointReader",
        "compat.v1.python.training.training.NewCheckpointReader")
def new_checkpoint_reader(filepattern: Any) -> CheckpointReader:
    """A reader of the checkpoint of this name, of format V2 or V1, as `tf.train.NewCheckpointReader`. Raises
    NotFoundError if there is none, DataLossError if it is damaged.

    >>> v = gc.Variable([1., 2.], name="v")
    >>> gc.global_variables_initializer().run()
    >>> path = gc.train.Saver([v]).save(gc.get_default_session(), "./model")
    >>> reader = gc.train.NewCheckpointReader(path)
    >>> reader.get_variable_to_shape_map(), reader.get_tensor("v")
    ({'v': [2]}, array([1., 2.], dtype=float32))
    """
    return CheckpointReader(filepattern)


@public("train.load_checkpoint", "contrib.framework.load_checkpoint")
def load_checkpoint(ckpt_dir_or_file: Any) -> CheckpointReader:
    """A reader of a checkpoint, or of the newest one of a folder, as `tf.train.load_checkpoint`. Raises ValueError if
    the folder has none.

    NotFoundError if there is no such checkpoint.

    >>> v = gc.Variable([1., 2.], name="v")
    >>> gc.global_variables_initializer().run()
    >>> path = gc.train.Saver().save(gc.get_default_session(), "run/model", global_step=3)
    >>> gc.train.load_checkpoint("run").get_tensor("v")
    array([1., 2.], dtype=float32)
    """
    return CheckpointReader(checkpoint_name(ckpt_dir_or_file))


@public("train.load_variable", "contrib.framework.load_variable")
def load_variable(ckpt_dir_or_file: Any, name: str) -> Any:
    """The value of a variable of a checkpoint, as `tf.train.load_variable`. "v:0" means "v".

    An array of its shape and dtype. Raises NotFoundError if the checkpoint is not there, or has no such variable.

    >>> v = gc.Variable([1., 2.], name="v")
    >>> gc.global_variables_initializer().run()
    >>> path = gc.train.Saver().save(gc.get_default_session(), "./model")
    >>> gc.train.load_variable(path, "v")
    array([1., 2.], dtype=float32)
    """
    return load_checkpoint(ckpt_dir_or_file).get_tensor(name.removesuffix(":0"))


@public("train.list_variables", "contrib.framework.list_variables")
def list_variables(ckpt_dir_or_file: Any) -> list[tuple[str, list[int]]]:
    """(name, shape) of what a checkpoint holds, sorted by names, as `tf.train.list_variables`.

    A shape is a list of ints. Raises NotFoundError if there is no such checkpoint, ValueError for a folder without one.

    >>> variables = gc.Variable([[1., 2.]], name="w"), gc.Variable(0., name="b")
    >>> gc.global_variables_initializer().run()
    >>> path = gc.train.Saver().save(gc.get_default_session(), "./model")
    >>> gc.train.list_variables(path)
    [('b', []), ('w', [1, 2])]
    """
    return sorted(load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map().items())


def checkpoint_name(folder_or_name: Any) -> str:
    """The checkpoint of that name, or the newest one of that folder. Raises ValueError."""
    given = _text(folder_or_name)
    if not os.path.isdir(given) or checkpoint_exists(f"{given}.index"):
        return given
    found = latest_checkpoint(given)
    if found is None:
        raise ValueError(f"Couldn't find 'checkpoint' file or checkpoints in given directory {given}")
    return found


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else os.fspath(value)
