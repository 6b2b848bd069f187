"""The runtime through the Engine: placement, errors, threads, limits, cancelling."""
from __future__ import annotations

import ctypes
import threading

import numpy as np
import pytest

from graphc import errors
from graphc.exec.engine import Engine
from graphc.exec.jit import CompiledProgram, compile_programs
from graphc.exec.states import StateStore
from graphc.kernels.toolchain.load import words_at
from graphc.plan.plan import (
    Bind,
    BufferKind,
    Call,
    Constant,
    DimKind,
    GuardKind,
    Host,
    If,
    Length,
    Plan,
    Pop,
    Port,
    Program,
    Push,
    SlotBind,
    State,
    Take,
    While,
)

from five import CASES
from hand import Id, Writer, instr
from runtime_plans import ADD, origins, placed_buffers, random_dag, reference_dag


@pytest.mark.parametrize("seed", range(8))
def test_buffers_that_live_at_once_do_not_overlap(seed: int) -> None:
    rng = np.random.default_rng(seed)
    plan = random_dag(rng, int(rng.integers(1, 120)))
    engine = Engine(plan, threads=1)
    for n in (1, 5, 100):
        x = rng.standard_normal(n).astype(np.float32) * np.float32(1e-3)
        np.testing.assert_allclose(engine.run([x])[0], reference_dag(plan, x), rtol=1e-4, atol=1e-6)
    placed = placed_buffers(engine)
    for a in placed:
        assert a.begin % 64 == 0
        for b in placed:
            apart = a.end <= b.begin or b.end <= a.begin or a.last < b.first or b.last < a.first
            assert a is b or apart, (a, b)
    if len(placed) > 20:
        assert len({a.begin for a in placed}) < len(placed)      # memory is used again


@pytest.mark.parametrize("name", CASES)
def test_results_do_not_depend_on_threads(name: str) -> None:
    results = []
    for threads in (1, 2, 5):
        case = CASES[name]()
        engine = Engine(case.plan, case.constants, dict(case.states), case.hosts, threads=threads)
        results.append([engine.run([np.array(x) for x in inputs]) for inputs in case.feeds(np.random.default_rng(3))])
    for other in results[1:]:
        for outputs, first in zip(other, results[0], strict=True):
            for found, right in zip(outputs, first, strict=True):
                assert found.tobytes() == right.tobytes()


def test_threads_on_large_tensors() -> None:
    b = Writer("main")
    n = b.size_of(0, 0)
    x = b.input("f32", n)
    b.map(0, (n,), [b.access(x, 1), b.access(x, 1)], [b.access(b.output("f32", n), 1)])
    plan = Plan((Port("x", "f32", (-1,)),), (Port("y", "f32", (-1,)),), (b.body(),), (ADD,), origins=origins("add"))
    x = np.arange(3_000_001, dtype=np.float32)
    for threads in (1, 2, 5):
        engine = Engine(plan, threads=threads)
        for _ in range(5):
            y, = engine.run([x])
            assert np.array_equal(y, x + x) and y.flags.owndata | (y.base is not None) and y.flags.writeable


def test_one_engine_in_many_threads() -> None:
    case = CASES["growing_loop"]()
    engine = Engine(case.plan, threads=2)
    wrong: list[object] = []

    def work(seed: int) -> None:
        for inputs in case.feeds(np.random.default_rng(seed)):
            for found, right in zip(engine.run(inputs), case.expected(inputs, {}, {}), strict=True):
                if not np.allclose(found, right, rtol=2e-4, atol=2e-5):
                    wrong.append((found, right))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def gather_plan() -> Plan:
    b = Writer("main")
    n, k, one = b.size_of(0, 0), b.size_of(1, 0), b.const(1)
    params, indices = b.input("f32", n), b.input("i64", k)
    b.step(Call("gather.f32.i64", (params, indices, b.output("f32", k)), (one, n, one, k), origins=(0,)))
    return Plan(
        (Port("params", "f32", (-1,)), Port("indices", "i64", (-1,))),
        (Port("y", "f32", (-1,)),),
        (b.body(),),
        (),
        origins=origins("gather"),
    )


