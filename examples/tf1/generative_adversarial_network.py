"""A generator learns the normal distribution N(4, 0.5) from a discriminator.

Run: graphc tf1 generative_adversarial_network.py
"""
import numpy as np
import tensorflow as tf

tf.flags.DEFINE_integer("steps", 1500, "training steps")
tf.flags.DEFINE_integer("seed", 3, "of all random numbers")
FLAGS = tf.flags.FLAGS
BATCH = 64


def generator(noise):
    with tf.variable_scope("generator"):
        return tf.layers.dense(tf.layers.dense(noise, 16, tf.nn.softplus), 1)


def discriminator(x):
    with tf.variable_scope("discriminator", reuse=tf.AUTO_REUSE):
        net = tf.layers.dense(x, 32, tf.nn.leaky_relu, name="hidden1")
        net = tf.layers.dense(net, 32, tf.nn.leaky_relu, name="hidden2")
        return tf.layers.dense(net, 1, name="logits")


def cross_entropy(logits, target):
    labels = tf.fill(tf.shape(logits), target)
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(logits=logits, labels=labels))


def main(_):
    tf.set_random_seed(FLAGS.seed)
    random = np.random.RandomState(FLAGS.seed)
    real = tf.placeholder(tf.float32, [None, 1])
    noise = tf.placeholder(tf.float32, [None, 1])
    fake = generator(noise)
    on_real, on_fake = discriminator(real), discriminator(fake)
    d_loss = cross_entropy(on_real, 0.9) + cross_entropy(on_fake, 0.0)
    g_loss = cross_entropy(on_fake, 1.0)
    variables = {scope: tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope=scope)
                 for scope in ("generator", "discriminator")}
    d_step = tf.train.AdamOptimizer(0.002, beta1=0.5).minimize(d_loss, var_list=variables["discriminator"])
    g_step = tf.train.AdamOptimizer(0.002, beta1=0.5).minimize(g_loss, var_list=variables["generator"])

    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for step in range(FLAGS.steps):
            feeds = {real: random.normal(4, 0.5, [BATCH, 1]), noise: random.uniform(-1, 1, [BATCH, 1])}
            session.run(d_step, feeds)
            session.run(g_step, feeds)
            if step % 500 == 0:
                print("step {} d {:.3f} g {:.3f}".format(step, *session.run([d_loss, g_loss], feeds)))
        made = session.run(fake, {noise: random.uniform(-1, 1, [1000, 1])})
        print("generated: mean {:.2f}, deviation {:.2f}".format(made.mean(), made.std()))


if __name__ == "__main__":
    tf.app.run()
