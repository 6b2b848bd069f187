"""Programs that read, and that train with what surrounds a step: data sets, strings, sorting, sessions, checkpoints."""
from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from kit import Program, adam, binary_entropy, cross_entropy, mlp, normal, numbers, placeholder, program, weights, whole
from library import one_thread, tf


def _examples(count):
    """Serialised examples with a dense feature, a label and ids of varying number."""
    def example(row, label, ids):
        feature = tf.train.Feature
        return tf.train.Example(features=tf.train.Features(feature={
            "x": feature(float_list=tf.train.FloatList(value=row)),
            "y": feature(int64_list=tf.train.Int64List(value=[label])),
            "ids": feature(int64_list=tf.train.Int64List(value=ids))})).SerializeToString()
    rows, labels, ids = normal(count, 20), whole(3, count), whole(50, count, 6)
    return [example(rows[i], labels[i], ids[i, :1 + i % 6]) for i in range(count)]


_FEATURES = {"x": ((20,), "float32"), "y": ((), "int64")}


def _parsed(serialised):
    features = {name: tf.FixedLenFeature(shape, getattr(tf, kind)) for name, (shape, kind) in _FEATURES.items()}
    return tf.parse_example(serialised, {**features, "ids": tf.VarLenFeature(tf.int64)})


def _loss_of(parsed):
    table = weights("ids", 50, 8, scale=0.1)
    x = tf.concat([parsed["x"], tf.nn.embedding_lookup_sparse(table, parsed["ids"], None, combiner="mean")], 1)
    return cross_entropy(mlp(x, [32, 3], "net"), parsed["y"])


@program
def parse_examples():
    """A batch of serialised examples is fed, parsed in the graph, and trained with."""
    serialised = placeholder(None, dtype=tf.string)
    loss = _loss_of(_parsed(serialised))
    return Program([loss, adam(loss)], {serialised: np.array(_examples(64), object)})


@program
def dataset_training():
    """A data set that is repeated, batched, parsed and prefetched feeds the training."""
    data = tf.data.Dataset.from_tensor_slices(np.array(_examples(256), object)).repeat().batch(64)
    data = data.map(_parsed).prefetch(2)
    loss = _loss_of(tf.data.make_one_shot_iterator(data).get_next())
    return Program([loss, adam(loss)])


@program
def records_training():
    """A file of records, each parsed by itself, shuffled, batched and prefetched, feeds the training."""
    path = str(Path(tempfile.mkdtemp(prefix="programs-")) / "examples.tfrecord")
    with tf.python_io.TFRecordWriter(path) as writer:
        for serialised in _examples(512):
            writer.write(serialised)
    features = {name: tf.FixedLenFeature(shape, getattr(tf, kind)) for name, (shape, kind) in _FEATURES.items()}
    data = tf.data.TFRecordDataset(path).repeat().map(lambda x: tf.parse_single_example(x, features))
    parsed = tf.data.make_one_shot_iterator(data.shuffle(256, seed=1).batch(64).prefetch(2)).get_next()
    loss = cross_entropy(mlp(parsed["x"], [32, 3], "net"), parsed["y"])
    return Program([loss, adam(loss)], drawn=True)


@program
def lines_of_files():
    """Lines of a file of text, columns of each, batches of them."""
    path = Path(tempfile.mkdtemp(prefix="programs-")) / "lines.csv"
    path.write_text("".join(f"{a:.3f},{b},name{b}\n" for a, b in zip(numbers(512), whole(9, 512), strict=True)))
    data = tf.data.TextLineDataset(str(path)).map(lambda line: tf.decode_csv(line, [[0.0], [0], [""]]))
    return Program(tf.data.make_one_shot_iterator(data.repeat().batch(64)).get_next())


@program
def shuffled_batches():
    """Rows shuffled, mapped and batched one by one, ten batches a step."""
    data = tf.data.Dataset.from_tensor_slices((normal(1000, 16), whole(4, 1000))).shuffle(1000, seed=1).repeat()
    batch = data.map(lambda x, y: (x / 2, y)).batch(32).prefetch(1).make_one_shot_iterator().get_next()
    return Program(step=lambda session, _: [session.run(batch) for _ in range(10)][-1], drawn=True)


