"""Strings in the C++ library: fed, compared, moved and fetched as in a Session; their memory; plans that forge them."""
from __future__ import annotations

import dataclasses
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.plan.plan import Plan, Port
from graphc.serial.freeze import add_plan
from graphc.serial.plan_proto import load_plan, save_plan

from files import build_runner
from native import DATA_LOSS, INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNIMPLEMENTED, Model, Native, NativeError

SIZES = (0, 1, 3, 17, 31, 65)


@pytest.fixture(scope="module")
def native() -> Native:
    return Native(build_runner() / "libgraphc.so")


@pytest.fixture(autouse=True)
def graph() -> Iterator[gc.Graph]:
    with gc.Graph().as_default() as made:
        yield made


def texts(count: int, seed: int = 0) -> np.ndarray:
    """Few that occur often, empty ones, NULs, and bytes that are no text."""
    choices = [b"", b"cat", b"dog", b"\0", b"a\0b", b"cat\0", b"\xff\xfe", b"x" * 1000]
    made = np.empty(count, object)
    made[:] = [choices[i] for i in np.random.default_rng(seed).integers(len(choices), size=count)]
    return made


def frozen(session: gc.Session, *fetches: gc.Tensor) -> bytes:
    return gc.freeze(session, list(fetches)).SerializeToString(deterministic=True)


def same(found: np.ndarray, expected: np.ndarray) -> None:
    assert found.dtype == expected.dtype and found.shape == expected.shape
    assert found.tolist() == expected.tolist()


@pytest.mark.parametrize("isa", ["", "x86-64-v3"])
@pytest.mark.parametrize("count", SIZES)
def test_a_sessions_strings(native: Native, count: int, isa: str) -> None:
    """Behind and in front of ops of all kinds that take strings, constants among them."""
    if isa and isa not in native.isas():
        pytest.skip("another machine")
    x, y = (gc.placeholder(gc.string, [None], name=name) for name in "xy")
    words = gc.constant(np.array([[b"cat", b""], [b"dog", b"cat\0"]], object))
    alike = gc.equal(x, y)
    chosen = gc.where(alike, gc.fill(gc.shape(x), "same"), y)
    kinds, where = gc.unique(gc.concat([x, y], 0))
    fetches = [gc.identity(t) for t in (
        chosen, gc.reverse(x, [0]), gc.concat([chosen, gc.reshape(words, [-1])], 0), gc.boolean_mask(y, alike), kinds,
        where, gc.gather(words, gc.cast(alike, gc.int32)), gc.stack([x, y], 1), alike, words, gc.size(x))]
    with gc.Session() as session, native.load(frozen(session, *fetches), isa=isa.encode() or None) as model:
        for seed in (0, 1):                     # the second run finds a frame of the first
            values = texts(count, seed), texts(count, seed + 7)
            for found, expected in zip(model.run(values), session.run(fetches, dict(zip((x, y), values, strict=True))),
                                       strict=True):
                same(found, np.asarray(expected))


def test_in_loops_and_branches(native: Native) -> None:
    x, n = gc.placeholder(gc.string, [None], name="x"), gc.placeholder(gc.int32, [], name="n")

    def step(i: gc.Tensor, a: gc.Tensor) -> tuple[gc.Tensor, gc.Tensor]:
        longer = gc.cond(gc.equal(i % 2, 0), lambda: gc.concat([a, x], 0), lambda: gc.concat([["odd"], a], 0))
        return i + 1, longer

    _, y = gc.while_loop(lambda i, a: i < n, step, [0, x],
                         shape_invariants=[gc.TensorShape([]), gc.TensorShape([None])])
    y = gc.identity(y, name="y")
    with gc.Session() as session, native.load(frozen(session, y)) as model:
        for turns in (0, 1, 5):
            same(model.run([texts(3), np.array(turns, np.int32)])[0], session.run(y, {x: texts(3), n: turns}))


def test_signatures_share_the_numbers_of_constants(native: Native) -> None:
    x = gc.placeholder(gc.string, [None], name="x")
    first, second = gc.constant(["a", "b"]), gc.constant(["b", "c", ""])
    with gc.Session() as session:
        made = gc.export_model(session, {"one": gc.Signature({"y": gc.concat([first, x], 0)}, x),
                                         "two": gc.Signature({"y": gc.equal(gc.gather(second, [0, 2]), x)}, x)})
    data = made.SerializeToString(deterministic=True)
    with native.load(data, signature=b"one") as one, native.load(data, share=one, signature=b"two") as two:
        same(one.run([np.array([b"c"], object)])[0], np.array([b"a", b"b", b"c"], object))
        same(two.run([np.array([b"b", b""], object)])[0], np.array([True, True]))
        same(one.run([np.array([b"c"], object)])[0], np.array([b"a", b"b", b"c"], object))


def test_what_a_run_was_fed_goes_with_it(native: Native) -> None:
    x = gc.placeholder(gc.string, [None], name="x")
    with gc.Session() as session, native.load(frozen(session, gc.identity(gc.reverse(x, [0])))) as model:
        used = []
        for turn in range(30):
            model.run([np.array([b"%d of run %d" % (i, turn) for i in range(100)], object)])
            used.append(native.library.graphc_memory_used(model.handle))
        assert len(set(used[5:])) == 1