def test_index_out_of_range_names_op_index_and_limit() -> None:
    engine = Engine(gather_plan(), threads=1)
    params = np.arange(5, dtype=np.float32)
    with pytest.raises(errors.InvalidArgumentError, match=r"Gather 'gather': index 7 is not in \[0, 5\)"):
        engine.run([params, np.array([0, 7, 1])])
    assert engine.run([params, np.array([4, 0])])[0].tolist() == [4, 0]


def test_guard_names_both_sizes() -> None:
    b = Writer("main")
    x, y = b.input("f32", b.size_of(0, 0)), b.input("f32", b.size_of(1, 0))
    b.guard(GuardKind.EQUAL, b.size_of(0, 0), b.size_of(1, 0), "sizes of Add")
    n = b.size_of(0, 0)
    b.map(0, (n,), [b.access(x, 1), b.access(y, 1)], [b.access(b.output("f32", n), 1)])
    plan = Plan((Port("x", "f32", (-1,)), Port("y", "f32", (-1,))), (Port("z", "f32", (-1,)),), (b.body(),), (ADD,),
                origins=origins("add"))
    engine = Engine(plan, threads=1)
    for _ in range(2):
        with pytest.raises(
            errors.InvalidArgumentError, match=r"Add 'add': sizes of Add: 3 and 4, must be equal(.|\n)*built at"
        ):
            engine.run([np.zeros(3, np.float32), np.zeros(4, np.float32)])
    assert engine.run([np.ones(3, np.float32)] * 2)[0].tolist() == [2, 2, 2]


def state_plan(with_check: bool = True) -> Plan:
    """w = w + x; fetches the new w."""
    b = Writer("main", writes=(0,))
    size = b.const(3)
    w, info = b.buffer(BufferKind.STATE, "f32", size), b.buffer(BufferKind.STATE_INFO, "i64", b.const(2))
    x, y = b.input("f32", size), b.output("f32", size)
    if with_check:
        b.step(Call("state_check", (info,), (), origins=(0,)))
    b.map(0, (size,), [b.access(w, 1), b.access(x, 1)], [b.access(w, 1)])
    b.step(Call("state_mark", (info,), (), origins=(0,)))
    b.map(1, (size,), [b.access(w, 1)], [b.access(y, 1)])
    copy = Program(("f32",), (), (0,))
    return Plan((Port("x", "f32", (3,)),), (Port("y", "f32", (3,)),), (b.body(),), (ADD, copy), (),
                (State("weights", "f32", (3,)),), origins=origins("assign"))


def test_uninitialised_state_is_named() -> None:
    store = StateStore()
    engine = Engine(state_plan(), states=store, threads=1)
    with pytest.raises(errors.FailedPreconditionError, match="Attempting to use uninitialized value weights"):
        engine.run([np.ones(3, np.float32)])
    store.assign("weights", np.zeros(3, np.float32))
    engine.run([np.ones(3, np.float32)])
    assert engine.run([np.ones(3, np.float32)])[0].tolist() == [2, 2, 2]
    assert store.read("weights").tolist() == [2, 2, 2]


def packed_plan(source: BufferKind) -> Plan:
    """y = x @ w, with w a constant or a state."""
    b = Writer("main")
    n, k, m, one, zero = b.size_of(0, 0), b.const(96), b.const(64), b.const(1), b.const(0)
    w, x, y = b.buffer(source, "f32", k, m), b.input("f32", n, k), b.output("f32", n, m)
    b.step(Call("matmul.f32", (x, w, y), (one, n, m, k, zero, zero), (0, 0), origins=(0,)))
    constants = (Constant("w", "f32", (96, 64)),) if source == BufferKind.CONST else ()
    states = (State("w", "f32", (96, 64)),) if source == BufferKind.STATE else ()
    return Plan((Port("x", "f32", (-1, 96)),), (Port("y", "f32", (-1, 64)),), (b.body(),), (), constants, states,
                origins=origins("matmul"))