@program
def padded_batches():
    """Rows of their own lengths, padded to the longest of a batch."""
    lengths = whole(20, 200) + 1
    data = tf.data.Dataset.from_tensor_slices(lengths).map(lambda n: tf.range(n)).repeat().padded_batch(16, [None])
    return Program(tf.reduce_sum(data.make_one_shot_iterator().get_next(), 1))


@program
def csv_lines():
    """Lines of text to numbers and columns."""
    lines = placeholder(None, dtype=tf.string)
    columns = tf.decode_csv(lines, [[0.0], [0], [""], [1.0]])
    made = tf.stack([columns[0], tf.cast(columns[1], tf.float32), columns[3]], 1)
    drawn = zip(numbers(200), whole(9, 200), numbers(200), strict=True)
    text = [f"{a:.3f},{b},name{b},{c:.2f}" for a, b, c in drawn]
    return Program([tf.reduce_mean(made, 0), columns[2]], {lines: np.array(text, object)})


@program
def words_to_ids():
    """Sentences split at blanks, hashed, looked up and summed; training."""
    sentences, label = placeholder(None, dtype=tf.string), placeholder(None, 1)
    words = tf.string_split(sentences)
    ids = tf.SparseTensor(words.indices, tf.string_to_hash_bucket_fast(words.values, 1000), words.dense_shape)
    mean = tf.nn.embedding_lookup_sparse(weights("words", 1000, 16, scale=0.1), ids, None, combiner="mean")
    loss = binary_entropy(mlp(mean, [16, 1], "net"), label)
    text = [" ".join(f"w{w}" for w in row[:3 + i % 10]) for i, row in enumerate(whole(400, 64, 13))]
    return Program([loss, adam(loss)], {sentences: np.array(text, object), label: np.float32(numbers(64, 1) > 0.5)})


@program
def numbers_of_strings():
    """Strings to numbers and back, joined."""
    texts = placeholder(None, dtype=tf.string)
    values = tf.string_to_number(texts)
    return Program([values, tf.string_join([tf.as_string(tf.cast(values, tf.int32)), texts], "=")],
                   {texts: np.array([f"{v:.4f}" for v in numbers(500, high=100)], object)})


@program
def sort_and_count():
    """Distinct numbers and how often, sorted; the order, the greatest, and what lies between."""
    x = placeholder(None, dtype=tf.int32)
    distinct, _, counts = tf.unique_with_counts(x)
    order = tf.argsort(counts, direction="DESCENDING", stable=True)
    middle = tf.boolean_mask(x, tf.logical_and(x > 100, x < 300))
    return Program([tf.gather(distinct, order), tf.sort(x), tf.nn.top_k(x, 20)[0], tf.sort(middle),
                    tf.searchsorted(tf.sort(x), np.arange(0, 500, 7, dtype=np.int32))], {x: whole(500, 4000)})


@program
def ragged_rows():
    """Rows of their own lengths by masks and segments: means, largest ones, and rows put together again."""
    values, lengths = placeholder(None, 8), placeholder(None, dtype=tf.int32)
    mask = tf.sequence_mask(lengths)
    rows = tf.cast(tf.where(mask)[:, 0], tf.int32)
    padded = tf.scatter_nd(tf.where(mask), values, tf.concat([tf.shape(mask, out_type=tf.int64), [8]], 0))
    ends = whole(12, 40) + 1
    return Program([tf.segment_mean(values, rows), tf.segment_max(values, rows), tf.reduce_max(padded, 1)],
                   {values: normal(int(ends.sum()), 8), lengths: ends})


@program
def thousand_variables():
    """A thousand small variables, each with Adam's slots."""
    x = placeholder(20)
    total = tf.add_n([tf.reduce_sum(tf.square(weights(f"v{i}", 20, scale=1.0) - x)) for i in range(1000)])
    return Program([total, adam(total)], {x: normal(20)})


