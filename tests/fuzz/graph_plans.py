"""Cases for the fuzzers made by the compiler: Plans of real graphs, which between them have every kind of step."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

import graphc as gc
from graphc.ir.host import HostCall
from graphc.ops.files.example_wire import write_example
from graphc.plan.compile import compile_graph
from graphc.plan.plan import Length, Plan, Pop, Port, Push, Take

from five import CASES, Case
from hand import Writer

N = None
Built = tuple[Sequence[Any], Sequence[Any], dict[Any, Any]]       # fetches, targets, feeds with their values


def _ramp(*shape: int) -> np.ndarray:
    return (np.arange(int(np.prod(shape))) % 7 / np.float32(4) - 1).reshape(shape).astype(np.float32)


def mask() -> Built:
    """The size of the result comes from data: bind."""
    x, m = gc.placeholder(gc.float32, [N, 3]), gc.placeholder(gc.bool, [N])
    kept = gc.boolean_mask(x, m)
    fetches = [gc.reduce_sum(gc.tanh(kept), 1), gc.matmul(kept, kept, transpose_b=True), gc.where(m)]
    return fetches, [], {x: _ramp(5, 3), m: np.array([1, 0, 1, 1, 0], bool)}


def loop_gradient() -> Built:
    """Lists: push, pop."""
    x, n = gc.placeholder(gc.float32, [N, 4]), gc.placeholder(gc.int32, [])
    w = gc.constant(_ramp(4, 4))
    _, y = gc.while_loop(lambda i, a: i < n, lambda i, a: [i + 1, gc.tanh(gc.matmul(a, w)) * x], [0, x])
    return [y, gc.gradients(gc.reduce_sum(y), x)[0]], [], {x: _ramp(3, 4), n: np.int32(3)}


def arrays() -> Built:
    """Lists that are read and written anywhere: list, in a loop and its gradient."""
    x, n = gc.placeholder(gc.float32, [N, 2]), gc.placeholder(gc.int32, [])
    read = gc.TensorArray(gc.float32, gc.shape(x)[0]).unstack(x)
    made = gc.TensorArray(gc.float32, n, dynamic_size=True)
    _, made = gc.while_loop(lambda i, t: i < n, lambda i, t: (i + 1, t.write(i, read.read(i) * read.read(0))),
                            (0, made))
    y, parts = made.stack(), gc.TensorArray(gc.float32, 2, infer_shape=False).split(x, [1, gc.shape(x)[0] - 1])
    parts = parts.scatter([1], x[:1, None])
    fetches = [y, made.gather([1, 1]), made.size(), parts.concat(), gc.gradients([y, parts.concat()], x)[0]]
    return fetches, [], {x: _ramp(3, 2), n: np.int32(3)}


def growing_value() -> Built:
    """Carried sizes change: binds of slots, take."""
    x = gc.placeholder(gc.float32, [N])
    _, y = gc.while_loop(lambda i, a: i < 4, lambda i, a: [i + 1, gc.concat([a, x], 0)], [0, x],
                         shape_invariants=[gc.TensorShape([]), gc.TensorShape([N])])
    return [y, gc.reduce_max(y)], [], {x: _ramp(3)}


def branches() -> Built:
    p, x = gc.placeholder(gc.bool, []), gc.placeholder(gc.float32, [N, 2])
    y = gc.cond(p, lambda: gc.cond(gc.reduce_sum(x) > 0, lambda: x * 2, lambda: gc.exp(x)), lambda: gc.reverse(x, [0]))
    return [y, gc.gradients(gc.reduce_sum(gc.square(y)), x)[0]], [], {p: np.bool_(True), x: _ramp(3, 2)}


def rows() -> Built:
    """gather, its gradient, softmax, cross entropies, argmax, cumsum."""
    x, i = gc.placeholder(gc.float32, [N, 5]), gc.placeholder(gc.int64, [N])
    picked = gc.gather(x, i)
    labels = gc.argmax(picked, 1)
    loss = gc.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=picked)
    of_rows = gc.convert_to_tensor(gc.gradients(gc.reduce_mean(loss), x)[0])
    fetches = [gc.nn.softmax(picked), of_rows, gc.cumsum(x, 1), labels, gc.one_hot(labels, 5), gc.nn.log_softmax(x)]
    return fetches, [], {x: _ramp(4, 5), i: np.array([0, 3, 3], np.int64)}


def training() -> Built:
    """Convolution, pooling, dense layer, Adam: variables, prepared weights."""
    x, t = gc.placeholder(gc.float32, [N, 6, 6, 2]), gc.placeholder(gc.float32, [N, 3])
    f, w = gc.Variable(_ramp(3, 3, 2, 4)), gc.Variable(_ramp(36, 3))
    b = gc.Variable(np.zeros(3, np.float32))
    y = gc.nn.relu(gc.nn.conv2d(x, f, [1, 1, 1, 1], "SAME"))
    y = gc.nn.max_pool(y, [1, 2, 2, 1], [1, 2, 2, 1], "VALID")
    logits = gc.matmul(gc.reshape(y, [-1, 36]), w) + b
    loss = gc.reduce_mean(gc.nn.softmax_cross_entropy_with_logits(labels=t, logits=logits))
    step = gc.train.AdamOptimizer(0.01).minimize(loss)
    return [loss, logits], [step], {x: _ramp(2, 6, 6, 2), t: np.eye(3, dtype=np.float32)[:2]}


def inference() -> Built:
    """Constant weights of a normalised convolution: the prepare body."""
    x = gc.placeholder(gc.float32, [N, 5, 5, 3])
    y = gc.nn.conv2d(x, gc.constant(_ramp(3, 3, 3, 20)), [1, 2, 2, 1], "VALID")
    scale = gc.constant(_ramp(20) + 2)
    y, _, _ = gc.nn.fused_batch_norm(y, scale, scale, scale, scale * scale, is_training=False)
    y = gc.nn.avg_pool(gc.nn.relu(y), [1, 2, 2, 1], [1, 1, 1, 1], "SAME")
    return [gc.matmul(gc.reshape(y, [-1, 80]), gc.constant(_ramp(80, 70)))], [], {x: _ramp(2, 5, 5, 3)}


def views() -> Built:
    x, b = gc.placeholder(gc.float32, [N, N, 4]), gc.placeholder(gc.int32, [])
    fetches = [gc.transpose(x, [1, 0, 2])[:, ::-1, 1:3], gc.pad(x, [[0, 1], [2, 0], [0, 0]]), x[b],
               gc.concat([x, x * 2], 2), gc.stack(gc.unstack(x, axis=2)), gc.tile(x, [1, 2, 1]),
               gc.reduce_mean(x, [0, 2]), gc.reduce_prod(x, 1), gc.matmul(x, x, transpose_b=True), gc.shape(x)]
    return fetches, [], {x: _ramp(2, 3, 4), b: np.int32(1)}


def python_code() -> Built:
    """Host functions."""
    x = gc.placeholder(gc.float32, [N])
    y = gc.py_func(lambda r: r + np.float32(1), [x * 2], gc.float32)
    y.set_shape([N])
    return [y * 3, gc.reduce_sum(y)], [], {x: _ramp(4)}


def random_numbers() -> Built:
    n = gc.placeholder(gc.int32, [])
    x = gc.placeholder(gc.float32, [N, 3])
    return [gc.random_normal([n, 3]), gc.nn.dropout(x, 0.5), gc.range(n)], [], {n: np.int32(4), x: _ramp(5, 3)}


def words() -> Built:
    """Strings: fed, constant, compared, moved and fetched."""
    x, i = gc.placeholder(gc.string, [N]), gc.placeholder(gc.int32, [N])
    label = gc.gather(gc.constant(["cat", "", "dog"]), i)
    given = np.array([b"dog", b"x\0y", b""], object)
    return [label, gc.equal(x, label), gc.unique(gc.concat([x, label], 0))[0]], [], {x: given, i: np.int32([2, 0, 1])}


def sentences() -> Built:
    """Ops on strings that kernels compute, in C++, too: cut, hashed, looked up, made numbers of, taken apart."""
    x, line, row = gc.placeholder(gc.string, [N]), gc.placeholder(gc.string, [N]), gc.placeholder(gc.string, [N])
    parts = gc.string_split(x)
    ids = gc.SparseTensor(parts.indices, gc.string_to_hash_bucket_fast(parts.values, 9), parts.dense_shape)
    numbers, names = gc.decode_csv(line, [[1.0], ["none"]])
    parsed = gc.parse_example(row, {"a": gc.FixedLenFeature([2], gc.float32), "b": gc.VarLenFeature(gc.string),
                                    "c": gc.FixedLenSequenceFeature([], gc.int64, allow_missing=True)})
    mean = gc.nn.embedding_lookup_sparse(gc.constant(_ramp(9, 2)), ids, None, combiner="sum")
    joined = gc.string_join([gc.strings.upper(x), gc.as_string(gc.strings.length(x))], "-")
    twice = gc.reduce_join(gc.stack([joined, gc.substr(joined, -1, 1)], 1), 1)
    strong = gc.string_to_hash_bucket_strong(twice, 99, [1, -2])
    fetches = [mean, twice, strong, numbers, gc.string_to_number(names), parsed["a"], parsed["b"].values, parsed["c"]]
    example = write_example({"a": np.float32([1, 2]), "b": [b"one", b""], "c": [5, 6]})
    given = [np.array(values, object) for values in ([b"a bc", b""], [b"2.5,7", b',"8"'], [example, example])]
    return fetches, [], dict(zip((x, line, row), given, strict=True))


GRAPHS: dict[str, Callable[[], Built]] = {
    f.__name__: f for f in (mask, loop_gradient, arrays, growing_value, branches, rows, training, inference, views,
                            python_code, random_numbers, words, sentences)}


def lengths() -> Case:
    """By hand, since no graph asks for the length of a list yet: a list of x twice, and how many that are."""
    b = Writer("main")
    one = b.size_of(0, 0)
    x, y, count = b.input("f32", one), b.output("f32", one), b.output("i32")
    empty, first, second, rest = (b.arena("handle") for _ in range(4))
    slot = b.slot("f32", 1)
    b.step(Push(empty, x, first))
    b.step(Push(first, x, second))
    b.step(Length(second, count))
    b.step(Pop(second, rest, slot))
    b.step(Take(slot, y))
    plan = Plan((Port("x", "f32", (-1,)),), (Port("y", "f32", (-1,)), Port("n", "i32", ())), (b.body(),), ())
    return Case(plan, lambda _: [[_ramp(3)]] * 2, lambda *_: [])


@cache
def fuzzed_cases() -> dict[str, Case]:
    """All Plans that are mutated: those written by hand, and those of graphs."""
    made = {name: make() for name, make in CASES.items()}
    return made | {"lengths": lengths()} | {name: graph_case(name) for name in GRAPHS}


def case_named(name: str) -> Case:
    if name == "lengths":
        return lengths()
    return CASES[name]() if name in CASES else graph_case(name)


def names() -> list[str]:
    return [*CASES, "lengths", *GRAPHS]


def step_kinds(plan: Plan) -> set[str]:
    return {type(step).__name__ for body in plan.bodies for step in body.steps}


@cache
def graph_case(name: str) -> Case:
    with gc.Graph().as_default():
        fetches, targets, feeds = GRAPHS[name]()
        values = [np.asarray(v) for v in feeds.values()]
        compiled = compile_graph(list(fetches), list(targets), list(feeds), [v.ndim for v in values])
    states = {state.name: np.ones(state.shape, np.dtype(compiled.states[state.name].dtype.numpy))
              for state in compiled.plan.states}
    hosts = {name: call for name, call in compiled.hosts.items() if isinstance(call, HostCall)}
    return Case(compiled.plan, lambda _: [values] * 2, lambda *_: [], dict(compiled.constants), states, hosts)
