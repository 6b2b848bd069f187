"""Training in C++: every step gives the Session's numbers to the bit, signatures share variables, and random ops go on
where the session that wrote the file was."""
from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import graphc as gc

import native as n
from files import ROOT, build_runner

STEPS = 20


@pytest.fixture(scope="module")
def native() -> Iterator[n.Native]:
    yield n.Native(build_runner() / "libgraphc.so")


@dataclass(frozen=True)
class Training:
    """What a program trains: its feeds, with a batch for each step, the loss, what is predicted, and the train op."""

    feeds: list[gc.Tensor]
    batches: list[list[np.ndarray]]
    loss: gc.Tensor
    predicted: gc.Tensor
    train: gc.Operation


def _batches(rng: np.random.Generator, width: int, classes: int) -> list[list[np.ndarray]]:
    return [[rng.normal(size=(5 + i % 3, width)).astype(np.float32), rng.integers(classes, size=5 + i % 3)]
            for i in range(STEPS)]


def dense() -> Training:
    """Adam with slots, a learning rate that decays with global_step, and dropout."""
    x, labels = gc.placeholder(gc.float32, [None, 12], name="x"), gc.placeholder(gc.int64, [None], name="labels")
    hidden = gc.nn.dropout(gc.layers.dense(x, 16, activation=gc.nn.relu), keep_prob=0.7)
    logits = gc.layers.dense(hidden, 4)
    loss = gc.reduce_mean(gc.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    step = gc.train.get_or_create_global_step()
    rate = gc.train.exponential_decay(0.01, step, 5, 0.5, staircase=True)
    train = gc.train.AdamOptimizer(rate).minimize(loss, global_step=step)
    return Training([x, labels], _batches(np.random.default_rng(0), 12, 4), loss, gc.nn.softmax(logits), train)


def batch_norm() -> Training:
    """A convolution and a batch norm, whose moving averages are updates that the train op waits for; momentum."""
    x, labels = gc.placeholder(gc.float32, [None, 36], name="x"), gc.placeholder(gc.int64, [None], name="labels")
    maps = gc.layers.conv2d(gc.reshape(x, [-1, 6, 6, 1]), 4, 3, use_bias=False)
    training = gc.placeholder_with_default(True, [], name="training")
    normed = gc.nn.relu(gc.layers.batch_normalization(maps, training=training))
    logits = gc.layers.dense(gc.layers.flatten(normed), 3)
    loss = gc.losses.sparse_softmax_cross_entropy(labels, logits)
    with gc.control_dependencies(gc.get_collection(gc.GraphKeys.UPDATE_OPS)):
        train = gc.train.MomentumOptimizer(0.05, 0.9).minimize(loss)
    return Training([x, labels], _batches(np.random.default_rng(1), 36, 3), loss, logits, train)


def pictures() -> Training:
    """Two 3 x 3 convolutions of enough channels for Winograd, in all three directions, and fused batch norms."""
    x, labels = gc.placeholder(gc.float32, [None, 768], name="x"), gc.placeholder(gc.int64, [None], name="labels")
    h = gc.tile(gc.reshape(x, [-1, 16, 16, 3]), [1, 1, 1, 6])
    for channels, before in ((32, 18), (48, 32)):
        w = gc.Variable(gc.random_normal([3, 3, before, channels], stddev=0.1))
        h = gc.nn.conv2d(h, w, 1, "SAME")
        scale, offset = gc.Variable(gc.ones([channels])), gc.Variable(gc.zeros([channels]))
        h = gc.nn.relu(gc.nn.fused_batch_norm(h, scale, offset)[0])
    logits = gc.layers.dense(gc.reduce_mean(h, [1, 2]), 3)
    loss = gc.losses.sparse_softmax_cross_entropy(labels, logits)
    train = gc.train.GradientDescentOptimizer(0.1).minimize(loss)
    return Training([x, labels], _batches(np.random.default_rng(3), 768, 3), loss, logits, train)


def recurrent() -> Training:
    """A recurrent net in a while loop, its gradient clipped; Adagrad on an embedding, whose gradient is sparse."""
    words = gc.placeholder(gc.int32, [None, None], name="words")
    table = gc.get_variable("embedding", [20, 6])
    cell = gc.nn.rnn_cell.BasicRNNCell(8)
    outputs, last = gc.nn.dynamic_rnn(cell, gc.nn.embedding_lookup(table, words), dtype=gc.float32)
    loss = gc.reduce_mean(gc.square(gc.layers.dense(last, 1)))
    optimizer = gc.train.AdagradOptimizer(0.1)
    found, variables = zip(*optimizer.compute_gradients(loss), strict=True)
    clipped, _ = gc.clip_by_global_norm(found, 1.0)
    train = optimizer.apply_gradients(zip(clipped, variables, strict=True))
    rng = np.random.default_rng(2)
    batches = [[rng.integers(20, size=(3, 2 + i % 4)).astype(np.int32)] for i in range(STEPS)]
    return Training([words], batches, loss, outputs, train)


def attention() -> Training:
    """Two layers of causal attention over sequences of any length, their gradients block by block; in the second one
    weights are dropped."""
    x = gc.placeholder(gc.float32, [None, None, 24], name="x")
    wanted = gc.placeholder(gc.float32, [None], name="wanted")
    h, places = x, gc.range(gc.shape(x)[1])
    later = gc.cast(gc.expand_dims(places, 0) > gc.expand_dims(places, 1), gc.float32) * -1e9
    for layer in range(2):
        parts = gc.reshape(gc.layers.dense(h, 72, name=f"qkv{layer}"), [gc.shape(h)[0], -1, 3, 2, 12])
        q, k, v = gc.unstack(gc.transpose(parts, [2, 0, 3, 1, 4]))
        weights = gc.nn.softmax(gc.matmul(q, k, transpose_b=True) * 12 ** -0.5 + later)
        weights = gc.nn.dropout(weights, rate=0.2) if layer else weights
        mixed = gc.transpose(gc.matmul(weights, v), [0, 2, 1, 3])
        h += gc.layers.dense(gc.reshape(mixed, gc.shape(h)), 24, name=f"mix{layer}")
    predicted = gc.reduce_mean(gc.layers.dense(h, 1), [1, 2])
    loss = gc.reduce_mean(gc.square(predicted - wanted))
    rng = np.random.default_rng(3)
    batches = [[rng.normal(size=(n := 1 + i % 3, 17 * (i % 5) + 1, 24)).astype(np.float32),
                rng.normal(size=n).astype(np.float32)] for i in range(STEPS)]
    return Training([x, wanted], batches, loss, predicted, gc.train.GradientDescentOptimizer(0.05).minimize(loss))


def norms() -> Training:
    """A layer norm and an RMS norm in residual branches, dropout, gates by softmax, a mean of losses with a mask."""
    x, labels = gc.placeholder(gc.float32, [None, 24], name="x"), gc.placeholder(gc.int64, [None], name="labels")
    scales = [gc.Variable(gc.random_uniform([24], 0.5, 1.5)) for _ in range(3)]
    h = gc.layers.dense(x, 24)
    mean, variance = gc.nn.moments(h, [-1], keep_dims=True)
    y = gc.nn.batch_normalization(h, mean, variance, scales[0], scales[1], 1e-5)
    h += gc.nn.dropout(gc.layers.dense(y, 24) * gc.nn.softmax(gc.layers.dense(y, 24)), rate=0.2)
    h += gc.layers.dense(h * gc.rsqrt(gc.reduce_mean(gc.square(h), -1, keepdims=True) + 1e-6) * scales[2], 24)
    logits = gc.layers.dense(h, 4)
    losses = gc.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    mask = gc.cast(labels > 0, gc.float32)
    loss = gc.reduce_sum(losses * mask) / (gc.reduce_sum(mask) + 1.0)
    train = gc.train.AdamOptimizer(0.01).minimize(loss)
    return Training([x, labels], _batches(np.random.default_rng(4), 24, 4), loss, logits, train)


def gaussian_process() -> Training:
    """The marginal likelihood of observations under a kernel, by Cholesky factors, and its gradient."""
    x, y = gc.placeholder(gc.float32, [None, 2], name="x"), gc.placeholder(gc.float32, [None, 1], name="y")
    scale, noise = gc.Variable(0.1, name="scale"), gc.Variable(-1.0, name="noise")
    far = gc.reduce_sum(gc.square(gc.expand_dims(x, 1) - gc.expand_dims(x, 0)), -1)
    factor = gc.cholesky(gc.exp(-far * gc.exp(scale)) + gc.exp(noise) * gc.eye(gc.shape(x)[0]))
    mean = gc.cholesky_solve(factor, y)
    loss = 0.5 * gc.reduce_sum(y * mean) + gc.reduce_sum(gc.log(gc.diag_part(factor)))
    rng = np.random.default_rng(5)
    batches = [[rng.uniform(-2, 2, (n := 1 + 23 * (i % 5), 2)).astype(np.float32),
                rng.normal(size=(n, 1)).astype(np.float32)] for i in range(STEPS)]
    return Training([x, y], batches, loss, factor, gc.train.GradientDescentOptimizer(1e-3).minimize(loss))


@pytest.mark.parametrize("program", [dense, batch_norm, pictures, recurrent, attention, norms, gaussian_process])
def test_steps_equal_the_sessions(native: n.Native, program: Callable[[], Training]) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        gc.set_random_seed(7)
        made = program()
        session.run(gc.global_variables_initializer())
        session.run(made.train, dict(zip(made.feeds, made.batches[-1], strict=True)))
        file = gc.export_model(session, {
            "train": gc.Signature([made.loss, made.train], made.feeds), "predict": gc.Signature(made.predicted)})
        losses, predictions = [], []
        for batch in made.batches:
            loss, _ = session.run([made.loss, made.train], dict(zip(made.feeds, batch, strict=True)))
            losses.append(loss)
            predictions.append(session.run(made.predicted, {made.feeds[0]: batch[0]}))
        final = {v.op.name: session.run(v) for v in gc.global_variables()}
    data = file.SerializeToString()
    with (native.load(data, signature=b"train") as train,
          native.load(data, share=train, signature=b"predict") as predict):
        for batch, loss, prediction in zip(made.batches, losses, predictions, strict=True):
            np.testing.assert_array_equal(train.run(batch)[0], loss)
            np.testing.assert_array_equal(predict.run(batch[:1])[0], prediction)
        states = predict.states()
    assert states.keys() == final.keys()
    for name, value in final.items():
        np.testing.assert_array_equal(states[name], value, err_msg=name)


def test_from_the_command_line(tmp_path: Path) -> None:
    """Steps with a batch each, then a checkpoint, with which Python and another signature go on."""
    program = build_runner() / "graphc-run"

    def native_run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run([program, "model.pb", *map(str, arguments)], cwd=tmp_path, capture_output=True, text=True,
                              check=False)

    xs = np.random.default_rng(0).normal(size=(4, 6, 3)).astype(np.float32)
    np.save(tmp_path / "xs.npy", xs)
    np.save(tmp_path / "x.npy", xs[0])
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None, 3], name="x")
        w = gc.get_variable("w", initializer=np.ones([3, 1], np.float32))
        y = gc.matmul(x, w, name="y")
        loss = gc.reduce_mean(gc.square(y - 3), name="loss")
        train = gc.train.MomentumOptimizer(0.1, 0.5).minimize(loss)
        init = gc.global_variables_initializer()
        session.run(init)
        file = gc.export_model(session, {
            "train": gc.Signature([loss, train]), "predict": gc.Signature({"answer": y}, {"x": x}),
            "init": gc.Signature(init)})
        gc.train.write_graph(file, str(tmp_path), "model.pb", as_text=False)
        losses = [session.run([loss, train], {x: xs[i % 4]})[0] for i in range(10)]
        expected, trained = session.run([y, w], {x: xs[0]})

    done = native_run("--signature", "train", "--steps", 10, "--feed-each", "x=xs.npy", "--out", "loss.npy", "--save",
                      "ckpt")
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(np.load(tmp_path / "loss.npy"), losses[-1])
    done = native_run("--signature", "predict", "--restore", "ckpt", "--feed", "x=x.npy", "--fetch", "answer", "--out",
                      "y.npy")
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), expected)
    with gc.Graph().as_default(), gc.Session() as session:
        again = gc.get_variable("w", [3, 1])
        gc.train.Saver().restore(session, str(tmp_path / "ckpt"))
        np.testing.assert_array_equal(session.run(again), trained)
    assert native_run("--signature", "init", "--restore", "ckpt", "--save", "first").returncode == 0
    with gc.Graph().as_default(), gc.Session() as session:
        again = gc.get_variable("w", [3, 1])
        gc.train.Saver().restore(session, str(tmp_path / "first"))
        np.testing.assert_array_equal(session.run(again), np.ones([3, 1]))
    info = native_run("--info").stdout
    assert "signature train\nsignature predict\nsignature init\n" in info and "variable  w/Momentum" in info
    failed = native_run("--restore", "none")
    assert failed.returncode == 1 and "cannot read none.index: No such file" in failed.stderr


