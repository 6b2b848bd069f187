"""The text file `checkpoint`, which says what the newest checkpoint of a folder is, and which are kept."""
from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from typing import Any

from google.protobuf import text_format

from graphc.api.public import public
from graphc.io.checkpoint.leftovers import remove_files
from graphc.io.checkpoint.opening import checkpoint_files
from graphc.io.whole_files import written
from graphc.serial.checkpoint_state_pb2 import CheckpointState
from graphc.serial.meta_graph_pb2 import SaverDef
from graphc.wording import warn

LATEST = "checkpoint"


@public("train.generate_checkpoint_state_proto")
def generate_checkpoint_state_proto(save_dir: str, model_checkpoint_path: str,
                                    all_model_checkpoint_paths: Sequence[str] | None = None,
                                    all_model_checkpoint_timestamps: Sequence[float] | None = None,
                                    last_preserved_timestamp: float | None = None) -> CheckpointState:
    """The message of the file, as `tf.train.generate_checkpoint_state_proto`. Relative paths become relative to
    save_dir if that is a relative path, too. Raises ValueError if there are not as many timestamps as paths.

    >>> state = gc.train.generate_checkpoint_state_proto("run", "run/model-2", ["run/model-1", "run/model-2"])
    >>> state.model_checkpoint_path, list(state.all_model_checkpoint_paths)
    ('model-2', ['model-1', 'model-2'])
    """
    paths = list(all_model_checkpoint_paths or [])
    if not paths or paths[-1] != model_checkpoint_path:
        paths.append(model_checkpoint_path)
    if all_model_checkpoint_timestamps and len(all_model_checkpoint_timestamps) != len(paths):
        raise ValueError("Checkpoint timestamps, if provided, must match checkpoint paths (got paths "
                         f"{paths} and timestamps {list(all_model_checkpoint_timestamps)})")
    made = CheckpointState(model_checkpoint_path=_inside(save_dir, model_checkpoint_path),
                           all_model_checkpoint_paths=[_inside(save_dir, path) for path in paths],
                           all_model_checkpoint_timestamps=all_model_checkpoint_timestamps or [])
    if last_preserved_timestamp is not None:
        made.last_preserved_timestamp = last_preserved_timestamp
    return made


@public("train.update_checkpoint_state")
def update_checkpoint_state(save_dir: str, model_checkpoint_path: str,
                            all_model_checkpoint_paths: Sequence[str] | None = None,
                            latest_filename: str | None = None,
                            all_model_checkpoint_timestamps: Sequence[float] | None = None,
                            last_preserved_timestamp: float | None = None) -> None:
    """Writes the file, as `tf.train.update_checkpoint_state`. Raises RuntimeError if the checkpoint has its name.

    FileNotFoundError if there is no such folder.

    >>> gc.io.gfile.makedirs("updated")
    >>> gc.train.update_checkpoint_state("updated", "updated/model-3")
    >>> print(open("updated/checkpoint").read(), end="")
    model_checkpoint_path: "model-3"
    all_model_checkpoint_paths: "model-3"
    """
    state = generate_checkpoint_state_proto(save_dir, model_checkpoint_path, all_model_checkpoint_paths,
                                            all_model_checkpoint_timestamps, last_preserved_timestamp)
    path = os.path.join(save_dir, latest_filename or LATEST)
    if path == state.model_checkpoint_path:
        raise RuntimeError(f"Save path '{model_checkpoint_path}' conflicts with path used for checkpoint state.  "
                           "Please use a different save path.")
    with written(path) as file:
        file.write(text_format.MessageToString(state).encode())


def relative_to(folder: str, paths: Sequence[str]) -> list[str]:
    """The paths, absolute ones relative to the folder."""
    return [os.path.relpath(path, folder) if os.path.isabs(path) else path for path in paths]


@public("train.get_checkpoint_state")
def get_checkpoint_state(checkpoint_dir: Any, latest_filename: str | None = None) -> CheckpointState | None:
    """What the file says, relative paths put after checkpoint_dir, as `tf.train.get_checkpoint_state`. None if there
    is no file, or with a warning if it cannot be read. Raises ValueError if it names no checkpoint.

    >>> v = gc.Variable(1., name="v")
    >>> gc.global_variables_initializer().run()
    >>> saver = gc.train.Saver()
    >>> paths = [saver.save(gc.get_default_session(), "state/model", global_step=step) for step in (1, 2)]
    >>> state = gc.train.get_checkpoint_state("state")
    >>> state.model_checkpoint_path, list(state.all_model_checkpoint_paths)
    ('state/model-2', ['state/model-1', 'state/model-2'])
    """
    folder = os.fspath(checkpoint_dir)
    path = os.path.join(folder, latest_filename or LATEST)
    if not os.path.exists(path):
        return None
    try:
        with open(path, "rb") as file:
            state = text_format.Merge(file.read(), CheckpointState())
    except (OSError, text_format.ParseError, UnicodeDecodeError) as error:
        warn(f"{path}: Checkpoint ignored: {error}")
        return None
    if not state.model_checkpoint_path:
        raise ValueError(f"Invalid checkpoint state loaded from {folder}: {path} has no model_checkpoint_path")
    state.model_checkpoint_path = os.path.join(folder, state.model_checkpoint_path)
    for i, one in enumerate(state.all_model_checkpoint_paths):
        state.all_model_checkpoint_paths[i] = os.path.join(folder, one)
    return state


