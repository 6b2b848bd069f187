"""Pictures decoded in other threads: elements, numbers drawn, errors and calls of Python functions are as without."""
from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.ops.image.decode import DecodeJpeg
from graphc.session.resources import iterators

COUNT = 24


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    rng = np.random.default_rng(0)
    names = [str(tmp_path / f"{i}.jpg") for i in range(COUNT)]
    with gc.Session() as session:
        pixels = gc.placeholder(gc.uint8, [None, None, 3])
        encoded = gc.image.encode_jpeg(pixels)
        for i, name in enumerate(names):
            Path(name).write_bytes(session.run(encoded, {pixels: rng.integers(0, 256, (9 + i % 3, 17, 3), np.uint8)}))
    return names


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the threads that decoded a picture, on two cores."""
    found: list[str] = []
    compute = DecodeJpeg.compute

    def noted(op: DecodeJpeg, contents: np.ndarray) -> np.ndarray:
        found.append(threading.current_thread().name)
        return compute(op, contents)

    monkeypatch.setattr(DecodeJpeg, "compute", noted)
    monkeypatch.setattr(iterators, "default_threads", lambda: 2)
    return found


def decoded(name: Any) -> Any:
    picture = gc.image.decode_jpeg(gc.read_file(name), channels=3)
    picture.set_shape([None, None, 3])
    return gc.image.resize_images(picture, [8, 8])


def augmented(name: Any) -> Any:
    picture = gc.random_crop(decoded(name), [5, 6, 3], seed=3)
    return gc.image.random_flip_left_right(picture, seed=4), name, gc.constant(1)


def in_branches(name: Any) -> Any:
    contents = gc.read_file(name)
    picture = gc.cond(gc.equal(gc.substr(contents, 0, 1), b"\x89"), lambda: gc.image.decode_png(contents, channels=3),
                      lambda: gc.image.decode_jpeg(contents, channels=3))
    return gc.reduce_mean(gc.cast(picture, gc.float32)) + gc.random_uniform([], seed=1)


@pytest.mark.parametrize("function", [decoded, augmented, in_branches])
def test_elements_are_those_of_one_thread(files: list[str], threads: list[str],
                                          function: Callable[[Any], Any]) -> None:
    found = []
    for calls in (None, 3):
        threads.clear()
        with gc.Graph().as_default():
            dataset = gc.data.Dataset.from_tensor_slices(files).repeat(3).map(function, num_parallel_calls=calls)
            element = dataset.make_one_shot_iterator().get_next()
            with gc.Session() as session:
                found.append([session.run(element) for _ in range(3 * COUNT)])
                with pytest.raises(gc.errors.OutOfRangeError):
                    session.run(element)
        assert len(threads) == 3 * COUNT
        assert all(name.startswith("graphc-pictures") == (calls is not None) for name in threads)
    for one, other in zip(*found, strict=True):
        for a, b in zip(one, other, strict=True) if isinstance(one, tuple) else [(one, other)]:
            np.testing.assert_array_equal(a, b)


def test_an_error_ends_the_run_that_asked_for_its_element(files: list[str], threads: list[str]) -> None:
    Path(files[5]).write_bytes(b"\xff\xd8\xff no picture")
    dataset = gc.data.Dataset.from_tensor_slices(files).map(decoded, num_parallel_calls=2)
    element = dataset.make_one_shot_iterator().get_next()
    with gc.Session() as session:
        for number in range(COUNT):
            if number == 5:
                with pytest.raises(gc.errors.InvalidArgumentError, match="Invalid JPEG data"):
                    session.run(element)
            else:
                assert session.run(element).shape == (8, 8, 3)


def test_who_takes_few_elements_causes_few_to_be_read(files: list[str], threads: list[str]) -> None:
    element = gc.data.Dataset.from_tensor_slices(files).map(decoded, -1).make_one_shot_iterator().get_next()
    with gc.Session() as session:
        session.run(element)
        assert len(threads) == 1
        session.run(element)
        session.run(element)
        assert len(threads) <= 6


def test_python_functions_are_called_when_asked_for(files: list[str], threads: list[str]) -> None:
    """In order, on the thread that asks."""
    called: list[int] = []

    def noted(value: np.ndarray) -> np.ndarray:
        called.append(len(called))
        return value + np.float32(0)

    def late(name: Any) -> Any:
        return gc.py_func(noted, [decoded(name)], gc.float32)

    element = gc.data.Dataset.from_tensor_slices(files).map(late, 2).make_one_shot_iterator().get_next()
    with gc.Session() as session:
        for number in range(4):
            session.run(element)
            assert called == list(range(number + 1))


def test_generators_are_not_read_ahead(files: list[str], threads: list[str]) -> None:
    called: list[str] = []

    def names() -> Any:
        for name in files:
            called.append(name)
            yield name

    generated = gc.data.Dataset.from_generator(names, gc.string, []).map(decoded, 2)
    element = generated.make_one_shot_iterator().get_next()
    with gc.Session() as session:
        for number in range(4):
            session.run(element)
            assert called == files[:number + 1]
    assert not any(name.startswith("graphc") for name in threads)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_goes_on(files: list[str], threads: list[str]) -> None:
    element = gc.data.Dataset.from_tensor_slices(files).map(augmented, 2).make_one_shot_iterator().get_next()
    with gc.Session() as session:
        for _ in range(5):
            session.run(element)
        child = os.fork()
        if not child:
            os._exit(0 if session.run(element)[1] == files[5].encode() else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert session.run(element)[1] == files[5].encode()


def test_what_is_run_ahead() -> None:
    """As far as nothing is drawn; nothing where no picture is decoded."""

    def border_of(function: Callable[[Any], Any]) -> list[str]:
        graph = gc.python.framework.func_graph.FuncGraph("f")
        with graph.as_default():
            name = gc.placeholder(gc.string, [])
            fetches = function(name)
            fetches = list(fetches) if isinstance(fetches, tuple) else [fetches]
        return [t.op.type for t in graph.border([name], fetches)]

    assert border_of(decoded) == ["Squeeze"]
    assert "Squeeze" in border_of(augmented)
    assert border_of(lambda name: gc.read_file(name)) == []
    assert border_of(lambda name: gc.py_func(lambda x: x, [gc.image.decode_jpeg(name)], gc.uint8)) == ["DecodeJpeg"]
    assert border_of(lambda name: decoded(gc.py_func(lambda x: x, [name], gc.string))) == []
