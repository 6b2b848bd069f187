"""Checkpoint: objects saved and restored by the way to them, in TensorFlow's format.

The values are written and read by a Saver, whose names are the keys of object_graph.py; beside them stands, as a
string, what the objects are. A program whose variables have other names, or that makes them in another order, finds its
values.
"""
from __future__ import annotations

import os
from typing import Any

import numpy as np

import graphc as gc
from graphc.api.public import public
from graphc.io.checkpoint.opening import open_checkpoint
from graphc.train.saving import states
from graphc.train.saving.objects import OBJECTS
from graphc.train.saving.saveables import SaveableObject, SaveSpec
from graphc.train.saving.saver import Saver
from graphc.train.tracking.children import Holder, is_trackable
from graphc.train.tracking.matching import match, match_names, read_object_graph
from graphc.train.tracking.object_graph import object_graph
from graphc.train.tracking.status import (
    CheckpointLoadStatus,
    InitializationOnlyStatus,
    session_or_default,
)


class _Objects(SaveableObject):
    """The string that says what the objects are; it is not restored."""

    def __init__(self, text: bytes) -> None:
        tensor = gc.constant(np.array(text, object), gc.string, name="object_graph")
        super().__init__(tensor, [SaveSpec(tensor, "", OBJECTS, gc.string)], OBJECTS)

    def restore(self, restored_tensors: Any, restored_shapes: Any) -> Any:
        return gc.no_op()


@public("train.Checkpoint")
class Checkpoint(Holder):
    """Objects that are saved and restored together, as `tf.train.Checkpoint`: its attributes, which are variables,
    optimizers, layers, other Checkpoints, and lists and dictionaries of them.

    TensorFlow restores its checkpoints, and it those of TensorFlow. Raises ValueError for an attribute of another kind.
    save raises FailedPreconditionError for a variable that is not initialised, restore NotFoundError if there is no
    such checkpoint.

    >>> w = gc.Variable(3.0)
    >>> checkpoint = gc.train.Checkpoint(w=w)
    >>> gc.global_variables_initializer().run()
    >>> path = checkpoint.save("model")
    >>> path
    'model-1'
    >>> gc.assign(w, 5.0).op.run()
    >>> checkpoint.restore(path).assert_consumed().run_restore_ops()
    >>> w.eval()
    np.float32(3.0)
    """

    def __init__(self, **kwargs: Any) -> None:
        for name, value in sorted(kwargs.items()):
            if not is_trackable(value):
                raise ValueError("`Checkpoint` was expecting an object that can be saved (a variable, optimizer, "
                                 f"layer, Checkpoint, list or dictionary), got {value!r} for argument '{name}'")
            setattr(self, name, value)
        self._writers: dict[tuple[Any, ...], Saver] = {}
        self._counted: gc.Variable | None = None
        self._count: Any = None

    def held(self) -> dict[str, Any]:
        found = {name: v for name, v in vars(self).items() if name not in ("_writers", "_counted", "_count")}
        return found if self._counted is None else {**found, "save_counter": self._counted}

    @property
    def save_counter(self) -> gc.Variable:
        """How often `save` was called: a variable that is saved, too."""
        if self._counted is None:
            with gc.init_scope(), gc.name_scope(None):
                self._counted = gc.Variable(np.int64(0), trainable=False, collections=[], name="save_counter")
        return self._counted

    def write(self, file_prefix: Any, session: Any = None) -> str:
        """Writes a checkpoint of this name, which it returns. session: whose values; None: the default one."""
        session, prefix = session_or_default(session), os.fspath(file_prefix)
        with session.graph.as_default():
            graph = object_graph(self)
            text = graph.proto().SerializeToString(deterministic=True)
            variables = dict(graph.variables())
            which = (session.graph, text, *map(id, variables.values()))
            if which not in self._writers:
                with gc.control_dependencies(None), gc.name_scope(None):
                    self._writers[which] = Saver({**variables, OBJECTS: _Objects(text)}, max_to_keep=None)
            self._writers[which].save(session, prefix, write_meta_graph=False, write_state=False)
        return prefix

    def save(self, file_prefix: Any, session: Any = None) -> str:
        """Counts save_counter up and writes a checkpoint whose name ends in it, which it returns; the folder's file
        `checkpoint` names that one."""
        session, prefix = session_or_default(session), os.fspath(file_prefix)
        path = self.write(f"{prefix}-{self._counted_up(session)}", session)
        folder = os.path.dirname(prefix)
        states.update_checkpoint_state(folder, *states.relative_to(folder, [path]))
        return path

    def _counted_up(self, session: Any) -> int:
        with session.graph.as_default(), gc.control_dependencies(None):
            counter = self.save_counter
            if self._count is None:
                self._count = gc.is_variable_initialized(counter), gc.assign_add(counter, np.int64(1))
        if not session.run(self._count[0]):
            session.run(counter.initializer)
        return int(session.run(self._count[1]))

    def restore(self, save_path: Any) -> CheckpointLoadStatus | InitializationOnlyStatus:
        """What puts the values of a checkpoint into a session: call its `run_restore_ops` or `initialize_or_restore`,
        and `assert_consumed` to be sure that all fits. A checkpoint of a Saver is restored by the names of variables.
        None, as latest_checkpoint gives it: initial values.

        Raises NotFoundError if there is no such checkpoint, DataLossError if it is damaged.
        """
        counter = self.save_counter
        return InitializationOnlyStatus(self) if save_path is None else self._status(save_path, [counter])

    def read(self, save_path: Any) -> CheckpointLoadStatus:
        """The same for a checkpoint of `write`, which does not count how often it was called."""
        return self._status(save_path, [])

    def _status(self, save_path: Any, optional: list[Any]) -> CheckpointLoadStatus:
        prefix = os.fspath(save_path)
        checkpoint = open_checkpoint(prefix)
        saved = read_object_graph(checkpoint)
        if saved is not None:
            return CheckpointLoadStatus(self, prefix, lambda: match(saved, self), optional)

        def named() -> Any:
            found = match_names(checkpoint, {v.op.name: v for _, v in object_graph(self).variables()})
            found.objects.update({-1 - i: one for i, one in enumerate(object_graph(self).objects)
                                  if not isinstance(one, gc.Variable)})
            return found

        return CheckpointLoadStatus(self, prefix, named, optional)
