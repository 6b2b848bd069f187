"""Makes the small GraphDefs of tests/serial/data/ops, whose ops graphc makes of others, with TensorFlow's numbers.

    build/peers/bin/python tests/peers/op_files.py
"""
from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.core.framework import graph_pb2

FOLDER = Path(__file__).parents[1] / "serial" / "data" / "ops"
DRAWN = np.random.default_rng(7)
raw = tf.raw_ops
Built = tuple[dict[Any, Any], list[Any]]


def drawn(*shape: int) -> np.ndarray:
    return DRAWN.normal(size=shape).astype(np.float32)


def given(*shape: int | None, name: str = "x", dtype: Any = tf.float32) -> Any:
    return tf.placeholder(dtype, shape, name=name)


def write(name: str, graph_def: Any, feeds: dict[str, Any], fetches: Sequence[str], values: Sequence[Any]) -> None:
    """The graph, and beside it an .npz of "feed <tensor>" and "fetch <tensor>"; slashes are written as "|"."""
    data = gzip.compress(graph_def.SerializeToString(deterministic=True), mtime=0)
    (FOLDER / f"{name}.pb.gz").write_bytes(data)
    arrays = {**{f"feed {k}".replace("/", "|"): v for k, v in feeds.items()},
              **{f"fetch {k}".replace("/", "|"): v for k, v in zip(fetches, values, strict=True)}}
    np.savez_compressed(FOLDER / f"{name}.npz", **arrays)
    print(f"{name}: {len(graph_def.node)} nodes, {len(data)} bytes")


def saved(build: Callable[[], Built]) -> None:
    with tf.Graph().as_default() as graph:
        feeds, fetches = build()
        named = [tf.identity(t, name=f"out_{i}") for i, t in enumerate(fetches)]
        with tf.Session() as session:
            values = session.run(named, feeds)
    write(build.__name__, graph.as_graph_def(), {t.name: v for t, v in feeds.items()}, [t.name for t in named], values)


def random() -> Built:
    seed = given(2, name="seed", dtype=tf.int64)
    found: list[Any] = []
    for dtype in (tf.float32, tf.float64):
        found += [tf.random.stateless_uniform([2, 5], seed, dtype=dtype),
                  tf.random.stateless_normal([7], seed, dtype=dtype),
                  tf.random.stateless_truncated_normal([3, 3], seed, dtype=dtype)]
    found += [tf.random.stateless_uniform([11], seed, -3, 40, tf.int32),
              tf.random.stateless_uniform([5], seed, 7, 2**40, tf.int64)]
    found += [tf.bitcast(tf.random.stateless_uniform([9], seed, None, None, d), e)
              for d, e in ((tf.int32, tf.int32), (tf.int64, tf.int64), (tf.uint32, tf.int32), (tf.uint64, tf.int64))]
    found.append(raw.StatelessRandomUniformFullInt(shape=[6], seed=seed, dtype=tf.int64))
    key, counter, algorithm = raw.StatelessRandomGetKeyCounterAlg(seed=seed)
    found.append(raw.StatelessRandomNormalV2(shape=[4], key=key, counter=counter, alg=algorithm))
    return {seed: np.array([3, -5])}, found


def diagonals() -> Built:
    x, rows = given(2, 3, 4), given(2, 3, 3, name="rows")
    found = []
    for align in ("RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT"):
        found += [tf.linalg.diag_part(x, k=(-1, 1), padding_value=9, align=align),
                  tf.linalg.set_diag(x, rows, k=(-1, 1), align=align),
                  raw.MatrixDiagV3(diagonal=rows, k=[-1, 1], num_rows=3, num_cols=4, padding_value=-1.0, align=align)]
    return {x: drawn(2, 3, 4), rows: drawn(2, 3, 3)}, [*found, raw.MatrixDiagPartV3(input=x, k=1, padding_value=0.0)]


def scattered() -> Built:
    x, updates = given(5, None), given(4, None, name="updates")
    places = tf.constant([[1], [3], [1], [0]])
    made = [f(tensor=x, indices=places, updates=updates) for f in (raw.TensorScatterMax, raw.TensorScatterMin)]
    return ({x: drawn(5, 3), updates: drawn(4, 3)},
            [*made, *(g for y in made for g in tf.gradients(y * y, [x, updates]))])


