"""Word vectors by skip-grams and noise-contrastive estimation. Run: graphc tf1 word2vec.py [--text file]"""
import collections
import math

import numpy as np
import tensorflow as tf

tf.app.flags.DEFINE_string("text", "", "a text file; by default sentences of a small made-up language")
tf.app.flags.DEFINE_integer("steps", 2000, "training steps")
FLAGS = tf.app.flags.FLAGS
SIZE, WINDOW, BATCH, SAMPLED = 32, 1, 64, 8


def words():
    if FLAGS.text:
        with tf.gfile.GFile(FLAGS.text) as file:
            return tf.compat.as_str(file.read()).lower().split()
    random = np.random.RandomState(0)
    animals, plants = ["cat", "dog", "cow", "hen"], ["oak", "elm", "fir", "ash"]
    sentences = [(["the", random.choice(animals), "eats", "and", "runs"] if random.rand() < 0.5
                  else ["a", random.choice(plants), "grows", "with", "leaves"]) for _ in range(2000)]
    return [word for sentence in sentences for word in sentence]


def main(_):
    text = words()
    vocabulary = [word for word, _ in collections.Counter(text).most_common(5000)]
    numbers = {word: i for i, word in enumerate(vocabulary)}
    data = np.array([numbers[word] for word in text if word in numbers])
    random = np.random.RandomState(0)

    centers = tf.placeholder(tf.int32, [BATCH])
    neighbours = tf.placeholder(tf.int32, [BATCH, 1])
    with tf.device("/cpu:0"):
        embeddings = tf.Variable(tf.random_uniform([len(vocabulary), SIZE], -1.0, 1.0, seed=1))
        embedded = tf.nn.embedding_lookup(embeddings, centers)
        nce_weights = tf.Variable(tf.truncated_normal([len(vocabulary), SIZE], stddev=1.0 / math.sqrt(SIZE), seed=2))
        nce_biases = tf.Variable(tf.zeros([len(vocabulary)]))
    loss = tf.reduce_mean(tf.nn.nce_loss(weights=nce_weights, biases=nce_biases, labels=neighbours, inputs=embedded,
                                         num_sampled=SAMPLED, num_classes=len(vocabulary)))
    train_step = tf.train.GradientDescentOptimizer(0.5).minimize(loss)
    normed = embeddings / tf.sqrt(tf.reduce_sum(tf.square(embeddings), 1, keep_dims=True))
    similarity = tf.matmul(normed, normed, transpose_b=True)

    with tf.Session() as session:
        session.run(tf.initialize_all_variables())
        total = 0.0
        for step in range(1, FLAGS.steps + 1):
            at = random.randint(WINDOW, len(data) - WINDOW, BATCH)
            offset = random.choice([-1, 1], BATCH)
            _, value = session.run([train_step, loss], {centers: data[at], neighbours: data[at + offset][:, None]})
            total += value
            if step % 500 == 0:
                print("step %d average loss %.3f" % (step, total / 500))
                total = 0.0
        rows = similarity.eval()
        for word in ["cat", "oak"] if not FLAGS.text else vocabulary[:8]:
            order = (-rows[numbers[word]]).argsort()[1:4]
            print("nearest to %s: %s" % (word, ", ".join(vocabulary[k] for k in order)))


if __name__ == "__main__":
    tf.app.run()
