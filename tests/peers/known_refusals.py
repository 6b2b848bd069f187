"""What one of graphc and TensorFlow 2.21 refuses and the other does not, and why (differences_known.py)."""
from __future__ import annotations

from typing import Any

from differences_known import Known, empty, special

_EMPTY = "TensorFlow's kernel refuses tensors without elements; graphc gives what the formula gives of none"
_OF_EMPTY = (
    "must not be empty", "must not have zero elements", "Depth of filter must not be 0", "received empty tensor",
    "must all have at least 1 element", "must have at least one channel", "dimensions must be positive",
    "Inner dimension should be greater than zero", "Indices and updates specified for empty",
    "Computed output size would be negative", "does not start with segment_ids.shape", "at least one class",
    "addings must be less than the", "seq_lens(",
)
_SCATTER = ("ScatterNd ScatterNdUpdate ScatterNdAdd ScatterNdSub ScatterNdNonAliasingAdd TensorScatterUpdate "
            "TensorScatterAdd TensorScatterSub")
_DEPTHWISE = "DepthwiseConv2dNative DepthwiseConv2dNativeBackpropInput DepthwiseConv2dNativeBackpropFilter"
_CONVOLUTIONS = ("Conv2D Conv3D Conv2DBackpropInput Conv2DBackpropFilter Conv3DBackpropInputV2 "
                 "Conv3DBackpropFilterV2")


def _indices(case: Any) -> Any:
    return case.values[0 if case.op.operands[0] == "indices" else 1]


def _single(case: Any) -> bool:
    return bool(_indices(case).ndim == 1)


REFUSALS = [
    *(Known("*", "accepts", _EMPTY, empty, said) for said in _OF_EMPTY),
    Known("Concat ConcatV2 ConcatOffset", "accepts", "graphc joins a single tensor, too", said="at least minimum 2"),
    Known("BiasAdd BiasAddGrad", "accepts", "graphc takes matrices in NCHW", said="Shape must be at least rank 3"),
    Known("Betainc", "accepts", "graphc broadcasts; TensorFlow wants equal shapes or scalars", said="Dimension"),
    Known("Range", "accepts", "an empty range, as NumPy's", said="Requires start"),
    Known("OneHot", "accepts", "graphc counts any axis from the end", said="axis must be >= -1"),
    Known("ReverseSequence", "accepts", "graphc counts axes from the end", said="_dim"),
    Known("HistogramFixedWidth", "accepts", "a range without extent", said="value_range should satisfy"),
    Known("ConcatOffset", "accepts", "that other sizes agree is for the op that joins to check", said="must match"),
    Known("EnsureShape", "accepts", "TensorFlow 2.21 cannot load an unknown rank", said="Shape must be rank -1"),
    Known("ParallelConcat MatrixSetDiagV2 MatrixDiagV2", "accepts", "TensorFlow's shape function wants known sizes",
          said="graphc takes unknown sizes"),
    Known("MatrixDiagPartV2 MatrixDiagV2 MatrixSetDiagV2", "accepts",
          "graphc takes diagonals beyond the matrix: they have no elements", said="diag_index is out of bound"),
    Known(f"{_SCATTER} GatherNd", "accepts", "graphc takes a single index tuple without a batch axis, TensorFlow not, "
          "or not in the gradient", _single),
    Known(_SCATTER, "accepts", "graphc takes index tuples of length 0, which name the whole tensor",
          lambda case: _indices(case).shape[-1:] == (0,)),
    Known("CTCLoss", "accepts", "the loss of a label of length 0 is that of blanks", said="Labels length is zero"),
    Known("CTCLoss", "accepts", "that labels are in order is not looked at", said="label SparseTensor is not valid"),
    Known("ApplyProximalAdagrad ApplyFtrl ApplyFtrlV2 ApplyAdagradDA ApplyProximalGradientDescent SparseApplyFtrl "
          "SparseApplyFtrlV2 SparseApplyProximalAdagrad SparseApplyProximalGradientDescent SparseApplyAdagradDA",
          "accepts", "that rates are no NaNs, nor below 0, is not looked at", special, "scalar"),
    Known("FusedBatchNormGradV3", "accepts", "an empty workspace of cuDNN's", said="reserve_space_3"),
    Known("SplitV", "accepts", "a single part may be -1, the rest", said="If there is only one output"),
    Known("TopKV2", "accepts", "the gradient of no rows", empty, "Requires delta != 0"),
    Known("TruncateMod", "error class", "a division by 0 is InvalidArgumentError, as of the other divisions; "
          "TensorFlow says InternalError"),
    Known("QuantizeAndDequantizeV2 QuantizeAndDequantizeV3", "accepts", "a range for nothing is not looked at", empty,
          "Invalid range"),
    Known("UnravelIndex", "refuses", "a position below 0; TensorFlow looks at the upper bound only",
          lambda case: bool((case.values[0] < 0).any())),
    Known("QuantizeAndDequantizeV3", "accepts", "num_bits, an operand, is not looked at", said="num_bits is out of"),
    Known("MaxPool3DGradGrad MaxPool3DGrad MaxPool3D", "accepts", "the gradient's op does not have the dtype in "
          "TensorFlow", said="not in list of allowed"),
    Known(_DEPTHWISE, "accepts", "TensorFlow's CPU kernels of the gradients have NHWC only",
          said="Depthwise convolution on CPU is only supported"),
    Known(f"{_DEPTHWISE} {_CONVOLUTIONS}", "accepts", "TensorFlow's CPU kernel lacks dilations here, or its gradient's",
          lambda case: max(case.fields["dilations"]) > 1, "support dilation"),
    Known("CropAndResize CropAndResizeGradImage CropAndResizeGradBoxes", "error class",
          "an index out of range is InvalidArgumentError, as everywhere; TensorFlow says OutOfRangeError"),
    Known("CTCGreedyDecoder CTCBeamSearchDecoder CTCLoss", "error class",
          "a length out of range is InvalidArgumentError, as everywhere; TensorFlow says FailedPreconditionError"),
    Known("CTCGreedyDecoder CTCBeamSearchDecoder", "refuses",
          "a negative length; TensorFlow decodes it as an empty sequence", said="index -"),
    Known("Gather GatherV2", "refuses", "an index out of range is refused of rows without elements, too", empty,
          "index"),
    Known("DrawBoundingBoxesV2", "refuses", "colours without a row stand for the ten usual ones only where that is "
          "known while building", lambda case: case.values[2].shape[0] == 0),
]
