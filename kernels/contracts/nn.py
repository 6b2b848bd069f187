"""Convolutions, pooling, softmax and losses, declared; their functions stand in kernels/cpu/nn/."""
from __future__ import annotations

from .dtypes import FLOATS, INDICES, INTEGERS, NUMBERS
from .kernel import Kernel, Operand, at_least, at_most, over

_X, _W, _Y = "n * h * w * c", "kh * kw * c * oc", "n * oh * ow * oc"


# Of kernels/cpu/convolution/conv_tiles.py.
_WAYS = ("direct", "lines", "taps", "spread", "planes", "winograd", "rounded")


def _convolution(name: str, operands: tuple[Operand, ...], make: str, ways: tuple[str, ...] = _WAYS) -> Kernel:
    """x, w and y are the operands of the forward convolution, dx, dw and dy their gradients."""
    dims = ("n", "h", "w", "c", "kh", "kw", "oc", "oh", "ow")
    steps, pads = ("stride_h", "stride_w", "dilation_h", "dilation_w"), ("pad_top", "pad_left")
    relations = (*at_least(0, *dims), *at_least(1, *steps), *at_least(0, *pads), *at_most(1 << 16, *steps, "kh", "kw"),
                 "kh * kw <= 65536", *at_most(1 << 32, *pads), *at_most(1 << 26, "h", "w", "oh", "ow"))
    return Kernel(name, operands, dims, (*steps, *pads), over(T=FLOATS), make, relations,
                  "2 * n * oh * ow * oc * kh * kw * c", ways=ways)


def _grouped(name: str, operands: tuple[Operand, ...], make: str) -> Kernel:
    """A convolution in groups, or a gradient; c and oc: channels of a group."""
    relations = (*at_least(0, *_GROUPED_DIMS), *at_least(1, *_GROUPED_STEPS), *at_least(0, *_GROUPED_PADS),
                 *at_most(1 << 16, *_GROUPED_STEPS, "kh", "kw"), "kh * kw <= 65536", *at_most(1 << 26, *_GROUPED_PADS),
                 *at_most(1 << 26, "h", "w", "oh", "ow"))
    return Kernel(name, operands, _GROUPED_DIMS, (*_GROUPED_STEPS, *_GROUPED_PADS), over(T=FLOATS), make, relations,
                  "2 * n * oh * ow * groups * oc * kh * kw * c", ways=("rows", "products"))


def _pooling(name: str, *operands: tuple[str, str], make: str | None = None) -> Kernel:
    """operands: pairs of name and "x" or "y", whose shape it has; the last is the output."""
    dims = ("n", "h", "w", "c", "kh", "kw", "oh", "ow")
    strides, pads = ("stride_h", "stride_w"), ("pad_top", "pad_left")
    extents = {"x": _X, "y": "n * oh * ow * c"}
    declared = tuple(Operand(operand, "in" if i < len(operands) - 1 else "out", "T", extents[shape])
                     for i, (operand, shape) in enumerate(operands))
    relations = (*at_least(0, *dims), *at_least(1, *strides), *at_least(0, *pads),
                 *at_most(1 << 20, *strides, "kh", "kw", *pads), *at_most(1 << 26, "h", "w", "oh", "ow"))
    return Kernel(name, declared, dims, (*strides, *pads), over(T=FLOATS), make or f"cpu.pooling.pooling:make_{name}",
                  relations, "n * oh * ow * c * kh * kw")


def _rows(name: str) -> Kernel:
    return Kernel(name, (Operand("x", "in", "T", "rows * cols"), Operand("y", "out", "T", "rows * cols")),
                  ("rows", "cols"), (), over(T=FLOATS), f"cpu.nn.softmax:make_{name}", at_least(0, "rows", "cols"),
                  "5 * rows * cols")


