"""fold_constants: a pure node on constants alone becomes a constant, computed by the op's NumPy `reference`
(what is computed in Python anyway: by that).

Also integer tensors whose value the Spec knows; elements that are sizes of inputs (a batch size) become one
SizeValues. A result of more than SIZE_LIMIT elements stays a computation (the prepare body does it when the plan is
loaded), so that a saved file holds no weight twice. Random ops and effects are never folded.
"""
from __future__ import annotations

import numpy as np

from graphc.errors import OpError
from graphc.ir import dims
from graphc.ir.dtypes import as_dtype, int32, int64, string, variant
from graphc.ir.flow_ops import FlowInput
from graphc.ir.half import reference
from graphc.ir.host import Host, HostCall
from graphc.ir.node import Flow, Node, make_node
from graphc.ir.op import Composite, Effect, Elementwise, Op
from graphc.ir.spec import Spec
from graphc.ir.values import as_array
from graphc.ops.array.source import Const
from graphc.passes.shared.internal_ops import SizeValues
from graphc.passes.shared.required_sizes import symbols
from graphc.passes.shared.rewriter import Replacement, asked_of, rewrite

SIZE_LIMIT = 4096


def fold_constants(flow: Flow) -> Flow:
    given = {symbol for node in flow.inputs for size in node.specs[0].shape or () for symbol in symbols(size)}

    def known_sizes(node: Node) -> Replacement:
        """arithmetic on sizes of inputs -> those sizes"""
        if len(node.specs) != 1 or node.specs[0].value is None or node.op.effect != Effect.PURE:
            return None
        if isinstance(node.op, (SizeValues, FlowInput, Const)):
            return None
        spec = node.specs[0]
        if spec.dtype not in (int32, int64) or not all(isinstance(s, int) for s in spec.shape or ()):
            return None
        if not all(symbol in given for size in spec.value or () for symbol in symbols(size)):
            return None
        return make_node(SizeValues(spec.value or (), spec.dtype, spec.shape), (), node.origins)  # type: ignore[arg-type]

    return rewrite(flow, [fold, known_sizes, like_a_scalar])


@asked_of(Elementwise, where=lambda op: op.fills is not None)
def like_a_scalar(node: Node) -> Replacement:
    """ones_like(scalar) -> 1, zeros_like(scalar) -> 0: nothing of the scalar is needed"""
    if node.specs[0].shape != ():
        return None
    dtype, number = node.specs[0].dtype, node.op.fills  # type: ignore[attr-defined]
    return constant_node(np.array(b"", object) if dtype == string else dtype.array(number), node)


def fold(node: Node) -> Replacement:
    """f(constants) -> constant"""
    if node.op.effect != Effect.PURE or not node.specs or isinstance(node.op, (Const, FlowInput)):
        return None
    if all(_known_value(s) for s in node.specs):
        return tuple(constant_node(_value(s), node).value() for s in node.specs)
    if not all(isinstance(v.node.op, Const) for v in node.inputs) or node.op.sizes():
        return None
    if not all(_is_small(s) for s in node.specs):
        return None
    if type(node.op).reference is Op.reference or type(node.op).reference is Composite.reference:
        return None
    try:
        operands = [v.node.op.value for v in node.inputs]  # type: ignore[attr-defined]
        made = HostCall(node.op)(*operands) if isinstance(node.op, Host) else reference(node.op, operands)
    except (OpError, NotImplementedError, ValueError, IndexError, ArithmeticError):
        return None                      # values that the op refuses: the run says so, with its name and line
    arrays = made if isinstance(made, tuple) else (made,)
    arrays = tuple(a.view(s.dtype.numpy) if s.dtype.is_quantized else a
                   for a, s in zip(map(as_array, arrays), node.specs, strict=True))
    if any(s.dtype == variant or as_dtype(a.dtype) != s.dtype for a, s in zip(arrays, node.specs, strict=True)):
        return None
    if any(s.shape is not None and a.ndim != len(s.shape) for a, s in zip(arrays, node.specs, strict=True)):
        return None                      # another rank than the plan is made for: an error of the run
    return tuple(constant_node(a, node).value() for a in arrays)


def constant_node(array: np.ndarray, like: Node) -> Node:
    """A constant in place of `like`, whose origins it takes."""
    own = np.array(array, order="C", copy=True)
    own.setflags(write=False)
    return make_node(Const(value=own, dtype=as_dtype(own.dtype)), (), like.origins)


def _is_small(spec: Spec) -> bool:
    """And of known sizes: others, even of a tensor without elements, are known by running the node only."""
    if spec.shape is None or not all(isinstance(s, int) for s in spec.shape):
        return False
    return dims.product(spec.shape) <= SIZE_LIMIT  # type: ignore[operator]


def _known_value(spec: Spec) -> bool:
    return spec.value is not None and spec.dtype.is_integer and all(isinstance(v, int) for v in spec.value)


def _value(spec: Spec) -> np.ndarray:
    return np.array(spec.value, spec.dtype.numpy).reshape(spec.shape)  # type: ignore[arg-type]
