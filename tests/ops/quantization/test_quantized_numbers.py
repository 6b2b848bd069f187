"""Quantized dtypes: quantize, dequantize and quantized_concat against TensorFlow 2.21 (numbers recorded from there),
and what tensors of these dtypes flow through."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc

X = np.array([-1.5, -1, -0.5, 0, 0.3, 0.7, 1.2, 2.5], np.float32)
Q = np.array([0, 0, 43, 85, 110, 145, 187, 255], np.uint8)


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def value(fetch: Any, feeds: Any = None) -> Any:
    with gc.Session() as session:
        return session.run(fetch, feeds)


@pytest.mark.parametrize(("dtype", "mode", "numbers"), [
    (gc.qint8, "MIN_COMBINED", [-128, -128, -86, -43, -18, 17, 59, 127]),
    (gc.qint8, "MIN_FIRST", [-128, -128, -86, -43, -17, 17, 59, 127]),
    (gc.qint8, "SCALED", [-95, -64, -32, 0, 19, 44, 76, 127]),
    (gc.quint8, "MIN_COMBINED", [0, 0, 43, 85, 110, 145, 187, 255]),
    (gc.quint8, "MIN_FIRST", [0, 0, 42, 85, 111, 145, 187, 255]),
    (gc.quint8, "SCALED", [0, 0, 0, 0, 38, 89, 153, 255]),
    (gc.qint16, "MIN_COMBINED", [-32768, -32768, -21846, -10923, -4370, 4369, 15291, 32767]),
    (gc.quint16, "MIN_FIRST", [0, 0, 10922, 21845, 28399, 37137, 48059, 65535]),
    (gc.qint32, "MIN_FIRST", [-2147483648, -2147483648, -1431655680, -715827840, -286331072, 286331200, 1002159232,
                              2147483520]),
])
def test_quantized(dtype: Any, mode: str, numbers: list[int]) -> None:
    made = gc.quantize_v2(gc.constant(X), -1.0, 2.0, dtype, mode=mode)
    assert made.output.dtype == dtype
    found, low, high = value(list(made))
    assert found.dtype == dtype.unquantized.numpy
    np.testing.assert_array_equal(found, numbers)
    wide = {"SCALED": {gc.qint8: -2.015748, gc.quint8: 0.0}[dtype]} if mode == "SCALED" else {}
    assert (low, high) == (np.float32(wide.get(mode, -1.0)), np.float32(2.0))


def test_forms_of_quantize() -> None:
    narrow = gc.quantization.quantize(X, -1.0, 2.0, gc.qint8, "SCALED", "HALF_TO_EVEN", narrow_range=True)
    assert narrow.output_min.shape == ()
    assert [np.asarray(v).tolist() for v in value(list(narrow))] == [[-95, -64, -32, 0, 19, 44, 76, 127], -2.0, 2.0]
    slices = gc.quantize(X.reshape(2, 4), [-1.0, -2.0], [1.0, 2.0], gc.qint8, axis=-2)
    found = value(list(slices))
    assert found[0].tolist() == [[-128, -128, -64, -1], [19, 44, 76, 127]]
    assert (found[1].tolist(), found[2].tolist()) == ([-1, -2], [1, 2])
    apart = gc.quantize(X, 1.0, 1.0, gc.quint8)
    assert [np.asarray(v).tolist() for v in value(list(apart))] == [[0, 0, 0, 0, 77, 179, 255, 255], 0.0, 1.0]
    odd = gc.quantize(np.array([np.nan, np.inf, -np.inf, 1], np.float32), -1.0, 1.0, gc.qint8, "SCALED")
    assert value(odd.output).tolist() == [0, 127, -128, 127]


def test_dequantized() -> None:
    q = gc.placeholder(gc.quint8, [None])
    scaled = [0, 0, 0.33725491, 0.66666669, 0.86274517, 1.13725495, 1.4666667, 2]
    others = [-1, -1, -0.49411762, 0, 0.29411769, 0.70588243, 1.20000005, 2]
    for mode, wanted in (("SCALED", scaled), ("MIN_FIRST", others), ("MIN_COMBINED", others)):
        made = gc.quantization.dequantize(q, -1.0, 2.0, mode)
        np.testing.assert_array_equal(value(made, {q: Q}), np.array(wanted, np.float32), err_msg=mode)


def test_of_unknown_size_in_a_loop_and_twice() -> None:
    x = gc.placeholder(gc.float32, [None, 4])

    def body(i: Any, v: Any) -> Any:
        q, low, high = gc.quantize(v, gc.reduce_min(v), gc.reduce_max(v), gc.quint8)
        return i + 1, gc.dequantize(gc.identity(q), low, high) * 2.0

    made = gc.while_loop(lambda i, v: i < 2, body, [0, x], shape_invariants=[gc.TensorShape([]), x.shape])[1]
    with gc.Session() as session:
        for rows in (2, 1):
            given = X[:4 * rows].reshape(rows, 4)
            np.testing.assert_allclose(session.run(made, {x: given}), 4 * given, atol=0.05)


def test_concatenated() -> None:
    q = gc.placeholder(gc.quint8, [8])
    wider = gc.quantized_concat(0, [q, q], [-1.0, -2.0], [2.0, 1.0])
    assert wider.output.shape == [16]
    found = value(list(wider), {q: Q})
    assert found[0].tolist() == [64, 64, 97, 128, 147, 173, 205, 255, 0, 0, 33, 64, 83, 109, 141, 192]
    assert found[1:] == [-2.0, 2.0]
    with_zero = value(list(gc.quantized_concat(0, [q, q], [0.1, 0.5], [2.0, 2.0])), {q: Q})
    assert with_zero[0].tolist() == [12, 12, 53, 93, 117, 150, 190, 255, 64, 64, 96, 128, 146, 173, 204, 255]
    assert with_zero[1:] == [0.0, 2.0]


def test_flow() -> None:
    q = gc.placeholder(gc.quint8, [None])
    feeds = {q: Q}
    for made in (gc.identity(q), gc.reshape(gc.reshape(q, [2, -1]), [-1]),
                 gc.bitcast(gc.bitcast(q, gc.uint8), gc.quint8),
                 gc.cond(gc.size(q) > 3, lambda: q, lambda: gc.identity(q)), gc.concat([q[:3], q[3:]], 0),
                 gc.gather(q, gc.range(8)), gc.cast(gc.cast(q, gc.float32), gc.quint8)):
        assert made.dtype == gc.quint8
        found = value(made, feeds)
        assert (found.dtype, found.tolist()) == (np.uint8, Q.tolist()), made
    assert value(gc.cast(q, gc.qint32), feeds).dtype == np.int32
    assert value(gc.pad(q, [[1, 0]]), feeds)[:3].tolist() == [0, 0, 0]
    filled = gc.fill([8], gc.bitcast(gc.constant(0, gc.uint8), gc.quint8))
    for made in (gc.zeros([8], gc.quint8), gc.zeros_like(q), filled):
        assert made.dtype == gc.quint8
        assert value(made, feeds).tolist() == [0] * 8


def test_feeds_and_constants() -> None:
    q = gc.placeholder(gc.quint8, [3])
    structured = np.array([1, 2, 250], gc.quint8.numpy)
    for given in ([1, 2, 250], np.array([1, 2, 250]), np.array([1, 2, -6]), structured):
        assert value(gc.identity(q), {q: given}).tolist() == [1, 2, 250]
    for given in (structured, structured.view(np.uint8), [(1,), (2,), (250,)]):
        made = gc.constant(given, gc.quint8)
        assert made.shape == [3]
        assert value([made, gc.cast(made, gc.int32)])[1].tolist() == [1, 2, 250]


def test_variables_hold_them() -> None:
    v = gc.Variable(gc.quantize(X, -1.0, 2.0, gc.quint8).output)
    with gc.Session() as session:
        session.run(v.initializer)
        assert session.run(v).tolist() == Q.tolist()
        assert session.run(gc.dequantize(v, -1.0, 2.0))[7] == 2


def test_refusals() -> None:
    x = gc.placeholder(gc.float32, [2, 3])
    with pytest.raises(ValueError, match="Round mode 'HALF_TO_EVEN' only supported for mode 'SCALED'"):
        gc.quantize(x, 0.0, 1.0, gc.quint8, round_mode="HALF_TO_EVEN")
    with pytest.raises(TypeError, match="uint8"):
        gc.quantize(x, 0.0, 1.0, gc.uint8)
    with pytest.raises(ValueError, match="'min_range' must be of rank 1"):
        gc.quantize(x, 0.0, 1.0, gc.quint8, axis=1)
    with pytest.raises(TypeError, match="float32"):
        gc.dequantize(x, 0.0, 1.0)
    low = gc.placeholder(gc.float32, [])
    with pytest.raises(gc.errors.InvalidArgumentError, match="input_max_range must be larger than input_min_range"):
        value(gc.quantize(X, low, 1.0, gc.quint8).output, {low: 2.0})
    with pytest.raises(TypeError, match="quint8"):
        gc.constant(structured := np.array([1], gc.quint8.numpy)) + gc.constant(structured)


def test_saved_and_loaded(tmp_path: Any) -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None], name="x")
        offset = gc.constant(np.array([3], np.uint8), gc.quint8)
        q = gc.concat([gc.quantize(x, -1.0, 2.0, gc.quint8).output, offset], 0, name="q")
        with gc.Session() as session:
            frozen = gc.freeze(session, [q])
    gc.train.write_graph(frozen, str(tmp_path), "model.pb", as_text=False)
    with gc.Graph().as_default():
        found, = gc.import_graph_def(gc.GraphDef.FromString((tmp_path / "model.pb").read_bytes()),
                                     return_elements=["q:0"], name="")
        assert found.dtype == gc.quint8
        assert value(found, {"x:0": X}).tolist() == [*Q.tolist(), 3]
