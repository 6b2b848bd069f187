"""Runs saved graphs in TensorFlow, in a process of its own: some kernels end their process on what they do not take.

Requests and answers are pickles on standard input and output. The process that answers is a fork of one that has
TensorFlow imported; when it dies, the answer says so, and the next fork goes on.
"""
from __future__ import annotations

import os
import pickle
import sys
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")


OF_OLD_GRAPHS = {
    "BatchNormWithGlobalNormalization": 8,
    "BatchNormWithGlobalNormalizationGrad": 8,
    "QuantizeAndDequantize": 21,
}


def run(request: dict[str, Any]) -> dict[str, Any]:
    """values, gradients, shapes of the results, error, no_gradient."""
    import numpy as np
    import tensorflow as tf

    found: dict[str, Any] = {}
    try:
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(graph_def_of(request["open_graph"]), name="")
            found["shapes"] = [_shape(graph.get_tensor_by_name(name)) for name in request["outputs"]]
    except Exception as error:
        found["open_error"] = f"{type(error).__name__}: {_words(str(error))}"
    try:
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(graph_def_of(request["saved"]), name="")
            inputs, outputs, fetched = (
                [graph.get_tensor_by_name(name) for name in request[key]] for key in ("inputs", "outputs", "fetched")
            )
            found["known_shapes"] = list(map(_shape, outputs))
            slopes = []
            if request["differentiate"]:
                ys = [
                    (y, w)
                    for y, w in zip(outputs, request["weights"], strict=True)
                    if y.dtype.is_floating or y.dtype.is_complex
                ]
                try:
                    slopes = (
                        tf.gradients(
                            [y for y, _ in ys], inputs, [None if w is None else tf.constant(w) for _, w in ys]
                        )
                        if ys
                        else []
                    )
                except (LookupError, NotImplementedError):
                    found["no_gradient"] = True
            slopes = [tf.convert_to_tensor(s) if s is not None else None for s in slopes]
            with tf.compat.v1.Session(config=_config()) as session:
                feeds = dict(zip(inputs, request["values"], strict=True))
                for name in request["before"]:
                    session.run(graph.get_operation_by_name(name), feeds)
                made = session.run([fetched, [s for s in slopes if s is not None]], feeds)
        rest = iter(made[1])
        found["values"] = [np.asarray(v) for v in made[0]]
        found["gradients"] = [None if s is None else np.asarray(next(rest)) for s in slopes]
    except Exception as error:  # the parent decides what is a difference
        found["error"] = f"{type(error).__name__}: {_words(str(error))}"
    return found


def graph_def_of(saved: bytes) -> Any:
    """The graph, as old as it must be for ops that TensorFlow has for old graphs only."""
    import tensorflow as tf

    made = tf.compat.v1.GraphDef.FromString(saved)
    oldest = min((OF_OLD_GRAPHS.get(node.op, 1000) for node in made.node), default=1000)
    if oldest < 1000:
        made.versions.producer = oldest
    return made


def _words(message: str) -> str:
    """What went wrong, without where: the line behind the node's name, or the first one."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    nodes = [i for i, line in enumerate(lines) if line.startswith("Node: ")]
    first = nodes[0] if nodes and nodes[0] + 1 < len(lines) else -1
    return " ".join(lines[max(first, 0) : first + 2])[:300]


def _config() -> Any:
    """The kernels as they are: nothing is folded or rewritten, which takes longer than such small graphs do."""
    import tensorflow as tf

    config = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    config.graph_options.optimizer_options.opt_level = -1
    return config


def _shape(tensor: Any) -> list[int | None] | None:
    return tensor.shape.as_list() if tensor.shape.rank is not None else None


def kernels(op_type: str) -> dict[str, list[int]] | None:
    """Which dtypes, as numbers, each type attribute of an op may have on the CPU; None: the op is not there."""
    from tensorflow.python.framework import kernels as of_tensorflow
    from tensorflow.python.framework import op_def_registry

    definition = op_def_registry.get(op_type)
    if definition is None:
        return None
    allowed = {a.name: set(a.allowed_values.list.type) for a in definition.attr if a.type == "type"}
    found: dict[str, set[int]] = {name: set() for name in allowed}
    for kernel in of_tensorflow.get_registered_kernels_for_op(op_type).kernel:
        if kernel.device_type in ("CPU", "DEFAULT"):
            said = {c.name: set(c.allowed_values.list.type) for c in kernel.constraint}
            for name in found:
                found[name] |= said.get(name, allowed[name] or {0})
    return {name: sorted(values) for name, values in found.items()}


def serve(answers: Any) -> None:
    while True:
        try:
            request = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        answer = kernels(request) if isinstance(request, str) else run(request)
        pickle.dump(answer, answers)
        answers.flush()


def main() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    import tensorflow  # noqa: F401

    while True:
        child = os.fork()
        if child == 0:
            serve(answers)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status == 0:
            return
        pickle.dump({"error": f"Died: TensorFlow's process ended with signal {status & 127}"}, answers)
        answers.flush()


if __name__ == "__main__":
    main()
