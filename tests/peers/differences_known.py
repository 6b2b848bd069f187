"""What differs from TensorFlow 2.21's CPU kernels, and why: by op type, and what differs.

Keys of a reason: "error" (one of the two refuses), "value", "gradient", "shape" (of static shapes). docs/parity.md
prints the reasons.
"""
from __future__ import annotations

# What TensorFlow's CPU kernels do not have: parts of its messages.
NOT_IN_TENSORFLOW = (
    "only supports NHWC", "must be at least rank 3", "must be at least minimum 2", "reserve_space_3",
    "No OpKernel was registered", "only supports", "not implemented",
)

_NO_SECOND = "TensorFlow has none, so second derivatives stop there"
_OF_SCALAR = "TensorFlow's gradient for a dense scalar ends with an error"
KNOWN: dict[str, dict[str, str]] = {
    "SparseAddGrad": {"gradient": _NO_SECOND}, "SparseSliceGrad": {"gradient": _NO_SECOND},
    "SparseFillEmptyRowsGrad": {"gradient": _NO_SECOND},
    "SparseTensorDenseMatMul": {"error": "TensorFlow has no kernel for int64"},
    "SparseAdd": {"error": "TensorFlow has no kernel for some unsigned integers"},
    "SparseDenseCwiseMul": {"error": _OF_SCALAR}, "SparseDenseCwiseDiv": {"error": _OF_SCALAR},
    "SparseToDense": {"error": "TensorFlow's gradient for indices that are a vector ends with an error"},
    "Round": {"value": "of integers TensorFlow 2.21's CPU kernel gives 0; graphc gives them back, as its GPU kernel"},
}
