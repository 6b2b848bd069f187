"""slim.model_analyzer: how many numbers the variables and operations of a model hold."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import graphc as gc
from graphc.api.public import public


@public("contrib.slim.model_analyzer.tensor_description")
def tensor_description(var: Any) -> str:
    """The dtype and shape of a tensor in words; a variable's dtype is float32_ref, as TensorFlow 1's.

    var: a tensor or variable; a size that is not known is a question mark. Raises ValueError for an unknown rank. As
    `tf.contrib.slim.model_analyzer.tensor_description`.

    >>> gc.contrib.slim.model_analyzer.tensor_description(gc.zeros([3, 4]))
    '(float32 3x4)'
    """
    kind = f"{var.dtype.name}_ref" if isinstance(var, gc.Variable) else var.dtype.name
    return f"({kind} {'x'.join(str(size) for size in var.get_shape())})"


@public("contrib.slim.model_analyzer.analyze_ops")
def analyze_ops(graph: Any, print_info: bool = False) -> int:
    """The number of numbers in the outputs of all operations; an output whose size is not known counts 0.

    print_info: prints a line for each operation. graph: a gc.Graph. As `tf.contrib.slim.model_analyzer.analyze_ops`.

    >>> y = gc.add(gc.constant([1., 2.], name="a"), gc.constant([[3.], [4.]], name="b"), name="y")
    >>> gc.contrib.slim.model_analyzer.analyze_ops(gc.get_default_graph())
    8
    """
    if print_info:
        _print_heading("Operations: name -> (type shapes) [size]")
    total = 0
    for op in graph.get_operations():
        size = sum(output.get_shape().num_elements() or 0 for output in op.outputs)
        total += size
        if print_info:
            shapes = [tensor_description(output) for output in op.outputs if output.get_shape()]
            print(op.name, "\t->", ", ".join(shapes), f"[{size}]")
    return total


@public("contrib.slim.model_analyzer.analyze_vars")
def analyze_vars(variables: Iterable[Any], print_info: bool = False) -> tuple[int, int]:
    """(how many numbers, how many bytes) the variables hold. print_info: prints a line for each, and both sums.

    variables: a list; TypeError for one variable alone. One of unknown shape counts 0; with print_info it is a
    ValueError. As `tf.contrib.slim.model_analyzer.analyze_vars`.

    >>> w, b = gc.get_variable("w", [3, 4]), gc.get_variable("b", [4])
    >>> gc.contrib.slim.model_analyzer.analyze_vars([w, b], print_info=True)
    ---------
    Variables: name (type shape) [size]
    ---------
    w:0 (float32_ref 3x4) [12, bytes: 48]
    b:0 (float32_ref 4) [4, bytes: 16]
    Total size of variables: 16
    Total bytes of variables: 64
    (16, 64)
    """
    if print_info:
        _print_heading("Variables: name (type shape) [size]")
    numbers = size = 0
    for var in variables:
        own = var.get_shape().num_elements() or 0
        numbers += own
        size += own * var.dtype.size
        if print_info:
            print(var.name, tensor_description(var), f"[{own}, bytes: {own * var.dtype.size}]")
    if print_info:
        print(f"Total size of variables: {numbers}")
        print(f"Total bytes of variables: {size}")
    return numbers, size


def _print_heading(text: str) -> None:
    print("---------", text, "---------", sep="\n")