def _small_net():
    x, y = placeholder(None, 32), placeholder(None, dtype=tf.int32)
    step = tf.train.get_or_create_global_step()
    loss = cross_entropy(mlp(x, [64, 64, 5], "net"), y)
    return loss, tf.train.AdamOptimizer(1e-3).minimize(loss, step), {x: normal(64, 32), y: whole(5, 64)}


@program
def checkpoint_each_step():
    """A step of training and a checkpoint of it."""
    loss, train, feed = _small_net()
    saver = tf.train.Saver(max_to_keep=2)
    folder = Path(tempfile.mkdtemp(prefix="programs-"))

    def step(session, number):
        value = session.run([loss, train], feed)[0]
        saver.save(session, str(folder / "model"), global_step=number)
        return value
    return Program(step=step)


@program
def monitored_steps():
    """Ten steps in a MonitoredTrainingSession with hooks that count, look at the loss, and stop."""
    loss, train, feed = _small_net()
    hooks = [tf.train.NanTensorHook(loss), tf.train.StepCounterHook(5), tf.train.StopAtStepHook(num_steps=10)]

    def step(_session, number):
        value = 0.0
        with tf.train.MonitoredTrainingSession(hooks=hooks, config=one_thread()) as session:
            while not session.should_stop():
                value = session.run([loss, train], feed)[0]
        return value
    return Program(step=step)


@program
def summaries_each_step():
    """Scalars and histograms of a training step, merged, written to a file of events."""
    loss, train, feed = _small_net()
    tf.summary.scalar("loss", loss)
    for variable in tf.trainable_variables():
        tf.summary.histogram(variable.op.name, variable)
    merged = tf.summary.merge_all()
    writer = tf.summary.FileWriter(tempfile.mkdtemp(prefix="programs-"))

    def step(session, number):
        text, value, _ = session.run([merged, loss, train], feed)
        writer.add_summary(text, number)
        return value
    return Program(step=step)


@program
def averaged_training():
    """A net with dropout, clipped gradients, a piecewise rate, accumulated accuracy and moving averages of weights."""
    x, y = placeholder(None, 64), placeholder(None, dtype=tf.int32)
    step = tf.train.get_or_create_global_step()
    hidden = tf.nn.dropout(mlp(x, [128, 128], "net"), keep_prob=0.8, seed=1)
    logits = mlp(hidden, [10], "out")
    loss = cross_entropy(logits, y) + 1e-4 * tf.add_n([tf.nn.l2_loss(v) for v in tf.trainable_variables()])
    optimizer = tf.train.MomentumOptimizer(tf.train.piecewise_constant(step, [100, 200], [0.1, 0.01, 0.001]), 0.9)
    pairs = [(tf.clip_by_norm(g, 1.0), v) for g, v in optimizer.compute_gradients(loss)]
    _, accuracy = tf.metrics.accuracy(y, tf.argmax(logits, 1))
    average = tf.train.ExponentialMovingAverage(0.99, step)
    with tf.control_dependencies([optimizer.apply_gradients(pairs, step)]):
        train = average.apply(tf.trainable_variables())
    return Program([loss, accuracy, train], {x: normal(64, 64), y: whole(10, 64)}, drawn=True)


@program
def queue_of_batches():
    """A FIFO queue that each step fills with a batch and empties by one."""
    x = placeholder(None, 16)
    queue = tf.FIFOQueue(100, tf.float32, shapes=[[16]])
    fill, take = queue.enqueue_many([x]), queue.dequeue_many(32)
    feed = {x: normal(32, 16)}
    made = tf.reduce_sum(tf.square(take), 1)

    def step(session, _):
        session.run(fill, feed)
        return session.run(made)
    return Program(step=step)


@program
def python_function():
    """A function of Python's in the middle of a graph."""
    x = placeholder(None, 32)
    h = tf.py_func(lambda a: np.sort(a, 1), [tf.tanh(x)], tf.float32)
    h.set_shape([None, 32])
    return Program([tf.matmul(h, weights("w", 32, 8))], {x: normal(64, 32)})
