"""contrib.tensorrt, which programs import for a switch of theirs. It is not there, and says what to do instead."""
from __future__ import annotations

from typing import Any, NoReturn

from graphc import errors
from graphc.api.public import public


@public("compat.v1.contrib.tensorrt.create_inference_graph",
        "compat.v1.python.compiler.tensorrt.trt_convert.create_inference_graph")
def create_inference_graph(*arguments: Any, **named: Any) -> NoReturn:
    """Raises UnimplementedError: graphc makes no graphs for TensorRT. Takes the place of
    `tf.contrib.tensorrt.create_inference_graph`.

    >>> gc.compat.v1.contrib.tensorrt.create_inference_graph(None, ["logits"])
    Traceback (most recent call last):
        ...
    graphc.errors.UnimplementedError: tf.contrib.tensorrt.create_inference_graph: graphc makes no graphs for ...
    """
    _refused("create_inference_graph")


@public("compat.v1.contrib.tensorrt.calib_graph_to_infer_graph")
def calib_graph_to_infer_graph(*arguments: Any, **named: Any) -> NoReturn:
    """Raises UnimplementedError, as `create_inference_graph`.

    >>> gc.compat.v1.contrib.tensorrt.calib_graph_to_infer_graph(None)
    Traceback (most recent call last):
        ...
    graphc.errors.UnimplementedError: tf.contrib.tensorrt.calib_graph_to_infer_graph: graphc makes no graphs for ...
    """
    _refused("calib_graph_to_infer_graph")


def _refused(name: str) -> NoReturn:
    raise errors.UnimplementedError(
        f"tf.contrib.tensorrt.{name}: graphc makes no graphs for TensorRT: leave the call out and run the graph that "
        "it was given, which graphc compiles, for a GPU too")
