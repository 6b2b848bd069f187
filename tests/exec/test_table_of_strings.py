"""The table of strings: what is in it, and for how long; runs in many threads, and in a forked child."""
from __future__ import annotations

import gc as collector
import os
import random
import resource
import threading

import numpy as np
import pytest

import graphc as gc
from graphc.errors import InternalError
from graphc.exec.strings.table import TABLE, Held, Table


def strings(*values: bytes) -> np.ndarray:
    made = np.empty(len(values), object)
    made[:] = values
    return made


def test_equal_strings_have_one_number_and_the_empty_one_has_0() -> None:
    table = Table()
    held = Held(table)
    numbers = table.numbers(strings(b"a", b"", b"b", b"a").reshape(2, 2), held)
    assert numbers[0, 0] == numbers[1, 1] != numbers[1, 0] and numbers[0, 1] == 0
    assert table.strings(numbers).tolist() == [[b"a", b""], [b"b", b"a"]]


def test_a_string_stays_as_long_as_something_holds_it() -> None:
    table = Table()
    first, second = Held(table), Held(table)
    number = int(table.numbers(strings(b"a"), first)[0])
    table.numbers(strings(b"a", b"a"), second)
    kept = table.hold(np.array([[number, 0]]))
    del first, second
    table.collect()
    assert table.strings(np.array(number)) == b"a" and len(table) == 2
    del kept
    collector.collect()
    table.collect()
    assert len(table) == 1
    with pytest.raises(InternalError, match="no string has the number"):
        table.strings(np.array([number]))
    held = Held(table)
    assert table.numbers(strings(b"a"), held)[0] > number       # never given again


def test_entered_and_forgotten_in_any_order() -> None:
    """Against a dict: what the index moves up when a string goes is found again."""
    table, draw = Table(), random.Random(3)
    kept: list[tuple[Held, np.ndarray, np.ndarray]] = []
    for _ in range(600):
        if kept and draw.random() < 0.5:
            del kept[draw.randrange(len(kept))]
        else:
            given = strings(*(b"%d" % draw.randrange(5000) * draw.randrange(4) for _ in range(draw.randrange(60))))
            held = Held(table)
            kept.append((held, given, table.numbers(given, held)))
            del held
        table.collect()
        known: dict[bytes, int] = {b"": 0}
        for _, given, numbers in kept[-3:]:
            assert table.strings(numbers).tolist() == given.tolist()
            assert all(known.setdefault(text, number) == number for text, number in zip(given, numbers, strict=True))
        assert len(table) == len({b"", *(text for _, given, _ in kept for text in given)})


def test_a_million_strings_pass_through() -> None:
    """Neither the table nor the process grows with what past runs were fed."""
    with gc.Graph().as_default():
        x = gc.placeholder(gc.string, [None])
        y = gc.reshape(gc.concat([x, x[:1]], 0), [-1])
    with gc.Session(graph=y.graph) as session:
        def run(i: int) -> None:
            found = session.run(y, {x: [f"{i} {j}" for j in range(1000)]})
            assert found[1] == f"{i} 1".encode() and found[-1] == f"{i} 0".encode()

        for i in range(50):
            run(i)
        before, most = len(TABLE), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for i in range(50, 1050):
            run(i)
            assert len(TABLE) <= before + 1001
        assert len(TABLE) <= before
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - most < 8192      # KiB; the strings are 60 MiB


def test_strings_are_collected_while_another_run_waits() -> None:
    """As a queue's runner does for as long as the program lives."""
    with gc.Graph().as_default() as graph:
        x = gc.placeholder(gc.string, [])
        queue = gc.FIFOQueue(1, [gc.string], shapes=[[]])
        put, take, y = queue.enqueue(x), queue.dequeue(), gc.identity(x)
    with gc.Session(graph=graph) as session:
        waiting = threading.Thread(target=lambda: session.run([take]))
        waiting.start()
        before = len(TABLE)
        for i in range(3000):
            assert session.run(y, {x: f"s{i}"}) == f"s{i}".encode()
        assert len(TABLE) < before + 10
        session.run(put, {x: "last"})
        waiting.join()


