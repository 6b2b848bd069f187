"""Conditional accumulators, as `tf.ConditionalAccumulator`: gradients of several steps or threads, to be averaged.

The accumulator itself belongs to the session. Taking a gradient waits until another run has put enough of them in.
"""
from __future__ import annotations

from typing import Any

from graphc.api.array.cast import cast
from graphc.api.gradients.slices import IndexedSlices
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import as_dtype, int64
from graphc.ir.op import OPS
from graphc.ir.tensor import Operation, Tensor
from graphc.ir.tensor_shape import TensorShape, as_shape


@public("ConditionalAccumulatorBase", "python.ops.data_flow_ops.ConditionalAccumulatorBase")
class ConditionalAccumulatorBase:
    """What `gc.ConditionalAccumulator` and `gc.SparseConditionalAccumulator` have in common.

    An accumulator counts steps: a gradient of a step before its own is dropped, and taking a mean is one step on. As
    `tf.ConditionalAccumulatorBase`.

    >>> accumulator = gc.ConditionalAccumulator(gc.float32, shape=[])
    >>> gc.get_default_session().run(accumulator.apply_grad(1.))
    >>> isinstance(accumulator, gc.ConditionalAccumulatorBase), accumulator.num_accumulated().eval()
    (True, np.int32(1))
    """

    _prefix = ""

    def __init__(self, dtype: Any, shape: Any, accumulator_ref: Tensor) -> None:
        self._dtype = as_dtype(dtype)
        self._shape = as_shape(shape)
        self._accumulator_ref = accumulator_ref

    accumulator_ref = property(lambda self: self._accumulator_ref, doc="The accumulator's handle.")
    name = property(lambda self: self._accumulator_ref.op.name.rpartition("/")[2],
                    doc="The last part of the name of the op that makes the accumulator.")
    dtype = property(lambda self: self._dtype, doc="The dtype of the gradients.")

    def num_accumulated(self, name: str | None = None) -> Tensor:
        """The number of gradients in it."""
        return apply(OPS[f"{self._prefix}AccumulatorNumAccumulated"],  # type: ignore[no-any-return]
                     self._accumulator_ref, name=name or f"{self.name}_NumAccumulated")

    def set_global_step(self, new_global_step: Any, name: str | None = None) -> Operation:
        """Sets the accumulator's step: gradients of steps before it are dropped."""
        made: Operation = apply(OPS[f"{self._prefix}AccumulatorSetGlobalStep"], self._accumulator_ref,
                                _step(new_global_step), name=name)
        return made

    def _claim(self, num_required: int) -> Tensor:
        """Whether this run is the first to see that many gradients in it: then it is to take them. (graphc's own)"""
        claimed: Tensor = apply(OPS["_AccumulatorClaim"], self._accumulator_ref, num_required)
        return claimed


@public("ConditionalAccumulator", "python.ops.data_flow_ops.ConditionalAccumulator")
class ConditionalAccumulator(ConditionalAccumulatorBase):
    """Adds up tensors of one shape and gives their mean (reduction_type="SUM": their sum).

    How gradients of several workers, or of several batches, become one. It is the session's. dtype: float16, float32 or
    float64; shape: of the gradients, None: not known. Gradients are of these. As `tf.ConditionalAccumulator`. Raises
    ValueError for other dtypes, shapes and reduction_types; Python values of the wrong kind are a TypeError.
    num_required below 1 ends the run with InvalidArgumentError.

    >>> accumulator = gc.ConditionalAccumulator(gc.float32, shape=[2])
    >>> for gradient in ([1., 2.], [3., 6.]):
    ...     accumulator.apply_grad(gradient).run()
    >>> accumulator.take_grad(2).eval()
    array([2., 4.], dtype=float32)
    """

    _prefix = "Resource"

    def __init__(self, dtype: Any, shape: Any = None, shared_name: str | None = None,
                 name: str = "conditional_accumulator", reduction_type: str = "MEAN") -> None:
        super().__init__(dtype, shape, _made("ResourceConditionalAccumulator", dtype, shape, shared_name, name,
                                             reduction_type))

    def apply_grad(self, grad: Any, local_step: Any = 0, name: str | None = None) -> Operation:
        """Adds `grad`, unless it is stale: local_step is before the accumulator's step."""
        gradient = convert_to_tensor(grad, self._dtype)
        gradient.shape.assert_is_compatible_with(self._shape)
        made: Operation = apply(OPS["ResourceAccumulatorApplyGradient"], self._accumulator_ref, _step(local_step),
                                gradient, dtype=self._dtype, name=name)
        return made

    def take_grad(self, num_required: Any, name: str | None = None) -> Tensor:
        """The mean of the gradients, once there are num_required; the accumulator is empty then, and at its next
        step."""
        taken: Tensor = apply(OPS["ResourceAccumulatorTakeGradient"], self._accumulator_ref, num_required,
                              dtype=self._dtype, name=name)
        if self._shape.ndims is not None:
            taken.set_shape(self._shape)
        return taken