@public("train.latest_checkpoint", "contrib.framework.latest_checkpoint",
        "compat.v1.python.checkpoint.checkpoint_management.latest_checkpoint")
def latest_checkpoint(checkpoint_dir: Any, latest_filename: str | None = None) -> str | None:
    """The newest checkpoint of a folder, as `tf.train.latest_checkpoint`. None if the folder's file `checkpoint` names
    none, or with a warning if the one that it names is not there.

    Raises TypeError if it is no path.

    >>> v = gc.Variable(1., name="v")
    >>> gc.global_variables_initializer().run()
    >>> saver = gc.train.Saver([v])
    >>> [saver.save(gc.get_default_session(), "run/model", global_step=step) for step in (1, 2)]
    ['run/model-1', 'run/model-2']
    >>> gc.train.latest_checkpoint("run")
    'run/model-2'
    """
    state = get_checkpoint_state(checkpoint_dir, latest_filename)
    if state is None:
        return None
    if not checkpoint_files(state.model_checkpoint_path):
        warn(f"Couldn't match files for checkpoint {state.model_checkpoint_path}")
        return None
    return str(state.model_checkpoint_path)


@public("train.checkpoint_exists")
def checkpoint_exists(checkpoint_prefix: Any) -> bool:
    """Whether there is a checkpoint of this name, as `tf.train.checkpoint_exists`. It may have wildcards.

    It is a name as gc.train.Saver.save gives it; TypeError if it is no path.

    >>> v = gc.Variable(1., name="v")
    >>> gc.global_variables_initializer().run()
    >>> path = gc.train.Saver().save(gc.get_default_session(), "there/model")
    >>> gc.train.checkpoint_exists(path), gc.train.checkpoint_exists("there/other")
    (True, False)
    """
    return bool(_matching(os.fspath(checkpoint_prefix)))


@public("train.get_checkpoint_mtimes")
def get_checkpoint_mtimes(checkpoint_prefixes: Sequence[Any]) -> list[float]:
    """When they were last written, in seconds, as `tf.train.get_checkpoint_mtimes`; those that are not there have no
    place in the list.

    >>> v = gc.Variable(1., name="v")
    >>> gc.global_variables_initializer().run()
    >>> path = gc.train.Saver().save(gc.get_default_session(), "times/model")
    >>> len(gc.train.get_checkpoint_mtimes([path, "times/other"]))
    1
    """
    found = (_matching(os.fspath(prefix)) for prefix in checkpoint_prefixes)
    return [os.stat(files[0]).st_mtime for files in found if files]


@public("train.remove_checkpoint")
def remove_checkpoint(checkpoint_prefix: Any, checkpoint_format_version: int = SaverDef.V2,
                      meta_graph_suffix: str = "meta") -> None:
    """Deletes the files of a checkpoint and its meta graph, as `tf.train.remove_checkpoint`.

    >>> v = gc.Variable(1., name="v")
    >>> gc.global_variables_initializer().run()
    >>> path = gc.train.Saver().save(gc.get_default_session(), "removed/model")
    >>> gc.train.remove_checkpoint(path)
    >>> gc.io.gfile.listdir("removed")
    ['checkpoint']
    """
    prefix = os.fspath(checkpoint_prefix)
    meta = meta_graph_name(prefix, meta_graph_suffix)
    if checkpoint_format_version == SaverDef.V2:
        remove_files(prefix, [meta])
        return
    for file in (meta, prefix, *glob.glob(f"{glob.escape(prefix)}-?????-of-?????")):
        if os.path.isfile(file):
            os.unlink(file)


def meta_graph_name(prefix: str, suffix: str) -> str:
    """Of the file beside a checkpoint; of a sharded one of format V1, without the shards."""
    return f"{prefix.removesuffix('-?????-of-?????')}.{suffix}"


def _matching(prefix: str) -> list[str]:
    return glob.glob(f"{prefix}.index") or glob.glob(prefix) or checkpoint_files(prefix)


def _inside(folder: str, path: str) -> str:
    return path if os.path.isabs(folder) or os.path.isabs(path) else os.path.relpath(path, folder)
