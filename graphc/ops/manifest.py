"""Where every op class stands: the one list of op types. Classes are imported when they are first used.

A module of this package, by the types that it registers; tests/ops/test_registration.py holds it to the truth.
"""
from __future__ import annotations

from graphc.ir.op import OPS

TYPES: dict[str, str] = {
    "array.broadcast": "BroadcastTo _SumTo Tile",
    "array.cast": "Cast",
    "array.fill": "Fill ZerosLike OnesLike Range",
    "array.gather": "GatherV2 _ScatterSum OneHot Where",
    "array.identity": "Identity StopGradient PreventGradient NoOp",
    "array.join": "ConcatV2 Pack Unpack Split SplitV",
    "array.pad": "Pad PadV2 MirrorPad",
    "array.select": "SelectV2 Select",
    "array.shapes": "Shape Size Rank Reshape ExpandDims Squeeze",
    "array.slicing": "Slice StridedSlice StridedSliceGrad",
    "array.source": "Const Placeholder PlaceholderWithDefault",
    "array.transpose": "Transpose InvertPermutation ReverseV2",
    "control.control": "StatelessWhile While StatelessIf If",
    "control.lists": "EmptyTensorList TensorListPushBack TensorListPopBack TensorListLength",
    "control.script": "PyFunc Print Assert",
    "math.binary": "Add AddV2 Sub Mul Pow Maximum Minimum SquaredDifference AddN",
    "math.bitwise": "BitwiseAnd BitwiseOr BitwiseXor LeftShift RightShift Invert PopulationCount",
    "math.comparison":
        "ApproximateEqual Less LessEqual Greater GreaterEqual Equal NotEqual LogicalAnd LogicalOr LogicalNot IsNan "
        "IsInf IsFinite",
    "math.counting": "Bincount HistogramFixedWidth LowerBound UpperBound",
    "math.division": "RealDiv TruncateDiv Div FloorDiv FloorMod TruncateMod Mod",
    "math.hyperbolic": "Asinh Acosh Atanh",
    "math.linear": "Cross EuclideanNorm SparseMatMul",
    "math.matmul": "MatMul BatchMatMul BatchMatMulV2",
    "math.no_nan": "DivNoNan MulNoNan Xlogy Xdivy NextAfter",
    "math.reduction": "Sum Mean Prod Max Min All Any _BesselMean ArgMax ArgMin",
    "math.scan": "Cumsum Cumprod",
    "math.segments": "SegmentSum SegmentMean SegmentProd SegmentMin SegmentMax",
    "math.sparse_segments":
        "SparseSegmentSum SparseSegmentSumWithNumSegments SparseSegmentMean SparseSegmentMeanWithNumSegments "
        "SparseSegmentSqrtN SparseSegmentSqrtNWithNumSegments SparseSegmentMeanGrad SparseSegmentSqrtNGrad",
    "math.special":
        "Lgamma Digamma Polygamma Zeta Igamma Igammac IgammaGradA Betainc BesselI0e BesselI1e Erfc",
    "math.trigonometry": "Sin Cos Tan Asin Acos Atan Sinh Cosh Erf Atan2",
    "math.top_k": "TopKV2 InTopK InTopKV2",
    "math.unary":
        "Neg Abs Sign Square Exp Expm1 Log Log1p Sqrt Rsqrt Reciprocal Inv SqrtGrad RsqrtGrad ReciprocalGrad "
        "InvGrad Floor Ceil Rint Round",
    "math.unique": "Unique UniqueWithCounts",
    "math.unsorted_segments":
        "UnsortedSegmentSum UnsortedSegmentProd UnsortedSegmentMin UnsortedSegmentMax _GatherKept",
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
    "random.random": "RandomUniform RandomStandardNormal TruncatedNormal RandomUniformInt",
    "state.state": "VariableV2 IsVariableInitialized Assign AssignAdd AssignSub",
    "training.training": "ApplyGradientDescent ApplyMomentum ApplyAdam",
}

OPS.list_modules({op_type: f"graphc.ops.{module}" for module, types in TYPES.items() for op_type in types.split()})
