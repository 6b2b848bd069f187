"""Arrays in files of safetensors. Variables go there and come from there by a Saver, given a name with that ending."""
from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from graphc.api.public import public
from graphc.errors import NotFoundError
from graphc.io.checkpoint.opening import of_file
from graphc.io.checkpoint.safe_tensors import SafeTensors, write_safetensors


@public("train.save_safetensors")
def save_safetensors(path: Any, arrays: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> None:
    """Writes arrays (any layout in memory, bfloat16 with ml_dtypes) into a file that the libraries of safetensors read.

    Raises UnimplementedError for dtypes that it cannot hold (strings, complex128), TypeError for metadata that are no
    texts, OpError if it cannot be written. (graphc's own)

    >>> w = gc.Variable([1., 2.], name="w")
    >>> gc.global_variables_initializer().run()
    >>> gc.train.save_safetensors("saved.safetensors", {v.op.name: v.eval() for v in gc.trainable_variables()})
    >>> gc.train.load_safetensors("saved.safetensors")
    {'w': array([1., 2.], dtype=float32)}
    """
    for key, value in (metadata or {}).items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise TypeError(f"save_safetensors: argument 'metadata' holds texts by names, but has {key!r}: {value!r}")
    try:
        write_safetensors(os.fspath(path), [(name, "", np.asarray(value)) for name, value in arrays.items()], metadata)
    except OSError as error:
        raise of_file(error) from None


@public("train.load_safetensors")
def load_safetensors(path: Any) -> dict[str, Any]:
    """The arrays of a file of safetensors by name. Raises NotFoundError, or DataLossError if it is damaged.

    (graphc's own)

    >>> gc.train.save_safetensors("loaded.safetensors", {"w": np.ones([2, 2], np.float16)})
    >>> gc.train.load_safetensors("loaded.safetensors")
    {'w': array([[1., 1.],
           [1., 1.]], dtype=float16)}
    """
    file = _opened(path)
    return {name: file.tensor(name) for name in file.names()}


@public("train.safetensors_metadata")
def safetensors_metadata(path: Any) -> dict[str, str]:
    """The texts that a file of safetensors has beside its arrays. Raises as load_safetensors.

    (graphc's own)

    >>> gc.train.save_safetensors("said.safetensors", {"w": np.ones([2])}, metadata={"made by": "graphc"})
    >>> gc.train.safetensors_metadata("said.safetensors")
    {'made by': 'graphc'}
    """
    return _opened(path).metadata


def _opened(path: Any) -> SafeTensors:
    try:
        return SafeTensors(os.fspath(path))
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {os.fspath(path)}") from None
    except OSError as error:
        raise of_file(error) from None