def _rows_grad(name: str) -> Kernel:
    """y: the result of what it is the gradient of."""
    extents = (("y", "in"), ("dy", "in"), ("dx", "out"))
    return Kernel(name, tuple(Operand(operand, role, "T", "rows * cols") for operand, role in extents),
                  ("rows", "cols"), (), over(T=FLOATS), f"cpu.nn.softmax:make_{name}", at_least(0, "rows", "cols"),
                  "4 * rows * cols")


def _loss(labels: Operand, *weights: Operand) -> tuple[Operand, ...]:
    return (Operand("logits", "in", "T", "rows * cols"), labels, *weights, Operand("loss", "out", "T", "rows"),
            Operand("backprop", "out", "T", "rows * cols"))


def _attention(name: str, further: tuple[Operand, ...], seen: str, outputs: tuple[Operand, ...], inside: str, make: str,
               operations: str, general: str = "") -> Kernel:
    """further: what it reads besides q, k, v and mask. seen: operands that are read by strides. outputs: results, of
    which those of `inside` may have the inner axis after the rows. operations: for a score and an element of a row of
    q and v. masked: what the mask does (cpu/attention/attention_blocks.py), 0 if there is none. general: further dims,
    which are steps, and flags."""
    dims = ("outer", "inner", "rows", "cols", "depth", "columns", "mask_outer", "mask_inner", "mask_row",
            *(f"{operand}_{step}" for operand in seen.split() for step in ("at", "outer", "inner", "row")),
            *(word for word in general.split() if word.startswith("by_")))
    flags = (*(f"{operand}_inside" for operand in inside.split()), *(w for w in general.split() if w not in dims))
    scores = "outer * inner * rows * cols"
    mask = (f"min(masked, 1) * min({scores}, 1) * ((outer - 1) * mask_outer + (inner - 1) * mask_inner"
            " + (rows - 1) * mask_row + cols)")
    operands = (_seen("q", "rows", "depth"), _seen("k", "cols", "depth"), _seen("v", "cols", "columns"), *further,
                Operand("mask", "in", "T", mask), *outputs)
    return Kernel(name, operands, dims, ("masked", *flags, "scale"), over(T=FLOATS), make,
                  (*at_least(0, *dims, "masked", *flags), *at_most(3, "masked"), *at_most(1, *flags),
                   *at_most(1 << 32, "cols")),
                  f"{operations} * {scores} * (depth + columns)", floats=("scale",))


def _seen(name: str, rows: str, length: str) -> Operand:
    """Matrices that are read by strides, whose rows are whole: from element `at` on, a step an axis."""
    after = f"(outer - 1) * {name}_outer + (inner - 1) * {name}_inner + ({rows} - 1) * {name}_row + {length}"
    return Operand(name, "in", "T", f"min(outer * inner * {rows} * {length}, 1) * ({name}_at + {after})")


_DROPPED = (Operand("draw", "in", "i64", "4"), Operand("drop", "in", "T", "3"))
_Q, _ATTENDED = "outer * inner * rows * depth", "outer * inner * rows * columns"
_K, _V = "outer * inner * cols * depth", "outer * inner * cols * columns"
_KEPT = "2 * outer * inner * rows"
_BY_MASK = "trained * max((outer - 1) * by_outer + (inner - 1) * by_inner + (rows - 1) * by_row + cols, 0)"
_ATTENDED_BEFORE = (Operand("y", "in", "T", _ATTENDED), Operand("kept", "in", "T", _KEPT),
                    _seen("dy", "rows", "columns"))
