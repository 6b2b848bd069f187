"""The ops of checkpoints: `tf.raw_ops.SaveV2` and its like, of which gc.train.Saver is made."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import as_dtype, int32, string
from graphc.ir.graph import get_default_graph
from graphc.ir.op import Op
from graphc.ir.tensor import Operation, Tensor
from graphc.ops.files.checkpoint import MergeV2Checkpoints, RestoreV2, SaveSlices, SaveV2
from graphc.ops.strings.sharded import ShardedFilename


@public("raw_ops.SaveV2")
def save_v2(prefix: Any, tensor_names: Any, shape_and_slices: Any, tensors: Sequence[Any],
            name: str | None = None) -> Operation:
    """Writes the checkpoint `prefix`: tensors, or variables as they are then, under their names.

    tensor_names: strings; shape_and_slices: "" for whole tensors. The files prefix.index and
    prefix.data-00000-of-00001. `gc.train.Saver` is the usual way. As `tf.raw_ops.SaveV2`. Raises ValueError for other
    numbers of names than tensors, and a prefix that is no scalar, TypeError for what is no string.

    >>> x = gc.constant([1., 2.])
    >>> gc.raw_ops.SaveV2(prefix="point", tensor_names=["x"], shape_and_slices=[""], tensors=[x]).run()
    >>> gc.train.list_variables("point")
    [('x', [2])]
    """
    return _save(SaveV2, "dtypes", tensors, name, prefix=prefix, tensor_names=tensor_names,
                 shape_and_slices=shape_and_slices)


@public("raw_ops.SaveSlices")
def save_slices(filename: Any, tensor_names: Any, shapes_and_slices: Any, data: Sequence[Any],
                name: str | None = None) -> Operation:
    """Writes the file `filename`, a checkpoint of format V1, as `tf.raw_ops.SaveSlices`: otherwise as SaveV2.

    tensor_names, shapes_and_slices: string vectors, of as many as data, else ValueError.

    >>> gc.raw_ops.SaveSlices("first", ["x"], [""], [gc.constant([1.0, 2.0])]).run()
    >>> gc.train.load_variable("first", "x")
    array([1., 2.], dtype=float32)
    """
    return _save(SaveSlices, "T", data, name, filename=filename, tensor_names=tensor_names,
                 shapes_and_slices=shapes_and_slices)


def _save(op: type[Op], types: str, tensors: Sequence[Any], name: str | None, **texts: Any) -> Operation:
    """types: the op's name for the dtypes. A variable is given as such, so that it is read when it is saved."""
    with get_default_graph().name_scope(name or op.type) as scope:
        given = [v._ref() if hasattr(v, "_ref") else convert_to_tensor(v) for v in tensors]
        strings = [_strings(value, argument) for argument, value in texts.items()]
        result: Operation = apply(op, *strings, given, name=scope, **{types: tuple(t.dtype for t in given)})
    return result


@public("raw_ops.RestoreV2")
def restore_v2(prefix: Any, tensor_names: Any, shape_and_slices: Any, dtypes: Sequence[Any],
               name: str | None = None) -> list[Tensor]:
    """The tensors of these names in the checkpoint `prefix`, a list, read when they are computed.

    dtypes: one a tensor. Each has the rank of the variable that it is assigned to; say it with set_shape if there is
    none. As `tf.raw_ops.RestoreV2`. A name that is not there is a NotFoundError when run. Raises ValueError for another
    number of dtypes than names, and a prefix that is no scalar.

    >>> x = gc.constant([1., 2.])
    >>> gc.raw_ops.SaveV2(prefix="point", tensor_names=["x"], shape_and_slices=[""], tensors=[x]).run()
    >>> [x] = gc.raw_ops.RestoreV2(prefix="point", tensor_names=["x"], shape_and_slices=[""], dtypes=[gc.float32])
    >>> x.set_shape([None])
    >>> x.eval()
    array([1., 2.], dtype=float32)
    """
    with get_default_graph().name_scope(name or "RestoreV2") as scope:
        texts = [_strings(prefix, "prefix"), _strings(tensor_names, "tensor_names"),
                 _strings(shape_and_slices, "shape_and_slices")]
        made = apply(RestoreV2, *texts, name=scope, dtypes=tuple(map(as_dtype, dtypes)))
    return list(made) if isinstance(made, (list, tuple)) else [made]


@public("raw_ops.MergeV2Checkpoints")
def merge_v2_checkpoints(checkpoint_prefixes: Any, destination_prefix: Any, delete_old_dirs: bool = True,
                         name: str | None = None) -> Operation:
    """Makes one checkpoint of several, whose tensors have different names; delete_old_dirs: the old folders go if
    empty.

    checkpoint_prefixes: a string vector (ValueError for a scalar); destination_prefix: a string scalar. A checkpoint
    that is not there is a NotFoundError when run. As `tf.raw_ops.MergeV2Checkpoints`.

    >>> for name in ("a", "b"):
    ...     gc.raw_ops.SaveV2(prefix=f"parts/{name}", tensor_names=[name], shape_and_slices=[""],
    ...                       tensors=[gc.constant(1)]).run()
    >>> gc.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=["parts/a", "parts/b"], destination_prefix="whole").run()
    >>> [name for name, _ in gc.train.list_variables("whole")]
    ['a', 'b']
    """
    with get_default_graph().name_scope(name or "MergeV2Checkpoints") as scope:
        result: Operation = apply(MergeV2Checkpoints, _strings(checkpoint_prefixes, "checkpoint_prefixes"),
                                  _strings(destination_prefix, "destination_prefix"), name=scope,
                                  delete_old_dirs=delete_old_dirs)
    return result


@public("raw_ops.ShardedFilename")
def sharded_filename(basename: Any, shard: Any, num_shards: Any, name: str | None = None) -> Tensor:
    """"basename-SSSSS-of-NNNNN", a string scalar. As `tf.raw_ops.ShardedFilename`.

    basename: a string scalar; shard, num_shards: int32 scalars. Raises TypeError for other dtypes, ValueError for more
    than one name.

    >>> gc.raw_ops.ShardedFilename(basename="point", shard=2, num_shards=10).eval()
    b'point-00002-of-00010'
    """
    with get_default_graph().name_scope(name or "ShardedFilename") as scope:
        result: Tensor = apply(ShardedFilename, _strings(basename, "basename"),
                               convert_to_tensor(shard, int32, name="shard"),
                               convert_to_tensor(num_shards, int32, name="num_shards"), name=scope)
    return result


def _strings(value: Any, name: str) -> Tensor:
    return convert_to_tensor(value, string, name=name)
