"""Where runs happen: scopes, device functions, several GPUs, settings, and GPUs that nobody asked for."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.compat.v1.python.client.device_lib import list_local_devices
from graphc.exec.cuda import driver, worth
from graphc.exec.cuda.driver import find_devices
from graphc.exec.cuda.engine import DeviceEngine
from graphc.exec.cuda.worth import Estimate
from graphc.plan.compile import compile_graph

from stand_in import StandIn
from stand_in_driver import IS_THERE, driver_standing_in

pytestmark = pytest.mark.usefixtures("without_top_k")


@pytest.fixture
def two() -> Iterator[list[StandIn]]:
    """Two GPUs."""
    before, made = list(driver._found), [StandIn(), StandIn(1 << 25)]
    made[1].device_memory._next = 1 << 20      # addresses that the first one does not have
    driver._found[:] = made  # type: ignore[assignment]
    try:
        yield made
    finally:
        driver._found[:] = before


def used(session: Any) -> list[Any]:
    """The device of each engine, None for the CPU."""
    return [engine.device if isinstance(engine, DeviceEngine) else None
            for prepared in session._plans.values() for engine in prepared.engines.values()]


@pytest.mark.parametrize("name", ["/gpu:1", "/device:GPU:1", "/GPU:1", "/job:localhost/replica:0/task:0/device:GPU:1"])
def test_names_of_devices(two: list[StandIn], name: str) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        with gc.device(name):
            y = gc.exp(gc.placeholder_with_default([0.0, 1.0], [2]))
        assert np.allclose(session.run(y), np.exp([0, 1])) and used(session) == [two[1]]


def test_scopes_functions_and_colocation(two: list[StandIn]) -> None:
    with gc.Graph().as_default():
        x = gc.placeholder_with_default([0.0, 1.0], [2])
        with gc.device("/gpu:1"):
            a = gc.exp(x)
            with gc.device(None):
                b = gc.exp(x)
            with gc.device("/cpu:0"):
                c = gc.exp(x)
        with gc.device(lambda op: "/gpu:1" if op.type == "Exp" else ""):
            d = gc.exp(x)
        with gc.colocate_with(a.op):
            e = gc.exp(x)
        with gc.device("/job:localhost"), gc.device("/gpu:1"):
            f = gc.exp(x)
        for y, device in ((a, two[1]), (b, None), (c, None), (d, two[1]), (e, two[1]), (f, two[1])):
            with gc.Session() as session:
                session.run(y)
                assert used(session) == [device]


def test_a_gpu_that_is_not_there(two: list[StandIn]) -> None:
    with gc.Graph().as_default():
        given = gc.placeholder_with_default([0.0], [1])
        with gc.device("/gpu:2"):
            x = gc.exp(given, name="far")
        with gc.Session() as session, pytest.raises(
                gc.errors.InvalidArgumentError,
                match=r"Exp 'far' is placed on /device:GPU:2, which is not there; the devices are .*GPU:0, .*GPU:1"):
            session.run(x)
        with gc.Session(config=gc.ConfigProto(allow_soft_placement=True)) as session:
            assert session.run(x) == [1] and used(session) == [two[0]]


def test_a_variable_goes_from_one_gpu_to_another(two: list[StandIn]) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        v, steps = gc.Variable(np.ones(5, np.float32)), []
        for name in ("/gpu:0", "/gpu:1", "/cpu:0"):
            with gc.device(name):
                steps.append(gc.assign(v, v * 2.0 + 1.0))
        session.run(v.initializer)
        value = 1.0
        for number in (0, 1, 0, 0, 2, 1, 2, 1, 0):
            session.run(steps[number].op)
            value = value * 2 + 1
            if number == 1:
                assert session.run(steps[1] * 0.0 + v).size == 5    # the new value on the device that has it
                value = value * 2 + 1
        assert session.run(v).tolist() == [value] * 5


def test_devices_are_listed_and_nothing_is_taken(two: list[StandIn]) -> None:
    with gc.Session(graph=gc.Graph()) as session:
        assert [d.name.rpartition("/")[2] for d in session.list_devices()] == ["device:CPU:0", "device:GPU:0",
                                                                              "device:GPU:1"]
    from graphc.compat.v1.python.client import device_lib

    assert [d.name for d in device_lib.list_local_devices()] == ["/device:CPU:0", "/device:GPU:0", "/device:GPU:1"]
    assert not two[0].work and not two[1].work


def test_visible_devices(two: list[StandIn]) -> None:
    config = gc.ConfigProto(gpu_options=gc.GPUOptions(visible_device_list="1"))
    with gc.Graph().as_default():
        with gc.device("/gpu:0"):
            y = gc.exp(gc.placeholder_with_default([0.0], [1]))
        with gc.Session(config=config) as session:
            assert len(session.list_devices()) == 2
            assert session.run(y) == [1] and used(session) == [two[1]]
        for listed, said in (("3", "names GPU 3, but this machine has 2"), ("first", "must be numbers like")):
            with pytest.raises(gc.errors.InvalidArgumentError, match=said):
                gc.Session(config=gc.ConfigProto(gpu_options=gc.GPUOptions(visible_device_list=listed))).run(y)


def test_a_fraction_of_the_memory(two: list[StandIn]) -> None:
    options = gc.GPUOptions(per_process_gpu_memory_fraction=0.5, allow_growth=True)
    with gc.Graph().as_default(), gc.Session(config=gc.ConfigProto(gpu_options=options)) as session:
        x = gc.placeholder(gc.float32, [None])
        with gc.device("/gpu:1"):
            y = gc.reduce_sum(gc.exp(x) + 1.0)
        assert session.list_devices()[2].memory_limit_bytes == 1 << 24
        assert session.run(y, {x: np.zeros(1 << 20, np.float32)}) == 1 << 21
        with pytest.raises(gc.errors.ResourceExhaustedError):
            session.run(y, {x: np.zeros(6 << 20, np.float32)})
        assert session.run(y, {x: np.zeros(4, np.float32)}) == 8


@pytest.mark.quotes
def test_out_of_memory_names_the_largest_values() -> None:
    before = list(driver._found)
    driver._found[:] = [StandIn(1 << 20)]  # type: ignore[list-item]
    try:
        for lacking in (False, True):
            with gc.Graph().as_default(), gc.Session(config=gc.ConfigProto(allow_soft_placement=True)) as session:
                x, v = gc.placeholder(gc.float32, [None]), gc.Variable(1.0)
                with gc.device("/gpu:0"):
                    y = gc.exp(gc.expand_dims(x, 0) + gc.expand_dims(x, 1), name="square") * v
                    step = gc.assign_add(v, 1.0)
                fetched = y
                if lacking:
                    with gc.device("/cpu:0"):
                        fetched = gc.nn.top_k(y, 1).values
                session.run(v.initializer)
                with pytest.raises(gc.errors.ResourceExhaustedError) as caught:
                    session.run([fetched, step], {x: np.zeros(1000, np.float32)})
                said = str(caught.value)
                assert "4,000,000 bytes: f32[1000, 1000] of " in said and "'square'" in said and ".py:" in said
                assert session.run(v) == 1
                assert session.run([fetched, step], {x: [0.0]})[1] == 2
    finally:
        driver._found[:] = before


def plan_of(build: Any, *shapes: tuple[int, ...]) -> Estimate:
    with gc.Graph().as_default() as graph:
        fetched = build()
        fed = [op.outputs[0] for op in graph.get_operations() if op.type == "Placeholder"]
        return Estimate(compile_graph([fetched], (), fed).plan, shapes, 8)


def test_what_is_worth_a_gpu() -> None:
    def product() -> Any:
        return gc.matmul(gc.placeholder(gc.float32, [None, None]), gc.placeholder(gc.float32, [None, None]))

    def sum_of_two() -> Any:
        return gc.placeholder(gc.float32, [None]) + gc.placeholder(gc.float32, [None])

    def many_products() -> Any:
        x = gc.placeholder(gc.float32, [None, None])
        return gc.while_loop(lambda i, y: i < 100, lambda i, y: (i + 1, gc.tanh(gc.matmul(x, y))), [0, x])[1]

    assert not plan_of(product, (8, 8), (8, 8)).is_long
    large = plan_of(product, (4096, 4096), (4096, 4096))
    assert large.is_long and large.pays(80 << 30) and not large.pays(100 << 20)      # 200 MB of values
    bound = plan_of(sum_of_two, (1 << 24,), (1 << 24,))
    assert bound.is_long and not bound.pays(80 << 30)              # the copies take longer than the CPU
    assert plan_of(many_products, (1024, 1024)).pays(80 << 30)


def large() -> Any:
    """A run that is worth a GPU."""
    return gc.reduce_sum(gc.matmul(gc.ones([256, 256]) * gc.random_uniform([256, 256]), gc.ones([256, 256])))


@pytest.mark.skipif(not IS_THERE, reason="the library stands in on x86-64 only")
@pytest.mark.parametrize(("status", "why"), [(803, "restart the machine"), (34, "stub"), (999, "cuInit")])
def test_a_driver_that_does_not_work_fails_only_who_asks_for_a_gpu(monkeypatch: pytest.MonkeyPatch, status: int,
                                                                   why: str) -> None:
    monkeypatch.setattr(worth, "LONG", 0.0)
    with driver_standing_in(init=status):
        with gc.Graph().as_default(), gc.Session() as session, pytest.warns(UserWarning, match=f"(?s)cannot.*{why}"):
            assert session.run(large()) > 0
        with pytest.warns(UserWarning, match=why):
            assert [device.device_type for device in list_local_devices()] == ["CPU"]
        with gc.Graph().as_default() as graph, graph.device("/gpu:0"):
            y = large()
            with gc.Session() as session, pytest.raises(gc.errors.InternalError, match=why):
                session.run(y)
            soft = gc.ConfigProto(allow_soft_placement=True)
            with gc.Session(config=soft) as session, pytest.warns(UserWarning, match=why):
                assert session.run(y) > 0


@pytest.mark.skipif(not IS_THERE, reason="the library stands in on x86-64 only")
def test_gpus_that_are_too_old_are_left_out() -> None:
    with driver_standing_in(compute=70), pytest.warns(UserWarning, match="capability 7.0, and is not used.*need 7.5"):
        assert find_devices() == []
        assert find_devices() == []


def test_a_large_run_goes_to_a_gpu_by_itself(two: list[StandIn], monkeypatch: pytest.MonkeyPatch) -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, 4])
        y = gc.matmul(x, x, transpose_b=True)
        given = {x: np.ones((3, 4), np.float32)}
        for config, device in ((gc.ConfigProto(), two[0]), (gc.ConfigProto(device_count={"GPU": 0}), None)):
            with gc.Session(config=config) as session:
                session.run(y, given)
                assert used(session) == [None]                     # it is small
            with monkeypatch.context() as patch:
                patch.setattr("graphc.exec.cuda.worth.CORE_FLOPS", 1.0)
                with gc.Session(config=config) as session:
                    assert session.run(y, given).tolist() == [[4.0] * 3] * 3
                    assert used(session) == [device]
