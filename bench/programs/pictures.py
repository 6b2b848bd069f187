"""Programs over pictures: likeness, edges, sizes, detection, sampling, colours, small nets."""
from __future__ import annotations

import numpy as np
from kit import Program, adam, conv, cross_entropy, dense, mlp, numbers, placeholder, program, weights, whole, zeros
from library import tf


@program
def structural_similarity():
    """SSIM of two batches as a loss, its gradient applied to one of them."""
    target = placeholder(4, 96, 96, 3)
    picture = tf.get_variable("picture", initializer=numbers(4, 96, 96, 3))
    loss = 1 - tf.reduce_mean(tf.image.ssim(picture, target, 1.0))
    return Program([loss, adam(loss)], {target: numbers(4, 96, 96, 3)})


@program
def edges():
    """Sobel's edges, their strength, the strongest nearby, and what is above a share of the strongest."""
    x = placeholder(None, None, None, 1)
    edge = tf.image.sobel_edges(x)
    strength = tf.sqrt(tf.reduce_sum(tf.square(edge), -1))
    wide = tf.nn.max_pool(strength, [1, 3, 3, 1], [1, 1, 1, 1], "SAME")
    strong = tf.greater(strength, 0.5 * tf.reduce_max(strength, [1, 2, 3], keepdims=True))
    return Program([wide, tf.reduce_sum(tf.cast(strong, tf.int32), [1, 2, 3])], {x: numbers(4, 120, 160, 1)})


@program
def pyramid():
    """A pyramid of sizes, down by areas and up by cubic and linear interpolation, and what is lost at each."""
    x = placeholder(None, 128, 128, 3)
    lost, now = [], x
    for size in (64, 32, 16):
        small = tf.image.resize_area(now, [size, size])
        lost.append(tf.reduce_mean(tf.abs(now - tf.image.resize_bicubic(small, [2 * size, 2 * size]))))
        lost.append(tf.reduce_mean(tf.abs(now - tf.image.resize_bilinear(small, [2 * size, 2 * size]))))
        now = small
    return Program([tf.stack(lost), now], {x: numbers(4, 128, 128, 3)})


@program
def detection():
    """Boxes out of anchors and offsets, the best of each class, and the picture cut out at them."""
    grid = np.stack(np.meshgrid(np.arange(16), np.arange(16), indexing="ij"), -1).reshape(-1, 1, 2)
    anchors = (np.tile(grid, (1, 9, 1)).reshape(-1, 2) + 0.5).astype(np.float32) / 16
    picture, offsets, scores = placeholder(None, 128, 128, 3), placeholder(None, 2304, 4), placeholder(None, 2304, 5)
    middle, size = anchors + 0.1 * offsets[:, :, :2], 0.2 * tf.exp(0.2 * offsets[:, :, 2:])
    boxes = tf.concat([middle - size / 2, middle + size / 2], 2)
    kept = tf.image.combined_non_max_suppression(boxes[:, :, None], tf.sigmoid(scores), 20, 50, 0.5, 0.6)
    cut = tf.image.crop_and_resize(picture, tf.reshape(kept[0][:, :10], [-1, 4]), np.repeat(np.arange(2), 10), [24, 24])
    return Program([kept[1], kept[2], kept[3], cut], {
        picture: numbers(2, 128, 128, 3), offsets: numbers(2, 2304, 4, low=-1), scores: numbers(2, 2304, 5, low=-2)})


