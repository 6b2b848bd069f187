"""Reverses sequences of digits: an encoder, a decoder with attention. Run: graphc tf1 sequence_to_sequence.py"""
import numpy as np
import tensorflow as tf

seq2seq = tf.contrib.seq2seq
flags = tf.app.flags
flags.DEFINE_integer("steps", 400, "training steps")
flags.DEFINE_integer("units", 64, "size of the states")
FLAGS = flags.FLAGS
DIGITS, GO, END, LONGEST = 10, 10, 11, 6


def batch(count, random):
    lengths = random.randint(1, LONGEST + 1, count)
    source = np.full([count, LONGEST], END)
    target = np.full([count, LONGEST + 1], END)
    for i, n in enumerate(lengths):
        source[i, :n] = random.randint(0, DIGITS, n)
        target[i, :n] = source[i, :n][::-1]
    return source, lengths, target


def main(_):
    tf.set_random_seed(1)
    random = np.random.RandomState(1)
    source = tf.placeholder(tf.int32, [None, None])
    lengths = tf.placeholder(tf.int32, [None])
    target = tf.placeholder(tf.int32, [None, None])
    count = tf.shape(source)[0]
    table = tf.get_variable("embedding", [DIGITS + 2, 16])

    with tf.variable_scope("encoder"):
        forward, backward = (tf.nn.rnn_cell.GRUCell(FLAGS.units // 2) for _ in range(2))
        outputs, states = tf.nn.bidirectional_dynamic_rnn(forward, backward, tf.nn.embedding_lookup(table, source),
                                                          sequence_length=lengths, dtype=tf.float32)
        memory, summary = tf.concat(outputs, 2), tf.concat(states, 1)

    attention = seq2seq.BahdanauAttention(FLAGS.units, memory, memory_sequence_length=lengths)
    cell = seq2seq.AttentionWrapper(tf.nn.rnn_cell.GRUCell(FLAGS.units), attention, attention_layer_size=FLAGS.units)
    first = cell.zero_state(count, tf.float32).clone(cell_state=summary)
    projection = tf.layers.Dense(DIGITS + 2, use_bias=False, name="projection")

    def decoded(helper, steps, reuse):
        with tf.variable_scope("decoder", reuse=reuse):
            decoder = seq2seq.BasicDecoder(cell, helper, first, output_layer=projection)
            return seq2seq.dynamic_decode(decoder, maximum_iterations=steps)[0]

    given = tf.concat([tf.fill([count, 1], GO), target[:, :-1]], 1)
    training = seq2seq.TrainingHelper(tf.nn.embedding_lookup(table, given), tf.fill([count], LONGEST + 1))
    logits = decoded(training, None, None).rnn_output
    loss = seq2seq.sequence_loss(logits, target, tf.sequence_mask(lengths + 1, LONGEST + 1, tf.float32))
    train_step = tf.train.AdamOptimizer(0.005).minimize(loss)
    greedy = seq2seq.GreedyEmbeddingHelper(table, tf.fill([count], GO), END)
    answer = decoded(greedy, LONGEST + 1, True).sample_id

    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for step in range(FLAGS.steps):
            x, n, y = batch(64, random)
            _, value = session.run([train_step, loss], {source: x, lengths: n, target: y})
            if step % 100 == 0:
                print("step {} loss {:.3f}".format(step, value))
        x, n, y = batch(200, random)
        found = session.run(answer, {source: x, lengths: n})
        right = np.mean([list(f[:k]) == list(t[:k]) for f, t, k in zip(found, y, n)])
        print("{} of 200 sequences reversed".format(int(right * 200)))


if __name__ == "__main__":
    tf.app.run()
