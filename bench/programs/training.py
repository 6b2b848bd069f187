"""Programs whose training has something of its own: towers, rounded or pruned weights, pictures changed."""
from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from kit import (
    Program,
    adam,
    binary_entropy,
    conv,
    cross_entropy,
    dense,
    mlp,
    normal,
    numbers,
    placeholder,
    program,
    weights,
    whole,
)
from library import tf


@program
def towers():
    """A batch split over four towers that share variables, their gradients averaged one by one; training."""
    x, label = placeholder(None, 24, 24, 3), placeholder(None, dtype=tf.int32)
    optimizer = tf.train.MomentumOptimizer(0.01, 0.9)
    drawn = [normal(5, 5, 3, 16, scale=0.1), normal(5, 5, 16, 32, scale=0.05), normal(6 * 6 * 32, 10, scale=0.03)]
    found, losses = [], []
    for part, answers in zip(tf.split(x, 4), tf.split(label, 4), strict=True):
        with tf.variable_scope("net", reuse=tf.AUTO_REUSE), tf.device("/cpu:0"):
            h = part
            for i in range(2):
                h = tf.nn.conv2d(h, tf.get_variable(f"k{i}", initializer=drawn[i]), [1, 1, 1, 1], "SAME")
                h = tf.nn.lrn(tf.nn.relu(h), 4, bias=1.0, alpha=1e-4, beta=0.75)
                h = tf.nn.max_pool(h, [1, 3, 3, 1], [1, 2, 2, 1], "SAME")
            logits = tf.matmul(tf.reshape(h, [-1, 6 * 6 * 32]), tf.get_variable("out", initializer=drawn[2]))
        losses.append(cross_entropy(logits, answers))
        found.append(optimizer.compute_gradients(losses[-1]))
    pairs = []
    for of_variable in zip(*found, strict=True):
        slopes = [tf.expand_dims(g, 0) for g, _ in of_variable]
        pairs.append((tf.reduce_mean(tf.concat(slopes, 0), 0), of_variable[0][1]))
    return Program([tf.add_n(losses) / 4, optimizer.apply_gradients(pairs)],
                   {x: normal(32, 24, 24, 3), label: whole(10, 32)})


@program
def rounded_weights():
    """Training that knows of eight bits: fake_quant of weights and activations, moving ranges."""
    x, label = placeholder(None, 16, 16, 3), placeholder(None, dtype=tf.int32)

    def rounded(h, name):
        low = tf.get_variable(name + "_low", initializer=np.float32(-1), trainable=False)
        high = tf.get_variable(name + "_high", initializer=np.float32(1), trainable=False)
        new_low = low.assign(0.99 * low + 0.01 * tf.reduce_min(h))
        new_high = high.assign(0.99 * high + 0.01 * tf.reduce_max(h))
        return tf.quantization.fake_quant_with_min_max_vars(h, new_low, new_high, num_bits=8)
    h = x
    for i, channels in enumerate((16, 32)):
        kernel = weights(f"k{i}", 3, 3, int(h.shape[-1]), channels)
        few = tf.quantization.fake_quant_with_min_max_vars(kernel, tf.reduce_min(kernel), tf.reduce_max(kernel),
                                                           num_bits=8, narrow_range=True)
        h = rounded(tf.nn.relu6(tf.nn.conv2d(h, few, [1, 2, 2, 1], "SAME")), f"act{i}")
    loss = cross_entropy(dense(tf.reduce_mean(h, [1, 2]), 10, "out"), label)
    return Program([loss, tf.train.GradientDescentOptimizer(0.05).minimize(loss)],
                   {x: normal(32, 16, 16, 3), label: whole(10, 32)})


@program
def pruned_weights():
    """Masks of the largest weights, renewed in a branch each fourth step by a share that grows; training."""
    x, label = placeholder(None, 64), placeholder(None, dtype=tf.int32)
    step = tf.train.get_or_create_global_step()
    share = tf.minimum(0.9, tf.cast(step, tf.float32) / 50)
    h, renewals = x, []
    for i, (inputs, units) in enumerate(((64, 128), (128, 128), (128, 10))):
        w = weights(f"w{i}", inputs, units)
        mask = tf.get_variable(f"mask{i}", initializer=np.ones((inputs, units), np.float32), trainable=False)

        def renewed(w=w, mask=mask, count=inputs * units):
            least = tf.cast(count * (1 - share), tf.int32)
            ordered = tf.nn.top_k(tf.reshape(tf.abs(w), [-1]), count)[0]
            return mask.assign(tf.cast(tf.abs(w) >= ordered[tf.maximum(least, 1) - 1], tf.float32))
        renewals.append(tf.cond(tf.equal(step % 4, 0), renewed, lambda mask=mask: tf.identity(mask)))
        h = tf.matmul(h, w * mask)
        h = tf.nn.relu(h) if i < 2 else h
    loss = cross_entropy(h, label)
    with tf.control_dependencies([tf.train.AdamOptimizer(1e-3).minimize(loss, step)]):
        train = tf.group(*renewals)
    return Program([loss, train], {x: normal(64, 64), label: whole(10, 64)})