@program
def anchors_and_boxes():
    """Overlaps of 4,000 anchors with 20 boxes, labels by them, and the losses of a detector; training."""
    corner = numbers(4000, 2, high=0.8)
    anchors = np.concatenate([corner, corner + numbers(4000, 2, low=0.05, high=0.2)], 1)
    x, boxes = placeholder(None, 64), placeholder(None, 4)
    low, high = tf.maximum(anchors[:, None, :2], boxes[:, :2]), tf.minimum(anchors[:, None, 2:], boxes[:, 2:])
    shared = tf.reduce_prod(tf.maximum(high - low, 0), 2)
    area = tf.reduce_prod(boxes[:, 2:] - boxes[:, :2], 1)
    overlap = shared / (np.prod(anchors[:, 2:] - anchors[:, :2], 1)[:, None] + area - shared)
    best, number = tf.reduce_max(overlap, 1), tf.argmax(overlap, 1)
    positive = tf.cast(best > 0.3, tf.float32)
    made = mlp(x, [64, 5], "head")
    delta = tf.abs(made[:, :4] - (tf.gather(boxes, number) - anchors))
    smooth = tf.reduce_sum(tf.where(delta < 1, 0.5 * tf.square(delta), delta - 0.5), 1)
    chance = tf.sigmoid(made[:, 4])
    focal = -positive * tf.square(1 - chance) * tf.log(chance + 1e-8)
    focal -= (1 - positive) * tf.square(chance) * tf.log(1 - chance + 1e-8)
    loss = (tf.reduce_sum(focal) + tf.reduce_sum(positive * smooth)) / tf.maximum(tf.reduce_sum(positive), 1)
    start = numbers(20, 2, high=0.8)
    return Program([loss, adam(loss)], {x: numbers(4000, 64, low=-1),
                                        boxes: np.concatenate([start, start + numbers(20, 2, low=0.1, high=0.2)], 1)})


@program
def spatial_transformer():
    """A net that turns its picture: an affine grid, four gathers a pixel, weighted; training."""
    x, labels = placeholder(None, 28, 28, 1), placeholder(None, dtype=tf.int32)
    batch, size = tf.shape(x)[0], 28
    angles = dense(dense(tf.reshape(x, [-1, 784]), 32, "look", tf.tanh), 6, "angles")
    theta = tf.reshape(0.1 * angles + np.array([1, 0, 0, 0, 1, 0], np.float32), [-1, 2, 3])
    line = np.linspace(-1, 1, size, dtype=np.float32)
    grid = np.stack([*np.meshgrid(line, line), np.ones((size, size), np.float32)]).reshape(3, -1)
    place = (tf.reshape(tf.matmul(tf.reshape(theta, [-1, 3]), grid), [-1, 2, size * size]) + 1) * (size - 1) / 2
    column, row = place[:, 0], place[:, 1]
    left, top = tf.floor(column), tf.floor(row)
    made = 0.
    for right in (0, 1):
        for down in (0, 1):
            c, r = left + right, top + down
            weight = (1 - tf.abs(column - c)) * (1 - tf.abs(row - r))
            at = [tf.clip_by_value(tf.cast(v, tf.int32), 0, size - 1) for v in (r, c)]
            number = tf.tile(tf.range(batch)[:, None], [1, size * size])
            made += weight[:, :, None] * tf.gather_nd(x, tf.stack([number, *at], 2))
    turned = conv(tf.reshape(made, [-1, size, size, 1]), 8, 5, "c", 2, tf.nn.relu)
    loss = cross_entropy(dense(tf.reshape(turned, [-1, 14 * 14 * 8]), 10, "out"), labels)
    return Program([loss, adam(loss)], {x: numbers(32, 28, 28, 1), labels: whole(10, 32)})


@program
def colours():
    """Hue, saturation, contrast and brightness of pictures of bytes, and back to bytes."""
    x = placeholder(None, 64, 64, 3, dtype=tf.uint8)
    made = tf.image.convert_image_dtype(x, tf.float32)
    made = tf.image.adjust_saturation(tf.image.adjust_hue(made, 0.1), 1.5)
    made = tf.image.adjust_brightness(tf.image.adjust_contrast(made, 0.8), 0.1)
    made = tf.image.flip_left_right(made)
    small = tf.image.convert_image_dtype(tf.clip_by_value(made, 0., 1.), tf.uint8, saturate=True)
    return Program([tf.reduce_mean(tf.cast(small, tf.float32), [1, 2]),
                    tf.reduce_mean(tf.image.rgb_to_hsv(tf.clip_by_value(made, 0., 1.)), [1, 2])],
                   {x: np.uint8(whole(256, 8, 64, 64, 3))})