_BY_ATTENDED = (Operand("dq", "out", "T", _Q), Operand("dk", "out", "T", _K), Operand("dv", "out", "T", _V))
_GROUPED_DIMS = ("n", "h", "w", "groups", "c", "kh", "kw", "oc", "oh", "ow")
_GROUPED_STEPS, _GROUPED_PADS = ("stride_h", "stride_w", "dilation_h", "dilation_w"), ("pad_top", "pad_left")
_GROUPED_X, _GROUPED_W = "n * h * w * groups * c", "kh * kw * c * groups * oc"
_GROUPED_Y = "n * oh * ow * groups * oc"
_WEIGHTS = Operand("weights", "in", "T", "rows")
_NORM, _NORM_DIMS = "rows * groups * params", ("rows", "groups", "params")
_NORM_FLAGS = ("centred", "scaled", "added", "summed")
_CTC_LOSS = ("t", "b", "c", "n")
_CTC = ("t", "b", "c")
_CTC_SPARSE = ("b", "t", "found")
_TAPS = "n * outputs * m * taps * c"
_DEPTH_DIMS = ("n", "d", "m", "c", "taps", "outputs", "pad")
_DEPTH_ATTRS = ("stride", "dilation")
_DEPTH_RELATIONS = (*at_least(0, *_DEPTH_DIMS), *at_least(1, *_DEPTH_ATTRS),
                    *at_most(1 << 20, *_DEPTH_ATTRS, "taps"), *at_most(1 << 26, "d", "outputs", "pad"))
_DEPTHWISE_Y = "n * oh * ow * c"
_DEPTHWISE_DIMS = ("n", "h", "w", "c", "kh", "kw", "oh", "ow", "pad_top", "pad_left")
_DEPTHWISE_STEPS = ("stride_h", "stride_w", "dilation_h", "dilation_w")
_DEPTHWISE_RELATIONS = (*at_least(0, *_DEPTHWISE_DIMS), *at_least(1, *_DEPTHWISE_STEPS),
                        *at_most(1 << 20, *_DEPTHWISE_STEPS, "kh", "kw"),
                        *at_most(1 << 26, "h", "w", "oh", "ow", "pad_top", "pad_left"))
_IN_TOP_K = ("rows", "classes", "k")
_POOLING3D_X = "n * d * h * w * c"
_POOLING3D_Y = "n * od * oh * ow * c"
_POOLING3D_DIMS = ("n", "d", "h", "w", "c", "kd", "kh", "kw", "od", "oh", "ow", "pad_d", "pad_h", "pad_w")
_POOLING3D_ATTRS = ("stride_d", "stride_h", "stride_w")
_POOLING3D_RELATIONS = (*at_least(0, *_POOLING3D_DIMS), *at_least(1, *_POOLING3D_ATTRS),
                        *at_most(1 << 20, *_POOLING3D_ATTRS, "kd", "kh", "kw"),
                        *at_most(1 << 26, "d", "h", "w", "od", "oh", "ow", "pad_d", "pad_h", "pad_w"))
_FRACTIONAL = ("n", "h", "w", "c", "oh", "ow")
_FRACTIONAL_RELATIONS = (*at_least(0, *_FRACTIONAL, "overlapping"), *at_most(1, "overlapping"),
                         *at_most(1 << 26, "h", "w", "oh", "ow"))
_EDGES = (Operand("rows", "in", "i64", "oh + 1"), Operand("columns", "in", "i64", "ow + 1"))
_FLAT = ("n", "m", "size")
_FLAT_RELATIONS = (*at_least(0, *_FLAT, "batched"), *at_most(1, "batched"))

