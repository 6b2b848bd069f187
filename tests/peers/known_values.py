"""Values, gradients and static shapes that differ from TensorFlow 2.21's, and why (differences_known.py)."""
from __future__ import annotations

from differences_known import (
    INTEGERS,
    Known,
    banded,
    beside_the_picture,
    beyond,
    dilated,
    dtypes,
    empty,
    equals,
    field,
    jpeg_otherwise,
    outside,
    repeated,
    special,
    twice,
    unequal_strides,
)

_BOTH = "value, not finite value"
_SLOPES = "gradient, not finite gradient"
_CONVOLUTIONS = (
    "Conv2D Conv3D Conv2DBackpropInput Conv2DBackpropFilter Conv3DBackpropInputV2 Conv3DBackpropFilterV2 "
    "DepthwiseConv2dNative DepthwiseConv2dNativeBackpropInput DepthwiseConv2dNativeBackpropFilter")
_NORMS = ("FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 FusedBatchNormGrad FusedBatchNormGradV2 "
          "FusedBatchNormGradV3")
_NORM_GRADIENTS = "FusedBatchNormGrad FusedBatchNormGradV2 FusedBatchNormGradV3"
_ROWS = (
    "SparseApplyAdagrad SparseApplyAdagradDA SparseApplyAdadelta SparseApplyRMSProp SparseApplyCenteredRMSProp "
    "SparseApplyFtrl SparseApplyFtrlV2 SparseApplyMomentum SparseApplyProximalGradientDescent "
    "SparseApplyProximalAdagrad")
_SEGMENTS = (
    "SparseSegmentMean SparseSegmentSqrtN SparseSegmentSum SparseSegmentMeanWithNumSegments "
    "SparseSegmentSqrtNWithNumSegments SparseSegmentSumWithNumSegments")
_DILATIONS = "Dilation2D Dilation2DBackpropFilter Dilation2DBackpropInput"
_DILATED = ("TensorFlow's CPU kernels of the gradients pass over dilations, which the forward kernel follows; graphc's "
            "follow them")