@program
def small_resnet():
    """Residual blocks with batch normalisation and its moving averages; training with momentum and weight decay."""
    x, labels = placeholder(None, 32, 32, 3), placeholder(None, dtype=tf.int32)

    def normalised(h, name):
        return tf.layers.batch_normalization(h, training=True, fused=True, name=name)
    h = tf.nn.relu(normalised(conv(x, 16, 3, "first"), "first"))
    for i, channels in enumerate((16, 32)):
        stride = 1 + (i > 0)
        inner = tf.nn.relu(normalised(conv(h, channels, 3, f"a{i}", stride), f"a{i}"))
        inner = normalised(conv(inner, channels, 3, f"b{i}"), f"b{i}")
        h = tf.nn.relu(inner + (h if stride == 1 else conv(h, channels, 1, f"s{i}", 2)))
    loss = cross_entropy(dense(tf.reduce_mean(h, [1, 2]), 10, "out"), labels)
    decay = 1e-4 * tf.add_n([tf.nn.l2_loss(v) for v in tf.trainable_variables() if len(v.shape) > 1])
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        train = tf.train.MomentumOptimizer(0.05, 0.9, use_nesterov=True).minimize(loss + decay)
    return Program([loss, train], {x: numbers(32, 32, 32, 3), labels: whole(10, 32)})


@program
def instance_norm_net():
    """A net of a style: mirrored borders, instance normalisation, upsampling by nearest neighbours; forward."""
    x = placeholder(None, 64, 64, 3)

    def block(h, channels, size, name, stride=1):
        edge = size // 2
        h = tf.pad(h, [[0, 0], [edge, edge], [edge, edge], [0, 0]], "REFLECT")
        h = conv(h, channels, size, name, stride, padding="VALID")
        mean, variance = tf.nn.moments(h, [1, 2], keep_dims=True)
        return tf.nn.relu((h - mean) * tf.rsqrt(variance + 1e-5) * (1 + zeros(name + "_g", channels)))
    h = block(block(x, 16, 9, "a"), 32, 3, "b", 2)
    h = h + block(h, 32, 3, "c")
    h = block(tf.image.resize_nearest_neighbor(h, [64, 64]), 16, 3, "d")
    return Program([tf.tanh(conv(h, 3, 9, "e"))], {x: numbers(2, 64, 64, 3)})


@program
def dilated_segmentation():
    """Dilated convolutions side by side, a mean over all, upsampled; a loss with ignored pixels, and the mean overlap
    of classes; training."""
    x, labels = placeholder(None, 48, 48, 3), placeholder(None, 48, 48, dtype=tf.int32)
    h = conv(conv(x, 16, 3, "a", 2, tf.nn.relu), 32, 3, "b", 1, tf.nn.relu)
    sides = [tf.nn.relu(tf.nn.convolution(h, weights(f"d{r}", 3, 3, 32, 16), "SAME", dilation_rate=[r, r]))
             for r in (1, 2, 4)]
    mean = conv(tf.reduce_mean(h, [1, 2], keepdims=True), 16, 1, "mean", 1, tf.nn.relu)
    sides.append(tf.image.resize_bilinear(mean, [24, 24]))
    logits = tf.image.resize_bilinear(conv(tf.concat(sides, 3), 6, 1, "out"), [48, 48])
    counted = tf.reshape(tf.where(tf.not_equal(tf.reshape(labels, [-1]), 5)), [-1])
    flat, right = tf.gather(tf.reshape(logits, [-1, 6]), counted), tf.gather(tf.reshape(labels, [-1]), counted)
    loss = cross_entropy(flat, right)
    table = tf.cast(tf.confusion_matrix(right, tf.argmax(flat, 1, output_type=tf.int32), 6), tf.float32)
    hit = tf.diag_part(table)
    overlap = tf.reduce_mean(hit / tf.maximum(tf.reduce_sum(table, 0) + tf.reduce_sum(table, 1) - hit, 1))
    return Program([loss, overlap, adam(loss)], {x: numbers(4, 48, 48, 3), labels: whole(6, 4, 48, 48)})