def numbers() -> Built:
    x, whole = given(None, 5), given(None, 4, name="whole", dtype=tf.int32)
    p = tf.constant([1e-30, 1e-9, 0.001, 0.3, 0.5, 0.75, 0.9999999, 0, 1], tf.float32)
    found = [raw.Ndtri(x=p), raw.Erfinv(x=2 * p - 1), raw.Ndtri(x=tf.cast(p, tf.float64)), raw.BesselI0(x=x),
             raw.BesselI1(x=x)]
    found += [raw.CumulativeLogsumexp(x=x * 20, axis=axis, exclusive=e, reverse=r)
              for axis, e, r in ((1, False, False), (0, True, False), (-1, True, True), (1, False, True))]
    none, weights = tf.zeros([0]), tf.constant(drawn(3, 4))
    found += [raw.DenseBincount(input=whole, size=6, weights=none),
              raw.DenseBincount(input=whole[0], size=3, weights=none),
              raw.DenseBincount(input=whole, size=6, weights=none, binary_output=True),
              raw.DenseBincount(input=whole, size=6, weights=weights),
              raw.DenseBincount(input=whole[1], size=9, weights=weights[0])]
    return {x: drawn(3, 5), whole: np.array([[1, 2, 2, 5], [0, 0, 9, 1], [5, 5, 5, 0]], np.int32)}, found


def older() -> Built:
    x = given(None, 4)
    found = [raw.Reverse(tensor=x, dims=[False, True]), raw.ToBool(input=x),
             raw.ToBool(input=x[0, 0]), raw.ToBool(input=tf.constant("")), raw.DeviceIndex(device_names=["GPU", "CPU"]),
             raw.DeviceIndex(device_names=["TPU"]), raw.DataFormatDimMap(x=[0, 1, -1, 3, -3]),
             raw.DataFormatVecPermute(x=tf.range(4)), raw.DataFormatVecPermute(x=[[1, 2], [3, 4], [5, 6], [7, 8]]),
             *raw.UniqueWithCountsV2(x=tf.constant([4, 4, 1, 4, 2]), axis=[0]),
             raw.QuantizeAndDequantizeV4(input=x, input_min=-1.0, input_max=2.0, range_given=True, num_bits=4)]
    return {x: drawn(3, 4)}, found


def ragged() -> Built:
    values, splits = given(None, name="values"), given(None, name="splits", dtype=tf.int64)
    rows, found = tf.RaggedTensor.from_row_splits(values, splits, validate=False), []
    ids = tf.RaggedTensor.from_value_rowids(values, [0, 0, 2, 2, 2, 3], nrows=6, validate=False)
    for shape in (None, [None, 2], [3, None], [5, 4]):
        found += [rows.to_tensor(-1.0, shape=shape), ids.to_tensor(7.0, shape=shape)]
    deep = tf.RaggedTensor.from_row_splits(tf.stack([values, values * 2], 1), splits, validate=False)
    return {values: drawn(6), splits: np.array([0, 3, 3, 5, 6])}, [*found, deep.to_tensor()]


def lists() -> Built:
    x = given(None, 2)
    first = raw.TensorListFromTensor(tensor=x, element_shape=[2])
    second = raw.TensorListFromTensor(tensor=x * 10, element_shape=[2])
    both = raw.TensorListConcatLists(input_a=first, input_b=second, element_dtype=tf.float32)
    two = raw.TensorListFromTensor(tensor=tf.stack([x, x + 1]), element_shape=[-1, 2])
    parts = raw.TensorListPushBack(input_handle=two, tensor=x * 3)
    return {x: drawn(3, 2)}, [
        raw.TensorListStack(input_handle=both, element_shape=[2], element_dtype=tf.float32),
        *raw.TensorListConcat(input_handle=parts, element_dtype=tf.float32, element_shape=[None, 2])]


