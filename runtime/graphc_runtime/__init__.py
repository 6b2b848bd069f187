"""Runs graphs that graphc has saved, with NumPy alone: `import graphc_runtime as rt`.

    model = rt.load("model.pb")
    outputs = model.run({"x": images})          # {"logits": array}

The work is done by graphc's C++ library, which is inside this package: the numbers are those of graphc's Session, to
the bit. README.md shows training, signatures and functions of one's own.
"""
from __future__ import annotations

from .errors import (
    CancelledError,
    DataLossError,
    Error,
    FailedPreconditionError,
    InternalError,
    InvalidArgumentError,
    NotFoundError,
    ResourceExhaustedError,
    UnimplementedError,
    UnknownError,
)
from .library import instruction_sets, version
from .model import Model, load
from .tensors import Port

__all__ = [
    "CancelledError", "DataLossError", "Error", "FailedPreconditionError", "InternalError", "InvalidArgumentError",
    "Model", "NotFoundError", "Port", "ResourceExhaustedError", "UnimplementedError", "UnknownError",
    "instruction_sets", "load", "version",
]
