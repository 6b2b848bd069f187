"""TensorArray: what it holds, its gradients of first and second order, its errors, and the same in a loaded file, in
C++ and by the NumPy reference."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import errors
from graphc.exec.reference import run_reference

import native as n
from files import build_runner

D = gc.float64


@pytest.fixture(autouse=True)
def graph() -> Iterator[gc.Graph]:
    with gc.Graph().as_default() as made:
        yield made


@pytest.fixture(scope="module")
def library() -> n.Native:
    return n.Native(build_runner() / "libgraphc.so")


def run(fetches: Any, feeds: Any = None) -> Any:
    with gc.Session() as session:
        return session.run(fetches, feeds)


def fed(value: Any, dtype: Any = np.int32) -> gc.Tensor:
    """A number that only the run knows."""
    return gc.placeholder_with_default(np.array(value, dtype), np.shape(value))


# Programs of x [4, 2]: the result is a number.


def reads_captured(x: gc.Tensor) -> gc.Tensor:
    count = gc.shape(x)[0]
    ta = gc.TensorArray(D, size=count).unstack(x)
    _, acc = gc.while_loop(lambda i, a: i < count, lambda i, a: (i + 1, gc.tanh(a + ta.read(i)) * ta.read(i)),
                           (0, gc.zeros_like(x[0])))
    return gc.reduce_sum(acc * acc)


def reads_carried(x: gc.Tensor) -> gc.Tensor:
    """Every iteration reads element 0, too: its gradients are added up."""
    count = gc.shape(x)[0]
    _, _, out = gc.while_loop(lambda i, *_: i < count,
                              lambda i, ta, out: (i + 1, ta, out.write(i, gc.sin(ta.read(i)) * ta.read(0))),
                              (0, gc.TensorArray(D, size=count).unstack(x), gc.TensorArray(D, size=count)))
    return gc.reduce_sum(out.stack() ** 2) + gc.reduce_sum(gc.exp(out.read(1)))


def uneven(x: gc.Tensor) -> gc.Tensor:
    ta = gc.TensorArray(D, size=0, dynamic_size=True, infer_shape=False)
    _, ta = gc.while_loop(lambda i, t: i < 4, lambda i, t: (i + 1, t.write(i, x[:i + 1] * x[:i + 1])), (0, ta))
    joined = ta.concat()
    return gc.reduce_sum(joined * joined * gc.cast(gc.range(gc.shape(joined)[0]), D)[:, None])


def parts(x: gc.Tensor) -> gc.Tensor:
    ta = gc.TensorArray(D, size=3, infer_shape=False).split(x, [1, 2, 1])
    return gc.reduce_sum(gc.exp(ta.read(1))) + gc.reduce_sum(ta.read(2) ** 3)


def scattered(x: gc.Tensor) -> gc.Tensor:
    ta = gc.TensorArray(D, size=6).scatter([4, 1, 0], x[:3]).write(2, x[0] * x[1])
    written_again = ta.write(4, x[1])
    return (gc.reduce_sum(ta.gather([4, 4, 2, 0]) ** 2) + gc.reduce_sum(written_again.read(4) ** 3)
            + gc.reduce_sum(ta.read(4)) + gc.reduce_sum(ta.stack() ** 2))


def in_branch(x: gc.Tensor) -> gc.Tensor:
    ta = gc.TensorArray(D, size=3).write(0, x[0])
    ta = gc.cond(gc.reduce_sum(x) > 0, lambda: ta.write(1, x[0] * x[1]), lambda: ta.write(1, gc.exp(x[1])))
    return gc.reduce_sum(ta.write(2, x[2] ** 2).stack() ** 2)


def nested(x: gc.Tensor) -> gc.Tensor:
    count = gc.shape(x)[0]

    def outer(i: gc.Tensor, ta: gc.TensorArray) -> Any:
        inner = gc.TensorArray(D, size=3, element_shape=[])
        _, inner = gc.while_loop(lambda j, t: j < 3, lambda j, t: (
            j + 1, t.write(j, gc.reduce_sum(x[i]) * gc.cast(j, D) + x[0, 0] ** 2)), (0, inner))
        return i + 1, ta.write(i, gc.tanh(inner.stack()))

    _, ta = gc.while_loop(lambda i, t: i < count, outer, (0, gc.TensorArray(D, size=count)))
    return gc.reduce_sum(ta.stack() ** 2)


def gradient_inside(x: gc.Tensor) -> gc.Tensor:
    def body(i: gc.Tensor, ta: gc.TensorArray) -> Any:
        row = x[i]
        return i + 1, ta.write(i, gc.gradients(gc.reduce_sum(row ** 3), row)[0])
    _, ta = gc.while_loop(lambda i, t: i < 4, body, (0, gc.TensorArray(D, size=4)))
    return gc.reduce_sum(ta.stack() ** 2)


PROGRAMS: dict[str, Callable[[gc.Tensor], gc.Tensor]] = {
    f.__name__: f for f in (reads_captured, reads_carried, uneven, parts, scattered, in_branch, nested,
                            gradient_inside)}
X = np.random.default_rng(5).standard_normal((4, 2))
W = np.random.default_rng(6).standard_normal((4, 2))


def slope(function: Callable[[np.ndarray], float], x: np.ndarray, step: float = 1e-5) -> np.ndarray:
    found = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[i] += step
        down[i] -= step
        found[i] = (function(up) - function(down)) / (2 * step)
    return found


@pytest.mark.parametrize("static", [True, False])
@pytest.mark.parametrize("name", PROGRAMS)
def test_gradients(name: str, static: bool) -> None:
    x = gc.placeholder(D, [4, 2] if static else [None, None])
    y = PROGRAMS[name](x)
    dx = gc.gradients(y, x)[0]
    ddx = gc.gradients(gc.reduce_sum(dx * W), x)[0]
    with gc.Session() as session:
        first, second = session.run([dx, ddx], {x: X})
        np.testing.assert_allclose(first, slope(lambda v: session.run(y, {x: v}), X), rtol=1e-6, atol=1e-6)
        weighted = slope(lambda v: np.sum(session.run(dx, {x: v}) * W), X)
        np.testing.assert_allclose(second, weighted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", PROGRAMS)
def test_saved_loaded_in_cpp_and_by_the_reference(name: str, library: n.Native) -> None:
    x = gc.placeholder(D, [None, 2], name="x")
    y = gc.identity(PROGRAMS[name](x), name="y")
    gc.identity(gc.gradients(y, x)[0], name="dx")
    with gc.Session() as session:
        expected = session.run(["y:0", "dx:0"], {x: X})
        again = session.run(["y:0", "dx:0"], {x: X})
        file = gc.freeze(session, ["y", "dx"]).SerializeToString()
    for a, b in zip(expected, again, strict=True):
        np.testing.assert_array_equal(a, b)
    with library.load(file) as model:
        for a, b in zip(expected, model.run([X]), strict=True):
            np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(run_reference(y, {x: X}), expected[0], rtol=1e-12)
    with gc.Graph().as_default():
        gc.import_graph_def(gc.GraphDef.FromString(file), name="")
        for a, b in zip(expected, run(["y:0", "dx:0"], {"x:0": X}), strict=True):
            np.testing.assert_array_equal(a, b)


def lstm(x: Any, kernel: Any, lengths: Any, unrolled: bool) -> gc.Tensor:
    """Outputs of an LSTM over [time, batch, 3]; past a sequence's length zeros come out and the state stays."""
    def cell(t: Any, row: gc.Tensor, c: gc.Tensor, h: gc.Tensor) -> Any:
        i, j, f, o = gc.split(gc.matmul(gc.concat([row, h], 1), kernel), 4, 1)
        new_c = c * gc.sigmoid(f + 1) + gc.sigmoid(i) * gc.tanh(j)
        new_h = gc.tanh(new_c) * gc.sigmoid(o)
        live = gc.less(gc.fill(gc.shape(lengths), t), lengths)
        return (gc.where(live, new_h, gc.zeros_like(new_h)), gc.where(live, new_c, c), gc.where(live, new_h, h))

    zeros = gc.zeros([2, 4], D)
    if unrolled:
        c, h, outputs = zeros, zeros, []
        for t in range(5):
            out, c, h = cell(t, x[t], c, h)
            outputs.append(out)
        return gc.stack(outputs) + h
    inputs, made = gc.TensorArray(D, size=gc.shape(x)[0]).unstack(x), gc.TensorArray(D, size=gc.shape(x)[0])

    def body(t: gc.Tensor, made: gc.TensorArray, c: gc.Tensor, h: gc.Tensor) -> Any:
        out, c, h = cell(t, inputs.read(t), c, h)
        return t + 1, made.write(t, out), c, h

    _, made, _, h = gc.while_loop(lambda t, *_: t < gc.shape(x)[0], body, (0, made, zeros, zeros))
    return made.stack() + h