@program
def volumes():
    """A U-shaped net of volumes: convolutions of three dimensions, strides, their transposes, Dice's loss; training."""
    x, mask = placeholder(None, 16, 16, 16, 1), placeholder(None, 16, 16, 16, 1)

    def layer(h, channels, name, stride=1):
        kernel = weights(name, 3, 3, 3, int(h.shape[-1]), channels)
        h = tf.nn.conv3d(h, kernel, [1, stride, stride, stride, 1], "SAME")
        mean, variance = tf.nn.moments(h, [0, 1, 2, 3])
        return tf.nn.relu(tf.nn.batch_normalization(h, mean, variance, None, None, 1e-5))
    first = layer(x, 8, "a")
    second = layer(layer(first, 16, "b", 2), 16, "c")
    up = tf.nn.conv3d_transpose(second, weights("up", 2, 2, 2, 8, 16), tf.stack([tf.shape(x)[0], 16, 16, 16, 8]),
                                [1, 2, 2, 2, 1])
    chance = tf.sigmoid(tf.nn.conv3d(layer(tf.concat([first, up], 4), 8, "d"), weights("out", 1, 1, 1, 8, 1),
                                     [1, 1, 1, 1, 1], "SAME"))
    shared = tf.reduce_sum(chance * mask, [1, 2, 3, 4])
    both = tf.reduce_sum(chance, [1, 2, 3, 4]) + tf.reduce_sum(mask, [1, 2, 3, 4])
    loss = 1 - tf.reduce_mean((2 * shared + 1) / (both + 1))
    return Program([loss, adam(loss)], {x: normal(2, 16, 16, 16, 1), mask: np.float32(numbers(2, 16, 16, 16, 1) > 0.7)})


@program
def changed_pictures():
    """Records of pictures, decoded, cropped, flipped and coloured one by one in a map, batched; training."""
    path = str(Path(tempfile.mkdtemp(prefix="programs-")) / "pictures.tfrecord")
    with tf.python_io.TFRecordWriter(path) as writer:
        for picture, kind in zip(whole(256, 128, 40, 40, 3, dtype=np.uint8), whole(10, 128), strict=True):
            feature = tf.train.Feature
            writer.write(tf.train.Example(features=tf.train.Features(feature={
                "picture": feature(bytes_list=tf.train.BytesList(value=[picture.tobytes()])),
                "label": feature(int64_list=tf.train.Int64List(value=[kind]))})).SerializeToString())

    def parsed(serialised):
        found = tf.parse_single_example(serialised, {"picture": tf.FixedLenFeature([], tf.string),
                                                     "label": tf.FixedLenFeature([], tf.int64)})
        picture = tf.cast(tf.reshape(tf.decode_raw(found["picture"], tf.uint8), [40, 40, 3]), tf.float32)
        picture = tf.image.random_flip_left_right(tf.random_crop(picture, [32, 32, 3]))
        picture = tf.image.random_contrast(tf.image.random_brightness(picture, 63), 0.2, 1.8)
        return tf.image.per_image_standardization(picture), tf.cast(found["label"], tf.int32)
    data = tf.data.TFRecordDataset(path).map(parsed, num_parallel_calls=1).shuffle(64, seed=1).repeat().batch(32)
    x, label = data.prefetch(1).make_one_shot_iterator().get_next()
    h = conv(conv(tf.reshape(x, [-1, 32, 32, 3]), 16, 3, "a", 2, tf.nn.relu), 32, 3, "b", 2, tf.nn.relu)
    loss = cross_entropy(dense(tf.reduce_mean(h, [1, 2]), 10, "out"), label)
    return Program([loss, adam(loss)], drawn=True)


