"""The nodes that a Saver adds to the graph, under TensorFlow's names: scripts and saved graphs run them by name.

    save/filename, save/Const       the name of the checkpoint, which is fed
    save/SaveV2, save/control_dependency                   writes it; gives its name (save/SaveSlices: in format V1)
    save/RestoreV2, save/Assign, save/Assign_1, ..., save/restore_all

A sharded Saver writes one checkpoint a device, in a folder for the time being, and joins them:

    save/StringJoin, save/ShardedFilename, save/SaveV2, ..., save/MergeV2Checkpoints, save/Identity
    save/restore_shard, ..., save/restore_all
"""
from __future__ import annotations

import uuid
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import graphc as gc
from graphc.serial.meta_graph_pb2 import SaverDef
from graphc.train.saving.saveables import SaveableObject


def add_nodes(saveables: Sequence[SaveableObject], name: str | None, filename: str, reshape: bool, sharded: bool,
              version: int = SaverDef.V2) -> SaverDef:
    """Adds them to the default graph; the SaverDef names them."""
    with gc.name_scope(name, "save", [one.op for one in saveables]):
        given = gc.placeholder_with_default(filename, shape=(), name="filename")
        prefix = gc.placeholder_with_default(given, shape=(), name="Const")
        if sharded:
            saved, restored = _sharded(prefix, saveables, reshape)
        else:
            saved = _saved(prefix, saveables, version)
            restored = _restored(prefix, saveables, reshape, "restore_all")
    return SaverDef(filename_tensor_name=prefix.name, save_tensor_name=saved.name, restore_op_name=restored.name,
                    sharded=sharded, version=version)  # type: ignore[arg-type]


def _saved(prefix: Any, saveables: Sequence[SaveableObject], version: int = SaverDef.V2) -> Any:
    """The prefix, once the checkpoint is written."""
    specs = [spec for one in saveables for spec in one.specs]
    write = gc.raw_ops.SaveV2 if version == SaverDef.V2 else gc.raw_ops.SaveSlices
    save = write(prefix, [s.name for s in specs], [s.slice_spec for s in specs], [s.tensor for s in specs])
    with gc.control_dependencies([save]):
        return gc.identity(prefix, name="control_dependency")


def _restored(prefix: Any, saveables: Sequence[SaveableObject], reshape: bool, name: str) -> Any:
    """The operation that puts every value in place."""
    specs = [spec for one in saveables for spec in one.specs]
    tensors = gc.raw_ops.RestoreV2(prefix, [s.name for s in specs], [s.slice_spec for s in specs],
                                   [s.dtype or s.tensor.dtype for s in specs])
    if not reshape:
        for tensor, spec in zip(tensors, specs, strict=True):
            if spec.tensor.shape.ndims is not None:
                tensor.set_shape([None] * spec.tensor.shape.ndims)
    assigned = []
    for one in saveables:
        given, tensors = tensors[:len(one.specs)], tensors[len(one.specs):]
        reshaped = reshape and all(s.tensor.shape.is_fully_defined() for s in one.specs)
        shapes = [s.tensor.shape.as_list() for s in one.specs] if reshaped else None
        assigned.append(one.restore(given, shapes))
    return gc.group(*assigned, name=name)


def _sharded(prefix: Any, saveables: Sequence[SaveableObject], reshape: bool) -> tuple[Any, Any]:
    groups = [(device, list(group)) for device, group in groupby(sorted(saveables, key=lambda s: s.device),
                                                                 key=lambda s: s.device)]
    temporary = gc.string_join([prefix, f"_temp_{uuid.uuid4().hex}/part"])
    count = gc.constant(len(groups), name="num_shards")
    names, saves = [], []
    for shard, (device, group) in enumerate(groups):
        with gc.device(device):
            names.append(gc.raw_ops.ShardedFilename(temporary, shard, count))
            saves.append(_saved(names[-1], group))
    with gc.control_dependencies([save.op for save in saves]):
        merged = gc.raw_ops.MergeV2Checkpoints(names, prefix, delete_old_dirs=True)
        with gc.control_dependencies([merged]):
            saved = gc.identity(prefix)
    shards = []
    for device, group in groups:
        with gc.device(device):
            shards.append(_restored(prefix, group, reshape, "restore_shard"))
    return saved, gc.group(*shards, name="restore_all")
