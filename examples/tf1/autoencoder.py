"""Digits through 32 numbers and back: an autoencoder. Run: graphc tf1 autoencoder.py"""
import tensorflow as tf
from tensorflow.examples.tutorials.mnist import input_data

flags = tf.app.flags
flags.DEFINE_string("data_dir", "MNIST_data", "folder of MNIST's idx files")
flags.DEFINE_integer("steps", 500, "training steps")
FLAGS = flags.FLAGS


def weights(shape):
    return tf.get_variable("weights", shape, initializer=tf.contrib.layers.xavier_initializer())


def layer(x, size, activation, scope):
    with tf.variable_scope(scope):
        bias = tf.get_variable("bias", [size], initializer=tf.constant_initializer(0.0))
        return activation(tf.nn.xw_plus_b(x, weights([x.get_shape()[1].value, size]), bias))


def main(_):
    mnist = input_data.read_data_sets(FLAGS.data_dir, one_hot=True)
    pictures = tf.placeholder("float", [None, 784])
    code = layer(layer(pictures, 128, tf.nn.relu, "encoder1"), 32, tf.nn.relu, "encoder2")
    copy = layer(layer(code, 128, tf.nn.relu, "decoder1"), 784, tf.nn.sigmoid, "decoder2")
    cost = tf.reduce_mean(tf.pow(pictures - copy, 2))
    train_step = tf.train.RMSPropOptimizer(0.001).minimize(cost)

    session = tf.InteractiveSession()
    tf.global_variables_initializer().run()
    for step in range(FLAGS.steps):
        batch, _ = mnist.train.next_batch(128)
        _, value = session.run([train_step, cost], feed_dict={pictures: batch})
        if step % 100 == 0:
            print("step %d cost %.4f" % (step, value))
    print("test cost %.4f" % cost.eval({pictures: mnist.test.images[:500]}))


if __name__ == "__main__":
    tf.app.run()