@program
def colours_of_a_batch():
    """A batch of pictures turned in colour, bent, cut into boxes, resized in three ways, put beside one another."""
    x = placeholder(None, 64, 64, 3)
    boxes = numbers(8, 4, high=0.4) + np.float32([0, 0, 0.5, 0.5])
    h = tf.image.adjust_saturation(tf.image.adjust_hue(x, 0.1), 1.4)
    h = tf.clip_by_value(tf.image.adjust_contrast(tf.image.adjust_gamma(h, 0.8), 1.2), 0., 1.)
    cut = tf.image.crop_and_resize(h, boxes, np.arange(8, dtype=np.int32), [48, 48])
    turned = tf.where(np.arange(8) % 2 == 0, tf.image.flip_left_right(cut), tf.image.rot90(cut))
    small = tf.image.resize_bicubic(turned, [24, 24])
    large = tf.image.resize_bilinear(small, [96, 96])
    areas = tf.image.resize_area(large, [32, 32])
    gray = tf.image.rgb_to_grayscale(tf.image.resize_image_with_crop_or_pad(areas, 40, 40))
    return Program([areas, tf.reduce_mean(gray, [1, 2]), tf.image.sobel_edges(gray)], {x: numbers(8, 64, 64, 3)})


@program
def slim_training():
    """A net of slim's kind: norms with moving means, updates collected, weights decayed, averages of all; training."""
    x, label = placeholder(None, 16, 16, 3), placeholder(None, dtype=tf.int32)
    step = tf.train.get_or_create_global_step()
    h, drawn = x, normal(9 * 32 * 64)
    for channels in (16, 32, 64):
        inputs = int(h.shape[-1])
        start = tf.constant_initializer(drawn[:9 * inputs * channels].reshape(3, 3, inputs, channels) * 0.1)
        h = tf.layers.conv2d(h, channels, 3, 2, "same", use_bias=False, kernel_initializer=start,
                             kernel_regularizer=lambda w: 1e-4 * tf.nn.l2_loss(w))
        h = tf.nn.relu(tf.layers.batch_normalization(h, momentum=0.9, training=True))
    logits = dense(tf.reduce_mean(h, [1, 2]), 10, "out")
    loss = tf.losses.sparse_softmax_cross_entropy(label, logits) + tf.losses.get_regularization_loss()
    rate = tf.train.exponential_decay(0.05, step, 100, 0.94, staircase=True)
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        train = tf.train.RMSPropOptimizer(rate, 0.9, 0.9, 1.0).minimize(loss, step)
    average = tf.train.ExponentialMovingAverage(0.999, step)
    with tf.control_dependencies([train]):
        train = average.apply(tf.moving_average_variables() + tf.trainable_variables()[:3])
    return Program([loss, train],
                   {x: normal(32, 16, 16, 3), label: whole(10, 32)})


@program
def runs_in_parts():
    """partial_run: a net's first part, a choice in Python, then the rest with what was chosen, in one run."""
    x, choice, target = placeholder(32, 64), placeholder(32, 8), placeholder(32, 1)
    scores = mlp(x, [128, 8], "scores")
    value = mlp(tf.concat([tf.nn.tanh(scores), choice], 1), [64, 1], "value")
    loss = tf.reduce_mean(tf.square(value - target))
    given, wanted = normal(32, 64), normal(32, 1)

    def step(session, _):
        handle = session.partial_run_setup([scores, loss], [x, choice, target])
        found = session.partial_run(handle, scores, {x: given})
        picked = np.eye(8, dtype=np.float32)[found.argmax(1)]
        return [found, session.partial_run(handle, loss, {choice: picked, target: wanted})]
    return Program(step=step)


@program
def python_in_training():
    """A function of Python's with a gradient of its own inside of training, and one that only looks."""
    x, y = placeholder(None, 32), placeholder(None, 8)
    seen = []

    @tf.custom_gradient
    def steps(h):
        rounded = tf.py_func(np.sign, [h], tf.float32, stateful=False)
        rounded.set_shape(h.shape)
        return rounded, lambda dy: dy * tf.cast(tf.abs(h) < 1, tf.float32)
    h = steps(dense(x, 64, "a"))
    loss = tf.reduce_mean(tf.square(dense(h, 8, "b") - y))
    look = tf.py_func(lambda value: seen.append(float(value)) or np.int64(len(seen)), [loss], tf.int64)
    with tf.control_dependencies([look]):
        train = adam(loss)
    return Program([loss, train], {x: normal(64, 32), y: normal(64, 8)})


