"""Programs of nets for pictures, by what made each of them known: blocks, heads, losses."""
from __future__ import annotations

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
    zeros,
)
from library import tf


def _norm(x, name):
    """A batch norm in training, by the batch's own moments."""
    mean, variance = tf.nn.moments(x, [0, 1, 2])
    scale = tf.get_variable(name + "_s", initializer=np.ones(int(x.shape[-1]), np.float32))
    return tf.nn.batch_normalization(x, mean, variance, zeros(name + "_o", int(x.shape[-1])), scale, 1e-5)


def _depthwise(x, size, name, stride=1):
    return tf.nn.depthwise_conv2d(x, weights(name, size, size, int(x.shape[-1]), 1, scale=0.2),
                                  [1, stride, stride, 1], "SAME")


@program
def squeezed_and_scaled():
    """EfficientNet's blocks: wider, by depth, scaled by what the whole picture says, narrower; swish; training."""
    x, label = placeholder(None, 32, 32, 3), placeholder(None, dtype=tf.int32)
    h = tf.nn.swish(_norm(conv(x, 16, 3, "stem", 2), "stem"))
    for i, (channels, size, stride) in enumerate(((16, 3, 1), (24, 5, 2), (24, 3, 1), (40, 5, 2))):
        y = tf.nn.swish(_norm(conv(h, 4 * int(h.shape[-1]), 1, f"wide{i}"), f"wide{i}"))
        y = tf.nn.swish(_norm(_depthwise(y, size, f"deep{i}", stride), f"deep{i}"))
        share = tf.reduce_mean(y, [1, 2], keepdims=True)
        share = conv(conv(share, 8, 1, f"few{i}", activation=tf.nn.swish), int(y.shape[-1]), 1, f"all{i}")
        y = _norm(conv(y * tf.sigmoid(share), channels, 1, f"out{i}"), f"out{i}")
        h = h + y if y.shape[1:] == h.shape[1:] else y
    loss = cross_entropy(dense(tf.reduce_mean(h, [1, 2]), 10, "top"), label)
    return Program([loss, adam(loss)], {x: numbers(16, 32, 32, 3), label: whole(10, 16)})


