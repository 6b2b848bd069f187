"""Dtypes beyond float32 and int32: uint64, variables and control flow, Python functions, names, files, no promotion."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.ir import dtypes

needs_bfloat16 = pytest.mark.skipif(not dtypes.HAS_BFLOAT16, reason="ml_dtypes is not installed")
UNSIGNED = np.array([0, 1, 2, 7, 2**53 + 1, 2**63 - 1, 2**63, 2**63 + 1025, 2**64 - 1, 10**19], np.uint64)


@pytest.fixture(autouse=True)
def graph() -> Any:
    with gc.Graph().as_default() as made:
        yield made


def run(fetches: Any, feeds: Any = None) -> Any:
    with gc.Session() as session:
        return session.run(fetches, feeds)


@pytest.mark.parametrize("dtype", [gc.float16, gc.complex64, gc.uint64])
def test_variables_loops_and_branches(dtype: gc.DType) -> None:
    variable = gc.Variable(gc.cast(gc.constant([1, 2, 3]), dtype), name="v")
    added = variable.assign_add(gc.ones([3], dtype))
    flag = gc.placeholder(gc.bool, [])
    chosen = gc.cond(flag, lambda: variable * 2, lambda: gc.zeros_like(variable))
    _, looped = gc.while_loop(lambda i, x: i < 5, lambda i, x: (i + 1, x + variable), [0, gc.zeros([3], dtype)])
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        session.run(added)
        for fetch, factor in ((variable, 1), (chosen, 2), (looped, 5)):
            found = session.run(fetch, {flag: True} if fetch is chosen else None)
            assert found.dtype == dtype.numpy
            np.testing.assert_array_equal(found, np.array([2, 3, 4]) * factor)
        if not dtype.is_integer:
            slope = gc.gradients(looped, variable, grad_ys=gc.ones_like(looped))[0]
            np.testing.assert_array_equal(session.run(slope), np.full(3, 5, dtype.numpy))
            layers = gc.gradients(gc.while_loop(lambda i, x: i < 2, lambda i, x: (i + 1, x * x), [
                0, variable.value()])[1], variable, grad_ys=gc.ones_like(variable))[0]
            np.testing.assert_allclose(session.run(layers), 4 * np.array([2., 3, 4])**3, rtol=2e-3)


@pytest.mark.parametrize("dtype", [gc.float16, gc.complex128, gc.uint16, gc.uint64])
def test_python_functions(dtype: gc.DType) -> None:
    x = gc.placeholder(dtype, [None])
    y = gc.py_func(lambda a: a + a.dtype.type(1), [x], dtype)
    np.testing.assert_array_equal(run(y * 2, {x: [1, 2]}), np.array([4, 6], dtype.numpy))


def test_uint64() -> None:
    x, y = gc.placeholder(gc.uint64, [None, 1]), gc.placeholder(gc.uint64, [None])
    by = UNSIGNED[1:]
    feeds = {x: UNSIGNED[:, None], y: by}
    column = UNSIGNED[:, None]
    cases = [(x // y, column // by), (x % y, column % by), (gc.truncatediv(x, y), column // by), (x * y, column * by),
             (x - y, column - by), (x < y, column < by), (x >= y, column >= by),
             (gc.maximum(x, y), np.maximum(column, by)), (gc.minimum(x, y), np.minimum(column, by)),
             (gc.pow(x, y % 5), column ** (by % 5)), (gc.square(x), column**2),
             (gc.equal(x, y), column == by), (gc.sign(x), np.sign(column)), (gc.abs(x), column), (-x, -column),
             (gc.reduce_max(x), UNSIGNED.max()), (gc.reduce_min(y), by.min()), (gc.reduce_sum(x), UNSIGNED.sum()),
             (gc.reduce_mean(y), by.sum() // len(by)), (gc.argmax(y), by.argmax()), (gc.argmin(y), by.argmin()),
             (gc.reduce_prod(y), by.prod())]
    with np.errstate(all="ignore"):
        for (fetch, expected), found in zip(cases, run([fetch for fetch, _ in cases], feeds), strict=True):
            np.testing.assert_array_equal(found, expected, err_msg=fetch.op.name)
    with pytest.raises(gc.errors.InvalidArgumentError, match="Integer division by zero"):
        run(x // y, {x: column, y: [0]})


def test_uint64_conversions() -> None:
    x, f = gc.placeholder(gc.uint64, [None]), gc.placeholder(gc.float64, [None])
    near = np.concatenate([UNSIGNED, UNSIGNED // np.uint64(3), np.uint64(2**63) + np.arange(0, 4096, 37, np.uint64)])
    for dtype in (gc.float32, gc.float64, gc.int64, gc.int32, gc.uint32, gc.int8, gc.bool):
        np.testing.assert_array_equal(run(gc.cast(x, dtype), {x: near}), near.astype(dtype.numpy))
    numbers = [0, 0.9, 1.5, 2.0**53, 2.0**63, 1.5 * 2.0**63, 2.0**64, 1e300, np.inf, np.nan]
    np.testing.assert_array_equal(run(gc.cast(f, gc.uint64), {f: numbers}), np.array(
        [0, 0, 1, 2**53, 2**63, 3 * 2**62, 2**64 - 1, 2**64 - 1, 2**64 - 1, 0], np.uint64))
    np.testing.assert_array_equal(run(gc.constant([2**64 - 1], gc.uint64) + gc.cast(f[:1], gc.uint64), {f: [0.]}),
                                  [2**64 - 1])


def test_no_promotion() -> None:
    """Two tensors are never promoted; Python's values take the tensor's dtype."""
    half, single, unsigned = gc.constant(1, gc.float16), gc.constant(1.0), gc.constant(1, gc.uint16)
    for a, b in ((half, single), (single, half), (unsigned, gc.constant(1)), (gc.constant(1j), single)):
        with pytest.raises(TypeError, match="dtype"):
            a + b
    assert (half + 1.5).dtype == gc.float16 and (half * np.float64(2)).dtype == gc.float16
    assert gc.constant(1j).dtype == gc.complex128 and (gc.constant(1, gc.complex64) * 2j).dtype == gc.complex64


def test_names_and_properties() -> None:
    assert gc.half is gc.float16 and gc.double is gc.float64 and gc.as_dtype("half") is gc.float16
    assert [gc.as_dtype(n).number for n in ("qint8", "quint8", "qint32", "bfloat16", "qint16", "quint16")] == [
        11, 12, 13, 14, 15, 16]
    assert (gc.complex64.real_dtype, gc.complex128.real_dtype, gc.half.real_dtype) == (gc.float32, gc.float64, gc.half)
    assert gc.quint8.is_quantized and not gc.quint8.is_integer and gc.uint64.is_unsigned and not gc.int8.is_unsigned
    assert gc.bfloat16.is_floating and gc.bfloat16.size == 2 and gc.float16.max == 65504 and gc.uint64.max == 2**64 - 1
    with pytest.raises(TypeError, match="complex64 has no smallest and no largest value"):
        gc.complex64.max  # noqa: B018


@pytest.mark.parametrize("dtype", [gc.qint8, gc.quint8, gc.qint16, gc.quint16, gc.qint32, gc.float16, gc.complex64,
                                   gc.complex128, gc.uint64, pytest.param(gc.bfloat16, marks=needs_bfloat16)])
def test_tensors_in_files(dtype: gc.DType) -> None:
    plain = np.array([[1, 2, 3]], dtype.numpy[0] if dtype.is_quantized else np.float64)
    value = plain.view(dtype.numpy) if dtype.is_quantized else plain.astype(dtype.numpy)
    gc.constant(value, name="c")
    message = gc.GraphDef()
    message.ParseFromString(gc.get_default_graph().as_graph_def().SerializeToString())
    assert message.node[0].attr["dtype"].type == dtype.number
    with gc.Graph().as_default() as graph:
        gc.import_graph_def(message, name="")
    found = graph.get_operation_by_name("c").definition.value
    assert found.dtype == dtype.numpy and found.tobytes() == value.tobytes()


def test_listed_values_in_files() -> None:
    """As TensorFlow writes short tensors: the last value repeated."""
    proto = gc.make_tensor_proto(np.zeros(3, np.float16))
    proto.ClearField("tensor_content")
    proto.half_val.extend([0x3C00, 0x4000])
    np.testing.assert_array_equal(gc.make_ndarray(proto), np.array([1, 2, 2], np.float16))
    proto.dtype = gc.complex64.number
    proto.scomplex_val.extend([1, 2, 3, 4])
    np.testing.assert_array_equal(gc.make_ndarray(proto), np.array([1 + 2j, 3 + 4j, 3 + 4j], np.complex64))
    proto.dtype = gc.quint8.number
    proto.int_val.extend([5, 7])
    assert gc.make_ndarray(proto).tobytes() == bytes([5, 7, 7])


def test_values_known_while_compiling_wrap() -> None:
    """Integers that a dtype does not hold wrap, also where small tensors are computed while the graph is built."""
    cases = [(gc.cast(gc.constant([-1], gc.int64), gc.uint64), 2**64 - 1),
             (gc.cast(gc.constant([-1]), gc.uint32), 2**32 - 1),
             (gc.cast(gc.constant([2**32 + 5], gc.int64), gc.int32), 5),
             (gc.reduce_sum(gc.constant([2**63, 2**63 + 1], gc.uint64)), 1),
             (gc.reduce_prod(gc.constant([2**40, 2**40], gc.int64)), 0), (-gc.constant([1], gc.uint64), 2**64 - 1)]
    for (_, expected), found in zip(cases, run([fetch for fetch, _ in cases]), strict=True):
        assert np.all(found == found.dtype.type(expected))