def test_a_variable_keeps_what_it_holds() -> None:
    with gc.Graph().as_default() as graph:
        x = gc.placeholder(gc.string, [2])
        v = gc.Variable(["", ""])
        assign = v.assign(x).op
    with gc.Session(graph=graph) as session:
        session.run(v.initializer)
        before = len(TABLE)
        for i in range(1000):
            session.run(assign, {x: [f"p{i}", f"q{i}"]})
        assert len(TABLE) <= before + 2
        assert session.run(v).tolist() == [b"p999", b"q999"]


def test_a_run_keeps_what_it_read_when_the_variable_changes_meanwhile() -> None:
    """The lock of the variables is given back in a Python function; the value read before is still the run's."""
    with gc.Graph().as_default() as graph:
        x = gc.placeholder(gc.string, [])
        v = gc.Variable("old", name="v")
        assign = v.assign(x).op
        read = gc.identity(v.value())

        def meanwhile() -> np.float32:
            for i in range(3):
                thread = threading.Thread(target=lambda i=i: session.run(assign, {x: f"new{i}"}))
                thread.start()
                thread.join()
            return np.float32(1)

        with gc.control_dependencies([read]):
            called = gc.py_func(meanwhile, [], gc.float32)
            called.set_shape([])
        with gc.control_dependencies([called]):
            late = gc.concat([[read], ["end"]], 0)
    with gc.Session(graph=graph) as session:
        session.run(v.initializer)
        found = session.run([late, called])
        assert found[0].tolist() in ([b"old", b"end"], [b"new2", b"end"])
        assert session.run(v) == b"new2"


def test_threads() -> None:
    with gc.Graph().as_default() as graph:
        x = gc.placeholder(gc.string, [None])
        y = gc.where(gc.equal(x, "a"), gc.reverse(x, [0]), x)
        z = gc.py_func(lambda a: a[::-1], [y], gc.string)
        z.set_shape([None])
    problems: list[str] = []
    with gc.Session(graph=graph) as session:
        def work(number: int) -> None:
            for i in range(150):
                given = [f"{number}.{i}", "a", f"{i}"]
                found = session.run(z, {x: given}).tolist()
                if found != [f"{i}".encode(), b"a", f"{number}.{i}".encode()]:
                    problems.append(f"{given}: {found}")

        threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not problems, problems[:3]


def test_a_run_inside_of_a_run() -> None:
    with gc.Graph().as_default() as graph:
        x = gc.placeholder(gc.string, [])
        inner = gc.identity(x)
        outer = gc.py_func(lambda v: session.run(inner, {x: b"<" + v + b">"}), [x], gc.string)
        outer.set_shape([])
        both = gc.stack([x, outer, x])
    with gc.Session(graph=graph) as session:
        for i in range(3):
            assert session.run(both, {x: f"{i}"}).tolist() == [f"{i}".encode(), f"<{i}>".encode(), f"{i}".encode()]


def test_a_failed_run_holds_nothing() -> None:
    with gc.Graph().as_default() as graph:
        x, i = gc.placeholder(gc.string, [None]), gc.placeholder(gc.int32, [])
        y = gc.gather(x, i)
    with gc.Session(graph=graph) as session:
        assert session.run(y, {x: ["a"], i: 0}) == b"a"
        before = len(TABLE)
        for n in range(100):
            with pytest.raises(gc.errors.InvalidArgumentError):
                session.run(y, {x: [f"failed {n}"], i: 1})
        assert len(TABLE) <= before + 1


def test_fork() -> None:
    with gc.Graph().as_default() as graph:
        x = gc.placeholder(gc.string, [])
        v = gc.Variable("kept")
        y = gc.stack([x, v.value()])
    with gc.Session(graph=graph) as session:
        session.run(v.initializer)
        session.run(y, {x: "parent"})
        child = os.fork()
        if child == 0:
            good = session.run(y, {x: "child"}).tolist() == [b"child", b"kept"]
            os._exit(0 if good else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert session.run(y, {x: "parent"}).tolist() == [b"parent", b"kept"]


def test_plans_that_are_gone_hold_nothing() -> None:
    before = len(TABLE)
    for i in range(3):
        with gc.Graph().as_default() as graph:
            x = gc.placeholder(gc.int32, [])
            y = gc.gather(gc.constant([f"constant {i}", f"other {i}"]), x)
        with gc.Session(graph=graph) as session:
            assert session.run(y, {x: 1}) == f"other {i}".encode()
        del session, y, x, graph
    collector.collect()
    TABLE.collect()
    assert len(TABLE) <= before