@public("sparse.SparseConditionalAccumulator", "SparseConditionalAccumulator",
        "python.ops.data_flow_ops.SparseConditionalAccumulator")
class SparseConditionalAccumulator(ConditionalAccumulatorBase):
    """Adds up the rows of IndexedSlices and gives the mean of each over the gradients that have it.

    The indices of a gradient should ascend. dtype: float16, float32 or float64; indices: integers [n]; values: [n,
    ...]; shape: of the whole. As `tf.SparseConditionalAccumulator`. Raises ValueError for other dtypes and
    reduction_types, InvalidArgumentError when run for shapes that do not fit.

    >>> accumulator = gc.SparseConditionalAccumulator(gc.float32)
    >>> accumulator.apply_grad(grad_indices=[0, 2], grad_values=[[1.], [2.]]).run()
    >>> accumulator.apply_grad(grad_indices=[2], grad_values=[[6.]]).run()
    >>> indices, values, _ = accumulator.take_grad(2)
    >>> gc.get_default_session().run([indices, values])
    [array([0, 2]), array([[1.],
           [4.]], dtype=float32)]
    """

    def __init__(self, dtype: Any, shape: Any = None, shared_name: str | None = None,
                 name: str = "sparse_conditional_accumulator", reduction_type: str = "MEAN") -> None:
        super().__init__(dtype, shape, _made("SparseConditionalAccumulator", dtype, shape, shared_name, name,
                                             reduction_type))

    def apply_indexed_slices_grad(self, grad: IndexedSlices, local_step: Any = 0,
                                  name: str | None = None) -> Operation:
        """Adds `grad`, unless it is stale: local_step is before the accumulator's step."""
        return self.apply_grad(grad.indices, grad.values, grad.dense_shape, local_step, name)

    def apply_grad(self, grad_indices: Any, grad_values: Any, grad_shape: Any = None, local_step: Any = 0,
                   name: str | None = None) -> Operation:
        """Adds the rows `grad_values` at `grad_indices`."""
        shape = convert_to_tensor([], int64) if grad_shape is None else _step(grad_shape)
        made: Operation = apply(
            OPS["SparseAccumulatorApplyGradient"], self._accumulator_ref, _step(local_step), _step(grad_indices),
            convert_to_tensor(grad_values, self._dtype), shape, dtype=self._dtype,
            has_known_shape=grad_shape is not None, name=name)
        return made

    def take_grad(self, num_required: Any, name: str | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """(indices, values, shape) of the mean, once there are num_required gradients; the accumulator is empty then,
        and at its next step."""
        indices, values, shape = apply(OPS["SparseAccumulatorTakeGradient"], self._accumulator_ref, num_required,
                                       dtype=self._dtype, name=name)
        if self._shape.ndims:
            values.set_shape(TensorShape([None, *self._shape.as_list()[1:]]))
        return indices, values, shape

    def take_indexed_slices_grad(self, num_required: Any, name: str | None = None) -> IndexedSlices:
        """As take_grad."""
        indices, values, shape = self.take_grad(num_required, name)
        return IndexedSlices(values, indices, shape)


def _made(op: str, dtype: Any, shape: Any, shared_name: str | None, name: str, reduction_type: str) -> Tensor:
    known = as_shape(shape)
    handle: Tensor = apply(OPS[op], name=name, dtype=as_dtype(dtype),
                           shape=None if known.ndims is None else known.sizes, shared_name=shared_name or "",
                           reduction_type=reduction_type)
    return handle


def _step(value: Any) -> Tensor:
    """A step, or indices, as int64."""
    return cast(convert_to_tensor(value), int64)
