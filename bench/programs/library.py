"""The library that the programs of this folder are built with: TensorFlow 1's names, of graphc or of TensorFlow.

PROGRAMS_LIBRARY names it ("graphc", "tensorflow"); both run on one thread, so that CPU time is the time of a step.
"""
from __future__ import annotations

import os
from typing import Any

NAME = os.environ.get("PROGRAMS_LIBRARY", "graphc")

if NAME == "tensorflow":
    import tensorflow.compat.v1 as tf

    tf.disable_v2_behavior()

    def settle() -> None:
        """Nothing of TensorFlow's is compiled beside the runs."""
else:
    import graphc.compat.v1 as tf
    from graphc.exec.code_queue import settle

__all__ = ["NAME", "one_thread", "settle", "tf"]


def one_thread() -> Any:
    """The configuration of every Session here."""
    return tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
