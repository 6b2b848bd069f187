"""Five Plans by hand: the hard cases that the plan format and the kernel interface must carry.

  conv_norm_dense  conv - batch norm - fully connected, symbolic batch; prepare folds the norm into the weights, and the
                   packed format of the weights is chosen when sizes are bound
  adam             state updated in place after its last reader, and by a copy where a reader comes later
  growing_loop     a while loop whose carried tensor grows, and its gradient: values saved in a list, and their sizes
  masked_matmul    boolean_mask -> matmul: a size known only at run time
  loop_with_host   a map with a row reduction and a host step inside a loop

Each Case has random feeds for several sizes and what NumPy says.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from graphc.plan.plan import (
    Bind,
    BufferKind,
    Call,
    Constant,
    DimKind,
    GuardKind,
    Host,
    Map,
    Origin,
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

from hand import Id, Writer, instr

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Case:
    """A Plan and how to try it: feeds(rng) gives lists of inputs; expected(inputs, constants, states) the outputs.

    `expected` may change `states` (a dict) as the run must.
    """

    plan: Plan
    feeds: Callable[[np.random.Generator], list[list[np.ndarray]]]
    expected: Callable[[list[np.ndarray], Arrays, Arrays], list[np.ndarray]]
    constants: Arrays = field(default_factory=dict)
    states: Arrays = field(default_factory=dict)
    hosts: dict[str, Callable[..., np.ndarray]] = field(default_factory=dict)


def _origins(*names: str) -> tuple[Origin, ...]:
    return tuple(Origin(name, name.capitalize(), "five.py", i + 1) for i, name in enumerate(names))


def _f32(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype(np.float32)


# --- 1 ---------------------------------------------------------------------------------------------------------------

SIDE, IN, OUT, CLASSES, EPSILON = 6, 3, 20, 70, 1e-3


def conv_norm_dense() -> Case:
    rng = np.random.default_rng(1)
    constants = {
        "w": _f32(rng, 3, 3, IN, OUT), "gamma": _f32(rng, OUT), "beta": _f32(rng, OUT), "mean": _f32(rng, OUT),
        "variance": rng.uniform(0.5, 2, OUT).astype(np.float32),
        "dense": _f32(rng, SIDE * SIDE * OUT, CLASSES) * np.float32(0.1), "bias": _f32(rng, CLASSES),
    }
    names = list(constants)
    w, gamma, beta, mean, variance, dense, bias = range(7)
    programs = (
        # scaled w = w * (gamma * rsqrt(variance + epsilon))
        Program(("f32", "f32", "f32"), (
            instr("const", "f32", value=EPSILON), instr("add", "f32", 2, 3), instr("rsqrt", "f32", 4),
            instr("mul", "f32", 1, 5), instr("mul", "f32", 0, 6)), (7,)),
        # shift = beta - mean * (gamma * rsqrt(variance + epsilon))
        Program(("f32", "f32", "f32", "f32"), (
            instr("const", "f32", value=EPSILON), instr("add", "f32", 3, 4), instr("rsqrt", "f32", 5),
            instr("mul", "f32", 2, 6), instr("mul", "f32", 1, 7), instr("sub", "f32", 0, 8)), (9,)),
        # relu(y + shift)
        Program(("f32", "f32"), (
            instr("add", "f32", 0, 1), instr("const", "f32", value=0.0), instr("max", "f32", 2, 3)), (4,)),
        # y + bias
        Program(("f32", "f32"), (instr("add", "f32", 0, 1),), (2,)),
    )

    def const(b: Writer, index: int) -> int:
        return b.buffer(BufferKind.CONST, "f32", *(b.const(s) for s in constants[names[index]].shape), index=index)

    p = Writer("prepare")
    scaled = p.output("f32", p.const(3), p.const(3), p.const(IN), p.const(OUT))
    shift = p.output("f32", p.const(OUT))
    p.map(0, (p.const(9 * IN), p.const(OUT)),
          [p.access(const(p, w), OUT, 1), p.access(const(p, gamma), 0, 1), p.access(const(p, variance), 0, 1)],
          [p.access(scaled, OUT, 1)], origin=1)
    p.map(1, (p.const(OUT),),
          [p.access(const(p, i), 1) for i in (beta, mean, gamma, variance)], [p.access(shift, 1)], origin=1)

    b = Writer("main")
    n = b.size_of(0, 0)
    side, channels, out, flat, classes = (b.const(v) for v in (SIDE, IN, OUT, SIDE * SIDE * OUT, CLASSES))
    three, one, zero = b.const(3), b.const(1), b.const(0)
    x = b.input("f32", n, side, side, channels)
    weights = b.buffer(BufferKind.PREPARED, "f32", three, three, channels, out, index=0)
    shifts = b.buffer(BufferKind.PREPARED, "f32", out, index=1)
    y = b.arena("f32", n, side, side, out)
    pixels = b.dim(DimKind.MUL, n, b.const(SIDE * SIDE))
    b.step(Call("conv2d.f32", (x, weights, y), (n, side, side, channels, three, three, out, side, side),
                (1, 1, 1, 1, 1, 1), Map(2, (pixels, out), 0, (b.access(y, OUT, 1), b.access(shifts, 0, 1)),
                                        (b.access(y, OUT, 1),)), origins=(0, 1, 2)))
    rows = b.buffer(BufferKind.ALIAS, "f32", n, flat, index=y)
    logits = b.output("f32", n, classes)
    b.step(Call("matmul.f32", (rows, const(b, dense), logits), (one, n, classes, flat, zero, zero), (0, 0),
                Map(3, (n, classes), 0, (b.access(logits, CLASSES, 1), b.access(const(b, bias), 0, 1)),
                    (b.access(logits, CLASSES, 1),)), origins=(3,)))

    plan = Plan(
        (Port("x", "f32", (-1, SIDE, SIDE, IN)),), (Port("logits", "f32", (-1, CLASSES)),), (b.body(), p.body()),
        programs, tuple(Constant(k, "f32", v.shape) for k, v in constants.items()),
        origins=_origins("conv", "norm", "relu", "dense"), prepare=1)

    def expected(inputs: list[np.ndarray], c: Arrays, states: Arrays) -> list[np.ndarray]:
        x = np.pad(inputs[0].astype(np.float64), ((0, 0), (1, 1), (1, 1), (0, 0)))
        y = sum(x[:, i:i + SIDE, j:j + SIDE] @ c["w"][i, j].astype(np.float64) for i in range(3) for j in range(3))
        y = (y - c["mean"]) / np.sqrt(c["variance"] + EPSILON) * c["gamma"] + c["beta"]
        return [(np.maximum(y, 0).reshape(-1, SIDE * SIDE * OUT) @ c["dense"] + c["bias"]).astype(np.float32)]

    def feeds(rng: np.random.Generator) -> list[list[np.ndarray]]:
        return [[_f32(rng, n, SIDE, SIDE, IN)] for n in (1, 3, 17, 64, 65, 3, 0)]

    return Case(plan, feeds, expected, constants)


# --- 2 ---------------------------------------------------------------------------------------------------------------

RATE, BETA1, BETA2, ADAM_EPSILON, WEIGHTS = 0.01, 0.9, 0.999, 1e-8, 33


def adam() -> Case:
    """m and v are updated in place in the map that reads them last; the old w is read once more, so w is copied."""
    rng = np.random.default_rng(2)
    states = {"w": _f32(rng, WEIGHTS), "m": _f32(rng, WEIGHTS), "v": rng.uniform(0, 1, WEIGHTS).astype(np.float32),
              "beta1_power": np.float32(BETA1).reshape(()), "beta2_power": np.float32(BETA2).reshape(())}
    programs = (
        # m' = b1 m + (1 - b1) g; v' = b2 v + (1 - b2) g g; w' = w - r sqrt(1 - b2^t) / (1 - b1^t) m' / (sqrt(v') + e)
        Program(("f32",) * 6, (
            instr("const", "f32", value=BETA1), instr("const", "f32", value=1 - BETA1), instr("mul", "f32", 1, 6),
            instr("mul", "f32", 3, 7), instr("add", "f32", 8, 9),                                            # 10: m'
            instr("const", "f32", value=BETA2), instr("const", "f32", value=1 - BETA2), instr("mul", "f32", 2, 11),
            instr("mul", "f32", 3, 3), instr("mul", "f32", 14, 12), instr("add", "f32", 13, 15),             # 16: v'
            instr("const", "f32", value=1.0), instr("sub", "f32", 17, 5), instr("sqrt", "f32", 18),
            instr("sub", "f32", 17, 4), instr("div", "f32", 19, 20), instr("const", "f32", value=RATE),
            instr("mul", "f32", 21, 22), instr("mul", "f32", 23, 10), instr("sqrt", "f32", 16),
            instr("const", "f32", value=ADAM_EPSILON), instr("add", "f32", 25, 26), instr("div", "f32", 24, 27),
            instr("sub", "f32", 0, 28)), (10, 16, 29)),
        # sum(w * g), of the old w
        Program(("f32", "f32"), (instr("mul", "f32", 0, 1), instr("reduce.add", "f32", 2)), (3,)),
        Program(("f32",), (), (0,)),
        # power * beta
        Program(("f32",), (instr("const", "f32", value=BETA1), instr("mul", "f32", 0, 1)), (2,)),
        Program(("f32",), (instr("const", "f32", value=BETA2), instr("mul", "f32", 0, 1)), (2,)),
    )
    b = Writer("main", writes=(0, 1, 2, 3, 4))
    size, two = b.const(WEIGHTS), b.const(2)
    w, m, v = (b.buffer(BufferKind.STATE, "f32", size, index=i) for i in range(3))
    power1, power2 = (b.buffer(BufferKind.STATE, "f32", index=i) for i in (3, 4))
    info = [b.buffer(BufferKind.STATE_INFO, "i64", two, index=i) for i in range(5)]
    g = b.input("f32", size)
    dot = b.output("f32")
    updated = b.arena("f32", size)
    for i in range(5):
        b.step(Call("state_check", (info[i],), (), origins=(i,)))
    b.map(0, (size,), [b.access(w, 1), b.access(m, 1), b.access(v, 1), b.access(g, 1), b.access(power1, 0),
                       b.access(power2, 0)], [b.access(m, 1), b.access(v, 1), b.access(updated, 1)])
    b.map(1, (size,), [b.access(w, 1), b.access(g, 1)], [b.access(dot)], reduced=1)
    b.map(2, (size,), [b.access(updated, 1)], [b.access(w, 1)])
    b.map(3, (), [b.access(power1)], [b.access(power1)])
    b.map(4, (), [b.access(power2)], [b.access(power2)])
    for i in range(5):
        b.step(Call("state_mark", (info[i],), (), origins=(i,)))
    plan = Plan((Port("g", "f32", (WEIGHTS,)),), (Port("dot", "f32", ()),), (b.body(),), programs, (),
                tuple(State(k, "f32", a.shape) for k, a in states.items()), origins=_origins("w", "m", "v", "b1", "b2"))

    def expected(inputs: list[np.ndarray], constants: Arrays, s: Arrays) -> list[np.ndarray]:
        g, w = inputs[0].astype(np.float64), s["w"].astype(np.float64)
        m = BETA1 * s["m"] + (1 - BETA1) * g
        v = BETA2 * s["v"] + (1 - BETA2) * g * g
        rate = RATE * np.sqrt(1 - s["beta2_power"]) / (1 - s["beta1_power"])
        s["w"] = (w - rate * m / (np.sqrt(v) + ADAM_EPSILON)).astype(np.float32)
        s["m"], s["v"] = m.astype(np.float32), v.astype(np.float32)
        s["beta1_power"] = np.float32(s["beta1_power"] * np.float32(BETA1))
        s["beta2_power"] = np.float32(s["beta2_power"] * np.float32(BETA2))
        return [np.float32(np.sum(w * g))]

    return Case(plan, lambda rng: [[_f32(rng, WEIGHTS)] for _ in range(4)], expected, states=states)


# --- 3 ---------------------------------------------------------------------------------------------------------------

def growing_loop() -> Case:
    """x = concat(x * w, (x * w)[:1]) k times; total = sum(x); and the gradients of total by the first x and by w."""
    programs = (
        Program(("i32", "i32"), (instr("less", "bool", 0, 1),), (2,)),                               # 0: a < b
        Program(("i32",), (instr("const", "i32", value=1), instr("add", "i32", 0, 1)), (2,)),        # 1: i + 1
        Program(("f32", "f32"), (instr("mul", "f32", 0, 1),), (2,)),                                 # 2: x * w
        Program(("f32",), (instr("reduce.add", "f32", 0),), (1,)),                                   # 3: sum
        Program((), (instr("const", "f32", value=1.0),), (0,)),                                      # 4: 1
        Program((), (instr("const", "f32", value=0.0),), (0,)),                                      # 5: 0
        # 6: dy = dx[i] + (dx[last] if i == 0 else 0)
        Program(("f32", "f32"), (
            instr("index", "i64", value=0), instr("const", "i64", value=0), instr("equal", "bool", 2, 3),
            instr("const", "f32", value=0.0), instr("select", "f32", 4, 1, 5), instr("add", "f32", 0, 6)), (7,)),
        Program(("f32", "f32"), (instr("mul", "f32", 0, 1), instr("reduce.add", "f32", 2)), (3,)),   # 7: sum(dy * x)
        Program(("f32", "f32"), (instr("add", "f32", 0, 1),), (2,)),                                 # 8: a + b
        Program((), (instr("const", "i32", value=0),), (0,)),                                        # 9: 0
        Program(("i32",), (), (0,)),                                                                 # 10: copy of i32
        Program(("f32",), (), (0,)),                                                                 # 11: copy
    )

    def condition(name: str, backward: bool) -> Writer:
        """carried first, captured behind: (i, x, list | k, w) or (j, dx, dw, list | k, w)."""
        c = Writer(name)
        size = c.size_of(1, 0)
        i = c.input("i32")
        c.input("f32", size)
        if backward:
            c.input("f32")
        c.input("handle")
        k = c.input("i32")
        c.input("f32")
        c.map(0, (), [c.access(i), c.access(k)], [c.access(c.output("bool"))])
        return c

    f = Writer("forward")
    size = f.size_of(1, 0)
    i, x, saved = f.input("i32"), f.input("f32", size), f.input("handle")
    f.input("i32")
    w = f.input("f32")
    grown = f.dim(DimKind.ADD, size, f.const(1))
    f.map(1, (), [f.access(i)], [f.access(f.output("i32"))])
    y = f.output("f32", grown)
    f.map(2, (size,), [f.access(x, 1), f.access(w, 0)], [f.access(y, 1)])
    f.map(2, (), [f.access(x), f.access(w)], [f.access(y, offset=Id(size))])
    f.step(Push(saved, x, f.output("handle"), origins=(0,)))

    g = Writer("backward")
    size = g.size_of(1, 0)
    j, dx, dw, saved = g.input("i32"), g.input("f32", size), g.input("f32"), g.input("handle")
    g.input("i32")
    w = g.input("f32")
    g.map(1, (), [g.access(j)], [g.access(g.output("i32"))])
    before = g.runtime()
    new_dx, new_dw, rest = g.output("f32", before), g.output("f32"), g.output("handle")
    slot = g.slot("f32", 1)
    g.step(Pop(saved, rest, slot, (SlotBind(slot, 0, before),), origins=(1,)))
    g.guard(GuardKind.EQUAL, size, g.dim(DimKind.ADD, before, g.const(1)), "gradient of the concatenation", 1)
    x = g.arena("f32", before)
    g.step(Take(slot, x, origins=(1,)))
    dy = g.arena("f32", before)
    g.map(6, (before,), [g.access(dx, 1), g.access(dx, 0, offset=Id(before))], [g.access(dy, 1)])
    part = g.arena("f32")
    g.map(7, (before,), [g.access(dy, 1), g.access(x, 1)], [g.access(part)], reduced=1)
    g.map(8, (), [g.access(dw), g.access(part)], [g.access(new_dw)])
    g.map(2, (before,), [g.access(dy, 1), g.access(w, 0)], [g.access(new_dx, 1)])

    b = Writer("main")
    first = b.size_of(0, 0)
    x0, w, k = b.input("f32", first), b.input("f32"), b.input("i32")
    zero, empty = b.arena("i32"), b.arena("handle")
    b.map(9, (), [], [b.access(zero)])
    last, back = b.runtime(), b.runtime()
    slots = [b.slot("i32", 0), b.slot("f32", 1), b.slot("handle", 0)]
    b.step(While(1, 2, (zero, x0, empty, k, w), 3, tuple(slots), (SlotBind(slots[1], 0, last),), origins=(0,)))
    xs, saved = b.output("f32", last), b.arena("handle")
    b.step(Take(slots[1], xs, origins=(0,)))
    b.step(Take(slots[2], saved, origins=(0,)))
    total = b.output("f32")
    b.map(3, (last,), [b.access(xs, 1)], [b.access(total)], reduced=1)
    ones, no_dw = b.arena("f32", last), b.arena("f32")
    b.map(4, (last,), [], [b.access(ones, 1)])
    b.map(5, (), [], [b.access(no_dw)])
    slots = [b.slot("i32", 0), b.slot("f32", 1), b.slot("f32", 0), b.slot("handle", 0)]
    b.step(While(3, 4, (zero, ones, no_dw, saved, k, w), 4, tuple(slots), (SlotBind(slots[1], 0, back),), origins=(1,)))
    dx0, dw = b.output("f32", back), b.output("f32")
    b.guard(GuardKind.EQUAL, back, first, "gradient of the loop", 1)
    b.step(Take(slots[1], dx0, origins=(1,)))
    b.step(Take(slots[2], dw, origins=(1,)))

    plan = Plan((Port("x", "f32", (-1,)), Port("w", "f32", ()), Port("k", "i32", ())),
                (Port("xs", "f32", (-1,)), Port("total", "f32", ()), Port("dx", "f32", (-1,)), Port("dw", "f32", ())),
                (b.body(), condition("more", False).body(), f.body(), condition("more back", True).body(), g.body()),
                programs, origins=_origins("loop", "gradient"))

    def expected(inputs: list[np.ndarray], constants: Arrays, states: Arrays) -> list[np.ndarray]:
        x, w, k = inputs[0].astype(np.float64), float(inputs[1]), int(inputs[2])
        saved = []
        for _ in range(k):
            saved.append(x)
            x = np.concatenate([x * w, x[:1] * w])
        dx, dw = np.ones_like(x), 0.0
        for old in reversed(saved):
            dy = dx[:-1].copy()
            dy[0] += dx[-1]
            dw += float(np.sum(dy * old))
            dx = dy * w
        return [x.astype(np.float32), np.float32(x.sum()), dx.astype(np.float32), np.float32(dw)]

    def feeds(rng: np.random.Generator) -> list[list[np.ndarray]]:
        return [[_f32(rng, n), np.float32(rng.uniform(0.5, 1)).reshape(()), np.int32(k).reshape(())]
                for n, k in ((1, 3), (5, 0), (17, 6), (3, 40), (64, 2))]

    return Case(plan, feeds, expected)


# --- 4 ---------------------------------------------------------------------------------------------------------------

def masked_matmul() -> Case:
    rng = np.random.default_rng(4)
    constants = {"w": _f32(rng, 7, 5)}
    programs = (Program(("bool",), (instr("cast", "i64", 0), instr("reduce.add", "i64", 1)), (2,)),)
    b = Writer("main")
    n, seven, five, one, zero = b.size_of(0, 0), b.const(7), b.const(5), b.const(1), b.const(0)
    x, mask = b.input("f32", n, seven), b.input("bool", b.size_of(1, 0))
    b.guard(GuardKind.EQUAL, n, b.size_of(1, 0), "rows of x and elements of mask", 0)
    count = b.arena("i64")
    b.map(0, (n,), [b.access(mask, 1)], [b.access(count)], reduced=1)
    kept = b.runtime()
    b.step(Bind(count, (kept,), origins=(0,)))
    where, rows, y = b.arena("i64", kept), b.arena("f32", kept, seven), b.output("f32", kept, five)
    b.step(Call("nonzero", (mask, where), (n, kept), origins=(0,)))
    b.step(Call("gather.f32.i64", (x, where, rows), (one, n, seven, kept), origins=(0,)))
    w = b.buffer(BufferKind.CONST, "f32", seven, five, index=0)
    b.step(Call("matmul.f32", (rows, w, y), (one, kept, five, seven, zero, zero), (0, 0), origins=(1,)))
    plan = Plan((Port("x", "f32", (-1, 7)), Port("mask", "bool", (-1,))), (Port("y", "f32", (-1, 5)),), (b.body(),),
                programs, (Constant("w", "f32", (7, 5)),), origins=_origins("mask", "matmul"))

    def feeds(rng: np.random.Generator) -> list[list[np.ndarray]]:
        cases = ((1, 1), (17, 0.5), (65, 0.3), (31, 0), (0, 1), (200, 1))
        return [[_f32(rng, n, 7), rng.uniform(size=n) < p] for n, p in cases]

    return Case(plan, feeds, lambda i, c, s: [(i[0][i[1]].astype(np.float64) @ c["w"]).astype(np.float32)], constants)


# --- 5 ---------------------------------------------------------------------------------------------------------------

def loop_with_host() -> Case:
    """Three times: r = sum(exp(x / 2), axis 1); x = x / host(r), where the host returns r + 1."""
    programs = (
        Program(("f32",), (instr("const", "f32", value=0.5), instr("mul", "f32", 0, 1), instr("exp", "f32", 2),
                           instr("reduce.add", "f32", 3)), (4,)),
        Program(("f32", "f32"), (instr("div", "f32", 0, 1),), (2,)),
        Program(("i32",), (instr("const", "i32", value=3), instr("less", "bool", 0, 1)), (2,)),
        Program(("i32",), (instr("const", "i32", value=1), instr("add", "i32", 0, 1)), (2,)),
        Program((), (instr("const", "i32", value=0),), (0,)),
    )
    c = Writer("more")
    i = c.input("i32")
    c.input("f32", c.size_of(1, 0), c.size_of(1, 1))
    c.map(2, (), [c.access(i)], [c.access(c.output("bool"))])

    f = Writer("body")
    n, cols = f.size_of(1, 0), f.size_of(1, 1)
    i, x = f.input("i32"), f.input("f32", n, cols)
    next_i, next_x = f.output("i32"), f.output("f32", n, cols)
    f.map(3, (), [f.access(i)], [f.access(next_i)])
    rows = f.arena("f32", n)
    f.map(0, (n, cols), [f.access(x, Id(cols), 1)], [f.access(rows, 1)], reduced=1)
    slot = f.slot("f32", 1)
    f.step(Host(0, (rows,), (slot,), origins=(1,)))
    scale = f.arena("f32", n)
    f.step(Take(slot, scale, origins=(1,)))
    f.map(1, (n, cols), [f.access(x, Id(cols), 1), f.access(scale, 1, 0)], [f.access(next_x, Id(cols), 1)])

    b = Writer("main")
    n, cols = b.size_of(0, 0), b.size_of(0, 1)
    x, zero, y = b.input("f32", n, cols), b.arena("i32"), b.output("f32", n, cols)
    b.map(4, (), [], [b.access(zero)])
    slots = (b.slot("i32", 0), b.slot("f32", 2))
    b.step(While(1, 2, (zero, x), 2, slots, origins=(0,)))
    b.step(Take(slots[1], y, origins=(0,)))
    plan = Plan((Port("x", "f32", (-1, -1)),), (Port("y", "f32", (-1, -1)),), (b.body(), c.body(), f.body()), programs,
                hosts=("plus_one",), origins=_origins("loop", "py_func"))

    def expected(inputs: list[np.ndarray], constants: Arrays, states: Arrays) -> list[np.ndarray]:
        x = inputs[0].astype(np.float64)
        for _ in range(3):
            x = x / (np.exp(x / 2).sum(1, keepdims=True) + 1)
        return [x.astype(np.float32)]

    shapes = ((1, 1), (3, 5), (17, 31), (65, 3), (2, 4000), (0, 3))
    return Case(plan, lambda rng: [[_f32(rng, *s)] for s in shapes], expected,
                hosts={"plus_one": lambda r: (r + 1).astype(np.float32)})


CASES = {f.__name__: f for f in (conv_norm_dense, adam, growing_loop, masked_matmul, loop_with_host)}
