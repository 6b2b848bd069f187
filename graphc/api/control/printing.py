"""`tf.print`: values of a run, formatted, on a stream or in a file."""
from __future__ import annotations

import logging
import os
import pprint
import sys
from typing import TYPE_CHECKING, Any

from graphc.api.public import public
from graphc.api.strings.numbers import string_format
from graphc.ir.apply import apply, convert_to_tensor, is_tensor_like
from graphc.ir.dtypes import string
from graphc.ir.nest import flatten, pack_sequence_as
from graphc.ops.control.printing import FILE, STREAMS, PrintV2

if TYPE_CHECKING:
    from graphc.ir.graph import Operation

_LEVELS = {logging.INFO: "log(info)", logging.WARNING: "log(warning)", logging.ERROR: "log(error)"}


@public("print")
def print_v2(*inputs: Any, output_stream: Any = None, summarize: int = 3, sep: str = " ", end: str = os.linesep,
             name: str | None = None) -> Operation:
    """An operation that prints inputs, tensors and what Python prints, nested at will, whenever it runs.

    It runs if it is fetched, or as a control dependency. output_stream: sys.stderr (None), sys.stdout, a logging level
    (INFO, WARNING, ERROR: to standard error) or "file://" and the path of a file to append to. summarize: the elements
    shown at both ends of each axis; -1: all. Tensors may be of any dtype and shape, and sparse. As `tf.print`. Raises
    ValueError for another output_stream.

    >>> x = gc.range(10)
    >>> gc.print("x:", x, output_stream="file://log.txt").run()
    >>> print(open("log.txt").read())
    x: [0 1 2 ... 7 8 9]
    """
    stream = _stream(output_stream)
    if len(inputs) == 1 and _is_string(inputs[0]):
        made: Any = convert_to_tensor(inputs[0])
    else:
        made = _formatted(inputs, summarize, sep, f"{name}_format" if name else None)
    operation: Operation = apply(PrintV2, made, name=name, output_stream=stream, end=end)
    return operation


def _stream(given: Any) -> str:
    if isinstance(given, str):
        if given.startswith(FILE) or given in STREAMS:
            return given
    elif given is sys.stdout or given is sys.__stdout__:
        return "stdout"
    elif given is None or given is sys.stderr or given is sys.__stderr__:
        return "stderr"
    elif isinstance(given, int) and given in _LEVELS:
        return _LEVELS[given]
    raise ValueError(f"Unsupported output stream, logging level, or file: {given!r}. Supported streams are sys.stdout, "
                     "sys.stderr, logging.info, logging.warning, logging.error. File needs to be in the form of "
                     "'file://<filepath>'.")


def _is_string(value: Any) -> bool:
    return is_tensor_like(value) and not _is_sparse(value) and value.dtype == string and value.shape.ndims == 0


def _is_sparse(value: Any) -> bool:
    return hasattr(value, "dense_shape")


def _formatted(inputs: tuple[Any, ...], summarize: int, sep: str, name: str | None) -> Any:
    """One string of the inputs: a template of what Python prints, with a placeholder for each tensor."""
    plain = " ".join(pprint.pformat("" if is_tensor_like(x) or _is_sparse(x) else x)
                     for given in inputs for x in flatten(given))
    placeholder = "{}"
    while placeholder in plain:
        placeholder = f"{{{placeholder}}}"
    tensors: list[Any] = []
    templates: list[str] = []
    for given in inputs:
        leaves: list[Any] = []
        for x in flatten(given):
            if _is_sparse(x):
                tensors += [x.indices, x.values, x.dense_shape]
                leaves.append(f"SparseTensor(indices={placeholder}, values={placeholder}, shape={placeholder})")
            elif is_tensor_like(x):
                tensors.append(x)
                leaves.append(placeholder)
            else:
                leaves.append(x)
        templates.append(given if isinstance(given, str) else pprint.pformat(pack_sequence_as(given, leaves)))
    # What Python prints of a placeholder in a list, or of a lone one, has quotes around it.
    template = sep.join(templates).replace(f"'{placeholder}'", placeholder)
    return string_format(template, tensors, placeholder=placeholder, summarize=summarize, name=name)