def recurrent() -> Built:
    x, c, h = given(4, None, 3), given(None, 2, name="c"), given(None, 2, name="h")
    length = given(name="length", dtype=tf.int64)
    w, b = drawn(5, 8), drawn(8)
    peepholes = dict(zip(("wci", "wcf", "wco"), map(tf.constant, drawn(3, 2)), strict=True))
    found: list[Any] = []
    for peep in (False, True):
        found += raw.LSTMBlockCell(x=x[0], cs_prev=c, h_prev=h, w=w, b=b, use_peephole=peep, cell_clip=0.6, **peepholes)
        found += raw.BlockLSTM(seq_len_max=length, x=x, cs_prev=c, h_prev=h, w=w, b=b, use_peephole=peep,
                               **peepholes)[1::5]
    full = raw.BlockLSTMV2(seq_len_max=4, x=x, cs_prev=c, h_prev=h, w=w, b=b, **peepholes)
    w_ru, w_c = drawn(5, 4), drawn(5, 2)
    gru = raw.GRUBlockCell(x=x[0], h_prev=h, w_ru=w_ru, w_c=w_c, b_ru=drawn(4), b_c=drawn(2))
    return ({x: drawn(4, 3, 3), c: drawn(3, 2), h: drawn(3, 2), length: np.int64(3)}, [*found, *full, *gru])


def pictures() -> Built:
    x = given(None, 7, 5, 2)
    found = []
    for name in ("lanczos1", "lanczos3", "lanczos5", "gaussian", "box", "triangle", "keyscubic", "mitchellcubic"):
        found.append(raw.ScaleAndTranslate(images=x, size=[4, 9], scale=[0.5, 1.7], translation=[0.3, -0.8],
                                           kernel_type=name, antialias=name != "gaussian"))
    found.append(tf.image.resize_images(x, [3, 2], "area"))
    turns = tf.constant([[0.8, -0.3, -1.4, 0.2, 0.9, 2.5, 0.01, -0.02], [0.6, 0.8, -6, -0.8, 0.6, 9, 0, 0]])
    for mode in ("CONSTANT", "REFLECT", "WRAP", "NEAREST"):
        for how in ("NEAREST", "BILINEAR"):
            found.append(raw.ImageProjectiveTransformV3(images=x, transforms=turns, output_shape=[6, 8], fill_value=0.5,
                                                        interpolation=how, fill_mode=mode))
    return {x: drawn(2, 7, 5, 2)}, found


def examples() -> Built:
    def example(**features: Any) -> bytes:
        made = tf.train.Example()
        for name, values in features.items():
            kind = {int: "int64_list", float: "float_list", bytes: "bytes_list"}[type(values[0])]
            getattr(made.features.feature[name], kind).value.extend(values)
        return made.SerializeToString()

    texts = given(None, name="texts", dtype=tf.string)
    wanted = {"a": tf.FixedLenFeature([2], tf.float32), "b": tf.FixedLenFeature([], tf.int64, 7),
              "c": tf.VarLenFeature(tf.int64), "d": tf.FixedLenSequenceFeature([], tf.string, allow_missing=True)}
    many, one = tf.parse_example(texts, wanted), tf.parse_single_example(texts[1], wanted)
    flat = [t for found in (many, one) for name in "abcd" for t in (
        [found[name].indices, found[name].values, found[name].dense_shape] if name == "c" else [found[name]])]
    flat = [tf.strings.length(t) if t.dtype == tf.string else t for t in flat]
    return {texts: np.array([example(a=[1.0, 2.0], c=[3, 4]), example(a=[5.0, 6.0], b=[1], d=[b"xy", b"z"])])}, flat


