"""A variational autoencoder of digits. Run: graphc tf1 variational_autoencoder.py"""
import numpy as np
import tensorflow as tf
from tensorflow.examples.tutorials.mnist import input_data

slim = tf.contrib.slim
flags = tf.app.flags
flags.DEFINE_string("data_dir", "MNIST_data", "folder of MNIST's idx files")
flags.DEFINE_integer("steps", 500, "training steps")
flags.DEFINE_integer("code_size", 8, "numbers a digit is made of")
FLAGS = flags.FLAGS


def encoder(pictures):
    with tf.variable_scope("encoder"), slim.arg_scope([slim.fully_connected], activation_fn=tf.nn.elu):
        net = slim.fully_connected(pictures, 256)
        mean = slim.fully_connected(net, FLAGS.code_size, activation_fn=None, scope="mean")
        log_variance = slim.fully_connected(net, FLAGS.code_size, activation_fn=None, scope="log_variance")
    return mean, log_variance


def decoder(code, reuse=None):
    with tf.variable_scope("decoder", reuse=reuse):
        net = slim.fully_connected(code, 256, activation_fn=tf.nn.elu)
        return slim.fully_connected(net, 784, activation_fn=None)


def main(_):
    mnist = input_data.read_data_sets(FLAGS.data_dir)
    pictures = tf.placeholder(tf.float32, [None, 784])
    mean, log_variance = encoder(pictures)
    code = mean + tf.exp(0.5 * log_variance) * tf.random_normal(tf.shape(mean))
    logits = decoder(code)
    likelihood = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels=pictures, logits=logits), 1)
    divergence = -0.5 * tf.reduce_sum(1 + log_variance - tf.square(mean) - tf.exp(log_variance), 1)
    loss = tf.reduce_mean(likelihood + divergence)
    train_step = tf.train.AdamOptimizer(1e-3).minimize(loss)
    drawn = tf.nn.sigmoid(decoder(tf.random_normal([4, FLAGS.code_size]), reuse=True))

    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for step in range(FLAGS.steps):
            _, value = session.run([train_step, loss], {pictures: mnist.train.next_batch(100)[0]})
            if step % 100 == 0:
                print("step %d loss %.2f" % (step, value))
        print("drawn digits have ink %s" % np.round(session.run(drawn).mean(axis=1), 2))


if __name__ == "__main__":
    tf.app.run()