def test_the_variables_of_an_export_in_python(tmp_path: Path) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        w = gc.Variable([1.0, 2.0], name="w")
        session.run(w.initializer)
        file = gc.export_model(session, {"more": gc.Signature(gc.assign_add(w, [1.0, 1.0]))})
    with gc.Graph().as_default(), gc.Session() as session:
        gc.import_graph_def(file, name="")
        gc.load_state(session, file)
        np.testing.assert_array_equal(session.run("w:0"), [1.0, 2.0])
        file.state.variables[0].value = "none"
        with pytest.raises(gc.errors.DataLossError, match="no value of dtype float32 and shape"):
            gc.load_state(session, file)
        file.ClearField("state")
        with pytest.raises(gc.errors.FailedPreconditionError, match="lists no variables"):
            gc.load_state(session, file)


def test_what_cannot_be_exported() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [3, 3], name="x")
        wrong = [gc.svd(x, compute_uv=False, name="values"), gc.as_string(x[0], width=9, name="text")]
        with pytest.raises(gc.errors.UnimplementedError) as caught:
            gc.export_model(session, {"a": gc.Signature(wrong[0]), "b": gc.Signature(wrong[1])})
        for part in ("Svd 'values', built at", "AsString 'text', built at", "test_training.py"):
            assert part in str(caught.value)
        with pytest.raises(gc.errors.InvalidArgumentError, match=r"the shape \(2, 3\) does not fit 'x:0'"):
            gc.export_model(session, {"a": gc.Signature(x * 2, shapes={"x": (2, 3)})})
        with pytest.raises(gc.errors.InvalidArgumentError, match="a shape is given for 'z', but the inputs are x:0"):
            gc.export_model(session, {"a": gc.Signature(x * 2, shapes={"z": (2, 3)})})
        text = gc.Variable("a", name="text_variable")
        with pytest.raises(gc.errors.UnimplementedError, match="variable 'text_variable' holds strings"):
            gc.export_model(session, {"a": gc.Signature(x * 2)})
        gc.export_model(session, {"a": gc.Signature(x * 2)}, [v for v in gc.global_variables() if v is not text])
        with pytest.raises(TypeError, match="must be a dictionary"):
            gc.export_model(session, {})


