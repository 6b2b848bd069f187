"""Strings."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.onnx.importing.rules import Node, onnx_op, shape_vector, sizes_of


@onnx_op("StringConcat")
def concat(node: Node, a: Any, b: Any) -> Any:
    shape = gc.broadcast_dynamic_shape(gc.shape(a), gc.shape(b))
    return gc.strings.join([gc.broadcast_to(a, shape), gc.broadcast_to(b, shape)])


@onnx_op("RegexFullMatch")
def full_match(node: Node, x: Any) -> Any:
    return gc.strings.regex_full_match(x, node.need("pattern"))


@onnx_op("StringSplit")
def split(node: Node, x: Any) -> Any:
    """(the parts, rows filled up with "", how many parts each string has)."""
    most = node.attr("maxsplit", -1)
    sizes = sizes_of(x)
    parts = gc.strings.split(gc.reshape(x, [-1]), node.attr("delimiter", ""), maxsplit=-1 if most is None else most)
    count: Any = gc.size(x, out_type=gc.int64)
    indices, values = parts.indices, parts.values
    if not node.attr("delimiter", ""):                  # white space after the last part makes no part
        real = gc.not_equal(values, "")
        indices, values = gc.boolean_mask(indices, real), gc.boolean_mask(values, real)
    lengths = gc.unsorted_segment_sum(gc.ones_like(indices[:, 0]), indices[:, 0], count)
    width = gc.reduce_max(gc.concat([lengths, gc.constant([0], gc.int64)], 0))
    dense = gc.sparse_to_dense(indices, gc.stack([count, width]), values, "")
    return gc.reshape(dense, shape_vector([*sizes, width])), gc.reshape(lengths, shape_vector(sizes))


@onnx_op("StringNormalizer")
def normalise(node: Node, x: Any) -> Any:
    """Strings [n] or [1, n] without stop words, in small letters or capitals; one empty string if none is left."""
    action, stops = node.attr("case_change_action", "NONE"), node.attr("stopwords") or []
    change = {"NONE": lambda s: s, "LOWER": lambda s: gc.strings.lower(s, "utf-8"),
              "UPPER": lambda s: gc.strings.upper(s, "utf-8")}[action]
    rank = node.rank(x)
    words = gc.reshape(x, [-1])
    compared = words
    if not node.attr("is_case_sensitive", 0):
        compared, stops = gc.strings.lower(words, "utf-8"), [s.decode().lower().encode() for s in stops]
    if stops:
        is_stop = gc.equal(gc.expand_dims(compared, 1), gc.expand_dims(gc.constant(stops, gc.string), 0))
        words = gc.boolean_mask(words, gc.logical_not(gc.reduce_any(is_stop, 1)))
    missing = gc.maximum(gc.constant(1) - gc.size(words), gc.constant(0))
    words = gc.concat([change(words), gc.fill(gc.expand_dims(missing, 0), gc.constant(b"", gc.string))], 0)
    return gc.expand_dims(words, 0) if rank == 2 else words
