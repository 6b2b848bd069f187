"""What callers in C may get wrong: NULL anywhere, sizes and ranks out of range, options of an older or newer header."""
from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import native as n
from files import build_runner, case_file
from five import CASES

NULL = None
CANCELLED_OR_NOTHING = {"graphc_model_free", "graphc_result_free", "graphc_cancel"}


@pytest.fixture(scope="module")
def native() -> Iterator[n.Native]:
    yield n.Native(build_runner() / "libgraphc.so")


@pytest.fixture
def model(native: n.Native) -> Iterator[n.Model]:
    with native.load(case_file(CASES["masked_matmul"]())) as model:
        yield model


def _calls(native: n.Native, model: n.Model, file: bytes) -> list[tuple[str, tuple[object, ...], object]]:
    """A good call of every function that takes a pointer, and what it returns when one of them is NULL."""
    library, handle, g = native.library, model.handle, np.zeros(33, np.float32)
    inputs, result = (n.Tensor * 1)(n.as_tensor(g)), ctypes.c_void_p()
    native.check(library.graphc_run(handle, inputs, 1, ctypes.byref(result)))
    made, info, tensor, function = ctypes.c_void_p(), n.Info(), n.Tensor(), n.HOST(lambda *_: 0)
    model._keep += [g, function]
    by, bad = ctypes.byref, n.INVALID_ARGUMENT
    return [
        ("graphc_load_file", (b"/dev/null", NULL, by(made)), bad),
        ("graphc_load_memory", (file, ctypes.c_size_t(len(file)), NULL, by(made)), bad),
        ("graphc_input_count", (handle,), -1),
        ("graphc_output_count", (handle,), -1),
        ("graphc_state_count", (handle,), -1),
        ("graphc_host_count", (handle,), -1),
        ("graphc_memory_used", (handle,), -1),
        ("graphc_input_info", (handle, 0, by(info)), bad),
        ("graphc_output_info", (handle, 0, by(info)), bad),
        ("graphc_state_info", (handle, 0, by(info)), bad),
        ("graphc_run", (handle, inputs, 1, by(made)), bad),
        ("graphc_result_count", (result,), -1),
        ("graphc_result_output", (result, 0, by(tensor)), bad),
        ("graphc_state_set", (handle, 0, by(inputs[0])), bad),
        ("graphc_state_get", (handle, 0, by(tensor), ctypes.c_size_t(8)), bad),
        ("graphc_set_host", (handle, b"f", function, NULL), bad),
        ("graphc_host_name", (handle, 0), NULL),
        ("graphc_save", (handle, b"checkpoint"), bad),
        ("graphc_restore", (handle, b"checkpoint"), bad),
        ("graphc_run_count", (handle,), -1),
        ("graphc_set_run_count", (handle, 1), bad),
        ("graphc_signature_count", (handle,), -1),
        ("graphc_signature_name", (handle, 0), NULL),
    ]


def test_null_is_an_error_everywhere(native: n.Native) -> None:
    case = CASES["adam"]()
    file = case_file(case)
    with native.load(file) as model:
        for i, value in enumerate(case.states.values()):
            model.set_state(i, value)
        for name, arguments, failure in _calls(native, model, file):
            for i, argument in enumerate(arguments):
                if argument is not NULL and not isinstance(argument, (int, ctypes.c_size_t)):
                    _refuses_null(native, name, arguments, i, failure)
    for name in ("graphc_model_free", "graphc_result_free", "graphc_cancel"):
        getattr(native.library, name)(NULL)
    assert native.library.graphc_host_output(NULL, 0, 1, 0, NULL) is None


def _refuses_null(native: n.Native, name: str, arguments: tuple[object, ...], i: int, failure: object) -> None:
    library, nothing = native.library, ctypes.byref(ctypes.c_void_p())
    assert library.graphc_load_memory(b"", ctypes.c_size_t(0), None, nothing) == n.NOT_FOUND     # another message
    assert getattr(library, name)(*arguments[:i], NULL, *arguments[i + 1:]) == failure, f"{name}, argument {i}"
    assert "NULL" in library.graphc_last_error().decode(), f"{name}, argument {i}"


def test_options_of_any_size(native: n.Native) -> None:
    """Fields behind `size` are not read; those of a newer header must be zero."""
    file = case_file(CASES["masked_matmul"]())

    class Newer(ctypes.Structure):
        _fields_ = [("known", n.Options), ("added", ctypes.c_int64)]

    def load(options: ctypes.Structure) -> None:
        handle = ctypes.c_void_p()
        native.check(native.library.graphc_load_memory(file, ctypes.c_size_t(len(file)), ctypes.byref(options),
                                                       ctypes.byref(handle)))
        native.library.graphc_model_free(handle)

    garbage = {"signature": b"none such", "isa": b"z80", "memory_limit": 1, "threads": 1}
    fields = [name for name, _ in n.Options._fields_[1:]]
    for known, message in enumerate([None, "no signature none such", "no code for z80", "no code for z80"]):
        options = n.Options(getattr(n.Options, fields[known]).offset, **garbage)
        if message is None:
            load(options)
            load(n.Options(options.size + 1, **garbage))       # half a pointer is none
            continue
        if known > 1:
            options.signature = None
        with pytest.raises(n.NativeError, match=message):
            load(options)
    limited = n.Options(n.Options.threads.offset, memory_limit=1)
    with pytest.raises(n.NativeError, match="no memory"):
        load(limited)
    load(Newer(n.Options(ctypes.sizeof(Newer)), 0))
    with pytest.raises(n.NativeError, match="a field set that this version of the library does not know") as caught:
        load(Newer(n.Options(ctypes.sizeof(Newer)), 1))
    assert caught.value.status == n.UNIMPLEMENTED
    for size in (0, 7, 1 << 20, 1 << 63):
        with pytest.raises(n.NativeError, match="size is not set"):
            load(n.Options(size))
    for wrong in ({"memory_limit": -1}, {"threads": -1}):
        with pytest.raises(n.NativeError, match="is negative"):
            load(n.Options(ctypes.sizeof(n.Options), **wrong))