@pytest.mark.parametrize("source", [BufferKind.CONST, BufferKind.STATE])
def test_packed_operands_follow_their_source(source: BufferKind) -> None:
    rng = np.random.default_rng(0)
    store, plan = StateStore(), packed_plan(source)
    w = rng.standard_normal((96, 64)).astype(np.float32)
    engine = Engine(plan, {"w": w}, store if source == BufferKind.STATE else None, threads=2)
    for turn in range(3):
        if source == BufferKind.STATE:
            w = rng.standard_normal((96, 64)).astype(np.float32)
            store.assign("w", w)
        for n in (1, 64, 300, 64):
            x = rng.standard_normal((n, 96)).astype(np.float32)
            np.testing.assert_allclose(engine.run([x])[0], x @ w, rtol=1e-3, atol=1e-4, err_msg=f"{turn} {n}")


def test_exception_in_host_function_is_the_cause() -> None:
    b = Writer("main")
    n = b.size_of(0, 0)
    x = b.input("f32", n)
    slot, size = b.slot("f32", 1), b.runtime()
    b.step(Host(0, (x,), (slot,), (SlotBind(slot, 0, size),), origins=(0,)))
    b.step(Take(slot, b.output("f32", size)))
    plan = Plan((Port("x", "f32", (-1,)),), (Port("y", "f32", (-1,)),), (b.body(),), (), hosts=("py_func",),
                origins=origins("py_func"))

    def function(values: np.ndarray) -> np.ndarray:
        if values[0] < 0:
            raise ZeroDivisionError("below zero")
        return np.concatenate([values, values])

    engine = Engine(plan, hosts={"py_func": function}, threads=1)
    assert engine.run([np.ones(2, np.float32)])[0].tolist() == [1, 1, 1, 1]
    with pytest.raises(errors.UnknownError, match="py_func raised ZeroDivisionError: below zero") as caught:
        engine.run([-np.ones(2, np.float32)])
    assert isinstance(caught.value.__cause__, ZeroDivisionError) and caught.value.__cause__.__traceback__ is not None
    assert engine.run([np.ones(3, np.float32)])[0].shape == (6,)
    wrong = Engine(plan, hosts={"py_func": lambda v: v.astype(np.float64)}, threads=1)
    with pytest.raises(errors.UnknownError, match="float64, but float32 was declared"):
        wrong.run([np.ones(2, np.float32)])


def branch_plan() -> Plan:
    """if p: [x, x] else: x[:0], as sizes known only at run time; length of a list of two."""
    programs = (Program(("f32",), (), (0,)),)
    then, orelse = Writer("then"), Writer("else")
    for body, factor in ((then, 2), (orelse, 0)):
        n = body.size_of(0, 0)
        x = body.input("f32", n)
        y = body.output("f32", body.dim(DimKind.MUL, n, body.const(factor)))
        for part in range(factor):
            body.map(0, (n,), [body.access(x, 1)], [body.access(y, 1, offset=Id(n) if part else 0)])
        if not factor:
            body.map(0, (body.const(0),), [body.access(x, 1)], [body.access(y, 1)])
    b = Writer("main")
    n, size = b.size_of(0, 0), b.runtime()
    x, p = b.input("f32", n), b.input("bool")
    slot = b.slot("f32", 1)
    b.step(If(p, 1, 2, (x,), (slot,), (SlotBind(slot, 0, size),)))
    b.step(Take(slot, b.output("f32", size)))
    empty, one, two = b.arena("handle"), b.arena("handle"), b.arena("handle")
    b.step(Push(empty, x, one))
    b.step(Push(one, x, two))
    b.step(Length(two, b.output("i32")))
    return Plan((Port("x", "f32", (-1,)), Port("p", "bool", ())), (Port("y", "f32", (-1,)), Port("length", "i32", ())),
                (b.body(), then.body(), orelse.body()), programs, origins=origins("cond"))


