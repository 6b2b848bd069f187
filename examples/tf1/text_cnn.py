"""Sentences as good or bad by convolutions of several widths over word vectors. Run: graphc tf1 text_cnn.py"""
import numpy as np
import tensorflow as tf

tf.flags.DEFINE_integer("embedding_dim", 16, "size of a word's vector")
tf.flags.DEFINE_string("filter_sizes", "2,3,4", "widths of the convolutions")
tf.flags.DEFINE_integer("num_filters", 8, "filters of each width")
tf.flags.DEFINE_float("l2_reg_lambda", 0.01, "weight decay of the last layer")
tf.flags.DEFINE_integer("steps", 200, "training steps")
FLAGS = tf.flags.FLAGS
LENGTH = 12
GOOD, BAD = "fine great lovely superb".split(), "poor awful dull weak".split()
OTHER = "the film was a play with some actors and songs we saw it".split()
WORDS = ["<pad>", "not"] + GOOD + BAD + OTHER


def sentences(count, random):
    x = np.zeros([count, LENGTH], np.int32)
    y = random.randint(0, 2, count)
    for i in range(count):
        text = list(random.choice(OTHER, random.randint(4, LENGTH - 2)))
        negated = random.rand() < 0.3
        word = random.choice(GOOD if y[i] != negated else BAD)
        text.insert(random.randint(len(text)), "not " + word if negated else word)
        numbers = [WORDS.index(w) for w in " ".join(text).split()][:LENGTH]
        x[i, :len(numbers)] = numbers
    return x, np.eye(2)[y]


class TextCNN(object):
    def __init__(self):
        self.input_x = tf.placeholder(tf.int32, [None, LENGTH], name="input_x")
        self.input_y = tf.placeholder(tf.float32, [None, 2], name="input_y")
        self.dropout_keep_prob = tf.placeholder(tf.float32, name="dropout_keep_prob")
        with tf.name_scope("embedding"):
            table = tf.Variable(tf.random_uniform([len(WORDS), FLAGS.embedding_dim], -1.0, 1.0), name="W")
            embedded = tf.expand_dims(tf.nn.embedding_lookup(table, self.input_x), -1)
        pooled = []
        for size in map(int, FLAGS.filter_sizes.split(",")):
            with tf.name_scope("conv-maxpool-%s" % size):
                shape = [size, FLAGS.embedding_dim, 1, FLAGS.num_filters]
                kernel = tf.Variable(tf.truncated_normal(shape, stddev=0.1), name="W")
                bias = tf.Variable(tf.constant(0.1, shape=[FLAGS.num_filters]), name="b")
                conv = tf.nn.conv2d(embedded, kernel, strides=[1, 1, 1, 1], padding="VALID", name="conv")
                hidden = tf.nn.relu(tf.nn.bias_add(conv, bias), name="relu")
                pooled.append(tf.nn.max_pool(hidden, ksize=[1, LENGTH - size + 1, 1, 1], strides=[1, 1, 1, 1],
                                             padding="VALID", name="pool"))
        flat = tf.reshape(tf.concat(pooled, 3), [-1, len(pooled) * FLAGS.num_filters])
        dropped = tf.nn.dropout(flat, self.dropout_keep_prob)
        with tf.name_scope("output"):
            weights = tf.get_variable("W", shape=[flat.get_shape()[1], 2],
                                      initializer=tf.contrib.layers.xavier_initializer())
            bias = tf.Variable(tf.constant(0.1, shape=[2]), name="b")
            self.scores = tf.nn.xw_plus_b(dropped, weights, bias, name="scores")
        losses = tf.nn.softmax_cross_entropy_with_logits(logits=self.scores, labels=self.input_y)
        self.loss = tf.reduce_mean(losses) + FLAGS.l2_reg_lambda * (tf.nn.l2_loss(weights) + tf.nn.l2_loss(bias))
        right = tf.equal(tf.argmax(self.scores, 1), tf.argmax(self.input_y, 1))
        self.accuracy = tf.reduce_mean(tf.cast(right, "float"), name="accuracy")


def main(_):
    tf.set_random_seed(1)
    random = np.random.RandomState(1)
    with tf.Graph().as_default(), tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as session:
        model = TextCNN()
        global_step = tf.Variable(0, name="global_step", trainable=False)
        optimizer = tf.train.AdamOptimizer(5e-3)
        train_op = optimizer.apply_gradients(optimizer.compute_gradients(model.loss), global_step=global_step)
        session.run(tf.global_variables_initializer())
        for _ in range(FLAGS.steps):
            x, y = sentences(64, random)
            feeds = {model.input_x: x, model.input_y: y, model.dropout_keep_prob: 0.5}
            _, step, loss = session.run([train_op, global_step, model.loss], feeds)
            if step % 50 == 0:
                print("step {}, loss {:.3f}".format(step, loss))
        x, y = sentences(500, random)
        feeds = {model.input_x: x, model.input_y: y, model.dropout_keep_prob: 1.0}
        print("accuracy {:.3f}".format(session.run(model.accuracy, feeds)))


if __name__ == "__main__":
    tf.app.run()
