"""tensorflow.compiler.tf2xla.python.xla, of which programs for TPUs import a name. It says what there is instead."""
from __future__ import annotations

from typing import NoReturn

from graphc import errors
from graphc.api.public import public


@public("compat.v1.compiler.tf2xla.python.xla.replica_id")
def replica_id() -> NoReturn:
    """Raises UnimplementedError: a graph of graphc's runs once, not on several cores of a TPU. Takes the place of
    `xla.replica_id`.

    >>> gc.compat.v1.compiler.tf2xla.python.xla.replica_id()
    Traceback (most recent call last):
        ...
    graphc.errors.UnimplementedError: xla.replica_id: graphc does not run on TPUs: ...
    """
    raise errors.UnimplementedError("xla.replica_id: graphc does not run on TPUs: use the way of the program that "
                                    "has no replicas (use_tpu=False)")
