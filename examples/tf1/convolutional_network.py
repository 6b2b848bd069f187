"""Digits by a convolutional network with dropout and batch normalisation, summaries and a checkpoint.

Run: graphc tf1 convolutional_network.py --data_dir=MNIST_data
"""
import os

import tensorflow as tf
from tensorflow.examples.tutorials.mnist import input_data

flags = tf.app.flags
flags.DEFINE_string("data_dir", "MNIST_data", "folder of MNIST's idx files")
flags.DEFINE_string("summaries_dir", "", "folder for summaries and checkpoints; empty: none")
flags.DEFINE_integer("steps", 300, "training steps")
flags.DEFINE_integer("batch_size", 64, "pictures a step")
FLAGS = flags.FLAGS


def network(images, training):
    net = tf.reshape(images, [-1, 28, 28, 1])
    for i, filters in enumerate([16, 32]):
        with tf.variable_scope("block%d" % i):
            net = tf.layers.conv2d(net, filters, 3, padding="same", use_bias=False)
            net = tf.nn.relu(tf.layers.batch_normalization(net, training=training))
            net = tf.layers.max_pooling2d(net, 2, 2)
    net = tf.layers.dense(tf.layers.flatten(net), 64, activation=tf.nn.relu)
    net = tf.layers.dropout(net, 0.4, training=training)
    return tf.layers.dense(net, 10, name="logits")


def main(_):
    tf.set_random_seed(1)
    mnist = input_data.read_data_sets(FLAGS.data_dir, seed=1)
    images = tf.placeholder(tf.float32, [None, 784])
    labels = tf.placeholder(tf.int64, [None])
    training = tf.placeholder_with_default(False, [])
    logits = network(images, training)
    loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
    accuracy = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1), labels), tf.float32))
    tf.summary.scalar("loss", loss)
    step = tf.train.get_or_create_global_step()
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        train_step = tf.train.AdamOptimizer(1e-3).minimize(loss, global_step=step)
    merged = tf.summary.merge_all()
    saver = tf.train.Saver()

    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        writer = tf.summary.FileWriter(FLAGS.summaries_dir, session.graph) if FLAGS.summaries_dir else None
        for i in range(FLAGS.steps):
            batch = mnist.train.next_batch(FLAGS.batch_size)
            summary, value, _ = session.run([merged, loss, train_step],
                                            {images: batch[0], labels: batch[1], training: True})
            if writer:
                writer.add_summary(summary, i)
            if i % 100 == 0:
                print("step {} loss {:.4f}".format(i, value))
        found = session.run(accuracy, {images: mnist.test.images[:1000], labels: mnist.test.labels[:1000]})
        print("test accuracy {:.3f}".format(found))
        if writer:
            writer.close()
            saver.save(session, os.path.join(FLAGS.summaries_dir, "model"), global_step=step)


if __name__ == "__main__":
    tf.app.run()