@program
def contracted_models():
    """Sums of products by their letters: bilinear pooling, trilinear forms, tensor trains, batched traces; training."""
    x, y, label = placeholder(None, 12, 16), placeholder(None, 12, 16), placeholder(None, dtype=tf.int32)
    mixed = tf.einsum("bti,btj->bij", x, y) / 12
    cube = weights("cube", 16, 16, 10, scale=0.05)
    first = tf.einsum("bij,ijk->bk", mixed, cube)
    trains = [weights(f"t{i}", *s, scale=0.3) for i, s in enumerate(((4, 4, 6), (6, 4, 4, 6), (6, 8, 8)))]
    square = tf.reshape(tf.einsum("aix,xbjy,yck->abcijk", trains[0], trains[1], trains[2]), [128, 128])
    flat = tf.reshape(x[:, :8], [-1, 128])
    second = tf.matmul(tf.nn.relu(tf.matmul(flat, square)), weights("o", 128, 10))
    heads = tf.einsum("bthd,bshd->bhts", tf.reshape(x, [-1, 12, 4, 4]), tf.reshape(y, [-1, 12, 4, 4]))
    trace = tf.einsum("bhtt->bh", heads)
    third = tf.tensordot(trace, weights("h", 4, 10), 1) + tf.einsum("bti,bti,ik->bk", x, y, weights("three", 16, 10))
    loss = cross_entropy(first + second + third, label)
    return Program([loss, adam(loss)], {x: normal(64, 12, 16), y: normal(64, 12, 16), label: whole(10, 64)})


@program
def texts_by_vocabulary():
    """A data set of texts: split, looked up in a vocabulary, buckets by length, padded; a mean of words; training."""
    folder = Path(tempfile.mkdtemp(prefix="programs-"))
    (folder / "words.txt").write_text("\n".join(f"w{i}" for i in range(300)))
    texts = [" ".join(f"w{w}" for w in row[:3 + i % 14]) for i, row in enumerate(whole(330, 400, 17))]
    (folder / "texts.txt").write_text("\n".join(texts))
    table = tf.lookup.StaticVocabularyTable(tf.lookup.TextFileInitializer(
        str(folder / "words.txt"), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64,
        tf.lookup.TextFileIndex.LINE_NUMBER), 5)
    data = tf.data.TextLineDataset(str(folder / "texts.txt")).map(lambda line: tf.string_split([line]).values)
    data = data.map(lambda words: (table.lookup(words), tf.size(words))).repeat()
    data = data.padded_batch(32, ([None], []), (tf.constant(0, tf.int64), 0)).prefetch(1)
    iterator = tf.data.make_initializable_iterator(data)
    ids, count = iterator.get_next()
    mask = tf.sequence_mask(count, dtype=tf.float32)[:, :, None]
    mean = tf.reduce_sum(tf.nn.embedding_lookup(weights("words", 305, 32), ids) * mask, 1)
    label = tf.cast(count % 2, tf.float32)[:, None]
    loss = binary_entropy(mlp(mean / tf.cast(count, tf.float32)[:, None], [32, 1], "net"), label)
    fetches = [loss, tf.reduce_sum(count), adam(loss)]

    def step(session, number):
        if number == 0:
            session.run(iterator.initializer)
        return session.run(fetches)[:2]
    return Program(step=step)


@program
def wide_columns():
    """Wide rows of sparse, weighted ids of four kinds, FTRL with both penalties, buckets of numbers; training."""
    kinds = [tf.sparse_placeholder(tf.int64) for _ in range(4)]
    amounts, label = placeholder(None, 6), placeholder(None, 1)
    logits = tf.get_variable("bias", initializer=np.zeros(1, np.float32))
    for i, ids in enumerate(kinds):
        table = tf.get_variable(f"t{i}", initializer=np.zeros((5000, 1), np.float32))
        logits += tf.nn.safe_embedding_lookup_sparse(table, ids, combiner="sum")
    edges = [0.2, 0.4, 0.6, 0.8]
    buckets = tf.searchsorted(np.float32(edges), tf.reshape(amounts, [-1]), side="right")
    cells = tf.reshape(buckets, [-1, 6]) + np.arange(6, dtype=np.int32) * 5
    logits += tf.reduce_sum(tf.gather(tf.get_variable("cells", initializer=np.zeros((30, 1), np.float32)), cells), 1)
    loss = binary_entropy(logits, label)
    optimizer = tf.train.FtrlOptimizer(0.1, l1_regularization_strength=0.001, l2_regularization_strength=0.001)
    feed = {amounts: numbers(256, 6), label: np.float32(numbers(256, 1) > 0.5)}
    for i, ids in enumerate(kinds):
        rows = np.repeat(np.arange(256), 3 + i)
        where = np.stack([rows, np.tile(np.arange(3 + i), 256)], 1).astype(np.int64)
        feed[ids] = (where, whole(5000, len(rows), dtype=np.int64), (256, 3 + i))
    return Program([loss, optimizer.minimize(loss)], feed)
