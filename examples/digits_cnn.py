"""Train a convolutional network on real images, save it as a .pb, and check that C++ gives the same answers.

    make demo                                            # sets everything up and runs this file
    python examples/digits_cnn.py --save digits.pb       # without the C++ part

The data are scikit-learn's digits: 1,797 grey images of 8 x 8 pixels, ten classes. A fifth is held out.
"""
from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile

import numpy as np
from sklearn.datasets import load_digits
from tqdm import tqdm

import graphc as gc

EPOCHS, BATCH, SEED = 15, 64, 7


def load() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training images [1437, 8, 8, 1] float32 in 0..1 and labels [1437] int64; the same for the held-out 360."""
    digits = load_digits()
    images = (digits.images / 16).astype(np.float32)[..., np.newaxis]
    order = np.random.default_rng(SEED).permutation(len(images))
    held_out = len(images) // 5 + 1
    test, train = order[:held_out], order[held_out:]
    return images[train], digits.target[train], images[test], digits.target[test]


def weights(name: str, *shape: int) -> gc.Variable:
    fan_in = int(np.prod(shape[:-1]))
    initial = gc.truncated_normal(shape, stddev=float(np.sqrt(2 / fan_in)), seed=len(name))
    return gc.Variable(initial, name=name)


def network(x: gc.Tensor, keep_prob: gc.Tensor) -> gc.Tensor:
    """x [n, 8, 8, 1] -> logits [n, 10]."""
    h = x
    for i, channels in enumerate((32, 64)):
        kernel = weights(f"conv{i}/kernel", 3, 3, int(h.shape[3]), channels)
        bias = gc.Variable(gc.zeros([channels]), name=f"conv{i}/bias")
        h = gc.nn.relu(gc.nn.conv2d(h, kernel, strides=[1, 1, 1, 1], padding="SAME") + bias)
        h = gc.nn.max_pool(h, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")
    h = gc.reshape(h, [-1, 2 * 2 * 64])
    h = gc.nn.relu(gc.matmul(h, weights("dense/kernel", 256, 128)) + gc.Variable(gc.zeros([128]), name="dense/bias"))
    h = gc.nn.dropout(h, keep_prob=keep_prob, seed=SEED)
    logits = gc.matmul(h, weights("logits/kernel", 128, 10)) + gc.Variable(gc.zeros([10]), name="logits/bias")
    return gc.identity(logits, name="logits")


def train(session: gc.Session, x: gc.Tensor, labels: gc.Tensor, keep_prob: gc.Tensor, step: gc.Operation,
          loss: gc.Tensor, images: np.ndarray, targets: np.ndarray) -> None:
    rng = np.random.default_rng(SEED)
    batches = len(images) // BATCH
    bar = tqdm(total=EPOCHS * batches, desc="training", unit="batch")
    for _ in range(EPOCHS):
        order = rng.permutation(len(images))
        for b in range(batches):
            rows = order[b * BATCH:(b + 1) * BATCH]
            _, value = session.run([step, loss], {x: images[rows], labels: targets[rows], keep_prob: 0.6})
            bar.update()
            bar.set_postfix(loss=f"{value:.4f}", refresh=False)
    bar.close()


def compare_with_runner(runner: str, model: str, images: np.ndarray, logits: np.ndarray) -> bool:
    """Runs the saved model in C++ on `images`; prints and returns whether its answers are those of the Session."""
    with tempfile.TemporaryDirectory() as folder:
        feed, out = os.path.join(folder, "x.npy"), os.path.join(folder, "logits.npy")
        np.save(feed, images)
        subprocess.run([runner, model, "--feed", f"x={feed}", "--fetch", "logits", "--out", out], check=True)
        from_runner = np.load(out)
    difference = float(np.max(np.abs(from_runner - logits)))
    equal = int(np.sum(from_runner.argmax(1) == logits.argmax(1)))
    print(f"runner agrees: max difference {difference:.1e}, argmax equal {equal}/{len(logits)}")
    return difference <= 1e-5 and equal == len(logits)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--save", default="digits.pb", help="where to write the trained graph")
    parser.add_argument("--runner", help="the program graphc-run; without it the C++ check is left out")
    options = parser.parse_args()

    images, targets, test_images, test_targets = load()
    x = gc.placeholder(gc.float32, [None, 8, 8, 1], name="x")
    labels = gc.placeholder(gc.int64, [None], name="labels")
    keep_prob = gc.placeholder_with_default(np.float32(1), [], name="keep_prob")
    logits = network(x, keep_prob)
    loss = gc.reduce_mean(gc.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    step = gc.train.AdamOptimizer(1e-3).minimize(loss)

    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        train(session, x, labels, keep_prob, step, loss, images, targets)
        print(gc.pass_table([step, loss], [x, labels, keep_prob]))
        scores = session.run(logits, {x: test_images})
        frozen = gc.freeze(session, [logits], inputs=[x])
        folder, name = os.path.split(options.save)
        gc.write_graph(frozen, folder or ".", name, as_text=False)

    print(f"saved {options.save} ({os.path.getsize(options.save) / 1e3:.0f} kB)")
    accuracy = float(np.mean(scores.argmax(1) == test_targets))
    print(f"test accuracy: {accuracy:.3f}")
    agrees = not options.runner or compare_with_runner(options.runner, options.save, test_images, scores)
    return 0 if accuracy >= 0.98 and agrees else 1


if __name__ == "__main__":
    sys.exit(main())
