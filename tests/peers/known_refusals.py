"""What one of graphc and TensorFlow 2.21 refuses and the other does not, and why (differences_known.py)."""
from __future__ import annotations

from typing import Any

from differences_known import Known, empty, field, outside, special

_EMPTY = "TensorFlow's kernel refuses tensors without elements; graphc gives what the formula gives of none"
_OF_EMPTY = (
    "must not be empty", "must not have zero elements", "Depth of filter must not be 0", "received empty tensor",
    "must all have at least 1 element", "must have at least one channel", "dimensions must be positive",
    "Inner dimension should be greater than zero", "Indices and updates specified for empty",
    "Computed output size would be negative", "does not start with segment_ids.shape", "at least one class",
    "addings must be less than the", "seq_lens(",
)
_SCATTER = ("ScatterNd ScatterNdUpdate ScatterNdAdd ScatterNdSub ScatterNdNonAliasingAdd TensorScatterUpdate "
            "TensorScatterAdd TensorScatterSub TensorScatterMax TensorScatterMin")
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
    Known("QuantizedConcat", "accepts", "graphc counts axes from the end", said="Expected concatenating dimensions"),
    Known("HistogramFixedWidth", "accepts", "a range without extent", said="value_range should satisfy"),
    Known("ConcatOffset", "accepts", "that other sizes agree is for the op that joins to check", said="must match"),
    Known("EnsureShape", "accepts", "TensorFlow 2.21 cannot load an unknown rank", said="Shape must be rank -1"),
    Known("ParallelConcat MatrixSetDiagV2 MatrixDiagV2 MatrixSetDiagV3 MatrixDiagV3", "accepts",
          "TensorFlow's shape function wants known sizes", said="graphc takes unknown sizes"),
    Known("MatrixDiagPartV2 MatrixDiagV2 MatrixSetDiagV2 MatrixDiagPartV3 MatrixDiagV3 MatrixSetDiagV3", "accepts",
          "graphc takes diagonals beyond the matrix: they have no elements", said="diag_index is out of bound"),
    Known(f"{_SCATTER} GatherNd", "accepts", "graphc takes a single index tuple without a batch axis, TensorFlow not, "
          "or not in the gradient", _single),
    Known(_SCATTER, "accepts", "graphc takes index tuples of length 0, which name the whole tensor",
          lambda case: _indices(case).shape[-1:] == (0,)),
    Known("SparseCross", "refuses", "indices must be in the order of their rows: TensorFlow crosses elements of other "
          "rows", said="not in the order of their rows"),
    Known("SparseCross", "refuses", "indices must be inside the shape", said="do not index into its shape"),
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
    Known("MaxPool3DGradGrad MaxPool3DGrad MaxPool3D Digamma Igamma Igammac", "accepts",
          "the gradient's op does not have the dtype in TensorFlow", said="not in list of allowed"),
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
    Known("MaxPoolGradWithArgmax", "refuses", "an index out of range; TensorFlow passes over it", outside,
          "is not in [0, "),
    Known("ImageProjectiveTransformV2 ImageProjectiveTransformV3", "accepts", "TensorFlow's gradient function refuses "
          "bfloat16", said="Invalid dtype"),
    Known("ImageProjectiveTransformV2 ImageProjectiveTransformV3", "error class", "of a picture without elements both "
          "refuse the gradient, graphc while it is built", said="output dimensions must be positive"),
    Known("DrawBoundingBoxesV2", "refuses", "colours without a row stand for the ten usual ones only where that is "
          "known while building", lambda case: case.values[2].shape[0] == 0),

    # Of sparse tensors.
    *(Known("*", "error class", "indices beyond the shape are InvalidArgumentError, as everywhere; TensorFlow says "
            "InternalError", outside, said) for said in (
        "write index", "Got an inner product", "InternalError: Node: 'SetSize' indices", "SetOperation' indices")),
    *(Known("EditDistance SparseReduceMax SparseReduceMaxSparse SparseReduceSum SparseReduceSumSparse SetSize "
            "DenseToSparseSetOperation SparseToSparseSetOperation", "refuses", "indices beyond the shape; TensorFlow "
            "does not look at them, or not at all of them", outside, said)
      for said in ("do not index into shape", "is not in [0, ")),
    Known("SparseSlice", "refuses", "a start or a size below 0; TensorFlow gives an empty tensor, or what lies there",
          outside, "start and size must not be negative"),
    Known("SparseSlice SparseSplit SparseSoftmax SparseSparseMaximum SparseSparseMinimum", "accepts",
          "whether indices lie within the shape, and whether that has sizes below 0, is not looked at", outside),
    Known("SparseConcat", "error class, accepts", "TensorFlow says InternalError of shapes with sizes below 0", outside,
          "overflow from large input shape"),
    Known("SparseConcat", "accepts", "graphc joins a single tensor, too", said="at least minimum 2"),
    Known("SparseDenseCwiseAdd SparseDenseCwiseMul SparseDenseCwiseDiv SparseSoftmax", "accepts",
          "graphc takes any rank; TensorFlow, or its gradient, up to 5", said="tensors with ranks between 1 and 5"),
    Known("SparseSoftmax", "accepts", "TensorFlow's gradient makes a dense tensor", outside, "OOM"),
    Known("SparseDenseCwiseDiv", "accepts", "TensorFlow 2.21 looks for zeros in the whole dense tensor; graphc, as "
          "1.15, divides", lambda case: bool((case.values[3] == 0).any()), "cannot divide by zero"),
    Known("SparseSparseMaximum SparseSparseMinimum", "accepts", "TensorFlow 2.21's gradient function ends with an "
          "error", said="Grad() takes 2 positional arguments"),
    Known("SparseDenseCwiseMul SparseDenseCwiseDiv", "accepts", "TensorFlow's gradient for a dense scalar ends with an "
          "error", lambda case: case.values[3].ndim == 0),
    Known("SparseToDense", "accepts", "TensorFlow's gradient for indices that are a vector or a scalar, or for a "
          "scalar that all places get, ends with an error",
          lambda case: case.values[0].ndim < 2 or case.values[1].ndim == 0),

    # Of files, transforms and patches.
    Known("DecodeBmp", "accepts", "graphc decodes a BMP as one channel, too", field("channels", 1),
          "must be 0, 3 or 4"),
    Known("RFFT RFFT2D RFFT3D IRFFT IRFFT2D IRFFT3D", "accepts", "TensorFlow's gradient takes operands of exactly "
          "fft_length; where the op cut or filled them, it ends with an error", said="_grad/"),
    Known("RFFT RFFT2D RFFT3D IRFFT IRFFT2D IRFFT3D", "accepts", "TensorFlow's gradient takes operands of exactly "
          "fft_length; where the op cut or filled them, it ends with an error", said="calculated input gradient"),
    Known("ExtractVolumePatches", "accepts", _EMPTY, empty, "inner dimension does not match"),
    Known("FusedPadConv2D FusedResizeAndPadConv2D", "accepts", "graphc mirrors batches and channels, too",
          said="only support spatial padding"),
    Known("FusedPadConv2D FusedResizeAndPadConv2D", "accepts", _EMPTY, empty, "can't be empty"),
    Known("FractionalAvgPoolGrad", "accepts", _EMPTY, empty, "must be positive for all dimension"),
    Known("FractionalMaxPoolGrad", "accepts", "that orig_output is what pooling gives is not looked at",
          said="tensor_out_dup"),
    Known("DecodeImage DecodePng DecodeGif", "accepts", "graphc adds a fourth channel to a JPEG, too",
          field("channels", 4), "JPEG does not support 4"),
    Known("DecodeImage", "refuses", "graphc gives decode_image a result of rank 3 if nothing says otherwise; a file of "
          "frames, whose result has rank 4, is refused with what to say", said="with frames"),
]