def test_threads_have_strings_of_their_own(native: Native) -> None:
    x = gc.placeholder(gc.string, [None], name="x")
    y = gc.concat([gc.reverse(x, [0]), gc.constant(["cat"])], 0)
    wrong: list[Any] = []
    with gc.Session() as session, native.load(frozen(session, gc.identity(y))) as model:
        def work(seed: int) -> None:
            for turn in range(50):
                given = np.array([b"%d %d %d" % (seed, turn, i % 5) for i in range(17)], object)
                found = model.run([given])[0].tolist()
                if found != [*given[::-1], b"cat"]:
                    wrong.append(found)

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong


def test_memory_has_its_limit(native: Native) -> None:
    """One long string, in many places: the result has it once. Many long ones do not fit."""
    x, n = gc.placeholder(gc.string, [], name="x"), gc.placeholder(gc.int32, [], name="n")
    with gc.Session() as session:
        data = frozen(session, gc.identity(gc.fill([n], x)))
    with native.load(data, memory_limit=1 << 22) as model:
        long = np.array(b"x" * (1 << 20), object)
        assert set(model.run([long, np.array(1000, np.int32)])[0]) == {b"x" * (1 << 20)}
        with pytest.raises(NativeError) as caught:
            model.run([long, np.array(300_000, np.int32)])
        assert caught.value.status == RESOURCE_EXHAUSTED
        same(model.run([long, np.array(1, np.int32)])[0], np.array([b"x" * (1 << 20)], object))


def feed(model: Model, strings: bytes, count: int) -> None:
    """Runs it on `count` graphc_strings, of which these are the bytes."""
    import ctypes

    from native import Tensor
    memory = ctypes.create_string_buffer(strings)
    tensor = Tensor(7, 1, (ctypes.c_int64 * 8)(count), ctypes.addressof(memory))
    result = ctypes.c_void_p()
    library = model.native.library
    model.native.check(library.graphc_run(model.handle, ctypes.byref(tensor), 1, ctypes.byref(result)))
    library.graphc_result_free(result)


def test_wrong_feeds(native: Native) -> None:
    x = gc.placeholder(gc.string, [None], name="x")
    with gc.Session() as session, native.load(frozen(session, gc.identity(x))) as model:
        with pytest.raises(NativeError, match="input 'x:0' is of dtype string, a tensor of int64 is given") as caught:
            model.run([np.zeros(3, np.int64)])
        assert caught.value.status == INVALID_ARGUMENT
        with pytest.raises(NativeError, match="a string that is fed has a size, but no data"):
            feed(model, struct.pack("QQ", 0, 3), 1)
        feed(model, struct.pack("QQ", 0, 0), 1)          # empty


def forged(fetch: gc.Tensor, **changes: Any) -> bytes:
    """A file whose Plan was changed."""
    with gc.Session() as session:
        graph_def = gc.freeze(session, [fetch])
    plan: Plan = dataclasses.replace(load_plan(graph_def.plans[0]), **changes)
    signature, hashed = graph_def.plans[0].signature, graph_def.plans[0].graph_hash
    graph_def.plans[0].CopyFrom(save_plan(plan, signature, hashed))
    return graph_def.SerializeToString(deterministic=True)


def test_numbers_that_no_string_has(native: Native) -> None:
    """A Plan that takes integers and says that they are strings."""
    x = gc.placeholder(gc.int64, [None], name="x")
    data = forged(gc.identity(x + 1, name="y"), outputs=(Port("y:0", "str", (-1,)),))
    with native.load(data) as model:
        same(model.run([np.array([-1, -1])])[0], np.array([b"", b""], object))
        for number in (0, 5, -3, 2 ** 62 - 1, 2 ** 63 - 2, -2 ** 63):
            with pytest.raises(NativeError, match="the plan computes with the numbers of strings") as caught:
                model.run([np.array([number])])
            assert caught.value.status == DATA_LOSS


def test_variables_of_strings_stay_in_python(native: Native, tmp_path: Path) -> None:
    v = gc.Variable(["yes", "no"], name="v")
    y = gc.identity(gc.gather(v, [1, 0]), name="y")
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        with pytest.raises(gc.errors.UnimplementedError, match="the variable 'v', which holds strings"):
            gc.export_model(session, {"y": gc.Signature(y)})
        with native.load(frozen(session, y)) as model:
            same(model.run([])[0], np.array([b"no", b"yes"], object))
        graph_def = gc.get_default_graph().as_graph_def()
        add_plan(graph_def, [y.name], [])
        with pytest.raises(NativeError, match="variable 'v' holds strings, and variables of strings are") as caught:
            native.load(graph_def.SerializeToString(deterministic=True))
        assert caught.value.status == UNIMPLEMENTED


def test_small_runners_have_what_they_need() -> None:
    from graphc.commands.needs import needs_of

    x, f = gc.placeholder(gc.string, [None], name="x"), gc.placeholder(gc.float32, [None], name="f")
    with gc.Session() as session:
        found = [needs_of(load_plan(gc.freeze(session, [y]).plans[0])).parts
                 for y in (gc.identity(x), gc.gather(gc.constant(["a", "b"]), gc.cast(f, gc.int32)), f + 1)]
    assert ["gc_open_strings" in parts for parts in found] == [True, True, False]
