"""The checkpoint under a name, whatever its format, and what is not there."""
from __future__ import annotations

import os

from graphc.errors import DataLossError, NotFoundError, OpError, PermissionDeniedError, UnknownError
from graphc.io.checkpoint.bundle import Bundle, index_name
from graphc.io.checkpoint.leftovers import SAFETENSORS
from graphc.io.checkpoint.safe_tensors import SafeTensors
from graphc.io.checkpoint.slice_table import SliceTable, v1_files
from graphc.io.checkpoint.table import is_table
from graphc.ir.names import suggestion

Checkpoint = Bundle | SliceTable | SafeTensors


def checkpoint_files(prefix: str) -> list[str]:
    """The file by which a checkpoint is known: its index, or of format V1 and of safetensors its files. [] if there is
    none."""
    if os.path.isfile(index_name(prefix)):
        return [index_name(prefix)]
    return [file for file in v1_files(prefix) if os.path.isfile(file)]


def open_checkpoint(prefix: str) -> Checkpoint:
    """Raises NotFoundError if there is none, DataLossError if it is damaged or no checkpoint."""
    files = checkpoint_files(prefix)
    if not files:
        raise _no_checkpoint(prefix)
    try:
        if files[0] == index_name(prefix):
            return Bundle(prefix)
        if files[0].endswith(SAFETENSORS):
            return SafeTensors(prefix)
        if not is_table(files[0]):
            raise DataLossError(f"{files[0]} is no checkpoint (it does not end as one does)"
                                + _meant_prefix(prefix))
        return SliceTable(prefix)
    except OSError as error:
        raise of_file(error) from None


def missing_tensor(checkpoint: Checkpoint, name: str) -> NotFoundError:
    """The error for a name that is not in the checkpoint: TensorFlow's words, and the nearest names."""
    near = suggestion(name, checkpoint.names())
    return NotFoundError(f"Key {name} not found in checkpoint {checkpoint.prefix}{near}")


_KINDS: dict[type[OSError], type[OpError]] = {FileNotFoundError: NotFoundError, PermissionError: PermissionDeniedError}


def of_file(error: OSError) -> OpError:
    """The error of TensorFlow's class."""
    kind = next((made for known, made in _KINDS.items() if isinstance(error, known)), UnknownError)
    return kind(f"{error.filename}; {error.strerror}")


def _no_checkpoint(prefix: str) -> NotFoundError:
    folder = os.path.dirname(prefix) or "."
    found = os.listdir(folder) if os.path.isdir(folder) else []
    names = [n.removesuffix(".index") for n in found if n.endswith((".index", SAFETENSORS))]
    near = suggestion(os.path.basename(prefix), names)
    return NotFoundError(f"Unsuccessful TensorSliceReader constructor: Failed to find any matching files for {prefix}"
                         f"{near}{_meant_prefix(prefix)}")


def _meant_prefix(prefix: str) -> str:
    for end in (".index", ".meta"):
        if prefix.endswith(end):
            return f"\n  a checkpoint is named without the ending: {prefix.removesuffix(end)!r}"
    head, found, _ = prefix.rpartition(".data-")
    return f"\n  a checkpoint is named without the ending: {head!r}" if found else ""