@program
def shuffled_channels():
    """ShuffleNet's units: 1 x 1 filters in groups, channels shuffled between them, by depth; training."""
    x, label = placeholder(None, 32, 32, 3), placeholder(None, dtype=tf.int32)

    def grouped(h, channels, name):
        return tf.concat([conv(part, channels // 4, 1, f"{name}{k}") for k, part in enumerate(tf.split(h, 4, 3))], 3)
    h = conv(x, 48, 3, "stem", 2, tf.nn.relu)
    for i in range(3):
        y = tf.nn.relu(_norm(grouped(h, 48, f"a{i}"), f"a{i}"))
        y = tf.reshape(tf.transpose(tf.reshape(y, [-1, 16, 16, 4, 12]), [0, 1, 2, 4, 3]), [-1, 16, 16, 48])
        y = _norm(grouped(_norm(_depthwise(y, 3, f"d{i}"), f"d{i}"), 48, f"b{i}"), f"b{i}")
        h = tf.nn.relu(h + y)
    loss = cross_entropy(dense(tf.reduce_mean(h, [1, 2]), 10, "top"), label)
    return Program([loss, adam(loss)], {x: numbers(16, 32, 32, 3), label: whole(10, 16)})


@program
def fire_modules():
    """SqueezeNet: few channels, then many by filters of two sizes side by side; forwards, eight pictures."""
    x = placeholder(None, 64, 64, 3)
    h = tf.nn.max_pool(conv(x, 64, 3, "stem", 2, tf.nn.relu), [1, 3, 3, 1], [1, 2, 2, 1], "SAME")
    for i, (few, many) in enumerate(((16, 64), (16, 64), (32, 128), (32, 128))):
        few = conv(h, few, 1, f"s{i}", activation=tf.nn.relu)
        h = tf.concat([conv(few, many, 1, f"e{i}", activation=tf.nn.relu),
                       conv(few, many, 3, f"f{i}", activation=tf.nn.relu)], 3)
        if i == 1:
            h = tf.nn.max_pool(h, [1, 3, 3, 1], [1, 2, 2, 1], "SAME")
    return Program([tf.nn.softmax(tf.reduce_mean(conv(h, 100, 1, "top"), [1, 2]))], {x: numbers(8, 64, 64, 3)})


@program
def wide_residuals():
    """A wide residual net of CIFAR: norm, relu, 3 x 3 filters twice, dropout that is fed, momentum, decay."""
    x, label, kept = placeholder(None, 32, 32, 3), placeholder(None, dtype=tf.int32), placeholder(None, 1, 1, 64)
    h = conv(x, 16, 3, "stem")
    for i, (channels, stride) in enumerate(((32, 1), (64, 2))):
        y = tf.nn.relu(_norm(h, f"n{i}"))
        way = conv(y, channels, 1, f"way{i}", stride)
        y = tf.nn.relu(_norm(conv(y, channels, 3, f"a{i}", stride), f"m{i}"))
        h = way + conv(y * kept[..., :channels], channels, 3, f"b{i}")
    loss = cross_entropy(dense(tf.reduce_mean(tf.nn.relu(_norm(h, "last")), [1, 2]), 10, "top"), label)
    decay = 5e-4 * tf.add_n([tf.nn.l2_loss(v) for v in tf.trainable_variables()])
    train = tf.train.MomentumOptimizer(0.05, 0.9, use_nesterov=True).minimize(loss + decay)
    return Program([loss, train], {x: numbers(8, 32, 32, 3), label: whole(10, 8),
                                   kept: np.float32(numbers(8, 1, 1, 64) > 0.3) / 0.7})


@program
def boxes_of_grids():
    """YOLOv3's loss on two grids: boxes from offsets and anchors, overlap with the truth, those ignored; training."""
    x, truth = placeholder(None, 64, 64, 3), placeholder(None, 12, 4)
    targets = [placeholder(None, n, n, 3, 15) for n in (4, 8)]
    h = conv(conv(x, 16, 3, "a", 2, tf.nn.leaky_relu), 32, 3, "b", 2, tf.nn.leaky_relu)
    fine = conv(h, 64, 3, "c", 2, tf.nn.leaky_relu)
    coarse = conv(fine, 128, 3, "d", 2, tf.nn.leaky_relu)
    joined = tf.concat([tf.image.resize_nearest_neighbor(conv(coarse, 32, 1, "e"), [8, 8]), fine], 3)
    losses = []
    for n, features, target, anchors in zip((4, 8), (coarse, joined), targets, (((.3, .4), (.5, .6), (.9, .8)),
                                                                               ((.1, .1), (.2, .1), (.1, .3))),
                                            strict=True):
        made = tf.reshape(conv(features, 45, 1, f"out{n}"), [-1, n, n, 3, 15])
        grid = tf.cast(tf.stack(tf.meshgrid(tf.range(n), tf.range(n)), 2)[None, :, :, None], tf.float32)
        centre, size = (tf.sigmoid(made[..., :2]) + grid) / n, tf.exp(made[..., 2:4]) * np.float32(anchors)
        low, high = (centre - size / 2)[..., None, :], (centre + size / 2)[..., None, :]
        their_low, their_high = (truth[..., :2] - truth[..., 2:] / 2), (truth[..., :2] + truth[..., 2:] / 2)
        shared = tf.maximum(tf.minimum(high, their_high[:, None, None, None])
                            - tf.maximum(low, their_low[:, None, None, None]), 0.)
        both = shared[..., 0] * shared[..., 1]
        area = (size[..., 0] * size[..., 1])[..., None] + (truth[..., 2] * truth[..., 3])[:, None, None, None]
        ignored = tf.cast(tf.reduce_max(both / (area - both), -1) < 0.5, tf.float32)
        there = target[..., 4:5]
        places = there * (2 - target[..., 2:3] * target[..., 3:4])
        losses.append(tf.reduce_sum(places * tf.nn.sigmoid_cross_entropy_with_logits(
            labels=tf.clip_by_value(target[..., :2], 0., 1.), logits=made[..., :2])))
        losses.append(0.5 * tf.reduce_sum(places * tf.square(target[..., 2:4] - made[..., 2:4])))
        sure = tf.nn.sigmoid_cross_entropy_with_logits(labels=there, logits=made[..., 4:5])
        losses.append(tf.reduce_sum(sure * (there + (1 - there) * ignored[..., None])))
        losses.append(tf.reduce_sum(there * tf.nn.sigmoid_cross_entropy_with_logits(
            labels=target[..., 5:], logits=made[..., 5:])))
    loss = tf.add_n(losses) / 8
    given = [np.concatenate([numbers(8, n, n, 3, 4), np.float32(numbers(8, n, n, 3, 11) > 0.9)], 4) for n in (4, 8)]
    return Program([loss, adam(loss)], {x: numbers(8, 64, 64, 3), truth: numbers(8, 12, 4, low=0.1, high=0.6),
                                        **dict(zip(targets, given, strict=True))})


@program
def masks_of_regions():
    """Mask R-CNN's heads: regions cut out of features, a class and a box of each, a mask by upsampling; training."""
    features, boxes = placeholder(None, 16, 16, 64), placeholder(None, 4)
    owner, label = placeholder(None, dtype=tf.int32), placeholder(None, dtype=tf.int32)
    wanted, mask = placeholder(None, 4), placeholder(None, 14, 14)
    h = conv(features, 64, 3, "neck", activation=tf.nn.relu)
    small = tf.image.crop_and_resize(h, boxes, owner, [7, 7])
    flat = mlp(tf.reshape(small, [-1, 7 * 7 * 64]), [128, 128], "box", tf.nn.relu)
    logits, offsets = dense(flat, 11, "class"), tf.reshape(dense(flat, 44, "offsets"), [-1, 11, 4])
    large = conv(tf.image.crop_and_resize(h, boxes, owner, [7, 7]), 64, 3, "m0", activation=tf.nn.relu)
    size = tf.stack([tf.shape(large)[0], 14, 14, 64])
    up = tf.nn.relu(tf.nn.conv2d_transpose(large, weights("up", 2, 2, 64, 64), size, [1, 2, 2, 1], "SAME"))
    masks = tf.transpose(conv(up, 11, 1, "masks"), [0, 3, 1, 2])
    places = tf.stack([tf.range(tf.shape(label)[0]), label], 1)
    error = tf.gather_nd(offsets, places) - wanted
    smooth = tf.where(tf.abs(error) < 1, 0.5 * tf.square(error), tf.abs(error) - 0.5)
    loss = (cross_entropy(logits, label) + tf.reduce_mean(tf.reduce_sum(smooth, 1))
            + binary_entropy(tf.gather_nd(masks, places), mask))
    corners = numbers(32, 2, high=0.5)
    given = np.concatenate([corners, corners + numbers(32, 2, low=0.2, high=0.5)], 1)
    return Program([loss, adam(loss)], {
        features: normal(2, 16, 16, 64), boxes: given, owner: whole(2, 32), label: whole(11, 32), wanted: normal(32, 4),
        mask: np.float32(numbers(32, 14, 14) > 0.5)})


@program
def classes_of_generated():
    """BigGAN's block: norms whose scale and shift a class gives, filters divided by their greatest singular value."""
    z, label = placeholder(None, 32), placeholder(None, dtype=tf.int32)
    given = tf.concat([z, tf.gather(weights("classes", 20, 16), label)], 1)

    def by_class(h, name):
        mean, variance = tf.nn.moments(h, [0, 1, 2])
        channels = int(h.shape[-1])
        scale, shift = (dense(given, channels, name + kind)[:, None, None] for kind in "so")
        return (h - mean) * tf.rsqrt(variance + 1e-5) * (1 + scale) + shift

    def filtered(h, channels, name):
        kernel = weights(name, 3, 3, int(h.shape[-1]), channels)
        flat = tf.reshape(kernel, [-1, channels])
        u = tf.get_variable(name + "_u", initializer=normal(1, channels), trainable=False)
        v = tf.nn.l2_normalize(tf.matmul(u, flat, transpose_b=True))
        new = tf.nn.l2_normalize(tf.matmul(v, flat))
        with tf.control_dependencies([u.assign(tf.stop_gradient(new))]):
            sigma = tf.squeeze(tf.matmul(tf.matmul(v, flat), tf.stop_gradient(new), transpose_b=True))
            return tf.nn.conv2d(h, kernel / sigma, [1, 1, 1, 1], "SAME")
    h = tf.reshape(dense(given, 4 * 4 * 64, "start"), [-1, 4, 4, 64])
    for i, channels in enumerate((64, 32)):
        n = 8 << i
        y = tf.image.resize_nearest_neighbor(tf.nn.relu(by_class(h, f"a{i}")), [n, n])
        y = filtered(tf.nn.relu(by_class(filtered(y, channels, f"f{i}"), f"b{i}")), channels, f"g{i}")
        h = y + conv(tf.image.resize_nearest_neighbor(h, [n, n]), channels, 1, f"way{i}")
    picture = tf.tanh(conv(tf.nn.relu(h), 3, 3, "rgb"))
    loss = tf.reduce_mean(tf.square(picture - 0.2))
    return Program([loss, adam(loss)], {z: normal(16, 32), label: whole(20, 16)})
