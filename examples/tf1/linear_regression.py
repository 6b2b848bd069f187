"""Linear regression by gradient descent: y = 3 x + 2 found from noisy points. Run: graphc tf1 linear_regression.py"""
import numpy as np
import tensorflow as tf

flags = tf.app.flags
flags.DEFINE_integer("steps", 200, "training steps")
flags.DEFINE_float("learning_rate", 0.1, "step size")
FLAGS = flags.FLAGS


def main(_):
    points = np.random.RandomState(0).uniform(-1, 1, [100, 1])
    noise = np.random.RandomState(1).normal(0, 0.1, [100, 1])

    x = tf.placeholder(tf.float32, [None, 1], name="x")
    y = tf.placeholder(tf.float32, [None, 1], name="y")
    weight = tf.Variable(tf.zeros([1, 1]), name="weight")
    bias = tf.Variable(tf.zeros([1]), name="bias")
    loss = tf.reduce_mean(tf.square(tf.matmul(x, weight) + bias - y))
    train_step = tf.train.GradientDescentOptimizer(FLAGS.learning_rate).minimize(loss)

    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for step in range(FLAGS.steps):
            _, value = session.run([train_step, loss], {x: points, y: 3 * points + 2 + noise})
            if step % 50 == 0:
                print("step {} loss {:.4f}".format(step, value))
        slope, offset = session.run([weight, bias])
        print("y = {:.2f} x + {:.2f}".format(slope[0, 0], offset[0]))


if __name__ == "__main__":
    tf.app.run()