def fused() -> None:
    """Nodes as TensorFlow's optimizer writes them; it takes them in a graph, too."""
    with tf.Graph().as_default() as graph:
        x, rows = given(None, 6, 5, 4), given(None, 4, name="rows")
        weights, deep, dense = tf.constant(drawn(3, 3, 4, 3)), tf.constant(drawn(3, 3, 4, 1)), tf.constant(drawn(4, 3))
        bias, bias4 = tf.constant(drawn(3)), tf.constant(drawn(4))
        scale, variance = tf.constant(drawn(3)), tf.constant(np.abs(drawn(3)) + 0.5)
        plain = graph.as_graph_def()
    made: Any = graph_pb2.GraphDef()
    made.CopyFrom(plain)
    names: dict[str, str] = {}

    def node(op: str, pair: Sequence[Any], arguments: Sequence[Any], ops: Sequence[str], **more: Any) -> None:
        name = f"made_{len(names)}"
        new = made.node.add(name=name, op=op, input=[t.op.name for t in (*pair, *arguments)])
        new.attr["T"].type = 1
        new.attr["num_args"].i = len(arguments)
        new.attr["fused_ops"].list.s.extend(o.encode() for o in ops)
        new.attr["epsilon"].f = 0.001
        new.attr["leakyrelu_alpha"].f = 0.3
        if op != "_FusedMatMul":
            new.attr["padding"].s = b"SAME"
            new.attr["strides"].list.i.extend([1, 1, 1, 1])
        if op == "_FusedConv2D":
            new.attr["TArgs"].list.type.extend([1] * len(arguments))
        names[name] = name

    for last in ([], ["Relu"], ["Relu6"], ["Elu"], ["LeakyRelu"]):
        node("_FusedConv2D", (x, weights), (bias,), ["BiasAdd", *last])
    node("_FusedConv2D", (x, weights), (scale, bias, bias, variance), ["FusedBatchNorm", "Relu"])
    node("_FusedDepthwiseConv2dNative", (x, deep), (bias4,), ["BiasAdd", "Relu6"])
    for last in ([], ["Relu"], ["Tanh"], ["Sigmoid"], ["LeakyRelu"], ["GeluExact"], ["GeluApproximate"]):
        node("_FusedMatMul", (rows, dense), (bias,), ["BiasAdd", *last])
    feeds = {"x:0": drawn(2, 6, 5, 4), "rows:0": drawn(3, 4)}
    values = [_alone(made, name, feeds) for name in names]
    kept = {name: v for name, v in zip(names, values, strict=True) if v is not None}
    for left_out in set(names) - set(kept):
        made.node.remove(next(n for n in made.node if n.name == left_out))
    write("fused", made, feeds, [f"{n}:0" for n in kept], list(kept.values()))


def _alone(graph_def: Any, name: str, feeds: dict[str, Any]) -> Any:
    """What TensorFlow gives for a node; None, with a line, if it has no kernel for it on this machine."""
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name="")
        with tf.Session(graph=graph) as session:
            try:
                return session.run(f"{name}:0", feeds)
            except tf.errors.OpError as error:
                print(f"{name}: {str(error)[:150]}")
                return None


def effects(name: str, functions: bool) -> None:
    """Branches that change variables, side by side on one sum. What a run then does: tests/serial/
    test_effects_of_branches.py."""
    (tf.enable_control_flow_v2 if functions else tf.disable_control_flow_v2)()
    with tf.Graph().as_default() as graph:
        p, n, x = given(name="p", dtype=tf.bool), given(name="n", dtype=tf.int32), given()
        values = [tf.get_variable(f"v{i}", [], initializer=tf.zeros_initializer(), use_resource=functions)
                  for i in range(6)]

        def then() -> list[Any]:
            y = x * 2.0
            return [tf.identity(v.assign_add(y)) for v in values[:2]]

        def otherwise() -> list[Any]:
            y = x * 3.0
            return [tf.identity(values[2].assign_add(y)), y]

        sides = [lambda v=v: tf.identity(v.assign_add(x)) for v in values[3:]]
        chosen = tf.switch_case(n, sides) if functions else tf.case(
            [(tf.equal(n, i), side) for i, side in enumerate(sides[:2])], default=sides[2])
        for t, label in zip([*tf.cond(p, then, otherwise), chosen], "abc", strict=True):
            tf.identity(t, name=label)
        tf.group(tf.global_variables_initializer(), name="init")
        total = tf.stack([v.read_value() for v in values], name="all")
    graph_def = graph.as_graph_def()
    with tf.Session(graph=graph) as session:
        for fetches, pred, number in (("a:0", True, 0), ("b:0", True, 0), ("a:0", False, 0), ("b:0", False, 0),
                                      ("c:0", True, 0), ("c:0", True, 1), ("c:0", True, 5), (["a:0", "b:0"], True, 0)):
            session.run("init")
            session.run(fetches, {p: pred, n: number, x: 1.0})
            print(fetches, pred, number, session.run(total).tolist())
    data = gzip.compress(graph_def.SerializeToString(deterministic=True), mtime=0)
    folder = FOLDER.parent / "effects"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.pb.gz").write_bytes(data)
    np.savez_compressed(folder / f"{name}.npz")


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for build in (random, diagonals, scattered, numbers, older, ragged, lists, recurrent, pictures, examples):
        saved(build)
    fused()
    effects("effects_lowered", functions=False)
    effects("effects_functions", functions=True)


if __name__ == "__main__":
    main()
