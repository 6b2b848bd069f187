"""Where every op class stands: the one list of op types. Classes are imported when they are first used.

A module of this package, by the types that it registers; tests/ops/test_registration.py holds it to the truth.
"""
from __future__ import annotations

from graphc.ir.op import OPS

TYPES: dict[str, str] = {
    "array.bitcast": "Bitcast",
    "array.broadcast": "BroadcastTo _SumTo Tile",
    "array.cast": "Cast",
    "array.depth": "SpaceToDepth DepthToSpace",
    "array.diagonal": "MatrixDiag MatrixDiagPart MatrixSetDiag Diag DiagPart MatrixBandPart",
    "array.diagonal_bands": "MatrixDiagV2 MatrixDiagPartV2 MatrixSetDiagV2",
    "array.fill": "Fill ZerosLike OnesLike Range",
    "array.gather": "GatherV2 _ScatterSum OneHot Where",
    "array.gather_nd": "GatherNd _GatherNdLike Gather",
    "array.identity": "Identity StopGradient PreventGradient NoOp",
    "array.join": "ConcatV2 Pack Unpack Split SplitV",
    "array.join_shapes": "Concat ParallelConcat ConcatOffset ShapeN BroadcastArgs",
    "array.linspace": "LinSpace UnravelIndex",
    "array.mirror_pad_grad": "MirrorPadGrad",
    "array.pad": "Pad PadV2 MirrorPad",
    "array.partition": "DynamicPartition DynamicStitch ParallelDynamicStitch ListDiff",
    "array.passing": "GuaranteeConst Snapshot IdentityN EnsureShape CheckNumerics",
    "array.patches": "ExtractImagePatches",
    "array.rearrange": "Roll ReverseSequence",
    "array.scatter":
        "ScatterNd TensorScatterUpdate TensorScatterAdd TensorScatterSub ScatterNdNonAliasingAdd _CheckedIndices "
        "_Scattered",
    "array.select": "SelectV2 Select",
    "array.shapes": "Shape Size Rank Reshape ExpandDims Squeeze",
    "array.slicing": "Slice StridedSlice StridedSliceGrad",
    "array.source": "Const Placeholder PlaceholderWithDefault",
    "array.space": "SpaceToBatchND BatchToSpaceND SpaceToBatch BatchToSpace",
    "array.transpose": "Transpose InvertPermutation ReverseV2",
    "control.control": "StatelessWhile While StatelessIf If",
    "control.lists": "EmptyTensorList TensorListPushBack TensorListPopBack TensorListLength",
    "control.script": "PyFunc Print Assert",
    "math.binary": "Add AddV2 Sub Mul Pow Maximum Minimum SquaredDifference AddN",
    "math.comparison":
        "Less LessEqual Greater GreaterEqual Equal NotEqual LogicalAnd LogicalOr LogicalNot IsNan IsInf "
        "IsFinite",
    "math.division": "RealDiv TruncateDiv Div FloorDiv FloorMod",
    "math.matmul": "MatMul BatchMatMul BatchMatMulV2",
    "math.reduction": "Sum Mean Prod Max Min All Any _BesselMean ArgMax ArgMin",
    "math.scan": "Cumsum Cumprod",
    "math.trigonometry": "Sin Cos Tan Asin Acos Atan Sinh Cosh Erf Atan2",
    "math.unary":
        "Neg Abs Sign Square Exp Expm1 Log Log1p Sqrt Rsqrt Reciprocal Inv SqrtGrad RsqrtGrad ReciprocalGrad "
        "InvGrad Floor Ceil Rint Round",
    "math.unreduce": "_Spread _Rows _Unrows",
    "nn.activations":
        "Tanh TanhGrad Sigmoid SigmoidGrad Softplus SoftplusGrad Softsign SoftsignGrad Relu ReluGrad Relu6 "
        "Relu6Grad Elu EluGrad Selu SeluGrad LeakyRelu LeakyReluGrad",
    "nn.average_pooling": "AvgPool AvgPoolGrad",
    "nn.batch_norm":
        "FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 FusedBatchNormGrad FusedBatchNormGradV2 "
        "FusedBatchNormGradV3",
    "nn.bias": "BiasAdd BiasAddGrad",
    "nn.convolution": "Conv2D Conv2DBackpropInput Conv2DBackpropFilter",
    "nn.losses": "L2Loss _HalfSquares",
    "nn.max_pooling": "MaxPool MaxPoolGrad MaxPoolGradGrad",
    "nn.softmax": "Softmax LogSoftmax SoftmaxCrossEntropyWithLogits SparseSoftmaxCrossEntropyWithLogits",
    "quantization.fake_quant":
        "FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVars FakeQuantWithMinMaxVarsPerChannel _FakeQuantized",
    "quantization.fake_quant_gradients":
        "FakeQuantWithMinMaxArgsGradient FakeQuantWithMinMaxVarsGradient FakeQuantWithMinMaxVarsPerChannelGradient "
        "_FakeQuantSide",
    "quantization.quantize_and_dequantize":
        "QuantizeAndDequantize QuantizeAndDequantizeV2 QuantizeAndDequantizeV3 _QuantizedWithin",
    "random.random": "RandomUniform RandomStandardNormal TruncatedNormal RandomUniformInt",
    "state.scatter":
        "ScatterUpdate ScatterAdd ScatterSub ScatterMul ScatterDiv ScatterMin ScatterMax ScatterNdUpdate ScatterNdAdd "
        "ScatterNdSub _Divided",
    "state.state": "VariableV2 IsVariableInitialized Assign AssignAdd AssignSub",
    "training.training": "ApplyGradientDescent ApplyMomentum ApplyAdam",
}

OPS.list_modules({op_type: f"graphc.ops.{module}" for module, types in TYPES.items() for op_type in types.split()})