def test_branches_and_lengths() -> None:
    engine = Engine(branch_plan(), threads=1)
    for n in (1, 4, 2):
        x = np.arange(n, dtype=np.float32)
        y, length = engine.run([x, np.array(True)])
        assert y.tolist() == [*x, *x] and length == 2
        assert engine.run([x, np.array(False)])[0].shape == (0,)


def test_empty_list_is_an_error() -> None:
    b = Writer("main")
    size = b.runtime()
    empty, rest, slot = b.arena("handle"), b.arena("handle"), b.slot("f32", 1)
    b.step(Pop(empty, rest, slot, (SlotBind(slot, 0, size),), origins=(0,)))
    b.step(Take(slot, b.output("f32", size)))
    plan = Plan((), (Port("y", "f32", (-1,)),), (b.body(),), (), origins=origins("pop"))
    with pytest.raises(errors.InvalidArgumentError, match="Pop 'pop': an element is taken from an empty list"):
        Engine(plan, threads=1).run([])


def endless_plan() -> Plan:
    yes = Program((), (instr("const", "bool", value=True),), (0,))
    grow = Program((), (instr("const", "f32", value=1.0),), (0,))
    test, body, b = Writer("yes"), Writer("grow"), Writer("main")
    test.input("f32", test.size_of(0, 0))
    test.map(0, (), [], [test.access(test.output("bool"))])
    n = body.size_of(0, 0)
    body.input("f32", n)
    more = body.dim(DimKind.ADD, n, n)
    body.map(1, (more,), [], [body.access(body.output("f32", more), 1)])
    n, size, slot = b.size_of(0, 0), b.runtime(), b.slot("f32", 1)
    b.step(While(1, 2, (b.input("f32", n),), 1, (slot,), (SlotBind(slot, 0, size),), origins=(0,)))
    b.step(Take(slot, b.output("f32", size)))
    return Plan(
        (Port("x", "f32", (-1,)),),
        (Port("y", "f32", (-1,)),),
        (b.body(), test.body(), body.body()),
        (yes, grow),
        origins=origins("loop"),
    )


def test_memory_limit_and_cancelling_end_a_loop() -> None:
    engine = Engine(endless_plan(), threads=1, memory_limit=1 << 22)
    with pytest.raises(errors.ResourceExhaustedError, match="no memory"):
        engine.run([np.ones(1, np.float32)])
    flag = np.zeros(1, np.int64)
    timer = threading.Timer(0.1, lambda: flag.__setitem__(0, 1))
    timer.start()
    with pytest.raises(errors.CancelledError):
        Engine(endless_plan(), threads=1).run([np.ones(0, np.float32)], cancel=int(flag.ctypes.data))


def test_bind_from_data() -> None:
    b = Writer("main")
    n = b.input("i32")
    size = b.runtime()
    b.step(Bind(n, (size,), origins=(0,)))
    b.map(0, (size,), [], [b.access(b.output("f32", size), 1)])
    ones = Program((), (instr("const", "f32", value=1.0),), (0,))
    plan = Plan((Port("n", "i32", ()),), (Port("y", "f32", (-1,)),), (b.body(),), (ones,), origins=origins("fill"))
    engine = Engine(plan, threads=1)
    assert [engine.run([np.array(n, np.int32)])[0].size for n in (3, 3, 0, 100)] == [3, 3, 0, 100]
    with pytest.raises(errors.InvalidArgumentError, match="-2 elements"):
        engine.run([np.array(-2, np.int32)])


def test_unknown_kernel_and_bad_feeds_are_refused() -> None:
    b = Writer("main")
    b.step(Call("frobnicate.f32", (b.output("f32"),), ()))
    with pytest.raises(errors.UnimplementedError, match=r"frobnicate\.f32"):
        Engine(Plan((), (Port("y", "f32", ()),), (b.body(),), ()))
    engine = Engine(gather_plan(), threads=1)
    with pytest.raises(errors.InvalidArgumentError, match="feed params is float64, f32 is wanted"):
        engine.run([np.zeros(3), np.zeros(1, np.int64)])
    with pytest.raises(errors.InvalidArgumentError, match=r"feed params has shape \(1, 3\)"):
        engine.run([np.zeros((1, 3), np.float32), np.zeros(1, np.int64)])