KERNELS = (
    _convolution("conv2d",
                 (Operand("x", "in", "T", _X), Operand("w", "in", "T", _W, packable=True),
                  Operand("y", "out", "T", _Y)),
                 "cpu.convolution.convolutions:make_conv2d"),
    _convolution("conv2d_input_grad",
                 (Operand("dy", "in", "T", _Y), Operand("w", "in", "T", _W, packable=True),
                  Operand("dx", "out", "T", _X)),
                 "cpu.convolution.convolutions:make_conv2d_input_grad"),
    _convolution("conv2d_filter_grad",
                 (Operand("x", "in", "T", _X), Operand("dy", "in", "T", _Y), Operand("dw", "out", "T", _W)),
                 "cpu.convolution.conv_filter_grad:make_conv2d_filter_grad", ("channels", *_WAYS[1:])),
    _grouped("grouped_conv2d",
             (Operand("x", "in", "T", _GROUPED_X), Operand("w", "in", "T", _GROUPED_W, packable=True),
              Operand("y", "out", "T", _GROUPED_Y)), "cpu.grouped.grouped:make_grouped_conv2d"),
    _grouped("grouped_conv2d_input_grad",
             (Operand("dy", "in", "T", _GROUPED_Y), Operand("w", "in", "T", _GROUPED_W),
              Operand("dx", "out", "T", _GROUPED_X)), "cpu.grouped.grouped:make_grouped_conv2d_input_grad"),
    _grouped("grouped_conv2d_filter_grad",
             (Operand("x", "in", "T", _GROUPED_X), Operand("dy", "in", "T", _GROUPED_Y),
              Operand("dw", "out", "T", _GROUPED_W)), "cpu.grouped.grouped_filter_grad:make"),
    _pooling("max_pool", ("x", "x"), ("y", "y")),
    _pooling("max_pool_grad", ("x", "x"), ("y", "y"), ("dy", "y"), ("dx", "x"), make="cpu.pooling.max_pool_grad:make"),
    _pooling("max_pool_grad_grad", ("x", "x"), ("y", "y"), ("ddx", "x"), ("ddy", "y")),
    _pooling("avg_pool", ("x", "x"), ("y", "y")),
    _pooling("avg_pool_grad", ("dy", "y"), ("dx", "x")),
    _attention("attention", (), "q k v", (Operand("y", "out", "T", _ATTENDED),), "y", "cpu.attention.attention:make",
               "2"),
    _attention("attention_kept", (), "q k v",
               (Operand("kept", "out", "T", _KEPT), Operand("y", "out", "T", _ATTENDED)), "y",
               "cpu.attention.attention:make_kept", "2"),
    _attention("attention_dropped", _DROPPED, "q k v",
               (Operand("kept", "out", "T", _KEPT), Operand("y", "out", "T", _ATTENDED)), "y",
               "cpu.attention.attention:make_dropped", "2"),
    _attention("attention_grad", _ATTENDED_BEFORE, "q k v dy", _BY_ATTENDED, "y dq dk dv",
               "cpu.attention.attention_grad:make", "5"),
    _attention("attention_general_grad",
               (*_ATTENDED_BEFORE, Operand("draw", "in", "i64", "4 * dropped"),
                Operand("drop", "in", "T", "3 * dropped")),
               "q k v dy", (*_BY_ATTENDED, Operand("by_mask", "out", "T", _BY_MASK)), "y dq dk dv",
               "cpu.attention.attention_grad:make_general", "5", "by_outer by_inner by_row dropped trained"),
    Kernel("channel_moments",
           (Operand("x", "in", "T", "outer * rows * cols"), Operand("mean", "out", "T", "outer * cols"),
            Operand("variance", "out", "T", "outer * cols"), Operand("unbiased", "out", "T", "outer * cols")),
           ("outer", "rows", "cols"), (), over(T=FLOATS), "cpu.nn.batch_norm:make_moments",
           at_least(0, "outer", "rows", "cols"), "4 * outer * rows * cols"),
    Kernel("row_moments",
           (Operand("x", "in", "T", "rows * cols"), Operand("mean", "out", "T", "rows"),
            Operand("variance", "out", "T", "rows")),
           ("rows", "cols"), (), over(T=FLOATS), "cpu.nn.row_moments:make", at_least(0, "rows", "cols"),
           "4 * rows * cols"),
    Kernel("channel_products",
           (Operand("dy", "in", "T", "rows * cols"), Operand("x", "in", "T", "rows * cols"),
            Operand("mean", "in", "T", "cols"), Operand("total", "out", "T", "cols"),
            Operand("product", "out", "T", "cols"), Operand("mean_total", "out", "T", "cols"),
            Operand("mean_product", "out", "T", "cols")),
           ("rows", "cols"), (), over(T=FLOATS), "cpu.nn.batch_norm:make_products", at_least(0, "rows", "cols"),
           "4 * rows * cols"),
    _rows("softmax"),
    _rows("log_softmax"),
    _rows_grad("softmax_grad"),
    _rows_grad("log_softmax_grad"),
    Kernel("layer_norm",
           (Operand("x", "in", "T", _NORM), Operand("scale", "in", "T", "scaled * params"),
            Operand("shift", "in", "T", "shifted * params"), Operand("y", "out", "T", _NORM)),
           _NORM_DIMS, ("centred", "scaled", "shifted", "epsilon"), over(T=FLOATS), "cpu.nn.layer_norm:make_forward",
           (*at_least(0, *_NORM_DIMS, "centred", "scaled", "shifted"), *at_most(1, "centred", "scaled", "shifted")),
           f"8 * {_NORM}", floats=("epsilon",)),
    Kernel("layer_norm_grad",
           (Operand("dy", "in", "T", _NORM), Operand("x", "in", "T", _NORM),
            Operand("scale", "in", "T", "scaled * params"), Operand("addend", "in", "T", f"added * {_NORM}"),
            Operand("dx", "out", "T", _NORM), Operand("by_scale", "out", "T", "params"),
            Operand("by_shift", "out", "T", "params"), Operand("total", "out", "T", "params")),
           _NORM_DIMS, ("centred", "scaled", "added", "summed", "epsilon"), over(T=FLOATS),
           "cpu.nn.layer_norm:make_grad",
           (*at_least(0, *_NORM_DIMS, *_NORM_FLAGS), *at_most(1, *_NORM_FLAGS)), f"18 * {_NORM}",
           floats=("epsilon",)),
    Kernel("softmax_cross_entropy", _loss(Operand("labels", "in", "T", "rows * cols")), ("rows", "cols"), (),
           over(T=FLOATS), "cpu.nn.cross_entropy:make_dense", at_least(0, "rows", "cols"), "9 * rows * cols"),
    Kernel("sparse_softmax_cross_entropy", _loss(Operand("labels", "in", "I", "rows")), ("rows", "cols"), (),
           over(T=FLOATS, I=INDICES), "cpu.nn.cross_entropy:make_sparse", at_least(0, "rows", "cols"),
           "6 * rows * cols"),
    Kernel("weighted_softmax_cross_entropy", _loss(Operand("labels", "in", "T", "rows * cols"), _WEIGHTS),
           ("rows", "cols"), (), over(T=FLOATS), "cpu.nn.cross_entropy:make_weighted_dense",
           at_least(0, "rows", "cols"), "10 * rows * cols"),
    Kernel("weighted_sparse_softmax_cross_entropy",
           (Operand("labels", "in", "I", "rows"), _WEIGHTS, Operand("loss", "out", "T", "rows"),
            Operand("logits", "inout", "T", "rows * cols")),
           ("rows", "cols"), (), over(T=FLOATS, I=INDICES), "cpu.nn.cross_entropy:make_weighted_sparse",
           at_least(0, "rows", "cols"), "7 * rows * cols"),
    Kernel("candidates",
           (Operand("counter", "in", "i64", "2"), Operand("table", "in", "f64", "size"),
            Operand("out", "out", "i64", "n"), Operand("tries", "out", "i64", "1")),
           ("n", "size"), ("range_max", "kind", "unique", "key"), over(), "cpu.nn.candidates:make",
           (*at_least(0, "n", "size", "kind", "unique", "key"), *at_least(1, "range_max"),
            *at_most(1 << 40, "range_max"), *at_most(1, "unique"), *at_most(2, "kind"), *at_most(1 << 30, "n"),
            "n <= range_max + (1 - unique) * n")),
    Kernel("ctc_loss",
           (Operand("x", "in", "T", "t * b * c"), Operand("indices", "in", "i64", "2 * n"),
            Operand("values", "in", "i32", "n"), Operand("lengths", "in", "i32", "b"), Operand("loss", "out", "T", "b"),
            Operand("gradient", "out", "T", "t * b * c")),
           _CTC_LOSS, ("collapse", "merge", "skip"), over(T=FLOATS), "cpu.nn.ctc:make",
           (*at_least(0, *_CTC_LOSS, "collapse", "merge", "skip"), *at_most(1, "collapse", "merge", "skip"),
            *at_most(1 << 24, "t", "n", "c")), "t * b * c * 20"),
    Kernel("ctc_greedy",
           (Operand("x", "in", "T", "t * b * c"), Operand("lengths", "in", "i32", "b"),
            Operand("paths", "out", "i64", "b * t"), Operand("counts", "out", "i64", "b"),
            Operand("score", "out", "T", "b")),
           _CTC, ("merge",), over(T=FLOATS), "cpu.nn.ctc_decode:make_greedy",
           (*at_least(0, *_CTC, "merge"), *at_most(1, "merge"))),
    Kernel("ctc_beam",
           (Operand("x", "in", "T", "t * b * c"), Operand("lengths", "in", "i32", "b"),
            Operand("paths", "out", "i64", "top * b * t"), Operand("counts", "out", "i64", "top * b"),
            Operand("score", "out", "T", "b * top")),
           _CTC, ("width", "top", "merge"), over(T=FLOATS), "cpu.nn.ctc_decode:make_beam",
           (*at_least(0, *_CTC, "merge"), *at_least(1, "width", "top"), *at_most(1, "merge"),
            *at_most(1 << 20, "t", "width"), *at_most(1 << 24, "c"), "top <= width")),
    Kernel("ctc_sparse",
           (Operand("paths", "in", "i64", "b * t"), Operand("counts", "in", "i64", "b"),
            Operand("indices", "out", "i64", "2 * found"), Operand("values", "out", "i64", "found"),
            Operand("shape", "out", "i64", "2")),
           _CTC_SPARSE, (), over(), "cpu.nn.ctc_decode:make_sparse",
           at_least(0, *_CTC_SPARSE)),
    Kernel("unfold_depth",
           (Operand("x", "in", "T", "n * d * m * c"), Operand("y", "out", "T", _TAPS)),
           _DEPTH_DIMS, _DEPTH_ATTRS, over(T=FLOATS), "cpu.convolution.depth_taps:make_unfold",
           _DEPTH_RELATIONS),
    Kernel("fold_depth",
           (Operand("y", "in", "T", _TAPS), Operand("x", "out", "T", "n * d * m * c")),
           _DEPTH_DIMS, _DEPTH_ATTRS, over(T=FLOATS), "cpu.convolution.depth_taps:make_fold",
           _DEPTH_RELATIONS),
    Kernel("depthwise_conv2d",
           (Operand("x", "in", "T", _X), Operand("f", "in", "T", "kh * kw * c"),
            Operand("y", "out", "T", _DEPTHWISE_Y)),
           _DEPTHWISE_DIMS, ("stride_h", "stride_w", "dilation_h", "dilation_w", "flip"), over(T=FLOATS),
           "cpu.grouped.depthwise:make_forward",
           (*at_least(0, *_DEPTHWISE_DIMS), *at_least(1, *_DEPTHWISE_STEPS),
            *at_most(1 << 20, *_DEPTHWISE_STEPS, "kh", "kw"),
            *at_most(1 << 26, "h", "w", "oh", "ow", "pad_top", "pad_left"), *at_least(0, "flip"), *at_most(1, "flip")),
            "2 * n * oh * ow * c * kh * kw"),
    Kernel("depthwise_conv2d_input_grad",
           (Operand("dy", "in", "T", _DEPTHWISE_Y), Operand("f", "in", "T", "kh * kw * c"),
            Operand("dx", "out", "T", _X)),
           _DEPTHWISE_DIMS, _DEPTHWISE_STEPS, over(T=FLOATS), "cpu.grouped.depthwise:make_input_grad",
           _DEPTHWISE_RELATIONS, "2 * n * oh * ow * c * kh * kw"),
    Kernel("depthwise_conv2d_filter_grad",
           (Operand("x", "in", "T", _X), Operand("dy", "in", "T", _DEPTHWISE_Y),
            Operand("df", "out", "T", "kh * kw * c")),
           _DEPTHWISE_DIMS, _DEPTHWISE_STEPS, over(T=FLOATS), "cpu.grouped.depthwise:make_filter_grad",
           _DEPTHWISE_RELATIONS, "2 * n * oh * ow * c * kh * kw"),
    Kernel("dilation2d",
           (Operand("x", "in", "T", _X), Operand("f", "in", "T", "kh * kw * c"),
            Operand("out", "out", "T", _DEPTHWISE_Y)),
           _DEPTHWISE_DIMS, _DEPTHWISE_STEPS, over(T=(*FLOATS, *INTEGERS)),
           "cpu.pooling.dilation:make_forward",
           _DEPTHWISE_RELATIONS, "n * oh * ow * c * kh * kw"),
    Kernel("dilation2d_input_grad",
           (Operand("x", "in", "T", _X), Operand("f", "in", "T", "kh * kw * c"),
            Operand("dy", "in", "T", _DEPTHWISE_Y), Operand("out", "out", "T", _X)),
           _DEPTHWISE_DIMS, _DEPTHWISE_STEPS, over(T=(*FLOATS, *INTEGERS)),
           "cpu.pooling.dilation:make_input_grad",
           _DEPTHWISE_RELATIONS, "n * oh * ow * c * kh * kw"),
    Kernel("dilation2d_filter_grad",
           (Operand("x", "in", "T", _X), Operand("f", "in", "T", "kh * kw * c"),
            Operand("dy", "in", "T", _DEPTHWISE_Y), Operand("out", "out", "T", "kh * kw * c")),
           _DEPTHWISE_DIMS, _DEPTHWISE_STEPS, over(T=(*FLOATS, *INTEGERS)),
           "cpu.pooling.dilation:make_filter_grad",
           _DEPTHWISE_RELATIONS, "n * oh * ow * c * kh * kw"),
    Kernel("in_top_k",
           (Operand("predictions", "in", "f32", "rows * classes"), Operand("targets", "in", "I", "rows"),
            Operand("out", "out", "bool", "rows")),
           _IN_TOP_K, (), over(I=INDICES), "cpu.nn.in_top_k:make",
           at_least(0, *_IN_TOP_K), "rows * classes"),
    Kernel("max_pool3d_grad",
           (Operand("x", "in", "T", _POOLING3D_X), Operand("y", "in", "T", _POOLING3D_Y),
            Operand("dy", "in", "T", _POOLING3D_Y), Operand("dx", "out", "T", _POOLING3D_X)),
           _POOLING3D_DIMS, _POOLING3D_ATTRS, over(T=FLOATS), "cpu.pooling.pooling3d:make_grad",
           _POOLING3D_RELATIONS, "n * od * oh * ow * c * kd * kh * kw"),
    Kernel("max_pool3d_grad_grad",
           (Operand("x", "in", "T", _POOLING3D_X), Operand("y", "in", "T", _POOLING3D_Y),
            Operand("ddx", "in", "T", _POOLING3D_X), Operand("ddy", "out", "T", _POOLING3D_Y)),
           _POOLING3D_DIMS, _POOLING3D_ATTRS, over(T=FLOATS), "cpu.pooling.pooling3d:make_grad_grad",
           _POOLING3D_RELATIONS, "n * od * oh * ow * c * kd * kh * kw"),
    Kernel("max_pool_argmax",
           (Operand("x", "in", "T", _X), Operand("y", "out", "T", _DEPTHWISE_Y),
            Operand("where", "out", "i64", _DEPTHWISE_Y)),
           _DEPTHWISE_DIMS, ("stride_h", "stride_w", "batched"), over(T=NUMBERS),
           "cpu.pooling.pooling_argmax:make_argmax",
           (*at_least(0, *_DEPTHWISE_DIMS, "batched"), *at_least(1, "stride_h", "stride_w"),
            *at_most(1, "batched"), *at_most(1 << 20, "stride_h", "stride_w", "kh", "kw"),
            *at_most(1 << 26, "h", "w", "oh", "ow", "pad_top", "pad_left")), "n * oh * ow * c * kh * kw"),
    Kernel("max_pool_scatter",
           (Operand("dy", "in", "T", "n * m"), Operand("where", "in", "i64", "n * m"),
            Operand("dx", "out", "T", "n * size")),
           _FLAT, ("batched",), over(T=NUMBERS), "cpu.pooling.pooling_argmax:make_scatter",
           _FLAT_RELATIONS),
    Kernel("max_pool_pick",
           (Operand("x", "in", "T", "n * size"), Operand("where", "in", "i64", "n * m"),
            Operand("y", "out", "T", "n * m")),
           _FLAT, ("batched",), over(T=NUMBERS), "cpu.pooling.pooling_argmax:make_pick",
           _FLAT_RELATIONS),
    Kernel("pooling_edges",
           (Operand("counter", "in", "i64", "2"), Operand("out", "out", "i64", "n + 1")),
           ("length", "n"), ("pseudo", "odd", "key"), over(), "cpu.pooling.fractional_pool:make_edges",
           (*at_least(0, "length", "n", "pseudo", "odd", "key"), *at_most(1, "pseudo", "odd"),
            *at_most(1 << 26, "length", "n"))),
    Kernel("fractional_max_pool",
           (Operand("x", "in", "T", _X), *_EDGES, Operand("y", "out", "T", _DEPTHWISE_Y)),
           _FRACTIONAL, ("overlapping",), over(T=NUMBERS), "cpu.pooling.fractional_pool:make_max",
           _FRACTIONAL_RELATIONS, "n * h * w * c"),
    Kernel("fractional_max_pool_grad",
           (Operand("x", "in", "T", _X), Operand("dy", "in", "T", _DEPTHWISE_Y), *_EDGES,
            Operand("dx", "out", "T", _X)),
           _FRACTIONAL, ("overlapping",), over(T=NUMBERS), "cpu.pooling.fractional_pool:make_max_grad",
           _FRACTIONAL_RELATIONS, "n * h * w * c"),
    Kernel("fractional_mean_pool",
           (Operand("x", "in", "T", _X), *_EDGES, Operand("y", "out", "T", _DEPTHWISE_Y)),
           _FRACTIONAL, ("overlapping",), over(T=NUMBERS), "cpu.pooling.fractional_pool:make_mean",
           _FRACTIONAL_RELATIONS, "n * h * w * c"),
    Kernel("fractional_mean_pool_grad",
           (Operand("dy", "in", "T", _DEPTHWISE_Y), *_EDGES, Operand("dx", "out", "f64", _X)),
           _FRACTIONAL, ("overlapping",), over(T=NUMBERS), "cpu.pooling.fractional_pool:make_mean_grad",
           _FRACTIONAL_RELATIONS, "n * h * w * c"),
    Kernel("window_sum",
           (Operand("x", "in", "T", "rows * cols"), Operand("y", "out", "T", "rows * cols")),
           ("rows", "cols"), ("radius",), over(T=FLOATS), "cpu.nn.window_sum:make",
           at_least(0, "rows", "cols", "radius"), "2 * rows * cols * radius"),
)
