"""gc.train.Server: sessions that share variables and queues; ClusterSpec, device functions, DeviceSpec."""
from __future__ import annotations

import threading

import pytest

import graphc as gc


@pytest.fixture(autouse=True)
def own_graph() -> None:
    gc.reset_default_graph()


def test_sessions_of_one_server_share_variables_and_queues() -> None:
    variable = gc.Variable(1.0)
    queue = gc.FIFOQueue(3, gc.int32, shapes=[[]])
    server = gc.train.Server.create_local_server()
    with gc.Session(server.target) as first, gc.Session(server.target) as second:
        first.run(variable.initializer)
        first.run([variable.assign(7.0).op, queue.enqueue(5)])
        assert second.run([variable, queue.dequeue()]) == [7, 5]
    with gc.Session(server.target.encode()) as third:
        assert third.run(variable) == 7 and third.sess_str == server.target
    with gc.Session() as alone, pytest.raises(gc.errors.FailedPreconditionError):
        alone.run(variable)


def test_a_session_waits_for_what_another_one_enqueues() -> None:
    queue = gc.FIFOQueue(3, gc.int32, shapes=[[]])
    server = gc.train.Server.create_local_server()
    taken = queue.dequeue()
    with gc.Session(server.target) as first, gc.Session(server.target) as second:
        found: list[int] = []
        thread = threading.Thread(target=lambda: found.append(first.run(taken)))
        thread.start()
        second.run(queue.enqueue(9))
        thread.join(20)
        assert found == [9]


def test_reset_closes_the_sessions_and_frees_the_variables() -> None:
    variable = gc.Variable(1.0)
    server = gc.train.Server.create_local_server()
    session = gc.Session(server.target)
    session.run(variable.initializer)
    with pytest.raises(gc.errors.UnimplementedError, match="one by one"):
        gc.Session.reset(server.target, ["a"])
    gc.Session.reset(server.target)
    with pytest.raises(RuntimeError, match="closed Session"):
        session.run(variable)
    with gc.Session(server.target) as new, pytest.raises(gc.errors.FailedPreconditionError):
        new.run(variable)


def test_config_of_a_server_is_that_of_its_sessions() -> None:
    server = gc.train.Server({"local": ["localhost:0"]}, config=gc.ConfigProto(intra_op_parallelism_threads=1))
    with gc.Session(server.target) as session:
        assert session._settings.threads == 1
    assert server.server_def.job_name == "local" and server.server_def.task_index == 0
    again = gc.train.Server(server.server_def, start=False)
    assert again.server_def == server.server_def


def test_what_a_server_refuses() -> None:
    cluster = gc.train.ClusterSpec({"ps": ["a:1"], "worker": ["b:1", "c:1"]})
    with pytest.raises(gc.errors.UnimplementedError, match=r"has 3 tasks.*\{'worker': \['c:1'\]\}"):
        gc.train.Server(cluster, job_name="worker", task_index=1)
    with pytest.raises(ValueError, match="explicit `job_name`"):
        gc.train.Server(cluster)
    with pytest.raises(ValueError, match="explicit `task_index`"):
        gc.train.Server(cluster, job_name="worker")
    server = gc.train.Server({"a": ["localhost:4321"]})
    with pytest.raises(gc.errors.UnknownError, match="is in use"):
        gc.train.Server({"a": ["localhost:4321"]})
    with pytest.raises(gc.errors.UnimplementedError, match="not in this process"):
        gc.Session("grpc://elsewhere:1")
    del server
    gc.train.Server({"a": ["localhost:4321"]})


