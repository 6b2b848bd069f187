"""16-bit floats, complex numbers and unsigned integers in the C++ runner: fed, computed, kept in variables, fetched,
from the library and from .npy files."""
from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.ir import dtypes
from graphc.serial.freeze import add_plan
from graphc.serial.graphdef import as_graph_def

from files import build_runner
from native import Native, NativeError

needs_bfloat16 = pytest.mark.skipif(not dtypes.HAS_BFLOAT16, reason="ml_dtypes is not installed")
NUMBERS = ["float16", "complex64", "complex128", "uint8", "uint16", "uint32", "uint64", "int8", "int16",
           pytest.param("bfloat16", marks=needs_bfloat16)]


@pytest.fixture(scope="module")
def folder() -> Path:
    return build_runner()


@pytest.fixture(scope="module")
def native(folder: Path) -> Native:
    return Native(folder / "libgraphc.so")


def model(make: Callable[[Any], list[Any]], dtype: gc.DType, shape: list[int | None]) -> tuple[bytes, list[Any], Any]:
    """A graph of x with these results, as a file with a Plan; its results; and x."""
    with gc.Graph().as_default() as graph:
        x = gc.placeholder(dtype, shape, name="x")
        results = [gc.identity(y, name=f"y{i}") for i, y in enumerate(make(x))]
    graph_def = as_graph_def(graph)
    add_plan(graph_def, [y.name for y in results], [x.name])
    return graph_def.SerializeToString(deterministic=True), results, x


def several(x: Any) -> list[Any]:
    """Maps, a reduction, a kernel that moves, constants."""
    dtype = x.dtype
    constant = gc.constant(np.arange(1, 4), gc.float64)
    constant = gc.cast(constant, dtype) if dtype.is_complex else gc.constant(np.arange(1, 4), dtype)
    return [x * constant + x, gc.reduce_sum(x, 0), gc.gather(x, [1, 0]), gc.transpose(x), x,
            gc.cast(x, gc.float64), gc.concat([x, x], 1)]


@pytest.mark.parametrize("name", NUMBERS)
def test_library(name: str, native: Native) -> None:
    dtype = gc.as_dtype(name)
    given = np.array([[1, 2, 3], [4, 5, 250]]).astype(dtype.numpy)
    given = given * dtype.numpy.type(1 - 2j) if dtype.is_complex else given
    data, results, x = model(several, dtype, [None, 3])
    with gc.Session(graph=x.graph) as session:
        expected = session.run(results, {x: given})
    with native.load(data) as loaded:
        for found, right in zip(loaded.run([given]), expected, strict=True):
            assert found.dtype == right.dtype and found.shape == right.shape
            assert found.tobytes() == right.tobytes()      # the same code in both
        other = np.float64 if dtype != gc.float64 else np.float32
        with pytest.raises(NativeError, match=f"is of dtype {name}, a tensor of float64 is given"):
            loaded.run([np.zeros((2, 3), other)])


@pytest.mark.parametrize("name", NUMBERS)
def test_files(name: str, folder: Path, tmp_path: Path) -> None:
    dtype = gc.as_dtype(name)
    given = np.array([[1, 2, 3], [4, 5, 6]]).astype(dtype.numpy)
    data, _, _ = model(lambda x: [x + x], dtype, [None, 3])
    (tmp_path / "model.pb").write_bytes(data)
    np.save(tmp_path / "x.npy", given)                      # of bfloat16: two bytes without a meaning, <V2
    done = subprocess.run([folder / "graphc-run", tmp_path / "model.pb", "--feed", f"x={tmp_path / 'x.npy'}", "--fetch",
                           "y0", "--out", tmp_path / "y.npy"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = np.load(tmp_path / "y.npy")
    assert found.dtype == given.dtype or (name == "bfloat16" and found.dtype.str == "|V2")
    np.testing.assert_array_equal(found.view(given.dtype), given + given)


def test_listed_constants(native: Native) -> None:
    """Constants as TensorFlow writes short ones: in lists, the last value repeated."""
    with gc.Graph().as_default() as graph:
        made = {dtype: gc.constant(np.array([1, 2, 2]), gc.float32) for dtype in (gc.half, gc.complex64, gc.complex128)}
        names = {dtype: c.op.name for dtype, c in made.items()}
    graph_def = graph.as_graph_def()
    for node in graph_def.node:
        dtype = next(d for d, name in names.items() if name == node.name)
        node.attr["dtype"].type = node.attr["value"].tensor.dtype = dtype.number
        tensor = node.attr["value"].tensor
        tensor.ClearField("tensor_content")
        {19: tensor.half_val, 8: tensor.scomplex_val, 18: tensor.dcomplex_val}[dtype.number].extend(
            [0x3C00, 0x4000] if dtype == gc.half else [1, 0.5, 2, -1])
    with gc.Graph().as_default() as graph:
        gc.import_graph_def(graph_def, name="")
        outputs = [gc.identity(graph.get_tensor_by_name(f"{name}:0") * 1, name=f"out_{i}")
                   for i, name in enumerate(names.values())]
    saved = as_graph_def(graph)
    for node in saved.node:                                 # as they were
        if node.name in names.values():
            node.CopyFrom(next(n for n in graph_def.node if n.name == node.name))
    add_plan(saved, [t.name for t in outputs], [])
    with native.load(saved.SerializeToString(deterministic=True)) as loaded:
        found = loaded.run([])
    np.testing.assert_array_equal(found[0], np.array([1, 2, 2], np.float16))
    for complex_found in found[1:]:
        np.testing.assert_array_equal(complex_found, [1 + 0.5j, 2 - 1j, 2 - 1j])
