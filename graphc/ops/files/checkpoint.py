"""Checkpoints written and read while a graph runs: what the nodes `save/SaveV2`, `save/RestoreV2`, ... of a Saver do.

The files are graphc/io/checkpoint's, which is imported when one is read or written: it needs protobuf. RestoreV2's
results have the ranks of the variables that they are assigned to (passes/shared/required_sizes.py): the op itself
says no shape.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir.dtypes import DType, string
from graphc.ir.elementwise import check_one_string
from graphc.ir.op import attr, register
from graphc.ir.spec import Spec, text
from graphc.ops.files.files import FileOp, path

if TYPE_CHECKING:
    from graphc.io.checkpoint.opening import Checkpoint


@register
class SaveV2(FileOp):
    """Writes the tensors into the checkpoint `prefix` (a file of safetensors if that is its ending), under their names.
    shape_and_slices: "" for a whole tensor,
    "10 4 0,5:-" for the part of a tensor of shape [10, 4] that has its first five rows."""

    operands = ("prefix", "tensor_names", "shape_and_slices", "tensors*")
    results = ()
    borrows = True
    dtypes: tuple[DType, ...] = attr("list(type)")

    def infer(self, *given: Spec) -> tuple[Spec, ...]:  # type: ignore[override]
        _check_names(self, *given[:3], count=len(given) - 3)
        return ()

    def compute(self, *given: np.ndarray) -> tuple[()]:
        from graphc.io.checkpoint.leftovers import SAFETENSORS
        from graphc.io.checkpoint.opening import of_file
        from graphc.io.checkpoint.safe_tensors import write_safetensors
        from graphc.io.checkpoint.write_bundle import write_bundle

        prefix, tensors = path(given[0].item()), zip(_texts(given[1]), _texts(given[2]), given[3:], strict=True)
        try:
            if prefix.endswith(SAFETENSORS):
                write_safetensors(prefix, tensors, {"format": "tf"})
            else:
                write_bundle(prefix, tensors)
        except OSError as error:
            raise of_file(error) from None
        return ()


class _SaveFirst(FileOp):
    """Writes the tensors into the file `filename`, a checkpoint of format V1, under their names."""

    results = ()
    borrows = True

    def infer(self, *given: Spec) -> tuple[Spec, ...]:  # type: ignore[override]
        lists = given[:self.operands.index("data*")]
        _check_names(self, *lists[:2], *lists[-1:], count=len(given) - len(lists))
        return ()

    def compute(self, *given: np.ndarray) -> tuple[()]:
        from graphc.io.checkpoint.opening import of_file
        from graphc.io.checkpoint.write_slice_table import write_slice_table

        first = self.operands.index("data*")
        names, values = _texts(given[1]), given[first:]
        parts = _texts(given[2]) if first == 3 else [""] * len(names)
        try:
            write_slice_table(path(given[0].item()), zip(names, parts, values, strict=True))
        except OSError as error:
            raise of_file(error) from None
        return ()


@register
class SaveSlices(_SaveFirst):
    """Writes the tensors into the file `filename`, a checkpoint of format V1, under their names. shapes_and_slices: as
    SaveV2's."""

    operands = ("filename", "tensor_names", "shapes_and_slices", "data*")
    T: tuple[DType, ...] = attr("list(type)")


@register
class Save(_SaveFirst):
    """Writes the tensors into the file `filename`, a checkpoint of format V1, under their names."""

    operands = ("filename", "tensor_names", "data*")
    T: tuple[DType, ...] = attr("list(type)")


@register
class RestoreV2(FileOp):
    """The tensors of the checkpoint `prefix` that have these names. shape_and_slices: as SaveV2's."""

    operands = ("prefix", "tensor_names", "shape_and_slices")
    results = ("tensors*",)
    dtypes: tuple[DType, ...] = attr("list(type)")

    def infer(self, prefix: Spec, names: Spec, slices: Spec) -> tuple[Spec, ...]:  # type: ignore[override]
        _check_names(self, prefix, names, slices, count=len(self.dtypes))
        return tuple(Spec(dtype, None) for dtype in self.dtypes)

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return self.dtypes

    def compute(self, prefix: np.ndarray, names: np.ndarray, slices: np.ndarray) -> tuple[np.ndarray, ...]:
        from graphc.io.checkpoint.opening import of_file, open_checkpoint

        checkpoint = open_checkpoint(path(prefix.item()))
        try:
            return tuple(_restored(checkpoint, name, part, dtype)
                         for name, part, dtype in zip(_texts(names), _texts(slices), self.dtypes, strict=True))
        except OSError as error:
            raise of_file(error) from None


def _restored(checkpoint: Checkpoint, name: str, part: str, dtype: DType) -> np.ndarray:
    from graphc.io.checkpoint.opening import missing_tensor
    from graphc.io.checkpoint.slices import parse_slice

    stored = checkpoint.stored(name)
    if stored is None:
        raise missing_tensor(checkpoint, name)
    if stored.dtype != dtype:
        raise InvalidArgumentError(f"tensor '{name}' has dtype {stored.dtype.name} in the checkpoint "
                                   f"{checkpoint.prefix}, but {dtype.name} is expected")
    if not part:
        return checkpoint.tensor(name)
    shape, wanted = parse_slice(part)
    if shape != stored.shape:
        raise InvalidArgumentError(f"tensor '{name}' has shape {text(stored.shape)} in the checkpoint "
                                   f"{checkpoint.prefix}, but a part of one of shape {text(shape)} is expected")
    return checkpoint.part(name, wanted)


@register
class MergeV2Checkpoints(FileOp):
    """Makes one checkpoint of several. delete_old_dirs: and deletes the folders that those were in, now empty."""

    operands = ("checkpoint_prefixes", "destination_prefix")
    results = ()
    delete_old_dirs: bool = attr("bool", True)

    def infer(self, prefixes: Spec, destination: Spec) -> tuple[Spec, ...]:  # type: ignore[override]
        _check_texts("checkpoint_prefixes", prefixes)
        check_one_string(self, "destination_prefix", destination)
        return ()

    def compute(self, prefixes: np.ndarray, destination: np.ndarray) -> tuple[()]:
        from graphc.io.checkpoint.opening import of_file
        from graphc.io.checkpoint.write_bundle import join_bundles

        try:
            join_bundles([path(p) for p in prefixes], path(destination.item()), self.delete_old_dirs)
        except OSError as error:
            raise of_file(error) from None
        return ()


def _texts(array: np.ndarray) -> list[str]:
    return [value.decode() for value in array]


def _check_names(op: FileOp, prefix: Spec, names: Spec, slices: Spec, count: int) -> None:
    check_one_string(op, "prefix", prefix)
    for label, spec in (("tensor_names", names), ("shape_and_slices", slices)):
        _check_texts(label, spec)
        size = spec.shape[0] if spec.shape is not None else None
        if isinstance(size, int) and size != count:
            raise ValueError(f"there are {count} tensors, but {size} {label}")


def _check_texts(label: str, spec: Spec) -> None:
    if spec.dtype != string:
        raise TypeError(f"argument '{label}' must be strings, but has dtype {spec.dtype.name}")
    if spec.shape is not None and len(spec.shape) != 1:
        raise ValueError(f"argument '{label}' must be a vector, but has shape {text(spec.shape)}")