def test_cluster_spec() -> None:
    spec = gc.train.ClusterSpec({"worker": ["w0:1", "w1:1"], "ps": {1: "p1:1"}})
    assert spec.as_dict() == {"worker": ["w0:1", "w1:1"], "ps": {1: "p1:1"}}
    assert spec.jobs == ["worker", "ps"] and spec.num_tasks("worker") == 2 and spec.task_indices("ps") == [1]
    assert spec.task_address("worker", 1) == "w1:1" and spec.job_tasks("ps") == [None, "p1:1"]
    assert gc.train.ClusterSpec(spec) == spec == gc.train.ClusterSpec(spec.as_cluster_def())
    assert not gc.train.ClusterSpec({})
    with pytest.raises(ValueError, match="No such job in cluster: 'x'"):
        spec.num_tasks("x")
    with pytest.raises(ValueError, match="No task with index 7 in job 'ps'"):
        spec.task_address("ps", 7)
    with pytest.raises(TypeError, match="must be a dictionary"):
        gc.train.ClusterSpec(["a:1"])


def test_device_functions_place_variables_in_turn() -> None:
    """Devices as TensorFlow 2.21 assigns them (reference variables)."""
    setter = gc.train.replica_device_setter(cluster={"ps": ["a:1", "b:1"], "worker": ["c:1"]})
    with gc.device(setter):
        v, w = gc.Variable(1.0), gc.Variable(2.0)
        total = v + w
        with gc.device("/gpu:0"):
            product = v * w
        with gc.device("/job:other/cpu:1"):
            x = gc.Variable(3.0)
    assert [v.device, w.device, total.device] == ["/job:ps/task:0", "/job:ps/task:1", "/job:worker"]
    assert product.device == "/job:worker/device:GPU:0" and x.device == "/job:other/device:CPU:1"
    assert gc.train.replica_device_setter(ps_tasks=0) is None
    with gc.device("/job:outer/task:3"), gc.device(lambda op: "/cpu:0" if op.type == "Const" else ""):
        assert gc.constant(1.0).device == "/job:outer/task:3/device:CPU:0" and gc.no_op().device == "/job:outer/task:3"
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        assert session.run([total, product]) == [3, 2]


def test_device_spec() -> None:
    spec = gc.DeviceSpec.from_string("/job:ps/replica:1/task:2/device:GPU:3")
    assert (spec.job, spec.replica, spec.task, spec.device_type, spec.device_index) == ("ps", 1, 2, "GPU", 3)
    assert gc.DeviceSpec(job="w", device_type="cpu", device_index=0).to_string() == "/job:w/device:CPU:0"
    merged = gc.DeviceSpec(job="a", task=1).make_merged_spec(gc.DeviceSpec(task=2, device_type="GPU"))
    assert merged.to_string() == "/job:a/task:2/device:GPU:*"
    assert gc.DeviceSpec.from_string("") == gc.DeviceSpec() and merged != spec
    with gc.device(spec):
        assert gc.constant(1.0).device == "/job:ps/replica:1/task:2/device:GPU:3"
    with pytest.raises(ValueError, match="is not a device name"):
        gc.DeviceSpec.from_string("/nonsense:1")


def test_strategies_of_placement() -> None:
    """As TensorFlow 1.15 documents them: the task with the least bytes; tasks drawn by a seed."""
    training = gc.contrib.training
    greedy = training.GreedyLoadBalancingStrategy(2, training.byte_size_load_fn)
    with gc.device(gc.train.replica_device_setter(ps_tasks=2, ps_strategy=greedy)):
        made = [gc.Variable(gc.zeros(shape), name=f"v{i}") for i, shape in enumerate(([10], [2, 2], [2], [4], [1]))]
    assert [v.device[-1] for v in made] == ["0", "1", "1", "1", "0"]
    drawn = [training.RandomStrategy(3, seed=1)(None) for _ in range(2)]
    assert drawn[0] == drawn[1] in (0, 1, 2)
    with pytest.raises(ValueError, match="must have a single output"):
        training.byte_size_load_fn(gc.no_op())
    with pytest.raises(TypeError, match="ps_strategy must be callable"):
        gc.train.replica_device_setter(ps_tasks=1, ps_strategy=3)  # type: ignore[arg-type]
