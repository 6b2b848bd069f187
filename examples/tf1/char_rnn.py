"""A recurrent network learns this file letter by letter, and writes some of its own. Run: graphc tf1 char_rnn.py"""
import numpy as np
import tensorflow as tf

flags = tf.app.flags
flags.DEFINE_integer("steps", 300, "training steps")
flags.DEFINE_integer("rnn_size", 64, "size of a layer's state")
flags.DEFINE_integer("num_layers", 2, "layers")
FLAGS = flags.FLAGS
BATCH, LENGTH = 16, 25


def model(size, letters, states):
    """(logits, last state, placeholder of the first state) of `letters`, (batch, length)."""
    layers = [tf.nn.rnn_cell.BasicLSTMCell(FLAGS.rnn_size) for _ in range(FLAGS.num_layers)]
    cell = tf.nn.rnn_cell.MultiRNNCell(layers)
    initial = cell.zero_state(states, tf.float32)
    with tf.variable_scope("rnnlm"):
        softmax_w = tf.get_variable("softmax_w", [FLAGS.rnn_size, size])
        softmax_b = tf.get_variable("softmax_b", [size])
        embedding = tf.get_variable("embedding", [size, FLAGS.rnn_size])
    inputs = tf.nn.embedding_lookup(embedding, letters)
    outputs, last = tf.nn.dynamic_rnn(cell, inputs, initial_state=initial)
    logits = tf.matmul(tf.reshape(outputs, [-1, FLAGS.rnn_size]), softmax_w) + softmax_b
    return logits, last, initial


def main(_):
    tf.set_random_seed(1)
    with open(__file__) as file:
        text = file.read()
    alphabet = sorted(set(text))
    data = np.array([alphabet.index(c) for c in text])
    random = np.random.RandomState(0)

    letters = tf.placeholder(tf.int32, [None, None])
    targets = tf.placeholder(tf.int32, [None, None])
    logits, last, initial = model(len(alphabet), letters, tf.shape(letters)[0])
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.reshape(targets, [-1]), logits=logits)
    loss = tf.reduce_mean(losses)
    probabilities = tf.nn.softmax(logits)
    variables = tf.trainable_variables()
    gradients, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), 5.0)
    train_op = tf.train.AdamOptimizer(0.005).apply_gradients(zip(gradients, variables))

    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for step in range(FLAGS.steps):
            at = random.randint(0, len(data) - LENGTH - 1, BATCH)[:, None] + np.arange(LENGTH)
            value, _ = session.run([loss, train_op], {letters: data[at], targets: data[at + 1]})
            if step % 50 == 0:
                print("step {} loss {:.3f}".format(step, value))
        letter, state, written = alphabet.index("\n"), None, ""
        for _ in range(80):
            feeds = {letters: [[letter]]}
            if state is not None:
                for (c, h), (c_value, h_value) in zip(initial, state):
                    feeds[c], feeds[h] = c_value, h_value
            p, state = session.run([probabilities, last], feeds)
            p = p[0].astype(np.float64)
            letter = random.choice(len(alphabet), p=p / p.sum())
            written += alphabet[letter]
        print("written: {!r}".format(written))


if __name__ == "__main__":
    tf.app.run()
