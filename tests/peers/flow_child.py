"""Runs random programs (flow_programs.py) in TensorFlow and here: flow_child.py SEED COUNT. Says how each went; exits
with 1 if any differs. A program that TensorFlow itself cannot differentiate or run does not count."""
from __future__ import annotations

import os
import sys
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import flow_programs
import numpy as np
import tensorflow.compat.v1 as tf

import graphc as gc


def in_tensorflow(program: flow_programs.Program) -> list[Any]:
    with tf.Graph().as_default():
        tf.import_graph_def(program.graph_def, name="")
        with tf.Session() as session:
            return [session.run(program.fetches, feeds) for feeds in program.feeds]


def here(program: flow_programs.Program) -> list[Any]:
    with gc.Graph().as_default():
        gc.import_graph_def(gc.GraphDef.FromString(program.graph_def.SerializeToString()), name="")
        with gc.Session() as session:
            return [session.run(program.fetches, feeds) for feeds in program.feeds]


def difference(seed: int) -> str:
    """How the program went: " the same", what TensorFlow cannot do, or what differs."""
    try:
        program = flow_programs.make(seed)
        expected = in_tensorflow(program)
    except (tf.errors.OpError, ValueError, TypeError, AttributeError, LookupError) as error:
        return f" TensorFlow cannot: {type(error).__name__}"
    try:
        for found, right in zip(here(program), expected, strict=True):
            for a, b in zip(found, right, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    except (gc.errors.OpError, ValueError, TypeError, LookupError, AssertionError) as error:
        return f" differs: {type(error).__name__}: {error}"
    return f" the same, {len(program.graph_def.node)} nodes"


def main() -> int:
    tf.disable_v2_behavior()
    tf.disable_control_flow_v2()
    found = {seed: difference(seed) for seed in range(int(sys.argv[1]), int(sys.argv[1]) + int(sys.argv[2]))}
    print("\n".join(f"{seed}:{text}" for seed, text in found.items()))
    return int(any(text.startswith(" differs") for text in found.values()))


if __name__ == "__main__":
    sys.exit(main())