def test_models_of_other_files_share_nothing(native: n.Native) -> None:
    files = []
    for value in (1.0, 2.0):
        with gc.Graph().as_default(), gc.Session() as session:
            w = gc.Variable(value, name="w")
            session.run(w.initializer)
            files.append(gc.export_model(session, {"w": gc.Signature(w * value)}).SerializeToString())
    with native.load(files[0]) as model, pytest.raises(n.NativeError, match="was loaded from another file") as caught:
        native.load(files[1], share=model)
    assert caught.value.status == n.FAILED_PRECONDITION


def test_shared_variables_outlive_the_model_that_had_them_first(native: n.Native) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        w = gc.Variable(1.0, name="w")
        session.run(w.initializer)
        file = gc.export_model(session, {"more": gc.Signature(gc.assign_add(w, 1.0)), "w": gc.Signature(w + 0.0)})
    data = file.SerializeToString()
    with native.load(data, signature=b"more") as first:
        second = native.load(data, signature=b"w", share=first)
        assert first.run([]) == [2.0]
    with second:
        assert second.run([]) == [2.0] and second.signatures() == ["more", "w"]


def test_the_wrapper_of_cpp(tmp_path: Path) -> None:
    """wrapper.cpp, compiled against the library as a user's program is."""
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None, 2], name="x")
        w = gc.get_variable("w", initializer=np.float32([[1], [2]]))
        y = gc.reduce_sum(gc.matmul(x, w))
        session.run(w.initializer)
        train = gc.train.GradientDescentOptimizer(0.5).minimize(y)
        file = gc.export_model(session, {"train": gc.Signature(train), "predict": gc.Signature(y)})
        path = gc.train.write_graph(file, str(tmp_path), "model.pb", as_text=False)
    library, program = build_runner(), tmp_path / "wrapper"
    source, linked = ROOT / "tests/runner/wrapper.cpp", [f"-L{library}", "-lgraphc", f"-Wl,-rpath,{library}"]
    subprocess.run(["g++", "-std=c++17", "-Wall", "-Wextra", "-Werror", f"-I{ROOT}/runner/include", source, "-o",
                    program, *linked], check=True)
    done = subprocess.run([program, path, tmp_path / "ckpt"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "start 5", "trained 2.5", "zeros 0", "restored 2.5", "w 0.5", "w 1", "3 variable 'w' has another dtype"]