def test_plans_that_break_a_rule_do_not_verify() -> None:
    b = Writer("main")
    size = b.const(4)
    unread, y = b.arena("f32", size), b.output("f32", size)
    b.map(0, (size,), [b.access(unread, 1)], [b.access(y, 1)])
    programs = (Program(("f32",), (), (0,)),)
    with pytest.raises(errors.InternalError, match="check 71"):
        Engine(Plan((), (Port("y", "f32", (4,)),), (b.body(),), programs))
    c = Writer("main")
    size = c.const(4)
    fixed, y = c.buffer(BufferKind.CONST, "f32", size), c.output("f32", size)
    c.map(0, (size,), [c.access(fixed, 1)], [c.access(y, 1)])
    c.map(0, (size,), [c.access(y, 1)], [c.access(fixed, 1)])
    with pytest.raises(errors.InternalError, match="check 73"):
        Engine(Plan((), (Port("y", "f32", (4,)),), (c.body(),), programs, (Constant("c", "f32", (4,)),)),
               {"c": np.zeros(4, np.float32)})


def test_accesses_outside_a_buffer_are_refused() -> None:
    b = Writer("main")
    n = b.size_of(0, 0)
    x, y = b.input("f32", n), b.output("f32", n)
    b.map(0, (n,), [b.access(x, 2)], [b.access(y, 1)])
    plan = Plan((Port("x", "f32", (-1,)),), (Port("y", "f32", (-1,)),), (b.body(),), (Program(("f32",), (), (0,)),))
    engine = Engine(plan, threads=1)
    assert engine.run([np.ones(1, np.float32)])[0].tolist() == [1]
    with pytest.raises(errors.InternalError, match="out of its memory"):
        engine.run([np.ones(2, np.float32)])


def test_code_takes_the_place_of_primitives() -> None:
    """The frame that is there is bound anew; code counts as used."""
    plan = random_dag(np.random.default_rng(1), 9)
    engine, x = Engine(plan, threads=1), np.ones(4, np.float32)
    before, = engine.run([x])
    calls = []

    def code(out: int, pointers: int, count: int, room: int, position: int) -> None:
        calls.append((count, position))

    own = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 5)(code)
    address = ctypes.cast(own, ctypes.c_void_p).value or 0
    engine.use_compiled(dict.fromkeys(range(len(plan.programs)), CompiledProgram(address, 0)))
    engine.run([x])
    assert calls and {position for _, position in calls} == {0} and len(engine._frames) == 1
    engine.use_compiled(compile_programs(plan))
    assert np.array_equal(engine.run([x])[0], before) and len(engine._frames) == 1


def test_who_finds_code_finds_what_belongs_to_it() -> None:
    """A bind in another thread reads the table while code comes in: one word is written, when all that it leads to is
    there, and what was found before stays as it was."""
    engine = Engine(random_dag(np.random.default_rng(1), 9), threads=1)
    seen = []

    class Table(dict[int, int]):
        def __setitem__(self, program: int, address: int) -> None:
            seen.append((program, address, words_at(address, 4)))

    engine._compiled = Table()                                                    # type: ignore[assignment]
    engine.use_compiled({0: CompiledProgram(11, 12, 13, 14)})
    engine.use_compiled({0: CompiledProgram(21, 22, 23, 24)})
    assert [(program, words) for program, _, words in seen] == [(0, [11, 12, 13, 14]), (0, [21, 22, 23, 24])]
    assert words_at(seen[0][1], 4) == [11, 12, 13, 14]


def test_frames_of_old_shapes_are_used_again() -> None:
    plan = random_dag(np.random.default_rng(2), 5)
    engine = Engine(plan, threads=1)
    for turn in range(2):
        for n in range(1, 80):
            x = np.full(n, turn, np.float32)
            np.testing.assert_allclose(engine.run([x])[0], reference_dag(plan, x))
    assert len(engine._frames) == len(engine.frames.free) == 32