def test_lstm_over_arrays_is_the_unrolled_one() -> None:
    rng = np.random.default_rng(0)
    x, kernel = (gc.constant(rng.standard_normal(s)) for s in ((5, 2, 3), (7, 16)))
    lengths = gc.constant([5, 3])
    found = []
    for unrolled in (False, True):
        y = lstm(x, kernel, lengths, unrolled)
        first = gc.gradients(gc.reduce_sum(y ** 2), [x, kernel])
        found.append([y, *first, *gc.gradients(gc.reduce_sum(first[1] ** 2), [x, kernel])])
    loop, expected = run(found)
    for a, b in zip(loop, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", [gc.float32, gc.float64, gc.int32, gc.int64, gc.bool, gc.uint8, gc.int8, gc.int16])
def test_dtypes(dtype: gc.DType) -> None:
    rows = np.array([[0, 1], [1, 0], [1, 1]], dtype.as_numpy_dtype)
    ta = gc.TensorArray(dtype, 3).unstack(gc.constant(rows))
    many, one, none = run([ta.stack(), ta.read(2), gc.TensorArray(dtype, 0, element_shape=[2]).stack()])
    np.testing.assert_array_equal(many, rows)
    np.testing.assert_array_equal(one, rows[2])
    assert none.shape == (0, 2) and many.dtype == none.dtype == dtype.as_numpy_dtype


def test_what_is_known_of_shapes() -> None:
    ta = gc.TensorArray(gc.float32, 3, element_shape=[None, 2])
    assert ta.read(0).shape.as_list() == [None, 2] and ta.stack().shape.as_list() == [3, None, 2]
    ta.write(0, np.ones((4, 2), np.float32))
    assert ta.read(0).shape.as_list() == [4, 2]
    assert gc.TensorArray(gc.float32, fed(2)).unstack(np.ones((2, 5), np.float32)).stack().shape.as_list() == [None, 5]
    assert ta.dtype == gc.float32 and gc.TensorArray(gc.float32, handle=ta.handle, flow=ta.flow).flow is ta.flow


def test_elements_that_were_never_written_are_zeros_if_their_shape_is_known() -> None:
    unwritten = gc.TensorArray(gc.float32, fed(3), element_shape=[2])
    other = gc.TensorArray(gc.float32, fed(3), element_shape=[None]).write(fed(1), fed([1, 2], np.float32))
    nothing = gc.TensorArray(gc.float32, fed(3), element_shape=[None]).read(0)
    with gc.Session() as session:
        np.testing.assert_array_equal(session.run(unwritten.read(0)), [0, 0])
        np.testing.assert_array_equal(session.run(other.read(0)), [0, 0])
        np.testing.assert_array_equal(session.run(other.stack()), [[0, 0], [1, 2], [0, 0]])
        with pytest.raises(errors.InvalidArgumentError, match="Could not read from TensorArray index 0"):
            session.run(nothing)
        with pytest.raises(errors.UnimplementedError, match="element_shape"):
            session.run(gc.TensorArray(gc.float32, 3).read(0))


def test_growing() -> None:
    ta = gc.TensorArray(gc.float32, 0, dynamic_size=True).write(fed(300), [1.0, 2.0])
    ta = ta.scatter([2, 1000], [[3.0, 4.0], [5.0, 6.0]])
    size, some = run([ta.size(), ta.gather([300, 2, 999, 1000])])
    assert size == 1001
    np.testing.assert_array_equal(some, [[1, 2], [3, 4], [0, 0], [5, 6]])


REFUSED: dict[str, Callable[[], Any]] = {
    "Tried to read from index 5, but the TensorArray has the size: 3":
        lambda: gc.TensorArray(gc.float32, 3, element_shape=[2]).read(fed(5)),
    "Tried to read from index -1": lambda: gc.TensorArray(gc.float32, 3, element_shape=[2]).gather(fed([0, -1])),
    "Tried to write to index 3, but the TensorArray is not resizeable and its size is: 3":
        lambda: gc.TensorArray(gc.float32, 3).write(fed(3), [1.0]).stack(),
    "write to index -1": lambda: gc.TensorArray(gc.float32, 0, dynamic_size=True).write(fed(-1), [1.0]).stack(),
    "write to index 1": lambda: gc.TensorArray(gc.float32, 1).unstack([[1.0], [2.0]]).stack(),
    "inconsistent shapes: a size of the element at index 1 is 1, another one has 2":
        lambda: gc.TensorArray(gc.float32, 2, infer_shape=False).write(1, fed([1], np.float32)).write(
            0, fed([1, 2], np.float32)).stack(),
    "cannot have -2 elements": lambda: gc.TensorArray(gc.float32, fed(-2), element_shape=[2]).stack(),
    "2 elements or rows do not fit 3": lambda: gc.TensorArray(gc.float32, 2).split(
        np.ones((3, 2), np.float32), fed([1, 1])).concat(),
    "index 1: nothing was written": lambda: gc.TensorArray(gc.float32, 2).write(0, [1.0]).concat(),
}


@pytest.mark.parametrize("message", REFUSED)
def test_refused_in_the_run(message: str) -> None:
    with pytest.raises(errors.InvalidArgumentError, match=message):
        run(REFUSED[message]())


def test_refused_while_building() -> None:
    ta = gc.TensorArray(gc.float32, 3).write(0, [1.0, 2.0])
    for message, make in {
        "saw .* but expected .* .and infer_shape=True": lambda: ta.write(1, [1.0]),
        "not scalars|are scalars": lambda: gc.TensorArray(gc.float32, 1, element_shape=[]).concat(),
        "at least one axis": lambda: ta.unstack(1.0),
        "Size must be provided": lambda: gc.TensorArray(gc.float32),
        "both a handle and size": lambda: gc.TensorArray(gc.float32, 3, flow=ta.flow),
    }.items():
        with pytest.raises(ValueError, match=message):
            make()
    with pytest.raises(TypeError, match="dtype is float32 but the value has dtype int32"):
        ta.write(1, gc.constant([1, 2]))
    with pytest.raises(TypeError, match="stack"):
        run(ta.flow)


def test_writes_take_a_time_that_grows_with_their_number() -> None:
    """Trees of every height, and the sums of two lists' gradients: by count and by value."""
    for count in (1, 15, 16, 17, 255, 256, 257, 5000):
        with gc.Graph().as_default():
            x = gc.placeholder(gc.float32, [])
            ta, n_writes = gc.TensorArray(gc.float32, fed(count)), fed(count)
            _, ta = gc.while_loop(lambda i, t, n=n_writes: i < n, lambda i, t, x=x: (i + 1, t.write(i, x * gc.cast(
                i, gc.float32))), (0, ta))
            y = gc.reduce_sum(ta.stack()) + ta.read(count - 1)
            value, slope = run([y, gc.gradients(y, x)[0]], {x: 2})
            expected = sum(range(count)) + count - 1
            assert value == 2 * expected and slope == expected