VALUES = [
    Known("Round", "value", "of integers TensorFlow 2.21's CPU kernel gives 0; graphc gives them back, as its GPU "
          "kernel", dtypes(*INTEGERS)),
    Known("Cast", "value", "a number beyond the integers of the dtype becomes the nearest one (of NaN: 0) on every "
          "machine; TensorFlow leaves it to the machine", beyond),
    Known(_ROWS, _BOTH, "a row that is named twice gets the sum of its gradients once, as from TensorFlow's "
          "optimizers, which sum before the op; its kernel applies one after the other", repeated),
    Known("Conv3D", f"value, {_SLOPES}", "with SAME and strides that differ TensorFlow 2.21's kernel pads one axis for "
          "the other; graphc's is the formula of all convolutions", unequal_strides),
    Known("SelfAdjointEigV2 Svd", "value", "without vectors TensorFlow gives scalars for them, against its own shape "
          "function", lambda case: not case.fields.get("compute_v", case.fields.get("compute_uv", True))),
    Known("QuantizeV2", "value", "MIN_FIRST in oneDNN is one off for some numbers; TensorFlow's own kernel gives "
          "graphc's", field("mode", "MIN_FIRST")),
    Known("Svd", "value", "the vectors that full_matrices adds are any that complete the others",
          field("full_matrices", True)),
    Known("TopKV2", f"{_BOTH}, {_SLOPES}", "the order is free if not sorted", field("sorted", False)),
    Known("CropAndResizeGradImage", "not finite value", "the order of sums, and shares of 0: inf - inf and 0 * inf are "
          "NaN", special),
    Known("CTCBeamSearchDecoder", "not finite value", "of infinities and NaNs", special),
    Known("CTCBeamSearchDecoder", "value", "which of equal paths is first", equals),
    Known("CTCBeamSearchDecoder", "value", "TensorFlow adds up in float32", result=3, within=1e-2),
    Known("Igamma Igammac IgammaGradA", "value, gradient", "TensorFlow's float32 derivative by a is right to 1e-6, "
          "graphc's to 2e-8, by the float64 results of both", dtypes("float32"), within=3e-4),
    Known("ResizeArea", "not finite value", "of corners of one place the step is 0, and graphc's formula 0 / 0; "
          "TensorFlow gives the place",
          lambda case: case.fields.get("align_corners", False) and 1 in case.values[0].shape[1:3]),

    # Of tensors without elements.
    Known(_CONVOLUTIONS, "value, gradient", "of no elements TensorFlow's kernel gives a tensor of the operand's shape "
          "instead of the result's", empty),
    Known(_NORMS, f"{_BOTH}, {_SLOPES}", "of no elements the mean is NaN, as 0 / 0; TensorFlow gives NaN or 0 by "
          "operand", empty),
    Known("SparseSegmentMeanGrad SparseSegmentSqrtNGrad MatrixSolveLs", _BOTH, "of nothing TensorFlow 2.21 leaves the "
          "result as memory was", empty),
    Known(_SEGMENTS, _SLOPES, "of no indices TensorFlow 2.21 leaves the gradient as memory was", empty),

    # Gradients.
    Known("DepthwiseConv2dNative", _SLOPES, _DILATED, dilated),
    Known("DepthwiseConv2dNativeBackpropInput DepthwiseConv2dNativeBackpropFilter", f"{_BOTH}, {_SLOPES}", _DILATED,
          dilated),
    Known("Cumprod", _SLOPES, "TensorFlow divides by the elements: 0 (NaN in 1.15) where one is 0, where graphc has "
          "the derivative", lambda case: bool((case.values[0] == 0).any())),
    Known("SoftmaxCrossEntropyWithLogits", "gradient", "of the second result by the labels TensorFlow has none",
          result=1),
    Known("MatrixDiagPartV2 MatrixDiagV2 MatrixSetDiagV2", "gradient", "TensorFlow 2.21 makes it of V3's ops, which "
          "align short diagonals at the other end", banded),
    Known("UnsortedSegmentProd", "not finite gradient", "where the product is infinite: TensorFlow divides it by the "
          "elements", lambda case: case.style == "wide"),
    Known("ResizeBicubic", "gradient", "TensorFlow has none for 16-bit numbers", dtypes("float16", "bfloat16"),
          "TensorFlow: None"),
    Known("RGBToHSV", "gradient", "TensorFlow has one since 2.2, not in 1.15"),
    Known("SegmentProd", "no gradient", "TensorFlow has one since 2.x, not in 1.15"),
    Known("ResizeBicubicGrad ResizeBilinearGrad ResizeNearestNeighborGrad SoftsignGrad SparseSegmentMeanGrad "
          "SparseSegmentSqrtNGrad LRNGrad MaxPoolGradWithArgmax MaxPoolGradGradV2", "no gradient, gradient",
          "graphc has second derivatives, too"),
    Known(_NORM_GRADIENTS, "gradient", "of five operands taken as independent; TensorFlow's takes the saved mean and "
          "variance as functions of x (second derivatives of batch normalisation are the same)",
          field("is_training", True)),

    # Static shapes, and results without a meaning.
    Known(_NORM_GRADIENTS, "shape", "the two unused results are scalars in the runs of both; TensorFlow's shape "
          "function says [0]"),
    Known("FusedBatchNormV3", "value", "cuDNN's workspace: empty in TensorFlow, a scalar here", result=5),
    Known("MatrixDiagV2 MatrixDiagV3", "shape", "of a diagonal of unknown size TensorFlow's shape function says 0 "
          "rows"),

    # Of infinities and NaNs among the operands.
    Known("ApplyFtrl ApplyFtrlV2 SparseApplyFtrl SparseApplyFtrlV2 ApplyAdagradDA SparseApplyAdagradDA "
          "ApplyProximalGradientDescent SparseApplyProximalGradientDescent ApplyProximalAdagrad "
          "SparseApplyProximalAdagrad", "not finite value", "of a NaN graphc's variable "
          "becomes NaN; TensorFlow's comparison makes it 0", special),
    Known("AdjustHue AdjustSaturation RGBToHSV HSVToRGB", "not finite value", "of a NaN graphc gives NaN, TensorFlow "
          "what its comparisons make of it", special),
    Known("FakeQuantWithMinMaxVarsGradient FakeQuantWithMinMaxVarsPerChannelGradient FakeQuantWithMinMaxArgsGradient "
          "ReluGrad Relu6Grad", "not finite value", "TensorFlow multiplies by 0 or 1 where graphc selects: 0 * inf is "
          "NaN", special),
    Known(f"{_CONVOLUTIONS} MatMul BatchMatMul BatchMatMulV2 SparseMatMul LRN LRNGrad ResizeBilinear "
          "ResizeBilinearGrad ResizeBicubic ResizeBicubicGrad ResizeArea", "not finite value", "the order of sums, and "
          "zeros that one of the two adds: inf - inf and 0 * inf are NaN", special),
    Known(_DILATIONS, f"{_BOTH}, {_SLOPES}", "a window wholly in the padding gives -inf and no gradient; TensorFlow "
          "gives the least finite number, and its gradient to an element beside the window", beside_the_picture),
    Known(_DILATIONS, _BOTH, "TensorFlow begins with the least "
          "finite number instead of -inf", special),
    Known("DrawBoundingBoxes DrawBoundingBoxesV2", _BOTH, "a box with a NaN is not drawn; TensorFlow takes NaN for an "
          "integer", special),
    Known("Softmax", "not finite value", "one of TensorFlow's kernels makes other elements 0; its other one, and "
          "graphc, all NaN", special),
    Known("UnsortedSegmentMin UnsortedSegmentMax", "not finite value", "TensorFlow's comparison passes over NaN",
          special),
    Known("Erf", "not finite value", "TensorFlow 2.21's kernel of vectors gives NaN of infinities", special),
    Known("StatelessMultinomial", "value", "of logits that are infinite or NaN", special),
    Known("RandomGammaGrad Betainc Igamma Igammac IgammaGradA Zeta", "not finite value", "of infinities and NaN both "
          "are limits, taken differently", special),
    Known("MaxPool MaxPoolV2", "not finite value", "of a NaN graphc gives NaN, TensorFlow by where it stands", special),
    Known("TopKV2", _BOTH, "where NaNs stand among numbers", special),

    # Complex numbers and transforms.
    Known("Cumprod Prod", "not finite value", "products of infinite complex numbers: inf - inf is NaN, by the order of "
          "the factors", lambda case: special(case) and dtypes("complex64", "complex128")(case)),
    Known("EuclideanNorm", _SLOPES, "the norm is real, and so is what of its gradient counts; TensorFlow divides "
          "by all of it", dtypes("complex64", "complex128")),
    Known("ApplyAddSign ApplyPowerSign", "value", "of a variable that is nearly its update the difference is as "
          "right as those", within=2e-4),
    Known("SquaredDifference", "gradient, not finite gradient", "the distance is real, and so is what of its gradient "
          "counts; TensorFlow multiplies by all of it", dtypes("complex64", "complex128")),
    Known("RFFT RFFT2D RFFT3D IRFFT IRFFT2D IRFFT3D", _BOTH, "of nothing TensorFlow 2.21 leaves the result as "
          "memory was", empty),
    Known("FFT FFT2D FFT3D IFFT IFFT2D IFFT3D RFFT RFFT2D RFFT3D IRFFT IRFFT2D IRFFT3D", "not finite value",
          "the order of sums: inf - inf and 0 * inf are NaN", special),
    Known("AudioSpectrogram", "not finite value", "the order of sums: inf - inf is NaN", special),

    Known("StringFormat", "value", "bytes beyond ASCII are escaped, as in 1.15; TensorFlow 2.21 leaves them",
          lambda case: any(v.dtype == object and any(max(s, default=0) > 127 for s in v.ravel().tolist())
                           for v in case.values)),

    # Of sparse tensors.
    Known("SparseAddGrad SparseSliceGrad SparseFillEmptyRowsGrad", "no gradient, gradient",
          "graphc has second derivatives, too"),
    Known("SparseReorder", f"{_BOTH}, {_SLOPES}", "of a place that is named twice the order is free", twice),
    Known("EditDistance", "value", "entries of a sequence that do not stand together are put together; TensorFlow "
          "begins it anew", outside),
    Known("SparseReduceMax SparseReduceMaxSparse", "not finite value", "TensorFlow's comparison passes over NaN",
          special),

    # Of pictures.
    Known("DecodeJpeg DecodeAndCropJpeg", "value", "of a JPEG that is cut off, Pillow decodes what there is, by the "
          "accurate method; one that is cropped is decoded whole, and TensorFlow smooths colours inside of the window",
          jpeg_otherwise),
    Known("FusedPadConv2D FusedResizeAndPadConv2D", "value, not finite value", "TensorFlow's kernel is right for the "
          "first picture of a batch only", lambda case: case.values[0].shape[0] > 1),
    Known("FusedPadConv2D FusedResizeAndPadConv2D", "not finite value", "the order of sums, and zeros that one of the "
          "two adds: inf - inf and 0 * inf are NaN", special),
    Known("ExtractVolumePatches", "shape", "of unknown sizes TensorFlow's shape function says rank 4",
          said="TensorFlow: [None, None, None, None]"),
    Known("ExtractGlimpse", _BOTH, "what lies beside the picture is drawn: tests/ops/image/test_suppression.py",
          lambda case: case.fields.get("noise") == "gaussian" or case.fields.get("noise", "uniform") == "uniform"),
    Known("Empty", _BOTH, "without init TensorFlow leaves the result as memory was; graphc's is zeros",
          field("init", False)),
]
