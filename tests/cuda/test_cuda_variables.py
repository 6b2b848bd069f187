"""Random programs of a few variables: written and read on the CPU and on one or two GPUs, in loops and branches, with
gradients, lists, Python functions and indices that may be wrong, one step behind the other; against the CPU alone."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import graphc as gc

from on_both import EVERYTHING, ON_GPU
from stand_in_driver import IS_THERE, driver_standing_in

pytestmark = pytest.mark.skipif(ON_GPU or not IS_THERE, reason="two GPUs, which the library in place of libcuda has")
PLACES = ("/cpu:0", "/gpu:0", "/gpu:0", "/gpu:1")
RUNS, STEPS = 4, 9


@dataclass
class Program:
    """A graph while it is made, always the same for a seed. values: what steps may read."""

    seed: int
    variables: list[Any] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)
        self.shape = [int(self.random.choice([1, 3, 17]))]
        self.x, self.flag = gc.placeholder(gc.float32, self.shape), gc.placeholder(gc.bool, [])
        self.times, self.index = gc.placeholder(gc.int32, []), gc.placeholder(gc.int32, [])
        self.variables = [gc.Variable(self.numbers()) for _ in range(self.random.integers(1, 4))]
        self.values = [self.x, *map(gc.identity, self.variables)]

    def numbers(self) -> np.ndarray:
        return self.random.standard_normal(self.shape).astype(np.float32)

    def one_of(self, choices: Any) -> Any:
        return choices[int(self.random.integers(len(choices)))]

    def fetches(self, devices: int) -> list[Any]:
        """Of the steps, each of which waits for the one before, and the variables at the end. devices: GPUs."""
        made: list[Any] = []
        for _ in range(int(self.random.integers(3, STEPS + 1))):
            place, step = self.one_of(PLACES), self.one_of(KINDS)
            v, u = self.one_of(self.variables), self.one_of(self.variables)
            a, b = self.one_of(self.values), self.one_of(self.values)
            here = "/cpu:0" if not devices else place.replace("gpu:1", "gpu:0") if devices == 1 else place
            with gc.control_dependencies(made[-1:]), gc.device(here):
                made.append(gc.identity(step(self, v, u, a, b)))
            self.values.append(made[-1])
        with gc.control_dependencies(made[-1:]):
            return [*made, *map(gc.identity, self.variables)]

    def feeds(self) -> dict[Any, Any]:
        return {self.x: self.numbers(), self.flag: bool(self.random.random() < 0.5),
                self.times: int(self.random.integers(0, 4)), self.index: int(self.random.choice([0, 0, 1, 1, 2]))}

    def loop(self, step: Callable[[Any], Any], start: Any) -> Any:
        return gc.while_loop(lambda i, y: i < self.times, lambda i, y: (i + 1, step(y)), [0, start])[1]

    def listed(self, v: Any, u: Any, a: Any, b: Any) -> Any:
        def body(i: Any, y: Any, made: Any) -> Any:
            y = gc.sin(y) + u * 0.5
            return i + 1, y, made.write(i, y)

        made = gc.TensorArray(gc.float32, size=self.times, element_shape=self.shape)
        made = gc.while_loop(lambda i, *_: i < self.times, body, [0, a, made])[2]
        return gc.reduce_sum(made.stack(), 0) + v

    def gradient(self, v: Any, u: Any, a: Any, b: Any) -> Any:
        inner = gc.stop_gradient(a)
        y = self.loop(lambda y: gc.tanh(y * u) + inner * 0.5, v + gc.stop_gradient(b))
        return sum(gc.gradients(gc.reduce_sum(y * inner), [inner, v]))

    def in_python(self, v: Any, u: Any, a: Any, b: Any) -> Any:
        made = gc.py_func(lambda y: (y * 0.5).astype(np.float32), [v + a], gc.float32)
        return gc.reshape(made, self.shape)


Step = Callable[[Program, Any, Any, Any, Any], Any]
KINDS: tuple[Step, ...] = (
    lambda p, v, u, a, b: gc.assign_add(v, a * 0.25),
    lambda p, v, u, a, b: gc.assign(v, gc.tanh(a + b)),
    lambda p, v, u, a, b: gc.identity(v) + a * 0.5,
    lambda p, v, u, a, b: gc.cond(p.flag, lambda: gc.sin(a), lambda: v * 0.5, strict=True),
    lambda p, v, u, a, b: p.loop(lambda y: gc.tanh(y) + u * 0.25, v),
    lambda p, v, u, a, b: gc.scatter_add(v, [p.shape[0] - 1], [gc.reduce_sum(a) * 0.1]),
    lambda p, v, u, a, b: p.loop(lambda y: gc.tuple([y * 0.5 + a], control_inputs=[gc.assign_add(u, a * 0.125)])[0], v),
    lambda p, v, u, a, b: gc.cond(p.flag, lambda: gc.assign(v, gc.cos(a)) + 0.0, lambda: gc.identity(u), strict=True),
    lambda p, v, u, a, b: gc.gather(gc.stack([a, gc.identity(v)]), p.index),
    lambda p, v, u, a, b: gc.assign_sub(v, gc.gather(gc.stack([a, b * 0.5]), p.index)) + 0.0,
    Program.listed, Program.gradient, Program.in_python)


def found(seed: int, devices: int) -> list[list[Any]]:
    """What some runs give: values, or the error without the op's name, for either of two wrong indices may be told."""
    with gc.Graph().as_default():
        program, made = Program(seed), []
        fetches = program.fetches(devices)
        config = gc.ConfigProto(device_count={"GPU": devices}, allow_soft_placement=True)
        with gc.Session(config=config) as session:
            session.run(gc.global_variables_initializer())
            for number in range(RUNS):
                feeds = program.feeds()
                try:
                    made.append(session.run(fetches if number != 2 else fetches[-1:], feeds))
                except gc.errors.InvalidArgumentError as error:
                    made.append([str(error).split("\n")[0].split(": ", 1)[1]])
    return made


@pytest.mark.parametrize("devices", [1, 2])
@pytest.mark.parametrize("seed", range(200) if EVERYTHING else (7, 10, 29, 41))
def test_variables(seed: int, devices: int) -> None:
    expected = found(seed, 0)
    with driver_standing_in(devices=devices) as library:
        try:
            ours = found(seed, devices)
            assert not library.complaint()
        finally:
            library.mend()
    for number, (here, there) in enumerate(zip(expected, ours, strict=True)):
        for theirs, value in zip(here, there, strict=True):
            if isinstance(theirs, str) or isinstance(value, str):
                assert value == theirs, f"run {number}"
            else:
                np.testing.assert_allclose(value, theirs, rtol=1e-4, atol=1e-5, err_msg=f"run {number}")