@pytest.mark.parametrize(("rank", "sizes", "message"), [
    (2, (1 << 62, 7), r"'x' has shape \[any, 7\], .*shape \[4611686018427387904, 7\] is given, which is too large"),
    (2, ((1 << 63) - 1, 7), "too large"),
    (2, (-1, 7), r"a tensor of shape \[any, 7\] is given"),
    (2, (4, 1 << 62), r"a tensor of shape \[4, 4611686018427387904\] is given"),
    (-1, (4, 7), "a tensor of -1 axes"),
    (9, (4, 7), "a tensor of 9 axes"),
    (2 ** 31 - 1, (4, 7), "a tensor of 2147483647 axes"),
])
def test_shapes_out_of_range(native: n.Native, model: n.Model, rank: int, sizes: tuple[int, int], message: str) -> None:
    x, mask = np.zeros((4, 7), np.float32), np.ones(4, bool)
    given = n.as_tensor(x)
    given.rank, given.sizes[:2] = rank, sizes
    result = ctypes.c_void_p()
    with pytest.raises(n.NativeError, match=message) as caught:
        native.check(native.library.graphc_run(model.handle, (n.Tensor * 2)(given, n.as_tensor(mask)), 2,
                                               ctypes.byref(result)))
    assert caught.value.status == n.INVALID_ARGUMENT
    assert "damaged" not in str(caught.value) and result.value is None


def test_an_input_without_data(native: n.Native, model: n.Model) -> None:
    x, mask = n.as_tensor(np.zeros((4, 7), np.float32)), n.as_tensor(np.ones(4, bool))
    x.data = None
    with pytest.raises(n.NativeError, match="input 'x' has no data"):
        native.check(native.library.graphc_run(model.handle, (n.Tensor * 2)(x, mask), 2,
                                               ctypes.byref(ctypes.c_void_p())))


def test_a_host_function_cannot_use_the_model_that_calls_it(native: n.Native) -> None:
    """It would wait for itself. Other models it may run, and cancel its own."""
    file, x = case_file(CASES["loop_with_host"]()), np.ones((3, 5), np.float32)
    with native.load(file) as model, native.load(file, share=model) as sharing, native.load(file) as other:
        other.set_host("plus_one", lambda r: r + 1)
        right = other.run([x])[0]
        refused = []

        def nested(r: np.ndarray) -> np.ndarray:
            for one in (model, sharing):
                for use in (lambda one=one: one.run([x]), lambda one=one: one.set_host("plus_one", nested),
                            lambda one=one: one.save("none"), lambda one=one: one.restore("none")):
                    with pytest.raises(n.NativeError, match="a host function may not use the model that calls it") as e:
                        use()
                    refused.append(e.value.status)
                native.library.graphc_model_free(one.handle)
                assert b"may not free the model that calls it" in native.library.graphc_last_error()
            assert other.run([x])[0].tobytes() == right.tobytes()
            return r + 1

        model.set_host("plus_one", nested)
        assert model.run([x])[0].tobytes() == right.tobytes()
        assert refused and set(refused) == {n.FAILED_PRECONDITION}


def test_a_host_output_that_the_plan_does_not_want(native: n.Native, tmp_path: Path) -> None:
    file, x = case_file(CASES["loop_with_host"]()), np.ones((3, 5), np.float32)
    library, said = native.library, []

    def call(user: object, request: int, inputs: object, inputs_given: int, outputs: int) -> int:
        sizes = (ctypes.c_int64 * n.MAX_RANK)(*[1] * n.MAX_RANK)
        for index, dtype, rank, shape in ((7, 9, 0, sizes), (0, 1, 5, sizes), (0, 9, 9, sizes), (0, 9, -1, sizes),
                                          (0, 9, 1, None)):
            assert not library.graphc_host_output(request, index, dtype, rank, shape)
            said.append(library.graphc_last_error().decode())
        return n.UNKNOWN

    with native.load(file) as model:
        model._keep.append(n.HOST(call))
        native.check(library.graphc_set_host(model.handle, b"plus_one", model._keep[-1], None))
        with pytest.raises(n.NativeError, match="returned status 2"):
            model.run([x])
    assert len(said) == 5 and "sizes is NULL" in said[-1] and "rank is not from 0 to 8" in said[2]
    assert "another output" in said[0]
